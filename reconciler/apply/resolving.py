"""What a person may say when looking cannot tell: it was created under this id, it is absent, give it up.

Every word is checked against the ERP as far as it can be, and goes into the history. Nothing is sent but what
finishes a document that is there half-way.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.apply.books import Sighting, read
from reconciler.apply.context import Run
from reconciler.apply.deciding import Decision, judged, result_of
from reconciler.apply.judging import Verdict, judge
from reconciler.apply.recovery import Recovery, final_instant, task_of
from reconciler.apply.report import StepOutcome, StepResult
from reconciler.apply.tasks import Landed, Task
from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.providers.errors import ProviderError
from reconciler.providers.operations import subject
from reconciler.providers.protocol import Found
from reconciler.state.model import (
    ConfirmEpoch,
    GroupStatus,
    IntentRow,
    IntentStatus,
    PutGroup,
)

CREATED = "created:"
ABSENT = "absent"


def resolve(run: Run, key: str, word: str) -> StepResult:
    """Settle the unsettled intent `key` by a person's word: `created:ID` or `absent`.

    Raises InvalidInput for a word or key that means nothing, ReconcilerError when the ERP contradicts it.
    """
    row = _row(run, key)
    task = task_of(run, row)
    if word == ABSENT:
        decision = _absent(run, row, task)
    elif word.startswith(CREATED) and len(word) > len(CREATED):
        decision = _created(run, row, task, word.removeprefix(CREATED))
    else:
        raise InvalidInput(f"--as {word!r} is neither created:ID nor absent", hint="for example --as created:4711")
    Recovery(run).write(task, decision, by="resolve", word=word)
    return result_of(task.step, decision)


def _row(run: Run, key: str) -> IntentRow:
    unsettled = run.journal.mirror.unsettled
    if key not in unsettled:
        known = ", ".join(f"{row.key} ({row.address})" for row in unsettled.values())
        raise InvalidInput(
            f"--resolve {key!r} is no unsettled outcome",
            why=f"unsettled are: {known}" if known else "no outcome is unsettled",
            hint=nearest(key, list(unsettled)),
        )
    return unsettled[key]


def _created(run: Run, row: IntentRow, task: Task, remote_id: str) -> Decision:
    """The record exists and is what was asked for; else a refusal that says how it differs."""
    step = task.step
    kind, known = subject(step.operation)
    if known is not None and known != remote_id:
        raise ReconcilerError(f"{step.address} is the {kind} {known}, not {remote_id}")
    owner = run.journal.mirror.owner(task.books.name, kind, remote_id)
    if task.creates and owner is not None:
        bound = run.journal.mirror.documents[owner].address
        raise ReconcilerError(f"the {kind} {remote_id} is already bound to {bound}")
    try:
        observed = read(task.books, [(kind, remote_id)]).get((kind, remote_id))
    except ProviderError as error:
        raise ReconcilerError(f"the {kind} {remote_id} cannot be read", why=error.message) from error
    if observed is None:
        raise ReconcilerError(f"there is no {kind} {remote_id} in the ERP", hint="Check the id.")
    judgement = judge(
        step.operation,
        observed,
        reference=step.reference,
        number=step.number,
        capabilities=task.kind_capabilities,
    )
    if judgement.verdict is Verdict.DRAFT:
        return Recovery(run).half_way(row, task, Sighting(Found(observed), run.clock.now()))
    if judgement.verdict is not Verdict.DONE:
        raise ReconcilerError(
            f"the {kind} {remote_id} is not what {step.address} asked for",
            why=judgement.text or "it is as it was before",
            hint="If it is not there at all, say `--as absent`.",
        )
    return Decision(StepOutcome.DONE, IntentStatus.DONE, landed=Landed.seen(observed))


def _absent(run: Run, row: IntentRow, task: Task) -> Decision:
    """It can no longer land, and nothing that can be seen contradicts that it is not there."""
    last = final_instant(row, task.support) or parse_instant(row.not_after)
    if run.clock.now() < last:
        raise ReconcilerError(
            f"the request for {row.address} may still land until {instant_text(last)}",
            hint="Look again after that.",
        )
    if task.searchable:
        [(_, sighting)] = run.sender(row.connection).look([task])
        judgement = judged(task, sighting)
        if judgement.verdict in (Verdict.DONE, Verdict.DRAFT):
            observed = sighting.observed
            where = f" as {observed.remote_id}" if observed is not None else ""
            raise ReconcilerError(
                f"{row.address} is in the ERP{where}",
                hint="Run `reconciler recover` without --resolve to record it.",
            )
    return Decision(StepOutcome.ABSENT, IntentStatus.ABSENT, "said to be absent", raise_attempt=True)


def abandon(run: Run, group_id: str) -> None:
    """End a correction early: its remaining members are never sent. What was done stays."""
    journal = run.journal
    row = journal.mirror.groups.get(group_id)
    if row is None:
        known = ", ".join(journal.mirror.groups)
        raise InvalidInput(
            f"--abandon {group_id!r} is no correction under way",
            why=f"under way are: {known}" if known else "no correction is under way",
            hint=nearest(group_id, list(journal.mirror.groups)),
        )
    if any(intent.group == group_id for intent in journal.mirror.unsettled.values()):
        raise ReconcilerError(
            f"the correction {group_id} has an outcome that is not known",
            hint="Settle it first: reconciler recover",
        )
    facts = {"group": group_id, "address": str(row.address), "done": row.next_member}
    journal.commit([PutGroup(replace(row, status=GroupStatus.ABANDONED)), journal.entry("abandoned", **facts)])


def confirm_absent(run: Run) -> bool:
    """Take a person's word that nothing of a lost state is unknown to this one; False: nobody asked."""
    meta = run.journal.mirror.meta
    if not meta.unconfirmed:
        return False
    run.journal.commit([ConfirmEpoch(), run.journal.entry("epoch_confirmed", epoch=meta.epoch)])
    return True

"""From what was answered to what it means: a decision table, without I/O.

Before a send: may it go? After one: is it done, refused, to be sent again, or unknown? A provider's word
speaks for its own attempt alone: while an earlier send may yet land, only a reading settles the step.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.apply.books import Books, Sighting
from reconciler.apply.judging import Judgement, Verdict, judge_sighting
from reconciler.apply.mirror import Mirror
from reconciler.apply.report import StepOutcome, StepResult
from reconciler.apply.settings import ApplySettings
from reconciler.apply.tasks import Answer, Landed, Overdue, Task
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import instant_text
from reconciler.kernel.identity import tag_in
from reconciler.plan.freezing import thaw_step
from reconciler.plan.model import Step
from reconciler.providers.capabilities import DeduplicationClass, Verb, VerbSupport
from reconciler.providers.errors import (
    AlreadyExists,
    Indeterminate,
    ProviderError,
    Rejected,
    Stale,
    Unavailable,
)
from reconciler.providers.operations import Create, Unallocate, subject, verb_of
from reconciler.providers.protocol import PUTS_BACK, Done
from reconciler.state.model import IntentRow, IntentStatus

RECOVER = "reconciler recover"
APPLY = "reconciler apply"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a step. Without an `outcome` it is sent (again), after `pause` seconds.

    `status` is what its intent becomes; None when there is none to close.
    """

    outcome: StepOutcome | None = None
    status: IntentStatus | None = None
    message: str = ""
    command: str = ""
    raise_attempt: bool = False
    landed: Landed | None = None
    pause: int = 0


SEND = Decision()


def result_of(step: Step, decision: Decision) -> StepResult:
    """How a step's end is reported."""
    assert decision.outcome is not None
    landed = decision.landed
    return StepResult(
        step_id=step.id,
        address=step.address,
        label=step.label,
        description=step.description,
        outcome=decision.outcome,
        message=decision.message,
        remote_id=landed.remote_id if landed else "",
        number=(landed.number if landed else None) or step.number,
        command=decision.command or _way_out(step, decision),
    )


def _way_out(step: Step, decision: Decision) -> str:
    """A correction whose member the ERP refuses is tried again at each apply, until it is ended early."""
    stuck = step.group is not None and decision.outcome in (StepOutcome.REJECTED, StepOutcome.CONFLICT)
    return f"{RECOVER} --abandon {step.group}" if stuck else ""


def command_for(task: Task) -> str:
    """What settles an unknown outcome."""
    return _command(task.key, task.support, task.books)


def command_for_row(row: IntentRow, books: Books) -> str:
    """The same for an intent of an earlier run."""
    step = thaw_step(parse_canonical(row.step))
    support = books.capabilities.kind(subject(step.operation)[0]).verb(verb_of(step.operation))
    return _command(row.key, support, books)


def _command(key: str, support: VerbSupport, books: Books) -> str:
    klass = support.deduplication
    again = klass is DeduplicationClass.C and books.resend_after_settle and support.settle_seconds is not None
    return RECOVER if klass.enforced or again else resolve_command(key)


def resolve_command(key: str) -> str:
    return f"{RECOVER} --resolve {key} --as created:ID|absent"


def judged(task: Task, sighting: Sighting | None) -> Judgement:
    """What a look says about a task's operation."""
    if sighting is None:
        return Judgement(Verdict.UNCLEAR, ("it cannot be looked up",))
    step = task.step
    judgement = judge_sighting(
        step.operation,
        sighting.lookup,
        reference=step.reference,
        number=step.number,
        capabilities=task.kind_capabilities,
    )
    if judgement.verdict is Verdict.DONE and puts_back(task):
        return Judgement(Verdict.UNCLEAR, ("it is taken off; what went off with it may not be put back yet",))
    return judgement


def puts_back(task: Task) -> bool:
    """A whole allocation is being taken off, and others with it: they are put back after, as the stages say.

    What is to be seen of the allocation itself does not tell how far that has come.
    """
    operation = task.step.operation
    return isinstance(operation, Unallocate) and not operation.amount and PUTS_BACK in dict(task.stages)


def seen(task: Task, sighting: Sighting | None) -> Landed:
    """The landed write as a look showed it."""
    observed = sighting.observed if sighting is not None else None
    if observed is None:
        return Landed(subject(task.step.operation)[1] or "")
    return Landed.seen(observed)


# ---- before a send ----------------------------------------------------------------------------------------


def needs_look(task: Task) -> bool:
    """Every create is looked up first; so is what is made a document of its own and is not unique by itself."""
    if not task.searchable:
        return False
    if isinstance(task.step.operation, Create):
        return True
    return task.verb == "allocate" and not task.support.deduplication.enforced


def before_sending(task: Task, sighting: Sighting, mirror: Mirror) -> Decision:
    """Whether a step may be sent, given a look under the lock. May set the task to finish a draft."""
    judgement = judged(task, sighting)
    klass = task.support.deduplication
    match judgement.verdict:
        case Verdict.DONE:
            landed = seen(task, sighting)
            if (other := _foreign(task, landed, mirror)) is not None:
                return other
            return Decision(StepOutcome.ALREADY_DONE, IntentStatus.DONE, landed=landed)
        case Verdict.DRAFT:
            return _finish(task, seen(task, sighting).remote_id)
        case Verdict.BEFORE:
            return _too_early(task, sighting) or SEND
        case Verdict.OTHER:
            what = (
                "it is already in the ERP with other content" if task.creates else "it moved since it was planned"
            )
            return Decision(StepOutcome.CONFLICT, message=f"{what}: {judgement.text}")
        case _:
            if klass is DeduplicationClass.C:
                return Decision(
                    StepOutcome.UNAVAILABLE,
                    message=f"not sent: whether it is there already cannot be told ({judgement.text})",
                    command=APPLY,
                )
            return SEND


def _too_early(task: Task, sighting: Sighting) -> Decision | None:
    """A request of the state that was lost may yet land, and nothing would keep a second one out."""
    if instant_text(sighting.as_of) >= task.absent_from:
        return None
    message = f"the state was lost, and what it had under way may land until {task.absent_from}"
    return Decision(StepOutcome.HELD, message=message, command=APPLY)


def _finish(task: Task, remote_id: str) -> Decision:
    """It is there as a draft: go on by its recorded stages or as the create itself does, else post it."""
    if task.stages or task.kind_capabilities.resumes:
        return SEND
    if not task.kind_capabilities.can(Verb.POST):
        return Decision(StepOutcome.CONFLICT, message=f"{remote_id} is a draft, and cannot be posted from here")
    task.draft_id = remote_id
    return SEND


def _foreign(task: Task, landed: Landed, mirror: Mirror) -> Decision | None:
    """A record that some other address of ours is bound to cannot be this one."""
    if not task.creates:
        return None
    owner = mirror.owner(task.books.name, task.kind, landed.remote_id)
    if owner in (None, task.step.document_id):
        return None
    message = f"the ERP's record {landed.remote_id} is already bound to another address"
    return Decision(StepOutcome.CONFLICT, IntentStatus.CONFLICT, message)


# ---- after a send -----------------------------------------------------------------------------------------


def after_sending(answer: Answer, mirror: Mirror, settings: ApplySettings) -> Decision:
    """What an answer means for its step. May count a retry or resend on the task."""
    task, outcome = answer.task, answer.outcome
    if isinstance(outcome, Done):
        return _done(answer, outcome, mirror)
    if isinstance(outcome, Overdue):
        return SEND
    if isinstance(outcome, Unavailable):
        return _unavailable(answer, outcome, settings)
    if isinstance(outcome, AlreadyExists):
        otherwise = _unknown(task, f"{_words(outcome)}; the look-up does not show it as ours")
        return _by_looking(answer, mirror, otherwise, taken=not task.unsettled)
    if isinstance(outcome, (Rejected, Stale)):
        return _refused(answer, outcome, mirror)
    return _indeterminate(answer, mirror, settings)


def _done(answer: Answer, outcome: Done, mirror: Mirror) -> Decision:
    task = answer.task
    remote_id = outcome.remote_id
    if not task.creates:
        remote_id = subject(task.step.operation)[1] or remote_id
    landed = Landed(remote_id, outcome.revision, outcome.number, as_seen=bool(task.draft_id))
    landed = landed.with_reading(answer.observed)
    if task.creates:
        if not remote_id:
            return _unknown(task, "the ERP says it is done, but names no id")
        if _foreign(task, landed, mirror) is not None or _mistaken(task, landed):
            return _unknown(task, f"the ERP answered with another record ({remote_id})")
    return Decision(StepOutcome.DONE, IntentStatus.DONE, landed=landed)


def _mistaken(task: Task, landed: Landed) -> bool:
    """The record carries a reference, and it is not the one that was sent."""
    carried = landed.observed.reference if landed.observed is not None else None
    return bool(carried) and tag_in(carried) != tag_in(task.step.reference)


def _unavailable(answer: Answer, outcome: Unavailable, settings: ApplySettings) -> Decision:
    task = answer.task
    task.retries += 1
    if task.retries <= settings.retries:
        return Decision(pause=settings.pause(task.retries, outcome.retry_after))
    if task.unsettled:
        return _unknown(task, f"an earlier request may have landed; the ERP is unavailable: {_words(outcome)}")
    if task.stages:
        return _unknown(task, f"it is begun; then the ERP was unavailable: {_words(outcome)}")
    return Decision(
        StepOutcome.UNAVAILABLE, IntentStatus.ABSENT, _words(outcome), command=APPLY, raise_attempt=True
    )


def _refused(answer: Answer, outcome: ProviderError, mirror: Mirror) -> Decision:
    task = answer.task
    if task.unsettled:
        unknown = _unknown(task, f"the ERP refused ({_words(outcome)}), but an earlier request may yet land")
        return _by_looking(answer, mirror, unknown)
    if isinstance(outcome, Stale):
        message = f"it moved since it was planned, plan again: {_words(outcome)}"
        return Decision(StepOutcome.CONFLICT, IntentStatus.ABSENT, message, raise_attempt=True)
    return Decision(StepOutcome.REJECTED, IntentStatus.REJECTED, _words(outcome), raise_attempt=True)


def _by_looking(answer: Answer, mirror: Mirror, otherwise: Decision, *, taken: bool = False) -> Decision:
    """Done when the record shows it; in conflict when its place is certainly taken by something else."""
    task = answer.task
    judgement = judged(task, answer.sighting)
    if judgement.verdict is Verdict.DONE:
        landed = seen(task, answer.sighting)
        return _foreign(task, landed, mirror) or Decision(StepOutcome.DONE, IntentStatus.DONE, landed=landed)
    taken = taken or task.support.deduplication.enforced
    if judgement.verdict is Verdict.OTHER and task.creates and taken:
        message = f"the ERP has another record in its place: {judgement.text}"
        return Decision(StepOutcome.CONFLICT, IntentStatus.CONFLICT, message)
    return otherwise


def _indeterminate(answer: Answer, mirror: Mirror, settings: ApplySettings) -> Decision:
    task = answer.task
    words = _words(answer.outcome) if isinstance(answer.outcome, ProviderError) else "no answer"
    task.unsettled = True
    task.resends += 1
    again = task.support.deduplication.enforced and task.resends <= settings.resends
    verdict = judged(task, answer.sighting).verdict
    if again and verdict in (Verdict.BEFORE, Verdict.UNCLEAR):
        return Decision(pause=0)
    return _by_looking(answer, mirror, _unknown(task, f"it may or may not have happened: {words}"))


def _unknown(task: Task, message: str) -> Decision:
    return Decision(StepOutcome.UNKNOWN, IntentStatus.UNKNOWN, message, command=command_for(task))


def _words(error: ProviderError) -> str:
    return f"{error.message} ({error.code})" if error.code else error.message


def indeterminate(error: BaseException) -> Indeterminate:
    """An error that is no ProviderError: its words may hold anything, so only its type is told."""
    return Indeterminate(f"unexpected {type(error).__name__}")

"""Settling what an earlier run left open, by observing: is it done, is it as before, or neither?

Nothing is sent but what finishes a document that is there half-way. Absence counts only once a request can no
longer land; what cannot be told stays unknown, with the command that settles it. Every intent is settled in a
commit of its own, so that recovery may itself be interrupted anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.apply.books import Books, Sighting, read_if_possible
from reconciler.apply.context import Run
from reconciler.apply.deciding import Decision, command_for, judged, puts_back, result_of, seen
from reconciler.apply.journal import outcome_json
from reconciler.apply.judging import Judgement, Verdict, judge
from reconciler.apply.recording import DoneStep, done_writes
from reconciler.apply.report import StepOutcome, StepResult
from reconciler.apply.sending import Sender, StageRecorder
from reconciler.apply.tasks import Landed, Task
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.kernel.errors import StateError
from reconciler.plan.freezing import thaw_step
from reconciler.plan.model import Step
from reconciler.providers.capabilities import DeduplicationClass, Verb, VerbSupport
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.operations import subject
from reconciler.providers.protocol import Accepted, Done, Found
from reconciler.state.model import CloseIntent, IntentRow, IntentStatus, OpenIntent, Write


def settle_open_intents(run: Run) -> list[StepResult]:
    """Settle every open or unknown intent, oldest first; one result each. Raises FenceLost."""
    rows = list(run.journal.mirror.unsettled.values())
    return Recovery(run).settle(rows)


def thaw(row: IntentRow) -> Step:
    """The step of an intent. Raises StateError when it is not readable."""
    try:
        return thaw_step(parse_canonical(row.step))
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"the intent {row.key} of {row.address} cannot be read", why="its step is damaged"
        ) from error


def task_of(run: Run, row: IntentRow) -> Task:
    """An intent's request again."""
    books = _books(run, row)
    task = Task(thaw(row), books, row.key, row.attempt, "", run.journal.stages(row.key), frozen=row.step)
    task.revision = task.step.revision
    task.unsettled = True
    return task


def _books(run: Run, row: IntentRow) -> Books:
    try:
        return run.books[row.connection]
    except KeyError:
        raise StateError(
            f"{row.address} has an unsettled outcome on the connection {row.connection!r}, which is gone",
            hint="Put the connection back into reconciler.yaml until `reconciler recover` has settled it.",
        ) from None


@dataclass(slots=True)
class Recovery:
    """One pass over unsettled intents."""

    run: Run
    _senders: dict[str, Sender] = field(default_factory=dict)

    def settle(self, rows: Sequence[IntentRow]) -> list[StepResult]:
        """Look at all of them, a batch per connection, then settle one by one."""
        tasks = [(row, task_of(self.run, row)) for row in rows]
        sightings = self._look([task for _, task in tasks if task.searchable])
        results = []
        for row, task in tasks:
            decision = self._settled(row, task, sightings.get(row.key))
            results.append(result_of(task.step, decision))
        return results

    def sender(self, connection: str) -> Sender:
        if connection not in self._senders:
            self._senders[connection] = self.run.sender(connection)
        return self._senders[connection]

    def _look(self, tasks: Sequence[Task]) -> dict[str, Sighting]:
        found: dict[str, Sighting] = {}
        for name in sorted({task.books.name for task in tasks}):
            pairs = self.sender(name).look([task for task in tasks if task.books.name == name])
            found.update({task.key: sighting for task, sighting in pairs})
        return found

    def _settled(self, row: IntentRow, task: Task, sighting: Sighting | None) -> Decision:
        decision = self._polled(row, task)
        if decision is None:
            if sighting is not None and self.run.journal.handle(row.key) is not None:
                sighting = self._look([task])[task.key]  # the provider knows now how what was accepted stands
            decision = self._judged(row, task, sighting)
        self.write(task, decision)
        return decision

    # ---- deciding -------------------------------------------------------------------------------------

    def _polled(self, row: IntentRow, task: Task) -> Decision | None:
        """What the ERP says of a request it had accepted; None when it had not, or says nothing final."""
        handle = self.run.journal.handle(row.key)
        if handle is None:
            return None
        outcome = self.sender(row.connection).poll(Accepted(handle))
        if isinstance(outcome, Done):
            remote_id = (
                outcome.remote_id if task.creates else (subject(task.step.operation)[1] or outcome.remote_id)
            )
            landed = Landed(remote_id, outcome.revision, outcome.number).with_reading(outcome.observed)
            if task.creates and self.run.journal.mirror.owner(row.connection, task.kind, remote_id):
                return None
            return Decision(StepOutcome.DONE, IntentStatus.DONE, landed=landed)
        if isinstance(outcome, (Rejected, Stale)) and not _sent_before(row):
            return Decision(StepOutcome.REJECTED, IntentStatus.REJECTED, outcome.message, raise_attempt=True)
        return None

    def _judged(self, row: IntentRow, task: Task, sighting: Sighting | None) -> Decision:
        sighting = self._patiently(row, task, sighting)
        judgement = judged(task, sighting)
        if puts_back(task) and sighting is not None and judgement.verdict is Verdict.UNCLEAR:
            return self._put_back(row, task, judgement, sighting)
        match judgement.verdict:
            case Verdict.DONE:
                return self._found(task, sighting)
            case Verdict.DRAFT:
                assert sighting is not None
                return self.half_way(row, task, sighting)
            case Verdict.BEFORE:
                assert sighting is not None
                return absent(row, task, sighting.as_of)
            case Verdict.OTHER:
                assert sighting is not None
                return self._something_else(row, task, judgement, sighting)
            case _:
                return unknown(task, judgement.text)

    def _patiently(self, row: IntentRow, task: Task, sighting: Sighting | None) -> Sighting | None:
        """Look again where a short wait brings certainty that class C needs."""
        if sighting is None or not _certainty_matters(task) or judged(task, sighting).verdict is Verdict.DONE:
            return sighting
        final = final_instant(row, task.support)
        wait = (final - sighting.as_of).total_seconds() if final is not None else 0
        if not 0 < wait <= self.run.settings.settle_patience:
            return sighting
        self.run.clock.sleep(wait)
        self.run.keeper.ensure(self.run.settings.reach(task.books.capabilities))
        return self._look([task])[task.key]

    def _found(self, task: Task, sighting: Sighting | None) -> Decision:
        landed = seen(task, sighting)
        if task.creates:
            owner = self.run.journal.mirror.owner(task.books.name, task.kind, landed.remote_id)
            if owner not in (None, task.step.document_id):
                message = f"the ERP's record {landed.remote_id} is already bound to another address"
                return Decision(StepOutcome.CONFLICT, IntentStatus.CONFLICT, message)
        return Decision(StepOutcome.DONE, IntentStatus.DONE, landed=landed)

    def half_way(self, row: IntentRow, task: Task, sighting: Sighting) -> Decision:
        """A draft where a posted document was wanted: finish it, under an intent that is young again."""
        sender = self.sender(row.connection)
        allowance = self.run.settings.window(task.books.capabilities) + sender.reach
        not_after = max(row.not_after, self.run.journal.in_seconds(allowance))
        self.run.journal.commit([OpenIntent(replace(row, status=IntentStatus.OPEN, not_after=not_after))])
        outcome = sender.finish(task, sighting, StageRecorder(sender, {row.key: row.step_id}))
        if outcome is None:
            message = f"{seen(task, sighting).remote_id} is a draft, and cannot be posted from here"
            return Decision(StepOutcome.CONFLICT, IntentStatus.CONFLICT, message)
        again = self._look([task])[task.key]
        if judged(task, again).verdict is Verdict.DONE:
            return self._found(task, again)
        if isinstance(outcome, Done):
            landed = Landed(outcome.remote_id, outcome.revision, outcome.number, as_seen=True)
            return Decision(StepOutcome.DONE, IntentStatus.DONE, landed=landed)
        words = getattr(outcome, "message", "accepted for later")
        return unknown(task, f"it is there as a draft; posting it: {words}")

    def _put_back(self, row: IntentRow, task: Task, judgement: Judgement, sighting: Sighting) -> Decision:
        """It is off; the request goes on by its stages, once nothing it sent can land beside that."""
        if not isinstance(sighting.lookup, Found) or not proven(row, task.support, sighting.as_of):
            return unknown(task, judgement.text)
        sender = self.sender(row.connection)
        allowance = self.run.settings.window(task.books.capabilities) + sender.reach
        not_after = max(row.not_after, self.run.journal.in_seconds(allowance))
        self.run.journal.commit([OpenIntent(replace(row, status=IntentStatus.OPEN, not_after=not_after))])
        outcome = sender.finish(task, sighting, StageRecorder(sender, {row.key: row.step_id}))
        if isinstance(outcome, Done):
            return self._found(task, self._look([task])[task.key])
        return unknown(task, f"{judgement.text}: {getattr(outcome, 'message', 'accepted for later')}")

    def _something_else(self, row: IntentRow, task: Task, judgement: Judgement, sighting: Sighting) -> Decision:
        if not task.support.deduplication.enforced and not proven(row, task.support, sighting.as_of):
            return unknown(task, f"something else is there, and the request may yet land: {judgement.text}")
        if task.creates:
            what = "the ERP has another record in its place"
        else:
            what = "the record has since been changed otherwise"
        return Decision(StepOutcome.CONFLICT, IntentStatus.CONFLICT, f"{what}: {judgement.text}")

    # ---- writing --------------------------------------------------------------------------------------

    def write(self, task: Task, decision: Decision, **facts: str) -> None:
        """Commit a decision: state, intent and history together."""
        journal, step = self.run.journal, task.step
        now = journal.now()
        writes: list[Write]
        if decision.status is IntentStatus.DONE:
            assert decision.landed is not None
            done = DoneStep(step, task.key, self._read(task, decision.landed))
            writes = done_writes(journal.mirror, done, now)
            fact = done.fact()
        else:
            assert decision.status is not None
            outcome = outcome_json(
                message=decision.message,
                unproven=decision.outcome is StepOutcome.ABSENT and not decision.raise_attempt,
                earlier="unsettled",
            )
            writes = [CloseIntent(task.key, decision.status, outcome, now, decision.raise_attempt)]
            fact = {"step": step.id, "key": task.key, "document": step.document_id}
        if decision.status.settled:
            writes.append(journal.entry("settled", status=str(decision.status), **fact, **facts))
        journal.commit(writes)
        self.run.events.boundary("outcome_written", step.id)

    def _read(self, task: Task, landed: Landed) -> Landed:
        """The landed write with its record, read once if it was not seen yet."""
        if landed.observed is not None or not landed.remote_id or task.verb is Verb.DELETE:
            return landed
        place = (task.kind, landed.remote_id)
        observed = read_if_possible(task.books, [place]).get(place)
        fresh = observed is not None and judge(task.step.operation, observed).verdict is Verdict.DONE
        return landed.with_reading(observed) if fresh else landed


# ---- what time proves -----------------------------------------------------------------------------------------


def final_instant(row: IntentRow, support: VerbSupport) -> datetime | None:
    """After this instant the request can no longer land; None: there is no such instant."""
    if support.settle_seconds is None:
        return None
    return parse_instant(row.not_after) + timedelta(seconds=support.settle_seconds)


def proven(row: IntentRow, support: VerbSupport, as_of: datetime) -> bool:
    """Whether a reading as of an instant shows what will not change any more."""
    final = final_instant(row, support)
    return final is not None and as_of >= final


def absent(row: IntentRow, task: Task, as_of: datetime) -> Decision:
    """It is not there: what that allows, by class."""
    klass, sure = task.support.deduplication, proven(row, task.support, as_of)
    if klass.enforced:
        message = "it did not happen" if sure else "not there yet; sent again, the ERP will not make it twice"
        status = IntentStatus.ABSENT if sure else IntentStatus.UNKNOWN
        return Decision(StepOutcome.ABSENT, status, message, raise_attempt=sure)
    if klass is DeduplicationClass.C and task.books.resend_after_settle and sure:
        return Decision(StepOutcome.ABSENT, IntentStatus.ABSENT, "it did not happen", raise_attempt=True)
    if klass is DeduplicationClass.C and not sure and (final := final_instant(row, task.support)) is not None:
        return unknown(task, f"it is not there, but may land until {instant_text(final)}")
    return unknown(task, "it is not there as far as can be seen, and nothing keeps a second one out")


def unknown(task: Task, message: str) -> Decision:
    return Decision(StepOutcome.UNKNOWN, IntentStatus.UNKNOWN, message, command=command_for(task))


def _certainty_matters(task: Task) -> bool:
    return task.support.deduplication is DeduplicationClass.C and task.books.resend_after_settle


def _sent_before(row: IntentRow) -> bool:
    """Whether the same request was sent more than once."""
    return bool(row.outcome and parse_canonical(row.outcome).get("earlier"))

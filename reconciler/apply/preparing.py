"""A step made ready: holes filled, the attempt counted, its key made; or why it cannot go now.

Reads state, writes nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.apply.books import Books
from reconciler.apply.context import Run
from reconciler.apply.deciding import APPLY, Decision, command_for, command_for_row, needs_look
from reconciler.apply.report import StepOutcome
from reconciler.apply.tasks import Task
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.kernel.identity import request_key
from reconciler.plan.model import PENDING_ID, Plan, Step
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.operations import with_holes_filled
from reconciler.state.model import CloseIntent, IntentRow, IntentStatus

NEVER = "never"
"""No absence proves anything: the ERP promises nothing about late landings."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a done step gives to later ones."""

    remote_id: str
    revision: str = ""
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task, and what must be committed with its intent: an earlier attempt put behind us."""

    task: Task
    supersedes: CloseIntent | None = None


class Preparer:
    """Prepares the steps of one plan; told of every step that is done."""

    def __init__(self, run: Run, plan: Plan, outputs: Mapping[str, Output]) -> None:
        self._run = run
        self.outputs = dict(outputs)
        self._written = {step.document_id for step in plan.steps if step.id in outputs}
        resumed = {step for group in plan.groups if group.resumed for step in group.steps}
        self._written |= {step.document_id for step in plan.steps if step.id in resumed}
        self._lost_at = run.journal.lost_at()
        self._unknown = {
            row.document_id: row for row in run.journal.mirror.unsettled.values() if not row.may_be_resent
        }

    def done(self, step: Step, output: Output) -> None:
        self.outputs[step.id] = output
        self._written.add(step.document_id)

    def prepare(self, step: Step) -> Prepared | Decision:
        """The task for a step, or the decision that it cannot be sent."""
        books = self._run.books[step.address.connection]
        if (held := self._held(step)) is not None:
            return held
        missing = [hole.step for hole in step.holes if hole.step not in self.outputs]
        if missing:
            return Decision(StepOutcome.HELD, message=f"it needs what {missing[0]} was to give", command=APPLY)
        filled = self._filled(step)
        mirror = self._run.journal.mirror
        attempt = mirror.attempt(step.document_id, step.operation_key)
        key = request_key(step.document_id, step.operation_key, attempt)
        task = Task(filled, books, key, attempt, self._revision(filled))
        task.absent_from = self._absent_from(task)
        if self._blind_in_new_epoch(task) or task.absent_from == NEVER:
            return Decision(
                StepOutcome.HELD,
                message="the state is new, and this ERP has nothing to recognise an earlier create by",
                command="reconciler recover --confirm-absent",
            )
        row = self._run.journal.intent(key)
        return Prepared(task) if row is None else self._after(task, row, books)

    def _held(self, step: Step) -> Decision | None:
        """What an earlier run left unknown about the same document holds this step."""
        row = self._unknown.get(step.document_id)
        if row is None:
            return None
        command = command_for_row(row, self._run.books[row.connection])
        if row.operation_key == step.operation_key:
            return Decision(
                StepOutcome.UNKNOWN, message="an earlier request may or may not have landed", command=command
            )
        return Decision(
            StepOutcome.HELD, message=f"the outcome of an earlier {row.operation_key} is unknown", command=command
        )

    def _filled(self, step: Step) -> Step:
        values = {
            hole.place: getattr(self.outputs[hole.step], "remote_id" if hole.field == "id" else "revision")
            for hole in step.holes
        }
        revision = values.pop(("revision",), step.revision)
        operation = with_holes_filled(step.operation, values) if values else step.operation
        return replace(step, operation=operation, holes=(), revision=revision)

    def _revision(self, step: Step) -> str:
        """What the record must be at: as planned, or as this very run has left it."""
        document = self._run.journal.mirror.documents.get(step.document_id)
        if document is not None and step.document_id in self._written:
            return document.revision
        return "" if step.revision == PENDING_ID else step.revision

    def _absent_from(self, task: Task) -> str:
        """From when on an absence proves anything, after the state was lost; '' where a second one is kept out."""
        lost_at = self._lost_at
        if lost_at is None or task.support.deduplication.enforced or not needs_look(task):
            return ""
        if task.support.settle_seconds is None:
            return NEVER
        settings, capabilities = self._run.settings, task.books.capabilities
        seconds = settings.window(capabilities) + settings.reach(capabilities) + task.support.settle_seconds
        return instant_text(lost_at + timedelta(seconds=seconds))

    def _blind_in_new_epoch(self, task: Task) -> bool:
        unconfirmed = self._run.journal.mirror.meta.unconfirmed
        return unconfirmed and task.creates and task.support.deduplication is DeduplicationClass.D

    def _after(self, task: Task, row: IntentRow, books: Books) -> Prepared | Decision:
        """The same key was used before: its request may yet land, or was done for a record now gone."""
        if not (row.status.settled or row.may_be_resent):
            return Decision(
                StepOutcome.UNKNOWN,
                message="an earlier request may or may not have landed",
                command=command_for(task),
            )
        if row.status is IntentStatus.DONE:
            return self._anew(task, row)
        task.stages = self._run.journal.stages(task.key)
        task.unsettled = row.status is not IntentStatus.ABSENT or not _proven(row)
        if not task.unsettled or row.content_digest == task.content_digest:
            return Prepared(task)
        settle = task.support.settle_seconds
        if settle is None:
            return Prepared(task)
        final = parse_instant(row.not_after).timestamp() + settle
        if self._run.clock.now().timestamp() >= final:
            return self._anew(task, row)
        until = instant_text(parse_instant(row.not_after))
        return Decision(
            StepOutcome.UNAVAILABLE,
            message=f"an earlier request with other content may land until {settle} s after {until}",
            command=APPLY,
        )

    def _anew(self, task: Task, row: IntentRow) -> Prepared:
        """A new attempt, with a key of its own."""
        attempt = row.attempt + 1
        key = request_key(row.document_id, row.operation_key, attempt)
        fresh = Task(task.step, task.books, key, attempt, task.revision)
        status = row.status if row.status.settled else IntentStatus.ABSENT
        return Prepared(fresh, CloseIntent(row.key, status, row.outcome, row.closed_at, raise_attempt=True))


def _proven(row: IntentRow) -> bool:
    """Whether an absence was proven; one that was not leaves the request able to land."""
    return not (row.outcome and parse_canonical(row.outcome).get("unproven"))

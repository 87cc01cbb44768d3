"""The desk where intents are opened and closed: writes gathered, committed together, and announced.

It keeps the order that makes recovery possible: an intent is durable before its request is handed out, a
group's row with its first intent, an outcome with everything it says about state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.apply.context import Run
from reconciler.apply.deciding import APPLY, Decision, command_for
from reconciler.apply.journal import outcome_json
from reconciler.apply.recording import DoneStep, done_writes
from reconciler.apply.report import StepOutcome
from reconciler.apply.tasks import Task
from reconciler.plan.freezing import freeze_members, freeze_proof
from reconciler.plan.model import Group, Plan
from reconciler.state import model
from reconciler.state.model import CloseIntent, GroupRow, GroupStatus, IntentStatus, OpenIntent, PutGroup, Write

_ORDER = (
    model.PutGroup,
    model.OpenIntent,
    model.CloseIntent,
    model.DropBinding,
    model.PutDocument,
    model.PutAllocation,
    model.PutBinding,
    model.PutRun,
    model.AppendHistory,
)


class Desk:
    """Gathers a run's writes. Used by the run's own thread alone."""

    def __init__(self, run: Run, plan: Plan) -> None:
        self._run = run
        self._journal = run.journal
        self._steps = {step.id: step for step in plan.steps}
        self._groups = {group.id: group for group in plan.groups}
        self._supersedes: dict[str, CloseIntent] = {}
        self._writes: list[Write] = []
        self._done: list[DoneStep] = []
        self._announce: list[tuple[str, str]] = []
        self.left: dict[str, Decision] = {}
        """By step: what was prepared, and not sent because the run was stopped."""

    def supersede(self, task: Task, write: CloseIntent | None) -> None:
        """Remember what is committed with the task's intent."""
        if write is not None:
            self._supersedes[task.key] = write

    def open(self, tasks: Sequence[Task]) -> None:
        """Intents for requests that are handed out right after the next commit."""
        capabilities = tasks[0].books.capabilities
        window, reach = self._run.settings.window(capabilities), self._run.settings.reach(capabilities)
        self._run.keeper.ensure(window + reach)
        deadline = self._run.clock.monotonic() + window
        not_after = self._journal.in_seconds(window + reach)
        for task in tasks:
            task.deadline = deadline
            self._open(task, not_after)

    def _open(self, task: Task, not_after: str) -> None:
        mirror = self._journal.mirror
        if (behind := self._supersedes.pop(task.key, None)) is not None:
            mirror.attempts[task.step.document_id, task.step.operation_key] = task.attempt
            self._writes.append(behind)
        group = self._groups.get(task.step.group or "")
        if group is not None and group.id not in mirror.groups:
            self._write([PutGroup(self._group_row(group))])
        row = task.intent(
            run_id=self._journal.run_id,
            plan_digest=self._journal.plan_digest,
            not_after=not_after,
            opened_at=self._journal.now(),
            earlier=outcome_json(earlier="unsettled") if task.unsettled else "",
        )
        self._write([OpenIntent(row)])
        self._announce.append(("intent_written", task.step.id))

    def _group_row(self, group: Group) -> GroupRow:
        return GroupRow(
            id=group.id,
            address=group.address,
            remedy=str(group.remedy),
            reason=group.reason,
            members=freeze_members(self._steps[member] for member in group.steps),
            next_member=0,
            status=GroupStatus.OPEN,
            proof=freeze_proof(group.proof),
        )

    def close(self, task: Task, decision: Decision) -> None:
        """What a decision says about a task's intent, if it has one, and about state."""
        if decision.status is None:
            return
        if decision.status is IntentStatus.DONE:
            assert decision.landed is not None
            if task.key not in self._journal.mirror.unsettled:
                self._open(task, self._journal.now())
            done = DoneStep(task.step, task.key, decision.landed)
            self._write(done_writes(self._journal.mirror, done, self._journal.now()))
            self._done.append(done)
        else:
            self._close(task, decision)
        self._announce.append(("outcome_written", task.step.id))

    def _close(self, task: Task, decision: Decision) -> None:
        assert decision.status is not None
        if task.key not in self._journal.mirror.unsettled:
            return
        outcome = outcome_json(message=decision.message, earlier="unsettled" if task.unsettled else "")
        now = self._journal.now()
        self._write([CloseIntent(task.key, decision.status, outcome, now, decision.raise_attempt)])

    def leave(self, task: Task) -> None:
        """A task that is not going to be sent: its intent, if open, covers nothing, or an earlier send."""
        if task.key not in self._journal.mirror.unsettled:
            return
        if task.unsettled:
            decision = Decision(
                StepOutcome.UNKNOWN,
                IntentStatus.UNKNOWN,
                "stopped before it was known whether it had happened",
                command_for(task),
            )
        else:
            decision = Decision(
                StepOutcome.NOT_STARTED,
                IntentStatus.ABSENT,
                "the run was stopped first",
                APPLY,
                raise_attempt=True,
            )
        self._close(task, decision)
        self.left[task.step.id] = decision

    def _write(self, writes: Iterable[Write]) -> None:
        made = list(writes)
        self._journal.mirror.follow(made)
        self._writes.extend(made)

    def commit(self) -> None:
        """Make everything gathered durable, then say so."""
        if self._done:
            facts = [done.fact() for done in self._done]
            self._writes.append(self._journal.entry("steps", plan=self._journal.plan_digest, steps=facts))
        writes = sorted(self._writes, key=lambda write: _ORDER.index(type(write)))
        announce, self._announce = self._announce, []
        self._writes, self._done = [], []
        self._journal.commit(writes, followed=True)
        for name, step_id in announce:
            self._run.events.boundary(name, step_id)

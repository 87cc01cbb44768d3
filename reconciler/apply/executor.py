"""Executing a plan's steps: intent durable, send, outcome durable; independent steps side by side.

One thread, this one, decides and writes; each connection's workers look, send and report back. What is ready
together is committed together: outcomes, and the intents of the next sends where the ERP enforces uniqueness.
It makes no decisions of substance: `preparing` says what may go, `deciding` what an answer means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty

from reconciler.apply.books import Sighting
from reconciler.apply.context import Run
from reconciler.apply.deciding import APPLY, Decision, after_sending, before_sending, needs_look, result_of
from reconciler.apply.intents import Desk
from reconciler.apply.lanes import Finished, Inbox, Lane
from reconciler.apply.preparing import Output, Preparer
from reconciler.apply.report import StepOutcome, StepResult
from reconciler.apply.scheduling import ReadyQueue
from reconciler.apply.sending import Sender
from reconciler.apply.tasks import Answer, Landed, Task
from reconciler.plan.model import Plan, Step
from reconciler.providers.errors import Rejected

GOOD = frozenset({StepOutcome.DONE, StepOutcome.ALREADY_DONE})


def execute_plan(run: Run, plan: Plan, done: Mapping[str, Output] | None = None) -> list[StepResult]:
    """Carry out every step of `plan` that is not in `done`; one result per step, in plan order.

    Raises FenceLost when the lock was lost, KeyboardInterrupt when asked to stop at once; intents of what was
    in flight then stay open for recovery.
    """
    execution = _Execution(run, plan, done or {})
    try:
        execution.work()
    except BaseException:
        execution.close(wait=False)
        raise
    execution.close(wait=True)
    return execution.report()


@dataclass(slots=True)
class _Way:
    """One connection: its lane, its sender, and the tasks on their way to a look or a send."""

    lane: Lane
    sender: Sender
    to_look: deque[Task]
    to_send: deque[Task]
    looking: bool = False

    @property
    def batch_size(self) -> int:
        return max(1, self.sender.books.capabilities.batch_size)


@dataclass(frozen=True, slots=True)
class _Looked:
    pairs: list[tuple[Task, Sighting]]


@dataclass(frozen=True, slots=True)
class _Sent:
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class _Rested:
    tasks: list[Task]


class _Execution:
    """One run over one plan."""

    def __init__(self, run: Run, plan: Plan, done: Mapping[str, Output]) -> None:
        self._run = run
        self._plan = plan
        self._queue = ReadyQueue(plan.steps, plan.groups, done)
        self._preparer = Preparer(run, plan, done)
        self._desk = Desk(run, plan)
        self._inbox: Inbox = Inbox()
        self._results: dict[str, StepResult] = {}
        self._ways = {name: self._way(name) for name in sorted({step.address.connection for step in plan.steps})}
        for step in plan.steps:
            if step.id in done:
                made = done[step.id]
                earlier = Landed(made.remote_id, made.revision, made.number)
                self._results[step.id] = result_of(step, Decision(StepOutcome.ALREADY_DONE, landed=earlier))

    def _way(self, name: str) -> _Way:
        sender = self._run.sender(name)
        width = min(sender.books.capabilities.concurrency, self._run.settings.concurrency)
        return _Way(Lane(name, width, self._inbox), sender, deque(), deque())

    # ---- the loop -------------------------------------------------------------------------------------

    def work(self) -> None:
        """Until nothing is in flight and nothing can be started."""
        self._run.stop.wakes(partial(self._inbox.put, None))
        try:
            while True:
                self._start()
                if not any(way.lane.busy for way in self._ways.values()):
                    break
                self._absorb(self._inbox.get())
                while (more := self._waiting()) is not None:
                    self._absorb(more)
        finally:
            self._run.stop.wakes(None)
        self._leave_off()

    def _waiting(self) -> Finished | None:
        while True:
            try:
                message = self._inbox.get_nowait()
            except Empty:
                return None
            if message is not None:
                return message
            self._check_stop()

    def _check_stop(self) -> None:
        if self._run.stop.at_once:
            raise KeyboardInterrupt

    def _absorb(self, message: Finished | None) -> None:
        """Take in one result; nothing is durable before `_start` commits."""
        self._check_stop()
        if message is None:
            return
        if message.error is not None:
            raise message.error
        way = self._ways[message.lane]
        way.lane.returned()
        match message.result:
            case _Looked(pairs):
                way.looking = False
                for task, sighting in pairs:
                    task.looked = True
                    self._decided(task, before_sending(task, sighting, self._run.journal.mirror))
            case _Sent(answers):
                self._answered(way, answers)
            case _Rested(tasks):
                way.to_send.extend(tasks)

    def _answered(self, way: _Way, answers: list[Answer]) -> None:
        atomic = way.sender.books.capabilities.batch_atomic
        if atomic and len(answers) > 1 and all(isinstance(answer.outcome, Rejected) for answer in answers):
            for answer in answers:
                answer.task.alone = True
                way.to_send.append(answer.task)
            return
        resting: list[tuple[Task, int]] = []
        for answer in answers:
            decision = after_sending(answer, self._run.journal.mirror, self._run.settings)
            if decision.outcome is None and decision.pause:
                resting.append((answer.task, decision.pause))
            else:
                self._decided(answer.task, decision)
        if resting:
            pause = max(seconds for _, seconds in resting)
            way.sender.pace.hold(pause)
            way.lane.submit(partial(self._rest, [task for task, _ in resting], pause))

    def _rest(self, tasks: list[Task], seconds: int) -> _Rested:
        """Wait in a worker, in slices, so that a stop is noticed."""
        for _ in range(seconds):
            if self._run.stop.stopping:
                break
            self._run.clock.sleep(1)
        return _Rested(tasks)

    def close(self, *, wait: bool) -> None:
        """End the workers; when they are not waited for, what they come back with is not written."""
        if not wait:
            self._run.journal.end()
        for way in self._ways.values():
            way.lane.close(wait=wait)

    # ---- deciding -------------------------------------------------------------------------------------

    def _decided(self, task: Task, decision: Decision) -> None:
        if decision.outcome is None:
            self._ways[task.books.name].to_send.append(task)
            return
        self._desk.close(task, decision)
        if decision.outcome in GOOD:
            assert decision.landed is not None
            landed = decision.landed
            self._preparer.done(task.step, Output(landed.remote_id, landed.revision, landed.number))
        self._end(task.step, decision)

    def _end(self, step: Step, decision: Decision) -> None:
        self._results[step.id] = result_of(step, decision)
        if decision.outcome in GOOD:
            self._queue.succeed(step.id)
        else:
            unknown = decision.outcome is StepOutcome.UNKNOWN
            for held, cause in self._queue.fail(step.id, unknown=unknown):
                waits = f"waits for {cause.id}, which is {self._results[cause.id].outcome}"
                self._results[held.id] = result_of(held, Decision(StepOutcome.HELD, message=waits, command=APPLY))
        self._run.events.progress(len(self._results), len(self._plan.steps), step.description)

    # ---- starting -------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Commit what was decided together with the intents of what goes next, then hand that out."""
        sends: list[tuple[_Way, list[Task]]] = []
        if not self._run.stop.stopping:
            for way in self._ways.values():
                sends.extend((way, batch) for batch in self._next(way))
        shared = [(way, batch) for way, batch in sends if self._may_share(batch)]
        for _, batch in shared:
            self._desk.open(batch)
        self._desk.commit()
        self._hand_out(shared)
        for way, batch in sends:
            if not self._may_share(batch):
                self._desk.open(batch)
                self._desk.commit()
                self._hand_out([(way, batch)])

    @staticmethod
    def _may_share(batch: Sequence[Task]) -> bool:
        return all(task.support.deduplication.enforced for task in batch)

    def _hand_out(self, sends: list[tuple[_Way, list[Task]]]) -> None:
        for way, batch in sends:
            way.lane.submit(partial(_send, way.sender, batch))

    def _next(self, way: _Way) -> list[list[Task]]:
        """What this connection's free places are given: a look ahead, and sends."""
        room = max(way.batch_size * way.lane.free, self._run.settings.look_ahead)
        while way.lane.free and len(way.to_look) + len(way.to_send) < room:
            steps = self._queue.take(way.lane.name, room - len(way.to_look) - len(way.to_send))
            if not steps:
                break
            for step in steps:
                self._admit(way, step)
        free = way.lane.free
        if free and way.to_look and not way.looking and len(way.to_send) < way.batch_size * free:
            tasks = list(way.to_look)
            way.to_look.clear()
            way.looking = True
            way.lane.submit(partial(_look, way.sender, tasks))
            free -= 1
        batches: list[list[Task]] = []
        while len(batches) < free and way.to_send and self._worth_sending(way):
            batches.append(self._batch(way))
        return batches

    @staticmethod
    def _worth_sending(way: _Way) -> bool:
        """A batch is sent full, unless nothing more is about to join it."""
        return len(way.to_send) >= way.batch_size or not way.looking or way.batch_size == 1

    def _admit(self, way: _Way, step: Step) -> None:
        prepared = self._preparer.prepare(step)
        if isinstance(prepared, Decision):
            self._end(step, prepared)
            return
        task = prepared.task
        self._desk.supersede(task, prepared.supersedes)
        (way.to_look if needs_look(task) else way.to_send).append(task)

    @staticmethod
    def _batch(way: _Way) -> list[Task]:
        first = way.to_send.popleft()
        batch = [first]
        if not _batchable(first):
            return batch
        passed: list[Task] = []
        while way.to_send and len(batch) < way.batch_size:
            task = way.to_send.popleft()
            (batch if _batchable(task) else passed).append(task)
        way.to_send.extendleft(reversed(passed))
        return batch

    # ---- the end --------------------------------------------------------------------------------------

    def _leave_off(self) -> None:
        """Close what was prepared and is not going to be sent, and name what was never started."""
        for way in self._ways.values():
            for task in (*way.to_look, *way.to_send):
                self._desk.leave(task)
        self._desk.commit()
        for step in self._plan.steps:
            if step.id not in self._results:
                message = "the run was stopped first" if self._run.stop.stopping else "it never became ready"
                decision = Decision(StepOutcome.NOT_STARTED, message=message, command=APPLY)
                self._results[step.id] = result_of(step, self._desk.left.get(step.id, decision))

    def report(self) -> list[StepResult]:
        return [self._results[step.id] for step in self._plan.steps]


def _batchable(task: Task) -> bool:
    return not task.alone and not task.draft_id and task.books.capabilities.may_batch(task.support)


def _look(sender: Sender, tasks: list[Task]) -> _Looked:
    return _Looked(sender.look(tasks))


def _send(sender: Sender, tasks: list[Task]) -> _Sent:
    return _Sent(sender.send(tasks))

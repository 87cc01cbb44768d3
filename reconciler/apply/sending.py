"""Sending one request, or a batch, and hearing it out: stages, polling, reading back, looking when in doubt.

Runs in a connection's worker threads. It reports what was answered; what that means is decided elsewhere.
Nothing is sent unless the lease outlasts the request and the intent is still young enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from reconciler.apply.books import Books, Sighting, look_up, read_if_possible
from reconciler.apply.deciding import indeterminate, judged
from reconciler.apply.journal import ACCEPTED, Journal
from reconciler.apply.judging import Verdict, judge
from reconciler.apply.leasing import LeaseKeeper
from reconciler.apply.pacing import Pace
from reconciler.apply.report import Events
from reconciler.apply.settings import ApplySettings
from reconciler.apply.tasks import Answer, Overdue, Task
from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import StateError
from reconciler.kernel.identity import request_key
from reconciler.providers.capabilities import Verb
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.operations import Post, subject
from reconciler.providers.protocol import Accepted, Done, ExecuteRequest, Observed, Outcome, RequestKey

_IN_DOUBT = (Indeterminate, AlreadyExists)
_REFUSALS = (Rejected, Stale)


@dataclass(slots=True)
class StageRecorder:
    """`Progress` for providers: durable before the next call. Remembers when the run may not go on."""

    sender: Sender
    step_of: Mapping[RequestKey, str]
    broken: BaseException | None = None

    def record(self, key: RequestKey, stage: str, data: Mapping[str, str]) -> None:
        sender = self.sender
        try:
            sender.keeper.ensure(sender.reach)
            sender.journal.record_stage(key, stage, data, sender.reach)
            sender.events.boundary(f"stage:{stage}", self.step_of.get(key, ""))
            sender.pace.take()
            sender.keeper.ensure(sender.reach)
        except BaseException as error:
            self.broken = error
            raise

    def check(self) -> None:
        """Raise what stopped the run, even if the provider swallowed it."""
        if self.broken is not None:
            raise self.broken


@dataclass(frozen=True, slots=True)
class Sender:
    """One connection's way out. Thread-safe."""

    books: Books
    journal: Journal
    keeper: LeaseKeeper
    pace: Pace
    clock: Clock
    events: Events
    settings: ApplySettings

    @property
    def reach(self) -> int:
        return self.settings.reach(self.books.capabilities)

    # ---- looking --------------------------------------------------------------------------------------

    def look(self, tasks: Sequence[Task]) -> list[tuple[Task, Sighting]]:
        """What the ERP has of each task's operation now."""
        self.pace.take()
        sightings = look_up(self.books, [task.probe() for task in tasks], self.clock)
        return list(zip(tasks, sightings, strict=True))

    # ---- sending --------------------------------------------------------------------------------------

    def send(self, tasks: Sequence[Task]) -> list[Answer]:
        """Send one task, or several as a batch; their intents are durable."""
        self.pace.take()
        if any(self.clock.monotonic() > task.deadline for task in tasks):
            return [Answer(task, Overdue("not started in time after its intent")) for task in tasks]
        self.keeper.ensure(self.reach)
        progress = StageRecorder(self, {task.key: task.step.id for task in tasks})
        self.events.boundary("before_send", tasks[0].step.id)
        if len(tasks) == 1:
            outcomes: Mapping[RequestKey, Outcome] = {tasks[0].key: self._execute(tasks[0], progress)}
        else:
            outcomes = self._execute_batch(tasks, progress)
        progress.check()
        self.events.boundary("after_send", tasks[0].step.id)
        for task in tasks:
            if not task.draft_id and isinstance(outcomes.get(task.key), ProviderError):
                task.stages = self.journal.stages(task.key)  # what is done already is not done again
        heard = [Answer(task, self._heard_out(task, outcomes.get(task.key), progress)) for task in tasks]
        return self._with_readings(self._looked_after(heard, progress))

    def _execute(self, task: Task, progress: StageRecorder) -> Outcome:
        if task.draft_id:
            return self._guarded(lambda: self.books.provider.execute(self._finishing(task), progress))
        return self._guarded(lambda: self.books.provider.execute(self._request(task), progress))

    def _execute_batch(self, tasks: Sequence[Task], progress: StageRecorder) -> Mapping[RequestKey, Outcome]:
        try:
            return dict(self.books.provider.execute_batch([task.request() for task in tasks], progress))
        except ProviderError as error:
            return {task.key: error for task in tasks}
        except StateError:
            raise
        except Exception as error:
            return {task.key: indeterminate(error) for task in tasks}

    def _guarded(self, call: Callable[[], Outcome]) -> Outcome:
        """The provider's word; whatever else it raises may have happened after the send."""
        try:
            return call()
        except ProviderError as error:
            return error
        except StateError:
            raise
        except Exception as error:
            return indeterminate(error)

    def _request(self, task: Task) -> ExecuteRequest:
        """A task's request; what was accepted for later under it before comes with its handle, to be polled."""
        request = task.request()
        handle = self.journal.handle(task.key) if task.unsettled else None
        if handle is None:
            return request
        return replace(request, stages=(*request.stages, (ACCEPTED, {"handle": handle})))

    def _finishing(self, task: Task) -> ExecuteRequest:
        """The request that posts what a create left as a draft, under a key of its own."""
        step = task.step
        key = request_key(step.document_id, f"{step.operation_key}/post", task.attempt)
        return replace(task.request(), key=key, operation=Post(task.kind, task.draft_id), revision="", stages=())

    # ---- hearing it out -------------------------------------------------------------------------------

    def _heard_out(self, task: Task, outcome: Outcome | None, progress: StageRecorder) -> Done | ProviderError:
        """The end of what was accepted for later; no word at all is indeterminate."""
        if outcome is None:
            return Indeterminate("the answer does not mention it")
        if not isinstance(outcome, Accepted):
            return outcome
        if task.draft_id:
            return Indeterminate("posting the draft was accepted for later")
        progress.record(task.key, ACCEPTED, {"handle": outcome.handle})
        return self.poll(outcome)

    def poll(self, accepted: Accepted) -> Done | ProviderError:
        """Ask until there is an end, or the deadline has passed. A failed poll says nothing of the request."""
        deadline = self.clock.monotonic() + self.settings.poll_deadline
        current = accepted
        while self.clock.monotonic() < deadline:
            self.clock.sleep(max(1, current.poll_after_seconds))
            self.pace.take()
            self.keeper.ensure(self.settings.slack(self.books.capabilities))
            outcome = self._guarded(partial(self.books.provider.poll, current.handle))
            if isinstance(outcome, Accepted):
                current = outcome
            elif isinstance(outcome, Indeterminate) and outcome.final:
                return outcome
            elif isinstance(outcome, (Unavailable, Indeterminate)):
                self.clock.sleep(self.settings.pause(1, outcome.retry_after))
            else:
                return outcome
        return Indeterminate("accepted, and not finished in time")

    def _looked_after(self, answers: list[Answer], progress: StageRecorder) -> list[Answer]:
        """Answers that settle nothing, with a look at once; a draft left half-way is finished."""
        doubted = [answer.task for answer in answers if _doubtful(answer) and answer.task.searchable]
        if not doubted:
            return answers
        sightings = {task.key: sighting for task, sighting in self.look(doubted)}
        return [
            self._finish_draft(replace(answer, sighting=sightings[answer.task.key]), progress)
            if answer.task.key in sightings
            else answer
            for answer in answers
        ]

    def _finish_draft(self, answer: Answer, progress: StageRecorder) -> Answer:
        task = answer.task
        if task.draft_id or answer.sighting is None or judged(task, answer.sighting).verdict is not Verdict.DRAFT:
            return answer
        done = self.finish(task, answer.sighting, progress)
        return Answer(task, done) if isinstance(done, Done) else answer

    def finish(self, task: Task, sighting: Sighting, progress: StageRecorder) -> Outcome | None:
        """Finish what a create left as a draft: by its own recorded stages, else by a post. None: no way to."""
        observed = sighting.observed
        stages = self.journal.stages(task.key)
        goes_on = bool(stages) or task.kind_capabilities.resumes
        if observed is None or not (goes_on or task.kind_capabilities.can(Verb.POST)):
            return None
        self.pace.take()
        self.keeper.ensure(self.reach)
        self.events.boundary("before_send", task.step.id)
        task.draft_id = "" if goes_on else observed.remote_id
        task.stages = stages
        outcome = self._heard_out(task, self._execute(task, progress), progress)
        progress.check()
        self.events.boundary("after_send", task.step.id)
        return replace(outcome, remote_id=observed.remote_id) if isinstance(outcome, Done) else outcome

    # ---- reading back ---------------------------------------------------------------------------------

    def _with_readings(self, answers: list[Answer]) -> list[Answer]:
        """Done answers with the record as it now is: the ERP's own word, else read once.

        Where readings lag, all are read when the run ends (`reading_back`).
        """
        ready: dict[str, Observed] = {}
        unread: dict[str, tuple[str, str]] = {}
        for answer in answers:
            if isinstance(answer.outcome, Done) and answer.task.verb is not Verb.DELETE:
                if answer.outcome.observed is not None and self._shows(answer.task, answer.outcome.observed):
                    ready[answer.task.key] = answer.outcome.observed
                else:
                    kind, remote_id = subject(answer.task.step.operation)
                    unread[answer.task.key] = (kind, remote_id or answer.outcome.remote_id)
        if unread and not self.books.capabilities.reads_lag:
            self.pace.take()
            live = read_if_possible(self.books, unread.values())
            ready.update({key: live[place] for key, place in unread.items() if place in live})
        return [self._read(answer, ready.get(answer.task.key)) for answer in answers]

    def _read(self, answer: Answer, observed: Observed | None) -> Answer:
        if observed is None or not self._shows(answer.task, observed):
            return answer
        return replace(answer, observed=observed)

    def _shows(self, task: Task, observed: Observed) -> bool:
        """Whether a reading is at least as new as the write; a stale one must not be recorded."""
        verdict = judge(task.step.operation, observed).verdict
        return verdict is Verdict.DONE or (task.creates and verdict is Verdict.OTHER)


def _doubtful(answer: Answer) -> bool:
    doubts = (*_IN_DOUBT, *_REFUSALS) if answer.task.unsettled else _IN_DOUBT
    return isinstance(answer.outcome, doubts)

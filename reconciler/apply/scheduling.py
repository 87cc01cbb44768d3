"""Which steps may go now: a ready queue over the plan's own graph. Knows no provider and keeps no time.

A step that did not succeed holds what depends on it, and what depends on that; the rest goes on. The members
of a correction follow one another, whatever else they depend on. Steps on one document go one at a time in
plan order, for the sake of its revision; there an earlier one need only have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush

from reconciler.plan.model import Group, Step


class ReadyQueue:
    """Steps by what they wait for. Not thread-safe: the run's own thread asks it."""

    def __init__(self, steps: Sequence[Step], groups: Iterable[Group], done: Iterable[str] = ()) -> None:
        self._steps = {step.id: step for step in steps}
        self._order = {step.id: position for position, step in enumerate(steps)}
        self._ready: dict[str, list[int]] = {}
        self._by_position = list(steps)
        self._dependents: dict[str, list[str]] = {}
        self._next_on_document: dict[str, str] = {}
        self._previous_on_document: dict[str, str] = {}
        self._ended: set[str] = set()
        self._passed: set[str | None] = {None}
        self._missing: dict[str, int] = {}
        self._open: dict[str, Step] = {}
        finished = set(done)
        before = _predecessors(groups)
        last_on: dict[str, str] = {}
        for step in steps:
            if step.id in finished:
                continue
            waits = {one for one in step.depends_on if one in self._steps} | before.get(step.id, set())
            waits -= finished
            self._open[step.id] = step
            self._missing[step.id] = len(waits)
            for one in waits:
                self._dependents.setdefault(one, []).append(step.id)
            earlier = last_on.get(step.document_id)
            last_on[step.document_id] = step.id
            if earlier is not None:
                self._next_on_document[earlier] = step.id
                self._previous_on_document[step.id] = earlier
                self._missing[step.id] += 1
            if not self._missing[step.id]:
                self._push(step)

    def _push(self, step: Step) -> None:
        heappush(self._ready.setdefault(step.address.connection, []), self._order[step.id])

    def take(self, connection: str, limit: int) -> list[Step]:
        """Up to `limit` steps that may go now, in plan order; each is handed out once."""
        heap = self._ready.get(connection, [])
        taken: list[Step] = []
        while heap and len(taken) < limit:
            step = self._by_position[heappop(heap)]
            if step.id in self._open:
                taken.append(step)
        return taken

    def succeed(self, step_id: str) -> None:
        """A step is done: what waited for it alone may go."""
        self._open.pop(step_id, None)
        for dependent in self._dependents.get(step_id, ()):
            self._free(dependent)
        self._pass_on(step_id)

    def _pass_on(self, step_id: str) -> None:
        """A step has ended: the next on its document may go, once everything before it there has ended too."""
        self._ended.add(step_id)
        current: str | None = step_id
        while current in self._ended and self._previous_on_document.get(current) in self._passed:
            self._passed.add(current)
            following = self._next_on_document.get(current)
            if following is not None:
                self._free(following)
            current = following

    def _free(self, step_id: str) -> None:
        self._missing[step_id] -= 1
        if self._missing[step_id] == 0 and step_id in self._open:
            self._push(self._open[step_id])

    def fail(self, step_id: str, *, unknown: bool = False) -> list[tuple[Step, Step]]:
        """A step ended otherwise: (step held now, the step it waited for), transitively, in plan order.

        While its outcome is `unknown`, later steps on its document are held as well.
        """
        self._open.pop(step_id, None)
        held: list[tuple[Step, Step]] = []
        front = [step_id]
        while front:
            cause = front.pop()
            waiting = list(self._dependents.get(cause, ()))
            if unknown and cause == step_id:
                waiting.extend(self._later_on_document(step_id))
            for dependent in waiting:
                step = self._open.pop(dependent, None)
                if step is not None:
                    held.append((step, self._steps[cause]))
                    front.append(step.id)
        for ended in (step.id for step, _ in held):
            self._pass_on(ended)
        if not unknown:
            self._pass_on(step_id)
        return sorted(held, key=lambda pair: self._order[pair[0].id])

    def _later_on_document(self, step_id: str) -> Iterator[str]:
        following = self._next_on_document.get(step_id)
        while following is not None:
            yield following
            following = self._next_on_document.get(following)

    def left(self) -> list[Step]:
        """Steps with no end yet, in plan order."""
        return list(self._open.values())


def _predecessors(groups: Iterable[Group]) -> dict[str, set[str]]:
    before: dict[str, set[str]] = {}
    for group in groups:
        for earlier, later in zip(group.steps, group.steps[1:], strict=False):
            before.setdefault(later, set()).add(earlier)
    return before

"""The order of steps: dependencies, strictly dated series, and a stable tie-break."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from reconciler.kernel.address import Address
from reconciler.plan.model import Step
from reconciler.resources.kinds import rank

Dated = Mapping[str, list[tuple[date, Address, str, str]]]


def with_series(steps: Mapping[str, Step], dated: Dated) -> dict[str, Step]:
    """Each post of a strictly dated series depends on the one before it, by (date, address)."""
    ordered = dict(steps)
    for series, posts in dated.items():
        if not series:
            continue
        previous: str | None = None
        for *_, step_id in sorted(posts):
            if step_id not in ordered:
                continue
            step = ordered[step_id]
            if previous is not None and previous not in step.depends_on:
                ordered[step_id] = replace(step, depends_on=tuple(sorted({*step.depends_on, previous})))
            previous = step_id
    return ordered


def _key(step: Step) -> tuple[object, ...]:
    return (rank(step.address.kind), step.address, step.id)


def in_dependency_order(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    """Topological, smallest (kind, address, id) first among the ready. Raises AssertionError on a cycle."""
    waiting = {step.id: sum(1 for need in step.depends_on if need in steps) for step in steps.values()}
    dependents: dict[str, list[str]] = {}
    for step in steps.values():
        for need in step.depends_on:
            dependents.setdefault(need, []).append(step.id)
    ready = [(_key(steps[name]), name) for name, count in waiting.items() if count == 0]
    heapq.heapify(ready)
    ordered: list[Step] = []
    while ready:
        _, name = heapq.heappop(ready)
        ordered.append(steps[name])
        for follower in dependents.get(name, ()):
            if follower in waiting:
                waiting[follower] -= 1
                if waiting[follower] == 0:
                    heapq.heappush(ready, (_key(steps[follower]), follower))
    if len(ordered) != len(steps):
        stuck = sorted(set(steps) - {step.id for step in ordered})
        raise AssertionError(f"steps depend on one another in a circle: {', '.join(stuck[:5])}")
    return tuple(ordered)

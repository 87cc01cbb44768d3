"""Graphs of things that refer to one another: cycles named in full, and what hangs on what.

Built on graphlib. It knows addresses no more than any other hashable, sortable node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Hashable)


def cycles(edges: Mapping[Node, Collection[Node]], limit: int = 20) -> list[tuple[Node, ...]]:
    """Cycles among `edges` (node → what it refers to), each once, from its smallest node; `limit` at most.

    After a cycle is found its first edge is taken as cut, and the search goes on.
    """
    left: dict[Node, set[Node]] = {node: set(targets) for node, targets in edges.items()}
    found: list[tuple[Node, ...]] = []
    while len(found) < limit:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            # graphlib names each node before the one that refers to it, the first again at the end
            ring: list[Node] = list(reversed(error.args[1]))[:-1]
            start = ring.index(min(ring, key=_order))
            cycle = (*ring[start:], *ring[:start])
            left[cycle[0]].discard(cycle[1 % len(cycle)])
            found.append(cycle)
        else:
            break
    return sorted(found, key=lambda cycle: [_order(node) for node in cycle])


def _order(node: Any) -> Any:
    return node


def dependents(edges: Mapping[Node, Iterable[Node]], starts: Iterable[Node]) -> set[Node]:
    """Everything that refers to one of `starts`, directly or through others; without the starts themselves."""
    referring: dict[Node, list[Node]] = defaultdict(list)
    for node, targets in edges.items():
        for target in targets:
            referring[target].append(node)
    return _reach(referring, starts)


def dependencies(edges: Mapping[Node, Iterable[Node]], starts: Iterable[Node]) -> set[Node]:
    """Everything `starts` refer to, directly or through others; without the starts themselves."""
    return _reach(edges, starts)


def _reach(edges: Mapping[Node, Iterable[Node]], starts: Iterable[Node]) -> set[Node]:
    beginnings = set(starts)
    reached: set[Node] = set()
    waiting = list(beginnings)
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached - beginnings

"""Cycles are all found and named from their smallest node; reach goes both ways."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.graph import cycles, dependencies, dependents

GRAPHS = st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=3), max_size=8)


def test_cycles_are_named_in_full():
    assert cycles({"b": ["c"], "c": ["a"], "a": ["b"], "d": ["d"], "e": ["a"]}) == [("a", "b", "c"), ("d",)]
    assert cycles({"a": ["b"], "b": []}) == []


@given(GRAPHS)
def test_a_cycle_is_made_of_edges_and_begins_with_its_smallest(graph):
    found = cycles(graph)
    for cycle in found:
        assert cycle[0] == min(cycle)
        for node, following in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
            assert following in graph[node]
    on_a_cycle = {node for node in graph if node in dependencies({**graph, -1: graph[node]}, [-1])}
    assert bool(found) is bool(on_a_cycle)


@given(GRAPHS, st.integers(0, 8))
def test_dependents_are_those_that_depend(graph, start):
    for node in dependents(graph, [start]):
        assert start in dependencies(graph, [node]) or node == start
    for node in dependencies(graph, [start]):
        assert start in dependents(graph, [node])


def test_the_starts_are_not_among_what_hangs_on_them():
    graph = {"payment": ["invoice"], "invoice": ["customer"]}
    assert dependents(graph, ["customer"]) == {"invoice", "payment"}
    assert dependencies(graph, ["payment"]) == {"invoice", "customer"}

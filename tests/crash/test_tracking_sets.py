"""Tracking sets through crashes and lost answers: one of each combination, however often an apply dies; lines are
posted under the combination they declare, and nothing is left to do or missed in the manifests."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.resources.tracking import combination
from reconciler.testing.faults import FaultKind, FaultSchedule
from reconciler.testing.machine_people import Author
from reconciler.testing.machine_world import Lived, Variant, World
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest, plan

REGIONS, BRANCHES = ("North", "South"), ("A1", "B2")
NORTH = {"region": "North", "branch": "A1"}
COMBINATIONS = [
    *({"region": region} for region in REGIONS),
    *({"region": region, "branch": branch} for region in REGIONS for branch in BRANCHES),
]
_FAULTS = (FaultKind.LOST_RESPONSE, FaultKind.LOST_REQUEST, FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)


def furnished(folder: Path, klass: DeduplicationClass = DeduplicationClass.A) -> tuple[World, Author]:
    world = World(folder, Variant(klass, resend=True, tracking_sets=True))
    author = Author(world)
    author.put("tracking_categories", "region", {"values": list(REGIONS)})
    author.put("tracking_categories", "branch", {"values": list(BRANCHES)})
    author.put("customers", "acme", {"name": "Acme", "currency": "USD"})
    assert apply(world, author).value.report.exit_code is ExitCode.OK
    return world, author


def sell(author: Author, name: str, tracking: dict[str, str]) -> None:
    line = {"description": "work", "account": "4000", "unit_price": "10.00", "tracking": tracking}
    author.put("invoices", name, {"customer": "acme", "issue_date": "2026-11-10", "lines": [line]})


def apply(world: World, author: Author, die_at: int = 0, faults: FaultSchedule | None = None) -> Lived:
    return world.live(
        lambda s, a: apply_now(s, author.declaration, PlanRequest(), lambda _: True, a),
        die_at=die_at,
        faults=faults,
    )


def settled(world: World, author: Author) -> None:
    """Undisturbed applies come to an end; then a plan has nothing to do."""
    for _ in range(4):
        world.clock.advance(1000)
        lived = apply(world, author)
        if lived.error is None and lived.value.report.exit_code is ExitCode.OK:
            break
    made = world.live(lambda s, _: plan(s, author.declaration, PlanRequest())).value
    assert not made.has_changes, [f"{change.action} {change.address}: {change.detail}" for change in made.changes]
    assert not made.gone


def combined(world: World) -> Counter[Any]:
    """The live sets by the names of what they combine."""
    names = {row.id: row.name for row in world.ledger.all_records(("tracking_category",)).values()}
    sets = world.ledger.all_records(("tracking_set",)).values()
    return Counter(
        combination({names[key] or "": value for key, value in json.loads(row.body)["tracking"].items()})
        for row in sets
    )


def tracked(world: World) -> dict[str, Any]:
    """By number: what each invoice's one line is tracked by."""
    names = {row.id: row.name for row in world.ledger.all_records(("tracking_category",)).values()}
    found = {}
    for row in world.ledger.all_records(("invoice",)).values():
        assert row.number not in found, row
        line = json.loads(row.body)["lines"][0]
        found[row.number] = combination({names[key] or "": value for key, value in line["tracking"].items()})
    return found


@pytest.mark.parametrize("die_at", range(1, 20))
def test_dying_anywhere_makes_each_set_once(tmp_path: Path, die_at: int) -> None:
    world, author = furnished(tmp_path)
    author.put("tracking_sets", "SOUTH", {"tracking": {"region": "South"}})
    sell(author, "INV-1", NORTH)
    sell(author, "INV-2", {"region": "South"})
    lived = apply(world, author, die_at)
    assert lived.crashed or len(lived.passed) < die_at
    settled(world, author)
    assert combined(world) == {combination(NORTH): 1, combination({"region": "South"}): 1}
    assert tracked(world) == {"INV-1": combination(NORTH), "INV-2": combination({"region": "South"})}
    world.close()


@pytest.mark.parametrize("declared", [False, True])
def test_a_correction_whose_set_was_refused_is_finished_once_it_is_made(tmp_path: Path, declared: bool) -> None:
    world, author = furnished(tmp_path)
    sell(author, "INV-1", {"region": "South"})
    assert apply(world, author).error is None
    sell(author, "INV-1", NORTH)
    if declared:
        author.put("tracking_sets", "N", {"tracking": NORTH})
    request = PlanRequest(allows=("credit_and_reissue:invoice.INV-1",), reason="wrong region")
    refusing = FaultSchedule.of(("create", 1, FaultKind.REJECTED))
    world.live(lambda s, a: apply_now(s, author.declaration, request, lambda _: True, a), faults=refusing)
    assert combined(world)[combination(NORTH)] == 0
    assert world.view is not None
    assert [group.next_member for group in world.view.groups] == [2]
    settled(world, author)
    assert combined(world)[combination(NORTH)] == 1
    assert not world.view.groups
    assert set(tracked(world).values()) == {combination({"region": "South"}), combination(NORTH)}
    world.close()


_EDIT = st.one_of(
    st.tuples(st.just("sell"), st.integers(1, 4), st.sampled_from(COMBINATIONS)),
    st.tuples(st.just("declare"), st.just(0), st.sampled_from(COMBINATIONS)),
    st.tuples(st.just("undeclare"), st.just(0), st.sampled_from(COMBINATIONS)),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    edits=st.lists(st.tuples(_EDIT, st.integers(0, 25), st.integers(0, 1000)), min_size=1, max_size=6),
    klass=st.sampled_from([DeduplicationClass.A, DeduplicationClass.B, DeduplicationClass.C]),
)
def test_each_combination_is_made_once_whatever_happens(edits: list[Any], klass: DeduplicationClass) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world, author = furnished(Path(folder), klass)
        wanted: dict[str, Any] = {}
        for (what, number, tracking), die_at, seed in edits:
            name = "-".join(value for _, value in sorted(tracking.items()))  # as it is implied
            if what == "sell" and f"INV-{number}" not in wanted:
                sell(author, f"INV-{number}", tracking)
                wanted[f"INV-{number}"] = combination(tracking)
            elif what == "declare":
                author.put("tracking_sets", name, {"tracking": tracking})
            elif what == "undeclare" and author.has("tracking_sets", name):
                author.drop("tracking_sets", name, "forget")
            chances = {str(kind): 60 for kind in _FAULTS}
            apply(world, author, die_at, FaultSchedule.seeded(seed, chances, seconds=30))
            world.clock.advance(100)
        settled(world, author)
        assert tracked(world) == wanted
        assert set(combined(world).values()) <= {1}
        assert set(wanted.values()) <= set(combined(world))
        world.close()

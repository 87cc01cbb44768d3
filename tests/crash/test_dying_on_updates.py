"""Dying at every boundary of an update that sets a field which was not there before; its plan survives a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.plan_file import read_plan, write_plan
from reconciler.testing.machine_people import Author
from reconciler.testing.machine_world import Variant, World
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest, plan

LINES = [{"description": "work", "account": "4000", "unit_price": "10.00"}]


@pytest.fixture
def billed(tmp_path: Path):
    world = World(tmp_path, Variant())
    author = Author(world)
    author.put("customers", "acme", {"name": "Acme", "currency": "USD"})
    author.put("invoices", "INV-1", {"customer": "acme", "issue_date": "2026-11-10", "lines": LINES})
    apply(world, author)
    author.amend("invoices", "INV-1", due_date="2026-12-24")
    yield world, author
    world.close()


def apply(world: World, author: Author, die_at: int = 0):
    return world.live(
        lambda s, a: apply_now(s, author.declaration, PlanRequest(), lambda _: True, a), die_at=die_at
    )


@pytest.mark.parametrize("die_at", range(1, 12))
def test_dying_anywhere_is_recovered_from(billed: tuple[World, Author], die_at: int) -> None:
    world, author = billed
    lived = apply(world, author, die_at)
    assert lived.crashed or len(lived.passed) < die_at
    world.clock.advance(1000)
    again = apply(world, author)
    assert again.error is None
    assert again.value.report.exit_code is ExitCode.OK
    [record] = world.ledger.all_records(("invoice",)).values()
    assert '"due_date":"2026-12-24"' in record.body


def test_its_plan_survives_a_file(billed: tuple[World, Author], tmp_path: Path) -> None:
    world, author = billed
    made = world.live(lambda s, _: plan(s, author.declaration, PlanRequest())).value
    write_plan(made, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == made

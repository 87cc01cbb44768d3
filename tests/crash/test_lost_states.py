"""A state that is lost while something is still under way: what lands late is not made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass, Numbering
from reconciler.testing import invariants
from reconciler.testing.faults import Fault, FaultKind, FaultSchedule
from reconciler.testing.machine_people import Author
from reconciler.testing.machine_world import Variant, World
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest

A, B, C, D = DeduplicationClass
LATE = Fault(FaultKind.LATE_LANDING, 60)


def apply(world: World, author: Author, faults: FaultSchedule | None = None) -> Any:
    lived = world.live(
        lambda s, a: apply_now(s, author.declaration, PlanRequest(), lambda _: True, a), faults=faults
    )
    assert lived.error is None, lived.error
    return lived.value


@pytest.mark.parametrize("numbering", [Numbering.OURS_ACCEPTED, Numbering.ASSIGNED])
@pytest.mark.parametrize("klass", [A, B, C])
def test_what_lands_after_the_state_is_lost_is_bound_again(
    tmp_path: Path, klass: DeduplicationClass, numbering: Numbering
) -> None:
    world = World(tmp_path, Variant(klass, numbering, settle=30, resend=True))
    author = Author(world)
    author.put("customers", "acme", {"name": "Acme", "currency": "USD"})
    assert apply(world, author).report.exit_code is ExitCode.OK
    lines = [{"description": "work", "account": "4000", "unit_price": "10.00"}]
    author.put("invoices", "INV-1", {"customer": "acme", "issue_date": "2026-11-10", "lines": lines})
    apply(world, author, FaultSchedule.of(("create", 1, LATE), ("create", 2, LATE), ("create", 3, LATE)))
    world.lose_state(marker_too=False)
    apply(world, author)
    world.clock.advance(1000)
    applied = apply(world, author)
    assert applied.report.exit_code is ExitCode.OK
    assert not invariants.made_once(world.ledger.made, world.ledger.all_records(), ())
    assert len(world.ledger.all_records(("invoice",))) == 1
    world.close()

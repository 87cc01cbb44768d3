"""What lands after a recovery has looked in vain is still found, even when nobody declares it any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.testing.faults import Fault, FaultKind, FaultSchedule
from reconciler.testing.machine_people import Author
from reconciler.testing.machine_world import Variant, World
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest
from reconciler.workflows.recovering import RecoverRequest, recover

LATE = Fault(FaultKind.LATE_LANDING, 60)
LINES = [{"description": "work", "account": "4000", "unit_price": "10.00"}]


def apply(world: World, author: Author, *, die_at: int = 0, faults: FaultSchedule | None = None) -> Any:
    lived = world.live(
        lambda s, a: apply_now(s, author.declaration, PlanRequest(), lambda _: True, a),
        die_at=die_at,
        faults=faults,
    )
    assert lived.error is None, lived.error
    return lived.value


@pytest.fixture
def begun(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """An invoice whose create is on its way when the process dies, and a recovery that looks too early."""
    world = World(tmp_path, Variant(request.param))
    author = Author(world)
    author.put("customers", "acme", {"name": "Acme", "currency": "USD"})
    apply(world, author)
    author.put("invoices", "INV-1", {"customer": "acme", "issue_date": "2026-11-10", "lines": LINES})
    apply(world, author, die_at=6, faults=FaultSchedule.of(("create", 1, LATE)))
    world.unlock()
    report = world.live(lambda s, a: recover(s, RecoverRequest(), a)).value
    assert [str(result.outcome) for result in report.recovered] == ["did not happen"]
    yield world, author
    world.close()


@pytest.mark.parametrize("begun", [DeduplicationClass.A, DeduplicationClass.B], indirect=True)
def test_what_is_no_longer_declared_is_found_when_it_lands(begun: Any) -> None:
    world, author = begun
    author.drop("invoices", "INV-1")
    assert apply(world, author).report.exit_code is ExitCode.OK
    assert world.view.unsettled
    world.clock.advance(1000)
    applied = apply(world, author)
    assert not world.view.unsettled
    [record] = world.ledger.all_records(("invoice",)).values()
    assert record.id in {row.remote_id for row in world.view.documents.values()}
    assert [address.name for address in applied.plan.gone] == ["INV-1"]


@pytest.mark.parametrize("begun", [DeduplicationClass.A, DeduplicationClass.B], indirect=True)
def test_what_is_still_declared_is_sent_again_at_once(begun: Any) -> None:
    world, author = begun
    applied = apply(world, author)
    assert applied.report.exit_code is ExitCode.OK
    assert not world.view.unsettled
    world.clock.advance(1000)
    assert not apply(world, author).plan.has_changes
    assert len(world.ledger.all_records(("invoice",))) == 1

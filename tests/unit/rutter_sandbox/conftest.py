"""A running Rutter sandbox on a clock the test moves, and a caller of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.serving import start
from tests.unit.rutter_sandbox.client import Caller


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Switches by `@pytest.mark.parametrize("caller", [{…}], indirect=True)`. The books must stay sound."""
    yield from _calling(getattr(request, "param", None))


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    """One for a module's tables of refusals, which leave nothing behind."""
    yield from _calling({"per_10s": "0"})


def _calling(switches: dict[str, str] | None) -> Iterator[Caller]:
    clock = ManualClock()
    with start("rutter", switches=switches, clock=clock) as running:
        made = Caller(running, clock)
        yield made
        made.http.close()
        assert check(running.books.ledger) == []

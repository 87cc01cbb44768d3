"""A running AccountsIQ sandbox on a clock the test moves, and a caller of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.serving import start
from tests.unit.accountsiq_sandbox.client import Caller


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Switches by `@pytest.mark.parametrize("caller", [{…}], indirect=True)`. Ends with books that balance."""
    clock = ManualClock()
    with start("accountsiq", switches=getattr(request, "param", None), clock=clock) as running:
        made = Caller(running, clock)
        with made.http:
            made.login()
            yield made
        assert not check(running.books.ledger)

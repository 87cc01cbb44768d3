"""A running gateway on a clock the test moves; at the end of each test its books must be sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.sandboxes.ledger.check import check
from tests.unit.intacct_sandbox.caller import Caller, gateway


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Switches by `@pytest.mark.parametrize("caller", [{…}], indirect=True)`."""
    with gateway(**(getattr(request, "param", None) or {})) as found:
        yield found
        assert check(found.running.books.ledger) == []


@pytest.fixture
def books(caller: Caller) -> Caller:
    """The same with a customer C1."""
    caller.customer()
    return caller

"""What the ledger's client makes of statuses that a gateway before the server may answer."""

from __future__ import annotations

import pytest

from reconciler.providers.errors import Indeterminate, Rejected, Unavailable
from reconciler.providers.ledger.client import _failed


@pytest.mark.parametrize(
    ("status", "writes", "kind"),
    [
        (429, True, Unavailable),
        (503, True, Unavailable),
        (502, True, Indeterminate),
        (502, False, Unavailable),
        (401, True, Rejected),
    ],
)
def test_a_status_is_classed_by_what_is_known_to_have_happened(status: int, writes: bool, kind: type[Exception]):
    assert type(_failed(status, b"<h1>a gateway</h1>", writes)) is kind

"""Books for every test of the ledger; whatever a test did, the invariants must hold afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.ledger.books import TestBooks


@pytest.fixture
def books(tmp_path: Path) -> Iterator[TestBooks]:
    made = TestBooks.open(tmp_path / "books.sqlite")
    yield made
    assert made.ledger.report("check", {}) == []
    made.ledger.close()

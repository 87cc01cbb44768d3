"""The SQLite backend, through the suite that every backend passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.kernel.clock import Clock
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing.state_suite import StateBackendSuite


class TestSqliteState(StateBackendSuite):
    @contextmanager
    def opened(self, place: Path, clock: Clock) -> Iterator[Store]:
        store = open_store(place / "state.sqlite", "project-1", clock).store
        try:
            yield store
        finally:
            store.close()

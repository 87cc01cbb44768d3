"""The store and a model of plain dictionaries agree after any series of commits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings

from reconciler.kernel.clock import ManualClock
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing.state_model import StateMachine


class SqliteMachine(StateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()

    @contextmanager
    def open(self) -> Iterator[Store]:
        store = open_store(Path(self.folder.name) / "state.sqlite", "project-1", self.clock).store
        try:
            yield store
        finally:
            store.close()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


TestStoreAgainstModel = SqliteMachine.TestCase
TestStoreAgainstModel.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)

"""A PostgreSQL store and a model of plain dictionaries agree after any series of commits."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from reconciler.kernel.clock import ManualClock
from reconciler.state.postgres_location import read_location
from reconciler.state.postgres_opening import open_postgres
from reconciler.state.protocol import Store
from reconciler.testing.state_model import StateMachine
from tests.postgres.server import PostgresServer

_NUMBERS = itertools.count()


def test_the_store_and_the_model_agree(postgres_server: PostgresServer) -> None:
    class PostgresMachine(StateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = tempfile.TemporaryDirectory()
            self.clock = ManualClock()
            self.schema = f"machine_{next(_NUMBERS)}"

        @contextmanager
        def open(self) -> Iterator[Store]:
            location = read_location(postgres_server.url(), self.schema)
            marker = Path(self.folder.name) / "state.postgres"
            store = open_postgres(location, "project-1", self.clock, marker, timekeeper=self.clock.now).store
            try:
                yield store
            finally:
                store.close()

        def teardown(self) -> None:
            super().teardown()
            postgres_server.sql(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")
            self.folder.cleanup()

    run_state_machine_as_test(
        PostgresMachine,
        settings=settings(
            max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )

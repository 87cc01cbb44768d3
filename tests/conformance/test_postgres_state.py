"""The PostgreSQL backend, through the suite that every backend passes, on a real server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.kernel.clock import Clock
from reconciler.state.postgres_location import read_location
from reconciler.state.postgres_opening import open_postgres
from reconciler.state.protocol import Store
from reconciler.testing.state_suite import StateBackendSuite
from tests.postgres.server import PostgresServer


class TestPostgresState(StateBackendSuite):
    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> Iterator[None]:
        self.url = postgres_server.url()
        self.schemas: set[str] = set()
        yield
        if self.schemas:
            copies = {f"{name}_v1_backup" for name in self.schemas}
            postgres_server.sql(*(f"DROP SCHEMA IF EXISTS {name} CASCADE" for name in self.schemas | copies))

    @contextmanager
    def opened(self, place: Path, clock: Clock) -> Iterator[Store]:
        schema = f"t_{hashlib.sha256(str(place).encode()).hexdigest()[:16]}"
        self.schemas.add(schema)
        location = read_location(self.url, schema)
        found = open_postgres(location, "project-1", clock, place / "state.postgres", timekeeper=clock.now)
        try:
            yield found.store
        finally:
            found.store.close()

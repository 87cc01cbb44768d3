"""Connections to a hostile server, on a clock that a test owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.secrets import forget_secrets
from reconciler.providers.http import HttpConnection, HttpSettings

Connect = Callable[..., HttpConnection]


class PatientClock(ManualClock):
    """Remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)


@pytest.fixture
def clock() -> PatientClock:
    return PatientClock()


@pytest.fixture
def connect(clock: PatientClock) -> Iterator[Connect]:
    """A connection to a server's `url`; settings by name. A time-out may be a fraction of a second here."""
    opened: list[HttpConnection] = []

    def make(url: str, *, secrets: Any = (), headers: Any = None, **settings: Any) -> HttpConnection:
        seconds = settings.pop("timeout_seconds", 10)
        chosen = HttpSettings(**settings).model_copy(update={"timeout_seconds": seconds})
        connection = HttpConnection(url, chosen, secrets=secrets, headers=headers or {}, clock=clock)
        opened.append(connection)
        return connection

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()

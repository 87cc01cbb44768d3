"""The command line, dying where it is told to: `python -m reconciler.testing.killed_cli ARGUMENTS`.

For tests alone. It is the real program with a watcher at its crash points, and one more point on either side
of each durable commit of the state. Production code has no such hook and reads none of these variables.

RECONCILER_TEST_KILL_AT  `NAME:N`, kill -9 this process at the N-th passing of NAME; NAME `*` is any
RECONCILER_TEST_TRACE    a file that gets a line for each point passed, and one for the death
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

KILL_AT = "RECONCILER_TEST_KILL_AT"
TRACE = "RECONCILER_TEST_TRACE"
DEATH = "killed"


@dataclass(slots=True)
class Reaper:
    """Counts the points passed, notes them, and ends the process at one of them."""

    name: str = ""
    number: int = 0
    trace: int = -1
    _passed: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def from_environment(cls) -> Reaper:
        name, _, number = os.environ.get(KILL_AT, "").rpartition(":")
        path = os.environ.get(TRACE, "")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return cls(name, int(number or 0), os.open(path, flags, 0o600) if path else -1)

    def passes(self, name: str) -> None:
        with self._lock:
            self._passed[name] += 1
            self._passed["*"] += 1
            self._note(name)
            if self.name in (name, "*") and self._passed[self.name] == self.number:
                self._note(DEATH)
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)

    def _note(self, name: str) -> None:
        if self.trace >= 0:
            os.write(self.trace, f"{time.monotonic_ns()} {name}\n".encode())


def install(reaper: Reaper) -> None:
    """Put the reaper where a run announces its crash points, and around the state's commits."""
    from reconciler.cli import runs
    from reconciler.render.progress import ProgressLine
    from reconciler.state.postgres import PostgresBackend
    from reconciler.state.sqlite import SqliteBackend

    class Watched(ProgressLine):
        def boundary(self, name: str, step_id: str = "") -> None:
            reaper.passes(name)

    for backend in (SqliteBackend, PostgresBackend):
        changed: Any = backend
        changed.transaction = _watched(backend.transaction, reaper)
    replaced: Any = runs
    replaced.ProgressLine = Watched


def _watched(committed: Any, reaper: Reaper) -> Any:
    """A backend's transaction with a point on either side of its commit."""

    @contextmanager
    def transaction(self: Any, *, write: bool) -> Iterator[None]:
        with committed(self, write=write):
            yield
            if write:
                reaper.passes("state_uncommitted")
        if write:
            reaper.passes("state_committed")

    return transaction


def main() -> int:
    install(Reaper.from_environment())
    from reconciler.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())

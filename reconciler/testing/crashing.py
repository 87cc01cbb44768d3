"""A process that can die anywhere: the store, the provider and the watcher of one simulated life.

Once a life is dead it writes nothing more, neither to the state nor to the ERP, and gives no lock back. What
it had handed out before stays as it fell. Nothing here decides where to die.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, Progress, RequestKey
from reconciler.state.model import Write
from reconciler.state.protocol import Store
from reconciler.testing.faults import SimulatedCrash


class Dead(BaseException):
    """A dead process tried to go on."""


@dataclass(slots=True)
class Life:
    """One life of the process, seen by a run as its `Events`. `die_at`: the boundary (from 1) it dies at."""

    die_at: int = 0
    alive: bool = True
    passed: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def boundary(self, name: str, step_id: str = "") -> None:
        self.check()
        with self._lock:
            self.passed.append((name, step_id))
            dies = len(self.passed) == self.die_at
        if dies:
            self.die()
            raise SimulatedCrash(name)

    def progress(self, done: int, total: int, text: str) -> None: ...

    def die(self) -> None:
        self.alive = False

    def check(self) -> None:
        if not self.alive:
            raise Dead

    def call(self, act: Callable[[], Any]) -> Any:
        """A call that may itself end this life."""
        self.check()
        try:
            return act()
        except SimulatedCrash:
            self.die()
            raise


class MortalStore:
    """A store as one life sees it."""

    def __init__(self, store: Store, life: Life) -> None:
        self._store = store
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, writes: Sequence[Write], *, fence: int) -> None:
        self._life.check()
        self._store.commit(writes, fence=fence)

    def acquire(self, **how: Any) -> MortalLease:
        self._life.check()
        return MortalLease(self._store.acquire(**how), self._life)


class MortalLease:
    """A lease as one life sees it: a dead one neither renews nor releases it."""

    def __init__(self, lease: Any, life: Life) -> None:
        self._lease = lease
        self._life = life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lease, name)

    def renew(self) -> None:
        self._life.check()
        self._lease.renew()

    def release(self) -> None:
        if self._life.alive:
            self._lease.release()


class MortalProvider:
    """A provider as one life sees it; every request that reaches it is kept in `requests`."""

    def __init__(self, provider: Any, life: Life) -> None:
        self._provider = provider
        self._life = life
        self.requests: list[ExecuteRequest] = []

    def __getattr__(self, name: str) -> Any:
        self._life.check()
        return getattr(self._provider, name)

    def execute(self, request: ExecuteRequest, progress: Progress) -> Outcome:
        self.requests.append(request)
        outcome: Outcome = self._life.call(lambda: self._provider.execute(request, progress))
        return outcome

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        self.requests.extend(requests)
        answers: Mapping[RequestKey, Outcome] = self._life.call(
            lambda: self._provider.execute_batch(requests, progress)
        )
        return answers

    def poll(self, handle: str) -> Done | Outcome:
        answer: Outcome = self._life.call(lambda: self._provider.poll(handle))
        return answer

    def close(self) -> None:
        self._provider.close()


def wait_for_threads(prefixes: Iterable[str]) -> None:
    """Join what a dead run left working: in this process the threads outlive the life they belonged to."""
    names = tuple(prefixes)
    for thread in threading.enumerate():
        if thread.name.startswith(names) and thread is not threading.current_thread():
            thread.join(timeout=10)

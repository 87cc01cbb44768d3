"""The lock on the state: one row, a lease with an expiry and a fence that only ever rises.

Expiry is wall time, because other machines must judge it: the backend's, so that their clocks need not agree.
How long we ourselves may go on is monotonic time.
The fence is compared in the transaction of every commit, by the store.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from datetime import timedelta

from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import FenceLost, StateError, StateLocked
from reconciler.kernel.plain import printable
from reconciler.state import shapes, statements
from reconciler.state.backend import Backend
from reconciler.state.protocol import LockInfo
from reconciler.state.transacting import only_row, transact


def read_lock(backend: Backend) -> tuple[LockInfo | None, int]:
    """The lock, if it is held, and the last fence given out. Inside a transaction."""
    row = only_row(backend, "run_lock", statements.LOCK)
    info = LockInfo(*shapes.LOCK.check(row))
    return (info if info.id else None), info.fence


def check_fence(backend: Backend, fence: int) -> None:
    """Raises FenceLost unless `fence` is the held lock's. Inside the transaction it protects."""
    info, _ = read_lock(backend)
    if info is None or info.fence != fence:
        raise lost(info)


def lost(successor: LockInfo | None) -> FenceLost:
    if successor is None:
        why = "it was released or force-unlocked"
    else:
        why = f"{printable(successor.holder, 200)} took it over at {successor.acquired_at}"
    return FenceLost(
        "this run no longer holds the state's lock",
        why=why,
        hint="Nothing more was written. Run apply again: it settles what was under way first.",
    )


def locked(info: LockInfo) -> StateLocked:
    return StateLocked(
        f"the state is locked by {printable(info.holder, 200)}",
        why=(
            f"It has been running `{printable(info.command, 200)}` since {info.acquired_at}; "
            f"the lock expires at {info.expires_at} unless renewed."
        ),
        hint=f"Wait for it; or, if that run is dead: reconciler force-unlock {info.id}",
    )


def take_lock(backend: Backend, clock: Clock, holder: str, command: str, term_seconds: float) -> HeldLease:
    """Acquire the lock when it is free or expired. Raises StateLocked."""
    deadline = clock.monotonic() + term_seconds
    with transact(backend, write=True):
        now = backend.now(clock)
        held, fence = read_lock(backend)
        if held is not None and held.expires_at > instant_text(now):
            raise locked(held)
        info = LockInfo(
            id=secrets.token_hex(8),
            holder=holder,
            command=command,
            acquired_at=instant_text(now),
            expires_at=instant_text(now + timedelta(seconds=term_seconds)),
            fence=fence + 1,
        )
        backend.run(statements.TAKE_LOCK, (info.id, info.holder, info.command, info.acquired_at, info.expires_at))
    return HeldLease(backend, clock, info, term_seconds, deadline)


class HeldLease:
    """A lease on the lock. Thread-safe."""

    def __init__(
        self, backend: Backend, clock: Clock, info: LockInfo, term_seconds: float, deadline: float
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._info = info
        self._term = term_seconds
        self._deadline: float | None = deadline
        self._mutex = threading.Lock()

    @property
    def fence(self) -> int:
        return self._info.fence

    @property
    def info(self) -> LockInfo:
        return self._info

    def remaining(self) -> float:
        """Seconds left, by the monotonic clock; 0 once expired, released or known to be lost."""
        deadline = self._deadline
        return 0.0 if deadline is None else max(0.0, deadline - self._clock.monotonic())

    def renew(self) -> None:
        """Extend to the full term. Raises FenceLost when another run has taken over."""
        with self._mutex:
            deadline = self._clock.monotonic() + self._term
            with transact(self._backend, write=True):
                expires = instant_text(self._backend.now(self._clock) + timedelta(seconds=self._term))
                held, _ = read_lock(self._backend)
                if held is None or (held.id, held.fence) != (self._info.id, self._info.fence):
                    self._deadline = None
                    raise lost(held)
                self._backend.run(statements.EXTEND_LOCK, (expires, self._info.id, self._info.fence))
            self._info = replace(self._info, expires_at=expires)
            self._deadline = deadline

    def release(self) -> None:
        """Give it back; never raises for a lock already lost, nor when the state is out of reach: it expires."""
        with self._mutex:
            self._deadline = None
            try:
                with transact(self._backend, write=True):
                    self._backend.run(statements.FREE_LOCK, (self._info.id, self._info.fence))
            except StateError:
                return

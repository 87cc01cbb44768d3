"""How much may be asked: a day, a minute, at once; and the headers that tell of the day's quota.

The day ends at midnight UTC; its count is kept across restarts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.codat.words import whole_instant
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches


class Quota:
    """The limits of one client. Thread-safe."""

    def __init__(self, books: Books, switches: Switches, clock: Clock) -> None:
        self._books = books
        self._switches = switches
        self._clock = clock
        self._lock = threading.Lock()
        self._used = 0
        self._at_once = 0
        self._minute = ""
        self._in_minute = 0

    def take(self) -> int | None:
        """Count one request: None when it may be answered, else in how many seconds to come back."""
        now = self._clock.now()
        used = self._books.shelf.next(f"quota:{now.date().isoformat()}")
        minute = whole_instant(now)[:16]
        with self._lock:
            self._used = used
            self._in_minute = self._in_minute + 1 if minute == self._minute else 1
            self._minute = minute
            in_minute = self._in_minute
        if used > self._switches.number("daily_quota"):
            return max(1, int((self._reset() - now).total_seconds()))
        limit = self._switches.number("per_minute")
        return 60 - now.second if limit and in_minute > limit else None

    @contextmanager
    def one(self) -> Iterator[bool]:
        """While one request is answered: whether it is not one too many at once."""
        with self._lock:
            self._at_once += 1
            allowed = self._at_once <= self._switches.number("concurrent")
        try:
            yield allowed
        finally:
            with self._lock:
                self._at_once -= 1

    def _reset(self) -> datetime:
        now = self._clock.now().astimezone(UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

    def headers(self) -> dict[str, str]:
        limit = self._switches.number("daily_quota")
        with self._lock:
            left = max(0, limit - self._used)
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(left),
            "x-rate-limit-reset": whole_instant(self._reset()),
        }

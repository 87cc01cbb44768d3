"""The daily quota and the headers that tell of it: reset at midnight UTC, counted across restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.codat.words import whole_instant
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.switches import Switches


class Quota:
    """Requests a day of one company's client."""

    def __init__(self, books: Books, switches: Switches, clock: Clock) -> None:
        self._books = books
        self._switches = switches
        self._clock = clock
        self._used = 0

    def take(self) -> bool:
        """Count one request; whether the quota allows it."""
        self._used = self._books.shelf.next(f"quota:{self._clock.now().date().isoformat()}")
        return self._used <= self._switches.number("daily_quota")

    def _reset(self) -> datetime:
        now = self._clock.now().astimezone(UTC)
        return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)

    def seconds_left(self) -> int:
        """Until the reset, at least one."""
        return max(1, int((self._reset() - self._clock.now()).total_seconds()))

    def headers(self) -> dict[str, str]:
        limit = self._switches.number("daily_quota")
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(max(0, limit - self._used)),
            "x-rate-limit-reset": whole_instant(self._reset()),
        }

"""Keeping within an ERP's request rate: one token bucket per connection, shared by its workers."""

from __future__ import annotations

import threading

from reconciler.kernel.clock import Clock


class Pace:
    """At most `per_second` requests in any second (0: no limit), and none while held back."""

    def __init__(self, per_second: int, clock: Clock) -> None:
        self._interval = 1 / per_second if per_second > 0 else 0
        self._burst = 1 - self._interval if per_second > 0 else 0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic()
        self._held_until = self._next

    def take(self) -> None:
        """Wait until one more request may be sent."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(self._next, now - self._burst)
            self._next = turn + self._interval
            wait = max(turn, self._held_until) - now
        if wait > 0:
            self._clock.sleep(wait)

    def hold(self, seconds: int) -> None:
        """The ERP asked us to wait: let nobody send before `seconds` have passed."""
        with self._lock:
            self._held_until = max(self._held_until, self._clock.monotonic() + seconds)

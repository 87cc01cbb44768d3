"""How many requests a connection makes at a time, and how fast: shared by every thread that uses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from reconciler.kernel.clock import Clock
from reconciler.providers.http.failures import NotSent

_NANO = 10**9


class TokenBucket:
    """At most one request each 1/`per_second` seconds: in any span of t seconds, at most 1 + t × rate begin.

    It holds one token, so there is no burst for a strict server to refuse. Thread-safe; 0 is no limit.
    """

    def __init__(self, per_second: Decimal | int, clock: Clock) -> None:
        rate = Decimal(per_second)
        self._interval = int(_NANO / rate) + 1 if rate > 0 else 0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0
        self._held_until = 0

    def take(self, patience: float) -> float | None:
        """Wait for a token; the seconds waited. None, without waiting, if it would take more than `patience`."""
        with self._lock:
            now = self._now()
            turn = max(self._next, self._held_until, now)
            wait = (turn - now) / _NANO
            if wait > patience:
                return None
            if self._interval:
                self._next = turn + self._interval
        if wait > 0:
            self._clock.sleep(wait)
        return wait

    def hold(self, seconds: int) -> None:
        """The server asked for a pause: no token before `seconds` have passed."""
        with self._lock:
            self._held_until = max(self._held_until, self._now() + seconds * _NANO)

    def _now(self) -> int:
        return int(self._clock.monotonic() * _NANO)


class Gate:
    """A place among `width` requests at a time, then a token: in that order, so that tokens are not hoarded."""

    def __init__(self, width: int, bucket: TokenBucket) -> None:
        self._places = threading.BoundedSemaphore(width)
        self._bucket = bucket

    @contextmanager
    def entered(self, seconds: float, request_id: str) -> Iterator[float]:
        """The seconds that are left of `seconds`. Raises NotSent when waiting would use them up."""
        began = time.monotonic()
        if not self._places.acquire(timeout=seconds):
            raise NotSent(f"no connection was free within {seconds:.0f} s", request_id)
        try:
            left = seconds - (time.monotonic() - began)
            waited = self._bucket.take(left)
            if waited is None:
                raise NotSent("the server's pace leaves no time for it", request_id)
            yield left - waited
        finally:
            self._places.release()

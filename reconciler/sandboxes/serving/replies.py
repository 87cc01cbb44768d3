"""Idempotency keys: the first answer to a key is kept for a while and repeated. Which answers, the vendor says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

from reconciler.kernel.canonical import digest_text
from reconciler.kernel.clock import Clock, instant_text
from reconciler.sandboxes.serving.messages import Call, Reply
from reconciler.sandboxes.serving.shelf import Shelf

BUCKET = "idempotency"


class Clash(Enum):
    """Why a key cannot be used now."""

    OTHER_REQUEST = "the key was used with another request"
    IN_FLIGHT = "the first request with this key is still under way"


class Replies:
    """The keys of one file. In flight: in this process, or waiting to land late."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock
        self._lock = threading.Lock()
        self._in_flight: dict[str, str] = {}

    def around(
        self,
        key: str,
        call: Call,
        *,
        lifetime: timedelta,
        handle: Callable[[Call], Reply],
        keeps: Callable[[Reply], bool],
    ) -> Reply | Clash:
        """The kept answer, or `handle`'s, kept when `keeps` says so; a late one keeps the key in flight."""
        mark = digest_text(b"\n".join([call.method.encode(), call.path.encode(), call.body]))
        with self._lock:
            found = self._kept(key, lifetime)
            if found is not None:
                if found["mark"] != mark:
                    return Clash.OTHER_REQUEST
                return Reply.from_json(found["reply"]) if found["reply"] else Clash.IN_FLIGHT
            if key in self._in_flight:
                return Clash.IN_FLIGHT if self._in_flight[key] == mark else Clash.OTHER_REQUEST
            self._in_flight[key] = mark
        try:
            reply = handle(call)
            if reply.late:
                self._keep(key, mark, None)
            elif keeps(reply):
                self._keep(key, mark, reply)
            return reply
        finally:
            with self._lock:
                self._in_flight.pop(key, None)

    def landed(self, key: str, reply: Reply, *, kept: bool) -> None:
        """A late request was carried out: its true answer is what the key now repeats."""
        found = self._shelf.get(BUCKET, key)
        if found is None:
            return
        if kept:
            self._keep(key, found["mark"], reply)
        else:
            self._shelf.drop(BUCKET, key)

    def _keep(self, key: str, mark: str, reply: Reply | None) -> None:
        at = instant_text(self._clock.now())
        self._shelf.put(BUCKET, key, {"mark": mark, "at": at, "reply": reply.to_json() if reply else None})

    def _kept(self, key: str, lifetime: timedelta) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._shelf.get(BUCKET, key)
        if found is None:
            return None
        if found["at"] <= instant_text(self._clock.now() - lifetime):
            self._shelf.drop(BUCKET, key)
            return None
        return found

"""The marker beside a state file: which state was last seen here, and how far its history had come.

It outlives the state, so that a lost state and one restored from a backup are noticed. A marker that lags or
is lost costs that notice and nothing else; so it is replaced atomically but neither synced nor written for
every head, and failing to write it is no error.
"""

from __future__ import annotations

import glob
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import Clock
from reconciler.state.model import Meta

_MAX_BYTES = 65536
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Seen:
    """The last history head seen, and the last fence given out by then."""

    lineage: str
    project: str
    epoch: int
    serial: int
    head: str
    fence: int

    def later_than(self, other: Seen) -> bool:
        same_past = (self.lineage, self.epoch) == (other.lineage, other.epoch)
        return same_past and self.serial > other.serial


class Marker:
    """The marker file of one state. Thread-safe; heads that come late do not set it back."""

    def __init__(self, state: Path, clock: Clock) -> None:
        self._path = state.with_name(f"{state.name}.head")
        self._clock = clock
        self._mutex = threading.Lock()
        self._last: Seen | None = None
        self._written_at: float | None = None
        self._pending = False

    def read(self) -> Seen | None:
        """What was last seen; None when there is no marker or it cannot be understood."""
        try:
            with self._path.open("rb") as file:
                data = parse_canonical(file.read(_MAX_BYTES))
            seen = Seen(**data)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        texts = (seen.lineage, seen.project, seen.head)
        numbers = (seen.epoch, seen.serial, seen.fence)
        good = all(type(text) is str for text in texts) and all(type(number) is int for number in numbers)
        return seen if good else None

    def see(self, meta: Meta, fence: int) -> None:
        """Remember a new head: at once, or soon after the last one."""
        seen = Seen(meta.lineage, meta.project, meta.epoch, meta.serial, meta.head, fence)
        with self._mutex:
            if self._last is not None and self._last.later_than(seen):
                return
            self._last, self._pending = seen, True
            now = self._clock.monotonic()
            if self._written_at is None or now - self._written_at >= _PAUSE_SECONDS:
                self._write(seen)
                self._written_at = now

    def flush(self) -> None:
        """Write what is remembered, unless another process has come further since."""
        with self._mutex:
            if not self._pending or self._last is None:
                return
            there = self.read()
            if there is None or not there.later_than(self._last):
                self._write(self._last)

    def _write(self, seen: Seen) -> None:
        self._pending = False
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        with suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
            descriptor = os.open(unfinished, flags, 0o600)
            try:
                os.write(descriptor, canonical_json(asdict(seen)).encode())
            finally:
                os.close(descriptor)
            os.replace(unfinished, self._path)

    def tidy(self) -> None:
        """Remove what killed processes left half written; a living one loses no more than one update."""
        with suppress(OSError):
            for unfinished in self._path.parent.glob(f"{glob.escape(self._path.name)}.*.new"):
                unfinished.unlink(missing_ok=True)

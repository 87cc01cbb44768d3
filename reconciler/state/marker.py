"""The marker beside a state file: which state was last seen here, and how far its history had come.

It outlives the state, so that a lost state and one restored from a backup are noticed. Losing the marker
costs that notice and nothing else; so it is replaced atomically but not synced, and failing to write it is
no error.
"""

from __future__ import annotations

import glob
import os
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.state.model import Meta

_MAX_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Seen:
    """The last history head seen, and the last fence given out by then."""

    lineage: str
    project: str
    epoch: int
    serial: int
    head: str
    fence: int


class Marker:
    """The marker file of one state. Thread-safe; heads that come late do not set it back."""

    def __init__(self, state: Path) -> None:
        self._path = state.with_name(f"{state.name}.head")
        self._mutex = threading.Lock()
        self._last: Seen | None = None

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

    def write(self, meta: Meta, fence: int) -> None:
        """Remember the state's head, unless a later one of the same epoch was remembered through this object."""
        seen = Seen(meta.lineage, meta.project, meta.epoch, meta.serial, meta.head, fence)
        with self._mutex:
            last = self._last
            same = last is not None and (last.lineage, last.epoch) == (seen.lineage, seen.epoch)
            if last is not None and same and last.serial > seen.serial:
                return
            with suppress(OSError):
                self._replace(canonical_json(asdict(seen)))
            self._last = seen

    def tidy(self) -> None:
        """Remove what killed processes left half written; a living one loses no more than one update."""
        with suppress(OSError):
            for unfinished in self._path.parent.glob(f"{glob.escape(self._path.name)}.*.new"):
                unfinished.unlink(missing_ok=True)

    def _replace(self, text: str) -> None:
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(unfinished, flags, 0o600)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
        os.replace(unfinished, self._path)

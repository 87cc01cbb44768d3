"""The books behind a sandbox: the ledger in one SQLite file, the vendor's own tables beside it in the same file."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.settings import BooksSettings
from reconciler.sandboxes.serving.later import Later
from reconciler.sandboxes.serving.replies import Replies
from reconciler.sandboxes.serving.shelf import Shelf

_MEMORY = Path("/dev/shm")  # noqa: S108  (a folder made by mkdtemp inside it)
_ROOM = 512 * 1024 * 1024


def _memory() -> Path | None:
    """Where files live in memory, when there is room for books that grow; None: wherever temporary files go."""
    try:
        return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None
    except OSError:
        return None


class Books:
    """One set of books. Without a path they live in memory (or a temporary folder) and end with `close`."""

    def __init__(self, path: Path | None, clock: Clock, settings: BooksSettings) -> None:
        """`settings` count for new books only. Raises BooksUnusable."""
        self._folder: Path | None = None
        if path is None:
            self._folder = Path(tempfile.mkdtemp(prefix="reconciler-", dir=_memory()))
            path = self._folder / "books.sqlite"
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)  # also when nobody closes
        self.path = path
        self.clock = clock
        self.ledger = Ledger(path, clock=clock, settings=settings)
        self.shelf = Shelf(path)
        self.later = Later(self.shelf, clock)
        self.replies = Replies(self.shelf, clock)
        self._lock = threading.RLock()
        self._deep = 0
        self._turn_file = path.with_name(f"{path.name}.turn").open("w")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Alone with the books, in this process and among those that share the file. May be nested."""
        with self._lock:
            if self._deep == 0:
                fcntl.flock(self._turn_file, fcntl.LOCK_EX)
            self._deep += 1
            try:
                yield
            finally:
                self._deep -= 1
                if self._deep == 0:
                    fcntl.flock(self._turn_file, fcntl.LOCK_UN)

    @contextmanager
    def rewinding(self) -> Iterator[None]:
        """Alone with the books; when the block raises, they are as they were before it: records, shelf and jobs.

        For vendors whose requests are all or nothing across many commands. The whole file is copied for it.
        """
        with self.turn(), closing(sqlite3.connect(self.path)) as file, closing(sqlite3.connect(":memory:")) as kept:
            file.backup(kept)
            try:
                yield
            except BaseException:
                kept.backup(file)
                raise

    def records(self, *kinds: str, stale_ms: int = 0) -> list[Record]:
        """Every record of these kinds, oldest first; as they were so long ago."""
        as_of = self.clock.now() - timedelta(milliseconds=stale_ms) if stale_ms else None
        return list(self.ledger.records(Selection(kinds), as_of=as_of))

    def close(self) -> None:
        self.shelf.close()
        self.ledger.close()
        self._turn_file.close()
        if self._folder is not None:
            with suppress(OSError):
                shutil.rmtree(self._folder)

"""The file itself: opened or made, one writer at a time, as many readers as are asked for.

WAL with `synchronous=FULL`: a commit is on the disk before it returns. The file is 0600. Several threads
and processes may share it. Not here: what the rows mean.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable, CommitUncertain
from reconciler.sandboxes.ledger.schema import TABLES, TRIGGERS, VERSION, unique_indexes
from reconciler.sandboxes.ledger.settings import BooksSettings

BUSY_SECONDS = 30
READERS_KEPT = 8


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file says of itself."""

    company_id: str
    settings: BooksSettings
    fresh: bool


class Store:
    """Connections to one file. Thread-safe; `close` when done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._writer = self._connect()

    def _connect(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except sqlite3.Error as error:
            raise BooksUnusable(f"the books at {self.path} cannot be opened: {error}") from error
        try:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA cache_size=-16000")
        except sqlite3.Error as error:
            db.close()
            raise BooksUnusable(f"{self.path} is not a ledger: {error}") from error
        return db

    def read_meta(self) -> dict[str, str] | None:
        """The file's own words, None when it has no tables yet."""
        db = self._writer
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                if db.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise BooksUnusable(f"{self.path} is a SQLite file, but not a ledger")
                return None
            return dict(db.execute("SELECT key, value FROM meta").fetchall())
        except sqlite3.OperationalError as error:
            raise BooksBusy(f"the books at {self.path} cannot be read now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise BooksUnusable(f"{self.path} is not a ledger: {error}") from error

    def prepare(self, settings: BooksSettings) -> Opened:
        """Make the tables if there are none; then what the file says. `settings` count for a new file only."""
        meta = self.read_meta()
        if meta is None:
            fresh = self._create(settings)
            meta = self.read_meta() or {}
        else:
            fresh = False
        if meta.get("version") != str(VERSION):
            raise BooksUnusable(f"the books at {self.path} are of version {meta.get('version')}, not {VERSION}")
        return Opened(meta["company_id"], BooksSettings.from_json(json.loads(meta["settings"])), fresh)

    def _create(self, settings: BooksSettings) -> bool:
        """Whether this call made the tables (another process may have been faster)."""
        db = self._writer
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise BooksBusy(f"the books at {self.path} cannot be made now: {error}") from error
        try:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                db.execute("ROLLBACK")
                return False
            for statement in _statements(TABLES):
                db.execute(statement)
            for statement in unique_indexes(settings):
                db.execute(statement)
            db.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("version", str(VERSION)),
                    ("company_id", uuid.uuid4().hex[:12]),
                    ("settings", json.dumps(settings.to_json(), sort_keys=True)),
                    ("closed_through", ""),
                    ("gl_closed_through", ""),
                    ("charted", ""),
                ],
            )
            for statement in TRIGGERS.split("END;"):
                if statement.strip():
                    db.execute(statement + "END")
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        return True

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, alone; committed durably at the end, rolled back on any exception."""
        with self._write_lock:
            if self._closed:
                raise BooksBusy("the books are closed")
            db = self._writer
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise BooksBusy(f"the books are busy: {error}") from error
            try:
                yield db
            except BaseException as error:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise BooksBusy(f"the books cannot be written: {error}") from error
                raise
            try:
                db.execute("COMMIT")
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise CommitUncertain(f"the commit failed: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view. Safe to hold while iterating; writers are not held up."""
        with self._pool_lock:
            if self._closed:
                raise BooksBusy("the books are closed")
            db = self._readers.pop() if self._readers else None
        if db is None:
            db = self._connect()
            db.execute("PRAGMA query_only=ON")
        try:
            db.execute("BEGIN")
            yield db
        except sqlite3.OperationalError as error:
            raise BooksBusy(f"the books cannot be read now: {error}") from error
        finally:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            self._give_back(db)

    def _give_back(self, db: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._closed and len(self._readers) < READERS_KEPT:
                self._readers.append(db)
                return
        db.close()

    def close(self) -> None:
        with self._write_lock, self._pool_lock:
            self._closed = True
            for db in self._readers:
                db.close()
            self._readers.clear()
            self._writer.close()


def make_file(path: Path) -> None:
    """Make `path` (and its folders) private to its owner, if it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600))
    except OSError as error:
        raise BooksUnusable(f"the books at {path} cannot be opened: {error.strerror}") from error


def _statements(script: str) -> list[str]:
    return [statement for statement in script.split(";") if statement.strip()]


def meta_value(db: sqlite3.Connection, key: str) -> str:
    row: Any = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""

"""The SQLite backend: one file, one connection, one writer; a commit costs one fsync of its write-ahead log.

Everything only SQLite knows is here: pragmas, file modes, error codes, its backup. No tables, no rows.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.backend import Parameters, Row
from reconciler.state.transacting import damaged

BUSY_SECONDS = 30
PRIVATE = 0o600
SIDE_FILES = ("-wal", "-shm", "-journal")

_ERRORS = {
    sqlite3.SQLITE_BUSY: ("is busy", "Another process has been writing to it all the while; try again."),
    sqlite3.SQLITE_LOCKED: ("is busy", "Another process has been writing to it all the while; try again."),
    sqlite3.SQLITE_FULL: ("cannot be written", "The disk is full: make room, then run again."),
    sqlite3.SQLITE_READONLY: ("cannot be written", "Give this user write access to the file and its folder."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "The disk reports an error; check it before going on."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Check that the file and its folder can be read and written."),
    sqlite3.SQLITE_PERM: ("cannot be opened", "Check that the file and its folder can be read and written."),
    sqlite3.SQLITE_NOTADB: (
        "cannot be used: it is not a SQLite database",
        "Is `state: path:` in reconciler.yaml right?",
    ),
    sqlite3.SQLITE_NOMEM: ("cannot be read", "There is not enough memory."),
    sqlite3.SQLITE_TOOBIG: ("cannot be written", "A value is too long."),
}
_REFUSED_VALUES = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE})


class SqliteBackend:
    """A connection to an existing database file. Transactions of several threads take turns."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS, journal: str = "wal") -> None:
        self._path = path
        self._turn = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode=rw",
                uri=True,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except sqlite3.Error as error:
            raise self._translated(error) from error
        try:
            self._prepare(journal)
            self._identity = _identity(path)
        except sqlite3.Error as error:
            self._connection.close()
            raise self._translated(error) from error
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, journal: str) -> None:
        execute = self._connection.execute
        execute("PRAGMA trusted_schema = OFF")
        execute("PRAGMA cell_size_check = ON")
        execute("PRAGMA synchronous = FULL")
        mode = execute(f"PRAGMA journal_mode = {journal}").fetchone()[0]
        if mode != journal:
            raise StateError(
                f"the state {self.place} cannot be used where it is",
                why=f"Its file system does not support SQLite's journal mode {journal!r} ({mode!r} was given).",
                hint="Put the state on a local disk (`state: path:` in reconciler.yaml).",
            )
        execute("PRAGMA wal_autocheckpoint = 1000")
        execute("PRAGMA journal_size_limit = 67108864")
        _make_private(self._path)

    @property
    def place(self) -> str:
        return printable(str(self._path))

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[None]:
        with self._turn:
            if write:
                self._check_in_place()
            try:
                self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                yield
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise self._translated(error) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _check_in_place(self) -> None:
        """A file deleted or replaced under us takes our writes with it: they would be durable nowhere."""
        if _identity(self._path) != self._identity:
            raise StateError(
                f"the state {self.place} was removed or replaced while it was in use",
                why="What this run would record now could not be found again.",
                hint="Put the file back if you can, then run again: what was under way is settled first.",
            )

    def query(self, sql: str, parameters: Parameters = ()) -> Iterator[Row]:
        return self._connection.execute(sql, parameters)

    def run(self, sql: str, parameters: Parameters = ()) -> None:
        self._connection.execute(sql, parameters)

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        self._connection.executemany(sql, rows)

    def now(self, clock: Clock) -> datetime:
        """This machine's: whoever shares a file shares its machine."""
        return clock.now()

    def tables(self) -> frozenset[str]:
        found = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return frozenset(name for (name,) in found if isinstance(name, str))

    def backup(self, label: str) -> str:
        target = self._path.with_name(f"{self._path.name}.{label}")
        unfinished = target.with_name(f"{target.name}.new")
        with self._turn:
            try:
                create_private(unfinished)
                copy = sqlite3.connect(unfinished)
                try:
                    self._connection.backup(copy)
                finally:
                    copy.close()
                os.replace(unfinished, target)
                sync_folder(target.parent)
            except sqlite3.Error as error:
                raise self._translated(error) from error
            except OSError as error:
                raise StateError(
                    f"the backup {printable(str(target))} cannot be written", why=str(error)
                ) from error
        return str(target)

    def close(self) -> None:
        with self._turn, suppress(sqlite3.Error):
            self._connection.close()

    def _translated(self, error: sqlite3.Error) -> StateError:
        code = getattr(error, "sqlite_errorcode", None)
        why = printable(str(error), 200)
        if code is None and "closed" in why:
            return StateError(f"the state {self.place} is closed")
        if "decode" in why:
            return damaged(self.place, why)
        if code is None or code & 0xFF in _REFUSED_VALUES:
            return StateError("a value cannot be stored in the state", why=why)
        what, hint = _ERRORS.get(code & 0xFF, ("", ""))
        if what:
            return StateError(f"the state {self.place} {what}", why=why, hint=hint)
        return damaged(self.place, why)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _make_private(path: Path) -> None:
    """0600 for the file and what SQLite keeps beside it; new ones inherit the file's mode."""
    for name in ("", *SIDE_FILES):
        beside = path.with_name(path.name + name)
        with suppress(OSError):
            if beside.stat().st_mode & 0o077:
                beside.chmod(PRIVATE)


def create_private(path: Path) -> None:
    """An empty file, 0600, in place of whatever an interrupted run left under this name."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE))


def sync_folder(folder: Path) -> None:
    """Make a file's name as durable as its content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

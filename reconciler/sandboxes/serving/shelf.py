"""What a vendor keeps beside the ledger, in the ledger's own file: JSON values by bucket and key, and counters.

Not here: anything with money in it that the ledger knows. Every call is one durable statement; never hold one
open while the ledger writes.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

from reconciler.sandboxes.serving import exact

_TABLES = (
    "CREATE TABLE IF NOT EXISTS vendor_kept (seq INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL,"
    " key TEXT NOT NULL, value TEXT NOT NULL, UNIQUE (bucket, key))",
    "CREATE TABLE IF NOT EXISTS vendor_files (bucket TEXT NOT NULL, key TEXT NOT NULL, content BLOB NOT NULL,"
    " PRIMARY KEY (bucket, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS vendor_counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS vendor_jobs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
    " kind TEXT NOT NULL, due TEXT NOT NULL, polls_left INTEGER NOT NULL, payload TEXT NOT NULL,"
    " waiting INTEGER NOT NULL DEFAULT 1)",
    "CREATE INDEX IF NOT EXISTS vendor_jobs_due ON vendor_jobs (waiting, due, seq)",
)


class Shelf:
    """One file's vendor tables. Thread-safe; close it when done."""

    def __init__(self, path: Path) -> None:
        """`path`: a file the ledger has made already."""
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=NORMAL")
        for statement in _TABLES:
            self._db.execute(statement)

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """One statement of the kit's own modules; its rows."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def put(self, bucket: str, key: str, value: Any) -> None:
        """Keep a JSON value (Decimals stay exact); what was there before is replaced, in its old place."""
        self.run(
            "INSERT INTO vendor_kept (bucket, key, value) VALUES (?, ?, ?)"
            " ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value",
            (bucket, key, exact.write(value).decode()),
        )

    def put_all(self, bucket: str, values: dict[str, Any]) -> None:
        """Keep many in one transaction."""
        rows = [(bucket, key, exact.write(value).decode()) for key, value in values.items()]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT INTO vendor_kept (bucket, key, value) VALUES (?, ?, ?)"
                " ON CONFLICT (bucket, key) DO UPDATE SET value = excluded.value",
                rows,
            )
            self._db.execute("COMMIT")

    def get(self, bucket: str, key: str) -> Any:
        """The value kept; None when there is none."""
        rows = self.run("SELECT value FROM vendor_kept WHERE bucket = ? AND key = ?", (bucket, key))
        return exact.kept(rows[0][0]) if rows else None

    def all(self, bucket: str) -> dict[str, Any]:
        """Every value of a bucket by its key, in the order in which the keys were first kept."""
        rows = self.run("SELECT key, value FROM vendor_kept WHERE bucket = ? ORDER BY seq", (bucket,))
        return {key: exact.kept(value) for key, value in rows}

    def drop(self, bucket: str, key: str) -> None:
        self.run("DELETE FROM vendor_kept WHERE bucket = ? AND key = ?", (bucket, key))

    def next(self, counter: str) -> int:
        """1, 2, 3, …"""
        rows = self.run(
            "INSERT INTO vendor_counters VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (counter,),
        )
        return int(rows[0][0])

    def put_file(self, bucket: str, key: str, content: bytes) -> None:
        self.run("INSERT OR REPLACE INTO vendor_files VALUES (?, ?, ?)", (bucket, key, content))

    def file(self, bucket: str, key: str) -> bytes | None:
        rows = self.run("SELECT content FROM vendor_files WHERE bucket = ? AND key = ?", (bucket, key))
        return bytes(rows[0][0]) if rows else None

    def version(self) -> tuple[int, int]:
        """A mark that changes with every change to the file, by this shelf, the ledger or another process."""
        with self._lock:
            [(others,)] = self._db.execute("PRAGMA data_version").fetchall()
            return int(others), self._db.total_changes

    def close(self) -> None:
        with self._lock:
            self._db.close()

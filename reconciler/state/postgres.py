"""The PostgreSQL backend: one schema, one connection at a time, one writer among all machines.

A write transaction holds the schema's advisory lock from its first to its last word, so writers take turns and
cannot deadlock; a read transaction is one snapshot. A connection found dead between transactions is replaced; one
that dies within a transaction ends it. When it dies at the commit, the server is asked afterwards what became of
that very transaction. Everything only PostgreSQL knows is here and in `postgres_wire`; no tables, no rows.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import StateError
from reconciler.state.backend import Parameters, Row
from reconciler.state.postgres_location import PostgresLocation
from reconciler.state.postgres_wire import Lost, Refused, Wire

BUSY_SECONDS = 30
RECONNECT_SECONDS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRANSIENT = frozenset({"57P03", "53300", "57P01", "57P02"})
Timekeeper = Callable[[], datetime]


class PostgresBackend:
    """A project's schema in a database. Transactions of several threads take turns.

    `timekeeper` replaces the database's clock, for tests that own time.
    """

    def __init__(
        self,
        location: PostgresLocation,
        *,
        busy_seconds: int = BUSY_SECONDS,
        reconnect_seconds: float = RECONNECT_SECONDS,
        timekeeper: Timekeeper | None = None,
    ) -> None:
        self._location = location
        self._busy = busy_seconds
        self._patience = reconnect_seconds
        self._timekeeper = timekeeper
        self._turn = threading.Lock()
        self._wire: Wire | None = None
        self._closed = False
        self._gave_up = False
        key = hashlib.sha256(f"reconciler state {location.schema}".encode()).digest()[:8]
        path = f'SET LOCAL search_path TO "{location.schema}", pg_temp'
        self._begin_read = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {path}"
        self._begin_write = (
            f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {path}; SET LOCAL lock_timeout = '{busy_seconds}s'; "
            "SET LOCAL idle_in_transaction_session_timeout = '120s'; "
            f"SELECT pg_advisory_xact_lock({int.from_bytes(key, 'big', signed=True)}); "
            "SELECT pg_current_xact_id()::text"
        )
        with self._turn:
            self._wire = self._connect(patient=False)

    @property
    def place(self) -> str:
        return self._location.place

    # ---- transactions -------------------------------------------------------------------------------------

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[None]:
        with self._turn:
            number = self._begin(write=write)
            try:
                yield
            except BaseException:
                self._roll_back()
                raise
            self._commit(number, write=write)

    def _begin(self, *, write: bool) -> str:
        """Begin, on a new connection where the one at hand turns out dead; the number of one that writes."""
        statement = self._begin_write if write else self._begin_read
        fresh = self._wire is None
        while True:
            wire = self._connected()
            try:
                found = wire.simple(statement)
                return str(found[-1][0]) if write else ""
            except Lost as error:
                self._abandon()
                if fresh:
                    raise self._gone(error, "Nothing was written.") from error
                fresh = True
            except Refused as error:
                self._roll_back()
                if error.code in _TRANSIENT and not fresh:
                    self._abandon()
                    fresh = True
                    continue
                raise error.told(self.place) from error
            except BaseException:
                self._abandon()
                raise

    def _commit(self, number: str, *, write: bool) -> None:
        wire = self._wire
        if wire is None:  # lost within, and the body swallowed what it was told
            raise self._gone(None, "Nothing of it was written.")
        identity = wire.identity
        try:
            wire.simple("COMMIT")
        except (Lost, Refused) as error:
            if isinstance(error, Refused) and not error.ends_session:
                self._roll_back()
                raise error.told(self.place) from error
            self._abandon()
            if write:
                self._settle(number, identity, error)
        except BaseException:
            self._abandon()
            raise

    def _settle(self, number: str, identity: str, cause: Exception) -> None:
        """The connection died at the commit: return if it landed, raise StateError if not, or if none can tell."""
        fate = None
        with suppress(StateError, Lost, Refused):
            wire = self._connect(patient=True)
            self._wire = wire
            wire.simple(self._begin_write)  # waits until the server has ended the old transaction
            if wire.identity == identity and identity:
                fate = wire.simple(f"SELECT pg_xact_status('{int(number)}'::xid8)")[0][0]
            wire.simple("ROLLBACK")
        if fate == "committed":
            return
        if fate != "aborted":
            self._abandon()
            raise StateError(
                f"the connection to the state {self.place} was lost while it wrote",
                why="Whether that was written could not be found out.",
                hint="Run the command again: it reads what is there and settles what was under way first.",
            ) from cause
        raise self._gone(cause, "Nothing of it was written.") from cause

    def _roll_back(self) -> None:
        wire = self._wire
        if wire is None:
            return
        if wire.broken:
            self._abandon()
            return
        try:
            wire.simple("ROLLBACK")
        except (Lost, Refused):
            self._abandon()
        except BaseException:
            self._abandon()
            raise

    # ---- statements ---------------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Parameters = ()) -> Iterator[Row]:
        return iter(self._execute(sql, [parameters]))

    def run(self, sql: str, parameters: Parameters = ()) -> None:
        self._execute(sql, [parameters])

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        self._execute(sql, rows)

    def _execute(self, sql: str, rows: Sequence[Parameters]) -> list[Row]:
        wire = self._wire
        if wire is None:
            raise self._gone(None, "Nothing of it was written.")
        try:
            return wire.execute(sql, rows)
        except Lost as error:
            self._abandon()
            raise self._gone(error, "Nothing of it was written.") from error
        except Refused as error:
            raise error.told(self.place) from error

    def now(self, clock: Clock) -> datetime:
        """The database's wall time: what all machines that share this state judge leases by."""
        if self._timekeeper is not None:
            return self._timekeeper()
        found = self._execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", [()])
        return _EPOCH + timedelta(microseconds=found[0][0])

    def tables(self) -> frozenset[str]:
        statement = "SELECT tablename::text FROM pg_catalog.pg_tables WHERE schemaname = ?"
        return frozenset(name for (name,) in self.query(statement, (self._location.schema,)))

    def make_schema(self) -> None:
        """Make the schema when there is none. Raises StateError."""
        with self.transaction(write=True):
            found = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ?"
            if not list(self.query(found, (self._location.schema,))):
                self.run(f'CREATE SCHEMA "{self._location.schema}"')

    def backup(self, label: str) -> str:
        """Copies the tables into a schema beside this one, in place of what is there under that name."""
        schema = self._location.schema
        target = f"{schema}_{''.join(mark if mark.isalnum() else '_' for mark in label.lower())}"[:63]
        with self.transaction(write=True):
            self.run(f'DROP SCHEMA IF EXISTS "{target}" CASCADE')
            self.run(f'CREATE SCHEMA "{target}"')
            for table in sorted(self.tables()):
                self.run(f'CREATE TABLE "{target}"."{table}" (LIKE "{schema}"."{table}" INCLUDING ALL)')
                self.run(f'INSERT INTO "{target}"."{table}" SELECT * FROM "{schema}"."{table}"')  # noqa: S608
        return f"schema {target}"

    def close(self) -> None:
        with self._turn:
            self._closed = True
            self._abandon()

    # ---- the connection -----------------------------------------------------------------------------------

    def _connected(self) -> Wire:
        if self._closed:
            raise StateError(f"the state {self.place} is closed")
        if self._wire is None:
            self._wire = self._connect(patient=True)
        return self._wire

    def _connect(self, *, patient: bool) -> Wire:
        """A new connection. `patient`: there was one, so the server may be restarting: try for a while, but once
        that was in vain, not again for every word."""
        deadline = time.monotonic() + (0 if self._gave_up else self._patience)
        pause = 0.05
        while True:
            try:
                wire = Wire(self._location, read_seconds=self._busy + 60)
                self._gave_up = False
                return wire
            except Refused as error:
                starting = error.code in _TRANSIENT
                if not starting or time.monotonic() > deadline:
                    raise error.told(self.place) from error
            except Lost as error:
                if not patient or time.monotonic() > deadline:
                    self._gave_up = True
                    raise StateError(
                        f"the state {self.place} cannot be reached",
                        why=str(error),
                        hint="Check that the database runs, and the host, port and sslmode of its URL.",
                    ) from error
            time.sleep(pause)
            pause = min(1.0, pause * 2)

    def _abandon(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _gone(self, error: Exception | None, what: str) -> StateError:
        return StateError(
            f"the connection to the state {self.place} was lost",
            why=f"{what} {error or ''}".strip(),
            hint="Run the command again: it settles what was under way first.",
        )

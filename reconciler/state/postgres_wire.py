"""One connection to PostgreSQL, through the driver pg8000: statements in, rows out, errors told apart.

`Lost`: the connection is gone or out of step. `Refused`: the server said no and the connection still stands.
Statements are prepared once and used again; many rows of one statement travel together.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.backend import Parameters, Row
from reconciler.state.postgres_location import PostgresLocation
from reconciler.state.transacting import damaged

CONNECT_SECONDS = 15
_PREPARED = 200
_TOGETHER = 100
_PLACE = re.compile(r"\?")

_ERRORS = {
    "28": ("refuses this user or password", "Check the user and the password in the state's URL."),
    "3D": ("cannot be used: there is no such database", "Create it, or correct the database in the state's URL."),
    "42501": (
        "cannot be used: this user lacks a right there",
        "Let it make its schema (GRANT CREATE ON DATABASE … TO …), or make the schema and give it to this user.",
    ),
    "25006": ("cannot be written: it is read-only", "Is it a standby? Use the primary server's host."),
    "53100": ("cannot be written", "The server's disk is full: make room, then run again."),
    "53300": ("has too many connections", "Wait, or let the server take more (max_connections)."),
    "53": ("cannot be used now", "The server lacks resources; see its log."),
    "55P03": ("is busy", "Another process has been writing to it all the while; try again."),
    "40": ("is busy", "Another process has been writing to it at the same time; try again."),
    "57": (
        "cannot be used now",
        "The server is stopping or starting, or an operator stopped the statement; try again.",
    ),
    "58": ("cannot be read or written", "The server reports an error of its disk; check it before going on."),
}
_VALUES = ("22", "23", "54")
_DAMAGE = ("42P01", "42703", "42804", "XX001", "XX002")


class Lost(Exception):
    """The connection is gone; what was under way on it was rolled back, unless it was the commit."""


class Refused(Exception):
    """The server's error: its SQLSTATE, its message and whether it ended the session."""

    def __init__(self, code: str, message: str, *, ends_session: bool) -> None:
        super().__init__(message)
        self.code = code
        self.ends_session = ends_session

    def told(self, place: str) -> StateError:
        """What to tell the user. The message of a refused log-in names the user: it is left out."""
        why = printable(str(self), 200)
        if self.code[:2] in _VALUES:
            return StateError("a value cannot be stored in the state", why=why)
        if self.code in _DAMAGE:
            return damaged(place, why)
        what, hint = _ERRORS.get(self.code) or _ERRORS.get(self.code[:2]) or ("cannot be used", "")
        return StateError(f"the state {place} {what}", why="" if self.code[:2] == "28" else why, hint=hint)


class Wire:
    """An open connection, for one thread at a time. Raises Lost or Refused."""

    def __init__(self, location: PostgresLocation, *, read_seconds: float) -> None:
        self._prepared: dict[str, tuple[Any, ...]] = {}
        self.broken = False
        self._driver = _connect(location, read_seconds)
        try:
            self.identity = self._identity()
            self._require_durability()
        except BaseException:
            self.close()
            raise

    def _identity(self) -> str:
        """Which server this is, which of its pasts it follows, and since when without a crash; '' where it may not
        be asked. A crash may lose a transaction's number and give it to another (statistics are reset by one)."""
        try:
            found = self.simple(
                "SELECT (SELECT system_identifier FROM pg_control_system())::text || '-' || "
                "(SELECT timeline_id FROM pg_control_checkpoint())::text || '-' || "
                "extract(epoch FROM pg_postmaster_start_time())::text || '-' || "
                "(SELECT extract(epoch FROM stats_reset) FROM pg_stat_bgwriter)::text, "
                "current_setting('server_encoding')"
            )
        except Refused as error:
            if error.code != "42501":
                raise
            return ""
        identity, encoding = found[0]
        if encoding != "UTF8":
            raise StateError(
                f"the database has the encoding {printable(encoding, 40)}", hint="A state needs a database in UTF8."
            )
        return str(identity or "")

    def _require_durability(self) -> None:
        """A commit is on disk before it returns, whatever the server's default is."""
        if self.simple("SHOW synchronous_commit")[0][0] == "off":
            self.simple("SET synchronous_commit = on")

    def simple(self, statements: str) -> list[Row]:
        """Statements without parameters, in one message; the rows of all of them."""
        with self._driving():
            return [tuple(row) for row in self._driver.execute_simple(statements).rows or ()]

    def execute(self, sql: str, rows: Sequence[Parameters]) -> list[Row]:
        """A statement with `?` for parameters, once for each of `rows`. Raises TypeError, ValueError for values."""
        texts = [tuple(map(_text, row)) for row in rows]
        found: list[Row] = []
        name, columns, readers, statement = self._prepare(sql)
        for start in range(0, len(texts), _TOGETHER):
            found += self._together(name, columns, readers, statement, texts[start : start + _TOGETHER])
        return found

    def _together(
        self, name: Any, columns: Any, readers: Any, statement: str, rows: Sequence[tuple[str | None, ...]]
    ) -> list[Row]:
        """So few answers fit into the sockets' buffers while nobody reads them."""
        from pg8000.core import SYNC_MSG, Context

        with self._driving():
            context = Context(statement, columns=columns, input_funcs=readers)
            for row in rows:
                self._driver.send_BIND(name, row)
                self._driver.send_EXECUTE()
            self._driver._sock.write(SYNC_MSG)
            self._driver._sock.flush()
            self._driver.handle_messages(context)
            return [tuple(row) for row in context.rows or ()]

    def _prepare(self, sql: str) -> tuple[Any, ...]:
        known = self._prepared.get(sql)
        if known is None:
            numbers = iter(range(1, sql.count("?") + 1))
            statement = _PLACE.sub(lambda _: f"${next(numbers)}", sql)
            with self._driving():
                if len(self._prepared) >= _PREPARED:
                    oldest = self._prepared.pop(next(iter(self._prepared)))
                    self._driver.close_prepared_statement(oldest[0])
                known = (*self._driver.prepare_statement(statement, ()), statement)
            self._prepared[sql] = known
        return known

    @contextmanager
    def _driving(self) -> Iterator[None]:
        """What leaves the driver other than by the server's own word leaves the connection out of step."""
        if self.broken:
            raise Lost("it was lost before")
        self.broken = True
        try:
            yield
        except Exception as error:
            refused = _refusal(error)
            if refused is not None:
                self.broken = refused.ends_session
                raise refused from error
            raise Lost(_said(error)) from error
        self.broken = False

    def close(self) -> None:
        """Never raises."""
        self.broken = True
        with suppress(Exception):
            self._driver.close()


def _connect(location: PostgresLocation, read_seconds: float) -> Any:
    try:
        from pg8000.core import CoreConnection
    except ImportError:
        raise StateError(
            "a PostgreSQL state needs the driver pg8000, which is not installed",
            hint="In your clone: pip install '.[postgres]'",
        ) from None
    context = location.ssl_context()
    way: socket.socket | None = None
    try:
        way = _dialled(location)
        driver = CoreConnection(
            location.user,
            host=location.host,
            database=location.database,
            port=location.port,
            password=location.password,
            sock=way,
            ssl_context=context or False,
            application_name="reconciler",
        )
        driver._usock.settimeout(read_seconds)
        return driver
    except Exception as error:
        if way is not None:
            way.close()
        refused = _refusal(error)
        if refused is not None:
            raise refused from error
        raise Lost(_said(error)) from error


def _dialled(location: PostgresLocation) -> socket.socket:
    """A connected socket that notices within a minute when the other end is gone without a word."""
    if location.socket is not None:
        way = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            way.settimeout(CONNECT_SECONDS)
            way.connect(location.socket)
        except BaseException:
            way.close()
            raise
        return way
    way = socket.create_connection((location.host, location.port), CONNECT_SECONDS)
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    way.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            way.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return way


def _refusal(error: Exception) -> Refused | None:
    """The server's own word, if this is one."""
    from pg8000.exceptions import DatabaseError

    if not isinstance(error, DatabaseError) or not error.args or not isinstance(error.args[0], dict):
        return None
    said = error.args[0]
    severity = said.get("V") or said.get("S") or ""
    code = str(said.get("C", ""))
    ends = severity in ("FATAL", "PANIC") or code[:2] == "08" or code in ("57P01", "57P02", "57P03")
    return Refused(code, str(said.get("M", "")), ends_session=ends)


def _said(error: Exception) -> str:
    """Why a connection failed, in the system's words; the driver's own may name what is nobody's business."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__
    if isinstance(cause, TimeoutError):
        return "The server did not answer in time."
    if isinstance(cause, OSError):
        return printable(cause.strerror or str(cause), 200)
    if isinstance(error, struct.error):
        return "The server closed the connection."
    return "The server closed the connection." if "network error" in str(error) else printable(str(error), 120)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if type(value) is str:
        value.encode()  # what has no UTF-8 is refused before anything of the row is sent
        return value
    if type(value) is int:
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no column")

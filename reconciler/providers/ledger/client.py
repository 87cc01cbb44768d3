"""The ledger's port over HTTP: calls to a ledger server on this machine, with kept connections.

It classes failures by what is known: not sent, or sent without an answer. What an answer means is not here.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import instant_text
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.sandboxes.ledger.commands import Command, command_value
from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.pushes import Pushed, answer_from
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.ledger.reporting import rows_from
from reconciler.sandboxes.ledger.wire import PID_HEADER, books_from, pushed_from, selection_value

KEPT = 8


class LedgerClient:
    """A `LedgerPort` to a server at `endpoint`. Thread-safe."""

    def __init__(self, endpoint: str, token: str = "", *, timeout: int = 60) -> None:
        self._address = urlsplit(endpoint).netloc
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", PID_HEADER: str(os.getpid())}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    # ---- the port ----

    def books(self) -> Books:
        return books_from(self._call("books", {}))

    def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Record | Refusal]:
        body = {"commands": [command_value(command) for command in commands], "atomic": atomic}
        return [answer_from(answer) for answer in self._call("run", body, writes=True)]

    def records(self, selection: Selection, *, as_of: datetime | None = None) -> Iterator[Record]:
        body = {"selection": selection_value(selection), "as_of": instant_text(as_of) if as_of else None}
        connection, response = self._send("records", body, writes=False)
        whole = False
        try:
            if response.status != 200:
                raise _failed(response.status, response.read(), False)
            for line in response:
                row = json.loads(line)
                if isinstance(row, dict):
                    whole = "end" in row
                    break
                yield Record.from_row(row)
            if not whole:
                raise Unavailable("the ledger server stopped in the middle of its records")
            response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            whole = False
            raise Unavailable(f"the ledger server's records cannot be read: {_words(error)}") from error
        finally:
            self._give_back(connection, keep=whole)

    def application(self, reference: str) -> Record | None:
        row = self._call("application", {"reference": reference})
        return Record.from_row(row) if row else None

    def push(self, command: Command, *, after_seconds: int, polls: int = 0) -> str:
        body = {"command": command_value(command), "after_seconds": after_seconds, "polls": polls}
        return str(self._call("push", body, writes=True))

    def land(self) -> int:
        return int(self._call("land", {}))

    def pushed(self, handle: str) -> Pushed:
        return pushed_from(self._call("pushed", {"handle": handle}))

    def report(self, name: str, arguments: Mapping[str, Any]) -> list[Any]:
        return rows_from(name, self._call("report", {"name": name, "arguments": dict(arguments)}))

    def faults(self, **switches: Any) -> dict[str, int]:
        """Change the server's switches, where it was started with `--allow-faults`; its counts."""
        return dict(self._call("faults", switches))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    # ---- calls ----

    def _call(self, method: str, body: Mapping[str, Any], *, writes: bool = False) -> Any:
        connection, response = self._send(method, body, writes)
        keep = False
        try:
            text = response.read()
            keep = not response.will_close
        except (OSError, http.client.HTTPException) as error:
            raise _lost(writes, error) from error
        finally:
            self._give_back(connection, keep=keep)
        if response.status != 200:
            raise _failed(response.status, text, writes)
        try:
            data = parse_canonical(text)
        except ValueError as error:
            raise _lost(writes, error) from error
        if "refusal" in data:
            refusal = answer_from(data)
            assert isinstance(refusal, Refusal)
            raise refusal
        return data["result"]

    def _send(
        self, method: str, body: Mapping[str, Any], writes: bool
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a call and wait for the head of its answer. A read is tried again on a fresh connection."""
        text = canonical_json(body).encode()
        with self._lock:
            if self._closed:
                raise Unavailable("the connection to the ledger is closed")
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return kept, self._exchange(kept, method, text)
            except (OSError, http.client.HTTPException) as error:
                kept.close()
                if writes:
                    raise _lost(True, error) from error
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise Unavailable(f"the ledger server at {self._address} does not answer: {_words(error)}") from error
        try:
            response = self._exchange(connection, method, text)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise _lost(writes, error) from error
        return connection, response

    def _exchange(
        self, connection: http.client.HTTPConnection, method: str, text: bytes
    ) -> http.client.HTTPResponse:
        connection.request("POST", f"/{method}", text, self._headers)
        return connection.getresponse()

    def _give_back(self, connection: http.client.HTTPConnection, *, keep: bool) -> None:
        with self._lock:
            if keep and not self._closed and len(self._idle) < KEPT:
                self._idle.append(connection)
                return
        connection.close()


def _lost(writes: bool, error: Exception) -> ProviderError:
    """No answer: a write may have happened; a read did nothing."""
    if writes:
        return Indeterminate(f"the ledger server did not answer: {_words(error)}")
    return Unavailable(f"the ledger server did not answer: {_words(error)}")


def _failed(status: int, text: bytes, writes: bool) -> ProviderError:
    try:
        words = str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        words = f"status {status}"
    if status == 503:
        return Unavailable(words)
    if status in (400, 401, 404, 413):
        return Rejected(f"the ledger server refuses the call: {words}", code=str(status))
    return Indeterminate(words) if writes else Unavailable(words)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__

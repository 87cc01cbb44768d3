"""The ledger's port over HTTP: calls to a ledger server on this machine.

It classes failures by what is known: not sent, or sent without an answer. What an answer means is not here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import instant_text
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import HttpDoor, NoAnswer, NotSent
from reconciler.sandboxes.ledger.commands import Command, command_value
from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.pushes import Pushed, answer_from
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.ledger.reporting import rows_from
from reconciler.sandboxes.ledger.wire import PID_HEADER, books_from, pushed_from, selection_value


class LedgerClient:
    """A `LedgerPort` to a server at `endpoint`. Thread-safe."""

    def __init__(self, endpoint: str, token: str = "", *, timeout: int = 60) -> None:
        headers = {"Content-Type": "application/json", PID_HEADER: str(os.getpid())}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._door = HttpDoor(endpoint, headers, timeout=timeout)

    # ---- the port ----

    def books(self) -> Books:
        return books_from(self._call("books", {}))

    def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Record | Refusal]:
        body = {"commands": [command_value(command) for command in commands], "atomic": atomic}
        return [answer_from(answer) for answer in self._call("run", body, writes=True)]

    def records(self, selection: Selection, *, as_of: datetime | None = None) -> Iterator[Record]:
        body = {"selection": selection_value(selection), "as_of": instant_text(as_of) if as_of else None}
        try:
            with self._door.streamed("/records", canonical_json(body).encode()) as (status, lines):
                if status != 200:
                    raise _failed(status, "".join(lines).encode(), writes=False)
                for line in lines:
                    row = json.loads(line)
                    if isinstance(row, dict):
                        if "end" in row:
                            return
                        break
                    yield Record.from_row(row)
                raise Unavailable("the ledger server stopped in the middle of its records")
        except (NotSent, NoAnswer, ValueError) as error:
            raise Unavailable(f"the ledger server's records cannot be read: {error}") from error

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
        self._door.close()

    # ---- calls ----

    def _call(self, method: str, body: Mapping[str, Any], *, writes: bool = False) -> Any:
        try:
            status, text = self._door.post(f"/{method}", canonical_json(body).encode())
        except NotSent as error:
            raise Unavailable(f"the ledger server at {self._door.name} does not answer: {error}") from error
        except NoAnswer as error:
            raise _lost(writes, error) from error
        if status != 200:
            raise _failed(status, text, writes)
        try:
            data = parse_canonical(text)
        except ValueError as error:
            raise _lost(writes, error) from error
        if "refusal" in data:
            refusal = answer_from(data)
            assert isinstance(refusal, Refusal)
            raise refusal
        return data["result"]


def _lost(writes: bool, error: Exception) -> ProviderError:
    """No answer: a write may have happened; a read did nothing."""
    if writes:
        return Indeterminate(f"the ledger server did not answer: {error}")
    return Unavailable(f"the ledger server did not answer: {error}")


def _failed(status: int, text: bytes, writes: bool) -> ProviderError:
    try:
        words = str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        words = f"status {status}"
    if status in (429, 503):
        return Unavailable(words)
    if status in (400, 401, 404, 413):
        return Rejected(f"the ledger server refuses the call: {words}", code=str(status))
    return Indeterminate(words) if writes else Unavailable(words)

"""What a client of the ledger needs, in this process or another: `engine.Ledger` and the HTTP client have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from reconciler.sandboxes.ledger.commands import Command
from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.pushes import Pushed
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal


class LedgerPort(Protocol):
    """See `engine.Ledger` for what each method does and raises."""

    def books(self) -> Books: ...

    def run(self, commands: Sequence[Command], *, atomic: bool = False) -> list[Record | Refusal]: ...

    def records(self, selection: Selection, *, as_of: datetime | None = None) -> Iterable[Record]: ...

    def application(self, reference: str) -> Record | None: ...

    def push(self, command: Command, *, after_seconds: int, polls: int = 0) -> str: ...

    def land(self) -> int: ...

    def pushed(self, handle: str) -> Pushed: ...

    def report(self, name: str, arguments: Mapping[str, Any]) -> list[Any]: ...

    def close(self) -> None: ...

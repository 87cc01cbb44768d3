"""What a database must offer to hold the state: the seam between the portable store and a dialect.

The store's SQL is written once, with `?` for parameters; a backend translates placeholders, begins a
transaction that excludes other writers, streams rows and turns its driver's errors into StateError. It
knows nothing of bindings or intents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from reconciler.kernel.clock import Clock

Row = tuple[Any, ...]
Parameters = Sequence[Any]


class Backend(Protocol):
    """One connection to one database, used by one thread at a time: `transaction` sees to that."""

    @property
    def place(self) -> str:
        """Where the state is, for messages: a path or a URL without credentials."""
        ...

    def transaction(self, *, write: bool) -> AbstractContextManager[None]:
        """One snapshot to read from, or one atomic, durable change that excludes all other writers.

        Anything raised inside rolls it back; driver errors leave as StateError. Not re-entrant.
        """
        ...

    def query(self, sql: str, parameters: Parameters = ()) -> Iterator[Row]:
        """Rows, streamed; only inside a transaction."""
        ...

    def run(self, sql: str, parameters: Parameters = ()) -> None: ...

    def run_many(self, sql: str, rows: Sequence[Parameters]) -> None: ...

    def now(self, clock: Clock) -> datetime:
        """The wall time leases are judged by: one for all who share the database. Only inside a transaction."""
        ...

    def tables(self) -> frozenset[str]:
        """Names of the tables there are; only inside a transaction."""
        ...

    def backup(self, label: str) -> str:
        """Keep a consistent copy under a name that ends in `label`; returns where it is."""
        ...

    def close(self) -> None:
        """Idempotent."""
        ...

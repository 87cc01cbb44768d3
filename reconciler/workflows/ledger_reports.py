"""Reading a project's embedded ledger: trial balance, journal, aging, documents, tie-out. Values out.

For connections over the ledger only; nothing is written, and books that do not exist are not made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from reconciler.kernel.clock import Clock, today
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import InvalidInput, ReconcilerError

if TYPE_CHECKING:
    from reconciler.project import Project
    from reconciler.sandboxes.ledger.port import LedgerPort
    from reconciler.sandboxes.ledger.reports import (
        AccountRow,
        AgingRow,
        BalanceRow,
        DocumentLine,
        JournalRow,
        TieOutRow,
    )

LEDGERS = frozenset({"ledger", "ledger-test"})


@dataclass(frozen=True, slots=True)
class LedgerBooks:
    """Whose books they are."""

    connection: str
    company_id: str
    company: str
    base_currency: str
    closed_through: date | None


@contextmanager
def open_ledger(project: Project, clock: Clock, connection: str | None = None) -> Iterator[LedgerReader]:
    """The books behind a connection (the default one, or the only one over a ledger). Raises InvalidInput."""
    from reconciler.project import open_provider

    name = connection or _only_ledger(project)
    if name not in project.connections:
        raise InvalidInput(f"there is no connection {name!r}", hint=nearest(name, project.connections))
    provider = project.connections[name].provider
    if provider not in LEDGERS:
        raise InvalidInput(f"the connection {name!r} is to {provider}, not to the embedded ledger")
    path = project.connections[name].settings.get("path")
    if isinstance(path, str) and not (project.root / path).is_file():
        raise ReconcilerError(f"there are no books at {path} yet", hint="The first `reconciler plan` makes them.")
    opened: Any = open_provider(project, name, clock)
    try:
        yield LedgerReader(opened.port, name, clock)
    finally:
        opened.close()


def _only_ledger(project: Project) -> str:
    found = [name for name, config in project.connections.items() if config.provider in LEDGERS]
    default = project.default_connection
    if default in found:
        return default
    if len(found) == 1:
        return found[0]
    what = "no connection is to the embedded ledger" if not found else "several connections are to ledgers"
    raise InvalidInput(what, hint="Name one with --connection." if found else "")


class LedgerReader:
    """Reports over one set of books."""

    def __init__(self, port: LedgerPort, connection: str, clock: Clock) -> None:
        self._port = port
        self._connection = connection
        self._clock = clock

    def books(self) -> LedgerBooks:
        found = self._port.books()
        return LedgerBooks(
            self._connection,
            found.company_id,
            found.settings.company,
            found.settings.base_currency,
            found.closed_through,
        )

    def accounts(self) -> list[AccountRow]:
        """The chart of accounts by code, with balances in base currency."""
        return self._report("accounts")

    def trial_balance(self, as_of: date | None = None) -> list[BalanceRow]:
        """Accounts with postings, by code; in base currency, through `as_of`."""
        return self._report("trial_balance", as_of=as_of)

    def journal(
        self, since: date | None = None, until: date | None = None, document: str | None = None
    ) -> list[JournalRow]:
        """Journal lines of a period, or of one document: its id, or its number."""
        if document is not None:
            document = self._document_id(document)
        return self._report("journal", since=since, until=until, document=document)

    def aging(self, as_of: date | None = None) -> list[AgingRow]:
        """What customers owe, by age, as of a day (today)."""
        return self._report("aging", as_of=as_of or today(self._clock))

    def documents(
        self, kinds: tuple[str, ...] = (), customer: str | None = None, *, open_only: bool = False
    ) -> list[DocumentLine]:
        """Documents of some kinds (all), of one customer (all)."""
        chosen = list(kinds) or None
        return self._report("documents", kinds=chosen, customer=customer, open_only=open_only)

    def tie_out(self) -> list[TieOutRow]:
        """Open items against their control accounts; a difference other than 0 is a defect of the books."""
        return self._report("tie_out")

    def check(self) -> list[str]:
        """Broken invariants of the books, in words; none is expected."""
        return self._report("check")

    def _document_id(self, text: str) -> str:
        found = [row.id for row in self.documents() if text in (row.id, row.number)]
        if len(found) != 1:
            what = f"there is no document {text!r}" if not found else f"{text!r} is the number of several documents"
            raise InvalidInput(what, hint=f"Name one by its id: {', '.join(found)}" if found else "")
        return found[0]

    def _report(self, name: str, **arguments: Any) -> list[Any]:
        from reconciler.providers.errors import ProviderError
        from reconciler.sandboxes.ledger.refusal import BooksBusy, Refusal

        given = {key: value for key, value in arguments.items() if value is not None}
        try:
            return self._port.report(name, given)
        except (BooksBusy, ProviderError, Refusal) as error:
            raise ReconcilerError(f"the {name.replace('_', ' ')} cannot be read", why=str(error)) from error

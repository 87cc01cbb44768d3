"""The books' records as a vendor's sandbox reads them: contents by id, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property

from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import id_of
from reconciler.sandboxes.serving.books import Books


class Contents(Mapping[str, Content]):
    """The contents of a kind's records by id: one at a time when asked by id, all when asked for all."""

    def __init__(self, books: Books, kind: str) -> None:
        self._books = books
        self._kind = kind
        self._known: dict[str, Content] = {}
        self._all = False

    def __getitem__(self, own: str) -> Content:
        found = self._known.get(own)
        if found is None:
            record = None if self._all else self._books.ledger.record(self._kind, own)
            if record is None:
                raise KeyError(own)
            found = self._known[own] = decode(self._kind, record.body)
        return found

    def _read_all(self) -> dict[str, Content]:
        if not self._all:
            self._known = {record.id: decode(self._kind, record.body) for record in self._books.records(self._kind)}
            self._all = True
        return self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())


class Reading:
    """The books as they are now, read when asked for; make a new one for each use. A vendor's view inherits it."""

    def __init__(self, books: Books) -> None:
        self.books = books

    @cached_property
    def base(self) -> str:
        return self.books.ledger.settings.base_currency

    @cached_property
    def accounts(self) -> Contents:
        return Contents(self.books, "account")

    @cached_property
    def customers(self) -> Contents:
        return Contents(self.books, "customer")

    @cached_property
    def items(self) -> Contents:
        return Contents(self.books, "item")

    @cached_property
    def tax_rates(self) -> Contents:
        return Contents(self.books, "tax_rate")

    @cached_property
    def tracking(self) -> Contents:
        return Contents(self.books, "tracking_category")

    @cached_property
    def bank_accounts(self) -> Contents:
        return Contents(self.books, "bank_account")

    def rate_of(self, rate: str) -> Decimal | None:
        """A tax rate's percentage; None where there is none."""
        found: Decimal | None = self.tax_rates.get(rate, {}).get("rate")
        return found

    @cached_property
    def balances(self) -> dict[str, Decimal]:
        """Debits less credits of each account in base currency, by id."""
        with self.books.ledger.reading() as db:
            rows = db.execute("SELECT account, SUM(base) FROM lines GROUP BY account").fetchall()
        return {id_of("account", account): to_decimal(amount, self.base) for account, amount in rows}

    @cached_property
    def closed_through(self) -> str | None:
        """The last day that is closed, as an ISO date."""
        closed = self.books.ledger.books().closed_through
        return closed.isoformat() if closed else None

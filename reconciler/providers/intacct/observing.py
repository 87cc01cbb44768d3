"""Reading the books: whole kinds, or the records that are asked for, as few requests as functions allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.codec_customers import CONTACT, CUSTOMER, customer_from, referred
from reconciler.providers.intacct.codec_masters import (
    ACCOUNT,
    ITEM,
    TAX,
    TERM,
    account_from,
    bank_from,
    dimension_from,
    item_from,
    tax_from,
    term_from,
)
from reconciler.providers.intacct.codec_masters import DIMENSIONS as CATEGORIES
from reconciler.providers.intacct.directory import BANKS, Directory
from reconciler.providers.intacct.documents import Documents
from reconciler.providers.intacct.queries import Query, selecting
from reconciler.providers.intacct.wire import Row
from reconciler.providers.protocol import Observed
from reconciler.providers.protocol import Query as Asked
from reconciler.resources.kinds import KINDS

DOCUMENTS = ("invoice", "credit_note", "payment")
_MASTERS: Mapping[str, tuple[tuple[Query, ...], str]] = {
    "account": ((Query("GLACCOUNT", ACCOUNT),), "ACCOUNTNO"),
    "tax_rate": ((Query("TAXDETAIL", TAX, optional=True),), "DETAILID"),
    "payment_term": ((Query("ARTERM", TERM),), "NAME"),
    "bank_account": (BANKS, "BANKACCOUNTID"),
    "item": ((Query("ITEM", ITEM, optional=True),), "ITEMID"),
}
"""A kind → the queries of all its records, and the field that is our id of them."""
_CUSTOMERS, _CONTACTS = Query("CUSTOMER", CUSTOMER), Query("CONTACT", CONTACT)
_OPEN = ("draft", "posted", "part_settled")


@dataclass(slots=True)
class Observer:
    """Reads one connection's books. Thread-safe: it keeps nothing."""

    gateway: Gateway
    directory: Directory
    documents: Documents

    def observe(self, asked: Asked) -> Iterator[Observed]:
        """Every record of the kinds asked for, masters first."""
        for kind in KINDS:
            if kind not in asked.kinds or (asked.references and kind not in DOCUMENTS):
                continue
            for observed in self._kind(kind, asked):
                if not (asked.open_only and kind in DOCUMENTS and observed.phase not in _OPEN):
                    yield observed

    def _kind(self, kind: str, asked: Asked) -> Iterable[Observed]:
        ids = asked.ids or None
        if kind in _MASTERS:
            return self.masters(kind, ids)
        match kind:
            case "tracking_category":
                return self._dimensions(ids)
            case "customer":
                return self.customers(ids)
            case "invoice":
                return self.documents.invoices(ids, asked.references)
            case "credit_note":
                return self.documents.credit_notes(ids, asked.references)
            case "payment":
                return self.documents.payments(ids, asked.references)
            case _:
                return ()

    # ---- masters ----

    def masters(self, kind: str, ids: Sequence[str] | None) -> Iterator[Observed]:
        queries, name = _MASTERS[kind]
        wanted = (
            list(queries) if ids is None else [part for query in queries for part in selecting(query, name, ids)]
        )
        for rows in self.gateway.queries(*wanted):
            for row in rows:
                if row.get(name):
                    yield self._master(kind, row)

    def _master(self, kind: str, row: Row) -> Observed:
        match kind:
            case "account":
                return account_from(row)
            case "bank_account":
                return bank_from(row, self.directory.base_currency)
            case "payment_term":
                return term_from(row)
            case "item":
                return item_from(row)
            case _:
                return tax_from(row)

    def _dimensions(self, ids: Sequence[str] | None) -> Iterator[Observed]:
        for category in CATEGORIES:
            values = self.directory.values(category)
            if values and (ids is None or category in ids):
                yield dimension_from(category, list(values.values()))

    def customer_rows(self, ids: Sequence[str] | None) -> tuple[list[Row], dict[str, Row]]:
        """Customers, and by name the contacts of their own that they refer to."""
        wanted = [_CUSTOMERS] if ids is None else selecting(_CUSTOMERS, "CUSTOMERID", ids)
        rows = [row for some in self.gateway.queries(*wanted) for row in some if row.get("CUSTOMERID")]
        names = [name for row in rows for name in referred(row).values()]
        contacts = self.gateway.queries(*selecting(_CONTACTS, "CONTACTNAME", names))
        return rows, {row.get("CONTACTNAME", ""): row for some in contacts for row in some}

    def customers(self, ids: Sequence[str] | None) -> Iterator[Observed]:
        rows, contacts = self.customer_rows(ids)
        for row in rows:
            yield customer_from(row, contacts)

    def contacts_there(self, names: Sequence[str]) -> dict[str, str]:
        """Which of these contacts there are: name → record number."""
        found = self.gateway.queries(*selecting(_CONTACTS, "CONTACTNAME", names))
        return {row.get("CONTACTNAME", ""): row.get("RECORDNO", "") for some in found for row in some}

"""Reading the books out of Rutter's cache, synced first: whole kinds, or the records that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from reconciler.providers.memo import parted
from reconciler.providers.protocol import Observed, Query
from reconciler.providers.rutter.codec_invoices import credit_from, invoice_from
from reconciler.providers.rutter.codec_masters import (
    account_from,
    bank_from,
    customer_from,
    dimension_from,
    item_from,
    tax_from,
    term_from,
)
from reconciler.providers.rutter.codec_payments import own_reference, payment_from
from reconciler.providers.rutter.directory import DIMENSIONS, Directory
from reconciler.providers.rutter.shelves import Shelves
from reconciler.providers.rutter.wire import Row, amount_of, instant_of, short_mark
from reconciler.resources.kinds import KINDS, Content

RESOURCES: Mapping[str, tuple[str, str]] = {
    "account": ("accounts", "account"),
    "tax_rate": ("tax_rates", "tax_rate"),
    "payment_term": ("payment_terms", "payment_term"),
    "bank_account": ("accounts", "account"),
    "item": ("items", "item"),
    "customer": ("customers", "customer"),
    "invoice": ("invoices", "invoice"),
    "credit_note": ("invoice_credit_memos", "invoice_credit_memo"),
    "payment": ("invoice_payments", "invoice_payment"),
}
"""Our kind → the resource, and the key that one record of it stands under."""
DOCUMENTS = ("invoice", "credit_note", "payment")
_ALL = tuple(kind for kind in KINDS if kind in RESOURCES or kind == "tracking_category")
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "invoice": ("tax_rates", "classes", "locations"),
    "credit_note": ("tax_rates", "classes"),
    "payment": ("payment_methods",),
    "tracking_category": tuple(resource for resource, _, _ in DIMENSIONS.values()),
}
"""Resources that a kind cannot be understood without."""
_OPEN = ("draft", "posted", "part_settled")
_FEW = 4
"""So many records are asked for one by one; more are listed."""


@dataclass(slots=True)
class Observer:
    """Reads one connection's books. Thread-safe."""

    shelves: Shelves
    directory: Directory
    attachments: bool
    inverse: bool
    """A payment's rate counts units per base."""

    def observe(self, query: Query) -> Iterator[Observed]:
        """Every record of the query's kinds, masters first."""
        kinds = [kind for kind in _ALL if kind in query.kinds]
        if kinds:
            self.shelves.synced(name for kind in kinds for name in self.needs(kind))
        for kind in kinds:
            yield from self._kind(kind, query)

    @staticmethod
    def needs(kind: str) -> tuple[str, ...]:
        """The resources that a kind is read from."""
        own = (RESOURCES[kind][0],) if kind in RESOURCES else ()
        return (*own, *_BESIDE.get(kind, ()))

    def _kind(self, kind: str, query: Query) -> Iterator[Observed]:
        if kind == "tracking_category":
            yield from self._dimensions(query)
            return
        if query.references and kind not in DOCUMENTS:
            return
        for row in self.rows(kind, query):
            if query.since is not None and not _changed(row, query.since):
                continue
            observed = self.observed(kind, row)
            if observed is None or (query.open_only and kind in DOCUMENTS and observed.phase not in _OPEN):
                continue
            yield observed

    def rows(self, kind: str, query: Query) -> Iterable[Row]:
        """A kind's rows that a query asks for."""
        resource, wrapper = RESOURCES[kind]
        if query.ids and not query.references and not self.shelves.is_fresh(resource) and len(query.ids) <= _FEW:
            self.shelves.synced([resource])
            found = [self.shelves.one(resource, wrapper, id_) for id_ in query.ids]
            return [row for row in found if row is not None]
        self.shelves.caught_up(resource)
        rows = list(self.shelves.rows(resource).values())
        if not query.ids and not query.references:
            return rows
        ids, marks = set(query.ids), {short_mark(one).lower() for one in query.references}
        return [row for row in rows if str(row.get("id")) in ids or mark_of(kind, row) in marks]

    def _dimensions(self, query: Query) -> Iterator[Observed]:
        if query.references:
            return
        for category in DIMENSIONS:
            if not query.ids or category in query.ids:
                values = self.directory.values(category)
                if values:
                    yield dimension_from(category, values)

    def observed(self, kind: str, row: Row, *, files: list[Content] | None = None) -> Observed | None:
        """A row as the core sees it; None where it is not of the kind. `files`: where they are known already."""
        match kind:
            case "account":
                return account_from(row)
            case "bank_account":
                return bank_from(row) if row.get("account_type") == "bank" else None
            case "tax_rate":
                return tax_from(row)
            case "payment_term":
                return term_from(row)
            case "item":
                return item_from(row)
            case "customer":
                return customer_from(row)
            case "credit_note":
                return credit_from(row, self.directory)
            case "payment":
                return payment_from(row, self.directory, self._linked, inverse=self.inverse)
            case _:
                return invoice_from(row, self.directory, self._files(row) if files is None else files)

    def _linked(self, invoice: str, payment: str) -> Decimal | None:
        """What an invoice says a payment settles of it, where the payment itself does not say."""
        row = self.shelves.rows("invoices").get(invoice)
        links = row.get("linked_payments") if row is not None else None
        shares = [amount_of(one.get("allocated_amount")) for one in links or () if str(one.get("id")) == payment]
        return next((share for share in shares if share is not None), None)

    # ---- attachments ----

    def _files(self, row: Row) -> list[Content]:
        """The files of an invoice of ours: one call an invoice, where the connection carries them."""
        if not self.attachments or parted(row.get("memo"))[0] is None:
            return []
        return [{"name": name, "path": name} for name in self.files_of(str(row.get("id")))]

    def files_of(self, invoice: str) -> list[str]:
        """Names of what is attached. Raises ProviderError."""
        listing = self.shelves.rutter.listing(f"accounting/invoices/{invoice}/attachments", "attachments")
        return [str(row.get("file_name")) for row in listing.rows.values()]


def mark_of(kind: str, row: Row) -> str | None:
    """The tag of the reference that a document carries, in lower case; None where it has none."""
    reference = own_reference(row) if kind == "payment" else parted(row.get("memo"))[0]
    return short_mark(reference).lower() if reference else None


def _changed(row: Row, since: datetime) -> bool:
    changed = instant_of(row.get("last_synced_at"))
    return changed is None or changed >= since

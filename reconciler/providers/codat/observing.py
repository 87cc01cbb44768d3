"""Reading the books out of Codat's cache: whole kinds, or the records that are asked for. Refreshed first.

What credit notes and payments settle is told by every payment there is: payments of nothing are what apply credit
notes, and are not shown as payments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.providers.codat.calls import NotSynced, Row
from reconciler.providers.codat.codec_invoices import document_from
from reconciler.providers.codat.codec_masters import (
    account_from,
    bank_from,
    customer_from,
    item_from,
    tax_from,
    tracking_from,
)
from reconciler.providers.codat.codec_payments import Settlement, is_money, payment_from
from reconciler.providers.codat.datasets import Datasets
from reconciler.providers.codat.directory import Directory
from reconciler.providers.codat.wire import instant_of, live, tag_text
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import parted
from reconciler.providers.protocol import Observed, Query
from reconciler.resources.kinds import Content

TYPES: Mapping[str, str] = {
    "account": "chartOfAccounts",
    "tax_rate": "taxRates",
    "tracking_category": "trackingCategories",
    "bank_account": "bankAccounts",
    "item": "items",
    "customer": "customers",
    "invoice": "invoices",
    "credit_note": "creditNotes",
    "payment": "payments",
}
"""Our kind → Codat's data type."""
DOCUMENTS = ("invoice", "credit_note", "payment")
_BESIDE: Mapping[str, tuple[str, ...]] = {
    "credit_note": ("payments",),
    "bank_account": ("chartOfAccounts",),
}
"""Data types that a kind cannot be understood without."""
_OPEN = ("draft", "posted", "part_settled")


@dataclass(slots=True)
class Observer:
    """Reads one company's books. Thread-safe."""

    datasets: Datasets
    directory: Directory
    receivables: Collection[str]
    attachments: bool

    def observe(self, query: Query) -> Iterator[Observed]:
        """Every record of the query's kinds, masters first."""
        self.fresh([kind for kind in TYPES if kind in query.kinds])
        yield from self.read(query)

    def read(self, query: Query) -> Iterator[Observed]:
        """The same, out of what was pulled last."""
        for kind in TYPES:
            if kind in query.kinds:
                yield from self._kind(kind, query)

    def fresh(self, kinds: Iterable[str], *, as_of: datetime | None = None, ours: bool = True) -> datetime:
        """Make what these kinds are read from fresh; as of when it is."""
        types = dict.fromkeys(name for kind in kinds for name in (TYPES[kind], *_BESIDE.get(kind, ())))
        if as_of is None:
            return self.datasets.fresh(list(types), ours=ours)
        return self.datasets.fresh(list(types), as_of=as_of, ours=ours)

    def _kind(self, kind: str, query: Query) -> Iterator[Observed]:
        if query.references and kind not in DOCUMENTS:
            return
        settlement = (
            Settlement.of(self.datasets.rows("payments").values()) if kind in ("credit_note", "payment") else None
        )
        for row in self.rows(kind, query):
            observed = self._observed(kind, row, settlement)
            if observed is None or (query.open_only and kind in DOCUMENTS and observed.phase not in _OPEN):
                continue
            yield observed

    def rows(self, kind: str, query: Query) -> Iterable[Row]:
        """A kind's rows that a query asks for."""
        name = TYPES[kind]
        few = query.ids or query.references
        if few and kind != "payment" and not self.datasets.holds_all(name):
            wanted = [f"id={id_}" for id_ in query.ids if _plain(id_)]
            wanted += [f"note~{tag_text(one)}" for one in query.references]
            found: Iterable[Row] = self.datasets.some(name, wanted)
        else:
            found = self.datasets.rows(name).values()
        ids, tags = set(query.ids), {tag_text(one).lower() for one in query.references}
        for row in found:
            if few and not (str(row.get("id")) in ids or _tag_of(row) in tags):
                continue
            if query.since is not None and not _changed(row, query.since):
                continue
            yield row

    def one(self, kind: str, id_: str) -> Row | None:
        """A live record as it was pulled last."""
        return next((row for row in self.rows(kind, Query((kind,), ids=(id_,))) if live(row)), None)

    def _observed(self, kind: str, row: Row, settlement: Settlement | None) -> Observed | None:
        own = str(row.get("id"))
        if not live(row) and kind not in ("invoice", "credit_note"):
            return None
        match kind:
            case "account":
                return account_from(row, self.receivables)
            case "tax_rate":
                return tax_from(row)
            case "tracking_category":
                values = self.directory.categories().get(own)
                return None if values is None else tracking_from(row, list(values))
            case "bank_account":
                return bank_from(row, self.directory.account_behind(row))
            case "item":
                return item_from(row)
            case "customer":
                return customer_from(row)
            case "payment":
                assert settlement is not None
                return payment_from(row, settlement, self.directory) if is_money(row) else None
            case _:
                given = settlement.allocations(kind, own) if settlement is not None else ()
                return document_from(kind, row, self.directory, given, self._files(kind, row))

    # ---- attachments ----

    def _files(self, kind: str, row: Row) -> list[Content]:
        """The files attached to an invoice of ours; they are read live, one call an invoice."""
        if not self.attachments or kind != "invoice" or parted(row.get("note"))[0] is None or not live(row):
            return []
        return [{"name": name, "path": name} for name in self.files_of(str(row.get("id")))]

    def files_of(self, invoice: str) -> list[str]:
        try:
            data = self.datasets.codat.get(f"data/invoices/{invoice}/attachments", of_connection=True)
        except (NotSynced, Rejected):
            return []
        rows = data.get("attachments") if isinstance(data, Mapping) else None
        return [str(row.get("name") or row.get("fileName")) for row in rows or () if isinstance(row, Mapping)]


def _plain(id_: str) -> bool:
    """An id that can stand in a query."""
    return not set(id_) & set("{}&|<>=!~")


def _tag_of(row: Row) -> str | None:
    reference = parted(row.get("note"))[0]
    return tag_text(reference).lower() if reference else None


def _changed(row: Row, since: datetime) -> bool:
    changed = instant_of(row.get("modifiedDate"))
    return changed is None or changed >= since

"""Reading transactions: by id, by reference, or all of some kinds, page by page; and what sources settle.

A listing is read until a page is empty: how many rows a page has is not documented. Each transaction counts once,
however pages move. Thread-safe: what is remembered never changes in AccountsIQ.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element

from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.entries import TYPES, Entry, entry_from, invoice_id_of
from reconciler.providers.accountsiq.envelope import Row, nil, node
from reconciler.providers.accountsiq.wire import EARLIEST, LATEST, amount, day_of, day_text, id_of
from reconciler.providers.errors import Unavailable
from reconciler.providers.protocol import LiveAllocation

FEW = 3
"""So many records are asked for one by one; for more a list is read."""
_MOST_IDS = 500
_MOST_PAGES = 5_000
_MOST_PASSES = 6
_DISCOUNT = "DS"


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a transaction's allocations: the other side, how much, when."""

    other: str
    amount: Decimal
    on: date | None
    type: str
    reference: str | None


Links = dict[str, list[Link]]
"""By transaction."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a transaction is to us."""

    kind: str
    remote_id: str


@dataclass(slots=True)
class Transactions:
    """One entity's sales ledger."""

    accountsiq: AccountsIQ
    base_currency: str
    _places: dict[str, Place | None] = field(default_factory=dict)
    _of_items: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # ---- listings ----

    def listed(
        self,
        kinds: Collection[str],
        *,
        first: date = EARLIEST,
        last: date = LATEST,
        accounts: Collection[str] = (),
    ) -> Iterator[Entry]:
        """Every transaction of some kinds that is dated from `first` to `last`, of some accounts or all."""
        yield from self._pages(kinds, first, last, accounts, ())

    def by_ids(self, ids: Iterable[str], kinds: Collection[str] = tuple(TYPES)) -> list[Entry]:
        """Transactions by their own ids, those that there are."""
        wanted = sorted({id_ for id_ in ids if id_.isascii() and id_.isdigit()}, key=int)
        found: list[Entry] = []
        for start in range(0, len(wanted), _MOST_IDS):
            some = wanted[start : start + _MOST_IDS]
            found += [one for one in self._pages(kinds, EARLIEST, LATEST, (), some) if one.id in some]
        return found

    def by_references(self, references: Collection[str], kinds: Collection[str]) -> list[Entry]:
        """Transactions that carry one of some references, whatever became of its case."""
        marks = {mark_of(one) for one in references}
        if len(references) > FEW:
            return [one for one in self.listed(kinds) if mark_of(one.reference) in marks]
        found: dict[str, Entry] = {}
        for reference in references:
            query = node(
                "query",
                node("ExternalReference", reference),
                node("FromDate", day_text(EARLIEST)),
                node("ToDate", day_text(LATEST, end=True)),
                node("TypesFilter", *(node("string", TYPES[kind]) for kind in kinds)),
                node("AccountIDsFilter"),
                node("TransactionIDsFilter"),
                node("DepartmentIDsFilter"),
            )
            rows = self.accountsiq.read("GetTransactionsByExternalReference", query).rows()
            for entry in self._understood(rows):
                if mark_of(entry.reference) in marks and entry.kind in kinds:
                    found[entry.id] = entry
        return list(found.values())

    def _pages(
        self, kinds: Collection[str], first: date, last: date, accounts: Collection[str], ids: Collection[str]
    ) -> Iterator[Entry]:
        """Every transaction of a listing. One of several pages is read again until nothing new turns up: what is
        posted or reversed meanwhile moves others from page to page."""
        seen: set[str] = set()
        for _ in range(_MOST_PASSES):
            before, pages, skip = len(seen), 0, 0
            while pages < _MOST_PAGES:
                rows = self.accountsiq.read(
                    "GetTransactionsBy", _query(kinds, first, last, accounts, ids, skip)
                ).rows()
                for entry in self._understood(rows):
                    if entry.id not in seen and entry.kind in kinds:
                        seen.add(entry.id)
                        yield entry
                skip += len(rows)
                if not rows or (ids and len(seen) >= len(ids)):
                    break
                pages += 1
            else:
                raise Unavailable("the list of transactions has no end")
            if pages < 2 or len(seen) == before or not self.accountsiq.settings.verify_pages:
                return
        raise Unavailable("transactions keep moving from page to page: nothing sure can be said of what there is")

    def _understood(self, rows: Iterable[Row]) -> Iterator[Entry]:
        for row in rows:
            entry = entry_from(row, self.base_currency)
            id_ = id_of(row, "TransactionID")
            if id_ is not None:
                with self._lock:
                    self._places[id_] = Place(entry.kind, entry.remote_id) if entry is not None else None
                    if entry is not None and entry.invoice_id:
                        self._of_items[entry.invoice_id] = id_
            if entry is not None:
                yield entry

    # ---- ids ----

    def transaction_of(self, remote_id: str) -> str | None:
        """The transaction of a document; None for an item document that is not posted."""
        invoice = invoice_id_of(remote_id)
        if invoice is None:
            return remote_id
        with self._lock:
            known = self._of_items.get(invoice)
        return known or self._asked(invoice)

    def _asked(self, invoice: str) -> str | None:
        found = self.accountsiq.find("GetTransactionByInvoiceID", node("invoiceID", invoice))
        line = next(found.rows("Lines"), None) if found is not None else None
        id_ = id_of(line, "TransactionID") if line is not None else None
        if id_ is not None:
            self.posted(invoice, id_)
        return id_

    def posted(self, invoice: str, transaction: str) -> None:
        """Remember which transaction an item document became."""
        with self._lock:
            self._of_items[invoice] = transaction

    def places(self, ids: Iterable[str]) -> Mapping[str, Place | None]:
        """What transactions are, by id."""
        wanted = set(ids)
        with self._lock:
            missing = wanted - self._places.keys()
        if missing:
            self.by_ids(missing)
        with self._lock:
            for id_ in missing:
                self._places.setdefault(id_, None)  # of a type that is not ours to know
            return {id_: self._places.get(id_) for id_ in wanted}

    # ---- what is settled ----

    def settled_by(self, entries: Collection[Entry]) -> Mapping[str, tuple[LiveAllocation, ...]]:
        """What receipts and credit notes settle, by transaction; what is open to its total settles nothing."""
        sources = {one.id: one for one in entries if one.kind != "invoice" and one.open != one.total}
        if not sources:
            return {}
        links: Links = {}
        if len(sources) > FEW:
            self._link_all(links)
        else:
            self._link(sources, links)
        targets = {link.other for id_ in sources for link in links.get(id_, ())}
        places = self.places(targets)
        if self.accountsiq.settings.discounts:
            self._link((id_ for id_ in targets if _is_invoice(places.get(id_)) and id_ not in links), links)
        discounts = self.accountsiq.settings.discounts
        return {id_: _merged(one, links, places, discounts=discounts) for id_, one in sources.items()}

    def _link(self, ids: Iterable[str], links: Links) -> None:
        for id_ in sorted(ids):
            rows = self.accountsiq.read("GetAllocationsByTransactionId", node("transactionId", id_)).rows()
            links[id_] = [link for row in rows if id_of(row, "TransactionID") == id_ for link in _links(row)]

    def _link_all(self, links: Links) -> None:
        skip = 0
        for _ in range(_MOST_PAGES):
            query = node(
                "query",
                node("FromCreationDate", day_text(EARLIEST)),
                node("ToCreationDate", day_text(LATEST, end=True)),
                node("Skip", str(skip)),
            )
            rows = self.accountsiq.read("GetAllocationsForTransactionsCreatedBetween", query).rows()
            for row in rows:
                id_ = id_of(row, "TransactionID")
                if id_ is not None:
                    links[id_] = list(_links(row))
            skip += len(rows)
            if not rows:
                return
        raise Unavailable("the list of allocations has no end")


def mark_of(reference: str | None) -> str | None:
    """What tells a reference apart: its tag in lower case, else all of it."""
    return tag_in(reference) or reference


def _query(
    kinds: Collection[str], first: date, last: date, accounts: Collection[str], ids: Collection[str], skip: int
) -> Element:
    """A query of transactions: its dates may not be left out."""
    return node(
        "query",
        node("FromDate", day_text(first)),
        node("ToDate", day_text(last, end=True)),
        node("FromCreationDate", day_text(EARLIEST)),
        node("ToCreationDate", day_text(LATEST, end=True)),
        node("Skip", str(skip)),
        node("TypesFilter", *(node("string", TYPES[kind]) for kind in kinds)),
        node("AccountIDsFilter", *(node("int", one) for one in accounts)),
        node("TransactionIDsFilter", *(node("int", one) for one in ids)),
        node("DepartmentIDsFilter"),
        nil("FromPeriodDate"),
        nil("ToPeriodDate"),
        node("ExcludeReconciliationInformation", "true"),
    )


def _links(row: Row) -> Iterator[Link]:
    for entry in row.rows("AllocationEntries"):
        other = id_of(entry, "AllocatedToTransactionID")
        if other is not None:
            yield Link(
                other,
                abs(amount(entry, "AllocationAmount")),
                day_of(entry, "AllocationDate"),
                (entry.text("AllocatedToTransactionType") or "").strip().upper(),
                entry.text("AllocatedToExternalReference"),
            )


def _is_invoice(place: Place | None) -> bool:
    return place is not None and place.kind == "invoice"


def _merged(
    source: Entry, links: Links, places: Mapping[str, Place | None], *, discounts: bool
) -> tuple[LiveAllocation, ...]:
    """One allocation per target that is ours to know; the first one's date."""
    found: dict[tuple[str, str], LiveAllocation] = {}
    for link in links.get(source.id, ()):
        place = places.get(link.other)
        if place is None or not link.amount:
            continue
        key = (place.kind, place.remote_id)
        given, on = link.amount, link.on
        before = found.get(key)
        if before is not None:
            given, on = given + before.amount, before.date
        discount = _discount(source, links.get(link.other, ())) if discounts else ZERO
        found[key] = LiveAllocation(place.kind, place.remote_id, given, on, discount=discount)
    return tuple(found[key] for key in sorted(found))


def _discount(source: Entry, links: Iterable[Link]) -> Decimal:
    """What an invoice was discounted by with a source: discounts that carry the source's own reference."""
    mark = mark_of(source.reference)
    mine = [link for link in links if mark and link.type == _DISCOUNT and mark_of(link.reference) == mark]
    return sum((link.amount for link in mine), ZERO)

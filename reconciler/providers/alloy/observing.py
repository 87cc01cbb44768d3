"""Reading the books: whole kinds out of Alloy's cache, and by id what the cache cannot show as it is now.

A listing is as old as the last poll. What the state is bound to, and was written since, or is not listed, is read
by its id. What payments settle is asked of the ERP behind, where it can be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.providers.alloy.calls import Alloy
from reconciler.providers.alloy.codec_invoices import invoice_from
from reconciler.providers.alloy.codec_masters import (
    account_from,
    bank_from,
    categories_of,
    customer_from,
    is_bank,
    item_from,
    tax_from,
    tracking_from,
)
from reconciler.providers.alloy.codec_payments import is_received, payment_from
from reconciler.providers.alloy.native import Native, NativePayment
from reconciler.providers.alloy.wire import Row, live, tag_text
from reconciler.providers.errors import Stale
from reconciler.providers.protocol import Observed, Query

DOCUMENTS = ("invoice", "payment")
KINDS = ("account", "tax_rate", "tracking_category", "bank_account", "item", "customer", *DOCUMENTS)
_RESOURCE = {"bank_account": "account"}
_OPEN = ("draft", "posted", "part_settled")
_FEW = 10
"""So many records are looked for one by one; more by reading the whole listing."""
_CLOCKS_APART = timedelta(minutes=5)
_PLAIN: Mapping[str, Callable[[Row], Observed]] = {
    "account": account_from,
    "bank_account": bank_from,
    "item": item_from,
    "customer": customer_from,
    "tax_rate": tax_from,
}


@dataclass(slots=True)
class Observer:
    """Reads one company's books. Thread-safe."""

    alloy: Alloy
    native: Native | None
    base_currency: str
    _invoices: dict[str, str] = field(default_factory=dict)
    """The ERP's own id of an invoice → Alloy's."""
    _tracking: dict[str, Row] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self) -> None:
        """Forget what people may have changed since."""
        with self._lock:
            self._tracking = None

    def observe(self, query: Query) -> Iterator[Observed]:
        """Every record of the query's kinds, masters first. Raises ProviderError."""
        listed: dict[str, list[Row]] = {}
        for kind in KINDS:
            if kind not in query.kinds or (query.references and kind not in DOCUMENTS):
                continue
            if kind == "tracking_category":
                yield from self._tracked(query)
                continue
            resource = _RESOURCE.get(kind, kind)
            if resource not in listed:
                listed[resource] = list(self._rows(resource, query))
            for observed in self.understood(kind, listed[resource], query):
                if not (query.open_only and kind in DOCUMENTS and observed.phase not in _OPEN):
                    yield observed

    def understood(self, kind: str, rows: Iterable[Row], query: Query) -> Iterator[Observed]:
        """Alloy's rows as the core sees them."""
        if kind == "payment":
            yield from self._payments([row for row in rows if is_received(row)], query)
            return
        for row in rows:
            if kind == "invoice":
                self._learn([row])
                tracked = self.categories() if _refers(row) else {}
                yield invoice_from(row, self.base_currency, tracked)
            elif live(row) and (kind != "bank_account" or is_bank(row)):
                yield _PLAIN[kind](row)

    def _rows(self, kind: str, query: Query) -> Iterable[Row]:
        if query.ids:
            return self.alloy.some(kind, query.ids).values()
        if query.references:
            return self._referring(kind, query.references)
        listing = self.alloy.listing(kind)
        rows = listing.rows
        kinds = (kind, "bank_account") if kind == "account" else (kind,)
        late = [
            known.remote_id
            for known in query.known
            if known.kind in kinds
            and (known.remote_id not in rows or known.written_at + _CLOCKS_APART >= listing.as_of)
        ]
        fresh = self.alloy.some(kind, late) if late else {}
        for id_ in late:
            rows.pop(id_, None)
        return {**rows, **fresh}.values()

    def _referring(self, kind: str, references: Collection[str]) -> Iterable[Row]:
        """Documents that carry a reference: an invoice in its memo, a payment where the ERP has a place for it."""
        tags = {tag_text(one).lower() for one in references}
        if kind == "invoice":
            if len(tags) <= _FEW:
                found = [self.alloy.listing(kind, {"memoContains": tag}).rows for tag in sorted(tags)]
                ids = {id_ for rows in found for id_ in rows}
            else:
                rows = self.alloy.listing(kind).rows
                ids = {id_ for id_, row in rows.items() if str(row.get("memo") or "").lower()[-17:] in tags}
            return self.alloy.some(kind, ids).values()
        if self.native is None:
            return []
        mine = self.native.find("payment", references) or {}
        remote = {one for ids in mine.values() for one in ids}
        return self.alloy.some(kind, self.listed_as(kind, remote).values()).values()

    def listed_as(self, kind: str, remote: Collection[str]) -> dict[str, str]:
        """The ERP's own ids → Alloy's, as far as the cache has them."""
        if len(remote) <= _FEW:
            rows = [row for one in remote for row in self.alloy.listing(kind, {"remoteId": one}).rows.values()]
        else:
            rows = list(self.alloy.listing(kind).rows.values())
        return {str(row.get("remoteId")): str(row.get("id")) for row in rows if str(row.get("remoteId")) in remote}

    # ---- payments ----

    def _payments(self, rows: list[Row], query: Query) -> Iterator[Observed]:
        natives: Mapping[str, NativePayment] = {}
        if self.native is not None and rows:
            natives = self.native.read([str(row.get("remoteId")) for row in rows if live(row)])
            self._resolve({invoice for payment in natives.values() for invoice in payment.settled}, query)
        for row in rows:
            yield payment_from(row, self.base_currency, natives.get(str(row.get("remoteId"))), self._invoices.get)

    def _resolve(self, remote: set[str], query: Query) -> None:
        """Learn which invoices of Alloy's these are; what is neither listed nor known stays unknown."""
        unknown = remote - self._invoices.keys()
        if unknown:
            found = self.listed_as("invoice", unknown)
            with self._lock:
                self._invoices.update(found)
        if remote - self._invoices.keys():
            ids = [known.remote_id for known in query.known if known.kind == "invoice"]
            self._learn(self.alloy.some("invoice", set(ids) - set(self._invoices.values())).values())

    def _learn(self, invoices: Iterable[Row]) -> None:
        with self._lock:
            self._invoices.update({str(row["remoteId"]): str(row["id"]) for row in invoices if row.get("remoteId")})

    def invoice_at_erp(self, id_: str) -> str:
        """An invoice's own id in the ERP. Raises Stale when there is no such invoice."""
        with self._lock:
            known = next((remote for remote, ours in self._invoices.items() if ours == id_), None)
        if known is not None:
            return known
        row = self.alloy.one("invoice", id_)
        if row is None or not live(row) or not row.get("remoteId"):
            raise Stale(f"the invoice {id_} is no longer there")
        self._learn([row])
        return str(row["remoteId"])

    # ---- tracking ----

    def categories(self) -> dict[str, dict[str, str]]:
        return categories_of(self._tracking_rows().values())

    def _tracking_rows(self) -> dict[str, Row]:
        with self._lock:
            if self._tracking is None:
                self._tracking = self.alloy.listing("tracking_category").rows
            return self._tracking

    def _tracked(self, query: Query) -> Iterator[Observed]:
        for category, values in self.categories().items():
            if not query.ids or category in query.ids:
                yield tracking_from(category, values, self._tracking_rows().get(category))


def _refers(row: Row) -> bool:
    """Whether a line of the invoice is tracked."""
    lines = [line for line in row.get("lineItems") or () if isinstance(line, Mapping)]
    return any(line.get("trackingCategoryId") or line.get("trackingCategoryIds") for line in lines)

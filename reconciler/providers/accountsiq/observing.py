"""Reading the books: master records from lists, documents from the ledger, item documents with their lines."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.kernel.identity import tag_in
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.codec_documents import Arithmetic, document_from, own_words, payment_from
from reconciler.providers.accountsiq.codec_masters import (
    account_from,
    bank_from,
    customer_from,
    dimension_from,
    item_from,
    tax_from,
    term_from,
)
from reconciler.providers.accountsiq.directory import Directory
from reconciler.providers.accountsiq.entries import TYPES, Entry, invoice_id_of
from reconciler.providers.accountsiq.envelope import Row, node
from reconciler.providers.accountsiq.items import WORDS, draft_from, item_lines, memo_of, retrieved
from reconciler.providers.accountsiq.transactions import FEW, Transactions
from reconciler.providers.accountsiq.wire import EARLIEST, LATEST, boolean, day_text, id_of
from reconciler.providers.errors import Unavailable
from reconciler.providers.protocol import LiveAllocation, Observed, Query
from reconciler.resources.kinds import KINDS, Content

DOCUMENTS = tuple(TYPES)
_OPEN = ("draft", "posted", "part_settled")
_LISTS = {
    "account": "GetChartOfAccounts",
    "payment_term": "GetCreditTermList",
    "bank_account": "GetBankList",
    "item": "GetStockItemList",
    "customer": "GetCustomerList",
}


@dataclass(slots=True)
class Observer:
    """Reads one entity's books. Thread-safe."""

    accountsiq: AccountsIQ
    directory: Directory
    transactions: Transactions
    arithmetic: Arithmetic
    _items: dict[tuple[str, str], Row] = field(default_factory=dict)
    """Item documents that are posted, which never change, by kind and InvoiceID."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def observe(self, query: Query) -> Iterator[Observed]:
        """Every record of the query's kinds, masters first."""
        for kind in KINDS:
            if kind in query.kinds and kind not in DOCUMENTS and not query.references:
                yield from self._masters(kind, query)
        documents = [kind for kind in DOCUMENTS if kind in query.kinds]
        if documents:
            for observed in self._documents(documents, query):
                if not query.open_only or observed.phase in _OPEN:
                    yield observed

    # ---- masters ----

    def _masters(self, kind: str, query: Query) -> Iterator[Observed]:
        wanted = set(query.ids)
        for observed in self._all(kind, wanted):
            if not wanted or observed.remote_id in wanted:
                yield observed

    def _all(self, kind: str, wanted: Collection[str]) -> Iterable[Observed]:
        match kind:
            case "tax_rate":
                return [tax_from(tax.row, tax.percent) for tax in self.directory.taxes().values()]
            case "tracking_category":
                return [dimension_from(id_, row) for id_, row in self.directory.dimensions()]
            case "tracking_set":
                return self.directory.sets().values()
            case "customer":
                return self._customers(wanted)
            case _ if kind in _LISTS:
                codec = {
                    "account": account_from,
                    "payment_term": term_from,
                    "bank_account": bank_from,
                    "item": item_from,
                }
                return [codec[kind](row) for row in self.accountsiq.read(_LISTS[kind]).rows()]
            case _:
                return ()

    def _customers(self, wanted: Collection[str]) -> list[Observed]:
        if 0 < len(wanted) <= FEW:
            found = [self.accountsiq.find("GetCustomer", node("customerCode", code)) for code in sorted(wanted)]
            rows = [row for row in found if row is not None]
        else:
            rows = self.accountsiq.read("GetCustomerList").rows()
        self.directory.learn(rows)
        return [self.customer(row) for row in rows]

    def customer(self, row: Row) -> Observed:
        return customer_from(row, zero_is_none=self.accountsiq.settings.credit_limit_zero == "none")

    # ---- documents ----

    def _documents(self, kinds: Collection[str], query: Query) -> Iterator[Observed]:
        if not query.ids and not query.references:
            yield from self.understood(list(self.transactions.listed(kinds)))
            return
        entries: dict[str, Entry] = {}
        unposted: list[tuple[str, str]] = []
        if query.ids:
            numbers: list[str] = []
            for id_ in query.ids:
                number = self.transactions.transaction_of(id_)
                if number is None:
                    unposted += [(kind, id_) for kind in kinds if kind in WORDS]
                else:
                    numbers.append(number)
            ids = set(query.ids)
            entries |= {one.id: one for one in self.transactions.by_ids(numbers, kinds) if one.remote_id in ids}
        if query.references:
            found = self.transactions.by_references(query.references, kinds)
            entries |= {one.id: one for one in found}
        yield from self.understood(list(entries.values()))
        for kind, id_ in unposted:
            draft = self.draft(kind, id_)
            if draft is not None:
                yield draft

    def draft(self, kind: str, remote_id: str) -> Observed | None:
        """An item document that is saved and not posted."""
        row = retrieved(self.accountsiq, kind, invoice_id_of(remote_id) or "0")
        return None if row is None else draft_from(kind, row, self.directory, self.arithmetic)

    def understood(self, entries: Collection[Entry]) -> Iterator[Observed]:
        """Transactions as documents, with what they settle, and the lines of item documents."""
        settled = self.transactions.settled_by(entries)
        self._fetch_items(entries)
        for entry in entries:
            yield self._document(entry, settled.get(entry.id, ()))

    def _document(self, entry: Entry, allocations: tuple[LiveAllocation, ...]) -> Observed:
        files = self._files(entry)
        if entry.kind == "payment":
            return payment_from(entry, self.directory, self.arithmetic, allocations, files=files)
        lines = None
        if entry.invoice_id is not None and (row := self._items.get((entry.kind, entry.invoice_id))) is not None:
            lines = item_lines(row, self.directory)
            entry = _with_words(entry, row)
        return document_from(entry, self.directory, self.arithmetic, allocations, lines=lines, files=files)

    def _fetch_items(self, entries: Iterable[Entry]) -> None:
        """The item documents among these that have not been read yet: many invoices by one list."""
        missing = {
            (one.kind, one.invoice_id) for one in entries if one.invoice_id is not None and one.kind in WORDS
        } - self._items.keys()
        invoices = [id_ for kind, id_ in missing if kind == "invoice"]
        found: dict[tuple[str, str], Row] = {}
        if len(invoices) > FEW:
            found |= {("invoice", id_): row for id_, row in self._listed_invoices(invoices).items()}
        for kind, id_ in missing - found.keys():
            row = retrieved(self.accountsiq, kind, id_)
            if row is not None:
                found[kind, id_] = row
        with self._lock:
            self._items |= found

    def _listed_invoices(self, ids: Collection[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        skip = 0
        while True:
            query = node(
                "query",
                node("FromDate", day_text(EARLIEST)),
                node("ToDate", day_text(LATEST, end=True)),
                node("FromCreationDate", day_text(EARLIEST)),
                node("ToCreationDate", day_text(LATEST, end=True)),
                node("Skip", str(skip)),
                node("TypesFilter"),
                node("AccountIDsFilter"),
                node("DepartmentIDsFilter"),
                node("InvoiceIDsFilter", *(node("int", one) for one in sorted(ids, key=int))),
                node("InvoiceNumbersFilter"),
                node("ReverseOrderBy", boolean(False)),
                node("Limit", "0"),
                node("FromLastModifiedDateInUTC", day_text(EARLIEST)),
            )
            rows = self.accountsiq.read("GetInvoicesBy", query).rows()
            found |= {id_: row for row in rows if (id_ := id_of(row, "InvoiceID")) in ids and id_ is not None}
            skip += len(rows)
            if not rows or len(found) == len(ids):
                return found
            if skip > 1_000_000:
                raise Unavailable("the list of invoices has no end")

    # ---- attachments ----

    def _files(self, entry: Entry) -> list[Content] | None:
        """The files of a document of ours, where the connection carries them."""
        if not self.accountsiq.settings.attachments or tag_in(entry.reference) is None or entry.files == 0:
            return None
        return [{"name": name, "path": name} for name in self.files_of(entry.id)]

    def files_of(self, transaction: str) -> list[str]:
        """Names of what is attached to a transaction. Raises ProviderError."""
        arguments = (node("masterType", "Transaction"), node("masterID", transaction))
        rows = self.accountsiq.read("GetAttachedDocumentList", *arguments).rows()
        return sorted({name for row in rows if (name := row.text("Filename"))})


def _with_words(entry: Entry, row: Row) -> Entry:
    """An item document's words are its notes."""
    return replace(entry, words=own_words(memo_of(row), entry.reference))

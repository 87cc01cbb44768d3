"""Posting documents: batch invoices and receipts by the operations that refuse a reference twice, batch credit
notes by theirs, item documents in two steps. Many documents go in one request, each with an outcome of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from reconciler.kernel.money import decimal_text
from reconciler.providers.accountsiq.calls import AccountsIQ, Reply
from reconciler.providers.accountsiq.codec_documents import (
    Arithmetic,
    Rates,
    batch_credit_note,
    batch_invoice,
    posted_and_paid,
    receipt,
)
from reconciler.providers.accountsiq.directory import Customer, Directory
from reconciler.providers.accountsiq.entries import item_id
from reconciler.providers.accountsiq.envelope import Row, node
from reconciler.providers.accountsiq.items import WORDS, is_of_items, new_document, retrieved, saved_under
from reconciler.providers.accountsiq.refusals import expired, good, refusal
from reconciler.providers.accountsiq.transactions import Transactions
from reconciler.providers.accountsiq.wire import amount, day_of, id_of, is_id
from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Done, ExecuteRequest, Outcome, Progress, RequestKey
from reconciler.resources.kinds import Content

SAVING, SAVED, POSTED = "saving", "saved", "posted"
_QUERY = "WSPostPayAndAllocateSalesInvoiceQuery"
Outcomes = dict[RequestKey, Outcome]


@dataclass(frozen=True, slots=True)
class Poster:
    """Posts one entity's documents. Thread-safe."""

    accountsiq: AccountsIQ
    directory: Directory
    transactions: Transactions
    arithmetic: Arithmetic

    def is_batched(self, request: ExecuteRequest) -> bool:
        """Whether a request is one that may go out with others of its sort."""
        operation = request.operation
        if not isinstance(operation, Create) or operation.kind not in ("invoice", "credit_note", "payment"):
            return False
        return operation.kind == "payment" or not self.goes_as_items(operation.content)

    def goes_as_items(self, content: Content) -> bool:
        return self.accountsiq.settings.item_invoices and is_of_items(content)

    # ---- many at once ----

    def post(self, requests: Sequence[ExecuteRequest]) -> Outcomes:
        """Post batch documents and receipts: a request for each sort of them."""
        outcomes: Outcomes = {}
        sorts: dict[str, list[tuple[ExecuteRequest, Element]]] = {}
        customers = self.directory.customers({str(_content(request)["customer"]) for request in requests})
        for request in requests:
            try:
                made = self._element(request, customers)
            except ProviderError as error:
                outcomes[request.key] = error
                continue
            sorts.setdefault(self._sort(request), []).append((request, made))
        for sort, pairs in sorts.items():
            try:
                outcomes |= self._sent(sort, pairs)
            except ProviderError as error:
                outcomes |= {request.key: error for request, _ in pairs}
        return outcomes

    def _sort(self, request: ExecuteRequest) -> str:
        kind = _kind(request)
        return "guarded" if kind != "credit_note" and self.accountsiq.settings.duplicate_check else kind

    def _element(self, request: ExecuteRequest, customers: Mapping[str, Customer]) -> Element:
        content, reference, kind = _content(request), request.reference, _kind(request)
        customer = customers.get(str(content["customer"]))
        if customer is None:
            raise Rejected(f"AccountsIQ has no customer {content['customer']}", code="customer")
        guarded = self.accountsiq.settings.duplicate_check
        if kind == "payment":
            bank = self.directory.bank_currency(str(content["bank_account"]))
            rates = Rates(self.directory, self.arithmetic)
            name = "Receipt" if guarded else "salesReceipt"
            made = receipt(name, content, reference, customer, bank, rates)
        elif kind == "invoice":
            name = "BatchInvoice" if guarded else "BatchSalesInvoice"
            made = batch_invoice(name, content, reference, customer, self.directory, self.arithmetic)
        else:
            name = "BatchSalesCreditNote"
            return batch_credit_note(name, content, reference, customer, self.directory, self.arithmetic)
        if not guarded:
            return made
        invoice, paid = (made, None) if kind == "invoice" else (None, made)
        limit = self.accountsiq.settings.enforce_credit_limit
        return posted_and_paid(_QUERY, request.key, invoice, paid, enforce_limit=limit)

    def _sent(self, sort: str, pairs: Sequence[tuple[ExecuteRequest, Element]]) -> Outcomes:
        requests, elements = [request for request, _ in pairs], [element for _, element in pairs]
        match sort:
            case "guarded":
                reply = self.accountsiq.write_rows("PostPayAndAllocateSalesInvoices", node("queries", *elements))
                return dict(_guarded(reply, requests))
            case "invoice":
                operation = "CreateBatchSalesInvoiceBulkGetBackTransactionIDs"
                return dict(_by_place(self.accountsiq.write_rows(operation, node("invoices", *elements)), requests))
            case "credit_note":
                operation = "CreateBatchSalesCreditNoteBulkGetBackTransactionIDs"
                reply = self.accountsiq.write_rows(operation, node("creditNotes", *elements))
                return dict(_by_place(reply, requests))
            case _:
                return {request.key: self._receipt(element) for request, element in pairs}

    def _receipt(self, element: Element) -> Outcome:
        try:
            reply = self.accountsiq.write("SaveSalesReceiptGetBackTransactionID", element)
            return Done(reply.id("transactionID"))
        except ProviderError as error:
            return error

    # ---- item documents ----

    def post_items(self, request: ExecuteRequest, progress: Progress) -> Done:
        """Save, then post. What an earlier attempt saved under the same reference is posted, not saved again.

        `saving` is recorded before the first call, so that whoever finds the saved document knows that it is to
        be finished. Raises ProviderError.
        """
        kind = _kind(request)
        stages = dict(request.stages)
        invoice = stages.get(SAVED, {}).get("id") or self._saved_before(kind, request)
        if invoice is None:
            invoice = self._save(kind, request, progress)
            progress.record(request.key, SAVED, {"id": invoice})
        self._check(kind, request, invoice)
        words = WORDS[kind]
        reply = self.accountsiq.write(words.post, node(words.saved_id, invoice))
        transaction = reply.id("transactionID")
        self.transactions.posted(invoice, transaction)
        progress.record(request.key, POSTED, {"id": invoice, "transaction": transaction})
        return Done(item_id(invoice))

    def _saved_before(self, kind: str, request: ExecuteRequest) -> str | None:
        """What an attempt that was cut off has saved: it is in no ledger yet."""
        rows, posted = saved_under(self.accountsiq, kind, request.reference)
        if posted:
            raise AlreadyExists(f"{request.reference} is posted already", code="posted")
        if len(rows) > 1:
            raise Rejected(f"several saved documents carry {request.reference}: delete all but one", code="saved")
        return id_of(rows[0], "InvoiceID") if rows else None

    def _check(self, kind: str, request: ExecuteRequest, invoice: str) -> None:
        """Read what is saved before it is posted for good: AccountsIQ computes its VAT, others can edit it."""
        row = retrieved(self.accountsiq, kind, invoice)
        if row is None:
            raise Rejected(f"the saved document {invoice} is gone", code="saved")
        if row.text("Status") == "Posted":
            raise AlreadyExists(f"{request.reference} is posted already", code="posted")
        content = _content(request)
        customer = self.directory.customer(str(content["customer"]))
        totals = self.arithmetic.totals(content, customer.currency, self.directory.rate)
        pairs = {
            "customer": (row.text("AccountCode"), customer.code),
            "date": (day_of(row, "InvoiceDate"), content["issue_date"]),
            "total": (decimal_text(abs(amount(row, "GrossAmount"))), decimal_text(totals.gross)),
        }
        moved = [f"{name} {found}, not {wanted}" for name, (found, wanted) in pairs.items() if found != wanted]
        if moved:
            said = f"it is saved in AccountsIQ and not posted, for it has there the {'; '.join(moved)}"
            hint = "delete it there; with `item_invoices: false` our VAT is kept"
            raise Rejected(f"{said}: {hint}", code="saved")

    def _save(self, kind: str, request: ExecuteRequest, progress: Progress) -> str:
        content = _content(request)
        customer = self.directory.customer(str(content["customer"]))
        made = new_document(
            self.accountsiq,
            kind,
            content,
            request.reference,
            customer,
            self.directory,
            self.arithmetic,
            self.accountsiq.today(),
        )
        progress.record(request.key, SAVING, {"reference": request.reference})
        words = WORDS[kind]
        return self.accountsiq.write(words.save, made, node("create", "true")).id(words.saved_id)


def _kind(request: ExecuteRequest) -> str:
    assert isinstance(request.operation, Create)
    return request.operation.kind


def _content(request: ExecuteRequest) -> Content:
    assert isinstance(request.operation, Create)
    return request.operation.content


def _guarded(reply: Reply, requests: Sequence[ExecuteRequest]) -> Iterator[tuple[RequestKey, Outcome]]:
    """Outcomes of a guarded request: by our own key where a row says it, else by their place."""
    rows = reply.rows()
    if not rows and not good(reply.status):
        raise refusal(reply.status, writes=True)
    keyed = {key: row for row in rows if (key := _key_of(row))}
    for at, request in enumerate(requests):
        row = keyed.get(request.key)
        if row is None and len(rows) == len(requests) and not _key_of(rows[at]):
            row = rows[at]
        if row is None:
            yield request.key, Indeterminate("the answer does not mention it")
            continue
        made = row.child("Result")
        name = "ReceiptTransactionID" if _kind(request) == "payment" else "InvoiceTransactionID"
        yield request.key, _outcome(row, id_of(made, name) if made is not None else None)


def _key_of(row: Row) -> str | None:
    made = row.child("Result")
    return made.text("ClientUniqueReference") if made is not None else None


def _by_place(reply: Reply, requests: Sequence[ExecuteRequest]) -> Iterator[tuple[RequestKey, Outcome]]:
    """Outcomes of a bulk operation: a status and an id for each, in the order of the request.

    It is not atomic and keeps no reference out: refused as a whole, without rows, it may have begun.
    """
    rows = reply.rows()
    if not rows and not good(reply.status):
        error = refusal(reply.status, writes=True)
        raise error if len(requests) == 1 else Indeterminate(error.message, code=error.code)
    if len(rows) != len(requests):
        said = f"the answer has {len(rows)} rows for {len(requests)} documents"
        yield from ((request.key, Indeterminate(said)) for request in requests)
        return
    ids = [one.element.text or "" for one in reply.out.rows("transactionIDs")]
    made = [one for one in ids if is_id(one)]
    if len(ids) != len(rows):  # failures have no place of their own among the ids
        placed = iter(made if len(made) == sum(good(row) for row in rows) else ())
        ids = [next(placed, "") if good(row) else "" for row in rows]
    for request, row, id_ in zip(requests, rows, ids, strict=True):
        yield request.key, _outcome(row, id_ if is_id(id_) else None)


def _outcome(row: Row, id_: str | None) -> Outcome:
    if not good(row):
        error = refusal(row, writes=True)
        if id_ is not None:
            return Indeterminate(f"refused, and yet it names a transaction: {error.message}", code=error.code)
        if expired(row):
            return Unavailable("the session had expired: nothing was done", code="HasExpired")
        return error
    if id_ is None:
        return Indeterminate("AccountsIQ says it succeeded, and gives no transaction")
    return Done(id_)

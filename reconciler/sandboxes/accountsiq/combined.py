"""Invoice, receipt and allocation in one: all or nothing, and the only call that minds repeated references."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.allocating import Allocations
from reconciler.sandboxes.accountsiq.batch import Batch, Posting, refused, transaction_id
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.receipts import Receipts
from reconciler.sandboxes.accountsiq.view import View
from reconciler.sandboxes.ledger.records import Record, id_of, seq_of
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


class Combined:
    """The operations that post, pay and allocate. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.batch = Batch(view)
        self.receipts = Receipts(view)
        self.allocations = Allocations(view)

    def one(self, asked: Values) -> Done:
        return Done(self._carry_out(asked["query"]))

    def many(self, asked: Values) -> Done:
        """Each query by itself; a success only when all are."""
        rows: list[dict[str, Any]] = []
        for query in self.view.each(asked["queries"] or []):
            try:
                rows.append({**Done().row(), "Result": self._carry_out(query)})
            except Failed as problem:
                mark = {"ClientUniqueReference": query.get("ClientUniqueReference")}
                rows.append({**problem.done().row(), "Result": mark})
        worst = next((row for row in rows if row["Status"] == "Failure"), None)
        if worst is None:
            return Done(rows)
        return Done(rows, {}, "Failure", worst["ErrorCode"], worst["ErrorMessage"])

    def _carry_out(self, query: Values | None) -> dict[str, Any]:
        """Raises Failed; then nothing happened."""
        if query is None or (query["BatchInvoice"] is None and query["Receipt"] is None):
            raise Failed(
                "INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL", "There is neither an invoice nor a receipt."
            )
        invoice = self.batch.prepare("invoice", query["BatchInvoice"]) if query["BatchInvoice"] else None
        receipt = self.receipts.prepare(query["Receipt"]) if query["Receipt"] else None
        self._check_repeated(query, invoice, receipt)
        if query["EnforceCreditLimit"] and invoice is not None:
            paid = receipt.gross if receipt and receipt.customer.id == invoice.customer.id else Decimal(0)
            self.batch.check_credit(invoice.customer, invoice.gross - paid)
        allocated = self._allocated(query, invoice, receipt) if query["PerformAllocation"] else None
        records = self._write(invoice, receipt, allocated)
        if allocated is not None:
            source, target = (seq_of(one.kind, one.id) for one in reversed(records))
            amount, at = allocated
            self.allocations.note(source, target, amount, Decimal(0), at, query["AllocationReference"])
        ids = {record.kind: transaction_id(record) for record in records}
        return {
            "InvoiceTransactionID": ids.get("invoice"),
            "ReceiptTransactionID": ids.get("payment"),
            "ClientUniqueReference": query["ClientUniqueReference"],
        }

    def _check_repeated(self, query: Values, invoice: Posting | None, receipt: Posting | None) -> None:
        """The duplicate checks, per customer, where they are asked for. Raises Failed."""
        for posting, flag, code in (
            (
                invoice,
                "PerformExternalReferenceDuplicateCheckOnInvoice",
                "INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS",
            ),
            (
                receipt,
                "PerformExternalReferenceDuplicateCheckOnReceipt",
                "INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS",
            ),
        ):
            if posting is None or not query[flag]:
                continue
            reference = posting.command.reference or ""
            if self.batch.taken(posting.customer, posting.command.kind, reference):
                raise Failed(code, f"The external reference '{reference}' exists already for this account.")

    def _allocated(
        self, query: Values, invoice: Posting | None, receipt: Posting | None
    ) -> tuple[Decimal, datetime]:
        """The amount and the time of the allocation. Raises Failed."""
        if invoice is None or receipt is None:
            raise Failed("INVALID_STATE_FAILED_TO_PERFORM_ALLOCATION", "An allocation needs both.")
        if invoice.customer.id != receipt.customer.id:
            raise Failed("TRANSACTION_CANNOT_ALLOCATE_CROSS_ACCOUNT")
        if query["AllocationReference"] is None:
            raise Failed("TRANSACTION_ALLOCATION_REFERENCE_IS_NULL")
        amount: Decimal = query["AllocationAmount"]
        if amount <= 0:
            raise Failed("TRANSACTION_ALLOCATION_AMOUNT_CANNOT_BE_NEGATIVE_OR_ZERO")
        if amount > min(invoice.gross, receipt.gross):
            raise Failed("TRANSACTION_CANNOT_ALLOCATE_MORE_THAN_OUTSTANSING_AMOUNT")
        at: datetime = query["AllocationDate"] or query["Receipt"]["PaymentDate"]
        checking.day(self.view, at, "The allocation's date")
        return amount, at

    def _write(
        self, invoice: Posting | None, receipt: Posting | None, allocated: tuple[Decimal, datetime] | None
    ) -> list[Record]:
        """One commit of the ledger. The invoice's row is known beforehand: we are alone with the books."""
        if invoice is not None and receipt is not None and allocated is not None:
            amount, at = allocated
            issued, received = invoice.command.content["issue_date"], receipt.command.content["received_on"]
            made = {
                "invoice": id_of("invoice", self._next_row()),
                "amount": amount,
                "date": max(at.date(), issued, received),
            }
            content = {**receipt.command.content, "allocations": [made]}
            receipt = replace(receipt, command=replace(receipt.command, content=content))
        postings = [posting for posting in (invoice, receipt) if posting is not None]
        answers = self.view.books.ledger.run([posting.command for posting in postings], atomic=True)
        refusals = [
            (answer, posting)
            for answer, posting in zip(answers, postings, strict=True)
            if isinstance(answer, Refusal) and answer.code is not RefusalCode.BATCH_REFUSED
        ]
        if refusals:
            raise refused(refusals[0][0], refusals[0][1].command.kind)
        records = [answer for answer in answers if isinstance(answer, Record)]
        for record, posting in zip(records, postings, strict=True):
            self.batch.keep(record, posting)
        return records

    def _next_row(self) -> int:
        with self.view.books.ledger.reading() as db:
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
        return int(row[0]) + 1

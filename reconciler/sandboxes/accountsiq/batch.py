"""Batch invoices and credit notes: in the ledger at once, with the caller's own VAT; never edited afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import round_amount
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.customers import Customers, due_date
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.dimensions import tracking_of
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.view import DOCUMENTS, TRANSACTION_IDS, Entry, View, midnight
from reconciler.sandboxes.ledger.commands import CreateRecord
from reconciler.sandboxes.ledger.records import Record, seq_of
from reconciler.sandboxes.ledger.refusal import Refusal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Posting:
    """A document that was checked: the ledger's command, what is kept beside it, and what it comes to."""

    customer: Entry
    command: CreateRecord
    beside: dict[str, Any] = field(default_factory=dict)
    gross: Decimal = ZERO


def transaction_id(record: Record) -> int:
    return seq_of(record.kind, record.id) + TRANSACTION_IDS


class Batch:
    """The operations on batch documents. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.customers = Customers(view)

    # ---- shells ----

    def new_invoice(self, asked: Values) -> Done:
        customer = self.customers.known(asked["customerCode"])
        return Done({**self._shell(customer), "InvoiceDate": midnight(self.view.now.date())})

    def new_credit_note(self, asked: Values) -> Done:
        customer = self.customers.known(asked["customerCode"])
        return Done({**self._shell(customer), "CreditNoteDate": midnight(self.view.now.date())})

    def _shell(self, customer: Entry) -> dict[str, Any]:
        rate = self.view.rates().get(self.view.currency_of(customer), Decimal(1))
        return {"CustomerCode": self.view.code_of(customer), "ExchangeRate": self.view.shown_rate(rate)}

    # ---- creating ----

    def create_invoice(self, asked: Values) -> Done:
        return self._create("invoice", asked["inv"])

    def create_credit_note(self, asked: Values) -> Done:
        return self._create("credit_note", asked["creditNote"])

    def create_invoices(self, asked: Values) -> Done:
        return self._each("invoice", asked["invoices"] or [])

    def create_credit_notes(self, asked: Values) -> Done:
        return self._each("credit_note", asked["creditNotes"] or [])

    def _create(self, kind: str, given: Values | None) -> Done:
        record = self.write(self.prepare(kind, given))
        return Done(record.number, {"transactionID": transaction_id(record)})

    def _each(self, kind: str, given: Sequence[Values]) -> Done:
        """Every row by itself: one status and one id each, -1 for a row that failed."""
        rows, ids = [], []
        for one in self.view.each(given):
            try:
                done = self._create(kind, one)
                ids.append(done.outs["transactionID"])
            except Failed as problem:
                done = problem.done()
                ids.append(-1)
            rows.append(done.row())
        worst = next((row for row in rows if row["Status"] == "Failure"), None)
        if worst is None:
            return Done(rows, {"transactionIDs": ids})
        return Done(rows, {"transactionIDs": ids}, "Failure", worst["ErrorCode"], worst["ErrorMessage"])

    def write(self, posting: Posting) -> Record:
        """Raises Failed."""
        try:
            record = self.view.books.ledger.one(posting.command)
        except Refusal as refusal:
            raise refused(refusal, posting.command.kind) from None
        self.keep(record, posting)
        return record

    def keep(self, record: Record, posting: Posting) -> None:
        if posting.beside:
            self.view.books.shelf.put(DOCUMENTS, record.id, posting.beside)

    # ---- checking ----

    def prepare(self, kind: str, given: Values | None) -> Posting:
        """A batch document as the ledger's command. Raises Failed."""
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        view = self.view
        customer = checking.customer(view, given["CustomerCode"])
        reference = checking.reference(given["ExternalReference"], "INVOICE_EXTERNAL_REFERENCE")
        memo = checking.description(given["Description"], needed=True)
        currency = view.currency_of(customer)
        at = given["InvoiceDate" if kind == "invoice" else "CreditNoteDate"]
        day = checking.day(view, at, "The document's date")
        lines, departments, gross = self._lines(given["Lines"] or [], currency)
        content: dict[str, Any] = {
            "customer": customer.id,
            "issue_date": day,
            "currency": currency,
            "exchange_rate": checking.rate(view, given["ExchangeRate"], currency),
            "memo": memo,
            "lines": lines,
        }
        if kind == "invoice":
            content["due_date"] = self._due(given, customer, day)
        self.check_rules(customer, kind, reference, gross)
        command = CreateRecord(kind, content, reference=reference)
        return Posting(customer, command, {"departments": departments} if any(departments) else {}, gross)

    def _due(self, given: Values, customer: Entry, day: date) -> date:
        """What is given, where the service takes one; else by the customer's credit term."""
        stated = given.get("DueDate")
        if stated is None:
            return due_date(self.view, customer, day)
        if stated.date() < day:
            raise Failed("DATE_IS_OUT_OF_RANGE", "The due date is before the invoice's date.")
        due: date = stated.date()
        return due

    def _lines(
        self, given: Sequence[Values], currency: str
    ) -> tuple[list[dict[str, Any]], list[str | None], Decimal]:
        if not given:
            raise Failed("TRANSACTION_LINE_COUNT_IS_INVALID", "There are no lines.")
        made, departments, gross = [], [], ZERO
        for line in given:
            net, tax = self._amounts(line, currency)
            account = checking.account(self.view, line["GLAccountCode"])
            rate = checking.tax(self.view, line["TaxCode"])
            department = checking.department(self.view, line["DepartmentID"])
            checking.departmental(self.view, account, department)
            text = checking.description(line["Description"], needed=False)
            kept: dict[str, Any] = {"account": account.id, "quantity": Decimal(1), "unit_price": net}
            kept |= {"taxes": [rate.id], "tax_amount": tax}
            kept |= {"description": text} if text else {}
            if tracking := tracking_of(self.view, department):
                kept["tracking"] = tracking
            made.append(kept)
            departments.append(line["DepartmentID"] or None)
            gross += net + tax
        return made, departments, gross

    @staticmethod
    def _amounts(line: Values, currency: str) -> tuple[Decimal, Decimal]:
        """Net and tax: the tax as given, or by the given rate, which is a fraction."""
        if line["NetAmount"] < 0:
            raise Failed("TRANSACTION_LINE_DEBIT_CANNOT_BE_NEGATIVE", "NetAmount must not be negative.")
        if line["TaxRate"] < 0:
            raise Failed("TAX_RATE_IS_NEGATIVE")
        if line["TaxRate"] > 1:
            raise Failed("TAX_RATE_IS_MORE_THAN_100_PERCENT", "TaxRate is a fraction: 0.21 for 21 %.")
        tax = line["TaxAmount"]
        code = "SALES_BATCH_INVOICE_ERROR_WHILE_CREATING_TRANSACTION_LINES"
        checking.figures(code, line["NetAmount"], tax or ZERO)
        net = round_amount(line["NetAmount"], currency)
        if tax is None:
            tax = net * line["TaxRate"]
        if tax < 0:
            raise Failed("TRANSACTION_LINE_DEBIT_CANNOT_BE_NEGATIVE", "TaxAmount must not be negative.")
        return net, round_amount(tax, currency)

    def check_rules(self, customer: Entry, kind: str, reference: str, gross: Decimal) -> None:
        """The company's own rules, by the switches: repeated references, holds, credit limits."""
        switches = self.view.switches
        if switches.text("duplicate_references") == "refuse" and self.taken(customer, kind, reference):
            raise Failed("INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS", f"'{reference}' exists already.")
        if kind != "invoice":
            return
        if switches.text("holds") == "refuse" and customer.content.get("hold"):
            raise Failed("INVALID_STATE_FAILED_TO_CREATE_INVOICE", "The account is on hold.")
        if switches.text("credit_limits") == "refuse":
            self.check_credit(customer, gross)

    def check_credit(self, customer: Entry, raised: Decimal) -> None:
        """Refuses what would bring the customer over its credit limit; 0 is no limit."""
        limit = customer.content.get("credit_limit")
        if limit and self.view.owed(customer) + raised > limit:
            raise Failed(
                "INVALID_STATE_FAILED_TO_CREATE_INVOICE", f"The credit limit of {limit} would be exceeded."
            )

    def taken(self, customer: Entry, kind: str, reference: str) -> bool:
        """Whether the customer has a document of this kind with this reference."""
        return any(one.content["customer"] == customer.id for one in self.view.with_reference(reference, [kind]))


_OTHERWISE = {
    "invoice": "INVALID_STATE_FAILED_TO_CREATE_INVOICE",
    "credit_note": "INVALID_STATE_FAILED_TO_CREATE_INVOICE",
    "payment": "INVALID_STATE_FAILED_TO_CREATE_SALES_RECEIPT",
}


def refused(refusal: Refusal, kind: str) -> Failed:
    """The ledger's refusal of a document in the vendor's words."""
    return failed(refusal, _OTHERWISE[kind])

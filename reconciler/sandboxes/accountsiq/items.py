"""Item invoices and credit notes: saved first (Processed, not in the ledger), then posted; VAT is recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.resources.totals import Totals, compute_totals
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.batch import Batch, refused, transaction_id
from reconciler.sandboxes.accountsiq.customers import Customers, due_date, row_version
from reconciler.sandboxes.accountsiq.decoding import NO_DATE, Values
from reconciler.sandboxes.accountsiq.dimensions import tracking_of
from reconciler.sandboxes.accountsiq.invoices import InvoiceBook, shell
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import DOCUMENTS, INVOICE_IDS, Entry, View
from reconciler.sandboxes.ledger.commands import CreateRecord, PostDraft, UpdateRecord
from reconciler.sandboxes.ledger.records import Record, seq_of
from reconciler.sandboxes.ledger.refusal import Refusal

ZERO = Decimal(0)
_TYPES = {"invoice": "Invoice", "credit_note": "Note"}
_LINE_EXTRAS = (
    "StockItemID", "StockItemDescription", "InvoicedQuantity", "DeliveredQuantity", "StockItemCost",
    "StockItemPrice", "DiscountRate", "LocationID", "SublocationID", "Notes", "Notes2", "AdditionalCost",
    "GLAccountCode", "TaxCode", "DepartmentID", "ProjectNumber",
)  # fmt: skip
_EXTRAS = (
    "AreaID", "PaymentMethodID", "ShipmentViaID", "AccountName", "AccountAddress1", "AccountAddress2", "City",
    "County_State", "Country", "PostCode", "DeliveryAccountName", "DeliveryAccountAddress1",
    "DeliveryAccountAddress2", "DeliveryCity", "DeliveryCounty_State", "DeliveryCountry", "DeliveryPostCode",
    "Contact", "Phone", "OrderNumber", "DepartmentID",
)  # fmt: skip
"""What the ledger has no place for, of a line and of a document: kept beside it."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A document that was checked and can be saved."""

    customer: Entry
    content: dict[str, Any]
    beside: dict[str, Any]
    reference: str
    number: str | None
    totals: Totals


class Items:
    """The operations on item documents. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.book = InvoiceBook(view)
        self.batch = Batch(view)
        self.customers = Customers(view)

    # ---- shells and reading ----

    def new_invoice(self, asked: Values) -> Done:
        return Done(shell(self.view, self.customers.known(asked["customerCode"]), "Invoice"))

    def new_invoices(self, asked: Values) -> Done:
        codes = [code for code in asked["customerCodes"] or () if code]
        return Done([shell(self.view, self.customers.known(code), "Invoice") for code in codes])

    def new_credit_note(self, asked: Values) -> Done:
        return Done(shell(self.view, self.customers.known(asked["customerCode"]), "Note"))

    def new_credit_notes(self, asked: Values) -> Done:
        codes = [code for code in asked["customerCodes"] or () if code]
        return Done([shell(self.view, self.customers.known(code), "Note") for code in codes])

    def known(self, kind: str, own: int) -> Entry:
        """Raises Failed."""
        found = self.view.item_document(kind, own)
        if found is None:
            raise Failed("INVOICE_ID_DOES_NOT_EXIST", f"There is no document {own}.")
        return found

    # ---- saving ----

    def save_invoice(self, asked: Values) -> Done:
        return self._save("invoice", asked["invoice"], asked["create"])

    def save_credit_note(self, asked: Values) -> Done:
        return self._save("credit_note", asked["creditNote"], asked["create"])

    def save_checked(self, asked: Values) -> Done:
        """Saved only when it comes to the gross amount in base currency that the caller expects."""
        saved, own = self._checked("invoice", asked["invoice"], asked["create"])
        rate = saved.content.get("exchange_rate") or Decimal(1)
        actual = self.view.to_base(saved.totals.gross, rate)
        if actual != asked["grossBaseCurrencyAmount"]:
            text = f"It comes to {actual} {self.view.base}, not {asked['grossBaseCurrencyAmount']}."
            raise Failed("EXPECTED_POSTING_VALUES_DO_NOT_MATCH_ACTUAL_CALCULATED_VALUES", text)
        return self._kept("invoice", saved, own)

    def save_posting_checked(self, asked: Values) -> Done:
        """Saved only when net and tax come to what the caller expects; the answer says what they come to."""
        saved, own = self._checked("invoice", asked["invoice"], asked["create"])
        totals = saved.totals
        result = {"ActualNetTotal": totals.net, "ActualTaxTotal": totals.tax}
        expected = asked["foreignCurrencyNetTotal"], asked["foreignCurrencyTaxTotal"]
        if (totals.net, totals.tax) != expected:
            code = "EXPECTED_POSTING_VALUES_DO_NOT_MATCH_ACTUAL_CALCULATED_VALUES"
            return Done({**result, "InvoiceID": -1, "Success": False}, {}, "Failure", code, "The totals differ.")
        done = self._kept("invoice", saved, own)
        return Done({**result, "InvoiceID": done.outs["invoiceID"], "Success": True})

    def create_invoices(self, asked: Values) -> Done:
        return self._each("invoice", asked["invoices"] or [], "invoiceIDs")

    def create_credit_notes(self, asked: Values) -> Done:
        return self._each("credit_note", asked["creditNotes"] or [], "creditNoteIDs")

    def _each(self, kind: str, given: Sequence[Values], name: str) -> Done:
        rows, ids = [], []
        for one in self.view.each(given):
            try:
                done = self._save(kind, one, True)
                ids.append(next(iter(done.outs.values())))
            except Failed as problem:
                done = problem.done()
                ids.append(-1)
            rows.append(done.row())
        worst = next((row for row in rows if row["Status"] == "Failure"), None)
        if worst is None:
            return Done(rows, {name: ids})
        return Done(rows, {name: ids}, "Failure", worst["ErrorCode"], worst["ErrorMessage"])

    def _save(self, kind: str, given: Values | None, create: bool) -> Done:
        saved, own = self._checked(kind, given, create)
        return self._kept(kind, saved, own)

    def _checked(self, kind: str, given: Values | None, create: bool) -> tuple[Saved, Entry | None]:
        """What is to be saved, and what it replaces. Raises Failed."""
        if given is None:
            raise Failed("INVALID_STATE_ENTITY_OR_TRANSACTION_IS_NULL")
        own = None
        if not create:
            own = self.view.item_document(kind, given["InvoiceID"])
            if own is None:
                raise Failed("INVOICE_ID_DOES_NOT_EXIST", status="NotCreated")
            if own.record.phase != "draft":
                raise Failed("READ_ONLY", "The document is posted.")
            if given["RowVersionNumber"] != row_version(own):
                raise Failed("OUTDATED_RECORD", "The record was changed by another user.", status="Conflicted")
        return self._read(kind, given, own), own

    def _kept(self, kind: str, saved: Saved, own: Entry | None) -> Done:
        ledger, shelf = self.view.books.ledger, self.view.books.shelf
        number = saved.number
        try:
            if own is None:
                number = number or f"{_TYPES[kind][0]}{shelf.next(f'numbers-{kind}'):06d}"
                content = {key: value for key, value in saved.content.items() if value is not None}
                command = CreateRecord(kind, content, reference=saved.reference, number=number, state="draft")
                record = ledger.one(command)
            else:
                before = {name: own.content.get(name) for name in saved.content}
                record = ledger.one(UpdateRecord(kind, own.id, before, saved.content))
        except Refusal as refusal:
            raise refused(refusal, kind) from None
        version = int(own.beside.get("version", 0)) + 1 if own else 0
        shelf.put(DOCUMENTS, record.id, {**saved.beside, "version": version})
        name = "invoiceID" if kind == "invoice" else "creditNoteID"
        status = "Success" if own else "Created"
        return Done(None, {name: seq_of(kind, record.id) + INVOICE_IDS}, status)

    # ---- reading what was given ----

    def _read(self, kind: str, given: Values, own: Entry | None) -> Saved:
        view = self.view
        if given["Type"] != _TYPES[kind] or given["Ledger"] != "Sales":
            raise Failed("INVOICE_TYPE_INCORRECT", f"Type must be {_TYPES[kind]}, and Ledger Sales.")
        customer = self._customer(given)
        reference = checking.reference(given["ExternalReference"], "INVOICE_EXTERNAL_REFERENCE")
        if own is not None and reference != own.record.reference:
            raise Failed("READ_ONLY", "The external reference of a saved document cannot be changed.")
        if len(given["Notes"] or "") > 4000:
            raise Failed("INVOICE_NOTES_IS_TOO_LONG")
        currency = view.currency_of(customer)
        if given["CurrencyCode"] not in (None, "", currency):
            raise Failed("CURRENCY_CODE_DOES_NOT_EXIST", f"The account's currency is {currency}.")
        day = checking.day(view, given["InvoiceDate"], "The document's date")
        lines, departments = self._lines(given["Lines"] or [])
        content: dict[str, Any] = {
            "customer": customer.id,
            "issue_date": day,
            "currency": currency,
            "exchange_rate": checking.rate(view, given["ExchangeRate"], currency),
            "memo": given["Notes"] or None,
            "lines": lines,
        }
        if kind == "invoice":
            stated = given.get("DueDate")
            content["due_date"] = stated.date() if stated not in (None, NO_DATE) else due_date(view, customer, day)
        totals = compute_totals(content, currency, self.view.rate_of)
        assert totals is not None
        self.batch.check_rules(customer, kind, reference, totals.gross)
        extras = {name: given[name] for name in _EXTRAS if given.get(name) is not None}
        kept = [{name: line[name] for name in _LINE_EXTRAS if line[name] is not None} for line in given["Lines"]]
        beside = {"item": True, "fields": extras, "lines": kept, "departments": departments}
        return Saved(customer, content, beside, reference, self._number(kind, given, own), totals)

    def _customer(self, given: Values) -> Entry:
        found = self.view.customer_by_id(given["AccountID"]) if given["AccountID"] else None
        if found is None:
            return checking.customer(self.view, given.get("AccountCode"))
        return checking.customer(self.view, self.view.code_of(found).upper())

    def _number(self, kind: str, given: Values, own: Entry | None) -> str | None:
        """A number of the caller's own; None: the service counts."""
        number: str | None = given["InvoiceNumber"]
        if own is not None:
            if number not in (None, "", own.record.number):
                raise Failed("INVOICE_NUMBER_CANNOT_BE_CHANGED_ONCE_PROCESSED")
            return own.record.number
        if not number:
            return None
        if len(number) > checking.LONGEST_CODE:
            raise Failed("INVOICE_NUMBER_IS_TOO_LONG")
        with self.view.books.ledger.reading() as db:
            if db.execute("SELECT 1 FROM records WHERE kind = ? AND number = ?", (kind, number)).fetchone():
                raise Failed("INVOICE_NUMBER_ALREADY_EXISTS", f"The number {number} is in use.")
        return number

    def _lines(self, given: Sequence[Values]) -> tuple[list[dict[str, Any]], list[str | None]]:
        if not given:
            raise Failed("TRANSACTION_LINE_COUNT_IS_INVALID", "There are no lines.")
        made, departments = [], []
        for line in given:
            item = self._item(line["StockItemID"])
            account = self._account(line, item)
            taxes = item.content.get("taxes") if item and not line["TaxCode"] else None
            rate = self.view.master("tax_rate", taxes[0]) if taxes else checking.tax(self.view, line["TaxCode"])
            department = checking.department(self.view, line["DepartmentID"])
            checking.departmental(self.view, account, department)
            figures = (line[name] for name in ("InvoicedQuantity", "StockItemPrice", "DiscountRate"))
            checking.figures("INVALID_STATE_FAILED_TO_CREATE_INVOICE", *figures)
            if line["InvoicedQuantity"] <= 0 or not 0 <= line["DiscountRate"] <= 100:
                raise Failed(
                    "INVALID_STATE_FAILED_TO_CREATE_INVOICE", "A line's quantity or discount is not valid."
                )
            text = checking.description(line["StockItemDescription"], needed=False)
            kept: dict[str, Any] = {"account": account.id, "taxes": [rate.id]}
            kept |= {"quantity": line["InvoicedQuantity"], "unit_price": line["StockItemPrice"]}
            kept |= {"item": item.id} if item else {}
            kept |= {"discount": {"percent": line["DiscountRate"]}} if line["DiscountRate"] else {}
            kept |= {"description": text} if text else {}
            if tracking := tracking_of(self.view, department):
                kept["tracking"] = tracking
            made.append(kept)
            departments.append(line["DepartmentID"] or None)
        return made, departments

    def _item(self, code: str | None) -> Entry | None:
        if not code:
            return None
        found = self.view.coded("item", code)
        if found is None or found.record.phase == "archived":
            raise Failed("NOT_FOUND", f"There is no active stock item '{code[:60]}'.")
        return found

    def _account(self, line: Values, item: Entry | None) -> Entry:
        if not line["GLAccountCode"] and item is not None and item.content.get("income_account"):
            return self.view.master("account", item.content["income_account"])
        return checking.account(self.view, line["GLAccountCode"])

    # ---- posting ----

    def post_invoice(self, asked: Values) -> Done:
        return Done(None, {"transactionID": transaction_id(self._post("invoice", asked["invoiceID"]))})

    def post_credit_note(self, asked: Values) -> Done:
        return Done(None, {"transactionID": transaction_id(self._post("credit_note", asked["creditNoteID"]))})

    def post_invoices(self, asked: Values) -> Done:
        return self._post_each("invoice", asked["invoiceIDs"] or [])

    def post_credit_notes(self, asked: Values) -> Done:
        return self._post_each("credit_note", asked["creditNoteIDs"] or [])

    def _post_each(self, kind: str, own: Sequence[int]) -> Done:
        rows, ids = [], []
        for one in self.view.each(own):
            try:
                ids.append(transaction_id(self._post(kind, one)))
                rows.append(Done().row())
            except Failed as problem:
                ids.append(-1)
                rows.append(problem.done().row())
        return Done(rows, {"transactionIDs": ids})

    def _post(self, kind: str, own: int) -> Record:
        """The point of no return; a second time it is refused. Raises Failed."""
        entry = self.known(kind, own)
        if entry.record.phase != "draft":
            raise Failed("INVALID_STATE_FAILED_TO_POST_INVOICE", "The document is posted already.")
        try:
            return self.view.books.ledger.one(PostDraft(kind, entry.id))
        except Refusal as refusal:
            raise refused(refusal, kind) from None

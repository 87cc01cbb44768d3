"""Item invoices and credit notes as they are read: all their fields, by id, reference, customer or query."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.resources.totals import compute_totals
from reconciler.sandboxes.accountsiq.customers import row_version, shown
from reconciler.sandboxes.accountsiq.decoding import NO_DATE, Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import (
    ACCOUNT_IDS,
    INVOICE_IDS,
    Entry,
    View,
    is_item,
    midnight,
    reference_of,
)

_FROM_CUSTOMER = {
    "AreaID": "AreaID", "PaymentMethodID": "PaymentMethodID", "AccountName": "Name", "AccountAddress1": "Address1",
    "AccountAddress2": "Address2", "City": "City", "County_State": "County_State", "Country": "Country",
    "PostCode": "PostCode", "DeliveryAccountName": "DeliveryName", "DeliveryAccountAddress1": "DeliveryAddress1",
    "DeliveryAccountAddress2": "DeliveryAddress2", "DeliveryCity": "DeliveryCity",
    "DeliveryCounty_State": "DeliveryCounty_State", "DeliveryCountry": "DeliveryCountry",
    "DeliveryPostCode": "DeliveryPostCode", "Contact": "Contact", "Phone": "Phone", "Hold": "Hold",
    "DepartmentID": "DepartmentID", "AccountTaxCode": "DefaultTaxCode", "UseAccountTaxCode": "UseAccountTaxCode",
}  # fmt: skip
"""What a document takes from its customer, and the customer's names for it."""


def shell(view: View, customer: Entry, kind: str) -> dict[str, Any]:
    """A document that is not saved, with the customer's defaults. `kind`: Invoice or Note."""
    known = shown(view, customer)
    currency = view.currency_of(customer)
    today = midnight(view.now.date())
    return {
        **{ours: known.get(theirs) for ours, theirs in _FROM_CUSTOMER.items()},
        "AccountID": customer.seq + ACCOUNT_IDS,
        "AccountCode": view.code_of(customer),
        "CurrencyCode": currency,
        "CurrrencyCode": currency,
        "CreationDate": view.now,
        "InvoiceDate": today,
        "DeliveryDate": today,
        "Status": "Processed",
        "AuthorUserID": "INTEGRATION",
        "ExchangeRate": view.shown_rate(view.rates().get(currency, Decimal(1))),
        "Ledger": "Sales",
        "Type": kind,
        "Lines": [],
    }


class InvoiceBook:
    """Item documents as they are shown, and the operations that read them."""

    def __init__(self, view: View) -> None:
        self.view = view

    # ---- the operations ----

    def invoice(self, asked: Values) -> Done:
        return Done(self._one("invoice", asked["invoiceID"]))

    def credit_note(self, asked: Values) -> Done:
        return Done(self._one("credit_note", asked["creditNoteID"]))

    def _one(self, kind: str, own: int) -> dict[str, Any]:
        found = self.view.item_document(kind, own)
        if found is None:
            raise Failed("INVOICE_ID_DOES_NOT_EXIST", f"There is no document {own}.")
        return self.shown(found)

    def invoices_by_reference(self, asked: Values) -> Done:
        return Done(self._with_reference("invoice", asked["externalReference"]))

    def credit_notes_by_reference(self, asked: Values) -> Done:
        return Done(self._with_reference("credit_note", asked["externalReference"]))

    def _with_reference(self, kind: str, reference: str | None) -> list[dict[str, Any]]:
        wanted = self.view.folded(reference or "")
        return [self.shown(one) for one in self._all(kind) if self.view.folded(reference_of(one)) == wanted]

    def invoices_by_customer(self, asked: Values) -> Done:
        return Done(self._of_customer("invoice", asked["customerCode"]))

    def credit_notes_by_customer(self, asked: Values) -> Done:
        return Done(self._of_customer("credit_note", asked["customerCode"]))

    def _of_customer(self, kind: str, code: str | None) -> list[dict[str, Any]]:
        customer = self.view.customer(code or "")
        if customer is None:
            raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", f"Customer code '{(code or '')[:60]}' does not exist.")
        return [self.shown(one) for one in self._all(kind) if one.content["customer"] == customer.id]

    def invoices_by(self, asked: Values) -> Done:
        """By dates, accounts, ids, numbers and status; the newest first when `ReverseOrderBy`."""
        query = asked["query"] or {}
        found = [one for one in map(self.shown, self._all("invoice")) if _passes(one, query)]
        if query.get("ReverseOrderBy"):
            found.reverse()
        return Done(self.view.page(found, query.get("Skip"), query.get("Limit") or 0))

    def _all(self, kind: str) -> list[Entry]:
        return [one for one in self.view.entries(kind) if is_item(one)]

    # ---- one document ----

    def shown(self, entry: Entry) -> dict[str, Any]:
        view, content, record = self.view, entry.content, entry.record
        customer = view.master("customer", content["customer"])
        totals = compute_totals(content, content["currency"], self.view.rate_of)
        assert totals is not None
        rate = content.get("exchange_rate") or Decimal(1)
        made, changed = view.times(entry)
        due = content.get("due_date")
        amounts = {"NetAmount": totals.net, "TaxAmount": totals.tax, "GrossAmount": totals.gross}
        invoice = record.kind == "invoice"
        return {
            **shell(view, customer, "Invoice" if invoice else "Note"),
            **entry.beside.get("fields", {}),
            "InvoiceID": entry.seq + INVOICE_IDS,
            "InvoiceNumber": record.number,
            "ExternalReference": record.reference,
            "CreationDate": made,
            "InvoiceDate": midnight(content["issue_date"]),
            "DeliveryDate": midnight(content["issue_date"]),
            "Status": "Processed" if record.phase == "draft" else "Posted",
            "Notes": content.get("memo"),
            "ExchangeRate": view.shown_rate(rate),
            "RowVersionNumber": row_version(entry),
            "Lines": self._lines(entry, made),
            **amounts,
            **{f"BC{name}": view.to_base(amount, rate) for name, amount in amounts.items()},
            "LastModifiedUTC": changed,
            "DueDate": midnight(due) if due else None,
            "ApprovalStatusName": "None",
            "AuthorUserName": "Integration",
        }

    def _lines(self, entry: Entry, made: datetime) -> list[dict[str, Any]]:
        content, kept = entry.content, entry.beside.get("lines") or []
        totals = compute_totals(content, content["currency"], self.view.rate_of)
        assert totals is not None
        shown_lines = []
        for place, (line, total) in enumerate(zip(content["lines"], totals.lines, strict=True)):
            extra = kept[place] if place < len(kept) else {}
            code = self.view.tax_rates[total.taxes[0]] if total.taxes else None
            discount = (line.get("discount") or {}).get("percent") or Decimal(0)
            price = line["unit_price"]
            shown_lines.append(
                {
                    **extra,
                    "InvoiceItemID": entry.seq * 100 + place,
                    "InvoiceID": entry.seq + INVOICE_IDS,
                    "StockItemDescription": line.get("description"),
                    "InvoicedQuantity": line["quantity"],
                    "StockItemPrice": price,
                    "DiscountRate": discount,
                    "ActualPrice": price * (100 - discount) / 100,
                    "TaxCode": code["code"] if code else None,
                    "TaxRate": code["rate"] / 100 if code else Decimal(0),
                    "NetAmount": total.net,
                    "TaxAmount": total.tax,
                    "GrossAmount": total.net + total.tax,
                    "CreationDate": made,
                    "GLAccountCode": self.view.master("account", line["account"]).content["code"],
                    "RowVersionNumber": row_version(entry),
                }
            )
        return shown_lines


def _passes(one: dict[str, Any], query: Values) -> bool:
    for name, key in (("Date", "InvoiceDate"), ("CreationDate", "CreationDate")):
        first, last = query.get(f"From{name}") or NO_DATE, query.get(f"To{name}") or NO_DATE
        if one[key] < first or (last != NO_DATE and one[key] > last):
            return False
    since = query.get("FromLastModifiedDateInUTC") or NO_DATE
    if one["LastModifiedUTC"] < since or (query.get("Status") and query["Status"] != one["Status"]):
        return False
    filters = {"AccountIDs": "AccountID", "InvoiceIDs": "InvoiceID", "InvoiceNumbers": "InvoiceNumber"}
    for name, key in filters.items():
        wanted = [value for value in query.get(f"{name}Filter") or () if value not in (None, "")]
        if wanted and one[key] not in wanted:
            return False
    return True

"""Item invoices and item credit notes: saved first, posted then. AccountsIQ computes their VAT.

One that is saved and not posted is in no ledger: it is found by its external reference alone, and is what a create
that was cut off between its two steps has left behind. Pure but for the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.codec_documents import Arithmetic, own_words, rate_of, same_currency
from reconciler.providers.accountsiq.directory import Customer, Directory
from reconciler.providers.accountsiq.entries import item_id
from reconciler.providers.accountsiq.envelope import Row, nil, node, optional
from reconciler.providers.accountsiq.records import INVOICE, Record
from reconciler.providers.accountsiq.wire import amount, day_of, day_text, decimal, id_of, long_words
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal
from reconciler.resources.tracking import merged_tracking

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Words:
    """What AccountsIQ calls things, of invoices or of credit notes."""

    shell: str
    save: str
    element: str
    saved_id: str
    post: str
    one: str
    one_id: str
    by_reference: str


WORDS = {
    "invoice": Words(
        "GetNewSalesInvoice",
        "SaveInvoiceGetBackInvoiceID",
        "invoice",
        "invoiceID",
        "PostInvoiceGetBackTransactionID",
        "GetInvoice",
        "invoiceID",
        "GetInvoicesByExternalReference",
    ),
    "credit_note": Words(
        "GetNewSalesCreditNote",
        "SaveCreditNoteGetBackCreditNoteID",
        "creditNote",
        "creditNoteID",
        "PostCreditNoteGetBackTransactionID",
        "GetCreditNote",
        "creditNoteID",
        "GetCreditNotesByExternalReference",
    ),
}


def is_of_items(content: Mapping[str, Any]) -> bool:
    """Every line names an item: it goes as an item document."""
    lines = content.get("lines") or ()
    return bool(lines) and all(line.get("item") for line in lines)


# ---- from AccountsIQ ----


def retrieved(accountsiq: AccountsIQ, kind: str, invoice_id: str) -> Row | None:
    """One item document, posted or not; None where there is none."""
    words = WORDS[kind]
    return accountsiq.find(words.one, node(words.one_id, invoice_id))


def saved_under(accountsiq: AccountsIQ, kind: str, reference: str) -> tuple[list[Row], list[Row]]:
    """Item documents that carry a reference: those that are saved, not posted, and those that are posted."""
    rows = accountsiq.read(WORDS[kind].by_reference, node("externalReference", reference)).rows()
    mine = [row for row in rows if row.text("ExternalReference") == reference]
    saved, posted = ([row for row in mine if row.text("Status") == status] for status in ("Processed", "Posted"))
    return saved, posted


def item_lines(row: Row, directory: Directory) -> list[Content]:
    """The lines of an item document: items, quantities and prices, with the VAT as computed."""
    return [_line_from(line, directory) for line in row.rows("Lines")]


def _line_from(line: Row, directory: Directory) -> Content:
    tax, percent = directory.tax_code(line.text("TaxCode")), amount(line, "DiscountRate")
    content: Content = {
        "item": line.text("StockItemID"),
        "account": line.text("GLAccountCode"),
        "description": long_words(line, "StockItemDescription"),
        "quantity": decimal_text(amount(line, "InvoicedQuantity")),
        "unit_price": decimal_text(amount(line, "StockItemPrice")),
        "discount": {"percent": decimal_text(percent)} if percent else None,
        "taxes": [tax] if tax else None,
        "tax_amount": decimal_text(amount(line, "TaxAmount")) if tax else None,
        "tracking": dict(directory.tracking_of(line.text("DepartmentID"))) or None,
    }
    return {name: value for name, value in content.items() if value is not None}


def memo_of(row: Row) -> str | None:
    return own_words(long_words(row, "Notes"), row.text("ExternalReference"))


def draft_from(kind: str, row: Row, directory: Directory, arithmetic: Arithmetic) -> Observed:
    """An item document that is saved and not posted."""
    currency = (row.text("CurrencyCode") or row.text("CurrrencyCode") or directory.base_currency).upper()
    day, due = day_of(row, "InvoiceDate"), day_of(row, "DueDate")
    foreign = currency != directory.base_currency
    content: Content = {
        "customer": row.text("AccountCode"),
        "issue_date": day.isoformat() if day else None,
        "due_date": due.isoformat() if due and kind == "invoice" else None,
        "currency": currency,
        "exchange_rate": decimal_text(arithmetic.rate_from(amount(row, "ExchangeRate"))) if foreign else None,
        "memo": memo_of(row),
        "lines": item_lines(row, directory),
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    total = abs(amount(row, "GrossAmount"))
    phase = "void" if row.text("Status") == "Cancelled" else "draft"
    return Observed(
        kind,
        item_id(id_of(row, "InvoiceID") or "0"),
        body,
        digest_text(f"{phase}\n{body}"),
        phase,
        number=row.text("InvoiceNumber"),
        reference=row.text("ExternalReference"),
        computed={"total": decimal_text(total), "open": decimal_text(total)},
    )


# ---- to AccountsIQ ----


def new_document(
    accountsiq: AccountsIQ,
    kind: str,
    content: Content,
    reference: str,
    customer: Customer,
    directory: Directory,
    arithmetic: Arithmetic,
    today: date,
) -> Element:
    """What is to be saved: AccountsIQ's own shell for the customer, filled in. Raises ProviderError."""
    words = WORDS[kind]
    currency = same_currency(content, customer)
    shell = accountsiq.find(words.shell, node("customerCode", customer.code))
    if shell is None:
        raise Rejected(f"AccountsIQ has no customer {customer.code}", code="customer")
    record = Record(words.element, shell, INVOICE)
    record.put("ExternalReference", reference)
    record.put("InvoiceDate", day_text(content["issue_date"]))
    record.put("Notes", content.get("memo") or reference)
    record.put("ExchangeRate", decimal(rate_of(content, currency, directory, arithmetic)))
    if content.get("due_date") and arithmetic.due_dates:
        record.put("DueDate", day_text(content["due_date"]))
    totals = arithmetic.totals(content, currency, directory.rate)
    header = content.get("tracking")
    lines = [
        _line(line, total, directory.department(merged_tracking(header, line.get("tracking"))), directory, today)
        for line, total in zip(content["lines"], totals.lines, strict=True)
    ]
    record.replace(node("Lines", *lines))
    record.put("NetAmount", decimal(totals.net))
    record.put("TaxAmount", decimal(totals.tax))
    record.put("GrossAmount", decimal(totals.gross))
    return record.element


def _line(
    line: Mapping[str, Any], total: LineTotal, department: str | None, directory: Directory, today: date
) -> Element:
    item = directory.item(str(line["item"]))
    price = line["unit_price"]
    off = (line.get("discount") or {}).get("percent") or ZERO
    tax = next(iter(line.get("taxes") or ()), directory.untaxed)
    percent = directory.rate(tax) if tax else ZERO
    return node(
        "InvoiceLine",
        node("InvoiceItemID", "0"),
        node("InvoiceID", "0"),
        nil("OrderItemID"),
        node("StockItemID", item.text("StockItemID") or ""),
        node("StockItemDescription", line.get("description") or item.text("Description") or ""),
        node("InvoicedQuantity", decimal(line.get("quantity") or Decimal(1))),
        node("DeliveredQuantity", decimal(line.get("quantity") or Decimal(1))),
        node("StockItemCost", "0"),
        node("StockItemPrice", decimal(price)),
        node("DiscountRate", decimal(off)),
        node("ActualPrice", decimal(price * (_HUNDRED - off) / _HUNDRED)),
        optional("TaxCode", tax),
        node("TaxRate", decimal((percent or ZERO) / _HUNDRED)),
        node("NetAmount", decimal(total.net)),
        node("TaxAmount", decimal(total.tax)),
        node("GrossAmount", decimal(total.net + total.tax)),
        optional("LocationID", item.text("DefaultLocationID")),
        optional("SublocationID", item.text("DefaultSublocationID")),
        node("CreationDate", day_text(today)),
        node("AdditionalCost", "false"),
        optional("GLAccountCode", line.get("account") or item.text("DefaultSalesGLAccountCode")),
        optional("OpeningStockGLAccountCode", item.text("OpeningStockGLAccountCode")),
        nil("DeliveryItemID"),
        optional("DepartmentID", department),
    )

"""What a draft is to say, in Tryton's values: of a new invoice or credit note, and of changes to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.providers.errors import Rejected
from reconciler.providers.operations import Create
from reconciler.providers.protocol import ExecuteRequest
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import lines
from reconciler.providers.tryton.codec_invoices import header_values, invoice_values, line_values
from reconciler.providers.tryton.references import joined, parted
from reconciler.providers.tryton.taxes import differences

MODEL = "account.invoice"


def new_values(books: Books, request: ExecuteRequest) -> dict[str, Any]:
    """Tryton's values of a new draft. Raises Rejected."""
    assert isinstance(request.operation, Create)
    kind, content = request.operation.kind, request.operation.content
    _refuse_rest(content)
    items = [line["item"] for line in content["lines"] if line.get("item")]
    parties = books.parties([content["customer"]], items)
    origins: Sequence[int] = ()
    if kind == "credit_note" and content.get("original"):
        origins = _origins(books, int(content["original"]["invoice"]))
    values = invoice_values(kind, content, request.reference, books.directory, parties, origins)
    taxes = manual_taxes(books, kind, content)
    return values | {"taxes": [["create", taxes]]} if taxes else values


def _refuse_rest(content: Mapping[str, Any]) -> None:
    """What normalising could not refuse because a plan was made elsewhere."""
    if content.get("prices") == "inclusive":
        raise Rejected("Tryton's prices are before tax", code="prices")
    for at, line in enumerate(content.get("lines") or ()):
        if line.get("discount") or line.get("tracking"):
            raise Rejected(f"lines[{at}] has a discount or tracking, which Tryton does not keep", code="lines")


def _origins(books: Books, invoice: int) -> list[int]:
    row = books.row(MODEL, invoice, ["lines.type"], "invoice")
    return [int(line["id"]) for line in lines(row, "lines") if line["type"] == "line"]


def manual_taxes(books: Books, kind: str, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stated tax amounts are more or less than Tryton computes, as tax lines of their own."""
    sign = -1 if kind == "credit_note" else 1
    currency = str(content.get("currency") or books.directory.base_code)
    if not any(line.get("tax_amount") is not None for line in content["lines"]):
        return []
    rates = books.observer.rates(int(tax) for line in content["lines"] for tax in line.get("taxes") or ())
    found = differences(content, currency, rates, per_line=books.directory.rounds_per_line)
    if not found:
        return []
    fields = ["description", "invoice_account", "credit_note_account", "legal_notice"]
    rows = {str(row["id"]): row for row in books.tryton.among("account.tax", "id", map(int, found), fields)}
    account = "credit_note_account" if kind == "credit_note" else "invoice_account"
    return [
        {
            "manual": True,
            "tax": int(tax),
            "description": rows[tax]["description"],
            "legal_notice": rows[tax].get("legal_notice"),
            "account": rows[tax][account],
            "base": ZERO,
            "amount": sign * Decimal(amount),
        }
        for tax, amount in found.items()
    ]


def changed_values(books: Books, kind: str, after: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Tryton's values of changed fields; lines are replaced whole."""
    _refuse_rest(after)
    values = header_values(kind, after)
    if "po_number" in after:
        ours, _ = parted(row.get("reference"))
        values["reference"] = joined(ours, after["po_number"]) if ours else after["po_number"]
    items = [line["item"] for line in after.get("lines") or () if line.get("item")]
    customers = [after["customer"]] if after.get("customer") else []
    parties = books.parties(customers, items)
    if customers:
        party = int(after["customer"])
        if party not in parties.address:
            raise Rejected("the customer has no address in Tryton, and an invoice needs one", code="address")
        account = parties.receivable.get(party) or books.directory.receivable
        values |= {"party": party, "invoice_address": parties.address[party], "account": account}
    if after.get("receivable_account"):
        values["account"] = int(after["receivable_account"])
    currency = row["currency"]
    if after.get("currency"):
        currency = values["currency"] = books.directory.currency(str(after["currency"]))
    if after.get("lines") is not None:
        old = [line["id"] for line in lines(row, "lines")]
        made = line_values(kind, after, books.directory, parties, currency)
        values["lines"] = [["delete", old], ["create", made]]
    return values

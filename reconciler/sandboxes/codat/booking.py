"""Pushed bodies as the ledger's commands: accounts, bank accounts, customers, items, invoices, credit notes.

What cannot be booked raises PushRefused with the field that is wrong. Payments are in `receiving`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import is_currency, round_amount
from reconciler.sandboxes.codat.erp import View
from reconciler.sandboxes.codat.words import Invalid, PushRefused
from reconciler.sandboxes.ledger.commands import Command, CreateRecord

ZERO = Decimal(0)
Body = Mapping[str, Any]
_KEPT = {
    "account": ("description", "fullyQualifiedCategory"),
    "bank_account": ("accountType", "sortCode", "accountNumber", "iBan", "institution"),
    "customer": ("contactName", "phone", "addresses", "contacts", "registrationNumber"),
    "item": ("type", "isBillItem", "isInvoiceItem", "billItem"),
}
"""Fields that the ledger has no place for: they are kept beside it."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What to write: commands, and fields to keep beside the record that the last command makes or changes."""

    commands: list[Command]
    extra: dict[str, Any] = field(default_factory=dict)


def refused(item: str, message: str, model: str) -> PushRefused:
    return PushRefused([Invalid(item, message, model)])


def required(body: Body, name: str, model: str) -> Any:
    """The field's value. Refuses none, an empty text and an empty list."""
    value = body.get(name)
    if value is None or value == "" or value == []:
        raise refused(name, f"{name} must be provided.", model)
    return value


def kept(kind: str, body: Body) -> dict[str, Any]:
    return {name: body[name] for name in _KEPT.get(kind, ()) if name in body}


def currency_of(body: Body, name: str, model: str) -> str | None:
    code = body.get(name)
    if code and not is_currency(code):
        raise refused(name, f"{code} is not a currency of the accounting software.", model)
    return code or None


# ---- masters ----


def account_type(body: Body) -> str:
    """The kind of account a category or a type stands for."""
    category = (body.get("fullyQualifiedCategory") or "").lower()
    first = category.split(".")[0] or (body.get("type") or "").lower()
    if "receivable" in category or "debtors" in category:
        return "accounts_receivable"
    if body.get("isBankAccount") or "bank" in category:
        return "bank"
    if first.startswith("asset"):
        return "fixed_asset" if "fixed" in category else "current_asset"
    kinds = {
        "liabil": "liability",
        "equity": "equity",
        "income": "income",
        "revenue": "income",
        "expense": "expense",
    }
    for start, kind in kinds.items():
        if first.startswith(start):
            return kind
    raise refused("fullyQualifiedCategory", "FullyQualifiedCategory must be a category of accounts.", "Account")


def book_account(view: View, body: Body, key: str) -> Booking:
    name = required(body, "name", "Account")
    code = body.get("nominalCode") or f"A{view.books.shelf.next('account-codes'):04d}"
    content = {
        "name": name,
        "code": code,
        "type": account_type(body),
        "currency": currency_of(body, "currency", "Account"),
        "status": _status(body.get("status"), "status", "Account"),
    }
    return Booking([CreateRecord("account", _given(content), reference=key)], kept("account", body))


def book_bank_account(view: View, body: Body, key: str) -> Booking:
    """A bank account, and the GL account behind it unless one with its nominal code is there."""
    name = required(body, "accountName", "BankAccount")
    code = body.get("nominalCode")
    found = [own for own, content in view.accounts.items() if content.get("code") == code] if code else []
    if not found:
        raise refused("nominalCode", "NominalCode must match the nominal code of an account.", "BankAccount")
    content = {"name": name, "account": found[0], "currency": currency_of(body, "currency", "BankAccount")}
    return Booking([CreateRecord("bank_account", _given(content), reference=key)], kept("bank_account", body))


def customer_content(body: Body) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for theirs, ours in (("customerName", "name"), ("emailAddress", "email"), ("taxNumber", "tax_number")):
        if theirs in body:
            content[ours] = body[theirs] or None
    if "defaultCurrency" in body:
        content["currency"] = currency_of(body, "defaultCurrency", "Customer")
    content["status"] = _status(body["status"], "status", "Customer")
    return content


def book_customer(view: View, body: Body, key: str) -> Booking:
    required(body, "customerName", "Customer")
    return Booking(
        [CreateRecord("customer", _given(customer_content(body)), reference=key)], kept("customer", body)
    )


def book_item(view: View, body: Body, key: str) -> Booking:
    name = required(body, "name", "Item")
    if not body["isInvoiceItem"]:
        raise refused("isInvoiceItem", "IsInvoiceItem must be true: only items that are sold are kept.", "Item")
    side = body.get("invoiceItem") or {}
    extra = kept("item", body)
    if side.get("description"):
        extra["description"] = side["description"]
    account = (side.get("accountRef") or {}).get("id")
    rate = (side.get("taxRateRef") or {}).get("id")
    content = {
        "name": name,
        "code": body.get("code") or None,
        "unit_price": side.get("unitPrice"),
        "income_account": known(view.accounts, account, "invoiceItem.accountRef.id", "Account", "Item"),
        "status": _status(body["itemStatus"], "itemStatus", "Item"),
    }
    if known(view.tax_rates, rate, "invoiceItem.taxRateRef.id", "TaxRate", "Item"):
        content["taxes"] = [rate]
    return Booking([CreateRecord("item", _given(content), reference=key)], extra)


def known(records: Container[str], own: str | None, item: str, what: str, model: str) -> str | None:
    """The id, if it is one of `records`'; None for none. Refuses others."""
    if own is not None and own not in records:
        raise refused(item, f"Must match the ID of an existing {what}: there is none with the ID {own}.", model)
    return own


def _status(value: str | None, item: str, model: str) -> str:
    if value in (None, "Active"):
        return "active"
    if value == "Archived":
        return "archived"
    raise refused(item, f"{item} must be Active or Archived.", model)


def _given(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value is not None}


# ---- invoices and credit notes ----


def book_document(view: View, kind: str, body: Body, key: str) -> Booking:
    """An invoice or credit note. Its sums must be those of its lines."""
    model = "Invoice" if kind == "invoice" else "CreditNote"
    content = document_content(view, kind, body)
    number = body.get("invoiceNumber" if kind == "invoice" else "creditNoteNumber") or None
    state = {"Draft": "draft", "Submitted": "posted"}.get(body["status"])
    if state is None:
        raise refused("status", f"Status must be Draft or Submitted, not {body['status']}.", model)
    command = CreateRecord(
        kind, content, reference=key, number=number, state="draft" if state == "draft" else "posted"
    )
    return Booking([command])


def document_content(view: View, kind: str, body: Body) -> dict[str, Any]:
    """The ledger's content of a pushed document. Raises PushRefused."""
    model = "Invoice" if kind == "invoice" else "CreditNote"
    for name in ("paymentAllocations", "withholdingTax", "salesOrderRefs"):
        if body.get(name):
            raise refused(name, f"{name} is not supported by the accounting software on a push.", model)
    for name in ("additionalTaxAmount", "additionalTaxPercentage", "discountPercentage"):
        if body.get(name):
            raise refused(name, f"{name} is not supported by the accounting software on a push.", model)
    customer = (required(body, "customerRef", model))["id"]
    known(view.customers, customer, "customerRef.id", "Customer", model)
    currency = currency_of(body, "currency", model) or view.customers[customer].get("currency") or view.base
    lines = required(body, "lineItems", model)
    content: dict[str, Any] = {
        "customer": customer,
        "issue_date": date.fromisoformat(str(required(body, "issueDate", model))[:10]),
        "currency": currency,
        "memo": body.get("note") or None,
        "lines": [_line(view, line, index, model, currency) for index, line in enumerate(lines)],
    }
    if body.get("currencyRate") is not None and (currency != view.base or body["currencyRate"] != 1):
        content["exchange_rate"] = body["currencyRate"]
    if kind == "invoice" and body.get("dueDate"):
        content["due_date"] = date.fromisoformat(body["dueDate"][:10])
    _check_sums(view, body, content, model)
    return _given(content)


def _line(view: View, line: Body, index: int, model: str, currency: str) -> dict[str, Any]:
    where = f"lineItems.{index}"
    quantity, price = line["quantity"], line["unitAmount"]
    if quantity == 0:
        raise refused(f"{where}.quantity", "Quantity must not be zero.", model)
    if quantity < 0:
        quantity, price = -quantity, -price
    account = (line.get("accountRef") or {}).get("id")
    item = (line.get("itemRef") or {}).get("id")
    known(view.accounts, account, f"{where}.accountRef.id", "Account", model)
    known(view.items, item, f"{where}.itemRef.id", "Item", model)
    if account is None and item is None:
        raise refused(f"{where}.accountRef", "Either AccountRef or ItemRef must be provided.", model)
    content: dict[str, Any] = {
        "description": line.get("description") or None,
        "quantity": quantity,
        "unit_price": price,
        "account": account,
        "item": item,
        "tracking": _tracking(view, line, where, model) or None,
    }
    percent, amount = line.get("discountPercentage") or ZERO, line.get("discountAmount") or ZERO
    gross = round_amount(quantity * price, currency)
    if percent and amount and amount != round_amount(gross * percent / 100, currency):
        raise refused(f"{where}.discountAmount", "DiscountAmount must be what DiscountPercentage comes to.", model)
    if percent:
        content["discount"] = {"percent": percent}
    elif amount:
        content["discount"] = {"amount": amount}
    _add_tax(view, content, line, where, model, currency)
    return _given(content)


def _net(content: Body, currency: str) -> Decimal:
    from reconciler.resources.totals import line_base

    net = line_base(content, currency)
    assert net is not None
    return net


def _add_tax(view: View, content: dict[str, Any], line: Body, where: str, model: str, currency: str) -> None:
    rate = (line.get("taxRateRef") or {}).get("id")
    known(view.tax_rates, rate, f"{where}.taxRateRef.id", "TaxRate", model)
    given = line.get("taxAmount")
    net = _net(content, currency)
    computed = ZERO
    if rate is not None:
        content["taxes"] = [rate]
        computed = round_amount(net * view.tax_rates[rate]["rate"] / 100, currency)
    elif given:
        raise refused(f"{where}.taxRateRef", "TaxRateRef must be provided where there is a TaxAmount.", model)
    tax = computed if given is None else given
    if tax != computed:
        if tax < 0 or abs(tax - computed) > abs(net):
            raise refused(f"{where}.taxAmount", f"TaxAmount {tax} does not fit the tax rate.", model)
        content["tax_amount"] = tax
    for name, value in (("subTotal", net), ("totalAmount", net + tax)):
        if line.get(name) is not None and line[name] != value:
            raise refused(f"{where}.{name}", f"{name} must be {value}, what the line comes to.", model)


def _tracking(view: View, line: Body, where: str, model: str) -> dict[str, str]:
    refs = [*(line.get("trackingCategoryRefs") or ()), *((line.get("tracking") or {}).get("categoryRefs") or ())]
    found: dict[str, str] = {}
    for ref in refs:
        value = view.tracking_value(ref["id"])
        if value is None:
            raise refused(
                f"{where}.trackingCategoryRefs",
                f"Must match the ID of an existing TrackingCategory without children: {ref['id']} is none.",
                model,
            )
        if found.get(value[0], value[1]) != value[1]:
            raise refused(
                f"{where}.trackingCategoryRefs", "Only one of a category's children can be on a line.", model
            )
        found[value[0]] = value[1]
    return found


def _check_sums(view: View, body: Body, content: Body, model: str) -> None:
    """Every total that the body states must be what the lines come to."""
    from reconciler.resources.totals import compute_totals

    settings = view.books.ledger.settings
    totals = compute_totals(
        content,
        content["currency"],
        view.rate_of,
        per_line=settings.tax_rounding_per_line,
        rounding=settings.rounding,
    )
    assert totals is not None
    sums = {"subTotal": totals.net, "totalTaxAmount": totals.tax, "totalAmount": totals.gross}
    sums["amountDue" if model == "Invoice" else "remainingCredit"] = totals.gross
    for name, value in sums.items():
        if body.get(name) is not None and body[name] != value:
            raise refused(name, f"{name} must be {value}, the sum of the lines.", model)

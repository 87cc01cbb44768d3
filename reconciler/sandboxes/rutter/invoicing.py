"""Invoices and credit memos as the ledger's commands: created, changed, posted, voided, deleted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.money import is_currency
from reconciler.resources.content import decode
from reconciler.resources.totals import line_base
from reconciler.sandboxes.ledger.commands import Command, DiscardDraft, PostDraft, UpdateRecord, VoidDocument
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.rutter.booking import Body, Write, day_in, given
from reconciler.sandboxes.rutter.words import PlatformRefused

_FINEST = Decimal(1).scaleb(-10)
_HEADERS = {"invoice": "invoice", "credit_note": "invoice_credit_memo"}
_DATES = ("service_date", "rev_rec_start_date", "rev_rec_end_date")
_KEPT = ("internal_memo", "billing_email", "addresses", "ship_date")


# ---- lines ----


def _line(write: Write, kind: str, body: Body, line: Body, place: str, currency: str) -> Body:
    item, more = line.get("item") or {}, line.get("additional_fields") or {}
    if more.get("linked_sales_order"):
        raise PlatformRefused(f"{place}: there are no sales orders")
    own_item = write.own("items", item.get("id"), f"{place}.item.id")
    account = write.own("accounts", line.get("account_id"), f"{place}.account_id")
    write.own("items", line.get("discount_item_id"), f"{place}.discount_item_id")
    if own_item is None and account is None:
        raise PlatformRefused(f"{place}: a line needs an item or an account")
    content: Body = {
        "description": line.get("description") or None,
        "item": own_item,
        "account": account,
        "tracking": _tracking(write, {"classes": "class_id", "locations": "location_id"}, line, place) or None,
    }
    _add_price(content, line, item, more, place, currency)
    header = body.get("additional_fields") or {}
    rate = line.get("tax_rate_id") if kind == "invoice" else more.get("tax_rate_id")
    rate = rate or header.get("tax_rate_id")
    if rate is not None and more.get("sales_taxable") is not False:
        content["taxes"] = [write.own("tax_rates", rate, f"{place}.tax_rate_id")]
    if "tax_amount" in more:
        content["tax_amount"] = more["tax_amount"]
    return given(content)


def _add_price(content: Body, line: Body, item: Body, more: Body, place: str, currency: str) -> None:
    """Quantity, price and discount; they must come to the line's total."""
    total, amount, percent = line["total_amount"], line.get("discount_amount"), more.get("discount_percentage")
    quantity, price = item.get("quantity"), item.get("unit_amount")
    if quantity == 0:
        raise PlatformRefused(f"{place}.item.quantity: it must not be zero")
    if price is None:
        if percent:
            raise PlatformRefused(f"{place}.item.unit_amount: a discount in percent needs it")
        price = (total + (amount or 0)) / (quantity or 1)
        if price.as_tuple().exponent < _FINEST.as_tuple().exponent:
            price = price.quantize(_FINEST)
    if quantity is not None and quantity < 0:
        quantity, price = -quantity, -price
    content["unit_price"] = price
    content["quantity"] = quantity if quantity is not None else (Decimal(1) if item else None)
    if percent:
        content["discount"] = {"percent": percent}
    elif amount:
        content["discount"] = {"amount": amount}
    if line_base(content, currency) != total:
        raise PlatformRefused(f"{place}.total_amount: it is not unit_amount x quantity less the discount")


def _tracking(write: Write, fields: dict[str, str], source: Body, place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path, name in fields.items():
        own = write.own(path, source.get(name), f"{place}.{name}" if place else name)
        if own is not None:
            category, _, ordinal = own.rpartition(".")
            found[category] = write.erp.tracking[category]["values"][int(ordinal) - 1]
    return found


def _lines(write: Write, kind: str, currency: str) -> list[Body]:
    lines = write.body["line_items"]
    if not lines:
        raise PlatformRefused("line_items: at least one is needed")
    return [
        _line(write, kind, write.body, line, f"line_items.{place}", currency) for place, line in enumerate(lines)
    ]


def _line_dates(body: Body) -> Body:
    dates = {}
    for place, line in enumerate(body.get("line_items") or (), 1):
        more = line.get("additional_fields") or {}
        if found := {name: more[name] for name in _DATES if name in more}:
            dates[str(place)] = found
    return dates


# ---- documents ----


def _header(write: Write, kind: str) -> Body:
    """The fields of the ledger that a body has besides its lines."""
    body = write.body
    content: Body = {}
    more = body.get("additional_fields") or {}
    for name in ("discount_amount", "discount_percentage", "shipping_amount", "tax_amount"):
        if more.get(name):
            raise PlatformRefused(f"additional_fields.{name}: only lines have discounts, shipping and tax here")
    if "customer_id" in body:
        content["customer"] = write.own("customers", body["customer_id"], "customer_id")
    if "issue_date" in body:
        content["issue_date"] = day_in(body["issue_date"])
    if "due_date" in body:
        content["due_date"] = day_in(body["due_date"])
    if "memo" in body:
        content["memo"] = body["memo"] or None
    if "po_number" in more:
        content["po_number"] = more["po_number"] or None
    if "account_id" in body:
        content["receivable_account"] = write.own("accounts", body["account_id"], "account_id")
    if "payment_terms_id" in body:
        content["terms"] = write.own("payment_terms", body["payment_terms_id"], "payment_terms_id")
    if "currency_code" in body:
        if not is_currency(body["currency_code"]):
            raise PlatformRefused(f"currency_code: {body['currency_code'][:20]!r} is no currency")
        content["currency"] = body["currency_code"]
    return content


def _header_tracking(write: Write) -> dict[str, str]:
    more = write.body.get("additional_fields") or {}
    return {
        **_tracking(write, {"classes": "class_id"}, write.body, ""),
        **_tracking(write, {"departments": "department_id", "locations": "location_id"}, more, "additional_fields"),
    }


def _extra(write: Write) -> Body:
    more = write.body.get("additional_fields") or {}
    extra = {name: more[name] for name in _KEPT if name in more}
    if "line_items" in write.body:
        extra["line_dates"] = _line_dates(write.body)
    return extra


def create_document(write: Write, kind: str) -> str:
    """An invoice or credit memo, posted unless its status says otherwise."""
    body = write.body
    if "subsidiary_id" in body:
        write.check_subsidiary()
    takes_number = write.platform.invoice_number if kind == "invoice" else write.platform.credit_memo_number
    number = body.get("document_number") or None
    if number is not None and not takes_number and write.unsupported("document_number"):
        number = None
    status = body.get("status", "open")
    if status != "open" and not write.platform.statuses and write.unsupported("status"):
        status = "open"
    content = _header(write, kind)
    customer = content["customer"]
    currency = content.get("currency") or write.erp.customers[customer].get("currency") or write.erp.base
    content["currency"] = currency
    content["exchange_rate"] = write.rate_of_exchange(currency)
    content["lines"] = _lines(write, kind, currency)
    content["tracking"] = _header_tracking(write) or None
    if _inclusive(write, kind):
        content["prices"] = "inclusive"
    extra = _extra(write)
    if status == "submitted":
        extra["status"] = status
    return write.create(kind, content, extra, number=number, state="posted" if status == "open" else "draft")


def _inclusive(write: Write, kind: str) -> bool:
    more = write.body.get("additional_fields") or {}
    if kind == "credit_note" and "tax_inclusive" in more:
        return bool(more["tax_inclusive"])
    return write.switches.text("line_totals") == "gross"


def update_document(write: Write, kind: str) -> str:
    """Change fields and status; what is posted changes only where the books let it."""
    record = write.record(kind)
    status = write.body.get("status")
    if status is not None and status != "void" and not write.platform.statuses and write.unsupported("status"):
        status = None
    if status == "void" and write.platform.name == "SAGE_INTACCT" and write.unsupported("status"):
        status = None
    commands = [*_changes(write, kind, record), *_status_commands(kind, record, status)]
    if commands:
        write.run(commands)
    extra = _extra(write)
    if status is not None:
        extra["status"] = status
    write.keep(record.id, extra)
    return record.id


def _changes(write: Write, kind: str, record: Record) -> list[Command]:
    body, current = write.body, decode(kind, record.body)
    after: dict[str, Any] = _header(write, kind)
    if "line_items" in body:
        currency = after.get("currency") or current["currency"]
        after["lines"] = _lines(write, kind, currency)
    if after.get("currency", current["currency"]) != current["currency"]:
        after["exchange_rate"] = write.rate_of_exchange(after["currency"])
    more = body.get("additional_fields") or {}
    if "class_id" in body or "department_id" in more or "location_id" in more:
        after["tracking"] = _changed_tracking(write, current) or None
    after = {name: value for name, value in after.items() if value != current.get(name)}
    number = body.get("document_number")
    if number and number != record.number:
        if record.phase != "draft":
            raise PlatformRefused("document_number: the number of what is posted can no longer change")
        after["number"] = number
    if not after:
        return []
    before = {name: current.get(name) for name in after if name != "number"}
    return [UpdateRecord(kind, record.id, before, after)]


def _changed_tracking(write: Write, current: Body) -> dict[str, str]:
    tracking = dict(current.get("tracking") or {})
    if "class_id" in write.body and write.body["class_id"] is None:
        tracking.pop(write.erp.category("classes") or "", None)
        return {**tracking, **_header_tracking_but_class(write)}
    return {**tracking, **_header_tracking(write)}


def _header_tracking_but_class(write: Write) -> dict[str, str]:
    more = write.body.get("additional_fields") or {}
    return _tracking(write, {"departments": "department_id", "locations": "location_id"}, more, "additional_fields")


def _status_commands(kind: str, record: Record, status: str | None) -> list[Command]:
    draft = record.phase == "draft"
    if status == "void":
        return [VoidDocument(kind, record.id, "voided through the API")]
    if status == "open" and draft:
        return [PostDraft(kind, record.id)]
    if status in ("draft", "submitted") and not draft:
        raise PlatformRefused(f"the {_HEADERS[kind]} is posted; it cannot become {status}")
    return []


def delete_document(write: Write, kind: str) -> str:
    """Discard a draft; take what is posted out of the books, if nothing is applied to it or by it."""
    record = write.record(kind)
    if record.phase == "draft":
        write.run([DiscardDraft(kind, record.id)])
    elif record.phase != "void":
        write.run([VoidDocument(kind, record.id, "deleted through the API")])
    write.delete(record.id)
    return record.id

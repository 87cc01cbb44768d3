"""Read models of documents: invoices and payments, credit memos; amounts as numbers or strings as each has them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.money import round_amount
from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, compute_totals
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.rutter.erp import PAYMENT_METHODS, Erp, Settling
from reconciler.sandboxes.rutter.masters import Model, full_address, stamped
from reconciler.sandboxes.rutter.platforms import Platform
from reconciler.sandboxes.rutter.words import amount_text, day_of

ZERO = Decimal(0)
_SUMS = ("discount_amount", "sub_total", "tax_amount", "total_amount")
_STATUSES = {
    "draft": "draft",
    "posted": "open",
    "part_settled": "partially_paid",
    "settled": "paid",
    "void": "void",
}
_MEMO_STATUSES = {
    "draft": "DRAFT",
    "posted": "OPEN",
    "part_settled": "PARTIALLY_APPLIED",
    "settled": "APPLIED",
    "void": "VOID",
}


def _platform(erp: Erp) -> Platform:
    return Platform.of(erp.switches.text("platform"))


def _line_totals(erp: Erp, content: Content) -> list[tuple[Content, LineTotal]]:
    settings = erp.books.ledger.settings
    totals = compute_totals(
        content,
        content["currency"],
        erp.rate_of,
        per_line=settings.tax_rounding_per_line,
        rounding=settings.rounding,
    )
    assert totals is not None
    return list(zip(content["lines"], totals.lines, strict=True))


def _income_account(erp: Erp, total: LineTotal) -> str | None:
    own = total.account
    if own is None and total.item is not None:
        own = erp.items[total.item].get("income_account")
    return erp.identity("accounts", own)


def _tax(erp: Erp, total: LineTotal) -> str | None:
    return erp.identity("tax_rates", total.taxes[0]) if total.taxes else None


def _discount(line: Content, total: LineTotal, content: Content) -> Decimal:
    """What the discount takes off, in the terms of the price: with tax where prices have it in them."""
    gross = round_amount((line.get("quantity") or Decimal(1)) * line["unit_price"], content["currency"])
    return gross - (total.net + total.tax if content.get("prices") == "inclusive" else total.net)


# ---- invoices ----


def invoice(erp: Erp, record: Record, settlings: list[Settling]) -> Model:
    content, extra = decode("invoice", record.body), erp.beside(record.id)
    emptied = record.phase == "void" and _platform(erp).void_looks_paid
    lines = [
        _invoice_line(erp, record, place, line, total, content, extra)
        for place, (line, total) in enumerate(_line_totals(erp, content), 1)
    ]
    status = _STATUSES[record.phase]
    if record.phase == "draft" and extra.get("status") == "submitted":
        status = "submitted"
    due = Decimal(record.computed["total" if record.phase == "draft" else "open"])
    model = {
        "account_id": erp.identity("accounts", _control(erp, content)),
        "class_id": erp.tracked("classes", content.get("tracking")),
        "customer_id": erp.identity("customers", content["customer"]),
        "payment_terms_id": erp.identity("payment_terms", content.get("terms")),
        "subsidiary_id": None,
        "due_date": day_of(content.get("due_date") or content["issue_date"]),
        "issue_date": day_of(content["issue_date"]),
        "status": status,
        "amount_due": due,
        "currency_code": content["currency"],
        "discount_amount": sum((line["discount_amount"] or ZERO for line in lines), ZERO),
        "document_number": record.number,
        "memo": content.get("memo"),
        "sub_total": Decimal(record.computed["net"]),
        "tax_amount": Decimal(record.computed["tax"]),
        "total_amount": Decimal(record.computed["total"]),
        "linked_payments": [_linked_payment(erp, settling) for settling in settlings],
        "addresses": [full_address(one) for one in extra.get("addresses") or ()],
        "line_items": lines,
        "additional_fields": {"internal_memo": extra.get("internal_memo"), "po_number": content.get("po_number")},
    }
    if emptied:
        # NetSuite has no void invoices: their lines are zero, and nothing is due on them.
        model |= dict.fromkeys(("amount_due", *_SUMS), ZERO)
        model["status"] = "paid"
        for line in lines:
            line |= dict.fromkeys(_SUMS, ZERO)
            if line["item"]:
                line["item"] = {**line["item"], "unit_amount": ZERO}
    return stamped(erp, "invoices", record, model)


def _control(erp: Erp, content: Content) -> str:
    own = content.get("receivable_account") or erp.customers[content["customer"]].get("receivable_account")
    return str(own or erp.receivable)


def _linked_payment(erp: Erp, settling: Settling) -> Model:
    return {
        "id": erp.document_identity(settling.source_kind, settling.source),
        "allocated_date": day_of(settling.day),
        "allocated_amount": settling.amount,
        "type": "INVOICE_PAYMENT" if settling.source_kind == "payment" else "INVOICE_CREDIT_MEMO",
    }


def _invoice_line(
    erp: Erp, record: Record, place: int, line: Content, total: LineTotal, content: Content, extra: Model
) -> Model:
    tracking = dict(total.tracking)
    item: Model | None = None
    if total.item is not None or "quantity" in line:
        item = {
            "id": erp.identity("items", total.item),
            "quantity": line.get("quantity") or Decimal(1),
            "unit_amount": line["unit_price"],
        }
    model = {
        "platform_id": f"{erp.platform_id(record.id)}_{place}",
        "account_id": _income_account(erp, total),
        "class_id": erp.tracked("classes", line.get("tracking")),
        "location_id": erp.tracked("locations", tracking),
        "tax_rate_id": _tax(erp, total),
        "description": line.get("description"),
        "discount_amount": _discount(line, total, content),
        "discount_percentage": (line.get("discount") or {}).get("percent"),
        "sub_total": total.net,
        "tax_amount": total.tax,
        "total_amount": total.net + total.tax,
        "type": None,
        "item": item,
    }
    dates = extra.get("line_dates") or {}
    if more := dates.get(str(place)):
        model["additional_fields"] = more
    return model


# ---- payments ----


def payment(erp: Erp, record: Record, settlings: list[Settling]) -> Model:
    content, extra = decode("payment", record.body), erp.beside(record.id)
    bank = erp.bank_accounts[content["bank_account"]]["account"]
    method = str(content.get("method") or "")
    known = next((place for place, name in enumerate(PAYMENT_METHODS, 1) if name.lower() == method.lower()), None)
    model: Model = {
        "account_id": erp.identity("accounts", bank),
        "ar_account_id": erp.identity("accounts", _control(erp, content)),
        "customer_id": erp.identity("customers", content["customer"]),
        "payment_method_id": erp.identity("payment_methods", f"method-{known}" if known else None),
        "txn_date": day_of(content["received_on"]),
        "currency_code": content["currency"],
        "currency_rate": content.get("exchange_rate") or Decimal(1),
        "deposited": erp.accounts[bank]["type"] == "bank",
        "memo": content.get("memo"),
        "reference": content.get("reference"),
        "total_amount": amount_text(content["amount"]),
        "linked_invoices": [
            {
                "id": erp.identity("invoices", settling.target),
                "allocated_at": day_of(settling.day),
                "amount": amount_text(settling.amount),
            }
            for settling in settlings
        ],
    }
    if kind := extra.get("payment_method"):
        model["additional_fields"] = {"payment_method": kind}
    return stamped(erp, "invoice_payments", record, model)


# ---- credit memos ----


def credit_memo(erp: Erp, record: Record, settlings: list[Settling]) -> Model:
    content, extra = decode("credit_note", record.body), erp.beside(record.id)
    status = _MEMO_STATUSES[record.phase]
    if record.phase == "draft" and extra.get("status") == "submitted":
        status = "SUBMITTED"
    left = record.computed["total" if record.phase == "draft" else "open"]
    model: Model = {
        "account_id": erp.identity("accounts", _control(erp, content)),
        "customer_id": erp.identity("customers", content["customer"]),
        "allocated_at": day_of(max(settling.day for settling in settlings)) if settlings else None,
        "issue_date": day_of(content["issue_date"]),
        "currency_code": content["currency"],
        "document_number": record.number,
        "memo": content.get("memo"),
        "remaining_amount": amount_text(Decimal(left)),
        "status": status,
        "total_amount": amount_text(Decimal(record.computed["total"])),
        "linked_invoices": [
            {
                "id": erp.identity("invoices", settling.target),
                "allocated_date": day_of(settling.day),
                "allocated_amount": amount_text(settling.amount),
            }
            for settling in settlings
        ],
        "line_items": [
            _memo_line(erp, record, place, line, total, content)
            for place, (line, total) in enumerate(_line_totals(erp, content), 1)
        ],
    }
    return stamped(erp, "invoice_credit_memos", record, model)


def _memo_line(
    erp: Erp, record: Record, place: int, line: Content, total: LineTotal, content: Content
) -> dict[str, Any]:
    percent = (line.get("discount") or {}).get("percent")
    return {
        "id": None,
        "platform_id": f"{erp.platform_id(record.id)}_{place}",
        "account_id": _income_account(erp, total),
        "class_id": erp.tracked("classes", dict(total.tracking)),
        "item_id": erp.identity("items", total.item),
        "tax_rate_id": _tax(erp, total),
        "amount": amount_text(total.net + total.tax),
        "description": line.get("description"),
        "discount_amount": amount_text(_discount(line, total, content)),
        "discount_percentage": amount_text(percent),
        "quantity": line.get("quantity") or Decimal(1),
        "sub_total": amount_text(total.net),
        "tax_amount": amount_text(total.tax),
        "unit_amount": amount_text(line["unit_price"]),
    }

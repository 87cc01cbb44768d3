"""Between Rutter's invoices and credit memos and ours. Pure.

An invoice's amounts are numbers, a credit memo's are texts, either way; a credit memo's status is upper-case.
Prices are before tax, a line has one tax rate and no id. What a line's sum is, is read with its tax.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, Rounding, decimal_text, round_amount
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import joined, long_text, parted
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.providers.rutter.directory import Directory
from reconciler.providers.rutter.settings import RutterSettings
from reconciler.providers.rutter.wire import (
    Row,
    amount,
    amount_of,
    amount_text,
    day,
    day_of,
    day_text,
    ref,
    text,
    without_none,
)
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, Totals, compute_totals

SEEN: Mapping[str, tuple[str, ...]] = {"invoice": ("class", "location"), "credit_note": ("class",)}
"""The dimensions of a line that Rutter shows again."""
_STATUS = {
    "open": "posted",
    "partially_paid": "part_settled",
    "paid": "settled",
    "void": "void",
    "draft": "draft",
    "rejected": "draft",
    "pending_approval": "pending_approval",
    "submitted": "pending_approval",
    "applied": "settled",
    "partially_applied": "part_settled",
}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the platform rounds tax, and what it takes on a line."""

    per_line: bool = True
    rounding: Rounding = Rounding.HALF_UP
    with_tax: bool = False
    """A new line's `total_amount` holds its tax."""
    bare_quantities: bool = True
    """A line that names no item keeps its quantity and price."""

    @classmethod
    def of(cls, settings: RutterSettings) -> Arithmetic:
        return cls(
            settings.tax_rounding == "line",
            settings.rounding,
            settings.line_totals == "with_tax",
            settings.quantities_without_item,
        )

    def totals(self, content: Mapping[str, Any], currency: str, rate_of: Callable[[str], Decimal | None]) -> Totals:
        """Raises Rejected where a price or a rate is not known."""
        found = compute_totals(content, currency, rate_of, per_line=self.per_line, rounding=self.rounding)
        if found is None:
            raise Rejected("a line has no price, or a tax rate that Rutter does not know", code="totals")
        return found


# ---- from Rutter ----


def phase_of(row: Row, total: Decimal, left: Decimal) -> str:
    """The phase: by the status, and by the balance where that says more or the status nothing.

    What looks paid and comes to nothing was voided: some platforms zero the lines of what is voided.
    """
    phase = _STATUS.get(str(row.get("status") or "unknown").lower())
    if phase in ("draft", "pending_approval", "void"):
        return phase
    if total == ZERO and phase == "settled":
        return "void"
    if left == ZERO and total != ZERO:
        return "settled"
    return "posted" if left == total else "part_settled"


def standing(phase: str) -> str:
    """A phase as a fingerprint has it: it does not move when a balance does."""
    return "posted" if phase in ("part_settled", "settled") else phase


def invoice_from(row: Row, directory: Directory, files: list[Content]) -> Observed:
    more = row.get("additional_fields")
    more = more if isinstance(more, Mapping) else {}
    own = {
        "due_date": day(row.get("due_date")),
        "terms": ref(row, "payment_terms_id"),
        "po_number": text(more.get("po_number")),
        "attachments": files,
    }
    left, tax = amount_of(row.get("amount_due")), amount(row.get("tax_amount"))
    lines = [_invoice_line(line, directory) for line in row.get("line_items") or ()]
    return _document("invoice", row, directory, own, lines, left, tax, ())


def credit_from(row: Row, directory: Directory) -> Observed:
    """A credit memo, with what it is applied to."""
    lines = [_credit_line(line, directory) for line in row.get("line_items") or ()]
    tax = sum((amount(line.get("tax_amount")) for line in row.get("line_items") or ()), ZERO)
    return _document(
        "credit_note", row, directory, {}, lines, amount_of(row.get("remaining_amount")), tax, _applied(row)
    )


def _applied(row: Row) -> tuple[LiveAllocation, ...]:
    found: dict[str, LiveAllocation] = {}
    for link in row.get("linked_invoices") or ():
        id_, given = ref(link, "id"), amount(link.get("allocated_amount"))
        if id_ is not None and given:
            before = found.get(id_)
            given += before.amount if before is not None else ZERO
            found[id_] = LiveAllocation("invoice", id_, given, day_of(link.get("allocated_date")))
    return tuple(found[id_] for id_ in sorted(found))


def _document(
    kind: str,
    row: Row,
    directory: Directory,
    own: Content,
    lines: list[Content],
    left: Decimal | None,
    tax: Decimal,
    allocations: tuple[LiveAllocation, ...],
) -> Observed:
    reference, memo = parted(row.get("memo"))
    currency = text(row.get("currency_code"), 3) or directory.base_currency
    total = amount(row.get("total_amount"))
    left = total if left is None else left
    phase = phase_of(row, total, left)
    content: Content = {
        "customer": ref(row, "customer_id"),
        "issue_date": day(row.get("issue_date")),
        "currency": currency,
        "receivable_account": ref(row, "account_id"),
        "memo": memo,
        "lines": lines,
        **own,
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    return Observed(
        kind,
        str(row.get("id")),
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        number=text(row.get("document_number"), 120),
        reference=reference,
        computed={
            "total": decimal_text(total),
            "net": decimal_text(total - tax),
            "tax": decimal_text(tax),
            "open": decimal_text(ZERO if phase == "void" else left),
        },
        allocations=allocations,
    )


def _invoice_line(line: Row, directory: Directory) -> Content:
    item = line.get("item")
    item = item if isinstance(item, Mapping) else {}
    price, quantity = amount_of(item.get("unit_amount")), amount_of(item.get("quantity"))
    return _line(line, directory, "invoice", ref(item, "id"), quantity, price)


def _credit_line(line: Row, directory: Directory) -> Content:
    price, quantity = amount_of(line.get("unit_amount")), amount_of(line.get("quantity"))
    return _line(line, directory, "credit_note", ref(line, "item_id"), quantity, price)


def _line(
    line: Row, directory: Directory, kind: str, item: str | None, quantity: Decimal | None, price: Decimal | None
) -> Content:
    tax = ref(line, "tax_rate_id")
    stated = amount_of(line.get("tax_amount"))
    percent, off = amount(line.get("discount_percentage")), amount(line.get("discount_amount"))
    if price is None or not quantity:  # a line that is a sum alone
        price, quantity = _net(line, kind, stated) + off, Decimal(1)
    discount = {"percent": decimal_text(percent)} if percent else {"amount": decimal_text(off)} if off else None
    content: Content = {
        "item": item,
        "account": ref(line, "account_id"),
        "description": long_text(line.get("description")),
        "quantity": decimal_text(quantity),
        "unit_price": decimal_text(price),
        "discount": discount,
        "taxes": [tax] if tax else None,
        "tax_amount": decimal_text(stated) if stated is not None and (tax or stated) else None,
        "tracking": directory.tracked(line, SEEN[kind]) or None,
    }
    return {name: value for name, value in content.items() if value is not None}


def _net(line: Row, kind: str, tax: Decimal | None) -> Decimal:
    net = amount_of(line.get("sub_total"))
    if net is not None:
        return net
    return amount(line.get("total_amount" if kind == "invoice" else "amount")) - (tax or ZERO)


# ---- to Rutter ----


@dataclass(frozen=True, slots=True)
class Wants:
    """What a new document is made with, beside its content."""

    reference: str
    number: str | None = None
    draft: bool = False
    drafts: bool = False
    """The platform takes a status."""


def invoice_body(content: Content, directory: Directory, arithmetic: Arithmetic, wants: Wants) -> dict[str, Any]:
    """A new invoice. Raises Rejected for what Rutter's model has no place for."""
    currency = content.get("currency") or directory.base_currency
    made = {
        "customer_id": content["customer"],
        "account_id": content.get("receivable_account"),
        "issue_date": day_text(content["issue_date"]),
        "due_date": day_text(content["due_date"]) if content.get("due_date") else None,
        "payment_terms_id": content.get("terms"),
        "currency_code": currency,
        "document_number": wants.number,
        "memo": joined(content.get("memo"), wants.reference),
        "status": ("draft" if wants.draft else "open") if wants.drafts else None,
        "line_items": invoice_lines(content, currency, directory, arithmetic),
        "additional_fields": {"po_number": content["po_number"]} if content.get("po_number") else None,
    }
    return without_none(made)


def invoice_lines(
    content: Content, currency: str, directory: Directory, arithmetic: Arithmetic
) -> list[dict[str, Any]]:
    totals = arithmetic.totals(content, currency, directory.rate)
    return [
        _invoice_line_body(line, total, currency, directory, arithmetic)
        for line, total in zip(content["lines"], totals.lines, strict=True)
    ]


def _invoice_line_body(
    line: Mapping[str, Any], total: LineTotal, currency: str, directory: Directory, arithmetic: Arithmetic
) -> dict[str, Any]:
    made = _common(line, total, currency, directory, arithmetic, "invoice")
    whole = total.net + total.tax if arithmetic.with_tax else total.net
    more: dict[str, Any] = {}
    discount = line.get("discount") or {}
    if discount.get("percent") is not None:
        more["discount_percentage"] = discount["percent"]
    elif discount.get("amount"):
        made["discount_amount"] = discount["amount"]
    if line.get("tax_amount") is not None:
        more["tax_amount"] = line["tax_amount"]
    return without_none(
        {
            **made,
            "description": line.get("description"),
            "tax_rate_id": _tax(line),
            "total_amount": whole,
            "additional_fields": more or None,
        }
    )


def credit_body(content: Content, directory: Directory, arithmetic: Arithmetic, wants: Wants) -> dict[str, Any]:
    """A new credit memo: its amounts are texts."""
    currency = content.get("currency") or directory.base_currency
    made = {
        "customer_id": content["customer"],
        "account_id": content.get("receivable_account"),
        "issue_date": day_text(content["issue_date"]),
        "currency_code": currency,
        "document_number": wants.number,
        "memo": joined(content.get("memo"), wants.reference),
        "status": ("draft" if wants.draft else "open") if wants.drafts else None,
        "line_items": credit_lines(content, currency, directory, arithmetic),
    }
    return without_none(made)


def credit_lines(
    content: Content, currency: str, directory: Directory, arithmetic: Arithmetic
) -> list[dict[str, Any]]:
    totals = arithmetic.totals(content, currency, directory.rate)
    return [
        _credit_line_body(line, total, currency, directory, arithmetic)
        for line, total in zip(content["lines"], totals.lines, strict=True)
    ]


def _credit_line_body(
    line: Mapping[str, Any], total: LineTotal, currency: str, directory: Directory, arithmetic: Arithmetic
) -> dict[str, Any]:
    made = _common(line, total, currency, directory, arithmetic, "credit_note")
    if "item" in made and "unit_amount" in made["item"]:
        made["item"]["unit_amount"] = amount_text(made["item"]["unit_amount"])
    tax = _tax(line)
    return without_none(
        {
            **made,
            "description": line.get("description") or "",
            "total_amount": amount_text(total.net),
            "additional_fields": {"tax_rate_id": tax} if tax else None,
        }
    )


def _common(
    line: Mapping[str, Any],
    total: LineTotal,
    currency: str,
    directory: Directory,
    arithmetic: Arithmetic,
    kind: str,
) -> dict[str, Any]:
    """What a line has in either document; amounts are Decimals still."""
    quantity, price = line.get("quantity", Decimal(1)), line["unit_price"]
    item: dict[str, Any] = {"id": line["item"]} if line.get("item") else {}
    if item or arithmetic.bare_quantities:
        item |= {"quantity": quantity, "unit_amount": price}
    elif round_amount(quantity * price, currency, arithmetic.rounding) != price:
        raise Rejected("the platform keeps no quantity on a line without an item", code="quantity")
    made: dict[str, Any] = {"account_id": line.get("account"), "item": item or None}
    for category, value in (line.get("tracking") or {}).items():
        id_ = directory.values(category).get(value) if category in SEEN[kind] else None
        if id_ is None:
            raise Rejected(f"the {category} has no value {value!r} that a line can have", code="tracking")
        made[f"{category}_id"] = id_
    return without_none(made)


def _tax(line: Mapping[str, Any]) -> str | None:
    taxes = line.get("taxes") or ()
    return taxes[0] if taxes else None

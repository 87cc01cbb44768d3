"""Between Alloy's invoices and ours. Pure.

The common model's lines have no tax and no discount. Whether an invoice is open, part paid or paid is told by its
balance. Our reference is the last line of `memo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, Rounding, decimal_text, round_amount
from reconciler.providers.alloy.wire import Row, amount, day_of, live, number, text
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import joined, long_text, parted
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

Categories = Mapping[str, Mapping[str, str]]
"""Tracking category → value's name → its id."""
_ONE = Decimal(1)


def phase_of(row: Row, total: Decimal, left: Decimal) -> str:
    """The phase; a document that looks paid and comes to nothing was voided."""
    if not live(row) or (total == ZERO and left == ZERO):
        return "void"
    return "posted" if left == total else "settled" if left <= ZERO else "part_settled"


def standing(phase: str) -> str:
    """A phase as a fingerprint has it: it does not move when a balance does."""
    return "posted" if phase in ("part_settled", "settled") else phase


def invoice_from(row: Row, base: str, categories: Categories) -> Observed:
    reference, memo = parted(row.get("memo"))
    currency = text(row.get("currency")) or base
    lines = [line for line in row.get("lineItems") or () if isinstance(line, Mapping)]
    total = _total(row, lines)
    balance = number(row.get("balance"))
    left = total if balance is None else balance
    phase = phase_of(row, total, left)
    tax = amount(row.get("totalTaxAmount"))
    content: Content = {
        "customer": text(row.get("customerId")),
        "issue_date": _day(row.get("issueDate")),
        "due_date": _day(row.get("dueDate")),
        "currency": currency,
        "exchange_rate": rate_text(row, currency, base),
        "memo": memo,
        "lines": [_line_from(line, categories) for line in lines],
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    return Observed(
        "invoice",
        str(row.get("id")),
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        number=text(row.get("invoiceNumber"), 120),
        reference=reference,
        computed={
            "total": decimal_text(total),
            "net": decimal_text(total - tax),
            "tax": decimal_text(tax),
            "open": decimal_text(ZERO if phase == "void" else left),
        },
    )


def _total(row: Row, lines: list[Row]) -> Decimal:
    stated = number(row.get("totalAmount"))
    return stated if stated is not None else sum((amount(line.get("totalAmount")) for line in lines), ZERO)


def _day(value: Any) -> str | None:
    day = day_of(value)
    return day.isoformat() if day else None


def rate_text(row: Row, currency: str, base: str) -> str | None:
    rate = number(row.get("exchangeRate"))
    return decimal_text(rate) if rate and currency != base else None


def _line_from(line: Row, categories: Categories) -> Content:
    quantity, price = _quantity_and_price(line)
    places = {id_: (category, name) for category, values in categories.items() for name, id_ in values.items()}
    ids = [*(line.get("trackingCategoryIds") or ()), line.get("trackingCategoryId")]
    tracked = dict(places[str(id_)] for id_ in ids if id_ and str(id_) in places)
    content: Content = {
        "item": text(line.get("accountingItemId")),
        "account": text(line.get("accountId")),
        "description": long_text(line.get("description")),
        "quantity": decimal_text(quantity),
        "unit_price": decimal_text(price),
        "tracking": tracked or None,
    }
    return {name: value for name, value in content.items() if value is not None}


def _quantity_and_price(line: Row) -> tuple[Decimal, Decimal]:
    """As the line says; where it says its amount alone, one of that."""
    quantity, price, total = (number(line.get(key)) for key in ("quantity", "unitPrice", "totalAmount"))
    if quantity is not None and price is not None:
        return quantity, price
    if total is None:
        return quantity or _ONE, price or ZERO
    return _ONE, total


# ---- to Alloy ----


def invoice_body(
    content: Content, base: str, categories: Categories, rounding: Rounding, *, reference: str, number: str | None
) -> dict[str, Any]:
    """A new invoice. Raises Rejected for what Alloy's model has no place for."""
    currency = content.get("currency") or base
    made: dict[str, Any] = {
        "customerId": content["customer"],
        "invoiceNumber": number or content.get("number"),
        "issueDate": content["issue_date"].isoformat(),
        "dueDate": content["due_date"].isoformat() if content.get("due_date") else None,
        "currency": currency,
        "exchangeRate": content.get("exchange_rate"),
        "memo": joined(content.get("memo"), reference),
        "lineItems": [_line_body(line, currency, categories, rounding) for line in content["lines"]],
    }
    return {name: value for name, value in made.items() if value is not None}


def _line_body(
    line: Mapping[str, Any], currency: str, categories: Categories, rounding: Rounding
) -> dict[str, Any]:
    if line.get("unit_price") is None:
        raise Rejected("a line has no unit_price, and Alloy tells no item's price", code="unit_price")
    quantity = line.get("quantity", _ONE)
    total = round_amount(quantity * line["unit_price"], currency, rounding)
    made: dict[str, Any] = {
        "description": line.get("description"),
        "quantity": quantity,
        "unitPrice": line["unit_price"],
        "totalAmount": decimal_text(total),
        "accountingItemId": line.get("item"),
        "accountId": line.get("account"),
    }
    if line.get("tracking"):
        made["trackingCategoryIds"] = [_value_id(categories, *pair) for pair in sorted(line["tracking"].items())]
    return {name: value for name, value in made.items() if value is not None}


def _value_id(categories: Categories, category: str, value: str) -> str:
    found = categories.get(category, {}).get(value)
    if found is None:
        raise Rejected(f"the tracking category {category} has no value {value!r}", code="tracking")
    return found

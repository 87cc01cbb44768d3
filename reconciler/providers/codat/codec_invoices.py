"""Between Codat's invoices and credit notes and ours. Pure.

Amounts of both are positive. Prices are before tax. A line refers to one tax rate; lines have no ids. What a
document comes to is sent with it, as Codat's model wants it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, Rounding, decimal_text, round_amount
from reconciler.providers.codat.calls import Row
from reconciler.providers.codat.codec_masters import currency_of
from reconciler.providers.codat.directory import Directory
from reconciler.providers.codat.wire import day_of, day_text, live, number, ref, text
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import joined, long_text, parted
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, Totals, compute_totals

NUMBER = {"invoice": "invoiceNumber", "credit_note": "creditNoteNumber"}
_STATUS = {
    "Draft": "draft",
    "Submitted": "posted",
    "PartiallyPaid": "part_settled",
    "Paid": "settled",
    "Void": "void",
}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the ERP rounds tax."""

    per_line: bool = True
    rounding: Rounding = Rounding.HALF_UP

    def totals(self, content: Mapping[str, Any], currency: str, rate_of: Callable[[str], Decimal | None]) -> Totals:
        """Raises Rejected where a price or a rate is not known."""
        found = compute_totals(content, currency, rate_of, per_line=self.per_line, rounding=self.rounding)
        if found is None:
            raise Rejected("a line has no price, or a tax rate that Codat does not know", code="totals")
        return found


# ---- from Codat ----


def phase_of(row: Row, total: Decimal, left: Decimal) -> str:
    """The phase; a document that looks paid and comes to nothing was voided."""
    status = str(row.get("status") or "Unknown")
    phase = _STATUS.get(status)
    if not live(row):
        return "void"
    if phase is None:
        phase = "posted" if left == total else "settled" if left == ZERO else "part_settled"
    if phase == "settled" and total == ZERO:
        return "void"
    if phase == "posted" and ZERO < left < total:
        return "part_settled"
    return phase


def standing(phase: str) -> str:
    """A phase as a fingerprint has it: it does not move when a balance does."""
    return "posted" if phase in ("part_settled", "settled") else phase


def document_from(
    kind: str,
    row: Row,
    directory: Directory,
    allocations: tuple[LiveAllocation, ...] = (),
    files: list[Content] | None = None,
) -> Observed:
    """An invoice or a credit note as the core sees it."""
    reference, memo = parted(row.get("note"))
    currency = currency_of(row, "currency") or directory.base_currency
    total, left = (
        number(row.get("totalAmount")),
        number(row.get("amountDue" if kind == "invoice" else "remainingCredit")),
    )
    phase = phase_of(row, total, left)
    content: Content = {
        "customer": ref(row, "customerRef"),
        "issue_date": _day(row.get("issueDate")),
        "due_date": _day(row.get("dueDate")) if kind == "invoice" else None,
        "currency": currency,
        "exchange_rate": _rate(row) if currency != directory.base_currency else None,
        "memo": memo,
        "attachments": files,
        "lines": [_line_from(line, directory) for line in row.get("lineItems") or ()],
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    tax = number(row.get("totalTaxAmount"))
    return Observed(
        kind,
        str(row.get("id")),
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        number=text(row.get(NUMBER[kind]), 120),
        reference=reference,
        computed={
            "total": decimal_text(total),
            "net": decimal_text(total - tax),
            "tax": decimal_text(tax),
            "open": decimal_text(ZERO if phase == "void" else left),
        },
        allocations=allocations,
    )


def _day(value: Any) -> str | None:
    day = day_of(value)
    return day.isoformat() if day else None


def _rate(row: Row) -> str | None:
    rate = number(row.get("currencyRate"))
    return decimal_text(rate) if rate > ZERO else None


def _line_from(line: Row, directory: Directory) -> Content:
    percent, amount = number(line.get("discountPercentage")), number(line.get("discountAmount"))
    tax = ref(line, "taxRateRef")
    stated = number(line.get("taxAmount"))
    tracking = line.get("tracking")
    refs = (tracking.get("categoryRefs") if isinstance(tracking, Mapping) else None) or line.get(
        "trackingCategoryRefs"
    )
    tracked = directory.tracked([str(one.get("id")) for one in refs]) if refs else {}
    content: Content = {
        "item": ref(line, "itemRef"),
        "account": ref(line, "accountRef"),
        "description": long_text(line.get("description")),
        "quantity": decimal_text(number(line.get("quantity"))),
        "unit_price": decimal_text(number(line.get("unitAmount"))),
        "discount": {"percent": decimal_text(percent)}
        if percent
        else {"amount": decimal_text(amount)}
        if amount
        else None,
        "taxes": [tax] if tax else None,
        "tax_amount": decimal_text(stated) if tax or stated else None,
        "tracking": tracked or None,
    }
    return {name: value for name, value in content.items() if value is not None}


# ---- to Codat ----


def document_body(
    kind: str,
    content: Content,
    directory: Directory,
    arithmetic: Arithmetic,
    *,
    reference: str,
    number: str | None,
    status: str,
) -> dict[str, Any]:
    """A whole document. Raises Rejected for what Codat's model has no place for."""
    currency = content.get("currency") or directory.base_currency
    totals = arithmetic.totals(content, currency, directory.rate)
    lines = [
        _line_body(line, total, currency, directory, arithmetic.rounding)
        for line, total in zip(content["lines"], totals.lines, strict=True)
    ]
    discounts = sum((one["discountAmount"] for one in lines if "discountAmount" in one), ZERO)
    made: dict[str, Any] = {
        NUMBER[kind]: number or content.get("number"),
        "customerRef": {"id": content["customer"]},
        "issueDate": day_text(content["issue_date"]),
        "dueDate": day_text(content["due_date"]) if kind == "invoice" and content.get("due_date") else None,
        "currency": currency,
        "currencyRate": content.get("exchange_rate"),
        "lineItems": lines,
        "totalDiscount": discounts,
        "subTotal": totals.net,
        "totalTaxAmount": totals.tax,
        "totalAmount": totals.gross,
        "status": status,
        "note": joined(content.get("memo"), reference),
    }
    if kind == "invoice":
        made["amountDue"] = totals.gross
    else:
        made |= {"remainingCredit": totals.gross, "discountPercentage": ZERO}
    return {name: value for name, value in made.items() if value is not None}


def _line_body(
    line: Mapping[str, Any], total: LineTotal, currency: str, directory: Directory, rounding: Rounding
) -> dict[str, Any]:
    taxes = () if not line.get("taxes") else line["taxes"]
    made: dict[str, Any] = {
        "description": line.get("description"),
        "unitAmount": line["unit_price"],
        "quantity": line.get("quantity", Decimal(1)),
        "subTotal": total.net,
        "taxAmount": total.tax,
        "totalAmount": total.net + total.tax,
        "accountRef": {"id": line["account"]} if line.get("account") else None,
        "taxRateRef": {"id": taxes[0]} if taxes else None,
        "itemRef": {"id": line["item"]} if line.get("item") else None,
    }
    discount = line.get("discount") or {}
    if discount.get("percent"):
        gross = round_amount(line["unit_price"] * made["quantity"], currency, rounding)
        made["discountPercentage"] = discount["percent"]
        made["discountAmount"] = gross - total.net
    elif discount.get("amount"):
        made["discountAmount"] = discount["amount"]
    if line.get("tracking"):
        refs = [{"id": _tracking_ref(directory, *pair)} for pair in sorted(line["tracking"].items())]
        made["tracking"] = {"categoryRefs": refs, "isBilledTo": "NotApplicable", "isRebilledTo": "NotApplicable"}
    return {name: value for name, value in made.items() if value is not None}


def _tracking_ref(directory: Directory, category: str, value: str) -> str:
    found = directory.categories().get(category, {}).get(value)
    if found is None:
        raise Rejected(f"the tracking category {category} has no value {value!r}", code="tracking")
    return found


_LINE_KEYS = (
    "description",
    "unitAmount",
    "quantity",
    "discountAmount",
    "discountPercentage",
    "subTotal",
    "taxAmount",
    "totalAmount",
)
_KEYS = (
    "issueDate",
    "dueDate",
    "currency",
    "currencyRate",
    "totalDiscount",
    "subTotal",
    "totalTaxAmount",
    "totalAmount",
    "amountDue",
    "remainingCredit",
    "discountPercentage",
    "status",
    "note",
)


def document_model(kind: str, row: Row) -> dict[str, Any]:
    """What is live of a document, as an update sends it whole: without what is read-only."""
    made = {key: row[key] for key in (NUMBER[kind], *_KEYS) if row.get(key) is not None}
    if kind == "invoice":
        made.pop("discountPercentage", None)
    made["customerRef"] = {"id": ref(row, "customerRef")}
    made["lineItems"] = [_line_model(line) for line in row.get("lineItems") or ()]
    return made


def _line_model(line: Row) -> dict[str, Any]:
    made: dict[str, Any] = {key: line[key] for key in _LINE_KEYS if line.get(key) is not None}
    for key in ("accountRef", "taxRateRef", "itemRef"):
        if (id_ := ref(line, key)) is not None:
            made[key] = {"id": id_}
    tracking = line.get("tracking")
    refs = tracking.get("categoryRefs") if isinstance(tracking, Mapping) else None
    if refs:
        ids = [{"id": str(one.get("id"))} for one in refs]
        made["tracking"] = {"categoryRefs": ids, "isBilledTo": "NotApplicable", "isRebilledTo": "NotApplicable"}
    return made

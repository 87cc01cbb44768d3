"""Between Intacct's AR invoices and adjustments and ours. Pure.

A line is an account and an amount: quantity, price and discount come to one sum. A credit note is an adjustment
whose amounts are negative. New documents are made by legacy functions, whose elements have one order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import ZERO, Rounding, decimal_text
from reconciler.providers.errors import Rejected
from reconciler.providers.intacct.observed import described, document, is_dead
from reconciler.providers.intacct.wire import (
    Child,
    Row,
    amount,
    amount_of,
    day,
    day_object,
    element,
    leaf,
    text,
)
from reconciler.providers.memo import joined, long_text
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content
from reconciler.resources.totals import PricedLine, price_lines

_HEADER = (
    "RECORDNO",
    "RECORDID",
    "STATE",
    "CUSTOMERID",
    "DESCRIPTION",
    "WHENCREATED",
    "WHENPOSTED",
    "BASECURR",
    "CURRENCY",
    "EXCHANGE_RATE",
    "TRX_TOTALENTERED",
    "TRX_TOTALDUE",
)
INVOICE = (*_HEADER, "DOCNUMBER", "TERMNAME", "WHENDUE", "SUPDOCID")
ADJUSTMENT = _HEADER
LINE = (
    "RECORDNO",
    "RECORDKEY",
    "LINE_NO",
    "ACCOUNTNO",
    "OFFSETGLACCOUNTNO",
    "TRX_AMOUNT",
    "ENTRYDESCRIPTION",
    "DEPARTMENTID",
    "LOCATIONID",
    "CLASSID",
    "ITEMID",
)
_DRAFT = frozenset({"draft"})
_PENDING = frozenset({"submitted", "pending approval", "partially approved", "analyzing"})
TRACKED: Mapping[str, tuple[str, str]] = {
    "location": ("LOCATIONID", "locationid"),
    "department": ("DEPARTMENTID", "departmentid"),
    "class": ("CLASSID", "classid"),
}
"""A tracking category → the field of a line that is read, and the one that is written."""
Named = Callable[[str, str], str | None]
"""(tracking category, a value's id or name) → the other of the two."""


# ---- from Intacct ----


def phase_of(state: str, total: Decimal, left: Decimal) -> str:
    """The phase: by the state, and by the balance where the state says no more than that it is posted."""
    word = state.strip().lower()
    if word in _DRAFT:
        return "draft"
    if word in _PENDING:
        return "pending_approval"
    if is_dead(state):
        return "reversed"
    if left == ZERO and total != ZERO:
        return "settled"
    return "posted" if left == total else "part_settled"


def invoice_from(row: Row, lines: Sequence[Row], name_of: Named, base: str, files: list[Content]) -> Observed:
    own: Content = {
        "due_date": day(row.get("WHENDUE")),
        "terms": text(row.get("TERMNAME")),
        "po_number": text(row.get("DOCNUMBER")),
        "attachments": files,
    }
    return _document("invoice", row, lines, name_of, base, own, 1)


def credit_from(
    row: Row, lines: Sequence[Row], name_of: Named, base: str, allocations: tuple[LiveAllocation, ...]
) -> Observed:
    """An adjustment that is a credit; of a debit memo, ask `is_credit` first."""
    return _document("credit_note", row, lines, name_of, base, {}, -1, allocations)


def is_credit(row: Row) -> bool:
    return amount(row.get("TRX_TOTALENTERED")) < ZERO


def _document(
    kind: str,
    row: Row,
    lines: Sequence[Row],
    name_of: Named,
    base: str,
    own: Content,
    sign: int,
    allocations: tuple[LiveAllocation, ...] = (),
) -> Observed:
    reference, memo = described(row.get("DESCRIPTION"))
    currency = text(row.get("CURRENCY"), 3) or base
    total = sign * amount(row.get("TRX_TOTALENTERED"))
    left = sign * amount(row.get("TRX_TOTALDUE"))
    phase = phase_of(row.get("STATE", ""), total, left)
    entries = sorted(lines, key=_line_number)
    rate = amount_of(row.get("EXCHANGE_RATE")) if currency != base else None
    offsets = {line.get("OFFSETGLACCOUNTNO", "") for line in entries} - {""}
    net = sum((sign * amount(line.get("TRX_AMOUNT")) for line in entries), ZERO)
    content: Content = {
        "customer": text(row.get("CUSTOMERID")),
        "issue_date": day(row.get("WHENCREATED")),
        "posting_date": day(row.get("WHENPOSTED")),
        "currency": currency,
        "exchange_rate": decimal_text(rate) if rate else None,
        "receivable_account": next(iter(offsets)) if len(offsets) == 1 else None,
        "memo": memo,
        "lines": [_line(line, name_of, sign) for line in entries],
        **own,
    }
    computed = {
        "total": decimal_text(total),
        "net": decimal_text(net),
        "tax": decimal_text(total - net),
        "open": decimal_text(ZERO if phase == "reversed" else left),
    }
    return document(
        kind,
        row.get("RECORDNO", ""),
        content,
        phase,
        number=text(row.get("RECORDID"), 120),
        reference=reference,
        computed=computed,
        allocations=() if phase == "reversed" else allocations,
    )


def _line_number(line: Row) -> tuple[Decimal, Decimal]:
    return amount(line.get("LINE_NO")), amount(line.get("RECORDNO"))


def _line(line: Row, name_of: Named, sign: int) -> Content:
    tracking = {
        category: name_of(category, line[theirs]) or line[theirs]
        for category, (theirs, _) in TRACKED.items()
        if line.get(theirs)
    }
    content: Content = {
        "account": text(line.get("ACCOUNTNO")),
        "item": text(line.get("ITEMID")),
        "description": long_text(line.get("ENTRYDESCRIPTION")),
        "quantity": "1",
        "unit_price": decimal_text(sign * amount(line.get("TRX_AMOUNT"))),
        "tracking": tracking or None,
    }
    return {name: value for name, value in content.items() if value is not None}


# ---- to Intacct ----


@dataclass(frozen=True, slots=True)
class Books:
    """What of the company's configuration a new document needs."""

    base: str
    id_of: Named
    rounding: Rounding = Rounding.HALF_UP
    default_term: str | None = None

    def priced(self, content: Mapping[str, Any]) -> Sequence[PricedLine]:
        """Raises Rejected where a line has no price."""
        found = price_lines(content, content.get("currency") or self.base, self.rounding)
        if found is None:
            raise Rejected("a line has no price", code="price")
        return found


def total_of(lines: Sequence[PricedLine]) -> Decimal:
    return sum((line.base for line in lines), ZERO)


def create_invoice(
    content: Content, books: Books, *, reference: str, number: str | None, supdoc: str | None = None
) -> Element:
    """The call that makes an invoice, posted unless its content says draft."""
    if total_of(books.priced(content)) < ZERO:
        raise Rejected("an invoice that comes to less than nothing is a credit note: declare one", code="total")
    due, term = content.get("due_date"), content.get("terms")
    if due is None and term is None:
        term = books.default_term
        due = content["issue_date"] if term is None else None
    return element(
        "create_invoice",
        leaf("customerid", content["customer"]),
        day_object("datecreated", content["issue_date"]),
        day_object("dateposted", content.get("posting_date")),
        day_object("datedue", due),
        leaf("termname", term),
        leaf("action", _action(content)),
        leaf("invoiceno", number),
        leaf("ponumber", content.get("po_number")),
        leaf("description", joined(content.get("memo"), reference)),
        *_currency(content, books),
        leaf("supdocid", supdoc),
        element("invoiceitems", *_lines(content, books, 1)),
    )


def create_adjustment(content: Content, books: Books, *, reference: str, number: str | None) -> Element:
    """The call that makes a credit note."""
    if total_of(books.priced(content)) <= ZERO:
        raise Rejected("a credit note comes to more than nothing", code="total")
    return element(
        "create_aradjustment",
        leaf("customerid", content["customer"]),
        day_object("datecreated", content["issue_date"]),
        day_object("dateposted", content.get("posting_date")),
        leaf("adjustmentno", number),
        leaf("action", _action(content)),
        leaf("description", joined(content.get("memo"), reference)),
        *_currency(content, books),
        element("aradjustmentitems", *_lines(content, books, -1)),
    )


def _action(content: Mapping[str, Any]) -> str:
    return "Draft" if content.get("state") == "draft" else "Submit"


def _currency(content: Mapping[str, Any], books: Books, *, update: bool = False) -> Iterable[Child]:
    """The currency group: nothing in the base currency; a blank rate type is Intacct's daily rate."""
    currency = content.get("currency") or books.base
    if currency == books.base:
        return ()
    rate = content.get("exchange_rate")
    how = leaf("exchrate", rate) if rate else element("exchratetype")
    return (None if update else leaf("basecurr", books.base), leaf("currency", currency), how)


def _lines(content: Content, books: Books, sign: int) -> list[Element]:
    offset = content.get("receivable_account")
    return [
        element("lineitem", *_line_fields(line, priced, books, sign, offset))
        for line, priced in zip(content["lines"], books.priced(content), strict=True)
    ]


def _line_fields(
    line: Mapping[str, Any], priced: PricedLine, books: Books, sign: int, offset: str | None
) -> list[Child]:
    tracked: dict[str, Child] = {}
    for category, value in priced.tracking:
        theirs = TRACKED.get(category, ("", ""))[1]
        id_ = books.id_of(category, value)
        if not theirs or id_ is None:
            raise Rejected(f"the {category} has no value {value!r}", code="tracking")
        tracked[theirs] = leaf(theirs, id_)
    return [
        leaf("glaccountno", line.get("account")),
        leaf("offsetglaccountno", offset),
        leaf("amount", sign * priced.base),
        leaf("memo", line.get("description")),
        tracked.get("locationid"),
        tracked.get("departmentid"),
        leaf("itemid", line.get("item")),
        tracked.get("classid"),
    ]


def update_invoice(
    key: str,
    after: Mapping[str, Any],
    books: Books,
    *,
    reference: str = "",
    whole: Content | None = None,
    lines_there: int = 0,
) -> Element:
    """The call that changes an invoice: words of a posted one, anything of a draft.

    `whole`: a draft's content as it will be, where its lines are said anew; their number may not fall.
    """
    parts: list[Child] = [leaf("customerid", after.get("customer"))]
    for ours, theirs in (("issue_date", "datecreated"), ("posting_date", "dateposted"), ("due_date", "datedue")):
        parts.append(_day(after.get(ours), theirs))
    parts.append(leaf("termname", after.get("terms")))
    parts.append(leaf("action", "Submit" if after.get("state") == "posted" else None))
    if "po_number" in after:
        parts.append(leaf("ponumber", after["po_number"] or ""))
    if "memo" in after:
        parts.append(leaf("description", joined(after["memo"], reference)))
    if whole is not None and ({"currency", "exchange_rate"} & after.keys()):
        parts.extend(_currency(whole, books, update=True))
    parts.append(leaf("supdocid", after.get("supdoc")))
    if whole is not None and "lines" in after:
        parts.append(_said_anew(whole, books, lines_there))
    return element("update_invoice", *parts, key=key)


def _day(value: date | None, tag: str) -> Element | None:
    return day_object(tag, value)


def _said_anew(whole: Content, books: Books, before: int) -> Element:
    """A draft's lines: those that are there by their number, further ones added."""
    made = _lines(whole, books, 1)
    if len(made) < before:
        raise Rejected("Intacct takes no line off a draft: discard it and declare it anew", code="lines")
    for at, line in enumerate(made[:before], 1):
        line.tag = "updatelineitem"
        line.set("line_num", str(at))
    return element("updateinvoiceitems", *made)

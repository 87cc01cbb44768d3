"""What a document comes to before it is written: customer, currency, rate, dates, totals, GL lines."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, compute_totals
from reconciler.sandboxes.ledger.desk import Desk, Master
from reconciler.sandboxes.ledger.masters import check_tracking, receivable_account
from reconciler.sandboxes.ledger.minor import to_minor
from reconciler.sandboxes.ledger.records import seq_of, words
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Side:
    """One line against the open item: what it is posted to, in minor units, positive."""

    account: int
    amount: int
    tax: int | None = None
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document ready to be written. `account` carries the open item; `sides` sum to `total`."""

    kind: str
    content: Content
    customer: Master
    currency: str
    rate: Decimal
    day: date
    due: date | None
    account: int
    entity: str
    net: int
    tax: int
    total: int
    sides: tuple[Side, ...]


def prepare(desk: Desk, kind: str, content: Content) -> Prepared:
    """Check a document's content against the books and compute it. Refuses what cannot be posted."""
    customer = desk.master("customer", content["customer"])
    currency = str(content.get("currency") or customer.content.get("currency") or desk.base)
    rate = _rate(desk, content, currency)
    content = {**content, "currency": currency}
    entity = str(content.get("entity") or "")
    if kind == "payment":
        return _payment(desk, content, customer, currency, rate, entity)
    account = _control(desk, content, customer)
    check_tracking(desk, content.get("tracking"))
    sides, net, tax = _sides(desk, kind, content, currency)
    due = None
    if kind == "invoice":
        content, due = _due(desk, content)
    else:
        _check_original(desk, content, customer, currency)
    _check_attachments(content)
    day = content.get("posting_date") or content["issue_date"]
    return Prepared(kind, content, customer, currency, rate, day, due, account, entity, net, tax, net + tax, sides)


def _rate(desk: Desk, content: Content, currency: str) -> Decimal:
    rate = content.get("exchange_rate")
    if currency == desk.base:
        if rate is not None and rate != 1:
            raise Refusal(RefusalCode.INVALID, f"exchange_rate: {currency} is the base currency; its rate is 1")
        return _ONE
    if rate is None:
        raise Refusal(
            RefusalCode.RATE_MISSING,
            f"a document in {currency} needs an exchange_rate ({desk.base} per 1 {currency})",
        )
    return Decimal(rate)


def _control(desk: Desk, content: Content, customer: Master) -> int:
    text = content.get("receivable_account") or customer.content.get("receivable_account")
    return receivable_account(desk, text) if text else desk.role("receivable").seq


def _payment(desk: Desk, content: Content, customer: Master, currency: str, rate: Decimal, entity: str) -> Prepared:
    bank = desk.master("bank_account", content["bank_account"])
    of_bank = bank.content.get("currency")
    if of_bank is not None and of_bank != currency:
        raise Refusal(RefusalCode.MISMATCH, f"bank account {bank.label} is in {of_bank}, the payment in {currency}")
    gl = desk.account(bank.content["account"])
    if content.get("remainder") == "advance":
        text = content.get("advance_account")
        account = desk.account(text).seq if text else desk.role("deposits").seq
        if desk.master_at(account).content["type"] == "accounts_receivable":  # type: ignore[union-attr]
            raise Refusal(RefusalCode.INVALID, "advance_account: an advance is owed, not receivable")
    else:
        if "advance_account" in content:
            raise Refusal(RefusalCode.INVALID, "advance_account: only with remainder: advance")
        account = _control(desk, {}, customer)
    amount = to_minor(content["amount"], currency)
    _check_attachments(content)
    day = content["received_on"]
    return Prepared(
        "payment", content, customer, currency, rate, day, None, account, entity, amount, 0, amount,
        (Side(gl.seq, amount),),
    )  # fmt: skip


def _sides(desk: Desk, kind: str, content: Content, currency: str) -> tuple[tuple[Side, ...], int, int]:
    """The income and tax lines, and net and tax in minor units."""
    lines = content["lines"]
    if not lines:
        raise Refusal(RefusalCode.INVALID, f"{words(kind)}: it has no lines")
    _check_amounts(content, currency)
    rates: dict[str, Master] = {}

    def rate_of(code: str) -> Decimal | None:
        found = rates.get(code)
        if found is None:
            found = rates[code] = desk.master("tax_rate", code)
        return Decimal(found.content["rate"])

    totals = compute_totals(
        content,
        currency,
        rate_of,
        per_line=desk.settings.tax_rounding_per_line,
        rounding=desk.settings.rounding,
    )
    if totals is None:
        raise Refusal(RefusalCode.INVALID, f"{words(kind)}: a line has no unit_price")
    sides: list[Side] = []
    taxes: Counter[tuple[int, int | None]] = Counter()
    for line, given in zip(totals.lines, lines, strict=True):
        check_tracking(desk, given.get("tracking"))
        account = _income_account(desk, line)
        sides.append(Side(account, to_minor(line.net, currency, "line"), None, _tracking_text(line)))
        for code, amount in _taxes(line):
            account, rate = _tax_account(desk, code)
            taxes[account, rate] += to_minor(amount, currency, "tax")
    sides.extend(Side(account, amount, rate) for (account, rate), amount in taxes.items())
    net, tax = to_minor(totals.net, currency, "net"), to_minor(totals.tax, currency, "tax")
    if net + tax < 0:
        raise Refusal(RefusalCode.INVALID, f"{words(kind)}: its total is negative; write the opposite document")
    return tuple(sides), net, tax


def _taxes(line: LineTotal) -> tuple[tuple[str | None, Decimal], ...]:
    if line.tax_by_code or not line.tax:
        return line.tax_by_code
    return ((None, line.tax),)


def _tax_account(desk: Desk, code: str | None) -> tuple[int, int | None]:
    if code is None:
        return desk.role("tax").seq, None
    rate = desk.master("tax_rate", code)
    text = rate.content.get("account")
    return (seq_of("account", text) if text else desk.role("tax").seq), rate.seq


def _income_account(desk: Desk, line: LineTotal) -> int:
    text = line.account
    if line.item is not None:
        item = desk.master("item", line.item)
        text = text or item.content.get("income_account")
        if text is None:
            raise Refusal(RefusalCode.INVALID, f"item {item.label} has no income account and the line names none")
    if text is None:
        raise Refusal(RefusalCode.INVALID, "a line names neither an item nor an account")
    account = desk.account(text)
    if account.content["type"] == "accounts_receivable":
        raise Refusal(
            RefusalCode.INVALID, f"account {account.label} is a control account; a line cannot post to it"
        )
    return account.seq


def _tracking_text(line: LineTotal) -> str:
    return canonical_json(dict(line.tracking)) if line.tracking else ""


def _check_amounts(content: Content, currency: str) -> None:
    seen: set[str] = set()
    for line in content["lines"]:
        if line.get("tax_amount") is not None:
            to_minor(line["tax_amount"], currency, "tax_amount")
        discount = line.get("discount") or {}
        if len(discount) > 1:
            raise Refusal(RefusalCode.INVALID, "discount: percent or amount, not both")
        if "amount" in discount:
            to_minor(discount["amount"], currency, "discount")
        mark = line.get("id")
        if mark is not None:
            if mark in seen:
                raise Refusal(RefusalCode.INVALID, f"two lines have the id {mark}")
            seen.add(mark)


def _due(desk: Desk, content: Content) -> tuple[Content, date]:
    due = content.get("due_date")
    if "terms" in content:
        terms = desk.master("payment_term", content["terms"])
        if due is None:
            due = _term_date(content["issue_date"], terms.content)
    if due is None:
        due = content["issue_date"]
        return content, due
    return {**content, "due_date": due}, due


def _term_date(issued: date, terms: dict[str, Any]) -> date:
    day = issued + timedelta(days=terms["days"])
    if terms.get("end_of_month"):
        day = day.replace(day=monthrange(day.year, day.month)[1])
    return day


def _check_original(desk: Desk, content: Content, customer: Master, currency: str) -> None:
    original = content.get("original")
    if not original:
        return
    row = desk.row("invoice", original["invoice"])
    if row.customer != customer.seq:
        raise Refusal(RefusalCode.MISMATCH, f"original: {row.label} is another customer's")
    if row.currency != currency:
        raise Refusal(RefusalCode.MISMATCH, f"original: {row.label} is in {row.currency}, not {currency}")


def _check_attachments(content: Content) -> None:
    names = [attachment["name"] for attachment in content.get("attachments") or ()]
    if len(names) != len(set(names)):
        raise Refusal(RefusalCode.INVALID, "attachments: two have the same name")

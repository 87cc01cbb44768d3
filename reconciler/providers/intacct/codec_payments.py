"""Between Intacct's advances and payments and ours; what applies which to what. Pure.

Money on account is an advance (ARADVANCE). A payment (ARPYMT) is cash for documents, or moves no cash and applies
an advance or a credit memo to them: then it is no payment of ours, but an allocation of what it applies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.intacct.observed import described, document, is_dead
from reconciler.providers.intacct.wire import (
    Child,
    Row,
    amount,
    amount_of,
    day,
    day_of,
    element,
    leaf,
    text,
)
from reconciler.providers.memo import joined
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content

ADVANCES, PAYMENTS, ADJUSTMENTS, INVOICES = "ARADVANCE", "ARPYMT", "ARADJUSTMENT", "ARINVOICE"
CREDITS: Mapping[str, tuple[str, str]] = {
    ADVANCES: ("ADVANCEKEY", "TRX_POSTEDADVANCEAMOUNT"),
    ADJUSTMENTS: ("ADJUSTMENTKEY", "TRX_ADJUSTMENTAMOUNT"),
    PAYMENTS: ("OVERPAYMENTKEY", "TRX_POSTEDOVERPAYMENTAMOUNT"),
    INVOICES: ("NEGATIVEINVOICEKEY", "TRX_NEGATIVEINVOICEAMOUNT"),
}
"""What a payment may apply besides cash: an advance, a credit memo, what was paid too much, a negative invoice;
each by its record number and an amount."""
OVERPAYMENT = "rp"
Source = tuple[str, str]
"""(object, record number) of what is applied."""
_MONEY = (
    "RECORDNO",
    "STATE",
    "CUSTOMERID",
    "DOCNUMBER",
    "DESCRIPTION",
    "FINANCIALENTITY",
    "PAYMENTMETHOD",
    "RECEIPTDATE",
    "BASECURR",
    "CURRENCY",
    "EXCHANGE_RATE",
    "TRX_TOTALENTERED",
    "TRX_TOTALDUE",
)
ADVANCE = (*_MONEY, "PAYMENTDATE")
PAYMENT = (*_MONEY, "RECORDTYPE", "WHENPAID", "RECORDID")
DETAIL = (
    "RECORDNO",
    "PAYMENTKEY",
    "PAYMENTDATE",
    "STATE",
    "RECORDKEY",
    "POSADJKEY",
    "TRX_PAYMENTAMOUNT",
    "TRX_DISCOUNTAMOUNT",
    *(name for names in CREDITS.values() for name in names),
)
METHODS: Mapping[str, str] = {
    "bank_transfer": "EFT",
    "cash": "Cash",
    "check": "Printed Check",
    "credit_card": "Credit Card",
}
"""Our word for a payment method → Intacct's."""
_WORDS: Mapping[str, str] = {
    **{theirs.lower(): ours for ours, theirs in METHODS.items()},
    **{ours: ours for ours in METHODS},
    "eft": "bank_transfer",
    "wire": "bank_transfer",
    "transfer": "bank_transfer",
    "cheque": "check",
    "card": "credit_card",
    "online_charge_card": "credit_card",
    "online_ach_debit": "bank_transfer",
}


def method_word(name: str) -> str | None:
    """Our word for a method; None where Intacct has none like it."""
    plain = "_".join(name.strip().lower().split())
    return _WORDS.get(name.strip().lower()) or _WORDS.get(plain)


def money_id(object_: str, key: str) -> str:
    """A payment's id: which object it is, and its record number there."""
    return f"{object_}-{key}"


def money_parts(id_: str) -> tuple[str, str]:
    """(object, record number) of a payment's id; ('', '') where it is none."""
    object_, _, key = id_.rpartition("-")
    return (object_, key) if object_ in (ADVANCES, PAYMENTS) and key else ("", "")


def credit_id(object_: str, key: str) -> str:
    """A credit note's id: an adjustment's record number; a negative invoice says that it is one."""
    return key if object_ == ADJUSTMENTS else money_id(object_, key)


def credit_parts(id_: str) -> Source:
    """(object, record number) of a credit note's id."""
    object_, _, key = id_.rpartition("-")
    return (INVOICES, key) if object_ == INVOICES else (ADJUSTMENTS, id_)


# ---- what is applied to what ----


@dataclass(frozen=True, slots=True)
class Applied:
    """One detail of a payment: what it settles of a document, and out of which source."""

    payment: str
    source: Source
    """What of `CREDITS`; the payment itself for its cash."""
    target: str
    """An invoice's record number; '' for a debit memo: no document of ours, but it takes the money all the same."""
    amount: Decimal
    discount: Decimal
    on: date | None
    undone: bool = False


def applied_from(details: Iterable[Row], undone: frozenset[str]) -> list[Applied]:
    """What is applied. `undone`: payments that were reversed, whose details settle nothing any more."""
    found: list[Applied] = []
    for row in details:
        payment = row.get("PAYMENTKEY", "")
        target = "" if row.get("POSADJKEY") else row.get("RECORDKEY", "")
        if not target and not row.get("POSADJKEY"):
            continue
        gone = payment in undone or is_dead(row.get("STATE"))
        on = day_of(row.get("PAYMENTDATE"))
        discount = abs(amount(row.get("TRX_DISCOUNTAMOUNT")))
        cash = abs(amount(row.get("TRX_PAYMENTAMOUNT")))
        for object_, (key, field_name) in CREDITS.items():
            share = abs(amount(row.get(field_name)))
            if row.get(key) and share:
                found.append(Applied(payment, (object_, row[key]), target, share, ZERO, on, gone))
        if cash or discount:
            found.append(Applied(payment, (PAYMENTS, payment), target, cash, discount, on, gone))
    return found


def allocations_of(source: Source, applied: Iterable[Applied]) -> tuple[LiveAllocation, ...]:
    """What one source settles, by invoice."""
    found: dict[str, LiveAllocation] = {}
    for one in applied:
        if one.source == source and one.target and not one.undone:
            before = found.get(one.target)
            found[one.target] = LiveAllocation(
                "invoice",
                one.target,
                one.amount + (before.amount if before else ZERO),
                before.date if before else one.on,
                one.discount + (before.discount if before else ZERO),
            )
    return tuple(found[key] for key in sorted(found))


# ---- from Intacct ----


def payment_from(object_: str, row: Row, applied: Sequence[Applied], base: str) -> Observed | None:
    """An advance, or a payment that moves cash; None for one that applies what is there already."""
    key = row.get("RECORDNO", "")
    allocations = allocations_of((object_, key), applied)
    settled = sum((one.amount for one in applied if one.source == (object_, key) and not one.undone), ZERO)
    total = abs(amount(row.get("TRX_TOTALENTERED")))
    if object_ == PAYMENTS and row.get("RECORDTYPE", "").lower() != OVERPAYMENT:
        total = sum((one.amount for one in applied if one.source == (PAYMENTS, key)), ZERO)
    if total == ZERO:
        return None
    left = total - settled
    phase = _phase(row.get("STATE", ""), left, total)
    reference, memo = described(row.get("DESCRIPTION"))
    currency = text(row.get("CURRENCY"), 3) or base
    rate = amount_of(row.get("EXCHANGE_RATE")) if currency != base else None
    method = row.get("PAYMENTMETHOD", "")
    content: Content = {
        "customer": text(row.get("CUSTOMERID")),
        "received_on": day(row.get("RECEIPTDATE")),
        "paid_on": day(row.get("PAYMENTDATE") or row.get("WHENPAID")),
        "amount": decimal_text(total),
        "currency": currency,
        "exchange_rate": decimal_text(rate) if rate else None,
        "bank_account": text(row.get("FINANCIALENTITY", "").partition("--")[0]),
        "method": (method_word(method) or text(method)) if method else None,
        "reference": text(row.get("DOCNUMBER")),
        "memo": memo,
    }
    computed = {
        "total": decimal_text(total),
        "open": decimal_text(ZERO if phase == "reversed" else left),
    }
    return document(
        "payment",
        money_id(object_, key),
        content,
        phase,
        number=text(row.get("RECORDID"), 120) or text(key),
        reference=reference,
        computed=computed,
        allocations=() if phase == "reversed" else allocations,
    )


def _phase(state: str, left: Decimal, total: Decimal) -> str:
    if is_dead(state):
        return "reversed"
    if state.strip().lower() in ("d", "draft"):
        return "draft"
    return "settled" if left <= ZERO else "part_settled" if left < total else "posted"


# ---- to Intacct ----


@dataclass(frozen=True, slots=True)
class Cash:
    """What money received has in common, whether it goes on account or to documents at once."""

    content: Mapping[str, Any] = field(repr=False)
    base: str
    default_method: str
    reference: str

    def parts(self) -> list[Child]:
        content = self.content
        method = method_word(content.get("method") or self.default_method) or self.default_method
        currency = content.get("currency") or self.base
        foreign = currency != self.base
        return [
            leaf("FINANCIALENTITY", content["bank_account"]),
            leaf("PAYMENTMETHOD", METHODS[method]),
            leaf("CUSTOMERID", content["customer"]),
            leaf("DOCNUMBER", content.get("reference")),
            leaf("DESCRIPTION", joined(content.get("memo"), self.reference)),
            leaf("RECEIPTDATE", content["received_on"]),
            leaf("PAYMENTDATE", content.get("paid_on") or content["received_on"]),
            leaf("CURRENCY", currency),
            leaf("BASECURR", self.base) if foreign else None,
            leaf("EXCHANGE_RATE", content["exchange_rate"]) if foreign and content.get("exchange_rate") else None,
        ]

    def advance(self, account: str, location: str | None = None) -> Element:
        """All of it on account."""
        item = element(
            "ARADVANCEITEM",
            leaf("ACCOUNTNO", account),
            leaf("TRX_AMOUNT", self.content["amount"]),
            leaf("LOCATIONID", location),
        )
        return element("create", element(ADVANCES, *self.parts(), element("ARADVANCEITEMS", item)))

    def payment(self) -> Element:
        """All of it to the documents it is allocated to."""
        details = [
            element(
                "ARPYMTDETAIL",
                leaf("RECORDKEY", item["invoice"]),
                leaf("TRX_PAYMENTAMOUNT", item["amount"]),
                leaf("TRX_TOTALDISCOUNTTOAPPLY", item.get("discount") or None),
            )
            for item in self.content["allocations"]
        ]
        return element("create", element(PAYMENTS, *self.parts(), element("ARPYMTDETAILS", *details)))


@dataclass(frozen=True, slots=True)
class Application:
    """A payment that moves no cash: it applies what is there to documents."""

    source: Source
    customer: str
    bank: str
    method: str
    currency: str
    on: date
    reference: str
    shares: Sequence[tuple[str, Decimal]]
    """(record number of an invoice, amount)."""

    def element(self) -> Element:
        object_, key = self.source
        key_name, amount_name = CREDITS[object_]
        details = [
            element("ARPYMTDETAIL", leaf("RECORDKEY", target), leaf(key_name, key), leaf(amount_name, share))
            for target, share in self.shares
        ]
        return element(
            "create",
            element(
                PAYMENTS,
                leaf("FINANCIALENTITY", self.bank),
                leaf("PAYMENTMETHOD", METHODS[self.method]),
                leaf("CUSTOMERID", self.customer),
                leaf("DESCRIPTION", self.reference),
                leaf("RECEIPTDATE", self.on),
                leaf("PAYMENTDATE", self.on),
                leaf("CURRENCY", self.currency),
                element("ARPYMTDETAILS", *details),
            ),
        )

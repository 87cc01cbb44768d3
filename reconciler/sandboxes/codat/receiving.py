"""Pushed payments as the ledger's commands: money on invoices or on account, credit notes applied to invoices.

The rules are the vendor's: a line's amount and its links' sum to nothing; the lines' amounts are the total; a
link that pays an invoice is negative, one that uses a credit note positive.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.codat.booking import ZERO, Body, currency_of, known, refused, required
from reconciler.sandboxes.codat.erp import PAYMENT_METHODS, View
from reconciler.sandboxes.ledger.commands import ApplyDocument, Command, CreateRecord

_MODEL = "Payment"
_METHODS = {own: name for own, name, _ in PAYMENT_METHODS}


@dataclass(frozen=True, slots=True)
class Applied:
    """So much of a credit note settles an invoice."""

    credit_note: str
    invoice: str
    amount: Decimal
    day: date


@dataclass(slots=True)
class Receipt:
    """What a payment does: credit notes applied, money allocated, the rest on account."""

    customer: str
    currency: str
    day: date
    total: Decimal
    applied: list[Applied] = field(default_factory=list)
    paid: dict[str, tuple[Decimal, date]] = field(default_factory=dict)

    def commands(self, key: str, view: View, body: Body) -> list[Command]:
        """Carried out together or not at all. `key`: the reference that keeps them from happening twice."""
        made: list[Command] = [
            ApplyDocument(
                "credit_note",
                applied.credit_note,
                "invoice",
                applied.invoice,
                applied.amount,
                f"{key}:{index}",
                applied.day,
            )
            for index, applied in enumerate(self.applied)
        ]
        if self.total:
            made.append(CreateRecord("payment", self._content(view, body), reference=key))
        return made

    def _content(self, view: View, body: Body) -> dict[str, Any]:
        content: dict[str, Any] = {
            "customer": self.customer,
            "received_on": self.day,
            "amount": self.total,
            "currency": self.currency,
            "bank_account": _bank_account(view, body),
            "allocations": [
                {"invoice": invoice, "amount": amount, "date": day} for invoice, (amount, day) in self.paid.items()
            ],
        }
        method = (body.get("paymentMethodRef") or {}).get("id")
        if known(_METHODS, method, "paymentMethodRef.id", "PaymentMethod", _MODEL):
            content["method"] = _METHODS[str(method)]
        for theirs, ours in (("reference", "reference"), ("note", "memo")):
            if body.get(theirs):
                content[ours] = body[theirs]
        rate = body.get("currencyRate")
        if rate is not None and (self.currency != view.base or rate != 1):
            content["exchange_rate"] = rate
        return content


def read_payment(view: View, body: Body) -> Receipt:
    """What a pushed payment is to do. Raises PushRefused."""
    customer = required(body, "customerRef", _MODEL)["id"]
    known(view.customers, customer, "customerRef.id", "Customer", _MODEL)
    lines = required(body, "lines", _MODEL)
    total = required(body, "totalAmount", _MODEL)
    if sum((line["amount"] for line in lines), ZERO) != total:
        raise refused("totalAmount", "TotalAmount must match the sum of the line amounts.", _MODEL)
    if total < 0:
        raise refused("totalAmount", "Refunds are not supported by the accounting software.", _MODEL)
    if total:
        required(body, "accountRef", _MODEL)
    currency = currency_of(body, "currency", _MODEL) or view.customers[customer].get("currency") or view.base
    day = date.fromisoformat(str(body["date"])[:10])
    receipt = Receipt(customer, currency, day, total)
    targets = _Targets(view, customer)
    for index, line in enumerate(lines):
        _read_line(receipt, line, f"lines.{index}", targets)
    return receipt


class _Targets:
    """The documents a payment can be linked to."""

    def __init__(self, view: View, customer: str) -> None:
        self.invoices = _Records(view, "invoice")
        self.notes = _Records(view, "credit_note")
        self.customer = customer


class _Records:
    """Whether there is a document of a kind with an id."""

    def __init__(self, view: View, kind: str) -> None:
        self._view = view
        self._kind = kind

    def __contains__(self, own: object) -> bool:
        return isinstance(own, str) and self._view.record(self._kind, own) is not None


def _read_line(receipt: Receipt, line: Body, where: str, targets: _Targets) -> None:
    links = line.get("links") or []
    if not links:
        raise refused(f"{where}.links", "Links must be provided.", _MODEL)
    if line["amount"] < 0:
        raise refused(f"{where}.amount", "Refunds are not supported by the accounting software.", _MODEL)
    given = line.get("allocatedOnDate")
    day = date.fromisoformat(given[:10]) if given else receipt.day
    invoices: list[list[Any]] = []
    notes: list[list[Any]] = []
    rest = ZERO
    for at, link in enumerate(links):
        place = f"{where}.links.{at}"
        amount = link.get("amount")
        if amount is None:
            raise refused(f"{place}.amount", "Amount must be provided.", _MODEL)
        match link["type"]:
            case "Invoice":
                _check_link(link, place, targets.invoices, "Invoice", negative=True)
                invoices.append([link["id"], -amount])
            case "CreditNote":
                _check_link(link, place, targets.notes, "CreditNote", negative=False)
                notes.append([link["id"], amount])
            case "PaymentOnAccount":
                if link.get("id") not in (None, targets.customer):
                    raise refused(f"{place}.id", "Must match the ID of the payment's Customer.", _MODEL)
                if amount >= 0:
                    raise refused(f"{place}.amount", "Amount of a payment on account must be negative.", _MODEL)
                rest -= amount
            case other:
                raise refused(f"{place}.type", f"Links of type {other} are not supported.", _MODEL)
    if line["amount"] + sum((link["amount"] for link in links), ZERO) != 0:
        raise refused(f"{where}.amount", "The sum of the line amount and its link amounts must equal 0.", _MODEL)
    _spread(receipt, where, invoices, notes, rest, day)


def _check_link(link: Body, place: str, records: Container[str], what: str, *, negative: bool) -> None:
    if not link.get("id"):
        raise refused(f"{place}.id", "ID must be provided.", _MODEL)
    known(records, link["id"], f"{place}.id", what, _MODEL)
    if (link["amount"] < 0) != negative or not link["amount"]:
        sign = "negative" if negative else "positive"
        raise refused(f"{place}.amount", f"Amount of a link to an {what} must be {sign}.", _MODEL)


def _spread(
    receipt: Receipt, where: str, invoices: list[list[Any]], notes: list[list[Any]], rest: Decimal, day: date
) -> None:
    """Use the credit notes first, in order, then the money."""
    for note in notes:
        for invoice in invoices:
            amount = min(note[1], invoice[1])
            if amount > 0:
                receipt.applied.append(Applied(note[0], invoice[0], amount, day))
                note[1] -= amount
                invoice[1] -= amount
        if note[1] > 0:
            raise refused(f"{where}.links", "A credit note can only be used to pay invoices.", _MODEL)
    for own, left in invoices:
        if left > 0:
            before, since = receipt.paid.get(own, (ZERO, day))
            receipt.paid[own] = (before + left, max(day, since))


def _bank_account(view: View, body: Body) -> str:
    """The ledger's bank account behind the account the money went to."""
    own = body["accountRef"].get("id")
    for bank, shown in view.bank_ids.items():
        if shown == own or bank == own:
            return bank
    known(view.accounts, own, "accountRef.id", "Account", _MODEL)
    raise refused("accountRef.id", "AccountRef must be an account that receives payments.", _MODEL)

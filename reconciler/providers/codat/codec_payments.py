"""Between Codat's payments and ours, and what settles what. Pure.

A payment is inserted with its links and never changed. Of each line `amount + sum of its links = 0`: what pays an
invoice is a link of -x, what stays on account a link of the customer of -x, and a credit note that is used a link
of +x. Applying a credit note is a payment of nothing: an invoice's link and a credit note's, and no money.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.codat.calls import Row
from reconciler.providers.codat.codec_invoices import standing
from reconciler.providers.codat.codec_masters import currency_of
from reconciler.providers.codat.directory import Directory
from reconciler.providers.codat.wire import day_of, day_text, live, number, ref, text
from reconciler.providers.memo import joined, parted
from reconciler.providers.operations import Allocate
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content

Target = tuple[str, str]
"""(kind, id)."""


@dataclass(slots=True)
class _Given:
    """What one source has given, by invoice: amount and the day it began."""

    amounts: dict[str, tuple[Decimal, date | None]] = field(default_factory=dict)

    def add(self, invoice: str, amount: Decimal, day: date | None) -> None:
        before, since = self.amounts.get(invoice, (ZERO, day))
        days = [one for one in (since, day) if one is not None]
        self.amounts[invoice] = (before + amount, min(days) if days else None)

    def allocations(self) -> tuple[LiveAllocation, ...]:
        return tuple(
            LiveAllocation("invoice", invoice, amount, day)
            for invoice, (amount, day) in sorted(self.amounts.items())
        )

    @property
    def total(self) -> Decimal:
        return sum((amount for amount, _ in self.amounts.values()), ZERO)


@dataclass(slots=True)
class Settlement:
    """What payments and credit notes settle, out of every payment there is."""

    sources: dict[Target, _Given] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Settlement:
        found = cls()
        payments = [row for row in rows if live(row)]
        tags: dict[str, str] = {}
        for row in payments:
            tag = tag_in(parted(row.get("note"))[0])
            if tag is not None and is_money(row):
                tags[tag] = str(row.get("id"))
        for row in payments:
            found._add(row, tags)
        return found

    def allocations(self, kind: str, id_: str) -> tuple[LiveAllocation, ...]:
        given = self.sources.get((kind, id_))
        return given.allocations() if given is not None else ()

    def given(self, kind: str, id_: str) -> Decimal:
        source = self.sources.get((kind, id_))
        return source.total if source is not None else ZERO

    def _add(self, row: Row, tags: Mapping[str, str]) -> None:
        """Each line's invoices, settled by its credit notes first and by its money then."""
        own = str(row.get("id"))
        paid_on = day_of(row.get("date"))
        for line in row.get("lines") or ():
            day = day_of(line.get("allocatedOnDate")) or paid_on
            invoices: list[list[Any]] = []
            givers: list[list[Any]] = []
            for link in line.get("links") or ():
                kind, id_, amount = str(link.get("type")), str(link.get("id")), number(link.get("amount"))
                if kind == "Invoice" and amount < ZERO:
                    invoices.append([id_, -amount])
                elif kind == "CreditNote" and amount > ZERO:
                    givers.append([("credit_note", id_), amount])
                elif kind == "PaymentOnAccount" and amount > ZERO:
                    paid = tags.get(tag_in(parted(row.get("note"))[0]) or "")
                    givers.append([("payment", paid or own), amount])
            money = number(line.get("amount"))
            if money > ZERO:
                givers.append([("payment", own), money])
            for invoice in invoices:
                for giver in givers:
                    part = min(invoice[1], giver[1])
                    if part > ZERO:
                        self.sources.setdefault(giver[0], _Given()).add(invoice[0], part, day)
                        invoice[1] -= part
                        giver[1] -= part


def is_money(row: Row) -> bool:
    """Money received: not a refund, and not an allocation of a credit note, which is a payment of nothing."""
    return number(row.get("totalAmount")) > ZERO


def payment_from(row: Row, settlement: Settlement, directory: Directory) -> Observed:
    own = str(row.get("id"))
    reference, memo = parted(row.get("note"))
    currency = currency_of(row, "currency") or directory.base_currency
    amount = number(row.get("totalAmount"))
    left = amount - settlement.given("payment", own)
    day = day_of(row.get("date"))
    rate = number(row.get("currencyRate"))
    account, method = ref(row, "accountRef"), ref(row, "paymentMethodRef")
    content: Content = {
        "customer": ref(row, "customerRef"),
        "received_on": day.isoformat() if day else None,
        "amount": decimal_text(amount),
        "currency": currency,
        "exchange_rate": decimal_text(rate) if rate > ZERO and currency != directory.base_currency else None,
        "bank_account": directory.bank_of(account) if account else None,
        "method": directory.method_of(method) if method else None,
        "reference": text(row.get("reference")),
        "memo": memo,
    }
    phase = (
        "void" if not live(row) else "settled" if left <= ZERO else "part_settled" if left < amount else "posted"
    )
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "")})
    return Observed(
        "payment",
        own,
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        reference=reference,
        computed={"total": decimal_text(amount), "open": decimal_text(left)},
        allocations=settlement.allocations("payment", own),
    )


def payment_body(content: Content, directory: Directory, *, reference: str, of_gl_account: bool) -> dict[str, Any]:
    """Money received: a line for each invoice it pays, and one for what stays on account."""
    customer = str(content["customer"])
    amount, day = content["amount"], content["received_on"]
    lines: list[dict[str, Any]] = []
    left = amount
    for item in content.get("allocations") or ():
        lines.append(
            _line(item["amount"], day_text(item.get("date") or day), ("Invoice", item["invoice"], -item["amount"]))
        )
        left -= item["amount"]
    if left > ZERO:
        lines.append(_line(left, day_text(day), ("PaymentOnAccount", customer, -left)))
    account = str(content["bank_account"])
    if of_gl_account:
        bank = directory.rows("bankAccounts").get(account)
        account = directory.account_behind(bank) if bank is not None else account
    method = content.get("method")
    made = {
        "customerRef": {"id": customer},
        "accountRef": {"id": account},
        "paymentMethodRef": {"id": directory.methods()[method]} if method else None,
        "totalAmount": amount,
        "currency": content.get("currency") or directory.base_currency,
        "currencyRate": content.get("exchange_rate"),
        "date": day_text(day),
        "note": joined(content.get("memo"), reference),
        "lines": lines,
        "reference": content.get("reference"),
    }
    return {name: value for name, value in made.items() if value is not None}


def allocation_body(operation: Allocate, customer: str, currency: str, day: date, reference: str) -> dict[str, Any]:
    """A payment of nothing that raises what a source settles of an invoice; it bears the source's reference."""
    amount = operation.amount - operation.before
    if operation.source_kind == "credit_note":
        giver = ("CreditNote", operation.source_id, amount)
    else:
        giver = ("PaymentOnAccount", customer, amount)
    return {
        "customerRef": {"id": customer},
        "totalAmount": ZERO,
        "currency": currency,
        "date": day_text(day),
        "note": reference,
        "lines": [_line(ZERO, day_text(day), ("Invoice", operation.target_id, -amount), giver)],
    }


def _line(amount: Decimal, day: str, *links: tuple[str, str, Decimal]) -> dict[str, Any]:
    return {
        "amount": amount,
        "links": [{"type": kind, "id": id_, "amount": value} for kind, id_, value in links],
        "allocatedOnDate": day,
    }

"""What customers owe as of a day: statements with ageing, and balances against credit limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed
from reconciler.sandboxes.accountsiq.view import (
    ACCOUNT_IDS,
    DOCUMENT_KINDS,
    TRANSACTION_IDS,
    Entry,
    View,
    midnight,
    reference_of,
    short_type,
)
from reconciler.sandboxes.ledger.minor import to_decimal

ZERO = Decimal(0)
_OPEN = (
    "SELECT d.seq, d.kind, d.currency, d.total, d.date, d.total"
    " - COALESCE((SELECT SUM(settled) FROM settlements WHERE target = d.seq AND date <= ?1), 0)"
    " - COALESCE((SELECT SUM(CASE t.kind WHEN 'invoice' THEN s.amount ELSE -s.amount END) FROM settlements s"
    " JOIN records t ON t.seq = s.target WHERE s.source = d.seq AND s.date <= ?1), 0)"
    " FROM records d WHERE d.customer = ?2 AND d.state <> 'draft' AND d.date <= ?1"
    " AND (d.ended_on IS NULL OR d.ended_on > ?1) ORDER BY d.date, d.seq"
)
_BUCKETS = (
    "From0To30DaysBalanceBucket",
    "From30To60DaysBalanceBucket",
    "From60To90DaysBalanceBucket",
    "From90To120DaysBalanceBucket",
    "From120DaysPlusBalanceBucket",
)


@dataclass(frozen=True, slots=True)
class Item:
    """A document as of a day; amounts are signed, what is owed is positive."""

    seq: int
    kind: str
    day: date
    amount: Decimal
    left: Decimal


class Statements:
    """The operations on statements and balances. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view

    def items(self, customer: Entry, upto: datetime) -> list[Item]:
        with self.view.books.ledger.reading() as db:
            rows = db.execute(_OPEN, (upto.date().isoformat(), customer.seq)).fetchall()
        made = []
        for seq, kind, currency, total, day, left in rows:
            sign = 1 if kind == "invoice" else -1
            amounts = (sign * to_decimal(total, currency), sign * to_decimal(left, currency))
            made.append(Item(seq, kind, date.fromisoformat(day), *amounts))
        return made

    def statement(self, asked: Values) -> Done:
        """Of the customers named, or of all; without `showZeros` only of what is open."""
        codes = [code for code in asked["customerCodes"] or () if code]
        found = [self._known(code) for code in codes] if codes else self.view.known_customers()
        made = [self._one(customer, asked["upTo"], asked["showZeros"]) for customer in found]
        return Done([one for one in made if one is not None])

    def _known(self, code: str) -> Entry:
        found = self.view.customer(code)
        if found is None:
            raise Failed("CUSTOMER_CODE_DOES_NOT_EXIST", f"Customer code '{code[:60]}' does not exist.")
        return found

    def _one(self, customer: Entry, upto: datetime, zeros: bool) -> dict[str, Any] | None:
        items = self.items(customer, upto)
        if not zeros and not any(item.left for item in items):
            return None
        buckets = dict.fromkeys(_BUCKETS, ZERO)
        for item in items:
            buckets[_BUCKETS[min((upto.date() - item.day).days // 30, 4)]] += item.left
        state = {
            **buckets,
            "CurrentBalance": sum((item.left for item in items), ZERO),
            "CurrentDate": upto,
            "CustomerCode": self.view.code_of(customer),
        }
        listed = [self._state(item) for item in items if zeros or item.left]
        return {"CustomerState": state, "TransactionList": listed}

    def _state(self, item: Item) -> dict[str, Any]:
        entry = self.view.by_seq(DOCUMENT_KINDS, item.seq)
        assert entry is not None
        absolute = self.view.switches.text("amount_signs") == "absolute"
        return {
            "TransactionReference": item.seq + TRANSACTION_IDS,
            "Type": short_type(entry),
            "InternalNumber": entry.record.number,
            "ExternalReference": reference_of(entry),
            "Amount": abs(item.amount) if absolute else item.amount,
            "OutstandingAmount": abs(item.left) if absolute else item.left,
            "TransactionDate": midnight(item.day),
            "Description": entry.content.get("memo"),
            "DueDate": midnight(entry.content.get("due_date") or item.day),
        }

    def balances(self, asked: Values) -> Done:
        found = []
        for own in asked["accountIDs"] or ():
            customer = self.view.customer_by_id(own)
            if customer is None:
                raise Failed("ACCOUNT_ID_DOES_NOT_EXIST", f"There is no account {own}.")
            found.append(self._balance(customer, asked["edt"]))
        return Done(found)

    def balances_by_code(self, asked: Values) -> Done:
        codes = [code for code in asked["customerCodes"] or () if code]
        return Done([self._balance(self._known(code), asked["edt"]) for code in codes])

    def _balance(self, customer: Entry, at: datetime) -> dict[str, Any]:
        """A limit of 0 is none: then nothing is left of it, and nothing is over it."""
        balance = sum((item.left for item in self.items(customer, at)), ZERO)
        limit = customer.content.get("credit_limit") or ZERO
        return {
            "AccountID": customer.seq + ACCOUNT_IDS,
            "AccountCode": self.view.code_of(customer),
            "AccountType": "Sales",
            "Balance": balance,
            "CreditLimit": limit,
            "CreditLeft": max(limit - balance, ZERO) if limit else ZERO,
            "OverCreditLimitBalance": max(balance - limit, ZERO) if limit else ZERO,
            "CurrencyCode": self.view.currency_of(customer),
        }

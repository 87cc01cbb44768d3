"""Allocations between two transactions of one account; each call adds one, and nothing notices a repetition.

The ledger keeps what a credit settles of a debit in all; the single allocations of a pair are kept beside it. A
discount is a transaction of its own (DS) on the invoice's side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import instant_text, parse_instant
from reconciler.sandboxes.accountsiq import checking
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.outcomes import Done, Failed, failed
from reconciler.sandboxes.accountsiq.view import (
    ACCOUNT_IDS,
    DISCOUNT_IDS,
    DOCUMENT_KINDS,
    TRANSACTION_IDS,
    Entry,
    View,
    day_of,
    midnight,
    reference_of,
    short_type,
)
from reconciler.sandboxes.ledger.commands import SetAllocation
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.refusal import Refusal

DISCOUNTS = "accountsiq-discounts"
ZERO = Decimal(0)
_OLD_IDS = 900_000_000
"""Allocations that were not made here have ids from here on."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What a credit settles of a debit: row numbers, amounts in their currency, the last day."""

    source: int
    target: int
    amount: Decimal
    discount: Decimal
    day: date

    @property
    def bucket(self) -> str:
        return bucket_of(self.source, self.target)


def bucket_of(source: int, target: int) -> str:
    return f"accountsiq-allocations {source} {target}"


def pairs(view: View, *, seq: int | None = None) -> list[Pair]:
    """Every pair, or those that a row is part of."""
    statement = (
        "SELECT a.source, a.target, a.amount, a.discount + a.write_off, a.date, t.currency FROM allocations a"
        " JOIN records t ON t.seq = a.target"
    )
    values: tuple[int, ...] = ()
    if seq is not None:
        statement, values = f"{statement} WHERE a.source = ? OR a.target = ?", (seq, seq)
    with view.books.ledger.reading() as db:
        rows = db.execute(f"{statement} ORDER BY a.source, a.target", values).fetchall()
    return [
        Pair(source, target, to_decimal(amount, currency), to_decimal(less, currency), date.fromisoformat(day))
        for source, target, amount, less, day, currency in rows
    ]


class Allocations:
    """The operations on allocations. Called alone with the books."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.shelf = view.books.shelf

    # ---- making and taking off ----

    def allocate(self, asked: Values) -> Done:
        self.put_on(asked, ZERO)
        return Done()

    def allocate_with_discount(self, asked: Values) -> Done:
        if asked["discountAmount"] < 0:
            raise Failed("DISCOUNT_AMOUNT_CANNOT_BE_NEGATIVE")
        if asked["discountAmount"] == 0:
            raise Failed("DISCOUNT_AMOUNT_CANNOT_BE_ZERO")
        self.put_on(asked, asked["discountAmount"])
        return Done()

    def put_on(self, asked: Values, discount: Decimal) -> None:
        """Raises Failed."""
        if asked["allocationReference"] is None:
            raise Failed("TRANSACTION_ALLOCATION_REFERENCE_IS_NULL")
        amount: Decimal = asked["allocationAmount"]
        if amount <= 0:
            raise Failed("TRANSACTION_ALLOCATION_AMOUNT_CANNOT_BE_NEGATIVE_OR_ZERO")
        checking.figures("INVALID_STATE_FAILED_TO_PERFORM_ALLOCATION", amount, discount)
        source, target = self._sides(asked["transactionID_1"], asked["transactionID_2"])
        self._check_open(source, target, amount, discount)
        day = self._day(asked["allocationDate"], source, target)
        standing = next((one for one in pairs(self.view, seq=source.seq) if one.target == target.seq), None)
        had, less = (standing.amount, standing.discount) if standing else (ZERO, ZERO)
        command = SetAllocation(
            source.record.kind,
            source.id,
            target.record.kind,
            target.id,
            amount=had + amount,
            before=had,
            date=day,
            discount=less + discount,
        )
        try:
            self.view.books.ledger.one(command)
        except Refusal as refusal:
            raise failed(refusal, "INVALID_STATE_FAILED_TO_PERFORM_ALLOCATION") from None
        self.note(source.seq, target.seq, amount, discount, asked["allocationDate"], asked["allocationReference"])

    def note(
        self, source: int, target: int, amount: Decimal, discount: Decimal, at: datetime, reference: str
    ) -> None:
        """Keep one allocation as it was asked for."""
        own = self.shelf.next("allocations")
        kept = {
            "amount": amount,
            "at": at.isoformat(),
            "reference": reference,
            "created": instant_text(self.view.clock.now()),
            "discount": 0,
        }
        if discount:
            kept["discount"] = self.shelf.next("discounts")
            made = {"source": source, "target": target, "amount": discount, "at": at.isoformat()}
            self.shelf.put(
                DISCOUNTS,
                str(kept["discount"]),
                {**made, "reference": reference, "created": kept["created"], "live": True},
            )
        self.shelf.put(bucket_of(source, target), str(own), kept)

    def _sides(self, first: int, second: int) -> tuple[Entry, Entry]:
        """The credit and the debit of two transactions. Raises Failed."""
        found = []
        for own in (first, second):
            entry = self.view.transaction(own)
            if entry is None:
                raise Failed("TRANSACTION_NOT_FOUND", f"There is no transaction {own}.")
            if entry.record.phase in ("void", "reversed"):
                raise Failed("TRANSACTION_IS_NOT_ALLOCATABLE", f"The transaction {own} was reversed.")
            found.append(entry)
        if found[0].content["customer"] != found[1].content["customer"]:
            raise Failed("TRANSACTION_CANNOT_ALLOCATE_CROSS_ACCOUNT")
        debits = [one for one in found if one.record.kind == "invoice"]
        credits = [one for one in found if one.record.kind != "invoice"]
        if len(debits) != 1:
            types = f"{short_type(found[0])} and {short_type(found[1])}"
            raise Failed("TRANSACTION_CANNOT_BE_ALLOCATED_INCOMPATIBLE_TYPES", f"{types} cannot be allocated.")
        return credits[0], debits[0]

    @staticmethod
    def _check_open(source: Entry, target: Entry, amount: Decimal, discount: Decimal) -> None:
        opened = [Decimal(one.record.computed["open"]) for one in (source, target)]
        if not all(opened):
            raise Failed("TRANSACTION_CANNOT_ALLOCATE_FULLY_ALLOCATED_TRANSACTION")
        if discount and short_type(target) != "SI":
            raise Failed("INVALID_STATE_CANNOT_CREATE_DISCOUNT_ON_NON_INVOICE_TRANSACTIONS")
        if discount and amount + discount > opened[1]:
            raise Failed("INVALID_STATE_TRANSACTION_OUSTANDING_AMOUNT_IS_LESS_THAN_ALLOCATION_PLUS_DISCOUNT_AMOUNT")
        if amount > min(opened):
            raise Failed("TRANSACTION_CANNOT_ALLOCATE_MORE_THAN_OUTSTANSING_AMOUNT")

    def _day(self, at: datetime, source: Entry, target: Entry) -> date:
        """The day the ledger books it on: not before either document."""
        checking.day(self.view, at, "The allocation's date")
        return max(at.date(), day_of(source), day_of(target))

    def unallocate(self, asked: Values) -> Done:
        """Take off every allocation of each transaction: one status each."""
        rows = []
        for own in self.view.each(asked["transactionIDs"] or []):
            try:
                self.take_off(own)
                rows.append(Done().row())
            except Failed as problem:
                rows.append(problem.done().row())
        worst = next((row for row in rows if row["Status"] == "Failure"), None)
        if worst is None:
            return Done(rows)
        return Done(rows, {}, "Failure", worst["ErrorCode"], worst["ErrorMessage"])

    def take_off(self, own: int) -> None:
        """Raises Failed."""
        entry = self.view.transaction(own)
        if entry is None:
            raise Failed("TRANSACTION_NOT_FOUND", f"There is no transaction {own}.")
        for pair in pairs(self.view, seq=entry.seq):
            source = self.view.by_seq(("payment", "credit_note"), pair.source)
            target = self.view.by_seq(("invoice", "credit_note"), pair.target)
            assert source is not None
            assert target is not None
            command = SetAllocation(
                source.record.kind,
                source.id,
                target.record.kind,
                target.id,
                amount=ZERO,
                before=pair.amount,
            )
            try:
                self.view.books.ledger.one(command)
            except Refusal as refusal:
                raise failed(refusal, "INVALID_STATE_FAILED_TO_PERFORM_ALLOCATION") from None
            self._forget(pair)

    def _forget(self, pair: Pair) -> None:
        for key, kept in self.shelf.all(pair.bucket).items():
            self.shelf.drop(pair.bucket, key)
            if kept["discount"]:
                own = str(kept["discount"])
                self.shelf.put(DISCOUNTS, own, {**self.shelf.get(DISCOUNTS, own), "live": False})

    # ---- reading ----

    def by_transaction(self, asked: Values) -> Done:
        text = (asked["transactionId"] or "").strip()
        if not text.isdigit() or len(text) > 9:
            raise Failed("TRANSACTION_ID_IS_INVALID", f"'{text[:20]}' is not a transaction's id.")
        entry = self.view.transaction(int(text))
        if entry is None:
            raise Failed("TRANSACTION_NOT_FOUND", f"There is no transaction {text}.")
        return Done([self.shown(entry)])

    def created_between(self, asked: Values) -> Done:
        """The allocations of the transactions that were created between two times."""
        query = asked["query"] or {}
        first, last = query.get("FromCreationDate"), query.get("ToCreationDate")
        known = {one.seq: one for one in self.view.entries(*DOCUMENT_KINDS)}
        of: dict[int, list[Pair]] = {}
        for pair in pairs(self.view):
            of.setdefault(pair.source, []).append(pair)
            of.setdefault(pair.target, []).append(pair)
        found = []
        for seq in sorted(of):
            created, _ = self.view.times(known[seq])
            if (first and first.year > 1 and created < first) or (last and last.year > 1 and created > last):
                continue
            found.append(seq)
        page = self.view.page(found, query.get("Skip"))
        return Done([self._shown(known[seq], of[seq], known) for seq in page])

    def shown(self, entry: Entry) -> dict[str, Any]:
        found = pairs(self.view, seq=entry.seq)
        known = {}
        for seq in {pair.source for pair in found} | {pair.target for pair in found}:
            other = self.view.by_seq(DOCUMENT_KINDS, seq)
            assert other is not None
            known[seq] = other
        return self._shown(entry, found, known)

    def _shown(self, entry: Entry, of: Sequence[Pair], known: Mapping[int, Entry]) -> dict[str, Any]:
        customer = self.view.master("customer", entry.content["customer"])
        found: list[dict[str, Any]] = []
        for pair in of:
            other = known[pair.target if pair.source == entry.seq else pair.source]
            found.extend(self._entries(pair, entry, other))
        return {
            "TransactionID": entry.seq + TRANSACTION_IDS,
            "TransactionType": short_type(entry),
            "InternalNumber": entry.record.number,
            "ExternalReference": reference_of(entry),
            "AllocationEntries": found,
            "AccountID": customer.seq + ACCOUNT_IDS,
            "AccountCode": self.view.code_of(customer),
        }

    def _entries(self, pair: Pair, entry: Entry, other: Entry) -> list[dict[str, Any]]:
        """The single allocations of a pair, as one side sees them; one for all that were not made here."""
        to = {
            "AllocatedToTransactionID": other.seq + TRANSACTION_IDS,
            "AllocatedToTransactionType": short_type(other),
            "AllocatedToInternalNumber": other.record.number,
            "AllocatedToExternalReference": reference_of(other),
            "AllocatedToTransactionDate": midnight(day_of(other)),
            "AllocationUserId": "INTEGRATION",
        }
        kept = self.shelf.all(pair.bucket)
        if sum((one["amount"] for one in kept.values()), ZERO) != pair.amount:
            whole = {"amount": pair.amount, "at": midnight(pair.day).isoformat(), "discount": 0}
            kept = {str(_OLD_IDS + pair.source + pair.target): whole}
        found = []
        for own, one in kept.items():
            found.append({**to, **self._one(int(own), one["amount"], one)})
            if one["discount"] and entry.record.kind == "invoice":
                discount = self.shelf.get(DISCOUNTS, str(one["discount"]))
                found.append(
                    {
                        **self._one(int(own), discount["amount"], one),
                        "AllocatedToTransactionID": one["discount"] + DISCOUNT_IDS,
                        "AllocatedToTransactionType": "DS",
                        "AllocatedToInternalNumber": f"DS{one['discount']:06d}",
                        "AllocatedToExternalReference": one["reference"],
                        "AllocatedToTransactionDate": datetime.fromisoformat(one["at"]),
                        "AllocationUserId": "INTEGRATION",
                    }
                )
        return found

    def _one(self, own: int, amount: Decimal, kept: dict[str, Any]) -> dict[str, Any]:
        created = kept.get("created")
        return {
            "AllocationAmount": amount,
            "AllocationDate": datetime.fromisoformat(kept["at"]),
            "AllocationId": own,
            "AllocationNumber": own,
            "AllocationCreationDate": (
                self.view.local(parse_instant(created)) if created else datetime.fromisoformat(kept["at"])
            ),
        }

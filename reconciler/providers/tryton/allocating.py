"""Allocations: set what a payment or credit note settles of an invoice, absolutely, by looking first.

A credit line settles one invoice. What closes the invoice is reconciled with it (one call); what leaves it
open becomes one of its payment lines (one call). Where no free line has the amount, one is split by Tryton's
own "reschedule" (one call: a move that takes the line over and gives it back in parts, in our reference).
Every call names lines that only one call can ever use, so that a repetition is refused, not doubled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.errors import Rejected, Stale
from reconciler.providers.operations import Allocate, Unallocate
from reconciler.providers.protocol import Done
from reconciler.providers.tryton.books import Books
from reconciler.providers.tryton.calls import Row, lines
from reconciler.providers.tryton.codec_invoices import INVOICE_FIELDS
from reconciler.providers.tryton.codec_payments import MOVE_FIELDS, move_id, payments_in
from reconciler.providers.tryton.observing import own_lines
from reconciler.providers.tryton.settlement import DueLine, Settlement, Use

_TARGET = [
    *["state", "account", "party", "currency", "amount_to_pay", "total_amount", "move", "payment_lines"],
    *(f"lines_to_pay.{name}" for name in ("reconciliation", "debit")),
]


@dataclass(frozen=True, slots=True)
class Source:
    """A payment or credit note, and where its credit is."""

    kind: str
    remote_id: str
    journal: int
    settlement: Settlement
    use: Use

    def settled(self, invoice: int) -> tuple[Decimal, Decimal]:
        """(amount, written off) of an invoice."""
        amount, given_up, _ = self.use.settled.get(invoice, (ZERO, ZERO, None))
        return amount, given_up

    def free(self, account: int) -> list[DueLine]:
        """Lines that settle nothing yet, on an account."""
        return [
            line
            for line in self.use.leaves
            if line.reconciliation is None and line.linked is None and line.account == account
        ]


def source_of(books: Books, kind: str, remote_id: str) -> Source:
    """A posted payment or credit note as it is now. Raises Rejected."""
    if kind == "payment":
        row = books.row("account.move", move_id(remote_id), MOVE_FIELDS, "payment")
        found = [one for one in payments_in(row, books.directory) if one.remote_id == remote_id]
        if not found or row["state"] != "posted":
            raise Rejected("it is not a posted payment", code="state")
        own: Sequence[DueLine] = found[0].sources
        journal = int(row["journal"])
    elif kind == "credit_note":
        row = books.row("account.invoice", int(remote_id), INVOICE_FIELDS, "credit note")
        if row["state"] not in ("posted", "paid"):
            raise Rejected("it is not a posted credit note", code="state")
        own = own_lines(row)
        journal = books.directory.general_journal or books.directory.revenue_journal or 0
    else:
        raise Rejected(f"a {kind} settles nothing", code="unsupported")
    settlement = books.observer.settlement(own)
    return Source(kind, remote_id, journal, settlement, settlement.use_of(own))


def allocate(books: Books, operation: Allocate, reference: str, *, anew: bool = False) -> Done:
    """Raise what a source settles of an invoice. `anew`: of a payment just made; what is done already is left."""
    _only_invoices(operation)
    invoice = int(operation.target_id)
    source = source_of(books, operation.source_kind, operation.source_id)
    given_up = Decimal((operation.write_off or {}).get("amount", ZERO))
    settled, written_off = source.settled(invoice)
    if (settled, written_off) == (operation.amount, given_up):
        return books.done(operation.source_kind, operation.source_id)
    if settled != operation.before:
        raise Stale(f"it settles {decimal_text(settled)} of it, not {decimal_text(operation.before)}")
    target = _target(books, invoice)
    extra = operation.amount - settled
    _check_room(target, extra + given_up)
    closes = extra + given_up == target["amount_to_pay"]
    if given_up and not closes:
        raise Rejected("Tryton writes off only what is left when an invoice is closed", code="write_off")
    method = _method(books, operation.write_off) if operation.write_off is not None and given_up else None
    chosen = _lines_for(books, source, int(target["account"]), extra, reference)
    if closes:
        _close(books, target, chosen, method, operation)
    else:
        added = [["add", [line.id for line in chosen]]]
        books.tryton.write("account.invoice", "write", [invoice], {"payment_lines": added})
    return books.done(operation.source_kind, operation.source_id)


def _only_invoices(operation: Allocate | Unallocate) -> None:
    if operation.target_kind != "invoice":
        raise Rejected("only invoices are settled; apply the credit note to the invoice", code="unsupported")
    if isinstance(operation, Allocate) and operation.discount:
        raise Rejected("Tryton has no discounts on payments; use a write-off", code="discount")


def _target(books: Books, invoice: int) -> Row:
    row = books.row("account.invoice", invoice, _TARGET, "invoice")
    if row["state"] != "posted":
        raise Rejected(f"the invoice is {row['state']}, and only a posted one is settled", code="state")
    return row


def _method(books: Books, write_off: Mapping[str, Any]) -> int:
    """The write-off method that debits an account."""
    method = books.directory.write_offs.get(int(write_off["account"]))
    if method is None:
        raise Rejected(f"no write-off method of Tryton's debits account {write_off['account']}", code="write_off")
    return method


def _check_room(target: Row, wanted: Decimal) -> None:
    opened = Decimal(target["amount_to_pay"])
    if wanted > opened:
        raise Rejected(
            f"the invoice has {decimal_text(opened)} open, the allocation needs {decimal_text(wanted)}", code="open"
        )


def _lines_for(books: Books, source: Source, account: int, amount: Decimal, reference: str) -> list[DueLine]:
    """Free lines of the source that come to an amount; the last one split where it is too large."""
    free = source.free(account)
    exact = next((line for line in free if -line.amount == amount), None)
    if exact is not None:
        return [exact]
    chosen: list[DueLine] = []
    left = amount
    for line in sorted(free, key=lambda one: (one.amount, one.id)):
        if left <= ZERO:
            break
        if -line.amount <= left:
            chosen.append(line)
            left += line.amount
    if left == ZERO:
        return chosen
    larger = [line for line in free if line not in chosen and -line.amount > left]
    if not larger:
        there = sum((-line.amount for line in free), ZERO)
        raise Rejected(
            f"it has {decimal_text(there)} left, the allocation needs {decimal_text(amount)}", code="left"
        )
    smallest = min(larger, key=lambda one: (-one.amount, one.id))
    _split(books, source, smallest, left, reference)
    again = source_of(books, source.kind, source.remote_id)
    part = next((line for line in again.free(account) if -line.amount == left), None)
    if part is None:
        raise Stale("the part that was split off is gone")
    return [*chosen, part]


def _split(books: Books, source: Source, line: DueLine, amount: Decimal, reference: str) -> None:
    """Split a free credit line in two."""
    currency = line.currency or books.directory.base
    rest = -line.amount - amount
    terms = [{"date": line.day, "amount": -part, "currency": currency} for part in (amount, rest)]
    data = {
        "start": {"start_date": line.day, "frequency": "monthly", "interval": 1, "number": 2},
        "preview": {
            "journal": source.journal,
            "description": reference,
            "currency": currency,
            "terms": terms,
        },
    }
    data["start"] |= {"total_amount": line.amount, "currency": currency}
    books.tryton.wizard(
        "account.move.line.reschedule", "reschedule", data, model="account.move.line", ids=[line.id]
    )


def _close(books: Books, target: Row, chosen: Sequence[DueLine], method: int | None, operation: Allocate) -> None:
    """Reconcile an invoice's open lines with what was linked to it before and the chosen lines."""
    open_lines = [line["id"] for line in lines(target, "lines_to_pay") if not line["reconciliation"]]
    linked_ids = target.get("payment_lines") or ()
    linked = [
        row["id"]
        for row in books.tryton.among("account.move.line", "id", linked_ids, ["reconciliation"])
        if not row["reconciliation"]
    ]
    ids = list(dict.fromkeys([*open_lines, *linked, *(line.id for line in chosen)]))
    state, data = "start", {}
    if method is not None:
        write_off = operation.write_off or {}
        form = {
            "writeoff": method,
            "date": operation.date or max(line.day for line in chosen),
            "description": write_off["reason"],
            "amount": write_off["amount"],
            "currency": target["currency"],
            "company": books.directory.company,
        }
        state, data = "reconcile", {"writeoff": form}
    found = books.tryton.wizard("account.move.reconcile_lines", state, data, model="account.move.line", ids=ids)
    if "view" in found:
        raise Stale("the lines no longer come to nothing together")


# ---- taking off ----


def unallocate(books: Books, operation: Unallocate) -> Done:
    """Lower what a source settles of an invoice: take it off whole, and put back what is to stay."""
    _only_invoices(operation)
    source = source_of(books, operation.source_kind, operation.source_id)
    settled, _ = source.settled(int(operation.target_id))
    if settled == operation.amount:
        return books.done(operation.source_kind, operation.source_id)
    if settled != operation.before:
        raise Stale(f"it settles {decimal_text(settled)} of it, not {decimal_text(operation.before)}")
    take_off(books, source, int(operation.target_id))
    if operation.amount:
        back = Allocate(
            operation.source_kind, operation.source_id, operation.target_kind, operation.target_id, operation.amount
        )
        return allocate(books, back, "")
    return books.done(operation.source_kind, operation.source_id)


def take_off(books: Books, source: Source, invoice: int) -> None:
    """Take a source off an invoice. What else settled the invoice is linked to it again."""
    leaves = source.use.leaves
    linked = [line.id for line in leaves if line.reconciliation is None and line.linked == invoice]
    for reconciliation in sorted({line.reconciliation for line in leaves if line.reconciliation is not None}):
        if invoice in source.settlement.invoices_in(reconciliation):
            _unreconcile(books, source, reconciliation, invoice)
    row = books.row("account.invoice", invoice, ["payment_lines"], "invoice")
    mine = {line.id for line in source.use.leaves} & set(row.get("payment_lines") or ())
    if linked := sorted({*linked, *mine}):
        books.tryton.write("account.invoice", "write", [invoice], {"payment_lines": [["remove", linked]]})


def _unreconcile(books: Books, source: Source, reconciliation: int, invoice: int) -> None:
    """Undo a reconciliation, and link the other payments of the invoice to it, so that only ours comes off."""
    group = source.settlement.group(reconciliation)
    if source.settlement.invoices_in(reconciliation) != {invoice}:
        raise Rejected(
            "it was reconciled together with other invoices by somebody else; undo that in Tryton",
            code="reconciled",
        )
    mine = {line.id for line in source.use.leaves}
    others = [line for line in group if line.amount < ZERO and line.id not in mine and line.journal != "write-off"]
    wizard = "account.move.unreconcile_lines"
    books.tryton.wizard(wizard, "unreconcile", {}, model="account.move.line", ids=[group[0].id])
    for move in sorted({line.move for line in group if line.journal == "write-off" and line.amount}):
        data = {"default": {"description": "unallocated", "reversal": True}}
        books.tryton.wizard("account.move.cancel", "cancel", data, model="account.move", ids=[move])
    row = books.row("account.invoice", invoice, ["payment_lines"], "invoice")
    missing = [line.id for line in others if line.id not in (row.get("payment_lines") or ())]
    if missing:
        books.tryton.write("account.invoice", "write", [invoice], {"payment_lines": [["add", missing]]})

"""Who settled what: from Tryton's receivable lines to allocations. Pure.

A credit line settles an invoice either by a link (`invoice_payment`: it is one of the invoice's payment
lines) or by being reconciled with the invoice's own lines. A reconciliation may hold several invoices,
payments, credit notes, a write-off, an exchange difference. Links say exactly what went where; the rest is
given out in order of date and id, oldest first, so that the same books always read the same.

A credit line reconciled with a debit in a move of receivable lines alone was transferred (Tryton's
"reschedule" splits a line so): the move's credit lines take its place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from reconciler.kernel.money import ZERO
from reconciler.providers.protocol import LiveAllocation
from reconciler.providers.tryton.calls import Row, fields

LINE_FIELDS = fields(
    "move account party debit credit amount_second_currency second_currency reconciliation invoice_payment date",
    "move.origin move.state move.journal.type",
)


@dataclass(frozen=True, slots=True)
class DueLine:
    """A receivable line. `amount`: in its own currency, debits positive; `balance`: in base currency."""

    id: int
    move: int
    account: int
    party: int | None
    amount: Decimal
    balance: Decimal
    currency: int | None
    reconciliation: int | None
    linked: int | None
    day: date
    origin: str = ""
    journal: str = ""

    @classmethod
    def of(cls, row: Row) -> DueLine:
        balance = Decimal(row["debit"]) - Decimal(row["credit"])
        second = row.get("second_currency")
        move = row.get("move.") or {}
        return cls(
            id=int(row["id"]),
            move=int(row.get("move") or move["id"]),
            account=int(row.get("account") or 0),
            party=row.get("party"),
            amount=Decimal(row["amount_second_currency"] or 0) if second else balance,
            balance=balance,
            currency=second,
            reconciliation=row.get("reconciliation"),
            linked=row.get("invoice_payment"),
            day=row["date"],
            origin=str(move.get("origin") or ""),
            journal=str((move.get("journal.") or {}).get("type") or ""),
        )


@dataclass(slots=True)
class Use:
    """What of one source went where. `leaves`: its credit lines as they are now, transfers followed."""

    settled: dict[int, tuple[Decimal, Decimal, date]] = field(default_factory=dict)
    """Invoice id → (amount, write-off, first date)."""
    bearers: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Invoice id → (account that bore the write-off, its reason)."""
    left: Decimal = ZERO
    reversed: Decimal = ZERO
    leaves: list[DueLine] = field(default_factory=list)

    def allocations(self) -> tuple[LiveAllocation, ...]:
        return tuple(self._allocation(invoice) for invoice in sorted(self.settled))

    def _allocation(self, invoice: int) -> LiveAllocation:
        amount, given_up, day = self.settled[invoice]
        account, reason = self.bearers.get(invoice, ("", ""))
        return LiveAllocation(
            "invoice",
            str(invoice),
            amount,
            day,
            write_off=given_up,
            write_off_account=str(account) if given_up else "",
            write_off_reason=reason if given_up else "",
        )

    def settle(self, invoice: int, amount: Decimal, day: date, given_up: Decimal = ZERO) -> None:
        before = self.settled.get(invoice, (ZERO, ZERO, day))
        self.settled[invoice] = (before[0] + amount, before[1] + given_up, min(before[2], day))


@dataclass(slots=True)
class Settlement:
    """Receivable lines and what they say, as far as they were read."""

    lines: dict[int, DueLine] = field(default_factory=dict)
    invoices: dict[int, int] = field(default_factory=dict)
    """Move id → the invoice whose move (or rescheduling move) it is; not credit notes."""
    write_offs: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Write-off move → (account that bore it, its description)."""
    _groups: dict[int, list[DueLine]] = field(default_factory=dict)
    _moves: dict[int, list[DueLine]] = field(default_factory=dict)
    _given: dict[int, list[tuple[int, int, Decimal]]] = field(default_factory=dict)

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            line = DueLine.of(row)
            self.lines[line.id] = line
        self._groups.clear()
        self._moves.clear()
        self._given.clear()

    def use_of(self, sources: Iterable[DueLine]) -> Use:
        """Where the credit of a source's own lines is now."""
        use = Use()
        for line in sorted(sources, key=lambda one: one.id):
            if line.amount < ZERO:
                self._follow(line, -line.amount, use, set())
        return use

    def _follow(self, line: DueLine, amount: Decimal, use: Use, seen: set[int]) -> None:
        if line.reconciliation is None:
            use.leaves.append(line)
            if line.linked is not None:
                use.settle(line.linked, amount, line.day)
            else:
                use.left += amount
            return
        use.leaves.append(line)
        share = [(debit, part) for credit, debit, part in self._given_out(line.reconciliation) if credit == line.id]
        for debit_id, part in share:
            debit = self.lines[debit_id]
            invoice = self.invoices.get(debit.move)
            if invoice is not None:
                use.settle(invoice, part, line.day, self._given_up(line, debit))
                if (bearer := self._bearer(line.reconciliation)) is not None:
                    use.bearers[invoice] = bearer
            elif debit.origin.startswith("account.move,"):
                use.reversed += part
            elif debit.move not in seen and self._is_transfer(debit):
                if line in use.leaves:
                    use.leaves.remove(line)
                self._through(debit, part, use, seen | {debit.move})

    def _through(self, debit: DueLine, part: Decimal, use: Use, seen: set[int]) -> None:
        """What a transfer's debit moved on: its move's credit lines of the same party, in order."""
        for line in self._of_move(debit.move):
            if line.amount < ZERO and (line.account, line.party) == (debit.account, debit.party) and part > ZERO:
                moved = min(part, -line.amount)
                self._follow(line, moved, use, seen)
                part -= moved

    def _is_transfer(self, debit: DueLine) -> bool:
        """Whether a debit stands in a move that gives as much credit to the same party again."""
        others = [line for line in self._of_move(debit.move) if line.party == debit.party]
        return any(line.amount < ZERO for line in others) and sum((line.amount for line in others), ZERO) == ZERO

    def _of_move(self, move: int) -> list[DueLine]:
        if not self._moves:
            for line in sorted(self.lines.values(), key=lambda one: one.id):
                self._moves.setdefault(line.move, []).append(line)
        return self._moves.get(move, [])

    def group(self, reconciliation: int) -> list[DueLine]:
        if not self._groups:
            for line in self.lines.values():
                if line.reconciliation is not None:
                    self._groups.setdefault(line.reconciliation, []).append(line)
        return sorted(self._groups.get(reconciliation, []), key=lambda line: (line.day, line.id))

    def invoices_in(self, reconciliation: int) -> set[int]:
        """The invoices whose lines a reconciliation holds."""
        return {self.invoices[line.move] for line in self.group(reconciliation) if line.move in self.invoices}

    def _given_out(self, reconciliation: int) -> list[tuple[int, int, Decimal]]:
        """(credit line, debit line, amount) of a reconciliation: links first, then oldest to oldest.

        What a write-off or an exchange difference gave comes last, so that it closes what payments left.
        """
        known = self._given.get(reconciliation)
        if known is not None:
            return known
        members = self.group(reconciliation)
        if any(line.currency for line in members):  # an exchange difference has no amount in that currency
            members = [line for line in members if line.currency]
        debits = {line.id: line.amount for line in members if line.amount > ZERO}
        credits = {line.id: -line.amount for line in members if line.amount < ZERO}
        found: dict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)

        def give(credit: int, candidates: Iterable[int]) -> None:
            for debit in candidates:
                part = min(credits[credit], debits[debit])
                if part > ZERO:
                    found[credit, debit] += part
                    credits[credit] -= part
                    debits[debit] -= part

        for credit in list(credits):
            linked = self.lines[credit].linked
            if linked is not None:
                give(credit, [one for one in debits if self.invoices.get(self.lines[one].move) == linked])
        for credit in sorted(credits, key=lambda one: self.lines[one].journal == "write-off"):
            give(credit, list(debits))
        result = [(credit, debit, part) for (credit, debit), part in found.items()]
        self._given[reconciliation] = result
        return result

    def _bearer(self, reconciliation: int) -> tuple[int, str] | None:
        moves = [line.move for line in self.group(reconciliation) if line.move in self.write_offs]
        return self.write_offs[moves[0]] if moves else None

    def _given_up(self, line: DueLine, debit: DueLine) -> Decimal:
        """The write-off that closed a debit, told with the last payment that settled it."""
        assert line.reconciliation is not None
        given = [(credit, part) for credit, to, part in self._given_out(line.reconciliation) if to == debit.id]
        payers = [credit for credit, _ in given if self.lines[credit].journal != "write-off"]
        if not payers or max(payers) != line.id:
            return ZERO
        return sum((part for credit, part in given if self.lines[credit].journal == "write-off"), ZERO)

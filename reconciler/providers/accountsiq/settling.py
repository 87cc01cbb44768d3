"""What receipts and credit notes settle: set absolutely, by looking first; AccountsIQ's allocations add.

Taking something off takes off all allocations of a transaction: so the side is chosen that has no others, and where
both have some, what is to stay is recorded before and allocated again after. Thread-safe: one source at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.entries import Entry
from reconciler.providers.accountsiq.envelope import node
from reconciler.providers.accountsiq.refusals import good, refusal
from reconciler.providers.accountsiq.transactions import Transactions
from reconciler.providers.accountsiq.wire import day_text, decimal
from reconciler.providers.errors import Indeterminate, Rejected, Stale
from reconciler.providers.operations import Allocate, Unallocate
from reconciler.providers.protocol import PUTS_BACK, Done, ExecuteRequest, LiveAllocation, Progress

_CLOSED = frozenset({"DATE_IS_OUT_OF_RANGE"})
Keep = Mapping[str, tuple[Decimal, date | None]]
"""What a source is to settle in the end: invoice → amount, and the date it was allocated."""


@dataclass(slots=True)
class Settler:
    """Allocates within one entity's sales ledger."""

    accountsiq: AccountsIQ
    transactions: Transactions
    _sources: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, request: ExecuteRequest, progress: Progress) -> Done:
        """Carry out an Allocate or Unallocate. Raises ProviderError."""
        operation = request.operation
        assert isinstance(operation, Allocate | Unallocate)
        if operation.target_kind != "invoice":
            raise Rejected("only invoices are settled; apply the credit note to the invoice", code="unsupported")
        with self._source(operation.source_id):
            if isinstance(operation, Allocate):
                return self._allocate(request, operation)
            return self._unallocate(request, operation, progress)

    def _source(self, id_: str) -> threading.Lock:
        with self._lock:
            return self._sources.setdefault(id_, threading.Lock())

    # ---- more ----

    def _allocate(self, request: ExecuteRequest, operation: Allocate) -> Done:
        if operation.write_off:
            raise Rejected("AccountsIQ writes nothing off with an allocation; credit the rest", code="write_off")
        source, settled = self._now(operation.source_id)
        target = self._transaction(operation.target_id, "invoice")
        now, given_up = _share(settled, operation.target_id), _discount(settled, operation.target_id)
        if (now, given_up) == (operation.amount, operation.discount):
            return Done(operation.source_id)
        if now != operation.before:
            raise Stale(f"it settles {decimal_text(now)} of it, not {decimal_text(operation.before)}")
        if operation.discount != given_up and now:
            raise Rejected(
                "a discount goes with the first allocation to an invoice; credit the rest", code="discount"
            )
        on = operation.date or self.accountsiq.today()
        discount = operation.discount - given_up
        self._add(target, source.id, request.reference, operation.amount - now, on, discount)
        return Done(operation.source_id)

    def _add(
        self, target: str, source: str, reference: str, amount: Decimal, on: date, discount: Decimal = ZERO
    ) -> None:
        """Allocate so much more of a source to an invoice."""
        arguments = [
            node("transactionID_1", target),
            node("transactionID_2", source),
            node("allocationReference", reference),
            node("allocationAmount", decimal(amount)),
            node("allocationDate", day_text(on)),
        ]
        if discount:
            arguments.append(node("discountAmount", decimal(discount)))
            self.accountsiq.write("AllocateTransactionsWithDiscount", *arguments)
        else:
            self.accountsiq.write("AllocateTransactions", *arguments)

    # ---- less ----

    def _unallocate(self, request: ExecuteRequest, operation: Unallocate, progress: Progress) -> Done:
        """Take it off, then allocate what is to stay; a resumed request does the rest of that."""
        source, settled = self._now(operation.source_id)
        share = _share(settled, operation.target_id)
        recorded = dict(request.stages).get(PUTS_BACK)
        if recorded is not None and share != operation.before:
            self._put_back(_read(recorded), settled, source, request.reference)
            return Done(operation.source_id)
        if share == operation.amount:
            return Done(operation.source_id)
        if share != operation.before:
            raise Stale(f"it settles {decimal_text(share)} of it, not {decimal_text(operation.before)}")
        if any(item.discount for item in settled):
            raise Rejected("it came with a discount: take it off in AccountsIQ", code="discount")
        target = self._transaction(operation.target_id, "invoice")
        others = [item for item in settled if item.target_id != operation.target_id]
        beyond = source.total - source.open - sum((item.amount for item in settled), ZERO)
        keep: dict[str, tuple[Decimal, date | None]] = {}
        side = source.id
        if (others or beyond > ZERO) and self._settled_by_one(target, share):
            side = target
        elif beyond > ZERO:
            said = (
                "it settles other things than invoices too, which could not be put back: take it off in AccountsIQ"
            )
            raise Rejected(said, code="allocation")
        else:
            keep = {item.target_id: (item.amount, item.date) for item in others}
        if operation.amount:
            since = next(item.date for item in settled if item.target_id == operation.target_id)
            keep[operation.target_id] = (operation.amount, since)
        if keep:
            progress.record(request.key, PUTS_BACK, _written(keep))
        self._take_off(side)
        self._put_back(keep, [] if side == source.id else others, source, request.reference)
        return Done(operation.source_id)

    def _settled_by_one(self, invoice: str, share: Decimal) -> bool:
        """Nothing but this share settles the invoice: taking all off there takes off nothing else."""
        found = self.transactions.by_ids([invoice], ("invoice",))
        return bool(found) and found[0].total - found[0].open == share

    def _put_back(self, keep: Keep, settled: Sequence[LiveAllocation], source: Entry, reference: str) -> None:
        """Allocate again what is to stay. A refusal here leaves it half done, so that it is none of the whole."""
        there = {item.target_id: item.amount for item in settled}
        for target, (wanted, on) in keep.items():
            missing = wanted - there.get(target, ZERO)
            if missing <= ZERO:
                continue
            try:
                self._add_again(self._transaction(target, "invoice"), source.id, reference, missing, on)
            except (Rejected, Stale) as error:
                said = f"taken off, but {decimal_text(missing)} of {target} is not put back: {error.message}"
                raise Indeterminate(said, code=error.code) from error

    def _add_again(self, target: str, source: str, reference: str, amount: Decimal, on: date | None) -> None:
        """On the date that it had, or today where that one is closed by now."""
        now = self.accountsiq.today()
        try:
            self._add(target, source, reference, amount, on or now)
        except Rejected as error:
            if error.code not in _CLOSED or on in (None, now):
                raise
            self._add(target, source, reference, amount, now)

    def _take_off(self, transaction: str) -> None:
        """Take off all that a transaction settles."""
        operation = "UnallocateTransactions"
        reply = self.accountsiq.write_rows(operation, node("transactionIDs", node("int", transaction)))
        rows = reply.rows()
        if not good(reply.status) and not rows:
            raise refusal(reply.status, writes=True)
        if len(rows) > 1:
            raise Indeterminate("the answer has more rows than were asked for")
        if rows and not good(rows[0]):
            raise refusal(rows[0], writes=True)

    # ---- looking ----

    def _now(self, source_id: str) -> tuple[Entry, list[LiveAllocation]]:
        """A posted source as it is now, and what it settles. Raises Rejected."""
        id_ = self._transaction(source_id, "source")
        found = self.transactions.by_ids([id_], ("credit_note", "payment"))
        if not found or found[0].reversed:
            raise Rejected("it is not a posted receipt or credit note", code="state")
        return found[0], list(self.transactions.settled_by(found).get(id_, ()))

    def _transaction(self, remote_id: str, what: str) -> str:
        found = self.transactions.transaction_of(remote_id)
        if found is None:
            raise Rejected(f"the {what} {remote_id} is not posted", code="state")
        return found


def _share(settled: Sequence[LiveAllocation], invoice: str) -> Decimal:
    return next((item.amount for item in settled if item.target_id == invoice), ZERO)


def _discount(settled: Sequence[LiveAllocation], invoice: str) -> Decimal:
    return next((item.discount for item in settled if item.target_id == invoice), ZERO)


def _written(keep: Keep) -> dict[str, str]:
    return {
        target: f"{decimal_text(amount)} {on.isoformat() if on else ''}" for target, (amount, on) in keep.items()
    }


def _read(recorded: Mapping[str, str]) -> dict[str, tuple[Decimal, date | None]]:
    found: dict[str, tuple[Decimal, date | None]] = {}
    for target, text in recorded.items():
        amount, _, on = text.partition(" ")
        found[target] = (Decimal(amount), date.fromisoformat(on) if on else None)
    return found

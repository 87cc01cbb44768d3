"""Payments: received on account, unless fields of the ERP behind say what they settle.

A change of what was posted reverses the payment and posts it anew under the same id, with what it settles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.resources.content import typed
from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import new_id
from reconciler.sandboxes.alloy.keeping import Keeper, without_nothing
from reconciler.sandboxes.alloy.view import Entry
from reconciler.sandboxes.alloy.words import invalid
from reconciler.sandboxes.ledger.commands import (
    Command,
    CreateRecord,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
)
from reconciler.sandboxes.ledger.records import Record

Body = Mapping[str, Any]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Applied:
    """Part of a payment: `kind` is invoice or credit_note, `id` the ledger's. No amount: as much as there is."""

    kind: str
    id: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Native:
    """What fields of the ERP say of a payment. `applied` None: nothing of what it settles."""

    applied: tuple[Applied, ...] | None = None
    content: Content | None = None
    number: str | None = None
    extra: Mapping[str, Any] | None = None


NOTHING = Native()


def payment_content(keeper: Keeper, body: Body, entry: Entry | None) -> Content:
    """The whole content a payment is to have, of the API's own fields. Raises Problem."""
    keeper.check_company(body)
    content: Content = dict(entry.content) if entry else {"received_on": keeper.today}
    if body.get("customerId") is not None:
        content["customer"] = keeper.reference("customer", "customerId", body["customerId"]).record.id
    if body.get("totalAmount") is not None:
        content["amount"] = body["totalAmount"]
    if body.get("transactionDate") is not None:
        content["received_on"] = body["transactionDate"][:10]
    for theirs, ours in (("currency", "currency"), ("exchangeRate", "exchange_rate")):
        if theirs in body:
            content[ours] = body[theirs]
    if entry is None or "accountId" in body:
        content["bank_account"] = keeper.bank_account("accountId", body.get("accountId"))
    return content


def create_payment(keeper: Keeper, content: Content, native: Native = NOTHING) -> str:
    """Post one; its unified id. Raises Problem."""
    own = new_id()
    content = _whole(keeper, content, native)
    allocations = _allocations(keeper, native.applied or (), content["amount"])
    if native.extra:
        keeper.keep("payment", own, native.extra)
    keeper.run(
        CreateRecord("payment", {**content, "allocations": allocations}, reference=own, number=native.number)
    )
    return own


def update_payment(keeper: Keeper, entry: Entry, content: Content, native: Native = NOTHING) -> None:
    """Make a payment say this, and settle what `native` says if it says anything of that. Raises Problem."""
    content = _whole(keeper, content, native)
    number = native.number or entry.record.number
    changed = {
        name: content.get(name)
        for name in {*content, *entry.content}
        if content.get(name) != entry.content.get(name)
    }
    if number == entry.record.number and set(changed) <= {"memo"}:
        commands: list[Command] = []
        if changed:
            before = {name: entry.content.get(name) for name in changed}
            commands.append(UpdateRecord("payment", entry.record.id, before, changed))
        if native.applied is not None:
            commands += _moves(keeper, entry.record, native.applied, content["amount"])
        if commands:
            keeper.run(*commands)
    else:
        standing = [_standing(found) for found in entry.record.allocations]
        if native.applied is not None:
            standing = _allocations(keeper, native.applied, content["amount"], entry.record)
        keeper.run(
            ReversePayment(entry.record.id, entry.content["received_on"], reason="written anew"),
            CreateRecord("payment", {**content, "allocations": standing}, reference=entry.id, number=number),
        )
    if native.extra:
        keeper.keep("payment", entry.id, native.extra)


def delete_payment(keeper: Keeper, entry: Entry) -> None:
    """Reverse it on its own day; what it settled is open again."""
    keeper.run(ReversePayment(entry.record.id, entry.content["received_on"], reason="deleted"))


def _whole(keeper: Keeper, content: Content, native: Native) -> Content:
    content = without_nothing({**content, **(native.content or {})})
    if content.get("exchange_rate") == 1 and content.get("currency") in (None, keeper.view.base):
        content.pop("exchange_rate")
    if content.get("amount", ZERO) <= 0:
        raise invalid('"totalAmount" must be a positive number')
    try:
        return typed("payment", content)
    except ValueError as error:
        raise invalid(f"Invalid payment: {str(error)[:200]}") from None


def open_of(keeper: Keeper, applied: Applied, payment: Record | None = None) -> Decimal:
    """What is open on a target, with what the payment itself settles of it."""
    record = keeper.books.ledger.record(applied.kind, applied.id)
    assert record is not None
    own = [found for found in (payment.allocations if payment else ()) if found.target_id == applied.id]
    return Decimal(record.computed["open"]) + sum((Decimal(found.amount) for found in own), ZERO)


def _amounts(
    keeper: Keeper, applied: Sequence[Applied], amount: Decimal, payment: Record | None = None
) -> dict[tuple[str, str], Decimal]:
    """What is wanted of each target; targets without an amount take what is open and left."""
    left = amount
    wanted: dict[tuple[str, str], Decimal] = {}
    for one in sorted(applied, key=lambda one: one.kind == "invoice"):
        part = one.amount
        if part is None:
            part = open_of(keeper, one, payment)
            if one.kind == "invoice":
                part = min(part, left)
        if part < 0:
            raise invalid("An applied amount must not be negative")
        left += -part if one.kind == "invoice" else part
        wanted[one.kind, one.id] = wanted.get((one.kind, one.id), ZERO) + part
    return wanted


def _allocations(
    keeper: Keeper, applied: Sequence[Applied], amount: Decimal, payment: Record | None = None
) -> list[dict[str, Any]]:
    wanted = _amounts(keeper, applied, amount, payment)
    return [{kind: target, "amount": part} for (kind, target), part in wanted.items() if part]


def _standing(found: Any) -> dict[str, Any]:
    """An allocation as it stands, as a new payment is told of it."""
    made: dict[str, Any] = {found.target_kind: found.target_id, "amount": Decimal(found.amount)}
    if found.discount != "0" and Decimal(found.discount):
        made["discount"] = Decimal(found.discount)
    if found.write_off_account:
        made["write_off"] = {
            "amount": Decimal(found.write_off),
            "account": found.write_off_account,
            "reason": found.write_off_reason or "write-off",
        }
    return made


def _moves(keeper: Keeper, payment: Record, applied: Sequence[Applied], amount: Decimal) -> list[Command]:
    """From what a payment settles to what it is to settle; what is given back first."""
    now = {(found.target_kind, found.target_id): Decimal(found.amount) for found in payment.allocations}
    wanted = _amounts(keeper, applied, amount, payment)
    less: list[SetAllocation] = []
    more: list[SetAllocation] = []
    for kind, target in {**now, **wanted}:
        before, after = now.get((kind, target), ZERO), wanted.get((kind, target), ZERO)
        if before == after:
            continue
        move = SetAllocation("payment", payment.id, kind, target, after, before, keep_extras=True)
        (less if after < before else more).append(move)
    less.sort(key=lambda move: move.target_kind != "invoice")
    more.sort(key=lambda move: move.target_kind == "invoice")
    return [*less, *more]

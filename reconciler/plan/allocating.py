"""Allocations: what each source settles of each target, compared chain by chain; additive by nature.

Adding is legal while there is a remainder. Taking off one of ours needs consent. What others allocated, and
what the ERP applied by itself, is drift and never undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.comparing import money_text
from reconciler.plan.draft import Draft, step_id, target_text
from reconciler.plan.index import Chain
from reconciler.plan.model import PENDING_ID, Effect, FieldChange, Role, Step
from reconciler.providers.capabilities import AllocateAt, Verb
from reconciler.providers.operations import Allocate, Create, Hole, Unallocate
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content
from reconciler.state.model import DocumentRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """A declared allocation. `settles` is what the target's open balance falls by."""

    identity: str
    amount: Decimal
    date: date | None = None
    discount: Decimal = ZERO
    write_off: Mapping[str, Any] | None = None
    customer: str = ""
    """Whose the source is."""

    @property
    def given_up(self) -> Decimal:
        """Discount and write-off."""
        return self.discount + (Decimal(self.write_off["amount"]) if self.write_off else ZERO)

    @property
    def settles(self) -> Decimal:
        return self.amount + self.given_up

    @property
    def details(self) -> tuple[object, ...]:
        """What else there is to an allocation than its amount."""
        write_off = self.write_off or {}
        return self.date, self.discount, *(write_off.get(key) for key in ("amount", "account", "reason"))


@dataclass(frozen=True, slots=True)
class Move:
    """Bring what a source settles of one target document from `before` to `after`."""

    identity: str
    row: DocumentRow | None
    creator: str | None
    before: Decimal
    after: Decimal
    wanted: Wanted | None = None
    receivable: Decimal = ZERO
    """What it does to open receivables: less by the discount and write-off it adds, more by what falls away."""


@dataclass(frozen=True, slots=True)
class CreateAllocations:
    """Allocations carried by a create: wire entries, their holes, and what state records."""

    entries: tuple[Content, ...] = ()
    holes: tuple[Hole, ...] = ()
    recorded: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Shortfall:
    """An allocation that does not fit, in words."""

    detail: str


def wanted_of(content: Content) -> dict[str, Wanted] | None:
    """Declared allocations by target identity; None when the content leaves allocations alone."""
    if "allocations" not in content:
        return None
    found: dict[str, Wanted] = {}
    for item in content["allocations"] or ():
        identity = item.get("invoice") or item.get("credit_note")
        found[identity] = Wanted(
            identity,
            item["amount"],
            item.get("date"),
            item.get("discount", ZERO),
            item.get("write_off"),
            content.get("customer", ""),
        )
    return found


def live_by_chain(draft: Draft, chain: Chain, live: Observed) -> dict[str, dict[str, LiveAllocation]]:
    """What a source settles now: target identity → target document id (or remote id) → allocation."""
    found: dict[str, dict[str, LiveAllocation]] = {}
    for item in live.allocations:
        owner = draft.index.owners.get((chain.address.connection, item.target_kind, item.target_id))
        if owner is None:
            found.setdefault(f"={item.target_id}", {})[item.target_id] = item
        else:
            found.setdefault(f"#{owner[0].id}", {})[owner[1].document_id] = item
    return found


def ours_by_chain(draft: Draft, document: str) -> dict[str, Decimal]:
    """What we remember settling from a source document, by target identity."""
    found: dict[str, Decimal] = {}
    for (source, target), amount in draft.allocations_of(document).items():
        row = draft.inputs.state.documents.get(target)
        chain = draft.index.chains.get(row.address) if row else None
        if row is not None and chain is None:
            owner = draft.index.owners.get((row.address.connection, row.kind, row.remote_id))
            chain = owner[0] if owner else None
        if chain is not None and source == document:
            found[f"#{chain.id}"] = found.get(f"#{chain.id}", ZERO) + amount
    return found


def targets_of(draft: Draft, identity: str) -> list[DocumentRow]:
    """The documents of a target's current generation that can be settled, the original first."""
    chain = draft.index.by_chain_id.get(identity[1:]) if identity.startswith("#") else None
    if chain is None:
        return []
    return [row for row in chain.members if row.role != Role.CREDIT or row.kind == chain.address.kind]


def place(
    draft: Draft, wanted: Wanted, extra: Decimal, current: Mapping[str, LiveAllocation]
) -> list[Move] | Shortfall:
    """Where `extra` more of a source goes: over the target's open documents, in order."""
    if (billed := _billed_to_another(draft, wanted)) is not None:
        return billed
    creator = draft.creators.get(wanted.identity)
    surcharge = wanted.given_up - sum((item.discount + item.write_off for item in current.values()), ZERO)
    if creator is not None:
        opened = draft.opens.get(wanted.identity)
        if opened is not None and opened < extra + surcharge:
            return _short(draft, wanted, opened, extra + surcharge)
        draft.lower_open(wanted.identity, extra + surcharge)
        return [Move(wanted.identity, None, creator, ZERO, extra, wanted, -surcharge)]
    rows = targets_of(draft, wanted.identity)
    if not rows:
        return Shortfall(
            f"{wanted.identity[1:]} lives in the ERP but is not managed here; declare it and `adopt:` it"
        )
    total = sum((draft.open_of_document(row) for row in rows), ZERO)
    if total < extra + surcharge:
        return _short(draft, wanted, total, extra + surcharge)
    moves: list[Move] = []
    left = extra
    for row in rows:
        room = draft.open_of_document(row)
        part = min(left, max(room - surcharge, ZERO))
        if part <= ZERO:
            continue
        before = current[row.document_id].amount if row.document_id in current else ZERO
        bears = wanted if not moves else None
        moves.append(Move(wanted.identity, row, None, before, before + part, bears, -surcharge))
        draft.lower_open(row.document_id, part + surcharge)
        left -= part
        surcharge = ZERO
    return moves if left == ZERO else _short(draft, wanted, total, extra)


def _short(draft: Draft, wanted: Wanted, opened: Decimal, needed: Decimal) -> Shortfall:
    address = draft.index.address_of(wanted.identity)
    target = draft.label(address) if address else wanted.identity[1:]
    return Shortfall(f"{target} has {decimal_text(opened)} open, the allocation needs {decimal_text(needed)}")


def _billed_to_another(draft: Draft, wanted: Wanted) -> Shortfall | None:
    """A posted target that is another customer's in the ERP, whatever is declared: only a correction moves it."""
    chain = draft.index.by_chain_id.get(wanted.identity.removeprefix("#"))
    row = chain.current if chain is not None else None
    live = draft.index.live(row) if row is not None else None
    if chain is None or live is None or live.phase == "draft" or chain.id in draft.corrected or not wanted.customer:
        return None
    connection, customer = chain.address.connection, live.content().get("customer")
    theirs = draft.index.identity_of_any(connection, ("customer",), str(customer))
    if customer is None or theirs == wanted.customer:
        return None
    name = draft.index.display(connection, ("customer",), theirs)
    return Shortfall(f"{draft.label(chain.address)} is billed to {name} in the ERP, and only {name} can settle it")


def moves_off(draft: Draft, identity: str, lower: Decimal, current: Mapping[str, LiveAllocation]) -> list[Move]:
    """How `lower` comes off what a source settles of a target: last documents first."""
    moves: list[Move] = []
    for row in reversed(targets_of(draft, identity)):
        item = current.get(row.document_id)
        part = min(lower, item.amount) if item is not None else ZERO
        if item is not None and part > ZERO:
            given_up = item.discount + item.write_off if part == item.amount else ZERO
            moves.append(Move(identity, row, None, item.amount, item.amount - part, receivable=given_up))
            lower -= part
    return moves


def take_off(draft: Draft, identity: str, lower: Decimal, current: Mapping[str, LiveAllocation]) -> list[Move]:
    """The same, and the targets' open balances rise by it."""
    moves = moves_off(draft, identity, lower, current)
    for move in moves:
        assert move.row is not None
        back = move.before - move.after + move.receivable
        draft.opens[move.row.document_id] = draft.open_of_document(move.row) + back
    return moves


def at_create(draft: Draft, connection: str, wanted: Mapping[str, Wanted]) -> CreateAllocations | Shortfall:
    """A new source's allocations, to be carried by its create."""
    entries: list[Content] = []
    holes: list[Hole] = []
    recorded: list[tuple[str, Decimal]] = []
    for item in wanted.values():
        moves = place(draft, item, item.amount, {})
        if isinstance(moves, Shortfall):
            return moves
        for move in moves:
            address = draft.index.address_of(item.identity)
            kind = address.kind if address else "invoice"
            entry: Content = {kind: PENDING_ID, "amount": move.after}
            if move.creator is not None:
                holes.append(Hole(("content", "allocations", len(entries), kind), move.creator))
                recorded.append((draft.steps[move.creator].document_id, move.after))
            elif move.row is not None:
                entry = {move.row.kind: move.row.remote_id, "amount": move.after}
                recorded.append((move.row.document_id, move.after))
            place_ = ("content", "allocations", len(entries))
            details, more = _details(draft, item if move is moves[0] else None, place_)
            holes += more
            entries.append(entry | details)
    return CreateAllocations(tuple(entries), tuple(holes), tuple(recorded))


def for_new_source(
    draft: Draft, address: Address, wanted: Mapping[str, Wanted]
) -> tuple[CreateAllocations | None, list[Move]] | Shortfall:
    """A new source's allocations: carried by its create, or moves to make after it where the ERP wants it so."""
    if AllocateAt.AT_CREATE in draft.capabilities(address).allocate:
        carried = at_create(draft, address.connection, wanted)
        return carried if isinstance(carried, Shortfall) else (carried, [])
    if not draft.capabilities(address).can(Verb.ALLOCATE):
        return Shortfall("this ERP cannot allocate it")
    moves: list[Move] = []
    for item in wanted.values():
        placed = place(draft, item, item.amount, {})
        if isinstance(placed, Shortfall):
            return placed
        moves += placed
    return None, moves


def _details(
    draft: Draft, wanted: Wanted | None, place: tuple[str | int, ...] = ()
) -> tuple[Content, tuple[Hole, ...]]:
    """Date, discount and write-off as the wire wants them, and the hole for an account yet to be created."""
    if wanted is None:
        return {}, ()
    found: Content = {}
    holes: tuple[Hole, ...] = ()
    if wanted.date:
        found["date"] = wanted.date
    if wanted.discount:
        found["discount"] = wanted.discount
    if wanted.write_off:
        account = str(wanted.write_off["account"])
        known = draft.index.remote_id(account)
        found["write_off"] = {**wanted.write_off, "account": known or PENDING_ID}
        if known is None:
            holes = (Hole((*place, "write_off", "account"), draft.creators[account]),)
    return found, holes


@dataclass(frozen=True, slots=True)
class _End:
    """One end of an allocation: a bound document, or what a step will create (`made_by`)."""

    kind: str
    remote_id: str
    document_id: str
    address: Address
    label: str
    made_by: str = ""

    @classmethod
    def of(cls, document: DocumentRow | Step) -> _End:
        if isinstance(document, DocumentRow):
            row = document
            return cls(row.kind, row.remote_id, row.document_id, row.address, row.label)
        assert isinstance(document.operation, Create)
        return cls(
            document.operation.kind, PENDING_ID, document.document_id, document.address, document.label, document.id
        )

    def hole(self, place: str) -> tuple[Hole, ...]:
        return (Hole((place,), self.made_by),) if self.made_by else ()


def allocation_step(
    draft: Draft,
    chain: Chain,
    source: DocumentRow | Step,
    move: Move,
    *,
    depends: tuple[str, ...] = (),
    effect: Effect | None = None,
    group: str | None = None,
    reason: str = "",
) -> Step:
    """One Allocate or Unallocate, absolute. `source` is a bound document or the step that creates it."""
    target_document = draft.steps[move.creator] if move.creator is not None else move.row
    assert target_document is not None
    giver, taker = _End.of(source), _End.of(target_document)
    address = giver.address if giver.made_by else chain.address
    target = target_text(taker.address, taker.label)
    operation, more = _operation(draft, giver, taker, move)
    holes = (*giver.hole("source_id"), *taker.hole("target_id"), *more)
    before = decimal_text(move.before)
    step = Step(
        id=step_id(address, giver.label, operation.verb, target),
        address=address,
        label=giver.label,
        operation=operation,
        operation_key=f"{operation.verb}:{taker.document_id}@{chain.binding.revision}:{before}",
        document_id=giver.document_id,
        reference=source.reference,
        role=Role(source.role),
        number=source.number,
        generation=source.generation,
        holes=holes,
        depends_on=tuple(sorted({*depends, *(hole.step for hole in holes)})),
        group=group,
        reason=reason,
        effect=replace(effect or Effect(), target_document=taker.document_id),
        description=f"{operation.verb} {_shown(draft, source, abs(move.after - move.before))} "
        f"{'to' if move.after > move.before else 'from'} {target}",
    )
    draft.add_step(step)
    return step


def _shown(draft: Draft, source: DocumentRow | Step, amount: Decimal) -> str:
    """An amount of a source's with its currency's decimals."""
    if isinstance(source, Step):
        assert isinstance(source.operation, Create)
        currency = source.operation.content.get("currency")
    else:
        live = draft.index.live(source)
        currency = live.content().get("currency") if live is not None else None
    return money_text(amount, currency or draft.index.snapshot(source.address.connection).company.base_currency)


def _operation(
    draft: Draft, giver: _End, taker: _End, move: Move
) -> tuple[Allocate | Unallocate, tuple[Hole, ...]]:
    common: dict[str, Any] = {
        "source_kind": giver.kind,
        "source_id": giver.remote_id,
        "target_kind": taker.kind,
        "target_id": taker.remote_id,
        "before": move.before,
        "amount": move.after,
    }
    if move.after > move.before:
        details, holes = _details(draft, move.wanted)
        return Allocate(**common, **details), holes
    return Unallocate(**common), ()


def field_change(draft: Draft, connection: str, identity: str, before: Decimal, after: Decimal) -> FieldChange:
    """How an allocation's change is shown."""
    address = draft.index.address_of(identity)
    name = address.name if address else draft.index.display(connection, ("invoice", "credit_note"), identity)
    return FieldChange(
        f"allocations[{name}].amount",
        decimal_text(before) if before else None,
        decimal_text(after) if after else None,
    )

"""The moves that bring a bound source's allocations to what is declared; consent where one is taken off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.allocating import (
    Move,
    Shortfall,
    Wanted,
    field_change,
    live_by_chain,
    ours_by_chain,
    place,
    take_off,
    wanted_of,
)
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.model import Drift, FieldChange, Reason
from reconciler.plan.standing import Standing, typed_declared
from reconciler.providers.capabilities import Remedy, Verb
from reconciler.providers.protocol import LiveAllocation
from reconciler.resources.kinds import KINDS

Problem = tuple[Reason, str, str]


def allocation_moves(
    draft: Draft, at: Standing, desired: Desired
) -> tuple[list[Move], tuple[FieldChange, ...], Problem | None]:
    """The moves that bring a source's allocations to what is declared, or what is in the way."""
    chain, connection = at.chain, at.chain.address.connection
    wanted = wanted_of(desired.content) if KINDS[chain.address.kind].has_allocations else None
    if wanted is None:
        return [], (), None
    current = live_by_chain(draft, chain, at.live)
    ours = _ours(draft, at, wanted, current)
    moves: list[Move] = []
    shown: list[FieldChange] = []
    for identity in sorted({*ours, *current} - {f"#{name}" for name in draft.corrected}):
        parts = current.get(identity, {})
        live = sum((item.amount for item in parts.values()), ZERO)
        mine = min(ours.get(identity, ZERO), live)
        declared = wanted[identity].amount if identity in wanted else ZERO
        anew = identity in wanted and mine > ZERO and _details_moved(at, wanted[identity], parts)
        if live > declared and mine < live:
            _others(draft, chain, identity, live - mine)
        lower = mine if anew else (min(live - declared, mine) if live > declared and mine > declared else ZERO)
        if lower <= ZERO:
            continue
        kept = declared if anew else live - lower
        shown.append(
            _details_change(draft, connection, identity)
            if anew and kept == live
            else field_change(draft, connection, identity, live, kept)
        )
        if not draft.capabilities(chain.address).can(Verb.UNALLOCATE):
            return [], tuple(shown), _fast(draft, chain)
        if not draft.allows(Remedy.UNALLOCATE, chain.address):
            return [], tuple(shown), _consent(draft, chain)
        moves += take_off(draft, identity, lower, parts)
        current[identity] = _left(parts, [move for move in moves if move.identity == identity])
    back = sum((move.before - move.after for move in moves), ZERO)
    raised, problem = _raise(draft, at, wanted, current, shown, back)
    if problem is None and desired.refused and (moves or raised):
        problem = (Reason.UNSUPPORTED, "; ".join(desired.refused), "Declare it as the ERP can keep it.")
    return [*moves, *raised], tuple(shown), problem


def _ours(
    draft: Draft, at: Standing, wanted: dict[str, Wanted], current: Mapping[str, Mapping[str, LiveAllocation]]
) -> dict[str, Decimal]:
    """What of a source's allocations is our doing; of one found again, what is declared."""
    if at.chain.binding.revision:
        return ours_by_chain(draft, at.row.document_id)
    return {
        key: sum((item.amount for item in items.values()), ZERO) for key, items in current.items() if key in wanted
    }


def _details_moved(at: Standing, wanted: Wanted, parts: Mapping[str, LiveAllocation]) -> bool:
    """Whether discount, write-off or date are declared differently than they are live, or than they were."""
    given_up = sum((item.discount + item.write_off for item in parts.values()), ZERO)
    if given_up != wanted.given_up:
        return True
    before = (wanted_of(typed_declared(at.chain)) or {}).get(wanted.identity)
    return before is not None and before.details != wanted.details


def _details_change(draft: Draft, connection: str, identity: str) -> FieldChange:
    change = field_change(draft, connection, identity, ZERO, ZERO)
    return FieldChange(change.path.removesuffix(".amount"), "as it was allocated", "with other details, anew")


def _left(parts: Mapping[str, LiveAllocation], moves: list[Move]) -> dict[str, LiveAllocation]:
    """What stays allocated once `moves` are made."""
    left = dict(parts)
    for move in moves:
        assert move.row is not None
        item = left.pop(move.row.document_id)
        if move.after > ZERO:
            left[move.row.document_id] = replace(item, amount=move.after)
    return left


def _raise(
    draft: Draft,
    at: Standing,
    wanted: dict[str, Any],
    current: dict[str, Any],
    shown: list[FieldChange],
    lowered: Decimal,
) -> tuple[list[Move], Problem | None]:
    moves: list[Move] = []
    remainder = at.live.amount("open") + lowered
    for identity, item in wanted.items():
        if identity.removeprefix("#") in draft.corrected:
            continue
        live = sum((part.amount for part in current.get(identity, {}).values()), ZERO)
        extra = item.amount - live
        if extra <= ZERO:
            continue
        if not draft.capabilities(at.chain.address).can(Verb.ALLOCATE):
            note = draft.capabilities(at.chain.address).verb(Verb.ALLOCATE).note
            return [], (Reason.UNSUPPORTED, f"allocate later: {note or 'the provider cannot do it'}", "")
        if extra > remainder:
            text = f"it has {decimal_text(remainder)} left, the allocations need {decimal_text(extra)} more"
            return [], (Reason.OVER_ALLOCATION, text, "Lower an allocation.")
        placed = place(draft, item, extra, current.get(identity, {}))
        if isinstance(placed, Shortfall):
            return [], (
                Reason.OVER_ALLOCATION,
                placed.detail,
                "Lower the allocation, or settle less of it elsewhere.",
            )
        remainder -= extra
        moves += placed
        change = field_change(draft, at.chain.address.connection, identity, live, live + extra)
        if not any(change.path.startswith(seen.path) for seen in shown):
            shown.append(change)
    return moves, None


def _fast(draft: Draft, chain: Chain) -> Problem:
    note = draft.capabilities(chain.address).verb(Verb.UNALLOCATE).note
    return (
        Reason.ALLOCATION_REMOVED,
        f"take the allocation off: {note or 'the provider cannot do it'}",
        "Declare the allocations that are live, or take it off in the ERP.",
    )


def _consent(draft: Draft, chain: Chain) -> Problem:
    flag = draft.flag(Remedy.UNALLOCATE, chain.address)
    return (
        Reason.CONSENT_NEEDED,
        "taking off an allocation that was made needs consent",
        f"If it is meant: {flag}",
    )


def _others(draft: Draft, chain: Chain, identity: str, amount: Decimal) -> None:
    address = draft.index.address_of(identity)
    target = draft.label(address) if address else identity[1:]
    draft.drift.append(
        Drift(
            chain.address, "allocation", f"{decimal_text(amount)} was allocated to {target} in the ERP, not by us"
        )
    )

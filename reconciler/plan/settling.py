"""The moves that bring a bound source's allocations to what is declared; consent where one is taken off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.allocating import (
    Move,
    Shortfall,
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
from reconciler.plan.standing import Standing
from reconciler.providers.capabilities import Remedy, Verb
from reconciler.resources.kinds import KINDS

Problem = tuple[Reason, str, str]


def allocation_moves(
    draft: Draft, at: Standing, desired: Desired
) -> tuple[list[Move], tuple[FieldChange, ...], Problem | None]:
    """The moves that bring a source's allocations to what is declared, or what is in the way."""
    chain = at.chain
    wanted = wanted_of(desired.content) if KINDS[chain.address.kind].has_allocations else None
    if wanted is None:
        return [], (), None
    current = live_by_chain(draft, chain, at.live)
    ours = ours_by_chain(draft, at.row.document_id)
    if chain.binding.revision == 0:
        ours = {
            key: sum((item.amount for item in items.values()), ZERO)
            for key, items in current.items()
            if key in wanted
        }
    moves: list[Move] = []
    shown: list[FieldChange] = []
    lowered = ZERO
    for identity in sorted({*ours, *current} - {f"#{name}" for name in draft.corrected}):
        declared = wanted[identity].amount if identity in wanted else ZERO
        live = sum((item.amount for item in current.get(identity, {}).values()), ZERO)
        mine = min(ours.get(identity, ZERO), live)
        if live > declared and mine < live:
            _others(draft, chain, identity, live - mine)
        if live > declared and mine > declared:
            lower = min(live - declared, mine)
            if not draft.allows(Remedy.UNALLOCATE, chain.address):
                return (
                    [],
                    (field_change(draft, chain.address.connection, identity, live, live - lower),),
                    _consent(draft, chain),
                )
            moves += take_off(draft, identity, lower, current[identity])
            shown.append(field_change(draft, chain.address.connection, identity, live, live - lower))
            lowered += lower
    raised, problem = _raise(draft, at, wanted, current, shown, lowered)
    return [*moves, *raised], tuple(shown), problem


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
        shown.append(field_change(draft, at.chain.address.connection, identity, live, live + extra))
    return moves, None


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

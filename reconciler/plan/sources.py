"""Our own sources (payments, credit notes) of a chain: what settles it, and what will be given back by consent."""

from __future__ import annotations

from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO
from reconciler.plan.allocating import Wanted, live_by_chain, moves_off, wanted_of
from reconciler.plan.desired import desired_of, digest_of, resolve_all
from reconciler.plan.draft import Draft, step_id, target_text
from reconciler.plan.index import Chain
from reconciler.providers.capabilities import Remedy, Verb
from reconciler.state.model import DocumentRow


def sources_of(draft: Draft, chain: Chain) -> list[tuple[Chain, DocumentRow, Wanted | None]]:
    """Our bound sources (not this chain's own credits) that settle it or are declared to."""
    identity = f"#{chain.id}"
    found: list[tuple[Chain, DocumentRow, Wanted | None]] = []
    for other in sorted(draft.index.chains.values(), key=lambda item: item.address):
        if (
            other.address.kind not in ("payment", "credit_note")
            or other.address.connection != chain.address.connection
        ):
            continue
        row = other.current
        live = draft.index.live(row) if row is not None else None
        if row is None or live is None or live.phase in ("void", "reversed", "draft"):
            continue
        wanted = _declared_allocation(draft, other.address, identity)
        if identity in live_by_chain(draft, other, live) or wanted is not None:
            found.append((other, row, wanted))
    return found


def _declared_allocation(draft: Draft, address: Address, identity: str) -> Wanted | None:
    resource = draft.index.declared.get(address)
    if resource is None:
        return None
    index = draft.index
    identities, missing = resolve_all(index, resource)
    if missing:
        return None
    content = desired_of(index, resource, digest_of(resource, identities)).content
    return (wanted_of(content) or {}).get(identity)


def freed_by_consent(draft: Draft, chain: Chain) -> dict[str, tuple[Decimal, tuple[str, ...]]]:
    """What our sources will give back of a chain's documents in this plan, by consent: document id → amount,
    and the steps that take it off."""
    identity = f"#{chain.id}"
    freed: dict[str, tuple[Decimal, tuple[str, ...]]] = {}
    for source, row, wanted in sources_of(draft, chain):
        live = draft.index.live(row)
        able = draft.capabilities(source.address).can(Verb.UNALLOCATE)
        if live is None or not able or not draft.consents(Remedy.UNALLOCATE, source.address):
            continue
        current = live_by_chain(draft, source, live).get(identity, {})
        held = sum((item.amount for item in current.values()), ZERO)
        lower = held - (wanted.amount if wanted is not None else ZERO)
        for move in moves_off(draft, identity, lower, current):
            assert move.row is not None
            amount, steps = freed.get(move.row.document_id, (ZERO, ()))
            step = step_id(source.address, row.label, "unallocate", target_text(chain.address, move.row.label))
            freed[move.row.document_id] = (amount + move.before - move.after, (*steps, step))
    return freed

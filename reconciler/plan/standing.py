"""A bound address as it stands: is it untouched, what is it worth now, and what moved behind our back."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.plan.buckets import buckets, difference
from reconciler.plan.comparing import align, changed_fields
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.matching import net_of
from reconciler.plan.model import Drift, Reason, Role
from reconciler.providers.protocol import Observed
from reconciler.resources.content import typed
from reconciler.resources.kinds import KINDS, Content
from reconciler.state.model import DocumentRow

DEAD = ("void", "reversed")


def is_unchanged(draft: Draft, chain: Chain, digest: str) -> bool:
    """Digests before values: declared as before, live as recorded, allocations as we made them."""
    if chain.binding.declared_digest != digest or not chain.members or chain.current is None:
        return False
    for row in chain.members:
        live = draft.index.live(row)
        if live is None or live.fingerprint != row.fingerprint or live.phase in DEAD:
            return False
    row = chain.current
    live = draft.index.live(row)
    if live is None or _lacks_files(chain, live):
        return False
    if not KINDS[row.kind].has_allocations:
        return True
    ours = draft.allocations_of(row.document_id)
    if live is None or len(live.allocations) != len(ours):
        return False
    for item in live.allocations:
        owner = draft.index.owners.get((chain.address.connection, item.target_kind, item.target_id))
        if owner is None or ours.get((row.document_id, owner[1].document_id)) != item.amount:
            return False
    return True


def _lacks_files(chain: Chain, live: Observed) -> bool:
    """A file that is declared is not attached: a document may be there before its files, and be all there was."""
    if '"attachments"' not in chain.binding.declared:
        return False
    there = {item.get("name") for item in live.content().get("attachments") or ()}
    return any(item["name"] not in there for item in chain.declared().get("attachments") or ())


@dataclass(frozen=True, slots=True)
class Standing:
    """A bound address as it stands: its current document, live, with its effective content (identities)."""

    chain: Chain
    row: DocumentRow
    live: Observed
    effective: Content


def standing(draft: Draft, chain: Chain) -> Standing | str:
    """The address as it stands, or why it cannot be judged (already reported as drift)."""
    row = chain.current
    if row is None:
        return "ended"
    live = draft.index.live(row)
    if live is None:
        draft.drift.append(
            Drift(chain.address, "vanished", f"{row.remote_id} is no longer in the ERP", label=row.label)
        )
        return "vanished"
    if live.phase in DEAD:
        draft.drift.append(Drift(chain.address, "phase", f"it is {live.phase} in the ERP", label=row.label))
        return live.phase
    effective = draft.index.live_content(chain.address, live, typed(live.kind, live.content()))
    if len(chain.members) > 1:
        declared = typed_declared(chain)
        effective |= {key: declared[key] for key in ("lines", "prices") if key in declared}
    return Standing(chain, row, live, effective)


def typed_declared(chain: Chain) -> Content:
    known = {key: value for key, value in chain.declared().items() if not key.startswith("_")}
    return typed(chain.address.kind, known)


def note_drift(draft: Draft, at: Standing) -> None:
    """List live values that moved since they were last recorded."""
    chain = at.chain
    for row in chain.members:
        live = draft.index.live(row)
        if live is None or live.phase in DEAD:
            if row.document_id != at.row.document_id:
                state = "vanished" if live is None else "phase"
                text = "is no longer in the ERP" if live is None else f"is {live.phase} in the ERP"
                draft.drift.append(Drift(chain.address, state, f"{row.label} {text}", label=row.label))
            continue
        if live.fingerprint == row.fingerprint:
            continue
        if row.document_id != at.row.document_id:
            draft.drift.append(
                Drift(chain.address, "field", f"{row.label} was changed in the ERP", label=row.label)
            )
            continue
        noted = chain.declared().get("_noted", {})
        remembered = {key: value for key, value in typed_declared(chain).items() if key not in noted}
        skip = {"state", "number", "allocations", *KINDS[chain.address.kind].never_sent}
        if len(chain.members) > 1:
            skip |= {"lines", "prices"}
        was = {key: value for key, value in remembered.items() if key not in skip}
        now, was = align(KINDS[chain.address.kind], at.effective, was)
        if changed := changed_fields(now, was):
            fields = draft.describe(
                chain.address, {key: was[key] for key in changed}, {key: now[key] for key in changed}, at.effective
            )
            draft.drift.append(
                Drift(chain.address, "field", "changed in the ERP since it was last recorded", fields)
            )


def net_holds(draft: Draft, at: Standing) -> bool:
    """A corrected chain's live documents must still net to its effective lines."""
    chain = at.chain
    if len(chain.members) < 2:
        return True
    rows = [(live, Role(row.role)) for row in chain.members if (live := draft.index.live(row)) is not None]
    net = net_of(draft.index, chain.address, rows)
    wanted = buckets(draft.index, chain.address.connection, at.effective)
    dead = len(rows) != len(chain.members) or any(live.phase in DEAD for live, _ in rows)
    if not dead and (net is None or wanted is None or not difference(net, wanted)):
        return True
    draft.block(
        chain.address,
        Reason.EFFECTIVE_MISMATCH,
        "its documents in the ERP no longer net to what was corrected",
        "Look at the documents of its chain: reconciler state show " + draft.label(chain.address),
        phase=at.live.phase,
    )
    return False

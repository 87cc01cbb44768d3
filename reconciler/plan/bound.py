"""Bound addresses: what changed, what drifted, and the legal way to bring the ERP to what is declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan import correcting
from reconciler.plan.allocating import (
    Move,
    Shortfall,
    allocation_step,
    field_change,
    live_by_chain,
    ours_by_chain,
    place,
    take_off,
    wanted_of,
)
from reconciler.plan.buckets import buckets, difference
from reconciler.plan.comparing import align, changed_fields, describe, plain
from reconciler.plan.correcting import effect_of
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.lowering import post_step, update_step
from reconciler.plan.matching import net_of
from reconciler.plan.model import (
    Action,
    Bookkeeping,
    BookkeepingKind,
    Drift,
    Effect,
    FieldChange,
    Reason,
    Role,
    Step,
)
from reconciler.plan.remedies import (
    PostedChange,
    chosen,
    classify,
    offers,
    refusal,
)
from reconciler.providers.capabilities import Remedy, Verb
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
    if not KINDS[row.kind].has_allocations:
        return True
    live = draft.index.live(row)
    ours = draft.allocations_of(row.document_id)
    if live is None or len(live.allocations) != len(ours):
        return False
    for item in live.allocations:
        owner = draft.index.owners.get((chain.address.connection, item.target_kind, item.target_id))
        if owner is None or ours.get((row.document_id, owner[1].document_id)) != item.amount:
            return False
    return True


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


def plan_bound(draft: Draft, chain: Chain, desired: Desired) -> None:
    """Everything a bound, declared address needs."""
    at = standing(draft, chain)
    if isinstance(at, str):
        _block_lost(draft, chain, at)
        return
    note_drift(draft, at)
    if not _net_holds(draft, at):
        return
    fields, before, after = _differences(draft, at, desired)
    amendable = [name for name in fields if _may_amend(draft, at, name)]
    rest = tuple(name for name in fields if name not in amendable)
    changes = (
        describe(
            {name: before[name] for name in fields},
            {name: after[name] for name in fields},
            lambda content: draft.index.with_names(chain.address.connection, chain.address.kind, content),
        )
        if fields
        else ()
    )
    if desired.state == "draft" and at.live.phase != "draft" and KINDS[chain.address.kind].is_document:
        draft.block(
            chain.address,
            Reason.IMMUTABLE_FIELD,
            "what is posted cannot become a draft again",
            "Declare `state: posted`, or credit it: `removed: [{…, action: credit}]`.",
            phase=at.live.phase,
        )
        return
    if rest:
        _correct(draft, at, desired, rest, changes, after, tuple(amendable))
        return
    _amend(draft, at, desired, {name: after[name] for name in amendable}, before, changes)


def _block_lost(draft: Draft, chain: Chain, state: str) -> None:
    name = draft.label(chain.address)
    let_go = f"`removed: [{{address: {name}, action: forget}}]`"
    hint = f"Find out who did it. To let it go: {let_go}, and take out its declaration."
    if state == "vanished":
        draft.block(chain.address, Reason.VANISHED, "the ERP no longer has the record it is bound to", hint)
    elif state == "ended":
        draft.block(chain.address, Reason.VOIDED_ELSEWHERE, "its correction ended before the reissue", hint)
    else:
        draft.block(
            chain.address, Reason.VOIDED_ELSEWHERE, f"somebody made it {state} in the ERP", hint, phase=state
        )


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
            fields = describe(
                {key: was[key] for key in changed},
                {key: now[key] for key in changed},
                lambda content: draft.index.with_names(chain.address.connection, chain.address.kind, content),
            )
            draft.drift.append(
                Drift(chain.address, "field", "changed in the ERP since it was last recorded", fields)
            )


def _net_holds(draft: Draft, at: Standing) -> bool:
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


def _differences(draft: Draft, at: Standing, desired: Desired) -> tuple[list[str], Content, Content]:
    """Top-level fields that differ, and both sides, aligned."""
    chain = at.chain
    wanted = desired.comparable()
    noted = chain.declared().get("_noted", {})
    if noted:
        remembered = typed_declared(chain)
        for name, value in noted.items():
            same = plain(wanted.get(name)) == plain(remembered.get(name))
            if same and plain(at.effective.get(name)) == value:
                wanted.pop(name, None)
    effective = dict(at.effective)
    number = desired.content.get("number")
    if number is not None and at.row.role == Role.ORIGINAL:
        wanted["number"] = number
        effective["number"] = at.live.number
    left, right = align(KINDS[chain.address.kind], effective, wanted)
    return changed_fields(left, right), left, right


def _may_amend(draft: Draft, at: Standing, name: str) -> bool:
    caps = draft.capabilities(at.chain.address)
    return caps.can(Verb.UPDATE) and caps.may_amend(at.live.phase, name)


def _correct(
    draft: Draft,
    at: Standing,
    desired: Desired,
    rest: tuple[str, ...],
    changes: tuple[FieldChange, ...],
    after: Content,
    amendable: tuple[str, ...],
) -> None:
    """A change that cannot be an update: blocked on a master record, a remedy or a refusal on a document."""
    address = at.chain.address
    if not KINDS[address.kind].is_document or at.live.phase == "draft":
        draft.block(
            address,
            Reason.IMMUTABLE_FIELD,
            f"{', '.join(rest)} cannot be changed once it exists in this ERP",
            "Declare what is live, or declare it under a new name.",
            fields=changes,
            phase=at.live.phase,
        )
        return
    lines = [name for name in rest if name != "lines"]
    wanted = {name: after[name] for name in lines}
    if "lines" in rest:
        wanted["lines"] = desired.content["lines"]
    change = classify(draft, at.chain, at.live, rest, at.effective, wanted)
    remedy = chosen(draft, change)
    if remedy is None:
        draft.block(
            address,
            Reason.POSTED_IMMUTABLE,
            refusal(draft, change),
            fields=changes,
            phase=at.live.phase,
            offers=offers(draft, address, change.fits),
            remote_id=at.row.remote_id,
            number=at.row.number,
            hint="" if change.fits else _no_remedy(change),
        )
        return
    if amendable and remedy not in (Remedy.CREDIT_AND_REISSUE, Remedy.REVERSE_AND_REISSUE):
        before = {name: at.effective.get(name) for name in amendable}
        update_step(
            draft,
            at.chain,
            at.row,
            at.live,
            before,
            {name: desired.content.get(name) for name in amendable},
            Effect(),
        )
    shortfall = _carry_out(draft, at, change, desired, remedy)
    if shortfall is not None:
        draft.block(address, Reason.OVER_ALLOCATION, shortfall.detail, fields=changes, phase=at.live.phase)
        return
    _show_fields(draft, address, changes)


def _show_fields(draft: Draft, address: Address, changes: tuple[FieldChange, ...]) -> None:
    """The group's first change of this address carries what was edited."""
    for at, change in enumerate(draft.changes):
        if change.address == address:
            draft.changes[at] = replace(change, fields=changes)
            return


def _no_remedy(change: PostedChange) -> str:
    kind = change.chain.address.kind
    if change.live.phase == "settled" and kind == "invoice":
        return "Take its payments off first (remove their allocations), or credit what is wrong in a credit note."
    return "Declare what is live, and correct the difference with a document of its own."


def _carry_out(
    draft: Draft, at: Standing, change: PostedChange, desired: Desired, remedy: Remedy
) -> Shortfall | None:
    if remedy is Remedy.SUPPLEMENT:
        correcting.supplement(draft, change, desired)
    elif remedy is Remedy.CREDIT:
        correcting.credit(draft, change, desired)
    elif remedy is Remedy.CREDIT_AND_REISSUE:
        correcting.credit_and_reissue(draft, change, desired)
    elif remedy is Remedy.REVERSE_AND_REISSUE:
        return correcting.reverse_and_reissue(draft, change, desired)
    else:
        _note(draft, at, change, desired)
    return None


def _note(draft: Draft, at: Standing, change: PostedChange, desired: Desired) -> None:
    """Record what is declared and what stays in the ERP; send nothing."""
    noted = {
        **at.chain.declared().get("_noted", {}),
        **{name: plain(at.effective.get(name)) for name in change.fields},
    }
    draft.bookkeeping.append(
        Bookkeeping(
            BookkeepingKind.NOTE,
            at.chain.address,
            document_id=at.row.document_id,
            label=at.row.label,
            role=Role(at.row.role),
            generation=at.chain.binding.generation,
            remote_id=at.row.remote_id,
            declared=desired.declared_text(noted=noted),
            declared_digest=desired.digest,
            reason=draft.inputs.options.reason,
        )
    )
    draft.change(
        at.chain.address,
        Action.NOTE,
        Reason.CORRECTION,
        phase=at.live.phase,
        detail=f"recorded here, the ERP's document stays as it is: {draft.inputs.options.reason}",
    )
    draft.use(at.chain, at.row, at.live)


def _amend(
    draft: Draft, at: Standing, desired: Desired, after: Content, before: Content, changes: tuple[FieldChange, ...]
) -> None:
    """Update, post and allocate, each after the other; the last step records what is declared."""
    chain = at.chain
    moves, shown, problem = _allocation_moves(draft, at, desired)
    if problem is not None:
        draft.block(chain.address, *problem, phase=at.live.phase, fields=(*changes, *shown))
        return
    posts = desired.state == "posted" and at.live.phase == "draft" and KINDS[chain.address.kind].is_document
    if not after and not posts and not moves:
        draft.unchanged += 1
        return
    planned: list[str] = []
    final = effect_of(desired, noted=chain.declared().get("_noted"))
    pending = (1 if after else 0) + (1 if posts else 0) + len(moves)

    def effect() -> Effect:
        return final if len(planned) == pending - 1 else Effect()

    if after:
        old = {name: before[name] for name in after}
        new = {name: desired.content.get(name) for name in after}
        planned.append(update_step(draft, chain, at.row, at.live, old, new, effect()).id)
    if posts:
        planned.append(post_step(draft, chain, at.row, at.live, at.effective, effect(), tuple(planned)).id)
    for move in moves:
        step: Step = allocation_step(draft, chain, at.row, move, depends=tuple(planned[-1:]), effect=effect())
        planned.append(step.id)
        if move.row is not None:
            target = draft.index.chains.get(move.row.address) or chain
            draft.use(target, move.row, draft.index.live(move.row), balance=True)
    draft.use(chain, at.row, at.live, balance=bool(moves))
    drifted = chain.binding.declared_digest == desired.digest
    action, reason = _action(bool(after), posts, moves, drifted)
    names = {name: desired.names.get(name) for name in desired.content}
    draft.change(
        chain.address,
        action,
        reason,
        fields=(*changes, *shown),
        steps=tuple(planned),
        phase=at.live.phase,
        before=plain(draft.index.with_names(chain.address.connection, chain.address.kind, at.effective)),
        after=plain(
            {**draft.index.with_names(chain.address.connection, chain.address.kind, at.effective), **names}
        ),
        irreversible=posts,
        remote_id=at.row.remote_id,
        number=at.row.number,
        warnings=desired.warnings,
    )


def _action(updates: bool, posts: bool, moves: list[Move], drifted: bool) -> tuple[Action, Reason]:
    if updates:
        return Action.UPDATE, Reason.DRIFTED if drifted else Reason.CHANGED
    if posts:
        return Action.POST, Reason.CHANGED
    if any(move.after < move.before for move in moves):
        return Action.UNALLOCATE, Reason.ALLOCATION_REMOVED
    return Action.ALLOCATE, Reason.DRIFTED if drifted else Reason.ALLOCATION_ADDED


Problem = tuple[Reason, str, str]


def _allocation_moves(
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

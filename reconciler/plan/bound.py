"""Bound addresses: what changed, what drifted, and the legal way to bring the ERP to what is declared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO
from reconciler.plan import correcting, fitting, tracking_sets
from reconciler.plan.allocating import (
    Move,
    Shortfall,
    allocation_step,
)
from reconciler.plan.buckets import currency_of, overlaid_lines
from reconciler.plan.comparing import align, changed_fields, plain
from reconciler.plan.completing import completed, completed_line
from reconciler.plan.correcting import effect_of
from reconciler.plan.creating import money_problem, posting_problem
from reconciler.plan.desired import Desired
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.lowering import post_step, receivable_of, update_step
from reconciler.plan.model import (
    Action,
    Bookkeeping,
    BookkeepingKind,
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
from reconciler.plan.settling import Problem, allocation_moves
from reconciler.plan.standing import Standing, net_holds, note_drift, standing, typed_declared
from reconciler.providers.capabilities import Remedy, Verb
from reconciler.resources.kinds import KINDS, Content
from reconciler.resources.tracking import TRACKING_SET


def plan_bound(draft: Draft, chain: Chain, desired: Desired) -> None:
    """Everything a bound, declared address needs."""
    at = standing(draft, chain)
    if isinstance(at, str):
        _block_lost(draft, chain, at)
        return
    note_drift(draft, at)
    if not net_holds(draft, at):
        return
    fields, before, after = _differences(draft, at, desired)
    amendable = [name for name in fields if _may_amend(draft, at, name)]
    rest = tuple(name for name in fields if name not in amendable)
    changes = draft.describe(
        chain.address,
        {name: before[name] for name in fields},
        {name: after[name] for name in fields},
        desired.content if "currency" in desired.content else at.effective,
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
    if desired.refused and fields:
        refused = "; ".join(desired.refused)
        draft.block(chain.address, Reason.UNSUPPORTED, refused, fields=changes, phase=at.live.phase)
        return
    if rest:
        _correct(draft, at, desired, rest, changes, after, tuple(amendable))
        return
    _amend(draft, at, desired, {name: after[name] for name in amendable}, before, changes)


def _not_settled(
    draft: Draft, at: Standing, desired: Desired, after: Content, changes: tuple[FieldChange, ...], why: Problem
) -> None:
    """Say what is in the way of its allocations.

    A payment that one cannot be taken off alone is reversed whole and entered again, where that can be.
    """
    address = at.chain.address
    reason, detail, hint = why
    reversible = address.kind == "payment" and Remedy.REVERSE_AND_REISSUE in draft.capabilities(address).remedies
    if reason is Reason.ALLOCATION_REMOVED and reversible:
        wanted = {**after, "allocations": desired.content.get("allocations")}
        _correct(draft, at, desired, tuple(wanted), changes, wanted, ())
        return
    stuck = reason is Reason.ALLOCATION_REMOVED
    draft.block(address, Reason.UNSUPPORTED if stuck else reason, detail, hint, phase=at.live.phase, fields=changes)


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


_FIXED_ONCE_POSTED_TO = {
    "customer": frozenset({"currency"}),
    "account": frozenset({"type", "currency"}),
    "bank_account": frozenset({"account", "currency"}),
    "tax_rate": frozenset({"rate", "account"}),
}
_FIXED = {TRACKING_SET: frozenset({"tracking"})}
"""What a master record stands for: another combination is another set, whatever the ERP lets one do."""


def _may_amend(draft: Draft, at: Standing, name: str) -> bool:
    address = at.chain.address
    if name in _FIXED.get(address.kind, ()):
        return False
    if name in _FIXED_ONCE_POSTED_TO.get(address.kind, ()) and _posted_to(draft, at):
        return False
    caps = draft.capabilities(address)
    return caps.can(Verb.UPDATE) and caps.may_amend(at.live.phase, name)


def _posted_to(draft: Draft, at: Standing) -> bool:
    """Whether some live document refers to a master record."""
    mark = f'"{at.live.remote_id}"'
    rows = draft.index.snapshot(at.chain.address.connection).rows
    return any(
        mark in row.body for name, kind in KINDS.items() if kind.is_document for row in rows.get(name, {}).values()
    )


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
            f"{', '.join(rest)} cannot be changed once it exists or is posted to",
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
        _refuse(draft, at, change, changes)
        return
    anew = remedy in (Remedy.CREDIT_AND_REISSUE, Remedy.REVERSE_AND_REISSUE)
    if anew and (found := money_problem(draft, completed(draft, desired))):
        draft.block(address, *found, fields=changes, phase=at.live.phase)
        return
    if remedy is not Remedy.NOTE and (found := _untracked(draft, at, desired)):
        draft.block(address, *found, fields=changes, phase=at.live.phase)
        return
    shortfall = _carry_out(draft, at, change, desired, remedy)
    if shortfall is not None:
        draft.block(address, Reason.OVER_ALLOCATION, shortfall.detail, fields=changes, phase=at.live.phase)
        return
    if amendable and not anew:
        before = {name: at.effective.get(name) for name in amendable}
        new = {name: desired.content.get(name) for name in amendable}
        update_step(draft, at.chain, at.row, at.live, before, new, Effect())
    _show_fields(draft, address, changes)


def _unfit(draft: Draft, at: Standing, new: Content) -> Problem | None:
    """Why what an update sets would be refused."""
    found = tracking_sets.problem(draft, at.chain.address, new)
    if found or "lines" not in new:
        return found
    return fitting.document_problem(draft, at.chain.address, {**at.effective, **new})


def _untracked(draft: Draft, at: Standing, desired: Desired) -> tuple[Reason, str, str] | None:
    """Why what corrects a document cannot be tracked as it is, or as what it takes back."""
    address = at.chain.address
    return tracking_sets.problem(draft, address, at.effective) or tracking_sets.problem(
        draft, address, desired.content
    )


def _refuse(draft: Draft, at: Standing, change: PostedChange, changes: tuple[FieldChange, ...]) -> None:
    """No consent: say field, phase, reason and the flags that fit."""
    address = at.chain.address
    caps = draft.capabilities(address)
    waits = [name for name in change.fields if name in caps.missing]
    hint = fitting.how_to_keep(caps, waits) if waits else "" if change.fits else _no_remedy(change)
    draft.block(
        address,
        Reason.POSTED_IMMUTABLE,
        refusal(draft, change),
        fields=changes,
        phase=at.live.phase,
        offers=offers(draft, change),
        remote_id=at.row.remote_id,
        number=at.row.number,
        hint=hint,
    )


def _show_fields(draft: Draft, address: Address, changes: tuple[FieldChange, ...]) -> None:
    """The group's first change of this address carries what was edited."""
    for at, change in enumerate(draft.changes):
        if change.address == address:
            draft.changes[at] = replace(change, fields=changes)
            return


def _no_remedy(change: PostedChange) -> str:
    kind = change.chain.address.kind
    if change.live.phase == "settled" and kind == "invoice":
        return "Take its payments off first (`allocations: []`), or credit what is wrong in a credit note."
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
    moves, shown, problem = allocation_moves(draft, at, desired)
    if problem is not None:
        _not_settled(draft, at, desired, after, (*changes, *shown), problem)
        return
    posts = desired.state == "posted" and at.live.phase == "draft" and KINDS[chain.address.kind].is_document
    if not after and not posts and not moves:
        draft.unchanged += 1
        return
    as_posted = {**at.effective, **after}
    new = {name: _sent(draft, at, desired, name) for name in after}
    found = posting_problem(draft, chain.address, as_posted) if posts else None
    if found := found or _unfit(draft, at, new):
        draft.block(chain.address, *found, phase=at.live.phase, fields=(*changes, *shown))
        return
    planned: list[str] = []
    final = effect_of(desired, noted=chain.declared().get("_noted"))
    pending = (1 if after else 0) + (1 if posts else 0) + len(moves)

    def effect() -> Effect:
        return final if len(planned) == pending - 1 else Effect()

    if after:
        old = {name: before[name] for name in after}
        planned.append(update_step(draft, chain, at.row, at.live, old, new, effect()).id)
    if posts:
        planned.append(post_step(draft, chain, at.row, at.live, as_posted, effect(), tuple(planned)).id)
    for move in moves:
        step: Step = allocation_step(draft, chain, at.row, move, depends=tuple(planned[-1:]), effect=effect())
        planned.append(step.id)
        if move.row is not None:
            target = draft.index.chains.get(move.row.address) or chain
            draft.use(target, move.row, draft.index.live(move.row), balance=True)
    draft.use(chain, at.row, at.live, balance=bool(moves))
    just_bound = chain.binding.revision == 0
    drifted = not just_bound and chain.binding.declared_digest == desired.digest
    action, reason = _action(bool(after), posts, moves, drifted)
    draft.change(
        chain.address,
        action,
        reason,
        detail=f"it is adopted first: there already, id {at.row.remote_id}" if just_bound else "",
        fields=(*changes, *shown),
        steps=tuple(planned),
        phase=at.live.phase,
        before=draft.shown(chain.address, chain.address.kind, at.effective),
        after=draft.shown(chain.address, chain.address.kind, {**at.effective, **desired.content}),
        irreversible=posts,
        receivable=_receivable(draft, at, desired, moves, new, posts=posts),
        customer={**at.effective, **desired.content}.get("customer"),
        remote_id=at.row.remote_id,
        number=at.row.number,
        warnings=desired.warnings,
    )


def _sent(draft: Draft, at: Standing, desired: Desired, name: str) -> Any:
    """What an update sends for a field; lines keep what the ERP has where nothing else is declared."""
    wanted = desired.content.get(name)
    if name != "lines" or not wanted:
        return wanted
    whole = {**at.effective, **desired.content}
    lines = overlaid_lines(list(at.effective.get("lines") or ()), list(wanted))
    return [completed_line(draft, at.chain.address.connection, whole, line) for line in lines]


_WORTH = frozenset({"lines", "prices", "amount"})
"""The fields that say what a document comes to."""


def _receivable(
    draft: Draft, at: Standing, desired: Desired, moves: list[Move], sent: Content, *, posts: bool
) -> dict[str, Decimal]:
    """What posting a draft, amending what is posted (`sent`), and discounts and write-offs do to receivables."""
    address = at.chain.address
    content = {**at.effective, **desired.content}
    moved: dict[str, Decimal] = {}
    if posts:
        moved = receivable_of(draft, address, address.kind, {**content, "allocations": []})
    elif at.live.phase != "draft" and _WORTH & sent.keys():
        for sign, fields in ((1, sent), (-1, {})):
            worth = {**at.effective, **fields, "allocations": [], "state": "posted"}
            for currency, amount in receivable_of(draft, address, address.kind, worth).items():
                moved[currency] = moved.get(currency, ZERO) + sign * amount
    given_up = sum((move.receivable for move in moves), ZERO)
    if given_up:
        currency = currency_of(draft.index, address.connection, content)
        moved[currency] = moved.get(currency, ZERO) + given_up
    return moved


def _action(updates: bool, posts: bool, moves: list[Move], drifted: bool) -> tuple[Action, Reason]:
    if updates:
        return Action.UPDATE, Reason.DRIFTED if drifted else Reason.CHANGED
    if posts:
        return Action.POST, Reason.CHANGED
    if any(move.after < move.before for move in moves):
        return Action.UNALLOCATE, Reason.ALLOCATION_REMOVED
    return Action.ALLOCATE, Reason.DRIFTED if drifted else Reason.ALLOCATION_ADDED

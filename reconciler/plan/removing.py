"""What is no longer declared: reported when it is simply gone, acted on when `removed:` says so."""

from __future__ import annotations

from datetime import date

from reconciler.kernel.money import ZERO
from reconciler.plan import correcting, tracking_sets
from reconciler.plan.buckets import Sums, buckets, currency_of
from reconciler.plan.correcting import original_date
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.lowering import document_step
from reconciler.plan.model import Action, Bookkeeping, BookkeepingKind, Effect, Reason
from reconciler.plan.remedies import PostedChange
from reconciler.plan.standing import Standing, standing
from reconciler.providers.capabilities import Verb
from reconciler.providers.operations import Delete, Reverse, Void
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Removed


def plan_removed(draft: Draft, chain: Chain, removed: Removed) -> None:
    """Forget, credit, void, reverse or discard one bound address."""
    address = chain.address
    if "_removed" in chain.declared():
        return
    if removed.action == "forget":
        _forget(draft, chain, removed)
        return
    at = standing(draft, chain)
    if isinstance(at, str) or not KINDS[address.kind].is_document:
        why = (
            f"it is {at} in the ERP"
            if isinstance(at, str)
            else "only documents can be credited, voided, reversed or discarded"
        )
        draft.block(address, Reason.UNSUPPORTED, f"removed: {removed.action}: {why}", "Use `action: forget`.")
        return
    if refused := _refused(draft, chain, removed.action, at.live.phase):
        draft.block(address, Reason.POSTED_IMMUTABLE, f"removed: {removed.action}: {refused}", phase=at.live.phase)
        return
    draft.use(chain, at.row, at.live, balance=True)
    if removed.action == "credit":
        _credit(draft, at, removed)
    elif removed.action == "reverse":
        _reverse(draft, at, removed)
    else:
        _take_back(draft, at, removed)


def _forget(draft: Draft, chain: Chain, removed: Removed) -> None:
    draft.bookkeeping.append(Bookkeeping(BookkeepingKind.FORGET, chain.address, reason=removed.reason))
    draft.change(
        chain.address,
        Action.FORGET,
        Reason.REMOVED,
        source=str(removed.source or ""),
        detail="stop managing it; the ERP keeps it as it is",
        remote_id=chain.current.remote_id if chain.current else None,
    )


def _credit(draft: Draft, at: Standing, removed: Removed) -> None:
    chain = at.chain
    before = buckets(draft.index, chain.address.connection, at.effective)
    if before is None:
        draft.block(chain.address, Reason.UNSUPPORTED, "removed: credit: its totals cannot be computed")
        return
    if untracked := tracking_sets.problem(draft, chain.address, at.effective):
        draft.block(chain.address, *untracked, phase=at.live.phase)
        return
    moved = {bucket: Sums() - sums for bucket, sums in before.items()}
    change = PostedChange(chain, at.live, ("lines",), at.effective, at.effective, before, moved)
    correcting.credited(draft, change, removed.reason)


def _take_back(draft: Draft, at: Standing, removed: Removed) -> None:
    """Void a posted document, or discard a draft."""
    chain, row, live = at.chain, at.row, at.live
    address = chain.address
    marked = Effect(declared=f'{{"_removed":"{removed.action}"}}', declared_digest=f"removed:{removed.action}")
    voids = removed.action == "void"
    operation = Void(row.kind, row.remote_id, removed.reason) if voids else Delete(row.kind, row.remote_id)
    words = "void" if voids else "discard the draft"
    step = document_step(
        draft, chain, row, operation, marked, revision=live.revision, description=f"{words} {draft.label(address)}"
    )
    currency = currency_of(draft.index, address.connection, at.effective)
    sign = -1 if address.kind == "invoice" else 1
    draft.change(
        address,
        Action.VOID if voids else Action.DISCARD,
        Reason.REMOVED,
        steps=(step.id,),
        detail=f"{words}: {removed.reason}",
        phase=live.phase,
        irreversible=True,
        remote_id=row.remote_id,
        number=row.number,
        receivable={currency: sign * live.amount("total")} if voids else {},
        customer=at.effective.get("customer"),
        source=str(removed.source or ""),
    )


def _reverse(draft: Draft, at: Standing, removed: Removed) -> None:
    """A payment that came to nothing: reversed today, or on the first open day; what it settled is owed again."""
    chain, row, live = at.chain, at.row, at.live
    address = chain.address
    day = draft.correction_date(address, "payment", original_date(at.effective))
    step = document_step(
        draft,
        chain,
        row,
        Reverse(row.kind, row.remote_id, day, removed.reason),
        Effect(declared='{"_removed":"reverse"}', declared_digest="removed:reverse"),
        revision=live.revision,
        description=f"reverse {draft.label(address)} on {day.isoformat()}",
    )
    correcting.free_targets(draft, chain, live)
    currency = currency_of(draft.index, address.connection, at.effective)
    draft.change(
        address,
        Action.REVERSE,
        Reason.REMOVED,
        steps=(step.id,),
        detail=f"reverse on {day.isoformat()}: {removed.reason}",
        phase=live.phase,
        irreversible=True,
        remote_id=row.remote_id,
        number=row.number,
        receivable={currency: at.effective.get("amount", ZERO)},
        customer=at.effective.get("customer"),
        source=str(removed.source or ""),
    )


def _refused(draft: Draft, chain: Chain, action: str, phase: str) -> str:
    """Why a removal does not fit the phase, or ''."""
    caps = draft.capabilities(chain.address)
    if action == "discard":
        if phase != "draft":
            return "only a draft can be discarded; what is posted is credited or voided"
        return "" if caps.can(Verb.DELETE) else "the provider cannot discard drafts"
    if action == "reverse":
        if chain.address.kind != "payment":
            return "only a payment can be reversed; an invoice is credited or voided"
        if phase == "draft":
            return "it is a draft: discard it"
        return "" if caps.can(Verb.REVERSE) else caps.verb(Verb.REVERSE).note or "the provider cannot"
    if chain.address.kind == "payment":
        return "a payment is reversed: `action: reverse`"
    if phase != "posted":
        return f"it is {phase.replace('_', ' ')}; only a posted document that nothing has settled can be taken back"
    row = chain.current
    live = draft.index.live(row) if row else None
    if live is not None and live.allocations:
        return "it is applied; take its allocations off first"
    if action == "credit":
        return "" if chain.address.kind == "invoice" else "only an invoice can be credited"
    if not caps.can(Verb.VOID):
        return "the provider has no void"
    day = live.content().get("posting_date") or live.content().get("issue_date") if live else None
    company = draft.index.snapshot(chain.address.connection).company
    if day and company.is_closed(date.fromisoformat(str(day))):
        return "its period is closed; credit it in the current one"
    return ""

"""What is no longer declared: reported when it is simply gone, acted on when `removed:` says so."""

from __future__ import annotations

from reconciler.kernel.money import ZERO
from reconciler.plan import correcting
from reconciler.plan.buckets import Sums, buckets
from reconciler.plan.draft import Draft, step_id
from reconciler.plan.index import Chain
from reconciler.plan.model import Action, Bookkeeping, BookkeepingKind, Effect, Reason, Role, Step
from reconciler.plan.remedies import PostedChange
from reconciler.plan.standing import standing
from reconciler.providers.capabilities import Verb
from reconciler.providers.operations import Delete
from reconciler.resources.kinds import KINDS
from reconciler.resources.resource import Removed


def plan_removed(draft: Draft, chain: Chain, removed: Removed) -> None:
    """Forget, credit, void or discard one bound address."""
    if "_removed" in chain.declared():
        return
    if removed.action == "forget":
        draft.bookkeeping.append(Bookkeeping(BookkeepingKind.FORGET, chain.address, reason=removed.reason))
        draft.change(
            chain.address,
            Action.FORGET,
            Reason.REMOVED,
            source=str(removed.source or ""),
            detail="stop managing it; the ERP keeps it as it is",
            remote_id=chain.current.remote_id if chain.current else None,
        )
        return
    at = standing(draft, chain)
    if isinstance(at, str) or not KINDS[chain.address.kind].is_document:
        why = (
            f"it is {at} in the ERP"
            if isinstance(at, str)
            else "only documents can be credited, voided or discarded"
        )
        draft.block(chain.address, Reason.UNSUPPORTED, f"removed: {removed.action}: {why}", "Use `action: forget`.")
        return
    refused = _refused(draft, chain, removed.action, at.live.phase)
    if refused:
        draft.block(
            chain.address, Reason.POSTED_IMMUTABLE, f"removed: {removed.action}: {refused}", phase=at.live.phase
        )
        return
    marked = Effect(declared=f'{{"_removed":"{removed.action}"}}', declared_digest=f"removed:{removed.action}")
    row = at.row
    draft.use(chain, row, at.live, balance=True)
    if removed.action == "credit":
        before = buckets(draft.index, chain.address.connection, at.effective)
        if before is None:
            draft.block(chain.address, Reason.UNSUPPORTED, "removed: credit: its totals cannot be computed")
            return
        moved = {bucket: Sums() - sums for bucket, sums in before.items()}
        change = PostedChange(chain, at.live, ("lines",), at.effective, at.effective, before, moved)
        correcting.credited(draft, change, removed.reason)
        return
    if removed.action == "void":
        step = correcting.void_step(draft, chain, row, at.live.revision, removed.reason, marked)
        action, detail = Action.VOID, f"void it in the ERP: {removed.reason}"
    else:
        step = draft.steps[
            draft.add_step(
                Step(
                    id=step_id(chain.address, row.label, "delete"),
                    address=chain.address,
                    label=row.label,
                    operation=Delete(row.kind, row.remote_id),
                    operation_key=f"delete@{chain.binding.revision}",
                    document_id=row.document_id,
                    reference=row.reference,
                    role=Role(row.role),
                    number=row.number,
                    generation=row.generation,
                    revision=at.live.revision,
                    reason=removed.reason,
                    effect=marked,
                    description=f"discard the draft {draft.label(chain.address)}",
                )
            )
        ]
        action, detail = Action.DISCARD, f"discard the draft: {removed.reason}"
    sign = -1 if chain.address.kind == "invoice" else 1
    currency = (
        at.live.content().get("currency") or draft.index.snapshot(chain.address.connection).company.base_currency
    )
    total = sign * at.live.amount("total") if action is Action.VOID else ZERO
    draft.change(
        chain.address,
        action,
        Reason.REMOVED,
        steps=(step.id,),
        detail=detail,
        phase=at.live.phase,
        irreversible=True,
        remote_id=row.remote_id,
        number=row.number,
        receivable={currency: total} if total else {},
        source=str(removed.source or ""),
    )


def _refused(draft: Draft, chain: Chain, action: str, phase: str) -> str:
    """Why a removal does not fit the phase, or ''."""
    caps = draft.capabilities(chain.address)
    if action == "discard":
        if phase != "draft":
            return "only a draft can be discarded; what is posted is credited or voided"
        return "" if caps.can(Verb.DELETE) else "the provider cannot discard drafts"
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
    if day and company.closed_through and str(day) <= company.closed_through.isoformat():
        return "its period is closed; credit it in the current one"
    return ""

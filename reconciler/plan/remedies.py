"""Which remedies fit a change to something posted: by phase, by field, by direction per bucket.

Direction is judged per bucket (account, taxes, tracking): all up = supplement, all down = credit, mixed or
moved = credit and reissue. A settled document is never reissued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.buckets import Bucket, Sums, buckets, difference, overlaid_lines
from reconciler.plan.draft import Draft, offer, permitted
from reconciler.plan.index import Chain
from reconciler.plan.model import RemedyOffer, Role
from reconciler.plan.sources import freed_by_consent
from reconciler.providers.capabilities import Remedy
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

SOFT = frozenset({"memo", "po_number", "due_date", "terms", "reason", "attachments", "method", "reference"})
"""Fields outside the general ledger: when the ERP does not let them be amended, they can be noted."""


@dataclass(frozen=True, slots=True)
class PostedChange:
    """A change that a posted document does not allow as an update. `moved`: buckets, after less before;
    None when they could not be computed. `effective` and `wanted`: whole contents in identity space."""

    chain: Chain
    live: Observed
    fields: tuple[str, ...]
    effective: Content
    wanted: Content
    before: Mapping[Bucket, Sums] | None = None
    moved: Mapping[Bucket, Sums] | None = None
    fits: tuple[Remedy, ...] = ()
    why_not: Mapping[Remedy, str] = field(default_factory=dict)

    @property
    def gross(self) -> Decimal:
        """By how much the document's total moves."""
        return sum((sums.gross for sums in (self.moved or {}).values()), ZERO)


def classify(
    draft: Draft, chain: Chain, live: Observed, fields: tuple[str, ...], effective: Content, wanted: Content
) -> PostedChange:
    """Judge a change: what moves, and which remedies fit the phase."""
    address = chain.address
    wanted = {**effective, **wanted}
    before = moved = None
    if "lines" in effective:
        wanted["lines"] = overlaid_lines(list(effective["lines"]), list(wanted["lines"]))
        before = buckets(draft.index, address.connection, effective)
        after = buckets(draft.index, address.connection, wanted)
        if before is not None and after is not None:
            moved = difference(after, before)
    change = PostedChange(chain, live, fields, effective, wanted, before, moved)
    fits, why_not = _fitting(draft, change)
    return PostedChange(chain, live, fields, effective, wanted, before, moved, fits, why_not)


def _fitting(draft: Draft, change: PostedChange) -> tuple[tuple[Remedy, ...], dict[Remedy, str]]:
    kind = change.chain.address.kind
    if kind == "payment":
        candidates = {Remedy.NOTE: ""} if set(change.fields) <= SOFT else {Remedy.REVERSE_AND_REISSUE: ""}
    elif kind == "credit_note":
        candidates = _for_credit_note(change)
    else:
        candidates = _for_invoice(draft, change)
    known = draft.capabilities(change.chain.address).remedies
    resource = draft.index.declared.get(change.chain.address)
    for remedy, problem in candidates.items():
        if not problem and remedy not in known:
            candidates[remedy] = "the provider cannot do it"
        elif not problem and not permitted(resource, remedy):
            candidates[remedy] = "`lifecycle.on_change` does not list it"
    fits = tuple(remedy for remedy, problem in candidates.items() if not problem)
    return fits, {remedy: problem for remedy, problem in candidates.items() if problem}


def _for_invoice(draft: Draft, change: PostedChange) -> dict[Remedy, str]:
    hard = set(change.fields) - SOFT
    reissue = "it is settled in full; a settled invoice is not reissued" if change.live.phase == "settled" else ""
    if not hard:
        return {Remedy.NOTE: "", Remedy.CREDIT_AND_REISSUE: reissue}
    if change.moved is None:
        return {Remedy.CREDIT_AND_REISSUE: "its totals cannot be computed: a tax rate is unknown"}
    if hard != {"lines"}:
        return {Remedy.CREDIT_AND_REISSUE: reissue}
    if not change.moved:
        return {Remedy.NOTE: "", Remedy.CREDIT_AND_REISSUE: reissue}
    if all(sums.net >= ZERO and sums.tax >= ZERO for sums in change.moved.values()):
        return {Remedy.SUPPLEMENT: "", Remedy.CREDIT_AND_REISSUE: reissue}
    if all(sums.net <= ZERO and sums.tax <= ZERO for sums in change.moved.values()):
        return {Remedy.CREDIT: _credit_problem(draft, change), Remedy.CREDIT_AND_REISSUE: reissue}
    return {Remedy.CREDIT_AND_REISSUE: reissue}


def _credit_problem(draft: Draft, change: PostedChange) -> str:
    if change.live.phase == "settled":
        return ""
    opened = _opened(draft, change)
    if -change.gross <= opened:
        return ""
    return f"the decrease of {decimal_text(-change.gross)} is more than the {decimal_text(opened)} still open"


def _opened(draft: Draft, change: PostedChange) -> Decimal:
    """What of an invoice is open, or will be by allocations that this plan takes off."""
    members = [row for row in change.chain.members if row.role != Role.CREDIT]
    opened = sum((draft.open_of_document(row) for row in members), ZERO)
    return opened + sum((amount for amount, _ in freed_by_consent(draft, change.chain).values()), ZERO)


def _for_credit_note(change: PostedChange) -> dict[Remedy, str]:
    hard = set(change.fields) - SOFT
    if not hard or (hard == {"lines"} and change.moved == {}):
        return {Remedy.NOTE: ""}
    moved = change.moved or {}
    if hard == {"lines"} and moved and all(s.net >= ZERO and s.tax >= ZERO for s in moved.values()):
        return {Remedy.SUPPLEMENT: ""}
    return {Remedy.SUPPLEMENT: "only an increase of a posted credit note can be made by one more document"}


_EFFECTS = {
    Remedy.NOTE: "record the new wording here and leave the ERP's document as it is",
    Remedy.SUPPLEMENT: "one more document for the increase",
    Remedy.CREDIT: "a credit note for the decrease, applied to what is still open",
    Remedy.CREDIT_AND_REISSUE: "credit it in full, issue it anew, and allocate again",
    Remedy.REVERSE_AND_REISSUE: "reverse the payment and enter it again",
    Remedy.VOID: "void it in the ERP",
    Remedy.UNALLOCATE: "take the allocation off",
}


_NOTHING_OPEN = "a credit note for the decrease, left on the customer's account: nothing of the invoice is open"


def offers(draft: Draft, change: PostedChange) -> tuple[RemedyOffer, ...]:
    """Each remedy that fits, with its flag and what it would do."""
    effects = dict(_EFFECTS)
    if Remedy.CREDIT in change.fits and not _opened(draft, change):
        effects[Remedy.CREDIT] = _NOTHING_OPEN
    return tuple(offer(draft, remedy, change.chain.address, effects[remedy]) for remedy in change.fits)


def chosen(draft: Draft, change: PostedChange) -> Remedy | None:
    """The first fitting remedy this plan's options consent to."""
    return next((remedy for remedy in change.fits if draft.allows(remedy, change.chain.address)), None)


def refusal(draft: Draft, change: PostedChange) -> str:
    """Why it is refused: field, phase, reason."""
    fields = ", ".join(change.fields)
    words = change.chain.address.kind.replace("_", " ")
    phase = change.live.phase.replace("_", " ")
    text = f"{fields} of a {phase} {words} cannot be edited: what is posted is corrected by more documents"
    unfit = [f"{remedy}: {problem}" for remedy, problem in change.why_not.items()]
    for remedy, wanted_for in draft.inputs.options.allows:
        if wanted_for == change.chain.address and remedy not in change.fits and remedy not in change.why_not:
            unfit.append(f"{remedy}: does not fit this change")
    return text + (". Does not fit: " + "; ".join(unfit) if unfit else "")

"""The words and symbols each action and reason has on a terminal."""

from __future__ import annotations

from reconciler.plan.model import Action, Reason
from reconciler.providers.capabilities import Remedy
from reconciler.render.style import Tint

CORRECTION_SYMBOL = "±"

SYMBOLS: dict[Action, tuple[str, Tint]] = {
    Action.NO_OP: (" ", Tint.FAINT),
    Action.CREATE: ("+", Tint.ADD),
    Action.UPDATE: ("~", Tint.CHANGE),
    Action.POST: ("↑", Tint.ADD),
    Action.ALLOCATE: ("→", Tint.LINK),
    Action.UNALLOCATE: ("←", Tint.CHANGE),
    Action.ADOPT: ("»", Tint.LINK),
    Action.NOTE: ("·", Tint.LINK),
    Action.CREDIT: ("−", Tint.REMOVE),
    Action.SUPPLEMENT: ("+", Tint.ADD),
    Action.REISSUE: ("+", Tint.ADD),
    Action.REVERSE: ("−", Tint.REMOVE),
    Action.VOID: ("−", Tint.REMOVE),
    Action.DISCARD: ("−", Tint.REMOVE),
    Action.FORGET: ("○", Tint.CHANGE),
    Action.MOVE: ("↷", Tint.LINK),
    Action.BLOCKED: ("!", Tint.ERROR),
}

PHRASES: dict[Action, str] = {
    Action.NO_OP: "stays as it is",
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated",
    Action.POST: "will be posted",
    Action.ALLOCATE: "will be allocated",
    Action.UNALLOCATE: "will be unallocated",
    Action.ADOPT: "will be adopted: it is there already",
    Action.NOTE: "will be noted: recorded here, unchanged in the ERP",
    Action.CREDIT: "will be created: a credit note",
    Action.SUPPLEMENT: "will be created: an invoice for the increase",
    Action.REISSUE: "will be reissued",
    Action.REVERSE: "will be reversed",
    Action.VOID: "will be voided",
    Action.DISCARD: "will be discarded",
    Action.FORGET: "will be forgotten: unchanged in the ERP",
    Action.MOVE: "will be renamed: unchanged in the ERP",
    Action.BLOCKED: "is blocked",
}

VERBS: tuple[Action, ...] = tuple(action for action in Action if action not in (Action.NO_OP, Action.BLOCKED))
"""In the order in which the summary counts them."""

REASONS: dict[Reason, str] = {
    Reason.DRIFTED: "its live value moved away from what is declared",
    Reason.OURS_BY_REFERENCE: "it carries our reference",
    Reason.REMOVED: "its removal is declared",
    Reason.CORRECTION_RESUMED: "a correction under way is resumed",
    Reason.POSTED_IMMUTABLE: "it is posted, and this cannot be edited there",
    Reason.CONSENT_NEEDED: "it needs consent",
    Reason.OUTCOME_UNKNOWN: "the outcome of an earlier request is unknown",
    Reason.EXISTS_UNMANAGED: "a live record that is not ours is in the way",
    Reason.FOREIGN_DOCUMENT: "another project's document is in the way",
    Reason.CONTENT_CONFLICT: "the live record differs from what is declared",
    Reason.REFERENCE_UNRESOLVED: "it refers to something that cannot be found",
    Reason.REFERENCE_BLOCKED: "something it refers to is blocked",
    Reason.UNSUPPORTED: "the ERP cannot do this",
    Reason.PERIOD_CLOSED: "its period is closed",
    Reason.DATE_ORDER: "numbers are given in order of date, and a later one is taken",
    Reason.TOTAL_MISMATCH: "its total is not the one expected",
    Reason.OVER_ALLOCATION: "it would settle more than there is",
    Reason.VANISHED: "it is no longer in the ERP",
    Reason.VOIDED_ELSEWHERE: "it was voided outside of reconciler",
    Reason.IN_CORRECTION: "a correction of it is under way",
    Reason.UNCONFIRMED_EPOCH: "the state is new or was lost, and the ERP cannot be searched for it",
    Reason.IMMUTABLE_FIELD: "a field cannot be changed any more",
    Reason.LOOKS_RENAMED: "it looks like something renamed",
    Reason.EFFECTIVE_MISMATCH: "what is posted in all is not what was recorded",
}

REMEDIES: dict[Remedy, str] = {
    Remedy.NOTE: "a note",
    Remedy.SUPPLEMENT: "a supplement",
    Remedy.CREDIT: "a credit note",
    Remedy.CREDIT_AND_REISSUE: "a credit note and a reissue",
    Remedy.REVERSE_AND_REISSUE: "a reversal and a new entry",
    Remedy.VOID: "a void",
    Remedy.UNALLOCATE: "taking allocations off",
}

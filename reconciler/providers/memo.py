"""A memo that bears our reference: where an ERP has no field for a caller's own id, its last line is ours."""

from __future__ import annotations

from typing import Any

from reconciler.kernel.identity import tag_in


def long_text(value: Any) -> str | None:
    """A text that may have line breaks, kept as it is but for its edges; None when nothing is left."""
    return str(value).replace("\r\n", "\n").strip() or None if value else None


def joined(memo: str | None, reference: str) -> str:
    """What goes into the field: the user's memo, and our reference as its last line."""
    return f"{memo}\n{reference}" if memo else reference


def parted(memo: Any) -> tuple[str | None, str | None]:
    """(our reference, the user's memo) of what is in the field."""
    whole = long_text(memo)
    if whole is None or tag_in(whole) is None:
        return None, whole
    before, _, ours = whole.rpartition("\n")
    if not before and " " in ours:  # an ERP that makes one line of several
        before, _, ours = ours.rpartition(" ")
    return ours.strip(), before.strip() or None

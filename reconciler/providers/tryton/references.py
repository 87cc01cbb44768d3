"""Our reference and the user's own, in the one text field that Tryton has for them. Pure.

An invoice's `reference` is where people write the customer's order number. Ours stands at its end, after a
space: `PO-4711 INV-7452~abcd…`; what carries no tag of ours is the order number alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.kernel.identity import TAG_LENGTH, tag_in


def joined(reference: str, po_number: str | None) -> str:
    """What goes into the field."""
    return f"{po_number} {reference}" if po_number else reference


def parted(text: str | None) -> tuple[str | None, str | None]:
    """(our reference, order number) of what is in the field."""
    text = (text or "").strip()
    if not text:
        return None, None
    if tag_in(text) is None:
        return None, text
    before, _, ours = text.rpartition(" ")
    return ours, before.strip() or None


def carrying(field: str, references: Iterable[str]) -> list[Any]:
    """The domain of records that carry one of our references, alone or after an order number."""
    wanted = sorted(set(references))
    endings = [[field, "like", f"% %{one[-TAG_LENGTH:]}"] for one in wanted if tag_in(one)]
    return ["OR", [field, "in", wanted], *endings]

"""What every codec makes in the end: a record as the core sees it. Pure."""

from __future__ import annotations

import re

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.providers.memo import parted
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content

DEAD = frozenset({"reversed", "reversal", "void", "voided", "v"})
"""Words for what was undone; Intacct's documents do not list a document's states."""


_MARK = re.compile(r"~[a-z2-7]{16}(?![a-z2-7])", re.ASCII | re.IGNORECASE)


def described(description: str | None) -> tuple[str | None, str | None]:
    """(our reference, the user's memo) of a description; ours too where somebody added words to it."""
    reference, memo = parted(description)
    if reference is None and (marks := _MARK.findall(memo or "")):
        return marks[-1], memo
    return reference, memo


def is_dead(state: str | None) -> bool:
    return (state or "").strip().lower() in DEAD


def standing(phase: str) -> str:
    """A phase as a fingerprint has it: it does not move when a balance does."""
    return "posted" if phase in ("part_settled", "settled") else phase


def master(kind: str, id_: str, content: Content, *, active: bool = True) -> Observed:
    """A master record; fields without a value are left out of the body."""
    phase = "active" if active else "archived"
    body = _body(content)
    return Observed(
        kind,
        id_,
        body,
        digest_text(f"{phase}\n{body}"),
        phase,
        code=content.get("code"),
        name=content.get("name"),
    )


def document(
    kind: str,
    id_: str,
    content: Content,
    phase: str,
    *,
    number: str | None,
    reference: str | None,
    computed: dict[str, str],
    allocations: tuple[LiveAllocation, ...] = (),
) -> Observed:
    body = _body(content)
    return Observed(
        kind,
        id_,
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        number=number,
        reference=reference,
        computed=computed,
        allocations=allocations,
    )


def _body(content: Content) -> str:
    return canonical_json({name: value for name, value in content.items() if value not in (None, "", [], {})})

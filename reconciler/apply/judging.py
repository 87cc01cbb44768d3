"""Reading a live record: is what an operation asked for there, is it still as before, or is it neither?

Pure. The answer is about the record as it was read; what it is worth (stale readings, late landings) is for
`deciding` and `recovery`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_never

from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.kernel.plain import printable
from reconciler.plan.comparing import align, changed_fields, plain
from reconciler.providers.capabilities import KindCapabilities
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Operation,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Found, Inconclusive, LiveAllocation, Lookup, Observed
from reconciler.resources.content import typed, typed_sides
from reconciler.resources.kinds import KINDS, Content

POSTED = frozenset({"posted", "part_settled", "settled"})
DEAD = frozenset({"void", "reversed"})
_ASIDE = frozenset({"state", "number", "allocations", "memo", "attachments"})
"""Not part of what makes a document the same: they have rules of their own, or are only shown."""


class Verdict(StrEnum):
    DONE = "done"
    BEFORE = "before"
    """As it was before the operation."""
    DRAFT = "draft"
    """Created as asked, but not posted yet."""
    OTHER = "other"
    UNCLEAR = "unclear"
    """Looking did not tell."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """`differences` say, field by field, why the verdict is not `done`."""

    verdict: Verdict
    differences: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return "; ".join(self.differences)


_DONE = Judgement(Verdict.DONE)
_BEFORE = Judgement(Verdict.BEFORE)


def judge(
    operation: Operation,
    observed: Observed,
    *,
    reference: str = "",
    number: str | None = None,
    capabilities: KindCapabilities | None = None,
) -> Judgement:
    """What `observed`, the record the operation writes, says about the operation."""
    match operation:
        case Create():
            return _judge_create(operation, observed, reference, number, capabilities)
        case Update():
            return _judge_update(operation, observed)
        case Post():
            return _by_phase(observed, POSTED, frozenset({"draft"}))
        case Void() | Reverse():
            return _by_phase(observed, DEAD, POSTED)
        case Delete():
            return _by_phase(observed, frozenset({"void"}), frozenset({"draft"}))
        case Allocate() | Unallocate():
            return _judge_allocation(operation, observed)
        case Attach():
            names = [item.get("name") for item in observed.content().get("attachments") or ()]
            return _DONE if operation.name in names else _BEFORE
        case _ as unreachable:
            assert_never(unreachable)


def judge_sighting(
    operation: Operation,
    lookup: Lookup,
    *,
    reference: str = "",
    number: str | None = None,
    capabilities: KindCapabilities | None = None,
) -> Judgement:
    """What a look-up says about an operation; nothing there is `before` for a create and `done` for a delete."""
    match lookup:
        case Found(observed=observed):
            return judge(operation, observed, reference=reference, number=number, capabilities=capabilities)
        case Inconclusive(reason):
            return Judgement(Verdict.UNCLEAR, (reason,))
        case _:
            if isinstance(operation, Create):
                return _BEFORE
            if isinstance(operation, Delete):
                return _DONE
            return Judgement(Verdict.UNCLEAR, ("the record it changes is not to be seen",))


def same_document(
    operation: Create,
    observed: Observed,
    *,
    reference: str = "",
    number: str | None = None,
    capabilities: KindCapabilities | None = None,
) -> tuple[str, ...]:
    """Why a live record is not what a create asked for; empty when it is. Compared as in an adoption."""
    if observed.kind != operation.kind:
        return (f"kind: asked {operation.kind}, found {observed.kind}",)
    found: list[str] = []
    theirs = tag_in(observed.reference)
    if reference and observed.reference and theirs != tag_in(reference):
        found.append(_differs("reference", reference, observed.reference))
    if number and observed.number and observed.number != number:
        found.append(_differs("number", number, observed.number))
    aside = _ASIDE
    if capabilities is not None and KINDS[operation.kind].is_document:
        aside = aside | capabilities.amendable.get(observed.phase, frozenset())
    sent = {key: value for key, value in operation.content.items() if key not in aside and "*" not in aside}
    found.extend(_different_fields(operation.kind, sent, observed))
    return tuple(found)


def _judge_create(
    operation: Create, observed: Observed, reference: str, number: str | None, capabilities: KindCapabilities | None
) -> Judgement:
    differences = same_document(operation, observed, reference=reference, number=number, capabilities=capabilities)
    if observed.phase in DEAD:
        differences = (*differences, f"it is {observed.phase}")
    if differences:
        return Judgement(Verdict.OTHER, differences)
    if observed.phase == "draft" and wants_posted(operation):
        return Judgement(Verdict.DRAFT, ("it is still a draft",))
    return _DONE


def wants_posted(operation: Create) -> bool:
    return KINDS[operation.kind].is_document and operation.content.get("state", "posted") == "posted"


def _judge_update(operation: Update, observed: Observed) -> Judgement:
    differences = _different_fields(operation.kind, operation.after, observed)
    if not differences:
        return _DONE
    if not _different_fields(operation.kind, operation.before, observed):
        return _BEFORE
    return Judgement(Verdict.OTHER, tuple(differences))


def _by_phase(observed: Observed, done: frozenset[str], before: frozenset[str]) -> Judgement:
    if observed.phase in done:
        return _DONE
    if observed.phase in before:
        return _BEFORE
    return Judgement(Verdict.OTHER, (f"it is {observed.phase}",))


def settled_of(observed: Observed, kind: str, remote_id: str) -> LiveAllocation:
    """What a source settles of one target in all."""
    of_target = [item for item in observed.allocations if (item.target_kind, item.target_id) == (kind, remote_id)]
    return LiveAllocation(
        kind,
        remote_id,
        sum((item.amount for item in of_target), ZERO),
        None,
        sum((item.discount for item in of_target), ZERO),
        sum((item.write_off for item in of_target), ZERO),
    )


def _judge_allocation(operation: Allocate | Unallocate, observed: Observed) -> Judgement:
    live = settled_of(observed, operation.target_kind, operation.target_id)
    wanted, found = [operation.amount], [live.amount]
    if isinstance(operation, Allocate) and (operation.discount or operation.write_off):
        given_up = Decimal((operation.write_off or {}).get("amount", 0))
        wanted.append(operation.discount + given_up)
        found.append(live.discount + live.write_off)
    if wanted == found:
        return _DONE
    if live.amount == operation.before:
        return _BEFORE
    return Judgement(
        Verdict.OTHER, (_differs("allocated", decimal_text(operation.amount), decimal_text(live.amount)),)
    )


def _different_fields(kind: str, sent: Mapping[str, Any], observed: Observed) -> list[str]:
    """Each top-level field that was sent and is not live with that value."""
    wanted = _comparable(kind, sent)
    try:
        content = typed(kind, observed.content())
    except ValueError:
        return ["the live record cannot be read as one of its kind"]
    live, asked = align(KINDS[kind], content, wanted)
    return [_differs(field, asked[field], live[field]) for field in changed_fields(live, asked)]


def _comparable(kind: str, sent: Mapping[str, Any]) -> Content:
    content: Content = typed_sides(kind, sent)
    if KINDS[kind].is_document and content.get("lines"):
        content["lines"] = [
            {key: value for key, value in line.items() if key != "description"} for line in content["lines"]
        ]
    return content


def _differs(field: str, asked: Any, found: Any) -> str:
    return printable(f"{field}: asked {_shown(asked)}, found {_shown(found)}", 300)


def _shown(value: Any) -> str:
    shown = plain(value)
    return "nothing" if shown in (None, "", [], {}) else str(shown)

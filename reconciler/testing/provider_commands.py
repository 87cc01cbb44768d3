"""Requests as the test provider's ERP takes them: allocations as records, creates in two stages, refusals."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kernel.money import decimal_text
from reconciler.providers.capabilities import Numbering, Verb
from reconciler.providers.ledger.codec import command_for
from reconciler.providers.operations import Allocate, Create, Update, verb_of
from reconciler.providers.protocol import ExecuteRequest
from reconciler.resources.content import decode
from reconciler.resources.kinds import KINDS
from reconciler.resources.tracking import TRACKING_SET, Combination, combination, combinations
from reconciler.sandboxes.ledger.commands import ApplyDocument, Command, CreateRecord, PostDraft
from reconciler.sandboxes.ledger.records import Record
from reconciler.testing.provider_switches import Switches

DRAFTED = "drafted"
"""The stage between drafting and posting."""


def switched_command(request: ExecuteRequest, switches: Switches) -> Command:
    """The ledger's command for a request."""
    operation = request.operation
    if isinstance(operation, Allocate) and switches.allocate == "as_document":
        return ApplyDocument(
            operation.source_kind,
            operation.source_id,
            operation.target_kind,
            operation.target_id,
            operation.amount - operation.before,
            application_reference(request.reference, operation),
            operation.date,
            operation.discount,
            operation.write_off,
        )
    return command_for(request)


def application_reference(reference: str, operation: Allocate) -> str:
    """What an allocation carries as a record of its own: the source's reference, the target and where it began."""
    return f"{reference}>{operation.target_id}@{decimal_text(operation.before)}"


def drafting(request: ExecuteRequest) -> CreateRecord | None:
    """The first of two stages, for a document that is to be posted; None for anything else."""
    operation = request.operation
    if not isinstance(operation, Create) or not KINDS[operation.kind].is_document:
        return None
    if operation.content.get("state") == "draft":
        return None
    content = {key: value for key, value in operation.content.items() if key not in ("allocations", "state")}
    return CreateRecord(operation.kind, content, request.reference, request.number, "draft")


def posting(request: ExecuteRequest, remote_id: str) -> PostDraft:
    """The second stage."""
    operation = request.operation
    assert isinstance(operation, Create)
    return PostDraft(operation.kind, remote_id, "", list(operation.content.get("allocations") or ()))


def refused_here(request: ExecuteRequest, switches: Switches) -> str | None:
    """Why an ERP with these switches refuses a request outright."""
    verb = verb_of(request.operation)
    if verb is Verb.VOID and not switches.can_void:
        return "this ERP voids nothing"
    if verb is Verb.UNALLOCATE and not switches.can_unallocate:
        return "this ERP takes no allocation off"
    if not isinstance(request.operation, Create) or not KINDS[request.operation.kind].is_document:
        return None
    if switches.numbering is Numbering.OURS_REQUIRED and request.number is None:
        return "a number is required"
    if request.operation.content.get("allocations") and not switches.allocate_at_create:
        return "this ERP allocates only what is posted"
    return None


def tracked_by(request: ExecuteRequest) -> frozenset[Combination]:
    """The combinations of tracking values that a request writes on lines and items."""
    operation = request.operation
    if isinstance(operation, Create):
        kind, content = operation.kind, operation.content
    elif isinstance(operation, Update):
        kind, content = operation.kind, operation.after
    else:
        return frozenset()
    return frozenset() if kind == TRACKING_SET else frozenset(combinations(content))


def not_one_set(combined: frozenset[Combination], sets: Sequence[Record]) -> str | None:
    """Why not each of some combinations is that of exactly one active set."""
    active: dict[Combination, list[str]] = {}
    for row in sets:
        if row.phase == "active":
            own = combination(decode(TRACKING_SET, row.body)["tracking"])
            active.setdefault(own, []).append(row.code or row.id)
    for one in sorted(combined):
        if len(found := active.get(one, [])) != 1:
            values = ", ".join(f"{category} {value}" for category, value in one)
            return f"several sets have just {values}" if found else f"no set has just {values}"
    return None

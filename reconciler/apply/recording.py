"""What a commit says when a step is known to have happened: the same words in a run and in recovery.

One list of writes closes the intent and records document, binding, allocations and the group's progress, so
that a crash leaves either none or all of it. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from reconciler.apply.journal import outcome_json
from reconciler.apply.judging import settled_of
from reconciler.apply.mirror import Mirror
from reconciler.apply.tasks import Landed
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.money import decimal_text
from reconciler.plan.model import Role, Step
from reconciler.providers.operations import Allocate, Create, Delete, Reverse, Unallocate, Void, subject
from reconciler.providers.protocol import Observed
from reconciler.state.model import (
    AllocationRow,
    BindingRow,
    CloseIntent,
    DocumentRow,
    DropBinding,
    GroupRow,
    GroupStatus,
    IntentStatus,
    PutAllocation,
    PutBinding,
    PutDocument,
    PutGroup,
    Write,
)

CODEC_VERSION = 1
"""The version of the codec `declared` is written in."""


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step that happened, under a request key."""

    step: Step
    key: str
    landed: Landed

    def fact(self) -> dict[str, Any]:
        """For the history: what was asked, and which ERP record it became."""
        landed = self.landed
        return {
            "step": self.step.id,
            "key": self.key,
            "document": self.step.document_id,
            "remote_id": landed.remote_id,
            "number": landed.number or "",
        }


def done_writes(mirror: Mirror, done: DoneStep, now: str) -> list[Write]:
    """Everything to be committed together when a step is done."""
    step, landed = done.step, done.landed
    outcome = outcome_json(id=landed.remote_id, revision=landed.revision, number=landed.number)
    writes: list[Write] = [CloseIntent(done.key, IntentStatus.DONE, outcome, now)]
    if isinstance(step.operation, Delete) and not step.label:
        return [*writes, DropBinding(step.address)]
    writes.append(PutDocument(_document(mirror, step, landed)))
    writes.extend(_allocations(mirror, step, landed))
    binding = _binding(mirror, step, now, whole=_whole(mirror, step, landed))
    if binding is not None:
        writes.append(PutBinding(binding))
    if step.group is not None and step.group in mirror.groups:
        writes.append(PutGroup(_progress(mirror, step)))
    return writes


def _document(mirror: Mirror, step: Step, landed: Landed) -> DocumentRow:
    existing = mirror.documents.get(step.document_id)
    if existing is None or isinstance(step.operation, Create):
        kind, remote_id = subject(step.operation)
        existing = DocumentRow(
            document_id=step.document_id,
            address=step.address,
            label=step.label,
            role=str(step.role),
            generation=step.generation,
            kind=kind,
            remote_id=remote_id or landed.remote_id,
            number=step.number,
            reference=step.reference,
            revision="",
            fingerprint="",
            phase=_phase_without_reading(step),
        )
    if landed.observed is None:
        phase = step.effect.phase or existing.phase
        return replace(
            existing, revision=landed.revision, number=landed.number or existing.number, fingerprint="", phase=phase
        )
    return as_seen(existing, landed.observed, landed)


def as_seen(row: DocumentRow, observed: Observed, landed: Landed | None = None) -> DocumentRow:
    """A document's row brought up to what was read."""
    return replace(
        row,
        number=observed.number or (landed.number if landed else None) or row.number,
        revision=observed.revision or (landed.revision if landed else ""),
        fingerprint=observed.fingerprint,
        phase=observed.phase,
        body=observed.body,
        computed=canonical_json(dict(observed.computed)),
    )


def _phase_without_reading(step: Step) -> str:
    if step.effect.phase:
        return step.effect.phase
    content = getattr(step.operation, "content", {})
    if step.address.kind in ("invoice", "credit_note", "payment"):
        return str(content.get("state", "posted"))
    return "active"


def _allocations(mirror: Mirror, step: Step, landed: Landed) -> Iterable[Write]:
    operation, effect = step.operation, step.effect
    if isinstance(operation, (Allocate, Unallocate)) and effect.target_document is not None:
        yield _allocation(step.document_id, effect.target_document, operation.amount)
    elif isinstance(operation, (Void, Reverse)):
        for target in mirror.allocations_of(step.document_id):
            yield _allocation(step.document_id, target, Decimal(0))
    for target, amount in effect.allocations:
        yield _allocation(step.document_id, target, _made(mirror, target, amount, landed))


def _made(mirror: Mirror, target: str, amount: Decimal, landed: Landed) -> Decimal:
    """What a create has settled of a target: as asked, or as seen where it may have been finished without."""
    row = mirror.documents.get(target)
    if not landed.as_seen or row is None:
        return amount
    return settled_of(landed.observed, row.kind, row.remote_id).amount if landed.observed else Decimal(0)


def _whole(mirror: Mirror, step: Step, landed: Landed) -> bool:
    """Whether all a create was to settle is settled."""
    return all(_made(mirror, target, amount, landed) == amount for target, amount in step.effect.allocations)


def _allocation(source: str, target: str, amount: Decimal) -> PutAllocation:
    return PutAllocation(AllocationRow(source, target, decimal_text(amount)))


def _binding(mirror: Mirror, step: Step, now: str, *, whole: bool) -> BindingRow | None:
    """The address's row. What is not done in `whole` has no digest, so that the next plan compares values."""
    existing = mirror.bindings.get(step.address)
    effect = step.effect
    begins = isinstance(step.operation, Create) and step.role in (Role.ORIGINAL, Role.REISSUE)
    if effect.declared is None and effect.generation is None and not begins:
        return None
    if existing is None:
        existing = BindingRow(
            step.address, step.document_id, step.address, step.generation, "{}", "", CODEC_VERSION, 0, now
        )
    document = step.document_id if begins else existing.document_id
    generation = effect.generation or (step.generation if begins else existing.generation)
    changed = replace(existing, document_id=document, generation=generation, updated_at=now)
    if effect.declared is None:
        return changed
    return replace(
        changed,
        declared=effect.declared,
        declared_digest=(effect.declared_digest or "") if whole else "",
        codec_version=CODEC_VERSION,
    )


def _progress(mirror: Mirror, step: Step) -> GroupRow:
    """The group's row with this member done."""
    assert step.group is not None
    row = mirror.groups[step.group]
    members = mirror.members(step.group)
    member = (step.document_id, step.operation_key)
    done = max(row.next_member, members.index(member) + 1 if member in members else row.next_member)
    status = GroupStatus.DONE if done == len(members) else row.status
    return replace(row, next_member=done, status=status)

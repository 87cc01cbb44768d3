"""Corrections under way: a plan emits exactly their remaining members, as they were frozen."""

from __future__ import annotations

from dataclasses import replace

from reconciler.plan.draft import Draft
from reconciler.plan.freezing import thaw_members, thaw_proof
from reconciler.plan.model import Action, Group, Reason, Role, Step
from reconciler.plan.tracking_sets import needed
from reconciler.providers.capabilities import Remedy
from reconciler.providers.operations import Create, with_holes_filled
from reconciler.resources.content import replace_references
from reconciler.resources.kinds import KINDS, Content
from reconciler.state.model import GroupRow

_ACTIONS = {Role.CREDIT: Action.CREDIT, Role.SUPPLEMENT: Action.SUPPLEMENT, Role.REISSUE: Action.REISSUE}


def resume(draft: Draft, group: GroupRow) -> None:
    """Emit what is left of an open group; holes of done members are filled from state."""
    members = thaw_members(group.members)
    left = members[group.next_member :]
    made = {step.id: step for step in members}
    steps = [_filled(draft, step, made, {item.id for item in left}) for step in left]
    for step in steps:
        needs = tuple(need for need in step.depends_on if need in {s.id for s in steps})
        draft.add_step(replace(step, depends_on=(*needs, *sorted(_sets_needed(draft, step)))))
    proof = thaw_proof(group.proof)
    draft.groups.append(
        Group(
            group.id,
            group.address,
            Remedy(group.remedy),
            group.reason,
            tuple(s.id for s in steps),
            proof,
            resumed=True,
        )
    )
    chain = draft.index.chains.get(group.address)
    if chain is not None:
        draft.corrected.add(chain.id)
        for row in chain.documents:
            draft.use(chain, row, draft.index.live(row))
    for step in steps:
        after: Content | None = step.operation.content if isinstance(step.operation, Create) else None
        action = _ACTIONS.get(step.role, Action.UPDATE) if after is not None else Action.UPDATE
        if after is None and step is not steps[0]:
            continue
        draft.change(
            group.address,
            action,
            Reason.CORRECTION_RESUMED,
            label=step.label,
            steps=(step.id,),
            group=group.id,
            detail=f"finish the {group.remedy.replace('_', ' ')}: {group.reason}",
            after=None,
            number=step.number,
        )


def _sets_needed(draft: Draft, step: Step) -> set[str]:
    """Steps that make the tracking sets of a member's lines, where they are still to be made."""
    operation = step.operation
    if not isinstance(operation, Create):
        return set()
    index, connection = draft.index, step.address.connection
    content = replace_references(
        KINDS[operation.kind],
        operation.content,
        lambda reference: index.identity_of_any(connection, reference.kinds, reference.name),
    )
    return needed(draft, step.address, operation.kind, content)


def _filled(draft: Draft, step: Step, made: dict[str, Step], left: set[str]) -> Step:
    values: dict[tuple[str | int, ...], str] = {}
    for hole in step.holes:
        if hole.step in left:
            continue
        row = draft.inputs.state.documents.get(made[hole.step].document_id) if hole.step in made else None
        if row is not None:
            values[hole.place] = row.remote_id
    if not values:
        return step
    return replace(
        step,
        operation=with_holes_filled(step.operation, values),
        holes=tuple(hole for hole in step.holes if hole.place not in values),
    )

"""Which tracking set a line means: a live one, one that this plan makes, or none, and then what to do about it.

Only where a connection keeps each combination of tracking values as a record of its own (`Index.keeps_sets`);
elsewhere every question here is answered with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.kernel.address import Address
from reconciler.plan.desired import Desired, desired_of, resolve_all
from reconciler.plan.draft import Draft, step_id
from reconciler.plan.implied_sets import imply, refusal, value_problem, widening
from reconciler.plan.model import Reason
from reconciler.plan.set_tables import SetTable
from reconciler.plan.set_words import in_words, set_label
from reconciler.providers.operations import Update
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content
from reconciler.resources.tracking import TRACKING_SET, Combination, combination, combinations

Problem = tuple[Reason, str, str]


@dataclass(frozen=True, slots=True)
class Meant:
    """The one set a combination is: live, or declared and yet to be made. `after`: the steps it must wait for."""

    row: Observed | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nobodys:
    """No set is this combination, and nobody has declared one."""


def table(draft: Draft, connection: str) -> SetTable:
    found = draft.sets.get(connection)
    if found is None:
        found = draft.sets[connection] = SetTable.build(draft.index, connection)
    return found


def meant(draft: Draft, connection: str, combined: Combination) -> Meant | Nobodys | Problem:
    """The set a combination is, or why that cannot be said."""
    sets = table(draft, connection)
    rows = sets.live.get(combined, ())
    if not rows:
        return _declared(draft, connection, combined, sets.declared.get(combined, ()))
    active = [(row, after) for row, status, after in _as_planned(draft, connection, rows) if status == "active"]
    if len(active) == 1:
        return Meant(*active[0])
    words = in_words(draft.index, connection, combined)
    if active:
        ids = ", ".join(set_label(row) for row, _ in active)
        return (
            Reason.REFERENCE_UNRESOLVED,
            f"{words} is what several tracking sets of the ERP have: {ids}",
            "Archive all but one of them.",
        )
    ids = ", ".join(set_label(row) for row in rows)
    return (
        Reason.REFERENCE_UNRESOLVED,
        f"{words} is what the tracking set {ids} has, which is archived",
        "Make it active again, or track the lines by other values.",
    )


def _as_planned(
    draft: Draft, connection: str, rows: tuple[Observed, ...]
) -> Iterator[tuple[Observed, str, tuple[str, ...]]]:
    """Live sets with the status they will have, and the step of this plan that changes it."""
    for row in rows:
        owner = draft.index.owners.get((connection, TRACKING_SET, row.remote_id))
        step = draft.steps.get(step_id(owner[0].address, "", "update")) if owner else None
        if step is not None and isinstance(step.operation, Update) and "status" in step.operation.after:
            yield row, str(step.operation.after["status"]), (step.id,)
        else:
            yield row, row.phase, ()


def _declared(
    draft: Draft, connection: str, combined: Combination, addresses: tuple[Address, ...]
) -> Meant | Nobodys | Problem:
    """A set that is declared and not in the ERP as it is declared."""
    if not addresses:
        return Nobodys()
    address, words = addresses[0], in_words(draft.index, connection, combined)
    creator = draft.creators.get(draft.index.identity(address))
    if len(addresses) > 1 or address in draft.blocked or creator is None:
        names = " and ".join(draft.label(one) for one in addresses)
        verb = "are" if len(addresses) > 1 else "is"
        return (
            Reason.REFERENCE_BLOCKED,
            f"{words} is what {names} {verb} declared to have, which {verb} blocked",
            "Settle that first.",
        )
    if draft.index.declared[address].content().get("status") == "archived":
        return (
            Reason.REFERENCE_UNRESOLVED,
            f"{words} is what {draft.label(address)} has, which is declared archived",
            "Declare it active, or track the lines by other values.",
        )
    return Meant(after=(creator,))


def selected_with(draft: Draft, address: Address) -> list[Address]:
    """The declared sets that a declared resource's lines mean: a target needs them as it needs its references."""
    index = draft.index
    resource = index.declared[address]
    tracked = any("tracking_category" in kinds for kinds, _ in resource.references)
    if not tracked or address.kind == TRACKING_SET or not index.keeps_sets(address.connection):
        return []
    if resolve_all(index, resource)[1]:
        return []
    declared = table(draft, address.connection).declared
    content = desired_of(index, resource, "").content
    return [other for combined in combinations(content) for other in declared.get(combined, ())]


def problem(draft: Draft, address: Address, content: Content) -> Problem | None:
    """Why the lines of a content (or a master's own tracking) cannot be written: a combination that is no set's."""
    if not draft.index.keeps_sets(address.connection) or address.kind == TRACKING_SET:
        return None
    for combined in combinations(content):
        found = meant(draft, address.connection, combined)
        problem_of = refusal(draft, address.connection, combined) if isinstance(found, Nobodys) else found
        if isinstance(problem_of, tuple):
            return problem_of
    return None


def needed(draft: Draft, user: Address, kind: str, content: Content) -> set[str]:
    """The steps of this plan that a write of `content` (identity space) has to wait for, beside its references'.

    A set that nobody has is made by one of them, for `user`'s lines: `problem` has had nothing against it.
    """
    index, connection = draft.index, user.connection
    if not index.keeps_sets(connection):
        return set()
    if kind == TRACKING_SET:
        return widening(draft, content)
    found: set[str] = set()
    for combined in combinations(content):
        one = meant(draft, connection, combined)
        if isinstance(one, Nobodys) and refusal(draft, connection, combined) is None:
            found.add(imply(draft, user, combined))
        elif isinstance(one, Meant):
            found.update(one.after)
            owner = index.owners.get((connection, TRACKING_SET, one.row.remote_id)) if one.row else None
            if owner is not None:
                draft.use(*owner, one.row)
    return found


def set_problem(draft: Draft, desired: Desired) -> Problem | None:
    """Why a declared set cannot be made: a value that its category does not have."""
    connection = desired.resource.address.connection
    return value_problem(draft, connection, combination(desired.content["tracking"]))


# ---- matching ----


def same_tracking(draft: Draft, desired: Desired) -> tuple[list[Observed], list[Address]]:
    """What has just the tracking of a declared set: live sets, and other declared ones."""
    address = desired.resource.address
    combined = combination(desired.content["tracking"])
    sets = table(draft, address.connection)
    others = [other for other in sets.declared.get(combined, ()) if other != address]
    return list(sets.live.get(combined, ())), others

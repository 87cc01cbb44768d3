"""A Plan in Terraform's documented JSON plan representation, and back.

`resource_changes` has one entry per document, with single Terraform verbs only, so that tools made for
Terraform plans read ours. The extension object `reconciler` holds the whole plan; a change's `before` and
`after` are left out there when its entry already has them. Reading bytes and checking digests: `plan_file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.kernel.address import Address
from reconciler.plan.encoding import Misfit, decode, encode
from reconciler.plan.model import Action, Change, Drift, Plan

FORMAT_VERSION = "1.2"
TERRAFORM_VERSION = "1.11.4"
EXTENSION = "reconciler"
EXTENSION_VERSION = 1

_VERBS: dict[Action, str] = {
    Action.NO_OP: "no-op",
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.POST: "update",
    Action.ALLOCATE: "update",
    Action.UNALLOCATE: "update",
    Action.ADOPT: "no-op",
    Action.NOTE: "update",
    Action.CREDIT: "create",
    Action.SUPPLEMENT: "create",
    Action.REISSUE: "create",
    Action.REVERSE: "delete",
    Action.VOID: "delete",
    Action.DISCARD: "delete",
    Action.FORGET: "no-op",
    Action.MOVE: "no-op",
    Action.BLOCKED: "no-op",
}
_STRENGTH = ("create", "delete", "update", "no-op")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Context:
    """What every entry needs of its plan: provider names by connection, remedies by group."""

    default_connection: str | None
    providers: Mapping[str, str]
    remedies: Mapping[str, str]


def terraform_verb(action: Action) -> str:
    """The one Terraform action an action of ours is shown as."""
    return _VERBS[action]


def to_document(plan: Plan) -> Document:
    """The plan as a JSON-like document. `reconciler.digest` is left empty: `plan_file` fills it."""
    changes = [encode(change) for change in plan.changes]
    entries = _entries(plan, changes)
    return {
        "format_version": FORMAT_VERSION,
        "terraform_version": TERRAFORM_VERSION,
        "planned_values": {"root_module": {}},
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": TERRAFORM_VERSION,
            "values": {"root_module": {}},
        },
        "configuration": {"root_module": {}},
        "resource_changes": list(entries.values()),
        "resource_drift": _drift_entries(plan),
        "timestamp": plan.created_at,
        "applyable": plan.has_work,
        "complete": plan.complete,
        "errored": False,
        EXTENSION: {"version": EXTENSION_VERSION, "digest": "", "plan": _stored(plan, changes, entries)},
    }


def from_document(document: Mapping[str, Any]) -> Plan:
    """The inverse of `to_document`. Raises ValueError that says what does not fit, and where.

    What lies outside the extension is believed only as far as `plan_file` compares it byte by byte.
    """
    extension = document.get(EXTENSION)
    stored = extension.get("plan") if isinstance(extension, dict) else None
    if not isinstance(stored, dict):
        raise Misfit("lacks the plan", EXTENSION)
    entries = _entries_of(document)
    connection = stored.get("default_connection")
    changes = stored.get("changes", [])
    if isinstance(changes, list):
        changes = [_restored(change, entries, connection) for change in changes]
    try:
        plan = decode(Plan, {**stored, "changes": changes} if changes else stored)
    except Misfit as misfit:
        raise misfit.inside("plan").inside(EXTENSION) from None
    assert isinstance(plan, Plan)
    return plan


# ---- the extension ----------------------------------------------------------------------------------------


def _stored(plan: Plan, changes: list[Document], entries: Mapping[str, Document]) -> Document:
    stored: Document = encode(replace(plan, changes=()))
    for change, kept in zip(plan.changes, changes, strict=True):
        shown = entries[change.label_of(plan.default_connection)]["change"]
        for side in ("before", "after"):
            if kept.get(side) == shown[side]:
                kept.pop(side, None)
            else:
                kept.setdefault(side, None)
    if changes:
        stored["changes"] = changes
    return stored


def _entries_of(document: Mapping[str, Any]) -> dict[str, Document]:
    found = document.get("resource_changes")
    if not isinstance(found, list):
        raise Misfit("should be a list", "resource_changes")
    entries = {}
    for index, entry in enumerate(found):
        change = entry.get("change") if isinstance(entry, dict) else None
        if not isinstance(change, dict) or not {"before", "after"} <= change.keys() or "address" not in entry:
            raise Misfit("should be a change with an address, before and after", f"resource_changes[{index}]")
        entries[str(entry["address"])] = change
    return entries


def _restored(stored: Any, entries: Mapping[str, Document], connection: Any) -> Any:
    """A stored change with the `before` and `after` that only its entry has."""
    if not isinstance(stored, dict) or not isinstance(stored.get("address"), str):
        return stored
    try:
        root = Address.parse(stored["address"]).label(connection)
    except ValueError:
        return stored
    shown = entries.get(f"{root}/{stored['label']}" if stored.get("label") else root)
    if shown is None:
        raise Misfit(f"has no entry for {root[:200]}", "resource_changes")
    restored = dict(stored)
    for side in ("before", "after"):
        restored.setdefault(side, shown[side])
    return restored


# ---- entries ----------------------------------------------------------------------------------------------


def _entries(plan: Plan, encoded: list[Document]) -> dict[str, Document]:
    """One entry per document; several changes of one document (an update and an allocation) share theirs."""
    sharing: dict[str, list[int]] = {}
    for index, change in enumerate(plan.changes):
        sharing.setdefault(change.label_of(plan.default_connection), []).append(index)
    context = _Context(
        plan.default_connection,
        {row.connection: row.provider for row in plan.companies},
        {group.id: group.remedy.value for group in plan.groups},
    )
    return {
        label: _entry(label, [plan.changes[i] for i in rows], [encoded[i] for i in rows], context)
        for label, rows in sharing.items()
    }


def _entry(label: str, changes: list[Change], encoded: list[Document], context: _Context) -> Document:
    first = changes[0]
    entry: Document = {
        **_identity(label, first.address, first.label, context.providers),
        "change": _shown_change(changes, encoded[0].get("before"), encoded[-1].get("after")),
        EXTENSION: _true_change(first, context.remedies),
    }
    if len(changes) > 1:
        entry[EXTENSION]["also"] = [_true_change(change, context.remedies) for change in changes[1:]]
    if origin := _origin(first):
        entry["previous_address"] = origin.label(context.default_connection)
    return entry


def _identity(label: str, address: Address, chain_label: str, providers: Mapping[str, str]) -> Document:
    return {
        "address": label,
        "mode": "managed",
        "type": address.kind,
        "name": f"{address.name}/{chain_label}" if chain_label else address.name,
        "provider_name": f"reconciler/{providers.get(address.connection, address.connection)}",
    }


def _shown_change(changes: list[Change], before: Any, after: Any) -> Document:
    verb = min((_VERBS[change.action] for change in changes), key=_STRENGTH.index)
    if verb == "no-op":
        before = after = before if before is not None else after if _is_kept(changes[0]) else None
    elif verb == "create":
        before = None
    elif verb == "delete":
        after = None
    shown: Document = {
        "actions": [verb],
        "before": before,
        "after": after,
        "after_unknown": {"id": True} if verb == "create" else {} if verb != "delete" else False,
        "before_sensitive": False if before is None else {},
        "after_sensitive": False if after is None else {},
    }
    if changes[0].action is Action.ADOPT and changes[0].remote_id:
        shown["importing"] = {"id": changes[0].remote_id}
    return shown


def _is_kept(change: Change) -> bool:
    """Whether a no-op's document exists, so that its `after` is also what it was."""
    return change.action is not Action.BLOCKED


def _origin(change: Change) -> Address | None:
    """Where a moved resource was: its change's `address` field has it as `before`."""
    if change.action is not Action.MOVE:
        return None
    for item in change.fields:
        if item.path == "address" and isinstance(item.before, str):
            try:
                return Address.parse(item.before, change.address.connection)
            except ValueError:
                return None
    return None


def _true_change(change: Change, groups: Mapping[str, str]) -> Document:
    """The extension of one entry: what really happens, for policies that know us."""
    facts: Document = {
        "action": change.action.value,
        "reason": change.reason.value,
        "steps": list(change.steps),
        "group_id": change.group,
        "remedy": groups.get(change.group or ""),
        "remedies": [{"remedy": offer.remedy.value, "flag": offer.flag} for offer in change.offers],
        "detail": change.detail,
        "phase": change.phase,
        "number": change.number,
        "irreversible": change.irreversible,
        "receivable": encode(change.receivable),
    }
    return {key: value for key, value in facts.items() if value not in (None, "", [], {}, False)}


def _drift_entries(plan: Plan) -> list[Document]:
    providers = {row.connection: row.provider for row in plan.companies}
    return [_drift_entry(drift, plan.default_connection, providers) for drift in _grouped(plan.drift)]


def _grouped(drifts: Iterable[Drift]) -> Iterable[list[Drift]]:
    sharing: dict[tuple[Address, str], list[Drift]] = {}
    for drift in drifts:
        sharing.setdefault((drift.address, drift.label), []).append(drift)
    return sharing.values()


def _drift_entry(drifts: list[Drift], connection: str | None, providers: Mapping[str, str]) -> Document:
    first = drifts[0]
    root = first.address.label(connection)
    vanished = any(drift.kind == "vanished" for drift in drifts)
    before = {item.path: encode(item.before) for drift in drifts for item in drift.fields}
    after = {item.path: encode(item.after) for drift in drifts for item in drift.fields}
    label = f"{root}/{first.label}" if first.label else root
    return {
        **_identity(label, first.address, first.label, providers),
        "change": {
            "actions": ["delete" if vanished else "update"],
            "before": before,
            "after": None if vanished else after,
            "after_unknown": False if vanished else {},
            "before_sensitive": {},
            "after_sensitive": False if vanished else {},
        },
        EXTENSION: {"drift": [{"kind": drift.kind, "detail": drift.detail} for drift in drifts]},
    }

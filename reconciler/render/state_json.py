"""What state knows, for machines. Keys are stable: they are added to, never renamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.plan.encoding import encode
from reconciler.workflows.stating import AddressState, BindingSummary, HistoryEntry, Verification


def bindings_document(rows: Sequence[BindingSummary]) -> dict[str, Any]:
    """`{"addresses": [{address, document_id, remote_id, number, phase, generation, revision, …}]}`."""
    return {"addresses": [_whole(row) for row in rows]}


def address_document(state: AddressState) -> dict[str, Any]:
    """`{binding, documents, allocations, unsettled, groups}`; bodies are JSON texts, as stored."""
    return {
        "binding": _whole(state.binding),
        "documents": [_whole(row) for row in state.documents],
        "allocations": [_whole(row) for row in state.allocations],
        "unsettled": [_whole(row) for row in state.unsettled],
        "groups": [_whole(row) for row in state.groups],
    }


def history_document(entries: Sequence[HistoryEntry]) -> dict[str, Any]:
    """`{"entries": [{serial, hash, entry}]}`."""
    return {"entries": [{"serial": item.serial, "hash": item.hash, "entry": dict(item.entry)} for item in entries]}


def verification_document(found: Verification) -> dict[str, Any]:
    """`{entries, head, ok, problems}`."""
    return {
        "entries": found.entries,
        "head": found.head,
        "ok": not found.problems,
        "problems": list(found.problems),
    }


def _whole(row: Any) -> dict[str, Any]:
    """Every field, also those that have their default."""
    return {name: encode(getattr(row, name)) for name in type(row).__dataclass_fields__}

"""Looking into the state: list, show, export, history, lock; and forcing a dead run's lock open.

Takes a Store, returns values; opening and closing it, and printing, are others' duty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import StateError
from reconciler.state.history import verify_history
from reconciler.state.model import AllocationRow, BindingRow, DocumentRow, GroupRow, IntentRow
from reconciler.state.protocol import LockInfo, Store
from reconciler.workflows.portable import EXPORT_FORMAT, JSON_COLUMNS, opened_json, sealed


@dataclass(frozen=True, slots=True)
class BindingSummary:
    """One line of `state list`: an address and its current document. `documents`: how many its chain has."""

    address: Address
    document_id: str
    remote_id: str
    number: str | None
    phase: str
    generation: int
    revision: int
    documents: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class AddressState:
    """All the state knows of one address; documents in chain order, with bodies."""

    binding: BindingRow
    documents: tuple[DocumentRow, ...]
    allocations: tuple[AllocationRow, ...]
    unsettled: tuple[IntentRow, ...]
    groups: tuple[GroupRow, ...]
    others: Mapping[str, DocumentRow] = field(default_factory=dict)
    """The documents of other addresses that its allocations name, by document id; without bodies."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    serial: int
    hash: str
    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """What `history verify` found. `problems` is empty when the chain holds."""

    entries: int
    head: str
    problems: tuple[str, ...]


def list_bindings(store: Store, *, connection: str | None = None, kind: str | None = None) -> list[BindingSummary]:
    """The bound addresses, in address order; of one connection or kind when given."""
    view = store.view()
    counts: dict[Address, int] = {}
    for document in view.documents.values():
        counts[document.address] = counts.get(document.address, 0) + 1
    return [
        _summary(binding, view.documents.get(binding.document_id), counts.get(address, 0))
        for address, binding in sorted(view.bindings.items())
        if connection in (None, address.connection) and kind in (None, address.kind)
    ]


def _summary(binding: BindingRow, current: DocumentRow | None, documents: int) -> BindingSummary:
    return BindingSummary(
        address=binding.address,
        document_id=binding.document_id,
        remote_id=current.remote_id if current else "",
        number=current.number if current else None,
        phase=current.phase if current else "",
        generation=binding.generation,
        revision=binding.revision,
        documents=documents,
        updated_at=binding.updated_at,
    )


def show(store: Store, address: Address) -> AddressState:
    """Everything about one address. Raises StateError when it is not bound."""
    view = store.view()
    binding = view.bindings.get(address)
    if binding is None:
        hint = nearest(str(address), (str(known) for known in view.bindings))
        raise StateError(f"{address} is not in the state", hint=hint)
    ids = [document.document_id for document in view.documents.values() if document.address == address]
    documents = sorted(store.document_bodies(ids).values(), key=chain_order)
    own = frozenset(ids)
    allocations = tuple(
        AllocationRow(source, target, amount)
        for (source, target), amount in sorted(view.allocations.items())
        if source in own or target in own
    )
    named = {end for row in allocations for end in (row.source_document, row.target_document)} - own
    return AddressState(
        binding=binding,
        documents=tuple(documents),
        allocations=allocations,
        unsettled=tuple(intent for intent in view.unsettled if intent.address == address),
        groups=tuple(group for group in view.groups if group.address == address),
        others={name: view.documents[name] for name in sorted(named) if name in view.documents},
    )


def chain_order(document: DocumentRow) -> tuple[int, bool, str, int, str]:
    """A generation's own document first, then what corrected it: `credit.2` before `credit.10`."""
    word, _, number = document.label.partition(".")
    correction = document.role in ("credit", "supplement")
    place = int(number) if number.isascii() and number.isdigit() else 0
    return document.generation, correction, word, place, document.document_id


def export_document(store: Store) -> dict[str, Any]:
    """The whole state as JSON-like data in a stable order, sealed by a digest; without the lock, which is not
    part of it."""
    view = store.view()
    bodies = store.document_bodies(view.documents)
    document = {
        "format": EXPORT_FORMAT,
        "meta": asdict(view.meta),
        "bindings": [_plain(binding) for _, binding in sorted(view.bindings.items())],
        "documents": [_plain(bodies.get(key, row)) for key, row in sorted(view.documents.items())],
        "allocations": [
            {"source_document": source, "target_document": target, "amount": amount}
            for (source, target), amount in sorted(view.allocations.items())
        ],
        "attempts": [
            {"document_id": document, "operation_key": operation, "attempt": attempt}
            for (document, operation), attempt in sorted(view.attempts.items())
        ],
        "intents": [{**_plain(intent), "stages": _stages(store, intent.key)} for intent in store.intents()],
        "groups": [_plain(group) for group in store.groups()],
        "runs": [_plain(run) for run in store.runs()],
        "history": [_plain(row) for row in store.history() if row.serial <= view.meta.serial],
    }
    return sealed(document)


def export(store: Store) -> str:
    """The whole state as canonical JSON: equal states have equal texts."""
    return canonical_json(export_document(store))


def _stages(store: Store, key: str) -> list[dict[str, Any]]:
    return [{"stage": stage, "data": dict(data)} for stage, data in store.stages(key)]


def _plain(row: Any) -> dict[str, Any]:
    """A row as JSON-like data: addresses as text, columns that hold JSON as what they hold."""
    names = type(row).__dataclass_fields__
    return {name: _value(name, getattr(row, name)) for name in names}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Address):
        return str(value)
    return opened_json(value) if name in JSON_COLUMNS else value


def history_entries(store: Store) -> list[HistoryEntry]:
    """The history, oldest first. Raises StateError for an entry that is not JSON; `verify` says more."""
    return [HistoryEntry(row.serial, row.hash, _entry(row.serial, row.entry)) for row in store.history()]


def _entry(serial: int, text: str) -> Mapping[str, Any]:
    try:
        entry = parse_canonical(text)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise StateError(f"history entry {serial} is not a JSON object", hint="Run: reconciler history verify")
    return entry


def verify(store: Store) -> Verification:
    """Recompute the hash chain from its first entry to the head."""
    meta = store.meta()
    return Verification(meta.serial, meta.head, tuple(verify_history(store)))


def lock_info(store: Store) -> LockInfo | None:
    """Who holds the lock; an expired lock is still shown, until someone takes it over."""
    return store.lock_info()


def force_unlock(store: Store, lock_id: str, *, by: str) -> LockInfo:
    """Open the lock whose id is given and return what it was. Raises StateError for any other id."""
    held = store.lock_info()
    store.force_unlock(lock_id, by=by)
    if held is None:  # taken and released between the two looks; `force_unlock` saw it held
        raise StateError("the lock changed hands meanwhile", hint="Look at it again.")
    return held

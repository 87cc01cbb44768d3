"""The part of a plan that changes state alone: rename, adopt, forget, note. One commit, before any step.

Doing it again changes nothing, so an interrupted plan may come here twice. It writes nothing to an ERP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.apply.books import Books, Live, read
from reconciler.apply.context import Run
from reconciler.apply.mirror import Mirror
from reconciler.apply.recording import CODEC_VERSION, as_seen
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.errors import PlanRefused
from reconciler.kernel.money import decimal_text
from reconciler.plan.model import Bookkeeping, BookkeepingKind, Plan
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import Observed
from reconciler.state.model import (
    AllocationRow,
    BindingRow,
    DocumentRow,
    DropBinding,
    MoveBinding,
    PutAllocation,
    PutBinding,
    PutDocument,
    Write,
)

EVENT = "bookkeeping"


def keep_books(run: Run, plan: Plan) -> int:
    """Make every change to state the plan has; returns how many were made now."""
    due = due_items(run, plan.bookkeeping)
    adopted = [item for item in due if item.kind is BookkeepingKind.ADOPT]
    return keep_items(run, due, _read_adopted(run.books, adopted)) if due else 0


def due_items(run: Run, items: Sequence[Bookkeeping]) -> list[Bookkeeping]:
    """Those that state does not say yet."""
    return [item for item in items if not _kept(run.journal.mirror, item)]


def keep_items(run: Run, due: Sequence[Bookkeeping], live: Mapping[tuple[str, Live], Observed]) -> int:
    """One commit of all that is due. `live`: every record adopted, by connection, kind and id, as just read."""
    mirror = run.journal.mirror
    writes: list[Write] = []
    for item in due:
        made = _writes(mirror, item, live, run.journal.now())
        mirror.follow(made)
        writes.extend(made)
    facts = [{"kind": str(item.kind), "address": str(item.address), "document": item.document_id} for item in due]
    writes.append(run.journal.entry(EVENT, plan=run.journal.plan_digest, items=facts))
    run.journal.commit(writes, followed=True)
    return len(due)


def _kept(mirror: Mirror, item: Bookkeeping) -> bool:
    """Whether state says so already."""
    binding = mirror.bindings.get(item.address)
    match item.kind:
        case BookkeepingKind.MOVE:
            return binding is None and item.destination in mirror.bindings
        case BookkeepingKind.ADOPT:
            document = mirror.documents.get(item.document_id)
            return binding is not None and document is not None and document.remote_id == item.remote_id
        case BookkeepingKind.FORGET:
            return binding is None
        case _:
            return binding is not None and binding.declared == item.declared


def _read_adopted(books: Mapping[str, Books], items: list[Bookkeeping]) -> dict[tuple[str, Live], Observed]:
    wanted: dict[str, list[Live]] = {}
    for item in items:
        wanted.setdefault(item.address.connection, []).append((_kind(item), item.remote_id))
    found: dict[tuple[str, Live], Observed] = {}
    for connection, places in wanted.items():
        try:
            rows = read(books[connection], places)
        except ProviderError as error:
            raise PlanRefused("what the plan adopts cannot be read", why=error.message) from error
        for place in places:
            if place not in rows:
                raise PlanRefused(f"the {place[0]} {place[1]} that the plan adopts is no longer there")
            found[connection, place] = rows[place]
    return found


def _kind(item: Bookkeeping) -> str:
    return "credit_note" if item.label.startswith("credit.") else item.address.kind


def _writes(mirror: Mirror, item: Bookkeeping, live: Mapping[tuple[str, Live], Observed], now: str) -> list[Write]:
    match item.kind:
        case BookkeepingKind.MOVE:
            assert item.destination is not None
            return [MoveBinding(item.address, item.destination)]
        case BookkeepingKind.FORGET:
            return [DropBinding(item.address)]
        case BookkeepingKind.NOTE:
            return [PutBinding(_declared(mirror.bindings[item.address], item, now))]
        case _:
            observed = live[item.address.connection, (_kind(item), item.remote_id)]
            return _adopted(mirror, item, observed, now)


def _declared(row: BindingRow, item: Bookkeeping, now: str) -> BindingRow:
    return replace(
        row,
        declared=item.declared if item.declared is not None else row.declared,
        declared_digest=item.declared_digest if item.declared_digest is not None else row.declared_digest,
        codec_version=CODEC_VERSION,
        updated_at=now,
    )


def _adopted(mirror: Mirror, item: Bookkeeping, observed: Observed, now: str) -> list[Write]:
    row = DocumentRow(
        document_id=item.document_id,
        address=item.address,
        label=item.label,
        role=str(item.role),
        generation=item.generation,
        kind=observed.kind,
        remote_id=observed.remote_id,
        number=item.number,
        reference=item.reference or observed.reference or "",
        revision=observed.revision,
        fingerprint=observed.fingerprint,
        phase=observed.phase,
        computed=canonical_json(dict(observed.computed)),
    )
    writes: list[Write] = [PutDocument(as_seen(row, observed))]
    existing = mirror.bindings.get(item.address)
    if existing is None or item.role in ("original", "reissue"):
        first = existing.first_address if existing else item.first_address or item.address
        fresh = BindingRow(item.address, item.document_id, first, item.generation, "{}", "", CODEC_VERSION, 0, now)
        writes.append(PutBinding(_declared(fresh, item, now)))
    for target, amount in item.allocations:
        writes.append(PutAllocation(AllocationRow(item.document_id, target, decimal_text(amount))))
    return writes

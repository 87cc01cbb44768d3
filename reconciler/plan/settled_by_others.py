"""Drift of balances: what somebody else's payments and credit notes settle of our documents. Never undone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.plan.draft import Draft
from reconciler.plan.index import Chain
from reconciler.plan.model import Drift
from reconciler.plan.standing import DEAD
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import KINDS
from reconciler.state.model import DocumentRow


def note_settlement_by_others(draft: Draft) -> None:
    """List each owned document that an unmanaged record settles in part or in full: it is owed less than we did."""
    found: dict[str, dict[str, Decimal]] = {}
    owners: dict[str, tuple[Chain, DocumentRow]] = {}
    for source, chain, row, amount in _settled(draft):
        name = f"{source.kind.replace('_', ' ')} {source.number or source.remote_id}"
        owners[row.document_id] = chain, row
        by_source = found.setdefault(row.document_id, {})
        by_source[name] = by_source.get(name, ZERO) + amount
    for document, by_source in found.items():
        chain, row = owners[document]
        words = ", ".join(f"{decimal_text(amount)} by {name}" for name, amount in sorted(by_source.items()))
        draft.drift.append(
            Drift(chain.address, "allocation", f"settled in the ERP, not by us: {words}", label=row.label)
        )


def _settled(draft: Draft) -> Iterator[tuple[Observed, Chain, DocumentRow, Decimal]]:
    index = draft.index
    for connection, snapshot in index.inputs.snapshot.items():
        for kind in KINDS.values():
            if not kind.has_allocations:
                continue
            for source in snapshot.rows.get(kind.name, {}).values():
                if not source.allocations or source.phase in DEAD:
                    continue
                if (connection, kind.name, source.remote_id) in index.owners:
                    continue
                for item in source.allocations:
                    owner = index.owners.get((connection, item.target_kind, item.target_id))
                    if owner is not None and _selected(draft, owner[0]):
                        yield source, owner[0], owner[1], item.amount + item.discount + item.write_off


def _selected(draft: Draft, chain: Chain) -> bool:
    return draft.selected is None or chain.address in draft.selected

"""What is in the books and declared by nobody: counted, and listed where that was asked for. It plans nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reconciler.kernel.address import Address, check_name
from reconciler.kernel.identity import Tagged, tag_in, tag_of
from reconciler.plan.index import Index
from reconciler.plan.model import Unmanaged
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import KINDS, rank

_ADOPTABLE = frozenset({"posted", "part_settled", "settled"})


def unmanaged_counts(index: Index, *, documents: bool = True) -> dict[str, int]:
    """Live documents (or master data) nobody declares, per `connection:kind`, of kinds that were read whole."""
    counts: dict[str, int] = {}
    for connection, kind, rows in _strays(index, documents):
        if rows:
            counts[f"{connection}:{kind}"] = len(rows)
    return counts


def unmanaged_documents(index: Index) -> tuple[Unmanaged, ...]:
    """Each of them, by connection, kind, date and number."""
    found = [_described(index, connection, row) for connection, _, rows in _strays(index, True) for row in rows]
    return tuple(
        sorted(found, key=lambda item: (item.connection, rank(item.kind), item.day, item.number, item.remote_id))
    )


def _strays(index: Index, documents: bool) -> Iterator[tuple[str, str, list[Observed]]]:
    """What a request under way may just have made is nobody's stray: recovery binds it."""
    inputs = index.inputs
    under_way = {tag_of(inputs.project, row.document_id) for row in inputs.state.unsettled}
    for connection, shot in sorted(index.inputs.snapshot.items()):
        for kind, rows in sorted(shot.rows.items()):
            if kind in KINDS and KINDS[kind].is_document is documents and kind in shot.complete:
                yield (
                    connection,
                    kind,
                    [
                        row
                        for id_, row in rows.items()
                        if (connection, kind, id_) not in index.owners
                        and not (under_way and tag_in(row.reference) in under_way)
                    ],
                )


def _described(index: Index, connection: str, row: Observed) -> Unmanaged:
    content = row.content()
    name = row.number or row.remote_id
    why = _why_not(index, row, name)
    return Unmanaged(
        connection,
        row.kind,
        row.remote_id,
        row.phase,
        row.number or "",
        _customer(index, connection, content),
        _date(content),
        str(content.get("currency") or ""),
        _amount(row, "total", content.get("amount")),
        _amount(row, "open", None),
        "" if why else Address(connection, row.kind, name).label(index.inputs.default_connection),
        why,
    )


def _why_not(index: Index, row: Observed, name: str) -> str:
    tagged = Tagged.read(row.reference, index.inputs.project)
    if tagged.tag is not None and not tagged.ours:
        return "another project's"
    if row.phase not in _ADOPTABLE:
        return row.phase
    return f"its number {problem}" if (problem := check_name(name)) else ""


def _customer(index: Index, connection: str, content: dict[str, Any]) -> str:
    remote_id = content.get("customer")
    if not isinstance(remote_id, str):
        return ""
    return index.display(connection, ("customer",), index.identity_of_row(connection, "customer", remote_id))


def _date(content: dict[str, Any]) -> str:
    return str(content.get("issue_date") or content.get("received_on") or "")


def _amount(row: Observed, name: str, otherwise: Any) -> Decimal | None:
    text = row.computed.get(name) or otherwise
    return Decimal(text) if isinstance(text, str) else None

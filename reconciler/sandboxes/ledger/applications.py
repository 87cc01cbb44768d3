"""Allocating by documents, as some ERPs do: each application adds to what a source settles of a target.

A repeated application settles twice, unless its reference is unique in these books.
"""

from __future__ import annotations

import sqlite3
from datetime import date
from decimal import Decimal

from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.desk import Desk
from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import seq_of
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.ledger.settlement import set_allocation


def apply_document(
    desk: Desk,
    source_kind: str,
    source_id: str,
    target_kind: str,
    target_id: str,
    *,
    amount: Decimal,
    reference: str,
    day: date | None = None,
    discount: Decimal = Decimal(0),
    write_off: Content | None = None,
) -> int:
    """Write an application of `amount` more. Refuses a reference that is taken, where they are unique."""
    source, target = seq_of(source_kind, source_id), seq_of(target_kind, target_id)
    kept = reference if desk.settings.store_reference else None
    if kept is not None and desk.settings.unique_reference != "never" and find_application(desk.db, kept):
        raise Refusal(RefusalCode.DUPLICATE_REFERENCE, f"there is an application with the reference {reference}")
    row = desk.db.execute(
        "SELECT amount FROM allocations WHERE source = ? AND target = ?", (source, target)
    ).fetchone()
    currency = desk.row_at(source, source_kind).currency or desk.base
    before = to_decimal(row[0], currency) if row else Decimal(0)
    set_allocation(
        desk,
        source_kind,
        source,
        target_kind,
        target_id,
        amount=before + amount,
        before=before,
        day=day,
        discount=discount,
        write_off=write_off,
    )
    units = int((amount / to_decimal(1, currency)).to_integral_value())
    desk.db.execute(
        "INSERT INTO applications (source, target, amount, reference) VALUES (?, ?, ?, ?)",
        (source, target, units, kept),
    )
    return source


def withdraw_applications(desk: Desk, source: int, target: int) -> None:
    """Applications of a pair that was taken off no longer stand; their references are free again."""
    desk.db.execute("UPDATE applications SET live = 0 WHERE source = ? AND target = ?", (source, target))


def find_application(db: sqlite3.Connection, reference: str) -> tuple[int, int] | None:
    """(source, target) of the standing application with this reference."""
    row = db.execute(
        "SELECT source, target FROM applications WHERE reference = ? AND live = 1 ORDER BY seq", (reference,)
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else None

"""The accounting software behind the connection: its records in one view, their ids at Rutter, what settles what.

Read-only. Ids at Rutter are derived from the books' own, so that they survive syncs, restarts and lost caches;
the platform's ids are the ledger's row numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from reconciler.sandboxes.ledger.minor import to_decimal
from reconciler.sandboxes.ledger.records import PREFIXES, Record, id_of, seq_of
from reconciler.sandboxes.rutter.objects import DIMENSIONS
from reconciler.sandboxes.rutter.words import instant_of
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.contents import Reading
from reconciler.sandboxes.serving.switches import Switches

OVERLAY, DELETED = "rutter-overlay", "rutter-deleted"
"""Buckets: fields that the ledger has no place for, and what was deleted, both by the ledger's id."""

PAYMENT_METHODS = ("Cash", "Check", "Credit card", "Bank transfer", "Other")
_PATHS = {"invoice": "invoices", "payment": "invoice_payments", "credit_note": "invoice_credit_memos"}


@dataclass(frozen=True, slots=True)
class Settling:
    """What one payment or credit memo settles of an invoice, by the ledger's ids."""

    source: str
    source_kind: str
    target: str
    amount: Decimal
    day: str


class Erp(Reading):
    """The books as they are now, read when asked for; make a new one for each use."""

    def __init__(self, books: Books, switches: Switches) -> None:
        super().__init__(books)
        self.switches = switches

    # ---- ids ----

    @cached_property
    def _namespace(self) -> uuid.UUID:
        return uuid.uuid5(uuid.NAMESPACE_URL, self.books.ledger.company_id)

    def identity(self, path: str, own: str | None) -> str | None:
        """Rutter's id of a record; `own` is the ledger's, or a tracking value's `trk-5.1`."""
        return None if own is None else str(uuid.uuid5(self._namespace, f"{path}:{own}"))

    def document_identity(self, kind: str, own: str) -> str:
        return str(uuid.uuid5(self._namespace, f"{_PATHS[kind]}:{own}"))

    def platform_id(self, own: str) -> str:
        """The platform's own id: digits, or `5_1` for the first value of category 5."""
        prefix, _, rest = own.partition("-")
        return rest.replace(".", "_") if prefix in PREFIXES.values() else own

    # ---- records ----

    @cached_property
    def deleted(self) -> set[str]:
        return set(self.books.shelf.all(DELETED))

    def beside(self, own: str) -> dict[str, Any]:
        """The fields kept beside a record."""
        found: dict[str, Any] | None = self.books.shelf.get(OVERLAY, own)
        return found or {}

    def record(self, kind: str, own: str) -> Record | None:
        """One record; None when there is none, or it is deleted or reversed."""
        found = self.books.ledger.record(kind, own)
        return found if found is not None and self.shows(found) else None

    def records(self, kind: str) -> list[Record]:
        return [record for record in self.books.records(kind) if self.shows(record)]

    def shows(self, record: Record) -> bool:
        return record.phase != "reversed" and self.books.shelf.get(DELETED, record.id) is None

    def times(self, kind: str, own: str) -> tuple[str, str]:
        """When a record was made and last changed, in the API's form."""
        with self.books.ledger.reading() as db:
            row = db.execute(
                "SELECT created_at, changed_at FROM records WHERE seq = ?", (seq_of(kind, own),)
            ).fetchone()
        return instant_of(row[0]), instant_of(row[1])

    def documents_changed_since(self, instant: str) -> list[tuple[str, str]]:
        """Path and own key of every document that was changed at or after an instant's text."""
        with self.books.ledger.reading() as db:
            rows = db.execute("SELECT kind, seq FROM records WHERE changed_at >= ? ORDER BY seq", (instant,))
            return [(_PATHS[kind], id_of(kind, seq)) for kind, seq in rows.fetchall() if kind in _PATHS]

    @cached_property
    def receivable(self) -> str:
        """The account that invoices are posted to when nobody names another."""
        from reconciler.sandboxes.ledger.store import meta_value

        with self.books.ledger.reading() as db:
            return id_of("account", int(meta_value(db, "role:receivable")))

    # ---- tracking ----

    def category(self, path: str) -> str | None:
        """The ledger's id of the tracking category that holds classes, departments or locations."""
        name = self.switches.text(DIMENSIONS[path]).casefold()
        return next(
            (own for own, content in self.tracking.items() if content.get("name", "").casefold() == name), None
        )

    def values(self, path: str) -> list[tuple[str, str]]:
        """The values of a dimension: own key (`trk-5.1`) and name."""
        category = self.category(path)
        if category is None:
            return []
        return [(f"{category}.{place}", value) for place, value in enumerate(self.tracking[category]["values"], 1)]

    def tracked(self, path: str, tracking: Mapping[str, str] | None) -> str | None:
        """Rutter's id of the value of a dimension among a line's tracking."""
        category = self.category(path) if tracking else None
        if category is None or not tracking or category not in tracking:
            return None
        place = self.tracking[category]["values"].index(tracking[category]) + 1
        return self.identity(path, f"{category}.{place}")

    # ---- what settles what ----

    def settlings(self, *, target: str | None = None, source: str | None = None) -> list[Settling]:
        """Allocations to invoices, in the order in which their sources were written."""
        statement = (
            "SELECT a.source, s.kind, a.target, a.amount + a.discount + a.write_off, t.currency, a.date"
            " FROM allocations a JOIN records s ON s.seq = a.source JOIN records t ON t.seq = a.target"
            " WHERE a.target_kind = 'invoice'"
        )
        values: list[int] = []
        for column, own in (("target", target), ("source", source)):
            if own is not None:
                statement += f" AND a.{column} = ?"
                values.append(int(own.partition("-")[2]))
        with self.books.ledger.reading() as db:
            rows = db.execute(f"{statement} ORDER BY a.source, a.target", values).fetchall()
        return [
            Settling(id_of(kind, seq), kind, id_of("invoice", settled), to_decimal(amount, currency), day)
            for seq, kind, settled, amount, currency, day in rows
        ]

"""The accounting software behind the connection: its records by kind, in one view, and what Codat's files add.

Read-only. `overlay`: fields of a pushed record that the ledger has no place for, by the ledger's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from reconciler.resources.content import decode
from reconciler.resources.kinds import Content
from reconciler.sandboxes.ledger.records import PREFIXES, Record, id_of, seq_of
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.contents import Reading

OVERLAY, DELETED, APPLIED = "overlay", "deleted", "applied"
"""Buckets: extra fields by record id; ids of deleted records; payments that only allocate credit notes."""

PAYMENT_METHODS: tuple[tuple[str, str, str], ...] = (
    ("pm-1", "Cash", "Cash"),
    ("pm-2", "Check", "Check"),
    ("pm-3", "Credit card", "CreditCard"),
    ("pm-4", "Bank transfer", "BankTransfer"),
    ("pm-5", "Other", "Other"),
)
"""Id, name and type."""


class View(Reading):
    """The books as they are now, read when asked for; make a new one for each use.

    `stale_ms`: documents and masters that are listed are as they were so long ago.
    """

    def __init__(self, books: Books, stale_ms: int = 0) -> None:
        super().__init__(books)
        self._stale_ms = stale_ms

    def records(self, kind: str) -> list[tuple[Record, Content]]:
        """Every record of a kind that is not deleted, oldest first, with its content."""
        return [
            (record, decode(kind, record.body))
            for record in self.books.records(kind, stale_ms=self._stale_ms)
            if record.id not in self.deleted
        ]

    def record(self, kind: str, own: str) -> Record | None:
        """One record; None when there is none, or it is deleted."""
        return None if own in self.deleted else self.books.ledger.record(kind, own)

    def changed_at(self, kind: str, own: str) -> str:
        """When a record was last changed: an instant's text."""
        with self.books.ledger.reading() as db:
            row = db.execute("SELECT changed_at FROM records WHERE seq = ?", (seq_of(kind, own),)).fetchone()
        return str(row[0])

    @cached_property
    def deleted(self) -> set[str]:
        return set(self.books.shelf.all(DELETED))

    @cached_property
    def overlay(self) -> dict[str, Any]:
        return self.books.shelf.all(OVERLAY)

    @cached_property
    def applied(self) -> dict[str, Any]:
        return self.books.shelf.all(APPLIED)

    @cached_property
    def bank_ids(self) -> dict[str, str]:
        """Codat's id of each ledger bank account: its GL account's, where no other one has it; else its own."""
        ids: dict[str, str] = {}
        for own, content in self.bank_accounts.items():
            account = str(content["account"])
            ids[own] = account if account not in ids.values() else own
        return ids

    def account_ref(self, account: str | None) -> dict[str, str] | None:
        if account is None:
            return None
        return {"id": account, "name": str(self.accounts.get(account, {}).get("name", ""))}

    def customer_ref(self, customer: str) -> dict[str, str]:
        return {"id": customer, "companyName": str(self.customers.get(customer, {}).get("name", ""))}

    def tax_ref(self, rate: str) -> dict[str, Any]:
        content = self.tax_rates[rate]
        return {"id": rate, "name": content.get("name") or content.get("code"), "effectiveTaxRate": content["rate"]}

    def tracking_ref(self, category: str, value: str) -> dict[str, str]:
        values = self.tracking[category]["values"]
        return {"id": f"{category}.{values.index(value) + 1}", "name": value}

    def tracking_value(self, ref: str) -> tuple[str, str] | None:
        """The category and value of a tracking category's id; None when it has none of both."""
        category, _, ordinal = ref.partition(".")
        values = self.tracking.get(category, {}).get("values", [])
        if ordinal.isascii() and ordinal.isdigit() and 1 <= int(ordinal) <= len(values):
            return category, values[int(ordinal) - 1]
        return None

    @cached_property
    def changed(self) -> Mapping[str, str]:
        """When each record was last changed, by id: instants' texts."""
        with self.books.ledger.reading() as db:
            rows = db.execute("SELECT kind, seq, changed_at FROM records").fetchall()
        return {id_of(kind, seq): str(at) for kind, seq, at in rows if kind in PREFIXES}

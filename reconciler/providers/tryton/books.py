"""One company's books as the writers need them: calls, directory, look-ups that are kept, and reading back."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.providers.errors import Indeterminate, Rejected
from reconciler.providers.protocol import Done, Observed, Query
from reconciler.providers.tryton.calls import Row, Tryton, nested
from reconciler.providers.tryton.codec_invoices import Parties
from reconciler.providers.tryton.codec_masters import PARTY_FIELDS, billing_address
from reconciler.providers.tryton.directory import Directory
from reconciler.providers.tryton.observing import Observer


@dataclass(slots=True)
class Books:
    """Shared by all writers of a connection. Thread-safe."""

    tryton: Tryton
    directory: Directory
    root: Path
    _periods: dict[date, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def observer(self) -> Observer:
        return Observer(self.tryton, self.directory)

    def one(self, kind: str, remote_id: str) -> Observed | None:
        """A record as it is now; None when it is not there."""
        found = list(self.observer.observe(Query((kind,), ids=(remote_id,))))
        return found[0] if found else None

    def done(self, kind: str, remote_id: str) -> Done:
        """The answer to a write that went through: with the record, where it can be read at once."""
        try:
            observed = self.one(kind, remote_id)
        except Exception:  # the write is done; the executor reads again
            observed = None
        if observed is None:
            return Done(remote_id)
        return Done(remote_id, observed.revision, observed.number, observed)

    def period(self, day: date) -> int:
        """The open period a day is in. Raises Rejected."""
        with self._lock:
            known = self._periods.get(day)
        if known is not None:
            return known
        rows = self.tryton.rows(
            "account.period",
            [
                ["company", "=", self.directory.company],
                ["type", "=", "standard"],
                ["state", "=", "open"],
                ["start_date", "<=", day],
                ["end_date", ">=", day],
            ],
            ["start_date"],
        )
        if not rows:
            raise Rejected(f"{day} is in no open period", code="period")
        with self._lock:
            return self._periods.setdefault(day, int(rows[0]["id"]))

    def base_amount(self, amount: Decimal, currency: int, day: date) -> Decimal:
        """An amount in base currency by Tryton's own rate of the day."""
        if currency == self.directory.base:
            return amount
        found = self.tryton.read("currency.currency", "compute", currency, amount, self.directory.base, date=day)
        return Decimal(found)

    def parties(self, customers: Iterable[str], items: Iterable[str]) -> Parties:
        """Addresses and receivable accounts of customers; units and income accounts of products."""
        rows = self.tryton.among("party.party", "id", {int(one) for one in customers}, PARTY_FIELDS)
        addresses = {row["id"]: billing_address(row) for row in rows}
        wanted = {int(one) for one in items}
        fields = ["default_uom", "template.account_category.account_revenue"]
        products = self.tryton.among("product.product", "id", wanted, fields) if wanted else []
        return Parties(
            address={party: address["id"] for party, address in addresses.items() if address is not None},
            receivable={row["id"]: row["account_receivable"] for row in rows if row.get("account_receivable")},
            units={row["id"]: row["default_uom"] for row in products if row.get("default_uom")},
            income={row["id"]: account for row in products if (account := _income(row)) is not None},
        )

    def row(self, model: str, id_: int, fields: list[str], what: str) -> Row:
        """One record's fields. Raises Rejected when it is not there."""
        rows = self.tryton.rows(model, [["id", "=", id_]], fields, active_test=False)
        if not rows:
            raise Rejected(f"there is no {what} {id_} in Tryton", code="gone")
        return rows[0]

    def locked(self, model: str, id_: int, revision: str) -> dict[str, Any]:
        """The context that makes Tryton refuse where the record is no longer as it was read."""
        return {"_timestamp": {f"{model},{id_}": revision}} if revision else {}


def _income(row: Row) -> int | None:
    found = nested(nested(row, "template"), "account_category").get("account_revenue")
    return int(found) if found else None


def unclear(what: str) -> Indeterminate:
    return Indeterminate(f"{what}: look again")

"""What documents refer to, by id: tax rates, accounts, payment methods, and the dimensions. Read when needed.

Rutter has three dimensions with resources of their own; each is a tracking category whose id is its word here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from reconciler.providers.rutter.shelves import Shelves
from reconciler.providers.rutter.wire import Row, amount_of, text

DIMENSIONS: Mapping[str, tuple[str, str, str]] = {
    "class": ("classes", "Class", "class_id"),
    "location": ("locations", "Location", "location_id"),
    "department": ("departments", "Department", "department_id"),
}
"""Id of the category → resource, name, and the field that names one of its values."""


class Directory:
    """One connection's reference data. Thread-safe: it keeps nothing of its own."""

    def __init__(self, shelves: Shelves, base_currency: str) -> None:
        self._shelves = shelves
        self.base_currency = base_currency

    def rate(self, tax: str) -> Decimal | None:
        row = self._shelves.rows("tax_rates").get(tax)
        return None if row is None else rate_of(row)

    def account_by_code(self, code: str) -> str | None:
        rows = list(self._shelves.rows("accounts").values())
        return next((str(row.get("id")) for row in rows if row.get("nominal_code") == code), None)

    # ---- dimensions ----

    def values(self, category: str) -> dict[str, str]:
        """Name → id of a dimension's values; of two of one name, the first."""
        found: dict[str, str] = {}
        for row in list(self._shelves.rows(DIMENSIONS[category][0]).values()):
            if row.get("status") != "archived":
                found.setdefault(text(row.get("name")) or str(row.get("id")), str(row.get("id")))
        return found

    def tracked(self, line: Row, categories: tuple[str, ...]) -> dict[str, str]:
        """Category id → value name, of what a line names."""
        found: dict[str, str] = {}
        for category in categories:
            resource, _, field_name = DIMENSIONS[category]
            id_ = line.get(field_name)
            row = self._shelves.rows(resource).get(str(id_)) if id_ else None
            if row is not None:
                found[category] = text(row.get("name")) or str(id_)
        return found

    # ---- payment methods ----

    def methods(self) -> dict[str, str]:
        """Our word for a payment method (`bank_transfer`) → its id; the first where several have one."""
        found: dict[str, str] = {}
        for row in list(self._shelves.rows("payment_methods").values()):
            found.setdefault(method_word(row.get("name")), str(row.get("id")))
        return found

    def method_of(self, id_: str) -> str:
        row = self._shelves.rows("payment_methods").get(id_)
        return method_word(row.get("name")) if row is not None else id_


def rate_of(row: Row) -> Decimal | None:
    """A tax rate in percent: what it is in sales, where Rutter says it; else what it comes to, else in all."""
    more = row.get("additional_fields")
    sold = amount_of(more.get("sales_total_tax_rate")) if isinstance(more, Mapping) else None
    if sold is not None:
        return sold
    effective = amount_of(row.get("effective_tax_rate"))
    return effective if effective is not None else amount_of(row.get("total_tax_rate"))


def method_word(name: object) -> str:
    """`Bank transfer` as `bank_transfer`."""
    return re.sub(r"[^0-9a-z]+", "_", str(name or "").lower()).strip("_")

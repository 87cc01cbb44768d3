"""What documents refer to, read when it is first needed and again when asked: taxes, terms, BI codes, customers.

Thread-safe. What a connection added itself is forgotten, so that it is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.codec_masters import set_from
from reconciler.providers.accountsiq.envelope import Row, node
from reconciler.providers.accountsiq.wire import amount, id_of
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed

_PLACES = ("1", "2", "3", "4", "5", "6")
_FEW = 4
"""So many customers are asked for one by one; for more the list is read."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What a document needs to know of its customer."""

    code: str
    account_id: str
    currency: str


@dataclass(frozen=True, slots=True)
class Tax:
    code: str
    percent: Decimal
    row: Row


class Directory:
    """One entity's reference data."""

    def __init__(self, accountsiq: AccountsIQ, base_currency: str) -> None:
        self._accountsiq = accountsiq
        self.base_currency = base_currency
        self._lock = threading.RLock()
        self._taxes: Mapping[str, Tax] | None = None
        self._ids: dict[str, str] = {}
        self._dimensions: tuple[tuple[str, Row], ...] | None = None
        self._sets: Mapping[str, Observed] | None = None
        self._customers: dict[str, Customer] = {}
        self._banks: Mapping[str, str] | None = None
        self._items: dict[str, Row] = {}

    def forget(self) -> None:
        """Read everything again when it is needed: a new phase begins."""
        with self._lock:
            self._taxes = self._dimensions = self._sets = self._banks = None
            self._customers.clear()
            self._items.clear()

    def forget_sets(self) -> None:
        with self._lock:
            self._sets = self._dimensions = None

    # ---- taxes ----

    def taxes(self) -> Mapping[str, Tax]:
        """By code."""
        with self._lock:
            if self._taxes is None:
                rows = self._accountsiq.read("GetTaxCodeList").rows()
                percent = self._percent(rows)
                self._taxes = {
                    code: Tax(code, amount(row, "Rate") * percent, row)
                    for row in rows
                    if (code := row.text("Code"))
                }
                self._ids = {id_: tax.code for tax in self._taxes.values() if (id_ := tax.row.text("ID"))}
            return self._taxes

    def _percent(self, rows: Iterable[Row]) -> Decimal:
        """What a rate of the list is multiplied by to be percent."""
        unit = self._accountsiq.settings.tax_rate_unit
        if unit == "auto":
            unit = "percent" if any(amount(row, "Rate") > 1 for row in rows) else "fraction"
        return Decimal(1) if unit == "percent" else Decimal(100)

    def rate(self, code: str) -> Decimal | None:
        """A tax's percent."""
        found = self.taxes().get(code)
        return None if found is None else found.percent

    def tax_code(self, id_: str | None) -> str | None:
        """A posting's TaxID as the code of a tax; None for the one of untaxed lines. A tax has an id and a code."""
        self.taxes()
        code = self._ids.get(id_, id_) if id_ else None
        return None if code == self._accountsiq.settings.untaxed else code

    @property
    def untaxed(self) -> str | None:
        """The tax code of a line that has no taxes."""
        return self._accountsiq.settings.untaxed

    # ---- BI codes ----

    def dimensions(self) -> tuple[tuple[str, Row], ...]:
        """The dimensions, in the order of a department's codes; their code is their id, else their place."""
        with self._lock:
            if self._dimensions is None:
                rows = self._accountsiq.read("GetAnalysisDimensionSetup").rows()
                self._dimensions = tuple(
                    (row.text("Code") or str(place), row) for place, row in enumerate(rows[:6], 1)
                )
            return self._dimensions

    def dimension_ids(self) -> tuple[str, ...]:
        """The dimensions' ids by their places among a department's codes; '' where a place has none. Where their
        codes are the numbers of places, these count: a dimension that is not set up may be left out."""
        ids = [id_ for id_, _ in self.dimensions()]
        if not set(ids) <= set(_PLACES):
            return tuple(ids)
        return tuple(place if place in ids else "" for place in _PLACES[: max(map(int, ids), default=0)])

    def sets(self) -> Mapping[str, Observed]:
        """Every department, as a tracking set, by its id."""
        with self._lock:
            if self._sets is None:
                ids = self.dimension_ids()
                rows = self._accountsiq.read("GetDepartmentList").rows()
                found = [set_from(row, ids) for row in rows]
                self._sets = {one.remote_id: one for one in found if one.remote_id}
            return self._sets

    def department(self, tracking: Mapping[str, str]) -> str | None:
        """The one active department with exactly these codes; None for none. Raises Rejected."""
        if not tracking:
            return None
        found = self._departments(tracking)
        if not found:
            self.forget_sets()
            found = self._departments(tracking)
        if len(found) != 1:
            said = ", ".join(f"{name}={value}" for name, value in sorted(tracking.items()))
            many = f"several departments ({', '.join(found)}) have" if found else "no active department has"
            raise Rejected(f"{many} exactly the codes {said}", code="department")
        return found[0]

    def _departments(self, tracking: Mapping[str, str]) -> list[str]:
        wanted = dict(tracking)
        return sorted(
            one.remote_id
            for one in self.sets().values()
            if one.phase == "active" and one.content().get("tracking") == wanted
        )

    def tracking_of(self, department: str | None) -> Mapping[str, str]:
        """The codes a department stands for; nothing for one without."""
        found = self.sets().get(department) if department else None
        return {} if found is None else dict(found.content().get("tracking") or {})

    # ---- customers ----

    def learn(self, rows: Iterable[Row]) -> None:
        """Remember customers that were read."""
        with self._lock:
            for row in rows:
                code = row.text("Code")
                if code:
                    currency = (row.text("CurrencyCode") or self.base_currency).upper()
                    self._customers[code] = Customer(code, id_of(row, "AccountID") or "", currency)

    def customers(self, codes: Iterable[str]) -> Mapping[str, Customer]:
        """Customers by code, those that there are."""
        wanted = set(codes)
        with self._lock:
            missing = sorted(wanted - self._customers.keys())
            self.learn(self._read(missing))
            return {code: self._customers[code] for code in wanted if code in self._customers}

    def _read(self, codes: list[str]) -> Iterator[Row]:
        if len(codes) > _FEW:
            yield from self._accountsiq.read("GetCustomerList").rows()
            return
        for code in codes:
            found = self._accountsiq.find("GetCustomer", node("customerCode", code))
            if found is not None:
                yield found

    def customer(self, code: str) -> Customer:
        """Raises Rejected where there is none of that code."""
        found = self.customers([code]).get(code)
        if found is None:
            raise Rejected(f"AccountsIQ has no customer {code}", code="customer")
        return found

    # ---- items and banks ----

    def item(self, code: str) -> Row:
        """An item as it is. Raises Rejected where there is none."""
        with self._lock:
            if code not in self._items:
                found = self._accountsiq.find("GetStockItem", node("stockItemID", code))
                if found is None:
                    raise Rejected(f"AccountsIQ has no item {code}", code="item")
                self._items[code] = found
            return self._items[code]

    def bank_currency(self, code: str) -> str:
        """The currency of a bank account, by the code of its GL account. Raises Rejected."""
        with self._lock:
            if self._banks is None:
                rows = self._accountsiq.read("GetBankList").rows()
                self._banks = {
                    found: (row.text("CurrencyCode") or self.base_currency).upper()
                    for row in rows
                    if (found := row.text("Code"))
                }
            if code not in self._banks:
                raise Rejected(f"AccountsIQ has no bank account {code}", code="bank_account")
            return self._banks[code]

"""What documents refer to, by id: taxes' rates, bank and GL accounts, tracking, payment methods. Read when needed.

It stands on the datasets: what they hold is looked at again after every refresh.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from reconciler.providers.codat.calls import Row
from reconciler.providers.codat.codec_masters import rate_of
from reconciler.providers.codat.datasets import Datasets
from reconciler.providers.codat.wire import live, text


class Directory:
    """One company's reference data. Thread-safe: it keeps nothing of its own."""

    def __init__(self, datasets: Datasets, base_currency: str) -> None:
        self._datasets = datasets
        self.base_currency = base_currency

    def rows(self, data_type: str) -> Mapping[str, Row]:
        """A dataset's live records as they were synced last; fetched once if they never were."""
        return {id_: row for id_, row in self._datasets.rows(data_type).items() if live(row)}

    def rate(self, tax: str) -> Decimal | None:
        row = self._datasets.rows("taxRates").get(tax)
        return None if row is None else rate_of(row)

    # ---- accounts ----

    def account_by_code(self, code: str) -> str | None:
        return next(
            (id_ for id_, row in self.rows("chartOfAccounts").items() if row.get("nominalCode") == code), None
        )

    def code_of(self, account: str) -> str | None:
        row = self._datasets.rows("chartOfAccounts").get(account)
        return None if row is None else text(row.get("nominalCode"), 120)

    def account_behind(self, bank: Row) -> str:
        """The GL account of a bank account: of its id, else of its nominal code; else its own id stands for it."""
        own = str(bank.get("id"))
        if own in self._datasets.rows("chartOfAccounts"):
            return own
        return self.account_by_code(str(bank.get("nominalCode") or "")) or own

    def bank_of(self, account: str) -> str:
        """The bank account whose id, or whose GL account, a payment names."""
        banks = self._datasets.rows("bankAccounts")
        if account in banks:
            return account
        return next((id_ for id_, row in banks.items() if self.account_behind(row) == account), account)

    # ---- tracking ----

    def categories(self) -> dict[str, dict[str, str]]:
        """Category id → value name → the id that a line refers to.

        Children are the values of what stands at their top; a record without children or parent is a category
        with one value, its own name.
        """
        rows = self.rows("trackingCategories")
        found: dict[str, dict[str, str]] = {}
        for id_, row in rows.items():
            top = id_
            seen = {id_}
            while (above := rows.get(top, {}).get("parentId")) in rows and above not in seen:
                top = str(above)
                seen.add(top)
            name = text(row.get("name")) or id_
            if top == id_ and row.get("hasChildren") is True:
                found.setdefault(id_, {})
            else:
                found.setdefault(top, {}).setdefault(name, id_)
        return found

    def tracked(self, refs: list[str]) -> dict[str, str]:
        """Category id → value name, of the ids that a line refers to."""
        places = {id_: (top, name) for top, values in self.categories().items() for name, id_ in values.items()}
        return dict(places[one] for one in refs if one in places)

    # ---- payment methods ----

    def methods(self) -> dict[str, str]:
        """Our word for a payment method (`bank_transfer`) → its id; the first where several have one."""
        found: dict[str, str] = {}
        for id_, row in self.rows("paymentMethods").items():
            found.setdefault(method_word(row.get("name")), id_)
        return found

    def method_of(self, id_: str) -> str:
        row = self._datasets.rows("paymentMethods").get(id_)
        return method_word(row.get("name")) if row is not None else id_


def method_word(name: object) -> str:
    """`Bank transfer` as `bank_transfer`."""
    return re.sub(r"[^0-9a-z]+", "_", str(name or "").lower()).strip("_")

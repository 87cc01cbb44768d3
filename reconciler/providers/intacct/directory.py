"""What documents refer to: dimensions, by id and by name, and bank accounts. Read when needed, kept for a phase."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from reconciler.providers.errors import Rejected
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.codec_masters import BANK, DIMENSIONS, bank_from, is_active
from reconciler.providers.intacct.queries import Query
from reconciler.providers.intacct.wire import Row, text

BANKS = (Query("CHECKINGACCOUNT", BANK), Query("SAVINGSACCOUNT", BANK, optional=True))


@dataclass(slots=True)
class Directory:
    """One connection's reference data. Thread-safe."""

    gateway: Gateway
    base_currency: str
    _dimensions: dict[str, dict[str, str]] = field(default_factory=dict)
    _former: dict[str, dict[str, str]] = field(default_factory=dict)
    """The names of values that are no longer active: documents still have them."""
    _banks: list[Row] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def forget(self) -> None:
        """What was read may be old by now."""
        with self._lock:
            self._dimensions, self._banks = {}, None

    # ---- dimensions ----

    def values(self, category: str) -> dict[str, str]:
        """Id → name of a dimension's values."""
        with self._lock:
            if not self._dimensions:
                self._read_dimensions()
            return self._dimensions.get(category, {})

    def _read_dimensions(self) -> None:
        queries = [
            Query(object_, ("RECORDNO", id_, name, "STATUS"), optional=True)
            for object_, id_, name, _ in DIMENSIONS.values()
        ]
        found = self.gateway.queries(*queries)
        for (category, (_, id_, name, _)), rows in zip(DIMENSIONS.items(), found, strict=True):
            named = {row[id_]: text(row.get(name)) or row[id_] for row in rows if row.get(id_)}
            active = {row[id_] for row in rows if row.get(id_) and is_active(row)}
            borne = Counter(named[value] for value in active)
            self._dimensions[category] = {
                value: shown if borne[shown] == 1 else value for value, shown in named.items() if value in active
            }
            self._former[category] = {
                value: value if borne[shown] else shown for value, shown in named.items() if value not in active
            }

    def name_of(self, category: str, id_: str) -> str | None:
        """A value's name; its id where another has the same name."""
        return self.values(category).get(id_) or self._former.get(category, {}).get(id_)

    def id_of(self, category: str, value: str) -> str | None:
        """The id of a value that is given by name, or by id."""
        known = self.values(category)
        return next((id_ for id_, name in known.items() if name == value), value if value in known else None)

    # ---- banks ----

    def banks(self) -> list[Row]:
        with self._lock:
            if self._banks is None:
                self._banks = [row for rows in self.gateway.queries(*BANKS) for row in rows]
            return self._banks

    def clearing_bank(self, currency: str) -> str:
        """The account named on a payment that moves no cash: the first one in the currency. Raises Rejected."""
        banks = [bank_from(row, self.base_currency) for row in self.banks() if is_active(row)]
        fitting = [bank.remote_id for bank in banks if bank.content().get("currency") == currency]
        if not fitting:
            raise Rejected(f"there is no bank account in {currency} to name on a payment", code="bank_account")
        return min(fitting)

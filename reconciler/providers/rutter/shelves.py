"""What was read of each kind of record, how fresh it is, and making it fresher.

A phase begins when the core asks for the company. In a phase Rutter is made to sync once, and again where a request
may have landed unseen. What was listed is kept for the phase; newer records are added to it by `last_synced_at`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from reconciler.providers.errors import Unavailable
from reconciler.providers.rutter.calls import Rutter
from reconciler.providers.rutter.wire import Row, instant_of

SYNCED: Mapping[str, str] = {
    "accounts": "account",
    "customers": "accounting_customer",
    "items": "items",
    "tax_rates": "tax_rates",
    "classes": "class",
    "departments": "department",
    "locations": "location",
    "payment_terms": "payment_term",
    "payment_methods": "payment_method",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "invoice_credit_memos": "invoice_credit_memo",
}
"""Resource → what a sync calls it."""
_LONGEST_PAUSE = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE = timedelta(seconds=1)


@dataclass(slots=True)
class _Shelf:
    rows: dict[str, Row] = field(default_factory=dict)
    as_of: datetime | None = None
    """Everything that had happened then is on it; None: it was never listed whole in this phase."""
    writes: int = 0
    """How many writes of ours it has seen the consequences of."""


@dataclass(slots=True)
class Shelves:
    """The records of one connection. Thread-safe."""

    rutter: Rutter
    _shelves: dict[str, _Shelf] = field(default_factory=dict)
    _synced: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _writes: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def begin_phase(self) -> None:
        """Believe nothing that was read before."""
        with self._lock:
            self._shelves.clear()
            self._synced.clear()

    # ---- reading ----

    def rows(self, resource: str) -> Mapping[str, Row]:
        """Every record by id, as it was listed in this phase; listed now if it was not."""
        with self._lock:
            shelf = self._shelves.get(resource)
            if shelf is None or shelf.as_of is None:
                self.list_whole(resource)
            return self._shelves[resource].rows

    def holds(self, resource: str) -> bool:
        """Whether it was listed in this phase."""
        with self._lock:
            shelf = self._shelves.get(resource)
            return shelf is not None and shelf.as_of is not None

    def is_fresh(self, resource: str) -> bool:
        """Whether it was, and nothing was written since."""
        with self._lock:
            shelf = self._shelves.get(resource)
            return shelf is not None and shelf.as_of is not None and shelf.writes == self._writes

    def list_whole(self, resource: str) -> datetime:
        """List a resource, after a sync of it in this phase; as of when it is."""
        with self._lock:
            as_of = self.synced([resource], ours=False)
            listing = self.rutter.listing(f"accounting/{resource}", resource)
            self._shelves[resource] = _Shelf(dict(listing.rows), as_of, self._synced[resource][1])
            return as_of

    def as_of(self, resource: str) -> datetime:
        """As of when what is held of it is."""
        with self._lock:
            shelf = self._shelves.get(resource)
            return (shelf.as_of if shelf is not None else None) or _EPOCH

    def caught_up(self, resource: str, since: datetime | None = None) -> datetime:
        """Have everything that our writes did, and that had happened at `since`; as of when it is.

        What is newer than what was listed in this phase is added to it. What was deleted meanwhile stays.
        """
        with self._lock:
            shelf = self._shelves.get(resource)
            if shelf is None or shelf.as_of is None:
                self.synced([resource], since)
                return self.list_whole(resource)
            if shelf.writes == self._writes and (since is None or shelf.as_of >= since):
                return shelf.as_of
            writes = self._writes
            as_of = self.synced([resource], since)
            newest = max((_synced_at(row) for row in shelf.rows.values()), default=_EPOCH) - _BEFORE
            query = {"last_synced_at_min": max(0, int(newest.timestamp() * 1000))}
            shelf.rows.update(self.rutter.listing(f"accounting/{resource}", resource, query).rows)
            shelf.as_of, shelf.writes = as_of, writes
            return as_of

    def filtered(self, resource: str, field_name: str, value: str) -> list[Row] | None:
        """Records whose field is the value, by the platform's filter; None where it does not filter so."""
        quoted = value.replace('"', "")
        if quoted != value or "\\" in value:
            return None
        listing = self.rutter.listing(f"accounting/{resource}", resource, {"filter": f'{field_name}="{value}"'})
        found = list(listing.rows.values())
        return found if all(str(row.get(field_name)) == value for row in found) else None

    def one(self, resource: str, wrapper: str, id_: str) -> Row | None:
        """A record, asked for by its id; None where it is gone."""
        data = self.rutter.find(f"accounting/{resource}/{id_}")
        row = data.get(wrapper) if data is not None else None
        with self._lock:
            shelf = self._shelves.setdefault(resource, _Shelf())
            if isinstance(row, Mapping):
                shelf.rows[id_] = row
                return row
            shelf.rows.pop(id_, None)
        return None

    # ---- writing ----

    def put(self, resource: str, row: Row) -> None:
        """A record as a write of ours answered it; what else the write moved is to be read again."""
        with self._lock:
            self._shelves.setdefault(resource, _Shelf()).rows[str(row.get("id"))] = row
            self._writes += 1

    def wrote(self) -> None:
        """Something of ours may have changed records that were not answered."""
        with self._lock:
            self._writes += 1

    def forget(self, resource: str, id_: str) -> None:
        with self._lock:
            self._shelves.setdefault(resource, _Shelf()).rows.pop(id_, None)

    # ---- syncing ----

    def synced(self, resources: Iterable[str], since: datetime | None = None, *, ours: bool = True) -> datetime:
        """Make Rutter's cache hold what the platform had at `since` (or in this phase); as of when it is.

        `ours`: and what our writes did to other records than their own. Without `sync` the cache is what it is,
        as of its last sync.
        """
        with self._lock:
            wanted = list(dict.fromkeys(resources))
            writes = self._writes
            stale = [one for one in wanted if not self._is_synced(one, since, ours)]
            if stale:  # everything with it: a sync is dear, its types are not
                as_of = self._sync() if self.rutter.settings.sync else self._cached()
                self._synced.update(dict.fromkeys(SYNCED, (as_of, writes)))
            return min((self._synced[one][0] for one in wanted), default=self.rutter.clock.now())

    def _is_synced(self, resource: str, since: datetime | None, ours: bool) -> bool:
        as_of, writes = self._synced.get(resource, (_EPOCH, -1))
        return (writes == self._writes or (not ours and writes >= 0)) and (since is None or as_of >= since)

    def _cached(self) -> datetime:
        done = instant_of(self.rutter.status().get("last_sync_completed_at"))
        return min(done or _EPOCH, self.rutter.clock.now())

    def _sync(self) -> datetime:
        """A sync that was asked for now, to its end. Raises Unavailable when it does not end in time."""
        clock, settings = self.rutter.clock, self.rutter.settings
        before = str(self.rutter.status().get("last_sync_completed_at"))
        began = clock.now()
        self.rutter.ask_for_sync(list(SYNCED.values()))
        deadline = clock.monotonic() + settings.sync_wait_seconds
        pause = settings.poll_ms / 1000
        while clock.monotonic() < deadline:
            clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            if str(self.rutter.status().get("last_sync_completed_at")) != before:
                return began
        raise Unavailable(
            f"Rutter's sync did not end in {settings.sync_wait_seconds} seconds; "
            "`sync: false` reads its cache as it is"
        )


def _synced_at(row: Row) -> datetime:
    return instant_of(row.get("last_synced_at")) or _EPOCH

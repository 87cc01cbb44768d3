"""Codat's cache as we know it: when each dataset was pulled, what it holds, and how it is made fresh.

Codat does not store written records in its cache: a write is to be seen only after a refresh of its data type.
A refresh is dear, so it is made once for a whole phase of a run and for all types together: a phase begins when
the company is asked for, and what was pulled since is fresh until we push something. A pull's `as_of` is the
moment before it was asked for. A pull tells of absence only where no push of a type was unfinished then.
Thread-safe; whoever comes while a refresh runs waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.providers.codat.calls import Codat, NotSynced, Row
from reconciler.providers.codat.wire import instant_of
from reconciler.providers.errors import Rejected, Unavailable

LONGEST_PHASE = timedelta(minutes=5)
"""A reading older than this is not relied on, whatever nobody pushed: people work in the ERP, too."""
PATHS: Mapping[str, tuple[str, bool]] = {
    "chartOfAccounts": ("data/accounts", False),
    "bankAccounts": ("data/bankAccounts", True),
    "customers": ("data/customers", False),
    "items": ("data/items", False),
    "taxRates": ("data/taxRates", False),
    "trackingCategories": ("data/trackingCategories", False),
    "paymentMethods": ("data/paymentMethods", False),
    "invoices": ("data/invoices", False),
    "creditNotes": ("data/creditNotes", False),
    "payments": ("data/payments", False),
    "company": ("data/info", False),
}
"""Data type → its path, and whether that hangs off the connection. Accounts are `chartOfAccounts` as a dataset."""
MOVED_BY: Mapping[str, tuple[str, ...]] = {
    "payments": ("payments", "invoices", "creditNotes", "customers"),
    "invoices": ("invoices",),
    "creditNotes": ("creditNotes",),
    "bankAccounts": ("bankAccounts", "chartOfAccounts"),
}
"""Pushed data type → the datasets that show it."""
_FAILED = frozenset(
    {
        "FetchError",
        "MapError",
        "InternalError",
        "ProcessingError",
        "ValidationError",
        "AuthError",
        "Cancelled",
        "RateLimitError",
        "PermissionsError",
        "PrerequisiteNotMet",
    }
)
_NEVER = datetime.min.replace(tzinfo=instant_of("2000-01-01").tzinfo)  # type: ignore[union-attr]


@dataclass(slots=True)
class Dataset:
    """One data type's cache. `unsettled`: operation keys of pushes of it that were unfinished at the pull, and
    whether they are pending (True) or have timed out."""

    as_of: datetime = _NEVER
    unsettled: Mapping[str, bool] = field(default_factory=dict)
    rows: dict[str, Row] | None = None
    """Every record, as of the pull; None until it is asked for."""
    newest: str = ""
    """The latest modifiedDate among them: where an incremental reading goes on."""
    moved_at: datetime = _NEVER
    """When we last pushed something that it shows."""
    doubted_at: datetime = _NEVER
    """When a push of it last ended without our knowing how."""
    supported: bool = True


@dataclass(slots=True)
class Datasets:
    """The datasets of one company."""

    codat: Codat
    _sets: dict[str, Dataset] = field(default_factory=dict)
    _phase: datetime = _NEVER
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._phase = self.codat.clock.now()

    def begin_phase(self) -> None:
        """What was pulled before is old, but for what the settings allow."""
        with self._lock:
            self._phase = self.codat.clock.now()

    def moved(self, data_type: str) -> None:
        """A push of a type ended well."""
        with self._lock:
            for name in MOVED_BY.get(data_type, (data_type,)):
                self._of(name).moved_at = self.codat.clock.now()

    def doubted(self, data_type: str) -> None:
        """A push of a type ended, and we do not know how."""
        with self._lock:
            for name in MOVED_BY.get(data_type, (data_type,)):
                self._of(name).doubted_at = self.codat.clock.now()

    # ---- freshness ----

    def fresh(self, types: Collection[str], *, as_of: datetime = _NEVER, ours: bool = True) -> datetime:
        """Make datasets fresh enough and say as of when all of them are. Raises Unavailable.

        `as_of`: no older than this. `ours`: and no older than what we pushed ourselves.
        """
        with self._lock:
            old = [name for name in types if self._of(name).as_of < self._needed(name, as_of, ours)]
            if old:
                self._believed(old)
                old = [name for name in old if self._of(name).as_of < self._needed(name, as_of, ours)]
            if old:
                self._pull(old)
            return min((self._of(name).as_of for name in types), default=self.codat.clock.now())

    def _needed(self, name: str, as_of: datetime, ours: bool) -> datetime:
        found = self._of(name)
        now = self.codat.clock.now()
        allowed = timedelta(minutes=self.codat.settings.stale_after_minutes)
        phase = max(self._phase, now - LONGEST_PHASE) - allowed
        own = found.moved_at if ours else _NEVER
        return max(phase, as_of, found.doubted_at, own)

    def _believed(self, types: Iterable[str]) -> None:
        """Where a plan may use what was synced before: when that was asked for, as Codat's history has it."""
        if not self.codat.settings.stale_after_minutes:
            return
        status = self._status()
        for name in types:
            pull = (status.get(name) or {}).get("latestSuccessfulSyncId")
            if pull and self._of(name).as_of == _NEVER:
                try:
                    history = self.codat.get(f"data/history/{pull}")
                except (NotSynced, Rejected):
                    continue
                requested = instant_of(history.get("requested"))
                if requested is not None:
                    self._sets[name] = Dataset(as_of=requested, unsettled={"unknown": True})

    def _pull(self, types: Collection[str]) -> None:
        """Refresh some types together and wait until all have come. Raises Unavailable."""
        began = self.codat.clock.now()
        unfinished = self._unfinished(types)
        pulls = self._queued(types, began)
        deadline = self.codat.clock.monotonic() + self.codat.settings.refresh_wait_seconds
        pause = self.codat.first_pause
        while pulls:
            if self.codat.clock.monotonic() > deadline:
                names = ", ".join(sorted(pulls))
                raise Unavailable(
                    f"Codat has not refreshed {names} in {self.codat.settings.refresh_wait_seconds} s"
                )
            self.codat.clock.sleep(pause)
            pause = min(pause * 2, 30)
            status = self._status()
            for name, pull in list(pulls.items()):
                state = status.get(name) or {}
                if pull is None:
                    if _idle(state):  # the one that ran may have begun too early: one of our own
                        pulls[name] = self.codat.queue(name)
                    continue
                if self._came(name, pull, state, began):
                    del pulls[name]
                    self._arrived(name, began, unfinished.get(name, {}))

    def _queued(self, types: Collection[str], began: datetime) -> dict[str, str | None]:
        """Pulls asked for, by type. What the integration has not is empty, and that is known as of now."""
        pulls: dict[str, str | None] = {}
        for name in types:
            found = self._of(name)
            try:
                if found.supported:
                    pulls[name] = self.codat.queue(name)
                    continue
            except Rejected as error:
                if "not supported" not in error.message:
                    raise
                found.supported = False
            found.as_of, found.unsettled = began, {}
        return pulls

    def _came(self, name: str, pull: str, state: Row, began: datetime) -> bool:
        """Whether a pull has come. Raises Unavailable when it failed."""
        if state.get("latestSuccessfulSyncId") == pull:
            return True
        current = str(state.get("currentStatus") or "")
        if current == "NotSupported":
            self._of(name).supported = False
            return True
        if state.get("latestSyncId") != pull:
            finished = instant_of(state.get("lastSuccessfulSync"))
            return not pull and finished is not None and finished >= began and current == "Complete"
        if current in _FAILED:
            raise Unavailable(f"Codat could not refresh {name}: {current}")
        return current == "Complete"

    def _arrived(self, name: str, began: datetime, unsettled: Mapping[str, bool]) -> None:
        found = self._of(name)
        found.as_of, found.unsettled = began, unsettled
        if found.rows is not None:
            self._bring_up(name, found)

    def _status(self) -> Mapping[str, Row]:
        try:
            data = self.codat.get("dataStatus")
        except NotSynced:
            return {}
        return data if isinstance(data, Mapping) else {}

    def _unfinished(self, types: Collection[str]) -> dict[str, dict[str, bool]]:
        """Pushes that a pull of these types may come too early for, by type."""
        if not any(name in ("invoices", "creditNotes", "payments", "customers", "items") for name in types):
            return {}
        lands = timedelta(seconds=self.codat.settings.timed_out_settle_seconds)
        found: dict[str, dict[str, bool]] = {}
        for row in self.codat.unfinished():
            requested = instant_of(row.get("requestedOnUtc"))
            landed = requested is not None and requested + lands < self.codat.clock.now()
            if row.get("status") == "TimedOut" and landed:
                continue
            pushed = str(row.get("dataType") or "")
            for name in MOVED_BY.get(pushed, (pushed,)):
                found.setdefault(name, {})[str(row.get("pushOperationKey"))] = row.get("status") == "Pending"
        return found

    # ---- records ----

    def unsettled(self, data_type: str) -> Mapping[str, bool]:
        """Pushes that the last pull may have come too early for: operation key → still pending then."""
        with self._lock:
            return self._of(data_type).unsettled

    def rows(self, data_type: str) -> Mapping[str, Row]:
        """Every record of a dataset as pulled last, deleted ones too. Read once, then what changed with a pull."""
        with self._lock:
            found = self._of(data_type)
            if not found.supported:
                return {}
            if found.rows is None:
                found.rows = {str(row.get("id")): row for row in self._listing(data_type)}
                found.newest = _newest(found.rows.values())
            return found.rows

    def _bring_up(self, name: str, found: Dataset) -> None:
        """What has changed since the pull before, by Codat's own clock; all of it where that cannot be told."""
        assert found.rows is not None
        if not found.newest:
            found.rows = None
            return
        changed = self._listing(name, f"modifiedDate>={found.newest}")
        found.rows = {**found.rows, **{str(row.get("id")): row for row in changed}}
        found.newest = max(found.newest, _newest(found.rows.values()))

    def _listing(self, data_type: str, query: str = "") -> list[Row]:
        path, of_connection = PATHS[data_type]
        try:
            return self.codat.listing(path, query, of_connection=of_connection)
        except NotSynced:
            self._pull([data_type])
            try:
                return self.codat.listing(path, query, of_connection=of_connection)
            except NotSynced as error:
                raise Unavailable(f"Codat has not synced {data_type} yet") from error
        except Rejected as error:
            if "not supported" in error.message:
                self._of(data_type).supported = False
                return []
            raise

    def some(self, data_type: str, queries: Iterable[str]) -> list[Row]:
        """The records that match one of some queries, in as few calls as Codat's 2048 characters allow."""
        found: dict[str, Row] = {}
        for query in _together(queries):
            for row in self._listing(data_type, query):
                found[str(row.get("id"))] = row
        return list(found.values())

    def holds_all(self, data_type: str) -> bool:
        """Whether every record is known without another call."""
        with self._lock:
            return self._of(data_type).rows is not None

    def _of(self, name: str) -> Dataset:
        return self._sets.setdefault(name, Dataset())


def _idle(state: Row) -> bool:
    current = str(state.get("currentStatus") or "")
    return current in ("Complete", "Initial", "NotSupported", "") or current in _FAILED


def _newest(rows: Iterable[Row]) -> str:
    """The latest modifiedDate; '' where one has none, or is no text that sorts as time."""
    dates = [str(row.get("modifiedDate") or "") for row in rows]
    if not dates or not all(len(text) >= 19 and (text.endswith("Z") or len(text) == 19) for text in dates):
        return ""
    return max(text[:19] for text in dates)


_LONGEST_QUERY = 1_500


def _together(queries: Iterable[str]) -> Iterable[str]:
    """Queries joined by `||`; percent-encoded they stay under Codat's limit."""
    some: list[str] = []
    length = 0
    for query in queries:
        size = 6 + sum(1 if letter.isalnum() and letter.isascii() else 3 for letter in query)
        if some and length + size > _LONGEST_QUERY:
            yield "||".join(some)
            some, length = [], 0
        some.append(query)
        length += size
    if some:
        yield "||".join(some)

"""The protocol between the core and a provider. One frozen request per call, so that fields can be added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from pydantic import BaseModel

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import Clock
from reconciler.kernel.money import Rounding
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import ProviderError, Rejected
from reconciler.providers.operations import Operation
from reconciler.resources.kinds import Content

RequestKey = str
PUTS_BACK = "puts_back"
"""The stage of an Unallocate that takes others off too, and puts them back after: what these are is its data."""
NO_DETAILS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class DatedSeries:
    """A numbering series that runs strictly by date: documents of `kind` posted from `begins` to `ends`.

    `last`: the date of the last posted document in it; a document in the series may not be dated before.
    """

    kind: str
    begins: date
    ends: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """The books behind a connection. `closed_through`: the last day no document may post on.

    `open_periods`: the spans (first and last day) that may be posted in, None where the ERP knows none and any
    later day will do.
    """

    id: str
    name: str
    base_currency: str
    time_zone: str = "UTC"
    closed_through: date | None = None
    tax_rounding_per_line: bool = True
    rounding: Rounding = Rounding.HALF_UP
    last_dates_in_series: Mapping[str, date] = field(default_factory=dict)
    """Where numbering is strictly by date: per kind, the date of the last posted document."""
    open_periods: tuple[tuple[date, date], ...] | None = None
    dated_series: tuple[DatedSeries, ...] = ()
    """Where a kind has several series, one a year; a kind that is not named here has the one above."""
    calls_left: int | None = None
    """API calls left of a quota, where the ERP counts them and says so; `calls_left_until` says until when."""
    calls_left_until: str = ""

    def is_closed(self, day: date) -> bool:
        """Whether nothing may post on a day."""
        if self.closed_through is not None and day <= self.closed_through:
            return True
        return self.open_periods is not None and not any(first <= day <= last for first, last in self.open_periods)

    def next_open_day(self, day: date) -> date:
        """The first day from `day` on that may be posted on; `day` itself where none is known."""
        if self.closed_through is not None:
            day = max(day, self.closed_through + timedelta(days=1))
        if self.open_periods is None or not self.is_closed(day):
            return day
        return min((first for first, _ in self.open_periods if first > day), default=day)

    def last_in_series(self, kind: str, day: date) -> date | None:
        """The date before which nothing may be posted in the series a document of `kind` on `day` belongs to."""
        mine = [series for series in self.dated_series if series.kind == kind]
        if not mine:
            return self.last_dates_in_series.get(kind)
        return next((series.last for series in mine if series.begins <= day <= series.ends), None)


@dataclass(frozen=True, slots=True)
class LiveAllocation:
    """What a source settles of a target now; amounts in the source's document currency.

    `write_off_account` (the ERP's id) and `write_off_reason`: '' where the ERP does not tell.
    """

    target_kind: str
    target_id: str
    amount: Decimal
    date: date | None = None
    discount: Decimal = Decimal(0)
    write_off: Decimal = Decimal(0)
    write_off_account: str = ""
    write_off_reason: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """A live record, still encoded.

    `body` is the canonical JSON of its content in our field names, references as the ERP's ids, without
    allocations and computed fields. `fingerprint` digests body and phase; it does not move when a balance
    does. `computed`: text values never diffed (`total`, `net`, `tax`, `open`, …), amounts as plain decimals.
    `phase`: `active`, `archived`, or a document's phase: draft, pending_approval, posted, part_settled,
    settled, reversed, void. `revision`: the ERP's optimistic-lock token, '' where it has none.
    """

    kind: str
    remote_id: str
    body: str
    fingerprint: str
    phase: str
    code: str | None = None
    name: str | None = None
    number: str | None = None
    reference: str | None = None
    revision: str = ""
    computed: Mapping[str, str] = field(default_factory=lambda: NO_DETAILS)
    allocations: tuple[LiveAllocation, ...] = ()

    def content(self) -> dict[str, Any]:
        """The body as JSON-like data: decimals and dates are still text (`resources.content.decode` types it)."""
        return dict(parse_canonical(self.body))

    def amount(self, name: str) -> Decimal:
        """A computed amount, 0 when the ERP gave none."""
        return Decimal(self.computed.get(name, "0"))


@dataclass(frozen=True, slots=True)
class ControlPosting:
    """A posting on a control account that no invoice, credit note or payment made: a manual journal, as a rule."""

    date: date
    description: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class ControlBalance:
    """What the general ledger says of one receivable control account in one currency, as of now.

    `balance`: in that currency, debits positive. Every posting counts, whether a document made it or a journal.
    `others`: the largest of those that no document made, where the ERP can tell them apart; at most ten.
    """

    account_id: str
    account_code: str
    currency: str
    balance: Decimal
    others: tuple[ControlPosting, ...] = ()


@dataclass(frozen=True, slots=True)
class CreditStanding:
    """What the ERP's credit control says of one customer, as of now. Amounts are in `currency`.

    `balance`: what the customer owes, credits and cash on account taken off (negative: we owe them). `limit`: None
    where none is set; 0 is a limit, so a codec whose ERP means "none" by 0 says None. `overdue`: the part of the
    balance past its due date, None where the ERP does not tell. `on_hold`: somebody stopped the account.
    """

    currency: str
    balance: Decimal
    limit: Decimal | None
    overdue: Decimal | None = None
    on_hold: bool = False


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A document as the ERP prints it. `name`: what the ERP calls the file (checked before a file is named so),
    '' where it does not say; `media_type`: `application/pdf`, as a rule."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A record that the state is bound to, and when we last wrote it or what it settles."""

    kind: str
    remote_id: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What to observe. Empty `ids` and `references` mean all of `kinds`.

    `known` widens nothing: a provider whose listings lag reads by id those of them that its listings cannot show
    as they are now. Others need not look at it.
    """

    kinds: tuple[str, ...]
    ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    since: datetime | None = None
    open_only: bool = False
    known: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """Was this done? `key` of the request; `reference` and `number` it carries; the operation itself."""

    key: RequestKey
    operation: Operation
    document_id: str
    reference: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """There: for a create the live record, for anything else the record the operation writes, as it is now.

    `as_of`: how fresh the reading is, where it may lag; None is as of the call.
    """

    observed: Observed
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """Not there, as of an instant: a record made later, or not yet visible then, could still turn up."""

    as_of: datetime


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """The look-up cannot tell."""

    reason: str


Lookup = Found | Absent | Inconclusive


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A value the ERP will store differently: cut, rounded, upper-cased."""

    field: str
    declared: str
    stored: str
    why: str


@dataclass(frozen=True, slots=True)
class Normalized:
    """Content as the ERP will store it, with each adjustment named; normalising it again changes nothing."""

    content: Content
    adjustments: tuple[Adjustment, ...] = ()
    warnings: tuple[str, ...] = ()
    """What the plan should tell beforehand: what the ERP will ask, or refuse unless something is set."""
    refused: tuple[str, ...] = ()
    """What the ERP cannot keep, in words; any of it blocks the address."""


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """One operation to carry out once. `stages`: what earlier attempts at this very request recorded."""

    key: RequestKey
    operation: Operation
    document_id: str
    reference: str
    number: str | None = None
    revision: str = ""
    reason: str = ""
    attempt: int = 1
    stages: tuple[tuple[str, Mapping[str, str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. `observed` is the record as it now is, when the ERP told us; else the id alone."""

    remote_id: str
    revision: str = ""
    number: str | None = None
    observed: Observed | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ERP took it and will do it later: poll with the `handle`."""

    handle: str
    poll_after_seconds: int = 1


Outcome = Done | Accepted | ProviderError


class Progress(Protocol):
    """Durable word between the calls of one operation."""

    def record(self, key: RequestKey, stage: str, data: Mapping[str, str]) -> None:
        """Durable before it returns. Raises FenceLost when the run no longer may write."""
        ...


class Provider(Protocol):
    """One connection to one company's books. Thread-safe. Errors are `ProviderError`s.

    A provider inherits from it for what has a default here: what an ERP need not have.
    """

    def company(self) -> Company: ...

    def capabilities(self) -> Capabilities: ...

    def observe(self, query: Query) -> Iterable[Observed]: ...

    def control_balances(self) -> Sequence[ControlBalance]:
        """The balance of each receivable control account, per currency; () where the ERP cannot tell."""
        return ()

    def credit_standings(self, customer_ids: Sequence[str]) -> Mapping[str, CreditStanding]:
        """What is owed now, and may be, by each of the customers with these remote ids.

        Only called where `Capabilities.credit_control`. A customer of whom the ERP tells nothing is left out.
        """
        return {}

    def document(self, kind: str, remote_id: str) -> DocumentFile:
        """A document as the ERP prints it. Only called where `KindCapabilities.printed`. Raises ProviderError:
        Rejected, with code `unsupported` or `not_found`, where there is none to be had."""
        raise Rejected(f"{kind} is not printed here", code="unsupported")

    def lookup(self, probes: Sequence[Probe]) -> Sequence[Lookup]:
        """One answer per probe, in order."""
        ...

    def normalize(self, kind: str, content: Content) -> Normalized: ...

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted: ...

    def poll(self, handle: str) -> Done | Accepted: ...

    def execute_batch(self, requests: Sequence[ExecuteRequest], progress: Progress) -> Mapping[RequestKey, Outcome]:
        """Only called where `batch_size` > 1. A key missing from the answer is Indeterminate."""
        ...

    def calls(self) -> int:
        """API calls made so far on this connection."""
        ...

    def close(self) -> None: ...


class ProviderFactory(Protocol):
    """What an entry point of the group `reconciler.providers` names: a class without arguments."""

    settings: type[BaseModel]
    """A pydantic model (extra forbidden) of the connection's settings; secrets are SecretStr."""

    def describe(self) -> Capabilities:
        """What a connection with default settings can do, without connecting."""
        ...

    def open(self, settings: BaseModel, root: Path, clock: Clock) -> Provider:
        """Connect. `root` is the project's folder. Raises ReconcilerError with what to do."""
        ...

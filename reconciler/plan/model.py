"""The Plan: changes for readers and policies, steps for the executor, and what both rest on.

Contents come in three spaces. *Names*: as declared. *Identities*: each reference is `#document-id` of
something managed here, or `=remote-id` of something only looked up; state and diffs use this space, so that
renames change nothing. *Ids*: the ERP's own, with holes for what does not exist yet; operations use these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reconciler.kernel.address import Address
from reconciler.providers.capabilities import Remedy
from reconciler.providers.operations import PENDING_ID as PENDING_ID
from reconciler.providers.operations import Hole, Operation


class Action(StrEnum):
    """What happens to one document."""

    NO_OP = "no-op"
    CREATE = "create"
    UPDATE = "update"
    POST = "post"
    ALLOCATE = "allocate"
    UNALLOCATE = "unallocate"
    ADOPT = "adopt"
    NOTE = "note"
    CREDIT = "credit"
    SUPPLEMENT = "supplement"
    REISSUE = "reissue"
    REVERSE = "reverse"
    VOID = "void"
    DISCARD = "discard"
    FORGET = "forget"
    MOVE = "move"
    BLOCKED = "blocked"


class Reason(StrEnum):
    """Why: a closed list, stable for policies."""

    DECLARED = "declared"
    IMPLIED = "implied"
    CHANGED = "changed"
    DRIFTED = "drifted"
    ALLOCATION_ADDED = "allocation_added"
    ALLOCATION_REMOVED = "allocation_removed"
    OURS_BY_REFERENCE = "ours_by_reference"
    ADOPTION_DECLARED = "adoption_declared"
    RENAMED = "renamed"
    REMOVED = "removed"
    CORRECTION = "correction"
    CORRECTION_RESUMED = "correction_resumed"
    # blocked:
    POSTED_IMMUTABLE = "posted_immutable"
    CONSENT_NEEDED = "consent_needed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    EXISTS_UNMANAGED = "exists_unmanaged"
    FOREIGN_DOCUMENT = "foreign_document"
    CONTENT_CONFLICT = "content_conflict"
    REFERENCE_UNRESOLVED = "reference_unresolved"
    REFERENCE_BLOCKED = "reference_blocked"
    UNSUPPORTED = "unsupported"
    PERIOD_CLOSED = "period_closed"
    DATE_ORDER = "date_order"
    TOTAL_MISMATCH = "total_mismatch"
    OVER_ALLOCATION = "over_allocation"
    VANISHED = "vanished"
    VOIDED_ELSEWHERE = "voided_elsewhere"
    IN_CORRECTION = "in_correction"
    UNCONFIRMED_EPOCH = "unconfirmed_epoch"
    IMMUTABLE_FIELD = "immutable_field"
    LOOKS_RENAMED = "looks_renamed"
    EFFECTIVE_MISMATCH = "effective_mismatch"


class Role(StrEnum):
    """A document's part in its address's chain."""

    ORIGINAL = "original"
    REISSUE = "reissue"
    SUPPLEMENT = "supplement"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: `path` as people write it (`lines[1].unit_price`); before and after as text or None."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RemedyOffer:
    """A remedy that fits a blocked change, and the flag that consents to it."""

    remedy: Remedy
    flag: str
    effect: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one document, for readers. `label` is '' or a chain label such as `credit.1`.

    `before`/`after`: content by name, JSON-like, None when it does not exist. `receivable`: Δ open
    receivables per currency. `steps`: ids of the steps that carry it out.
    """

    address: Address
    action: Action
    reason: Reason
    label: str = ""
    detail: str = ""
    fields: tuple[FieldChange, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    steps: tuple[str, ...] = ()
    group: str | None = None
    phase: str = ""
    offers: tuple[RemedyOffer, ...] = ()
    hint: str = ""
    irreversible: bool = False
    receivable: Mapping[str, Decimal] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    remote_id: str | None = None
    number: str | None = None
    source: str = ""
    """`file:line:column` of the declaration."""

    def label_of(self, default_connection: str | None) -> str:
        """The derived address people and policies see: `invoice.INV-7452/credit.1`."""
        root = self.address.label(default_connection)
        return f"{root}/{self.label}" if self.label else root


@dataclass(frozen=True, slots=True)
class Drift:
    """A live value that moved since we last wrote or recorded it. `kind`: `field`, `phase`, `allocation`,
    `vanished`."""

    address: Address
    kind: str
    detail: str
    fields: tuple[FieldChange, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What state records when a step is done, besides the document itself.

    `declared`/`declared_digest`: the address's last-applied content (identities) and its digest; None leaves
    the binding as it is. `generation`: the binding's new generation, None leaves it. `target_document`: for
    allocations, the document id settled. `allocations`: (target document id, amount) made by a create.
    """

    declared: str | None = None
    declared_digest: str | None = None
    generation: int | None = None
    target_document: str | None = None
    allocations: tuple[tuple[str, Decimal], ...] = ()
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One legal operation. `id` is unique in the plan and deterministic. `operation_key` is the part of the
    request key that names the operation (`create`, `update@3`, `allocate:<document id>@3`)."""

    id: str
    address: Address
    label: str
    operation: Operation
    operation_key: str
    document_id: str
    reference: str
    role: Role = Role.ORIGINAL
    number: str | None = None
    generation: int = 1
    holes: tuple[Hole, ...] = ()
    depends_on: tuple[str, ...] = ()
    revision: str = ""
    group: str | None = None
    reason: str = ""
    effect: Effect = field(default_factory=Effect)
    description: str = ""
    series: str = ""
    """Where numbering is strictly by date: posts of one series run one at a time, in order."""


class BookkeepingKind(StrEnum):
    MOVE = "move"
    ADOPT = "adopt"
    FORGET = "forget"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """A change to state alone, made before the first step. Unused fields are empty."""

    kind: BookkeepingKind
    address: Address
    destination: Address | None = None
    document_id: str = ""
    label: str = ""
    role: Role = Role.ORIGINAL
    generation: int = 1
    remote_id: str = ""
    number: str | None = None
    reference: str = ""
    declared: str | None = None
    declared_digest: str | None = None
    reason: str = ""
    allocations: tuple[tuple[str, Decimal], ...] = ()
    first_address: Address | None = None
    """Where an adopted chain began, when it was renamed before the state was lost."""


@dataclass(frozen=True, slots=True)
class Movement:
    """What a correction moves in the books: one line of its proof. Amounts in `currency`."""

    dimension: str
    """`open`, `revenue`, `tax` or `tracking`."""
    key: str
    period: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Group:
    """A correction: its steps in order, its consent and its proof."""

    id: str
    address: Address
    remedy: Remedy
    reason: str
    steps: tuple[str, ...]
    proof: tuple[Movement, ...] = ()
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class FootprintRow:
    """A row the plan used: it must be the same when the plan is applied.

    `binding_revision` 0: the address was not bound. `fingerprint` and `open` are empty when there was no
    live row or no balance mattered.
    """

    address: Address
    label: str
    kind: str
    remote_id: str
    binding_revision: int
    fingerprint: str
    open: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """How the plan was asked for. `allows`: (remedy, address text) pairs."""

    refresh: str = "all"
    targets: tuple[Address, ...] = ()
    allows: tuple[tuple[Remedy, Address], ...] = ()
    reason: str = ""
    refresh_only: bool = False
    unmanaged: bool = False


@dataclass(frozen=True, slots=True)
class CompanyRow:
    connection: str
    provider: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A live document that no declaration or state claims.

    `customer`: its address's name, or the ERP's. `day`: of issue, or of receipt. `address`: the one to declare it
    under, and with `remote_id` to list under `adopt:`; '' where it cannot be adopted, with `why`.
    """

    connection: str
    kind: str
    remote_id: str
    phase: str
    number: str = ""
    customer: str = ""
    day: str = ""
    currency: str = ""
    total: Decimal | None = None
    open: Decimal | None = None
    address: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class CreditRaise:
    """How much more a customer is made to owe in one currency. `by`: the addresses that do it, the first of them;
    `more` are not named."""

    amount: Decimal
    by: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class CreditOutlook:
    """What the plan makes one customer owe, beside what credit control allows.

    `customer`: its address, or what the ERP calls it; `remote_id` is '' where it is to be created. Per currency,
    `raises` is all that raises what it owes, `moves` the Δ with what settles or credits it. `currency`, `balance`,
    `overdue`: as credit control has them now. `limit` and `on_hold`: as they will be; the plan itself may set them
    (`sets_limit`, `sets_hold`).
    """

    connection: str
    customer: str
    currency: str
    balance: Decimal
    remote_id: str = ""
    limit: Decimal | None = None
    overdue: Decimal | None = None
    on_hold: bool = False
    raises: Mapping[str, CreditRaise] = field(default_factory=dict)
    moves: Mapping[str, Decimal] = field(default_factory=dict)
    sets_limit: bool = False
    sets_hold: bool = False

    @property
    def after(self) -> Decimal:
        """What the customer owes in `currency` when the plan is applied."""
        return self.balance + self.moves.get(self.currency, Decimal(0))

    @property
    def over(self) -> bool:
        """The plan raises what the customer owes, and leaves it over its limit."""
        return self.limit is not None and self.currency in self.raises and self.after > self.limit

    @property
    def not_compared(self) -> Mapping[str, Decimal]:
        """What is raised in other currencies than the limit's."""
        if self.limit is None:
            return {}
        return {currency: item.amount for currency, item in self.raises.items() if currency != self.currency}


@dataclass(frozen=True, slots=True)
class Plan:
    """A complete, self-contained plan. Changes and drift are in address order, steps in dependency order.

    `head`: the history hash it was made on. `pending`: addresses left out because an outcome is unknown.
    `gone`: bound addresses no longer declared. `unmanaged`: live documents nobody declares, per kind.
    """

    project: str
    project_name: str
    lineage: str
    epoch: int
    head: str
    created_at: str
    default_connection: str | None
    companies: tuple[CompanyRow, ...]
    options: Options
    changes: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] = ()
    steps: tuple[Step, ...] = ()
    bookkeeping: tuple[Bookkeeping, ...] = ()
    groups: tuple[Group, ...] = ()
    footprint: tuple[FootprintRow, ...] = ()
    gone: tuple[Address, ...] = ()
    unmanaged: Mapping[str, int] = field(default_factory=dict)
    unmanaged_documents: tuple[Unmanaged, ...] = ()
    """Each of those counted in `unmanaged`; only where the options ask for them."""
    unmanaged_masters: Mapping[str, int] = field(default_factory=dict)
    """Customers, accounts and other master data nobody declares, per kind; likewise."""
    warnings: tuple[str, ...] = ()
    credit: tuple[CreditOutlook, ...] = ()
    """The customers whose receivable is raised and whose ERP limits or stops their credit."""
    api_calls: Mapping[str, int] = field(default_factory=dict)
    policy_digest: str = ""
    unchanged: int = 0
    version: str = ""
    rendered: str = ""
    """Digest of what was rendered from templates and of their variables; empty where there are none."""

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is Action.BLOCKED)

    @property
    def complete(self) -> bool:
        """Nothing that was declared is left out."""
        return not self.blocked

    @property
    def has_work(self) -> bool:
        """An apply would send or record something."""
        return bool(self.steps or self.bookkeeping)

    @property
    def has_changes(self) -> bool:
        """Exit code 2 with `--detailed-exitcode`: there is work, or something is blocked."""
        return self.has_work or not self.complete

"""What a provider can do, as data. Unlisted means unsupported.

One table drives the planner, `reconciler providers`, the README's matrix and which conformance cases run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Support(StrEnum):
    FULL = "full"
    CONDITIONAL = "conditional"
    NOT_IMPLEMENTED = "not_implemented"
    UNSUPPORTED = "unsupported"


class Verb(StrEnum):
    """What may be done to a kind; also the `operation` part of a request key."""

    CREATE = "create"
    UPDATE = "update"
    POST = "post"
    VOID = "void"
    REVERSE = "reverse"
    DELETE = "delete"
    ALLOCATE = "allocate"
    UNALLOCATE = "unallocate"
    ATTACH = "attach"


class DeduplicationClass(StrEnum):
    """What protects a repeated write: A a permanent unique key, B a unique number or reference the ERP
    enforces, C a searchable reference that is not unique, D nothing searchable."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"

    @property
    def enforced(self) -> bool:
        """The ERP itself refuses a second one, so sending again is safe."""
        return self in (DeduplicationClass.A, DeduplicationClass.B)


class Numbering(StrEnum):
    OURS_ACCEPTED = "ours_accepted"
    OURS_REQUIRED = "ours_required"
    ASSIGNED = "assigned"
    ASSIGNED_IN_DATE_ORDER = "assigned_in_date_order"

    @property
    def ours(self) -> bool:
        return self in (Numbering.OURS_ACCEPTED, Numbering.OURS_REQUIRED)


class AllocateAt(StrEnum):
    """When a source's allocations can be made; a provider lists every way it has."""

    AT_CREATE = "at_create"
    LATER = "later"
    LATER_AS_DOCUMENT = "later_as_document"


class Remedy(StrEnum):
    """How a change to something posted may be carried out, with the user's consent."""

    NOTE = "note"
    SUPPLEMENT = "supplement"
    CREDIT = "credit"
    CREDIT_AND_REISSUE = "credit_and_reissue"
    REVERSE_AND_REISSUE = "reverse_and_reissue"
    VOID = "void"
    UNALLOCATE = "unallocate"


@dataclass(frozen=True, slots=True)
class VerbSupport:
    """How well a verb works for a kind, and how a repetition of it is kept from doubling.

    `settle_seconds`: how long after `not_after` a request may still land; None is unbounded.
    """

    support: Support = Support.FULL
    note: str = ""
    deduplication: DeduplicationClass = DeduplicationClass.A
    settle_seconds: int | None = 0


@dataclass(frozen=True, slots=True)
class KindCapabilities:
    """What one kind allows on one connection.

    `fields`: the top-level fields the ERP has; others are blocked when declared. `amendable`: per phase
    (`draft`, `posted`, `part_settled`, `settled`), the top-level fields an update may change; `*` means all.
    Non-documents have the one phase `active`. `needs_number`: a create must carry a number of ours.
    """

    verbs: Mapping[Verb, VerbSupport]
    fields: frozenset[str]
    amendable: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    remedies: frozenset[Remedy] = frozenset()
    numbering: Numbering = Numbering.OURS_ACCEPTED
    allocate: frozenset[AllocateAt] = frozenset()
    reference_length: int = 60
    needs_exchange_rate: bool = False
    """A document in another currency than the books' must state its rate."""
    printed: bool = False
    """`Provider.document` gives the ERP's own print of one."""
    resumes: bool = False
    """A create that finds what it left half-way (a draft) finishes that, however long ago it was begun."""
    missing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What brings a field that is not among `fields` because of a setting: ``set `attachments: true` ``."""
    customers_currency: bool = False
    """A document is in the currency its customer is kept in: another is refused."""
    closed_accounts: frozenset[str] = frozenset()
    """Types of accounts that no line may post to."""
    number_length: int = 0
    """The longest number of ours that is taken; 0: any."""
    note: str = ""

    def verb(self, verb: Verb) -> VerbSupport:
        return self.verbs.get(verb, VerbSupport(Support.UNSUPPORTED))

    def can(self, verb: Verb) -> bool:
        return self.verb(verb).support in (Support.FULL, Support.CONDITIONAL)

    def may_amend(self, phase: str, field_name: str) -> bool:
        allowed = self.amendable.get(phase, frozenset())
        return "*" in allowed or field_name in allowed


@dataclass(frozen=True, slots=True)
class Capabilities:
    """A connection's capabilities. Sizes and rates are per connection; `batch_size` 1 means no batches.

    `request_timeout` is the longest one request may take (seconds); it bounds `not_after`.
    """

    provider: str
    kinds: Mapping[str, KindCapabilities]
    batch_size: int = 1
    batch_atomic: bool = False
    batch_searched: bool = False
    """Batches take what only a look-up keeps from being doubled (class C), too: each member is looked for on its
    own afterwards. A crash then leaves a whole batch to be settled by looking, not one."""
    page_size: int = 100
    concurrency: int = 4
    requests_per_second: int = 0
    request_timeout: int = 60
    incremental: bool = False
    note: str = ""
    reads_lag: bool = False
    """A fresh write is not to be seen before a costly refresh: a run reads what it wrote once, at its end."""
    calls_per_write: int = 1
    """API calls that one write takes, as a rule: a push and its polls, say."""
    summary: str = ""
    """One line for lists: which system this is, and how it is reached."""
    credit_control: bool = False
    """`Provider.credit_standings` tells what customers owe and may owe: plans warn before a limit is passed."""

    def kind(self, kind: str) -> KindCapabilities:
        return self.kinds.get(kind, _NOTHING)

    def may_batch(self, support: VerbSupport) -> bool:
        """Whether a write so protected may go out with others in one request."""
        searched = self.batch_searched and support.deduplication is DeduplicationClass.C
        return support.deduplication.enforced or searched


_NOTHING = KindCapabilities(verbs=MappingProxyType({}), fields=frozenset())

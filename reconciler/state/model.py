"""Rows of the state and the writes that change them. Texts and integers only; amounts are decimal text.

A commit is a list of writes, all or nothing, durable before it returns, refused when the fence is not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reconciler.kernel.address import Address


@dataclass(frozen=True, slots=True)
class Meta:
    """The store's identity. `head`/`serial`: the last history entry; `epoch` rises when state was lost.

    `unconfirmed`: a new epoch in which class D creates wait for `recover --confirm-absent`.
    """

    lineage: str
    project: str
    epoch: int
    epoch_reason: str
    unconfirmed: bool
    serial: int
    head: str


@dataclass(frozen=True, slots=True)
class BindingRow:
    """An address and its chain. `declared`: last-applied content, references as identities; `revision`
    rises by one at each write; `document_id` is the current generation's document."""

    address: Address
    document_id: str
    first_address: Address
    generation: int
    declared: str
    declared_digest: str
    codec_version: int
    revision: int
    updated_at: str


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One ERP record we own. `address` is its chain's; `label` '' or `credit.1`; `fingerprint` and `phase`
    as last recorded; `body` and `computed` (canonical JSON) of the record as last seen, '' when not loaded."""

    document_id: str
    address: Address
    label: str
    role: str
    generation: int
    kind: str
    remote_id: str
    number: str | None
    reference: str
    revision: str
    fingerprint: str
    phase: str
    body: str = ""
    computed: str = ""


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """What one of our sources settles of one of our targets, by our doing; absolute, decimal text."""

    source_document: str
    target_document: str
    amount: str


class IntentStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    REJECTED = "rejected"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    ABANDONED = "abandoned"

    @property
    def settled(self) -> bool:
        return self not in (IntentStatus.OPEN, IntentStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class IntentRow:
    """One attempt at one operation. `step`: canonical JSON of the plan's step with holes filled, enough to
    settle and record it without the plan. `request`: what was sent. `not_after`: no later can it have been
    sent, plus the request time-out (ISO instant)."""

    key: str
    run_id: str
    plan_digest: str
    step_id: str
    connection: str
    address: Address
    document_id: str
    operation_key: str
    attempt: int
    deduplication: str
    step: str
    content_digest: str
    not_after: str
    status: IntentStatus = IntentStatus.OPEN
    outcome: str = ""
    """Canonical JSON: message, or remote id, number."""
    opened_at: str = ""
    closed_at: str = ""
    group: str | None = None

    @property
    def may_be_resent(self) -> bool:
        """Not there when last looked for, and the ERP keeps a second one out: it blocks nothing, but while it may
        yet land it is not forgotten."""
        return self.status is IntentStatus.UNKNOWN and '"unproven":true' in self.outcome


class GroupStatus(StrEnum):
    OPEN = "open"
    DONE = "done"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A correction under way. `members`: canonical JSON of its steps as planned, frozen; `next_member`:
    how many are done."""

    id: str
    address: Address
    remedy: str
    reason: str
    members: str
    next_member: int
    status: GroupStatus
    proof: str = "[]"


@dataclass(frozen=True, slots=True)
class RunRow:
    """One apply (or recover). `status`: running, complete, incomplete, unknown, stopped."""

    id: str
    plan_digest: str
    command: str
    started_at: str
    status: str = "running"
    finished_at: str = ""
    fence: int = 0
    commit: str = ""
    """The Git commit the plan came from, when known."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One link of the hash chain: `hash` = SHA-256 of previous hash and entry."""

    serial: int
    entry: str
    hash: str


# ---- writes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutBinding:
    """Insert or replace; the store sets `revision` to one more than the row it replaces (else 1)."""

    row: BindingRow


@dataclass(frozen=True, slots=True)
class MoveBinding:
    """Rename: the binding, its documents and its open groups follow. Refused when `destination` is bound."""

    origin: Address
    destination: Address


@dataclass(frozen=True, slots=True)
class DropBinding:
    """Forget an address: its binding and documents' claim on the address go; the ERP is not touched."""

    address: Address


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Insert or replace by document id; an empty `body` or `computed` keeps the one stored."""

    row: DocumentRow


@dataclass(frozen=True, slots=True)
class PutAllocation:
    """Insert or replace; amount '0' removes it."""

    row: AllocationRow


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """Insert; or reopen the row of the same key (a resend of the same request)."""

    row: IntentRow


@dataclass(frozen=True, slots=True)
class CloseIntent:
    """Set an intent's status and outcome. For `rejected` and a proven `absent`, `raise_attempt` raises the
    attempt of (document, operation) in the same commit."""

    key: str
    status: IntentStatus
    outcome: str = ""
    closed_at: str = ""
    raise_attempt: bool = False


@dataclass(frozen=True, slots=True)
class RecordStage:
    """A stage of a request, in order of recording."""

    key: str
    stage: str
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PutGroup:
    row: GroupRow


@dataclass(frozen=True, slots=True)
class PutRun:
    row: RunRow


@dataclass(frozen=True, slots=True)
class AppendHistory:
    """Chain an entry (a JSON-like mapping) to the history."""

    entry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewEpoch:
    """The epoch rises by one, or to `at_least`."""

    reason: str
    unconfirmed: bool = True
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class ConfirmEpoch:
    """`recover --confirm-absent`: class D creates may go on."""


Write = (
    PutBinding
    | MoveBinding
    | DropBinding
    | PutDocument
    | PutAllocation
    | OpenIntent
    | CloseIntent
    | RecordStage
    | PutGroup
    | PutRun
    | AppendHistory
    | NewEpoch
    | ConfirmEpoch
)


@dataclass(frozen=True, slots=True)
class StateView:
    """What planning reads: everything but bodies, in one consistent snapshot."""

    meta: Meta
    bindings: Mapping[Address, BindingRow] = field(default_factory=dict)
    documents: Mapping[str, DocumentRow] = field(default_factory=dict)
    """By document id."""
    allocations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(source document, target document) → amount."""
    attempts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(document id, operation key) → the next attempt, where it is not 1."""
    unsettled: tuple[IntentRow, ...] = ()
    """Intents open or unknown."""
    groups: tuple[GroupRow, ...] = ()
    """Groups that are open."""

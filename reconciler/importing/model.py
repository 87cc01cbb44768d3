"""What an import is asked for, what it makes of each live record, and what it reports. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from reconciler.kernel.address import Address
from reconciler.kernel.errors import ExitCode
from reconciler.plan.matching import Member
from reconciler.providers.protocol import Observed

DEFAULT_KINDS = ("customer", "invoice", "credit_note", "payment")
"""Reference data may live in the ERP alone; it is declared when asked for, or when it cannot be named."""

Place = tuple[str, str]
"""(kind, remote id)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are asked for. `since`: documents dated on or after. `open_only`: what is still to be settled
    or applied, and drafts."""

    kinds: frozenset[str] = frozenset(DEFAULT_KINDS)
    since: date | None = None
    open_only: bool = False


class Standing(StrEnum):
    """How a live record stands to this project."""

    MANAGED = "managed"
    """Declared and bound."""
    UNDECLARED = "undeclared"
    """Bound, and gone from the manifests: declared again under its own address."""
    DECLARED = "declared"
    """Declared under the name an import gives it, but not bound: state was lost, or an import was cut short."""
    OURS = "ours"
    """It carries our tag: bound to its own address."""
    FREE = "free"
    """Made by others."""


class Why(StrEnum):
    """Why a record is left out."""

    ENDED = "ended"
    """Void, reversed or cancelled; or credited in full by a correction of ours."""
    ANOTHER_PROJECT = "another_project"
    PENDING = "pending"
    UNNAMED = "unnamed"
    """Ours by its tag, but made under a name that cannot be told any more."""
    UNKNOWN = "unknown"
    """An earlier request for it has no known outcome."""
    REFERS = "refers"
    """It refers to something that is left out."""
    DIFFERS = "differs"
    """Declared, but not as it is in the books."""
    NOT_DECLARABLE = "not_declarable"
    """What is in the books cannot be declared so that a plan finds nothing to do."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A live record that is not imported. `shown`: its number, code or name."""

    kind: str
    remote_id: str
    shown: str
    why: Why
    detail: str = ""
    hint: str = ""


@dataclass(slots=True)
class Record:
    """A live record that may be declared: its current document, and all of its chain where it is ours."""

    row: Observed
    standing: Standing
    name: str = ""
    members: tuple[Member, ...] = ()

    @property
    def place(self) -> Place:
        return self.row.kind, self.row.remote_id


@dataclass(frozen=True, slots=True)
class Entry:
    """What is declared of a record. `day` tells a document's file, `currency` gives amounts their decimals."""

    address: Address
    content: dict[str, Any]
    record: Record
    day: date | None = None
    currency: str | None = None

    @property
    def to_be_written(self) -> bool:
        return self.record.standing is not Standing.DECLARED


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A manifest that is new or has grown: its path in the project, and how many resources it gained."""

    path: str
    added: int
    new: bool


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may explain a difference: in words, with its amount."""

    text: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TieOutRow:
    """Open items against the control accounts in one currency; both positive where customers owe."""

    currency: str
    invoices: Decimal
    credit_notes: Decimal
    payments: Decimal
    control: Decimal
    suspects: tuple[Suspect, ...] = ()

    @property
    def open_items(self) -> Decimal:
        return self.invoices - self.credit_notes - self.payments

    @property
    def difference(self) -> Decimal:
        return self.open_items - self.control


@dataclass(frozen=True, slots=True)
class TieOut:
    """`possible`: whether the ERP tells what its control accounts hold; `why_not` in its words."""

    rows: tuple[TieOutRow, ...] = ()
    possible: bool = True
    why_not: str = ""

    @property
    def ties(self) -> bool:
        return all(row.difference == 0 for row in self.rows)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. Counts are per kind; `corrections`: documents of ours folded into their chains."""

    connection: str
    company: str
    company_id: str
    imported: Mapping[str, int]
    bound_again: Mapping[str, int]
    declared_again: Mapping[str, int]
    managed: Mapping[str, int]
    not_asked_for: Mapping[str, int]
    corrections: int
    left_out: tuple[LeftOut, ...]
    files: tuple[WrittenFile, ...]
    tie_out: TieOut
    calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def exit_code(self) -> ExitCode:
        """1 when open items and control accounts differ, as for anything a check finds."""
        return ExitCode.OK if self.tie_out.ties else ExitCode.ERROR

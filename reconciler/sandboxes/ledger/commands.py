"""What the ledger can be told to do: a closed union of frozen commands, and their JSON for the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter
from pydantic.dataclasses import dataclass as pydantic_dataclass

from reconciler.kernel.canonical import canonical_json
from reconciler.resources.documents import WriteOff
from reconciler.resources.fields import DateField, DecimalField


def _given_up(value: Any) -> Any:
    """A write-off with its amount typed: from the wire it comes as text."""
    return _write_off().validate_python(value)


@lru_cache(maxsize=1)
def _write_off() -> TypeAdapter[Any]:
    return TypeAdapter(WriteOff)


GivenUp = Annotated[dict[str, Any], AfterValidator(_given_up)]


@pydantic_dataclass(frozen=True, slots=True)
class CreateRecord:
    """Write a master record or a document. `state`: draft or posted; documents only.

    `content` may carry the allocations of a posted payment or credit note.
    """

    kind: str
    content: dict[str, Any]
    reference: str | None = None
    number: str | None = None
    state: Literal["draft", "posted"] = "posted"
    verb: Literal["create"] = "create"


@pydantic_dataclass(frozen=True, slots=True)
class UpdateRecord:
    """Set fields. With a `revision`, only if the record is at it; without, only if `before` holds."""

    kind: str
    id: str
    before: dict[str, Any]
    after: dict[str, Any]
    revision: str = ""
    verb: Literal["update"] = "update"


@pydantic_dataclass(frozen=True, slots=True)
class PostDraft:
    """Post a draft, with the allocations it is to make at once."""

    kind: str
    id: str
    revision: str = ""
    allocations: list[dict[str, Any]] = Field(default_factory=list)
    verb: Literal["post"] = "post"


@pydantic_dataclass(frozen=True, slots=True)
class DiscardDraft:
    kind: str
    id: str
    revision: str = ""
    verb: Literal["discard"] = "discard"


@pydantic_dataclass(frozen=True, slots=True)
class VoidDocument:
    """Undo a posted document, on its own day or on a later `date`."""

    kind: str
    id: str
    reason: str = ""
    revision: str = ""
    date: DateField | None = None
    verb: Literal["void"] = "void"


@pydantic_dataclass(frozen=True, slots=True)
class ReversePayment:
    id: str
    date: DateField
    reason: str = ""
    revision: str = ""
    verb: Literal["reverse"] = "reverse"


@pydantic_dataclass(frozen=True, slots=True)
class SetAllocation:
    """What the source settles of the target is to be `amount` in all, from `before`.

    `keep_extras`: the discount and write-off stay as they are (unless nothing is left).
    """

    source_kind: str
    source_id: str
    target_kind: str
    target_id: str
    amount: DecimalField
    before: DecimalField = Decimal(0)
    date: DateField | None = None
    discount: DecimalField = Decimal(0)
    write_off: GivenUp | None = None
    keep_extras: bool = False
    verb: Literal["allocate"] = "allocate"


@pydantic_dataclass(frozen=True, slots=True)
class ApplyDocument:
    """Settle `amount` more of the target, by a document of its own with its own reference."""

    source_kind: str
    source_id: str
    target_kind: str
    target_id: str
    amount: DecimalField
    reference: str
    date: DateField | None = None
    discount: DecimalField = Decimal(0)
    write_off: GivenUp | None = None
    verb: Literal["apply"] = "apply"


@pydantic_dataclass(frozen=True, slots=True)
class AttachFile:
    kind: str
    id: str
    name: str
    path: str
    sha256: str
    verb: Literal["attach"] = "attach"


@pydantic_dataclass(frozen=True, slots=True)
class JournalLine:
    """One line of a manual journal; `amount` is positive for debits, in `currency`."""

    account: str
    amount: DecimalField
    currency: str = ""
    rate: DecimalField = Decimal(1)


@pydantic_dataclass(frozen=True, slots=True)
class PostJournal:
    """A manual journal. Control accounts are refused; it balances in base currency or is refused."""

    date: DateField
    lines: list[JournalLine]
    memo: str = ""
    entity: str = ""
    verb: Literal["journal"] = "journal"


@pydantic_dataclass(frozen=True, slots=True)
class ClosePeriod:
    """Lock receivables (`ar`) or everything (`gl`) through a day; None opens."""

    through: DateField | None
    ledger: Literal["ar", "gl"] = "ar"
    verb: Literal["close"] = "close"


Command = (
    CreateRecord
    | UpdateRecord
    | PostDraft
    | DiscardDraft
    | VoidDocument
    | ReversePayment
    | SetAllocation
    | ApplyDocument
    | AttachFile
    | PostJournal
    | ClosePeriod
)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Command]:
    return TypeAdapter(Annotated[Command, Field(discriminator="verb")])


def command_json(command: Command) -> str:
    """The command's canonical JSON."""
    return canonical_json(_plain(command))


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def command_value(command: Command) -> dict[str, Any]:
    """The command as a mapping for `canonical_json`."""
    data: dict[str, Any] = _plain(command)
    return data


def command_from(data: Any) -> Command:
    """The inverse of `command_value` after JSON. Raises ValueError (pydantic's included)."""
    return _adapter().validate_python(data)


__all__ = ["Command", "command_from", "command_json", "command_value", "date"]

"""The operations a provider executes: a closed union, so that the type checker sees every case.

Contents are typed as in `reconciler.resources`, with references already resolved to the ERP's ids.
Plans store operations as JSON: `operation_to_json` and `operation_from_json` are inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass as pydantic_dataclass

from reconciler.providers.capabilities import Verb
from reconciler.resources.content import copy_content
from reconciler.resources.fields import DateField, DecimalField


@pydantic_dataclass(frozen=True, slots=True)
class Create:
    """Create a document or master record. With `state: posted` in a document's content: create and post.

    `content` carries `allocations` only where the connection allocates at create.
    """

    kind: str
    content: dict[str, Any]
    verb: Literal["create"] = "create"


@pydantic_dataclass(frozen=True, slots=True)
class Update:
    """Set top-level fields of a live record: `before` as observed, `after` as wanted (lists whole)."""

    kind: str
    remote_id: str
    before: dict[str, Any]
    after: dict[str, Any]
    verb: Literal["update"] = "update"


@pydantic_dataclass(frozen=True, slots=True)
class Post:
    """Post a draft. Irreversible."""

    kind: str
    remote_id: str
    verb: Literal["post"] = "post"


@pydantic_dataclass(frozen=True, slots=True)
class Void:
    """Void a posted document, with the ERP's own void."""

    kind: str
    remote_id: str
    reason: str
    verb: Literal["void"] = "void"


@pydantic_dataclass(frozen=True, slots=True)
class Reverse:
    """Reverse a payment on `date`; its allocations fall away."""

    kind: str
    remote_id: str
    date: DateField
    reason: str
    verb: Literal["reverse"] = "reverse"


@pydantic_dataclass(frozen=True, slots=True)
class Delete:
    """Discard a draft (never a posted document)."""

    kind: str
    remote_id: str
    verb: Literal["delete"] = "delete"


@pydantic_dataclass(frozen=True, slots=True)
class Allocate:
    """Set what `source` settles of `target` to `amount` in all (absolute), from `before` (0 when none).

    Raises the allocation; `discount` and `write_off` are absolute too. Amounts in document currency.
    """

    source_kind: str
    source_id: str
    target_kind: str
    target_id: str
    amount: DecimalField
    before: DecimalField = Decimal(0)
    date: DateField | None = None
    discount: DecimalField = Decimal(0)
    write_off: dict[str, Any] | None = None
    verb: Literal["allocate"] = "allocate"


@pydantic_dataclass(frozen=True, slots=True)
class Unallocate:
    """Lower what `source` settles of `target` to `amount` in all (0 = take it off), from `before`."""

    source_kind: str
    source_id: str
    target_kind: str
    target_id: str
    before: DecimalField
    amount: DecimalField = Decimal(0)
    verb: Literal["unallocate"] = "unallocate"


@pydantic_dataclass(frozen=True, slots=True)
class Attach:
    """Attach a file (name, path relative to the project, SHA-256) to a live document."""

    kind: str
    remote_id: str
    name: str
    path: str
    sha256: str
    verb: Literal["attach"] = "attach"


Operation = Create | Update | Post | Void | Reverse | Delete | Allocate | Unallocate | Attach
_Tagged = Annotated[Operation, Field(discriminator="verb")]


PENDING_ID = "(known after apply)"
"""Stands in an operation where a hole will be filled."""


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Operation]:
    return TypeAdapter(_Tagged)


@lru_cache(maxsize=1)
def _write_off() -> TypeAdapter[Any]:
    from reconciler.resources.documents import WriteOff

    return TypeAdapter(WriteOff)


def operation_to_json(operation: Operation) -> dict[str, Any]:
    """A JSON-like mapping with typed scalars (Decimal, date), ready for `canonical_json`."""
    slots = operation.__dataclass_fields__
    return {name: getattr(operation, name) for name in slots}


def operation_from_json(data: dict[str, Any]) -> Operation:
    """The inverse; contents are typed by their kind. Raises ValueError (pydantic's included)."""
    return _typed_contents(_adapter().validate_python(data))


def _typed_contents(operation: Operation) -> Operation:
    from reconciler.resources.content import typed, typed_sides
    from reconciler.resources.kinds import KINDS

    kind = subject(operation)[0]
    if kind not in KINDS:
        raise ValueError(f"there is no kind {kind[:40]!r}")
    if isinstance(operation, Create):
        return Create(kind, typed(kind, operation.content))
    if isinstance(operation, Update):
        before, after = typed_sides(kind, operation.before), typed_sides(kind, operation.after)
        return Update(kind, operation.remote_id, before, after)
    if isinstance(operation, Allocate) and operation.write_off is not None:
        return replace(operation, write_off=_write_off().validate_python(operation.write_off))
    return operation


def subject(operation: Operation) -> tuple[str, str | None]:
    """(kind, remote id) of the record an operation writes; None for a create."""
    if isinstance(operation, Create):
        return operation.kind, None
    if isinstance(operation, (Allocate, Unallocate)):
        return operation.source_kind, operation.source_id
    return operation.kind, operation.remote_id


def verb_of(operation: Operation) -> Verb:
    return Verb(operation.verb)


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in an operation to be filled at apply time with another step's output.

    `place`: attribute of the operation, then keys and indexes into it. The value there is PENDING_ID; where
    it is not, the place's last part is a pending key of a mapping (tracking), to be renamed.
    """

    place: tuple[str | int, ...]
    step: str
    field: Literal["id", "revision"] = "id"


def with_holes_filled(operation: Operation, values: Mapping[tuple[str | int, ...], str]) -> Operation:
    """A copy of `operation` with each hole's place filled: the value there, or the pending key there."""
    data: Any = {name: copy_content(value) for name, value in operation_to_json(operation).items()}
    for place, value in values.items():
        parent = data
        for step in place[:-1]:
            parent = parent[step]
        if parent[place[-1]] == PENDING_ID:
            parent[place[-1]] = value
        else:
            parent[value] = parent.pop(place[-1])
    return type(operation)(**data)

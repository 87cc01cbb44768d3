"""What the three ERPs behind the API share: a forwarded request, and small readings of their own fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from reconciler.sandboxes.alloy.keeping import Keeper
from reconciler.sandboxes.alloy.payments import Applied, Native
from reconciler.sandboxes.alloy.words import Problem, invalid


@dataclass(frozen=True, slots=True)
class Asked:
    """A forwarded request. `path`: segments after the ERP's own prefix."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """The ERP's answer."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Platform(Protocol):
    """One ERP as the sandbox knows it: payments, and what is needed to find and apply them."""

    def remote_fields(self, keeper: Keeper, fields: Mapping[str, Any]) -> Native:
        """What `remoteFields` of a payment say. Raises Problem."""
        ...

    def split(self, endpoint: str) -> tuple[str, ...] | None:
        """The path's segments after the ERP's prefix, which may be left out; None when it is another's."""
        ...

    def answer(self, keeper: Keeper, asked: Asked) -> Told:
        """Raises Problem."""
        ...

    def fault(self, problem: Problem) -> Told:
        """The ERP's own way to say it."""
        ...


def only(fields: Mapping[str, Any], known: Sequence[str], where: str, *, refuse: bool) -> None:
    """Refuses fields that the ERP does not have (or that this sandbox has no use for)."""
    unknown = [name for name in fields if name not in known]
    if unknown and refuse:
        raise invalid(f"{where}{unknown[0][:60]} is not supported")


def text_of(value: Any, name: str) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(f"{name} must be a text")
    return value


def mapping_of(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object")
    return value


def list_of(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise invalid(f"{name} must be a list")
    return value


def day_of(value: Any, name: str) -> str | None:

    text = text_of(value, name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise invalid(f"{name} must be a date such as 2026-11-30") from None


def target(keeper: Keeper, kind: str, remote: str, amount: Decimal | None) -> Applied:
    """Part of a payment to the document with this id of the ERP. Raises Problem."""
    found = keeper.view.remote(kind, remote)
    if found is None or found.deleted:
        raise invalid(f"there is no {kind.replace('_', ' ')} {remote[:60]}")
    return Applied(kind, found.record.id, amount)

"""Rutter's scalars: days written as instants, amounts as numbers or texts; the memo that bears our reference.

A platform behind Rutter has no field for a caller's own id. What we carry is the last line of `memo`: what stands
before it is the user's. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.kernel.identity import TAG_LENGTH, tag_in
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.kernel.plain import printable

Row = Mapping[str, Any]
_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?\Z", re.ASCII)


def day_text(day: date) -> str:
    """A day as Rutter's examples write it."""
    return f"{day.isoformat()}T00:00:00.000Z"


def day_of(value: Any) -> date | None:
    """The day of a date that is written as an instant: its own, whatever the offset."""
    found = _INSTANT.match(str(value or ""))
    try:
        return date.fromisoformat(found.group(1)) if found else None
    except ValueError:
        return None


def day(value: Any) -> str | None:
    """The same as a content has it."""
    found = day_of(value)
    return found.isoformat() if found else None


def instant_of(value: Any) -> datetime | None:
    """An instant; without an offset it is UTC. Fractions are cut."""
    found = _INSTANT.match(str(value or ""))
    if not found:
        return None
    on, time, offset = found.groups()
    try:
        made = datetime.fromisoformat(f"{on}T{time or '00:00:00'}{(offset or '+00:00').replace('Z', '+00:00')}")
    except ValueError:
        return None
    return made.astimezone(UTC)


def amount_of(value: Any) -> Decimal | None:
    """An amount, whether Rutter writes it as a number or as a text; None where there is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(value) if isinstance(value, (int, Decimal)) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def amount(value: Any) -> Decimal:
    """The same, 0 where there is none."""
    return amount_of(value) or ZERO


def amount_text(value: Decimal) -> str:
    """For the objects whose amounts are texts."""
    return decimal_text(value)


def text(value: Any, longest: int = 255) -> str | None:
    """A text as our fields allow it, without edge spaces; None when nothing is left."""
    return printable(str(value), longest).strip() or None if value else None


def ref(row: Row, name: str) -> str | None:
    """The id that a field names."""
    value = row.get(name)
    return str(value) if value else None


def short_mark(reference: str) -> str:
    """The tag of a reference alone, for fields that are short."""
    return reference[-TAG_LENGTH:] if tag_in(reference) else reference


def without_none(made: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if value is not None}

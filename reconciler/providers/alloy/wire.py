"""Alloy's scalars: numbers that may be texts, days that may be instants; the memo bears our reference. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.kernel.identity import TAG_LENGTH, tag_in
from reconciler.kernel.money import ZERO
from reconciler.kernel.plain import printable

Row = Mapping[str, Any]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|\Z)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,20})?\Z", re.ASCII)


def number(value: Any) -> Decimal | None:
    """An amount, which Alloy writes as a number or as a text; None where there is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, Decimal)):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.match(value.strip()):
        try:
            return Decimal(value.strip())
        except InvalidOperation:
            return None
    return None


def amount(value: Any) -> Decimal:
    """The same, 0 where there is none."""
    return number(value) or ZERO


def day_of(value: Any) -> date | None:
    """The day of a date; Alloy writes some as instants."""
    found = _DAY.match(str(value or ""))
    if not found:
        return None
    try:
        return date.fromisoformat(found.group(0))
    except ValueError:
        return None


def instant_of(value: Any) -> datetime | None:
    """An instant: ISO 8601, or milliseconds since 1970 as older versions write it."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value // 1000, UTC)
        found = datetime.fromisoformat(str(value or "").replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def text(value: Any, longest: int = 255) -> str | None:
    """A text as our fields allow it, without edge spaces; None when nothing is left."""
    return printable(str(value), longest).strip() or None if value else None


def tag_text(reference: str) -> str:
    """The part of a reference that is looked for, without what may be cut."""
    return reference[1 - TAG_LENGTH :] if tag_in(reference) else reference


def live(row: Row) -> bool:
    return row.get("remoteDeleted") is not True

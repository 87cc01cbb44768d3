"""Codat's scalars: dates that are written as instants, numbers, references; and the note that bears our reference.

An ERP behind Codat has no field for a caller's own id. What we carry is the last line of `note`: what stands
before it is the user's memo. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.identity import TAG_LENGTH, tag_in
from reconciler.kernel.money import ZERO
from reconciler.kernel.plain import printable
from reconciler.providers.codat.calls import Row

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})?)?\Z", re.ASCII)


def day_text(day: date) -> str:
    """A day as Codat wants it."""
    return f"{day.isoformat()}T00:00:00"


def day_of(value: Any) -> date | None:
    """The day of a date that Codat writes as an instant; its own, whatever the offset."""
    found = _INSTANT.match(str(value or ""))
    return date.fromisoformat(found.group(1)) if found else None


def instant_of(value: Any) -> datetime | None:
    """An instant; without an offset it is UTC. Fractions are cut."""
    found = _INSTANT.match(str(value or ""))
    if not found:
        return None
    day, time, offset = found.groups()
    made = datetime.fromisoformat(f"{day}T{time or '00:00:00'}{(offset or '+00:00').replace('Z', '+00:00')}")
    return made.astimezone(UTC)


def number(value: Any) -> Decimal:
    """A number of Codat's, 0 where there is none."""
    if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
        return Decimal(value)
    return ZERO


def text(value: Any, longest: int = 255) -> str | None:
    """A text as our fields allow it, without edge spaces; None when nothing is left."""
    return printable(str(value), longest).strip() or None if value else None


def ref(row: Row, name: str) -> str | None:
    """The id a reference names; Codat writes `NullId` for none."""
    found = row.get(name)
    id_ = found.get("id") if isinstance(found, Mapping) else None
    return str(id_) if id_ and id_ != "NullId" else None


def tag_text(reference: str) -> str:
    """The part of a reference that is looked for, without what may be cut."""
    return reference[1 - TAG_LENGTH :] if tag_in(reference) else reference


def live(row: Row) -> bool:
    """Not flagged as deleted."""
    metadata = row.get("metadata")
    return not (isinstance(metadata, Mapping) and metadata.get("isDeleted") is True)

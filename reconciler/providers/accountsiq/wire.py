"""AccountsIQ's scalars: days as dateTimes without a zone, decimals, booleans, and texts. Pure."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.kernel.plain import printable
from reconciler.providers.accountsiq.envelope import Row

EARLIEST, LATEST = date(1900, 1, 1), date(2099, 12, 31)
"""Dates of queries may not be left out; everything lies between these."""
ATTACHABLE = ("csv", "xls", "xlsx", "pdf")
"""Kinds of files that AccountsIQ attaches, by the ends of their names."""
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T.*)?\Z", re.ASCII | re.DOTALL)
_LONGEST_ID = 20
_EMPTY = "0001-01-01"
"""What .NET writes for a date that was never set."""


def day_text(day: date, *, end: bool = False) -> str:
    """A day as the samples write it; `end`: its last second."""
    return f"{day.isoformat()}T23:59:59" if end else f"{day.isoformat()}T00:00:00"


def day_of(row: Row, name: str) -> date | None:
    """The day a dateTime names: its own, whatever its zone."""
    found = _DAY.match((row.text(name) or "").strip())
    if found is None or found.group(1) == _EMPTY:
        return None
    try:
        return date.fromisoformat(found.group(1))
    except ValueError:
        return None


def number_of(row: Row, name: str) -> Decimal | None:
    """A decimal; None where there is none, or none that is finite."""
    text = (row.text(name) or "").strip()
    if not text or len(text) > 60:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < 40 else None


def amount(row: Row, name: str) -> Decimal:
    return number_of(row, name) or ZERO


def flag(row: Row, name: str) -> bool:
    return (row.text(name) or "").strip().lower() in ("true", "1")


def id_of(row: Row, name: str) -> str | None:
    """An id that is a positive whole number; -1 and 0 are none."""
    text = (row.text(name) or "").strip()
    return text if is_id(text) else None


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < _LONGEST_ID and int(text) > 0


def words(row: Row, name: str, longest: int = 255) -> str | None:
    """A text as our fields allow it, without edge spaces; None when nothing is left."""
    return printable(row.text(name) or "", longest).strip() or None


def long_words(row: Row, name: str) -> str | None:
    """The same for texts that may have line breaks."""
    return (row.text(name) or "").replace("\r\n", "\n").strip() or None


def decimal(value: Decimal) -> str:
    """A decimal as XML Schema has it: no exponent."""
    return decimal_text(value)


def boolean(value: bool) -> str:
    return "true" if value else "false"

"""Intacct's scalars and elements: days of two kinds, amounts, texts. Pure.

Generic functions write days as mm/dd/yyyy, legacy ones as an object of year, month and day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import Element, SubElement

from reconciler.kernel.money import ZERO, decimal_text
from reconciler.kernel.plain import printable
from reconciler.providers.errors import Unavailable

Row = Mapping[str, str]
"""A record as it is read: field name (dots for what lies deeper) → text; '' where it is empty."""
Child = Element | None

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


# ---- writing ----


def element(tag: str, *children: Child, text: str | None = None, **attributes: str) -> Element:
    """An element; children that are None are left out."""
    made = Element(tag, attributes)
    made.text = text
    made.extend(child for child in children if child is not None)
    return made


def leaf(tag: str, value: object) -> Element | None:
    """An element with a text; None where there is no value. '' is an empty element, which clears a field."""
    if value is None:
        return None
    return element(tag, text=as_text(value) or None)


def as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return f"{value.month:02}/{value.day:02}/{value.year:04}"
    return str(value)


def day_object(tag: str, day: date | None) -> Element | None:
    """A day as the legacy functions take it."""
    if day is None:
        return None
    made = Element(tag)
    for name, value in (("year", f"{day.year:04}"), ("month", f"{day.month:02}"), ("day", f"{day.day:02}")):
        SubElement(made, name).text = value
    return made


def group(tag: str, children: Iterable[Child]) -> Element | None:
    """An element of children; None where there is none."""
    made = [child for child in children if child is not None]
    return element(tag, *made) if made else None


# ---- reading ----


def day_of(value: str | None) -> date | None:
    """mm/dd/yyyy, with a time or without, or an ISO date."""
    text = (value or "").strip()
    try:
        if found := _SLASHED.match(text):
            month, day, year = map(int, found.groups())
            return date(year, month, day)
        if found := _ISO.match(text):
            return date(*map(int, found.groups()))
    except ValueError:
        pass
    return None


def day(value: str | None) -> str | None:
    """The same as a content has it."""
    found = day_of(value)
    return found.isoformat() if found else None


def amount_of(value: str | None) -> Decimal | None:
    """An amount; None where there is none. Raises Unavailable for a text that is none: it must not count as 0."""
    text = (value or "").strip()
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Unavailable(f"Intacct gives {printable(text, 40)!r} where a number should be")
    return Decimal(text)


def amount(value: str | None) -> Decimal:
    """The same, 0 where there is none."""
    return amount_of(value) or ZERO


def yes(value: str | None) -> bool:
    return (value or "").strip().lower() in ("true", "t", "yes", "1")


def text(value: str | None, longest: int = 255) -> str | None:
    """A text as our fields allow it, without edge spaces; None when nothing is left."""
    return printable(value, longest).strip() or None if value else None

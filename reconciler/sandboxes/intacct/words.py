"""How the gateway says things: errors in their four fields, faults, dates, amounts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from xml.etree.ElementTree import Element

from reconciler.kernel.clock import parse_instant
from reconciler.kernel.money import decimal_text, parse_decimal
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from reconciler.sandboxes.serving.xml import element

SCHEMA = "XL03000003"
SIGN_IN = "XL03000006"
ROLLED_BACK = "XL03000009"
DUPLICATE = "BL34000061"
GENERAL = "BL01001973"
SEPARATOR = "#~#"
"""Between the members of a list in one field."""


@dataclass(frozen=True, slots=True)
class Error:
    """One error: an opaque number and up to three texts."""

    number: str
    description2: str = ""
    description: str = ""
    correction: str = ""

    def xml(self, additional: bool = False) -> Element:
        made = element(
            "error",
            element("errorno", self.number),
            element("description", self.description),
            element("description2", self.description2),
            element("correction", self.correction),
        )
        if additional:
            made.append(element("additionalinfo", element("errorid", self.number)))
        return made


class Fault(Exception):
    """A function fails; nothing of it happened."""

    def __init__(self, *errors: Error) -> None:
        super().__init__(errors[0].description2 or errors[0].description or errors[0].number)
        self.errors = errors

    def within(self, *outer: Error) -> Fault:
        """The same, as the cause of what was tried: the innermost error comes first."""
        return Fault(*self.errors, *outer)


def fault(text: str, correction: str = "", number: str = GENERAL) -> Fault:
    return Fault(Error(number, text, correction=correction))


def refused(refusal: Refusal) -> Fault:
    """What the books refuse, in the gateway's words."""
    if refusal.code is RefusalCode.PERIOD_CLOSED:
        return fault(
            f"The books are closed: {refusal.message}.",
            "Choose a date in an open period, or ask the administrator to reopen the period.",
        )
    if refusal.code is RefusalCode.OVER_ALLOCATED:
        return fault(
            f"The amount to apply exceeds the amount due: {refusal.message}.", "Apply no more than what is due."
        )
    text = refusal.message
    return fault(f"{text[:1].upper()}{text[1:]}.")


@dataclass(slots=True)
class Result:
    """What one function answers. With errors it failed, and may still carry data of what did happen."""

    key: str | None = None
    data: Element | None = None
    listtype: Element | None = None
    errors: Sequence[Error] = field(default_factory=tuple)


def amount(text: str | None, name: str) -> Decimal:
    """An amount as the gateway takes it: more than two decimals are rounded to two. Raises Fault."""
    value = number(text, name)
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def number(text: str | None, name: str) -> Decimal:
    try:
        value = parse_decimal((text or "").strip())
    except ValueError:
        raise fault(f"The value '{(text or '')[:40]}' of {name} is not a valid number") from None
    if abs(value) >= Decimal(10) ** 13:
        raise fault(f"The value of {name} is too large")
    return value


def shown(value: Decimal | str | None) -> str:
    """A number as it is read: without padding."""
    if value is None or value == "":
        return ""
    return decimal_text(Decimal(value))


_SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\Z")
_DASHED = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")


def slashed(text: str | None, name: str) -> date:
    """A date of the generic functions: mm/dd/yyyy (a day first written with dashes is taken too). Raises Fault."""
    given = (text or "").strip()
    if found := _SLASHED.match(given):
        month, day, year = (int(part) for part in found.groups())
    elif found := _DASHED.match(given):
        year, month, day = (int(part) for part in found.groups())
    else:
        raise fault(f"Invalid date format for {name}: '{given[:40]}'", "Use the format mm/dd/yyyy.")
    try:
        return date(year, month, day)
    except ValueError:
        raise fault(f"'{given}' in {name} is not a day of the calendar") from None


def parted(item: Element | None, name: str) -> date | None:
    """A date of the legacy functions, in year, month and day; None without. Raises Fault."""
    if item is None:
        return None
    parts = [(item.findtext(part) or "").strip() for part in ("year", "month", "day")]
    if not any(parts):
        return None
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise fault(f"Invalid date in {name}: {'-'.join(parts)[:40]}")
    try:
        return date(*(int(part) for part in parts))
    except ValueError:
        raise fault(f"Invalid date in {name}: {'-'.join(parts)}") from None


def day_text(day: date | str | None) -> str:
    """mm/dd/yyyy."""
    if not day:
        return ""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return found.strftime("%m/%d/%Y")


def time_text(instant: str) -> str:
    """An instant of the books as it is read: mm/dd/yyyy HH:MM:SS."""
    return parse_instant(instant).strftime("%m/%d/%Y %H:%M:%S") if instant else ""


def stamp(instant: datetime) -> str:
    """An instant as in a session's times: 2020-11-16T21:26:54+00:00."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def flag(text: str | None, name: str, default: bool = False) -> bool:
    given = (text or "").strip().lower()
    if given in ("", "true", "false", "t", "f", "1", "0"):
        return default if not given else given in ("true", "t", "1")
    raise fault(f"The value '{given[:40]}' of {name} is neither true nor false")

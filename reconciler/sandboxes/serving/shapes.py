"""Types of the wire, for the TypedDicts a vendor checks requests against: strict, and exact about numbers.

A vendor writes what it accepts as `TypedDict`s with `@with_config(STRICT)` in the wire's own names; `check` says
what does not fit. Words for the caller are the vendor's: a `Finding` has the place, the kind of fault and a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from reconciler.kernel.money import parse_decimal

STRICT = ConfigDict(extra="forbid", strict=True)
"""Unknown fields are refused, nothing is converted."""
LENIENT = ConfigDict(extra="ignore", strict=True)
"""Unknown fields are dropped."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong at `place` (`lineItems.0.quantity`). `kind`: missing, unknown or type (of the wrong type)."""

    place: str
    kind: str
    text: str


def check(adapter: TypeAdapter[Any], value: Any) -> tuple[Any, list[Finding]]:
    """The value typed, and no findings; or None and every finding."""
    try:
        return adapter.validate_python(value), []
    except ValidationError as error:
        return None, [_finding(found) for found in error.errors(include_url=False)]


def _finding(found: Any) -> Finding:
    kinds = {"missing": "missing", "extra_forbidden": "unknown"}
    place = ".".join(str(part) for part in found["loc"])
    return Finding(place, kinds.get(found["type"], "type"), found["msg"].removeprefix("Value error, "))


LARGEST = Decimal(10) ** 16
FINEST = -20


def _number(value: Any) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise ValueError("should be a number")
    exponent = value.as_tuple().exponent
    if abs(value) >= LARGEST or not isinstance(exponent, int) or exponent < FINEST:
        raise ValueError("should be a number of a sensible size")
    return value


def _number_text(value: Any) -> Decimal:
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except ValueError:
            pass
    raise ValueError("should be a text with a decimal number")


def _either(value: Any) -> Decimal:
    return _number_text(value) if isinstance(value, str) else _number(value)


_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT = re.compile(
    rf"{_DAY}(?:T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]{{1,9}})?)?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?\Z"
)
_ONLY_DAY = re.compile(rf"{_DAY}\Z")


def _instant(value: Any) -> str:
    if isinstance(value, str) and _INSTANT.match(value):
        try:
            datetime.fromisoformat(value[:10])
        except ValueError:
            raise ValueError("should be a day of the calendar") from None
        return value
    raise ValueError("should be a date or a time in ISO 8601")


def _day(value: Any) -> str:
    if isinstance(value, str) and _ONLY_DAY.match(value):
        return _instant(value)
    raise ValueError("should be a date such as 2026-11-30")


Number = Annotated[Decimal, BeforeValidator(_number)]
"""A JSON number, exact."""
NumberText = Annotated[Decimal, BeforeValidator(_number_text)]
"""A JSON string that holds a decimal number."""
NumberOrText = Annotated[Decimal, BeforeValidator(_either)]
"""Either: for vendors whose documents and tests disagree."""
Instant = Annotated[str, BeforeValidator(_instant)]
"""A date or time in ISO 8601, kept as it came; the first ten characters are its day."""
Day = Annotated[str, BeforeValidator(_day)]
"""A date alone."""

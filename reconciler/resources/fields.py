"""Field types. Every scalar arrives as text (or already typed, from state) and is typed here, strictly."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from reconciler.kernel.address import check_name
from reconciler.kernel.money import is_currency, parse_decimal

CONTENT_CONFIG = ConfigDict(extra="forbid", str_strip_whitespace=False)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


_NOT_DECIMAL = "should be a plain decimal number such as 2373.45"
_NOT_DATE = "should be a date such as 2026-11-30"


def _decimal(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except ValueError:
            raise ValueError(_NOT_DECIMAL) from None
    if isinstance(value, Decimal):
        return value
    raise ValueError(_NOT_DECIMAL)


def _date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        return _parse_date(value)
    raise ValueError(_NOT_DATE)


@lru_cache(maxsize=4096)
def _parse_date(text: str) -> date:
    if not _DATE.match(text):
        raise ValueError(_NOT_DATE)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("should be a day of the calendar, such as 2026-11-30") from None


def _flag(value: Any) -> Any:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise ValueError("should be true or false")


def _whole(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.match(r"[0-9]{1,6}\Z", value, re.ASCII):
        return int(value)
    raise ValueError("should be a whole number such as 30")


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("should be text")
    if value.isprintable():
        return value
    if found := _CONTROL.search(value):
        raise ValueError(f"has the control character U+{ord(found.group()):04X}")
    return value


def _name(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("should be a name")
    if problem := check_name(value):
        raise ValueError(f"the name {problem}")
    return value


def _currency(value: Any) -> Any:
    if isinstance(value, str) and is_currency(value):
        return value
    raise ValueError("should be an ISO 4217 currency code such as USD")


_PLAIN = r"[0-9]{1,15}(\.[0-9]{1,10})?$"
_NUMBER = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^-?{_PLAIN}"}]}


def _bounded(**bounds: int) -> dict[str, Any]:
    return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": f"^{_PLAIN}"}]}


_POSITIVE, _AMOUNT = _bounded(exclusiveMinimum=0), _bounded(minimum=0)

# Bounds come first: pydantic then checks them natively instead of calling back into Python.
DecimalField = Annotated[Decimal, BeforeValidator(_decimal), WithJsonSchema(_NUMBER)]
Amount = Annotated[Decimal, Field(ge=0), BeforeValidator(_decimal), WithJsonSchema(_AMOUNT)]
"""An amount of money in the document's currency; its decimals are checked against that currency."""
PositiveAmount = Annotated[Decimal, Field(gt=0), BeforeValidator(_decimal), WithJsonSchema(_POSITIVE)]
Quantity = Annotated[Decimal, Field(gt=0), BeforeValidator(_decimal), WithJsonSchema(_POSITIVE)]
UnitPrice = Annotated[Decimal, BeforeValidator(_decimal), WithJsonSchema(_NUMBER)]
Percent = Annotated[
    Decimal, Field(ge=0, le=100), BeforeValidator(_decimal), WithJsonSchema(_bounded(minimum=0, maximum=100))
]
ExchangeRate = Annotated[Decimal, Field(gt=0), BeforeValidator(_decimal), WithJsonSchema(_POSITIVE)]
"""Units of base currency for one unit of the document's currency."""
DateField = Annotated[date, BeforeValidator(_date)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Days = Annotated[int, Field(ge=0, le=3650), BeforeValidator(_whole)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), BeforeValidator(_text)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=4000), BeforeValidator(_text)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(_text)]
Currency = Annotated[str, BeforeValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$"), BeforeValidator(_text)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=120), BeforeValidator(_name)]
"""The name of another declared resource, or the code or name of one that lives in the ERP."""

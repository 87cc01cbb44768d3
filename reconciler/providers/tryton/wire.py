"""Tryton's JSON: Decimals, dates, times and bytes as tagged objects. Pure.

Source: trytond's protocols/jsonrpc.py. Money is `{"__class__": "Decimal", "decimal": "275.00"}`; the quantity
of an invoice line is a JSON float, which goes out as the shortest text of its Decimal and never comes in as
a float: numbers with a fraction are parsed as Decimal.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import decimal_text

_QUANTITY_DIGITS = 15
"""Every decimal of so many digits survives the way through a double and back."""


class Quantity:
    """A Decimal that Tryton wants as a JSON number. Raises ValueError where a double cannot hold it exactly."""

    __slots__ = ("value",)

    def __init__(self, value: Decimal) -> None:
        if len(value.normalize().as_tuple().digits) > _QUANTITY_DIGITS:
            raise ValueError(f"the quantity {decimal_text(value)} has more than {_QUANTITY_DIGITS} digits")
        self.value = value


def dumps(value: Any) -> bytes:
    """A request's body."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Quantity):
        return json.loads(decimal_text(value.value))  # the JSON number of its text, which reads as the same Decimal
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": decimal_text(value)}
    if isinstance(value, datetime):
        utc = value.astimezone(UTC) if value.tzinfo else value
        parts = {name: getattr(utc, name) for name in (*_DATE, *_TIME)}
        return {"__class__": "datetime", **parts}
    if isinstance(value, date):
        return {"__class__": "date", **{name: getattr(value, name) for name in _DATE}}
    if isinstance(value, bytes):
        return {"__class__": "bytes", "base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in Tryton's JSON")


_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond")


def typed(value: Any) -> Any:
    """An answer's JSON with its tagged objects as values. Raises ValueError."""
    try:
        return _read(value)
    except (KeyError, TypeError, ArithmeticError, binascii.Error) as error:
        raise ValueError(f"not Tryton's JSON: {error}") from error


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if not isinstance(value, dict):
        return value
    make = _CLASSES.get(value.get("__class__", ""))
    return make(value) if make is not None else {key: _read(item) for key, item in value.items()}


def _datetime(data: Mapping[str, Any]) -> datetime:
    return datetime(*(int(data[name]) for name in (*_DATE, *_TIME)), tzinfo=UTC)  # type: ignore[misc, arg-type]


_CLASSES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "Decimal": lambda data: Decimal(str(data["decimal"])),
    "date": lambda data: date(data["year"], data["month"], data["day"]),
    "datetime": _datetime,
    "bytes": lambda data: base64.b64decode(data["base64"]),
    "timedelta": lambda data: Decimal(str(data["seconds"])),
}

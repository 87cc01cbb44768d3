"""Request elements as values, by the habits of .NET's serializers: what is out of order is passed over in silence.

A value type that is missing (or was passed over) has its default: 0, false, the first day of the year 1. One that
is there and empty, or that no such type can be read from, makes the whole request unreadable: a SOAP fault.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.accountsiq.catalogue import NAMESPACE, TYPES
from reconciler.sandboxes.accountsiq.notation import Field, Shape
from reconciler.sandboxes.serving.soap import is_nil
from reconciler.sandboxes.serving.xml import local, namespace

Values = dict[str, Any]
NO_DATE = datetime(1, 1, 1)
"""What a date is that nobody gave."""
_RANGES = {"short": 2**15, "int": 2**31, "long": 2**63}
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}\Z")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,29}(?:\.[0-9]{0,28})?|\.[0-9]{1,28})\Z")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]{1,29}(?:\.[0-9]{0,28})?|\.[0-9]{1,28})(?:[eE][+-]?[0-9]{1,2})?\Z")
_INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?P<part>\.[0-9]{1,9})?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)


class Unreadable(Exception):
    """The request cannot be read: a SOAP fault of the caller's."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """How strictly a request is read.

    `order`: `defaults` (what comes late is passed over) or `any`. `strict`: whatever the schema does not allow is
    unreadable. `year`: whose fields are known. `offset`: minutes by which the server's time is ahead of UTC.
    """

    order: str = "defaults"
    strict: bool = False
    year: str = "2026"
    offset: int = 0

    def read(self, parent: Element, shape: Shape) -> Values:
        """The values of an element's children. Raises Unreadable."""
        shape = TYPES.of_year(shape, self.year)
        found: dict[str, Element] = {}
        places = {field.name: place for place, field in enumerate(shape)}
        at = 0
        for child in parent:
            place = places.get(local(child)) if namespace(child) == NAMESPACE else None
            if place is None or local(child) in found or (self.order == "defaults" and place < at):
                if self.strict:
                    raise Unreadable(f"{local(parent)}/{local(child)} is unknown, twice there, or out of order")
                continue
            found[local(child)] = child
            at = place + 1
        return {field.name: self._value(parent, field, found.get(field.name)) for field in shape}

    def _value(self, parent: Element, field: Field, item: Element | None) -> Any:
        if item is None:
            if self.strict and TYPES.is_value(field) and not field.late:
                raise Unreadable(f"{local(parent)}/{field.name} is missing")
            return None if field.nillable else default_of(field)
        if is_nil(item) and (field.nillable or not TYPES.is_value(field)):
            return None
        return self.value(item, field)

    def value(self, item: Element, field: Field) -> Any:
        """The value of one element. Raises Unreadable."""
        if field.array:
            inner = field.item
            kept = [child for child in item if namespace(child) == NAMESPACE and local(child) == inner.name]
            if self.strict and len(kept) != len(item):
                raise Unreadable(f"{local(item)} has an element that is no {inner.name}")
            values = [None if is_nil(child) else self.value(child, inner) for child in kept]
            return [value for value in values if value is not None or inner.type == "string"]
        if field.type in TYPES.shapes:
            return self.read(item, TYPES.shapes[field.type])
        if len(item):
            raise Unreadable(f"{local(item)} has elements where a text is wanted")
        text = item.text or ""
        if field.type == "string":
            return text
        try:
            return self._scalar(text.strip(), field.type)
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"{local(item)}: {error}") from None

    def _scalar(self, text: str, kind: str) -> Any:
        if kind in _RANGES:
            if not _INTEGER.match(text):
                raise ValueError("Input string was not in a correct format.")
            number = int(text)
            if not -_RANGES[kind] <= number < _RANGES[kind]:
                raise ValueError("Value was either too large or too small.")
            return number
        if kind in ("decimal", "double"):
            if not (_DECIMAL if kind == "decimal" else _DOUBLE).match(text):
                raise ValueError("Input string was not in a correct format.")
            return Decimal(text)
        if kind == "boolean":
            if text not in ("true", "false", "1", "0"):
                raise ValueError(f"The string '{text[:20]}' is not a valid Boolean value.")
            return text in ("true", "1")
        if kind == "dateTime":
            return self._instant(text)
        if kind == "base64Binary":
            return _binary(text)
        if text not in TYPES.enumerations[kind]:
            raise ValueError(f"'{text[:40]}' is not a valid value for {kind}.")
        return text

    def _instant(self, text: str) -> datetime:
        """A time as the server's own clock shows it; without a zone it is the server's already."""
        found = _INSTANT.match(text)
        if found is None:
            raise ValueError(f"The string '{text[:40]}' is not a valid AllXsd value.")
        part = (found["part"] or "")[:7]
        at = datetime.fromisoformat(f"{found['day']}T{found['time'] or '00:00:00'}{part}")
        if found["zone"] is None or at == NO_DATE:
            return at
        zone = UTC if found["zone"] == "Z" else datetime.strptime(found["zone"], "%z").tzinfo
        here = timezone(timedelta(minutes=self.offset))
        return at.replace(tzinfo=zone).astimezone(here).replace(tzinfo=None)


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        raise ValueError("Invalid length or character of a Base-64 text.") from None


def default_of(field: Field) -> Any:
    """What an element is that nobody gave."""
    if field.array or field.type in TYPES.shapes or field.type in ("string", "base64Binary"):
        return None
    if field.type in TYPES.enumerations:
        return TYPES.enumerations[field.type][0]
    if field.type == "boolean":
        return False
    if field.type == "dateTime":
        return NO_DATE
    return Decimal(0) if field.type in ("decimal", "double") else 0

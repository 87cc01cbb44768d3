"""Values as the elements of an answer: value types always, texts and arrays only when there are any."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.accountsiq.catalogue import TYPES
from reconciler.sandboxes.accountsiq.decoding import default_of
from reconciler.sandboxes.accountsiq.notation import Field, Shape
from reconciler.sandboxes.serving.xml import element

_MONEY = Decimal("0.0001")
_WIDE = Context(prec=60)


def children(shape: Shape, values: Mapping[str, Any], year: str) -> Iterator[Element]:
    """The elements of a shape in their order; a value type that is not among the values has its default."""
    for field in TYPES.of_year(shape, year):
        value = values.get(field.name)
        if value is None:
            value = None if field.nillable else default_of(field)
        made = encoded(field.name, field, value, year)
        if made is not None:
            yield made


def encoded(name: str, field: Field, value: Any, year: str) -> Element | None:
    """One element; None when it is left out: a null text, array or object."""
    if value is None:
        return element(name, **{"xsi:nil": "true"}) if field.nillable and TYPES.is_value(field) else None
    if field.array:
        inner = field.item
        return element(name, *(encoded(inner.name, inner, item, year) for item in value))
    if field.type in TYPES.shapes:
        return element(name, *children(TYPES.shapes[field.type], value, year))
    if field.type in ("decimal", "double"):
        return element(name, decimal_of(Decimal(value)))
    return element(name, text_of(value))


def text_of(value: Any) -> str:
    """A scalar's text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)


def decimal_of(value: Decimal) -> str:
    """12.3 as 12.3000, the four places of the database's money; what has more places keeps them."""
    if not value:
        return "0.0000"
    exponent = value.as_tuple().exponent
    return format(
        value.quantize(_MONEY, context=_WIDE) if isinstance(exponent, int) and exponent > -4 else value, "f"
    )

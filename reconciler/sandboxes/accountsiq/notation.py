"""The notation of type tables: `AccountID:int ExternalApproverID:int? LedgerType:LedgerType Lines:InvoiceLine[]`.

A name alone is a string. `?`: may be nil. `[]`: an array whose items are elements named like their type. `+`: an
element that the service gained after the samples of 2024 (it is in the WSDL of 2026); `++`: one that it might gain
next (there is no such thing yet). Order is the wire's order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SCALARS = frozenset({"int", "short", "long", "decimal", "double", "boolean", "dateTime"})
"""Value types: always there, nil only where they are nullable."""
REFERENCES = frozenset({"string", "base64Binary"})
"""Left out when null."""

YEARS = {"2024": 0, "2026": 1, "2027": 2}
"""How late an element may be to be there in a year."""
_FIELD = re.compile(r"(?P<name>\w+)(?::(?P<type>\w+))?(?P<array>(?:\[\])*)(?P<nil>\?)?(?P<late>\+*)\Z")


@dataclass(frozen=True, slots=True)
class Field:
    """One element. `type`: a scalar, an enumeration, or a shape; `array`: how deep in arrays (0, 1 or 2)."""

    name: str
    type: str = "string"
    array: int = 0
    nillable: bool = False
    late: int = 0

    @property
    def item(self) -> Field:
        """What an array's elements are."""
        name = self.type if self.array == 1 else f"ArrayOf{self.type[0].upper()}{self.type[1:]}"
        return Field(name, self.type, self.array - 1)


Shape = tuple[Field, ...]


def fields(text: str) -> Shape:
    """The fields that a text in the notation names."""
    made = []
    for word in text.split():
        found = _FIELD.match(word)
        if found is None:
            raise ValueError(f"{word!r} is no field")
        kind, array = found["type"] or "string", len(found["array"]) // 2
        made.append(Field(found["name"], kind, array, bool(found["nil"]), len(found["late"])))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Types:
    """What there is: shapes by name, and enumerations with their values, the first being the default."""

    shapes: Mapping[str, Shape]
    enumerations: Mapping[str, tuple[str, ...]]

    def is_value(self, field: Field) -> bool:
        """Whether an element of this type cannot be left out: a value type."""
        return not field.array and (field.type in SCALARS or field.type in self.enumerations)

    def of_year(self, shape: Shape, year: str) -> Shape:
        """The shape as it was in a year."""
        return tuple(field for field in shape if field.late <= YEARS[year])

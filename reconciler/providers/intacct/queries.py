"""What is asked of the books: an object, fields, a filter; written for `query` and for `readByQuery`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from xml.etree.ElementTree import Element

from reconciler.providers.intacct.wire import element, leaf

MOST_VALUES = 500
"""Values of one `in`; Intacct takes 1,000."""
LARGEST_READ_PAGE = 1000
Operator = Literal["equalto", "in", "like", "lessthan", "greaterthan", "isnotnull"]
_SQL = {"equalto": "=", "like": "like", "lessthan": "<", "greaterthan": ">"}


@dataclass(frozen=True, slots=True)
class Where:
    """One field compared: `in` with several values, `isnotnull` with none, the rest with one."""

    field: str
    operator: Operator
    values: tuple[str, ...]

    def element(self) -> Element:
        return element(self.operator, leaf("field", self.field), *(leaf("value", value) for value in self.values))

    def sql(self) -> str:
        if self.operator == "in":
            return f"{self.field} in ({', '.join(map(_quoted, self.values))})"
        if self.operator == "isnotnull":
            return f"{self.field} IS NOT NULL"
        return f"{self.field} {_SQL[self.operator]} {_quoted(self.values[0])}"


@dataclass(frozen=True, slots=True)
class Among:
    """Any of several, or all of them."""

    word: Literal["and", "or"]
    parts: tuple[Filter, ...]

    def element(self) -> Element:
        return element(self.word, *(part.element() for part in self.parts))

    def sql(self) -> str:
        return f" {self.word.upper()} ".join(f"({part.sql()})" for part in self.parts)


Filter = Where | Among


def any_of(parts: Sequence[Filter]) -> Filter:
    return parts[0] if len(parts) == 1 else Among("or", tuple(parts))


def all_of(*parts: Filter | None) -> Filter | None:
    given = tuple(part for part in parts if part is not None)
    if not given:
        return None
    return given[0] if len(given) == 1 else Among("and", given)


def one_of(field: str, values: Sequence[str]) -> Filter:
    if len(values) == 1:
        return Where(field, "equalto", (values[0],))
    return Where(field, "in", tuple(values))


@dataclass(frozen=True, slots=True)
class Query:
    """Records of an object, in the order of their record numbers."""

    object: str
    fields: tuple[str, ...]
    filter: Filter | None = None
    optional: bool = False
    """Companies and users differ in whether they have it: where it is not to be had, there are no records."""

    def element(self, size: int, offset: int = 0) -> Element:
        """For the function `query`: it gives one page, from an offset."""
        return element(
            "query",
            leaf("object", self.object),
            element("select", *(leaf("field", name) for name in self.fields)),
            element("filter", self.filter.element()) if self.filter is not None else None,
            element("orderby", element("order", leaf("field", "RECORDNO"), element("ascending"))),
            leaf("pagesize", str(size)),
            leaf("offset", str(offset)),
        )

    def older(self, size: int) -> Element:
        """For `readByQuery`, whose further pages are asked for by what it answered."""
        return element(
            "readByQuery",
            leaf("object", self.object),
            leaf("fields", ",".join(self.fields)),
            leaf("query", self.filter.sql() if self.filter is not None else ""),
            leaf("pagesize", str(min(size, LARGEST_READ_PAGE))),
        )


def selecting(query: Query, field: str, values: Sequence[str]) -> list[Query]:
    """The query for records whose field has one of these values, in as many parts as their number asks for."""
    distinct = list(dict.fromkeys(values))
    return [
        replace(query, filter=all_of(query.filter, one_of(field, distinct[start : start + MOST_VALUES])))
        for start in range(0, len(distinct), MOST_VALUES)
    ]


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

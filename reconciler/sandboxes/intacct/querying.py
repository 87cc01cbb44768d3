"""The function `query`: filters as trees, orders, pages by offset, aggregates; and how values compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.tables import Books, Field, Table
from reconciler.sandboxes.intacct.words import Error, Fault, shown
from reconciler.sandboxes.serving.xml import element, written

Test = Callable[[Any], bool]
LARGEST_PAGE = 2000
_SIGNS = {
    "equalto": "=",
    "notequalto": "!=",
    "lessthan": "<",
    "lessthanorequalto": "<=",
    "greaterthan": ">",
    "greaterthanorequalto": ">=",
}


def query_failed(text: str, number: str = "Query Failed") -> Fault:
    return Fault(Error(number, text))


def field_of(table: Table, name: str) -> Field:
    """Raises Fault for a field the object does not have."""
    found = table.fields.get(name.strip())
    if found is None:
        raise query_failed(f"Invalid field {name[:60]} for object {table.name}: it does not exist")
    return found


# ---- comparing ----


def comparable(field: Field, text: str, *, folded: bool = False) -> Any:
    """A value as what it is compared as. Raises Fault for a text that is no number or date."""
    try:
        if field.kind == "number":
            return Decimal(text)
        if field.kind == "date":
            return _moment(text).date()
        if field.kind == "time":
            return _moment(text)
    except (InvalidOperation, ValueError):
        raise query_failed(f"The value '{text[:40]}' is not a {field.kind}") from None
    return text.casefold() if folded else text


def _moment(text: str) -> datetime:
    form = "%m/%d/%Y %H:%M:%S" if " " in text.strip() else "%m/%d/%Y"
    return datetime.strptime(text.strip(), form)


def comparison(field: Field, sign: str, value: str, *, folded: bool = False) -> Test:
    wanted = comparable(field, value, folded=folded) if value else None

    def test(row: Any) -> bool:
        text = field.get(row)
        if not text or wanted is None:
            return {"=": text == value, "!=": text != value}.get(sign, False)
        own = comparable(field, text, folded=folded)
        return bool(_COMPARE[sign](own, wanted))

    return test


_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def membership(field: Field, values: Iterable[str], inside: bool, *, folded: bool = False) -> Test:
    wanted = {comparable(field, value, folded=folded) for value in values if value}

    def test(row: Any) -> bool:
        text = field.get(row)
        return (bool(text) and comparable(field, text, folded=folded) in wanted) == inside

    return test


def likeness(field: Field, pattern: str, like: bool, *, folded: bool = False) -> Test:
    parts = ["".join(part) for part in re.findall(r"\\(.)|([%_])|(.)", pattern, re.DOTALL)]
    marks = [bool(part[1]) for part in re.findall(r"\\(.)|([%_])|(.)", pattern, re.DOTALL)]
    regex = "".join(
        {"%": ".*", "_": "."}[part] if mark else re.escape(part) for part, mark in zip(parts, marks, strict=True)
    )
    compiled = re.compile(regex, re.DOTALL | (re.IGNORECASE if folded else 0))
    return lambda row: bool(compiled.fullmatch(field.get(row))) == like


# ---- filters as trees ----


def condition(table: Table, item: Element, *, folded: bool) -> Test:
    """One operator of a filter. Raises Fault."""
    name = str(item.tag)
    if name in ("and", "or"):
        tests = [condition(table, child, folded=folded) for child in item]
        return (
            (lambda row: all(t(row) for t in tests)) if name == "and" else (lambda row: any(t(row) for t in tests))
        )
    field = field_of(table, item.findtext("field") or "")
    values = [(value.text or "") for value in item.iterfind("value")]
    if len(values) > 1000:
        raise query_failed("The number of values in the list exceeds the maximum of 1000")
    if name in _SIGNS:
        return comparison(field, _SIGNS[name], values[0], folded=folded)
    if name in ("in", "notin"):
        return membership(field, values, name == "in", folded=folded)
    if name in ("like", "notlike"):
        return likeness(field, values[0], name == "like", folded=folded)
    if name == "between":
        lower = comparison(field, ">=", values[0], folded=folded)
        upper = comparison(field, "<=", values[1], folded=folded)
        return lambda row: lower(row) and upper(row)
    return lambda row: (not field.get(row)) == (name == "isnull")


# ---- the function ----


@dataclass(frozen=True, slots=True)
class Page:
    """What one query asks for."""

    fields: Sequence[str]
    aggregates: Sequence[tuple[str, str]]
    test: Test | None
    order: Sequence[tuple[str, bool]]
    size: int
    offset: int


def asked(table: Table, call: Element) -> Page:
    """Read a query. Raises Fault."""
    select = call.find("select")
    assert select is not None
    fields = [(item.text or "").strip() for item in select if item.tag == "field"]
    aggregates = [(str(item.tag), (item.text or "").strip()) for item in select if item.tag != "field"]
    for name in (*fields, *(name for _, name in aggregates)):
        if name == "*":
            raise query_failed("Returning all fields is not supported")
        field_of(table, name)
    options = call.find("options")
    folded = options is not None and (options.findtext("caseinsensitive") or "").strip() == "true"
    if options is not None and (options.findtext("returnformat") or "xml").strip() != "xml":
        raise query_failed("This company returns xml only")
    filters = call.find("filter")
    test = condition(table, filters[0], folded=folded) if filters is not None and len(filters) else None
    order = [
        ((item.findtext("field") or "").strip(), item.find("descending") is not None)
        for item in call.iterfind("orderby/order")
    ]
    for name, _ in order:
        field_of(table, name)
    size = whole(call.findtext("pagesize"), "pagesize", 100)
    if not 1 <= size <= LARGEST_PAGE:
        raise query_failed(f"The page size must be between 1 and {LARGEST_PAGE}")
    return Page(fields, aggregates, test, order, size, whole(call.findtext("offset"), "offset", 0))


def whole(text: str | None, name: str, default: int) -> int:
    given = (text or "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise query_failed(f"The value '{given[:20]}' of {name} is not a whole number")
    return int(given)


def ordered(table: Table, rows: list[Any], order: Sequence[tuple[str, bool]]) -> list[Any]:
    """By the last order first, so that each order counts within those before it. Empty values come first."""
    for name, descending in reversed(order):
        field = table.fields[name]

        def key(row: Any, field: Field = field) -> tuple[bool, Any]:
            text = field.get(row)
            return (bool(text), comparable(field, text) if text else "")

        rows = sorted(rows, key=key, reverse=descending)
    return rows


def query(table: Table, books: Books, call: Element, arrange: Callable[[list[Any], int], list[Any]]) -> Element:
    """Carry out a query: the result's data. `arrange` may move rows that the offset passes. Raises Fault."""
    page = asked(table, call)
    rows = [row for row in books.rows(table) if page.test is None or page.test(row)]
    if page.aggregates:
        return _aggregated(table, rows, page)
    rows = arrange(ordered(table, rows, page.order), page.offset)
    total = len(rows)
    shown_rows = rows[page.offset : page.offset + page.size]
    data = element(
        "data",
        listtype=table.name,
        totalcount=str(total),
        offset=str(page.offset),
        count=str(len(shown_rows)),
        numremaining=str(max(total - page.offset - len(shown_rows), 0)),
    )
    data.extend(row_of(table, table.name, row, page.fields) for row in shown_rows)
    return data


def row_of(table: Table, tag: str, row: Any, names: Iterable[str]) -> Element:
    made = Element(tag)
    for name in names:
        child = Element(name)
        child.text = written(table.fields[name].get(row)) or None
        made.append(child)
    return made


def _aggregated(table: Table, rows: list[Any], page: Page) -> Element:
    """One row for each group of the fields beside the aggregates."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(table.fields[name].get(row) for name in page.fields), []).append(row)
    if not groups and not page.fields:
        groups[()] = []
    data = element(
        "data",
        listtype=table.name,
        totalcount=str(len(groups)),
        offset="0",
        count=str(len(groups)),
        numremaining="0",
    )
    for values, members in groups.items():
        made = element(table.name, *(element(name, value) for name, value in zip(page.fields, values, strict=True)))
        for how, name in page.aggregates:
            made.append(element(f"{how.upper()}.{name}", _aggregate(table.fields[name], how, members)))
        data.append(made)
    return data


def _aggregate(field: Field, how: str, rows: list[Any]) -> str:
    texts = [text for row in rows if (text := field.get(row))]
    if how == "count":
        return str(len(texts))
    if not texts:
        return ""
    if how in ("min", "max"):
        return (min if how == "min" else max)(texts, key=lambda text: comparable(field, text))
    if field.kind != "number":
        raise query_failed(f"{how} needs a field of numbers")
    total = sum((Decimal(text) for text in texts), Decimal(0))
    return shown(total if how == "sum" else (total / len(texts)).quantize(Decimal("0.01")))

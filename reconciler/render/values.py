"""Field values for people: one row a field, before → after, lists and mappings laid out, long values cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from reconciler.kernel.money import decimal_text
from reconciler.kernel.plain import printable
from reconciler.plan.model import FieldChange
from reconciler.render.style import Style, Tint, cells, fold, pad
from reconciler.resources.kinds import KINDS

LONGEST_VALUE = 300
NONE = "(none)"
ARROW = " → "
_LEAST_VALUE_WIDTH = 16


_INNER = (
    "type", "role", "id", "name", "invoice", "credit_note", "item", "description", "quantity", "unit_price",
    "discount", "taxes", "tax_amount", "account", "amount",
    "line1", "line2", "city", "region", "postal_code", "country",
)  # fmt: skip
"""How people read a line or an address: what, how many, how much, where."""
_INNER_RANK = {name: at for at, name in enumerate(_INNER)}


def _inner_order(key: str) -> int:
    return _INNER_RANK.get(key, len(_INNER))


@dataclass(frozen=True, slots=True)
class Row:
    """A field's path and its value; `before` is None where only one value is shown."""

    path: str
    value: str
    before: str | None = None


def value_text(value: Any) -> str:
    """One line for any JSON-like value, printable and cut when long."""
    return printable(_inline(value), LONGEST_VALUE)


def _inline(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, str):
        return value if value else '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_nested(value[key])}" for key in sorted(value, key=_inner_order)) or "{}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_nested(item) for item in value) or "[]"
    return str(value)


def _nested(value: Any) -> str:
    if type(value) is str and value:
        return value
    if value and isinstance(value, Mapping):
        return "{" + _inline(value) + "}"
    if value and isinstance(value, (list, tuple)):
        return "[" + _inline(value) + "]"
    return _inline(value)


def content_rows(content: Mapping[str, Any]) -> list[Row]:
    """A new document's fields; a list of mappings takes one row an item."""
    rows: list[Row] = []
    for field, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows.extend(
                Row(printable(f"{field}[{_identity(item, at)}]"), _item(item)) for at, item in enumerate(value)
            )
        elif value is not None:
            rows.append(Row(printable(field), value_text(value)))
    return rows


@lru_cache(maxsize=32)
def _field_order(kind: str) -> dict[str, int]:
    """A kind's fields in the order in which its schema lists them: customer before lines."""
    known = KINDS.get(kind)
    return {name: at for at, name in enumerate(known.content_type.__annotations__)} if known else {}


def in_order(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its fields in the schema's order."""
    order = _field_order(kind)
    return {key: content[key] for key in sorted(content, key=lambda key: order.get(key, 99))}


def _identity(item: Any, position: int) -> str:
    if isinstance(item, dict):
        for key in ("type", "role", "invoice", "credit_note", "id"):
            if isinstance(item.get(key), str):
                return str(item[key])
    return str(position)


def _item(item: Any) -> str:
    if not isinstance(item, dict):
        return value_text(item)
    shown = {key: value for key, value in item.items() if key not in ("type", "role", "invoice", "credit_note")}
    return value_text(shown or item)


def change_rows(changes: Iterable[FieldChange]) -> list[Row]:
    return [Row(printable(item.path), value_text(item.after), value_text(item.before)) for item in changes]


def lay_out(rows: list[Row], style: Style, indent: int) -> list[str]:
    """The rows, paths aligned; a value that does not fit goes on, or under its path where it is narrow."""
    if not rows:
        return []
    room = style.width - indent
    widest = max(cells(row.path) for row in rows)
    column = min(widest, max(12, room // 3))
    lines: list[str] = []
    for row in rows:
        lines.extend(_row_lines(row, style, indent, column, room))
    return lines


def _row_lines(row: Row, style: Style, indent: int, column: int, room: int) -> list[str]:
    margin = " " * indent
    beside = room - column - 2
    under = cells(row.path) > column or beside < _LEAST_VALUE_WIDTH
    width = room - 4 if under else beside
    values = _value_lines(row, style, width)
    if not under:
        gap = " " * (indent + column + 2)
        return [f"{margin}{pad(row.path, column)}  {values[0]}", *(gap + line for line in values[1:])]
    if len(values) == 1 and cells(row.path) + 2 + _plain_width(row) <= room:
        return [f"{margin}{row.path}  {values[0]}"]
    path_lines = fold(row.path, room)
    return [*(margin + line for line in path_lines), *(f"{margin}    {line}" for line in values)]


def _plain_width(row: Row) -> int:
    return cells(row.value) + (cells(row.before) + cells(ARROW) if row.before is not None else 0)


def _value_lines(row: Row, style: Style, width: int) -> list[str]:
    if row.before is None:
        return fold(row.value, width)
    if _plain_width(row) <= width:
        before, after = _tinted(row.before, style, Tint.REMOVE), _tinted(row.value, style, Tint.ADD)
        return [f"{before}{ARROW}{after}"]
    lines = []
    for mark, text, tint in (("-", row.before, Tint.REMOVE), ("+", row.value, Tint.ADD)):
        first, *rest = fold(text, width - 2)
        lines.append(f"{style.paint(mark, tint)} {_tinted(first, style, tint)}")
        lines.extend(f"  {_tinted(line, style, tint)}" for line in rest)
    return lines


def _tinted(text: str, style: Style, tint: Tint) -> str:
    return style.paint(text, Tint.FAINT) if text == NONE else style.paint(text, tint)

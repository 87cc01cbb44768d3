"""A plain table: aligned where it fits, one record a block where the terminal is too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.kernel.plain import printable
from reconciler.render.style import Style, Tint, cells, pad, pad_left, paragraph


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; numbers are set to the right; an optional column is left out where there is no room for it."""

    title: str
    right: bool = False
    optional: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], style: Style, indent: int = 0) -> list[str]:
    """Lines of the table, its heading first. Empty when there are no rows."""
    if not rows:
        return []
    shown = [[printable(value) for value in row] for row in rows]
    widths = [max(cells(column.title), *(cells(row[at]) for row in shown)) for at, column in enumerate(columns)]
    kept = _fitting(columns, widths, style.width - indent)
    if kept is None:
        return _blocks(columns, shown, style, indent)
    columns, widths = [columns[at] for at in kept], [widths[at] for at in kept]
    shown = [[row[at] for at in kept] for row in shown]
    heading = _line([column.title for column in columns], columns, widths, indent)
    return [style.paint(heading, Tint.STRONG), *(_line(row, columns, widths, indent) for row in shown)]


def _fitting(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int] | None:
    """The columns that fit, giving up optional ones from the right; None when the others are too wide."""
    kept = list(range(len(columns)))
    while sum(widths[at] for at in kept) + 2 * (len(kept) - 1) > room:
        optional = [at for at in kept if columns[at].optional]
        if not optional:
            return None
        kept.remove(optional[-1])
    return kept


def _line(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int], indent: int) -> str:
    parts = [
        pad_left(value, width) if column.right else pad(value, width)
        for value, column, width in zip(row, columns, widths, strict=True)
    ]
    return (" " * indent + "  ".join(parts)).rstrip()


def _blocks(columns: Sequence[Column], rows: list[list[str]], style: Style, indent: int) -> list[str]:
    """Each row as its first value, then the others by name."""
    lines: list[str] = []
    margin = " " * indent
    for row in rows:
        first, *_ = row
        lines += [style.paint(line, Tint.STRONG) for line in paragraph(first, style.width, margin, margin + "  ")]
        for column, value in zip(columns[1:], row[1:], strict=True):
            if value:
                lines += paragraph(value, style.width, f"{margin}  {column.title}: ", f"{margin}    ")
    return lines

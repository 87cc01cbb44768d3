"""Diagnostics as a compiler prints them: what, where, the line itself with a caret, why, hint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from reconciler.kernel.diagnostics import NOT_TO_BE_SHOWN, Diagnostic, Severity, Source
from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import MASK, masked
from reconciler.render.counting import counted
from reconciler.render.style import Style, Tint, cells, paragraph

LineReader = Callable[[Source], str | None]
_LARGEST_FILE = 64 * 1024 * 1024


def no_lines(source: Source) -> str | None:
    """Shows no source."""
    return None


def lines_under(root: Path) -> LineReader:
    """Reads the cited lines of files under the project's folder; None for what cannot be read."""

    @lru_cache(maxsize=8)
    def lines_of(file: str) -> list[str]:
        try:
            path = root / file
            if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
                return []
            return path.read_text("utf-8", "replace").splitlines()
        except (OSError, ValueError):
            return []

    def read(source: Source) -> str | None:
        lines = lines_of(source.file) if source.line else []
        return lines[source.line - 1] if 0 < source.line <= len(lines) else None

    return read


def diagnostics_text(
    diagnostics: Iterable[Diagnostic],
    style: Style,
    *,
    line_of: LineReader = no_lines,
    connection: str | None = None,
) -> str:
    """Every diagnostic, in the order given, and a count; ended by a newline."""
    found = list(diagnostics)
    blocks = diagnostic_blocks(found, style, line_of=line_of, connection=connection)
    return "\n\n".join([*blocks, _count(found)]) + "\n"


def diagnostic_blocks(
    diagnostics: Iterable[Diagnostic],
    style: Style,
    *,
    line_of: LineReader = no_lines,
    connection: str | None = None,
) -> list[str]:
    """A text for each, of several lines."""
    return ["\n".join(_block(item, style, line_of, connection)) for item in diagnostics]


def _count(found: list[Diagnostic]) -> str:
    errors = sum(item.severity is Severity.ERROR for item in found)
    parts = [counted(errors, "error")] if errors else []
    if len(found) > errors:
        parts.append(counted(len(found) - errors, "warning"))
    return ", ".join(parts) or "nothing found"


def _block(item: Diagnostic, style: Style, line_of: LineReader, connection: str | None) -> Iterator[str]:
    tint = Tint.ERROR if item.severity is Severity.ERROR else Tint.WARNING
    head, *rest = paragraph(item.what, style.width, f"{item.severity}: ")
    word = f"{item.severity}:"
    yield style.paint(word, tint) + style.paint(head[len(word) :], Tint.STRONG)
    yield from (style.paint(line, Tint.STRONG) for line in rest)
    if item.source:
        yield from _place(item, item.source, style, line_of)
    facts = [("address", item.address.label(connection) if item.address else ""), ("why", item.why)]
    facts += [("hint", item.hint), ("see also", str(item.related) if item.related else "")]
    for name, text in facts:
        if text:
            yield from paragraph(text, style.width, f"  {name}: ", "    ")


def _place(item: Diagnostic, source: Source, style: Style, line_of: LineReader) -> Iterator[str]:
    yield from paragraph(str(source), style.width, "  --> ", "      ")
    line = line_of(source)
    if line is not None:
        line = masked(line if item.code != NOT_TO_BE_SHOWN else line[: max(source.column, 1) - 1] + MASK)
    shown = [] if line is None else [(str(source.line), line)]
    if source.rendered:
        shown.append((str(source.rendered), item.rendered))
    if not shown:
        return
    width = max(len(number) for number, _ in shown)
    gutter = " " * (width + 1)
    room = max(16, style.width - len(gutter) - 4)
    column = max(source.column, 1) - 1
    yield style.paint(f"  {gutter}|", Tint.LINK)
    for number, text in shown[:-1]:
        yield f"{style.paint(f'  {number:>{width}} |', Tint.LINK)} {_window(text, 0, room)[0]}"
    number, text = shown[-1]
    text, caret = _window(text, column, room)
    mark = "»" if source.rendered else "|"
    yield f"{style.paint(f'  {number:>{width}} {mark}', Tint.LINK)} {text}"
    yield f"{style.paint(f'  {gutter}|', Tint.LINK)} {' ' * caret}{style.paint('^', Tint.ERROR)}"


def _window(line: str, column: int, room: int) -> tuple[str, int]:
    """The part of a line around a column, printable, and the caret's place in it."""
    line = line.replace("\t", " ")
    start = 0 if len(line) <= room or column < room - 8 else column - room // 2
    before = printable(line[start:column])
    shown = before + printable(line[column : start + room])
    mark = "…" if start else ""
    return (mark + shown)[:room], min(cells(mark + before), room - 1)

"""How text reaches a terminal: colour or none, how wide, and wrapping by what characters really occupy."""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TextIO

from reconciler.kernel.plain import printable

NARROWEST = 40
WIDEST = 120
PLAIN_WIDTH = 100
"""Where there is no terminal to measure."""


class Tint(StrEnum):
    """A meaning, and the terminal code for it."""

    ADD = "32"
    CHANGE = "33"
    REMOVE = "31"
    LINK = "36"
    FAINT = "2"
    STRONG = "1"
    ERROR = "1;31"
    WARNING = "1;33"
    GOOD = "1;32"


@dataclass(frozen=True, slots=True)
class Style:
    """Colour and width. `paint` colours, `wrap` breaks; measure before painting."""

    colour: bool = False
    width: int = PLAIN_WIDTH

    def paint(self, text: str, *tints: Tint) -> str:
        return f"\x1b[{';'.join(tints)}m{text}\x1b[0m" if self.colour and text and tints else text


def style_for(
    stream: TextIO | None, *, no_color: bool = False, environment: Mapping[str, str] = os.environ
) -> Style:
    """The style for a stream: colour on a terminal only, unless NO_COLOR, FORCE_COLOR or --no-color say so."""
    terminal = stream is not None and stream.isatty()
    forced = environment.get("FORCE_COLOR", "") not in ("", "0")
    refused = no_color or environment.get("NO_COLOR", "") != "" or environment.get("TERM") == "dumb"
    return Style(not refused and (terminal or forced), _width(terminal, environment))


def _width(terminal: bool, environment: Mapping[str, str]) -> int:
    columns = environment.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and len(columns) < 6 and int(columns) > 0:
        return max(NARROWEST, min(WIDEST, int(columns)))
    if not terminal:
        return PLAIN_WIDTH
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns))


@lru_cache(maxsize=4096)
def _cell(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cells(text: str) -> int:
    """The columns a text takes; 2 for wide characters, 0 for combining ones."""
    return len(text) if text.isascii() else _wide_cells(text)


@lru_cache(maxsize=4096)
def _wide_cells(text: str) -> int:
    return sum(map(_cell, text))


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def pad_left(text: str, width: int) -> str:
    return " " * (width - cells(text)) + text


def fold(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces, or within a word that is too long."""
    width = max(width, 8)
    if cells(text) <= width:
        return [text]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _chop(word, width)
        lines.extend(full)
    lines.append(line)
    return lines


def _chop(word: str, width: int) -> list[str]:
    pieces: list[str] = []
    piece, taken = "", 0
    for character in word:
        size = _cell(character)
        if taken + size > width:
            pieces.append(piece)
            piece, taken = "", 0
        piece += character
        taken += size
    return [*pieces, piece]


def paragraph(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """`text`, made printable, wrapped; `first` before the first line, `rest` (its blanks) before the others."""
    rest = " " * cells(first) if rest is None else rest
    lines = fold(printable(text), width - cells(first))
    return [first + lines[0], *(rest + line for line in lines[1:])]


def pack(items: list[str], width: int, margin: str = "", separator: str = "   ") -> list[str]:
    """As many whole items on a line as fit."""
    lines: list[str] = []
    for item in items:
        if lines and cells(lines[-1]) + len(separator) + cells(item) <= width:
            lines[-1] += separator + item
        else:
            lines.append(margin + item)
    return lines

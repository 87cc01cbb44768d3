"""Diagnostics: what is wrong, where, why, and what to do; collected, ordered and deduplicated."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.kernel.address import Address


NOT_TO_BE_SHOWN = "secret-in-file"
"""The code of a finding whose place is a secret: what stands there is never shown."""


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """A place in a text file; `line` and `column` count from 1, 0 when unknown.

    In a template `line` is the template's own, and `rendered`, when not 0, the line it became; `column` is then
    one of the rendered line.
    """

    file: str
    line: int = 0
    column: int = 0
    rendered: int = 0

    def __str__(self) -> str:
        if self.rendered:
            return f"{self.file}:{self.line} (rendered line {self.rendered}:{self.column})"
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `code` is a stable kebab-case word, `what` one sentence, `hint` what to do."""

    severity: Severity
    code: str
    what: str
    why: str = ""
    hint: str = ""
    source: Source | None = None
    address: Address | None = None
    related: Source | None = None
    rendered: str = ""
    """The rendered line that `source` points at, when it is in a template."""

    def sort_key(self) -> tuple[object, ...]:
        place = self.source or Source("")
        return (place.file, place.rendered or place.line, place.column, self.severity, self.code, self.what)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, line and column, each finding once."""
    return sorted(dict.fromkeys(diagnostics), key=Diagnostic.sort_key)


def nearest(word: str, candidates: Iterable[str]) -> str:
    """A hint that names the likeliest candidate, or an empty text."""
    close = get_close_matches(word, list(candidates), n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else ""

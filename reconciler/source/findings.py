"""Findings: what is wrong at a place of a file; turned into diagnostics once all are known.

A place is keys and indexes, so that files can be read fast, without positions; a file is read once more,
carefully, only when something in it has to be pointed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Diagnostic, Severity, Source, in_order
from reconciler.kernel.plain import printable
from reconciler.source.careful import Mark, Place, Problem, Reading, read_carefully
from reconciler.source.files import Unreadable

Spot = tuple[str, Place]
"""A file, relative to the project, and a place in it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (or doubtful) at `place` of `file`; `at_key` points at the key, not at its value."""

    file: str
    place: Place
    code: str
    what: str
    why: str = ""
    hint: str = ""
    address: Address | None = None
    at_key: bool = False
    related: Spot | None = None
    severity: Severity = Severity.ERROR


def of_problem(file: str, problem: Problem) -> Diagnostic:
    """A problem with the text of a file, which knows its position already."""
    related = Source(file, *problem.related) if problem.related else None
    return Diagnostic(
        Severity.ERROR,
        problem.code,
        printable(problem.what),
        printable(problem.why),
        printable(problem.hint),
        Source(file, *problem.mark),
        None,
        related,
    )


def located(findings: Iterable[Finding], read: Callable[[str], bytes]) -> list[Diagnostic]:
    """The findings as diagnostics with lines and columns, in order. `read` gives a file's bytes again."""
    found = list(findings)
    wanted: dict[str, set[Place]] = {}
    for finding in found:
        wanted.setdefault(finding.file, set()).add(finding.place[:2])
        if finding.related:
            file, place = finding.related
            wanted.setdefault(file, set()).add(place[:2])
    readings = {file: _reading(file, places, read) for file, places in wanted.items()}
    return in_order(_diagnostic(finding, readings) for finding in found)


def _reading(file: str, places: set[Place], read: Callable[[str], bytes]) -> Reading:
    try:
        return read_carefully(read(file), places)
    except (OSError, Unreadable):  # the file went away meanwhile: point at it without a line
        return Reading()


def _diagnostic(finding: Finding, readings: dict[str, Reading]) -> Diagnostic:
    related = None
    if finding.related:
        file, place = finding.related
        related = _source(file, readings[file].key_mark(place))
    reading = readings[finding.file]
    mark = reading.key_mark(finding.place) if finding.at_key else reading.value_mark(finding.place)
    return Diagnostic(
        finding.severity,
        finding.code,
        printable(finding.what),
        printable(finding.why),
        printable(finding.hint),
        _source(finding.file, mark),
        finding.address,
        related,
    )


def _source(file: str, mark: Mark | None) -> Source:
    return Source(file, *mark) if mark else Source(file)

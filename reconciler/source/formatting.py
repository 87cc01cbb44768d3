"""The canonical layout of a YAML file: comments kept, meaning untouched.

Two spaces a level, list items two further in, one space in flow mappings, LF, one newline at the end, at most one
blank line in a row, no blanks at the end of a line. Quotes, the order of keys, block scalars, and whether a mapping
is written on one line are the writer's, and stay. A file is only changed where reading it before and after gives
the same, to the last character of every scalar, and every comment is still there.
"""

from __future__ import annotations

import io
import re
from typing import Any

from reconciler.source.careful import read_carefully
from reconciler.source.yaml_events import c_parser

_ROUNDS = 4
_WIDTH = 4096 * 1024


class NotFormatted(Exception):
    """Why a file is left as it is."""


def formatted(data: bytes) -> bytes:
    """The file's canonical layout. Raises NotFormatted for what cannot be read, or would come out different."""
    reading = read_carefully(data)
    if reading.problems:
        raise NotFormatted(f"{reading.problems[0].what} (line {reading.problems[0].mark[0]})")
    text = _without_tabs(_plain_lines(data.decode("utf-8")))
    if not reading.entries and not _has_content(text):
        return _tidy_comments(text).encode()
    for _ in range(_ROUNDS):
        again = _round_trip(text)
        if again == text:
            break
        text = again
    else:
        raise NotFormatted("no layout of it stays as it is")
    _check_same(data, text)
    return text.encode()


def _has_content(text: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def _tidy_comments(text: str) -> str:
    """A file of comments alone."""
    lines = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip("\n")
    return lines + "\n" if lines else ""


def _round_trip(text: str) -> str:
    from ruamel.yaml.error import YAMLError

    yaml = _yaml()
    out = io.StringIO()
    try:
        yaml.dump(yaml.load(text), out)
        return _tidied(out.getvalue())
    except (YAMLError, ValueError, AttributeError, TypeError, AssertionError) as error:
        raise NotFormatted(f"it cannot be laid out: {str(error).splitlines()[0][:120]}") from None


def _yaml() -> Any:
    """ruamel's round trip, with every plain scalar but null a text: no number is ever made, so none can change."""
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import RoundTripRepresenter
    from ruamel.yaml.resolver import VersionedResolver

    class Resolver(VersionedResolver):
        @property
        def versioned_resolver(self) -> Any:
            null = [("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"))]
            return {"~": null, "n": null, "": null}

    class Representer(RoundTripRepresenter):
        def represent_none(self, data: Any) -> Any:
            return self.represent_scalar("tag:yaml.org,2002:null", "null")

    Representer.add_representer(type(None), Representer.represent_none)
    yaml = YAML()
    yaml.Resolver = Resolver
    yaml.Representer = Representer
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _tidied(text: str) -> str:
    """Blanks at line ends and rows of blank lines taken out, but inside block scalars and quotes."""
    kept = _literal_lines(text)
    lines: list[str] = []
    levels: list[int] = []
    waiting: list[int] = []
    for number, line in enumerate(text.split("\n")):
        if number in kept:
            lines.append(line)
            continue
        line = line.rstrip()
        if line.lstrip().startswith("#"):
            waiting.append(len(lines))
        elif line:
            indent = len(line) - len(line.lstrip(" "))
            _set_in(lines, waiting, levels, indent)
            _open_levels(levels, line, indent)
        if line or (lines and lines[-1]):
            lines.append(line)
    _set_in(lines, waiting, levels, 0)
    return "\n".join(lines).strip("\n") + "\n"


def _open_levels(levels: list[int], line: str, indent: int) -> None:
    """Keep in `levels` the columns at which something of the line, or around it, begins."""
    while levels and levels[-1] >= indent:
        levels.pop()
    levels.append(indent)
    while line[indent:].startswith("- "):
        indent += 2
        levels.append(indent)


def _set_in(lines: list[str], waiting: list[int], levels: list[int], following: int) -> None:
    """Put the comment lines waiting into the column of something open there: where they are, or left of it."""
    columns = sorted({following, *(level for level in levels if level > following)})
    for at in waiting:
        comment = lines[at].lstrip(" ")
        column = len(lines[at]) - len(comment)
        lines[at] = " " * max((item for item in columns if item <= column), default=following) + comment
    waiting.clear()


def _literal_lines(text: str) -> set[int]:
    """Lines (from 0) that belong to a scalar of several lines, but for its first."""
    from ruamel.yaml.events import ScalarEvent, StreamEndEvent

    found: set[int] = set()
    next_event = c_parser()(text.encode()).get_event
    while not isinstance(event := next_event(), StreamEndEvent):
        if isinstance(event, ScalarEvent) and event.end_mark.line > event.start_mark.line:
            found.update(range(event.start_mark.line + 1, event.end_mark.line + (event.end_mark.column > 0)))
    return found


def _check_same(before: bytes, text: str) -> None:
    after = read_carefully(text.encode())
    if after.problems:
        raise NotFormatted("its layout could not be read back")
    first = [(section, name, value) for section, name, _, _, value in read_carefully(before).entries]
    if repr(first) != repr([(section, name, value) for section, name, _, _, value in after.entries]):
        raise NotFormatted("laying it out would change what it says")
    if comments(before.decode("utf-8")) != comments(text):
        raise NotFormatted("laying it out would lose a comment")


def comments(text: str) -> list[str]:
    """Every comment of a text, sorted: what stands after a '#' that is in no scalar."""
    lines = _plain_lines(text).split("\n")
    spans = _scalar_spans(lines)
    found = []
    for number, line in enumerate(lines):
        at = _comment_at(line, spans.get(number, []))
        if at is not None:
            found.append(line[at:].rstrip())
    return sorted(found)


def _plain_lines(text: str) -> str:
    """Without a byte order mark, and every line ended by LF."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _without_tabs(text: str) -> str:
    """Tabs between scalars, which the round trip does not read, as spaces; those of scalars and comments stay."""
    if "\t" not in text:
        return text
    lines = text.split("\n")
    spans = _scalar_spans(lines)
    for number, line in enumerate(lines):
        if "\t" in line:
            taken = spans.get(number, [])
            comment = _comment_at(line, taken)
            end = len(line) if comment is None else comment
            lines[number] = "".join(
                " " if mark == "\t" and at < end and not any(a <= at < b for a, b in taken) else mark
                for at, mark in enumerate(line)
            )
    return "\n".join(lines)


def _scalar_spans(lines: list[str]) -> dict[int, list[tuple[int, int]]]:
    """The columns of each line that scalars take."""
    from ruamel.yaml.events import ScalarEvent, StreamEndEvent

    taken: dict[int, list[tuple[int, int]]] = {}
    next_event = c_parser()("\n".join(lines).encode()).get_event
    while not isinstance(event := next_event(), StreamEndEvent):
        if isinstance(event, ScalarEvent):
            _take(taken, event, lines)
    return taken


def _take(taken: dict[int, list[tuple[int, int]]], event: Any, lines: list[str]) -> None:
    """The columns of each line that a scalar takes."""
    start, end = event.start_mark, event.end_mark
    for number in range(start.line, end.line + 1):
        if number >= len(lines):
            break
        first = start.column if number == start.line else 0
        last = end.column if number == end.line else len(lines[number])
        if event.style in ("|", ">") and number == start.line:
            indicator = re.match(r"[|>][-+0-9]*", lines[number][first:])
            last = first + (indicator.end() if indicator else 1)
        taken.setdefault(number, []).append((first, last))


def _comment_at(line: str, spans: list[tuple[int, int]]) -> int | None:
    at = line.find("#")
    while at >= 0:
        if not any(first <= at < last for first, last in spans):
            return at
        at = line.find("#", at + 1)
    return None

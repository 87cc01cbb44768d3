"""The careful reader: the same entries as `yaml_events`, with every problem and every position.

It is slow and thorough: run over a file in which something is wrong, or over a small one. It goes on after
whatever it can step over, so that all problems of a file come together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from reconciler.source.yaml_events import MAX_DEPTH, MAX_NODES, NULLS, Entry, Value, event_source

Place = tuple[str | int, ...]
"""Keys and indexes from the top of a file."""
Mark = tuple[int, int]
"""Line and column, from 1."""

_DISALLOWED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the text itself, at `mark`; `related` is an earlier place it clashes with."""

    code: str
    what: str
    mark: Mark
    why: str = ""
    hint: str = ""
    related: Mark | None = None


@dataclass(slots=True)
class Reading:
    """What the careful reader found. `readable`: it reached the end. `broken`: places with problems inside.

    `keys` and `values`: where the key of a place, and the value at it, begin.
    """

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    broken: set[Place] = field(default_factory=set)
    keys: dict[Place, Mark] = field(default_factory=dict)
    values: dict[Place, Mark] = field(default_factory=dict)
    readable: bool = True

    def content(self) -> dict[str, Any]:
        """The whole file as one mapping; of a small file."""
        content: dict[str, Any] = {str(place[0]): {} for place in self.keys if len(place) == 1}
        for section, name, _, _, value in self.entries:
            if name is None:
                content[section] = value
            else:
                content[section][name] = value
        return content

    def key_mark(self, place: Place) -> Mark | None:
        """Where the key at `place` begins, or the nearest thing around it."""
        for length in range(len(place), 0, -1):
            found = self.keys.get(place[:length]) or self.values.get(place[:length])
            if found:
                return found
        return None

    def value_mark(self, place: Place) -> Mark | None:
        """Where the value at `place` begins, or the nearest thing around it."""
        return self.values.get(place) or self.key_mark(place)


class _Stop(Exception):
    """Nothing more of this file can be read."""


def read_carefully(data: bytes, wanted: Collection[Place] | None = None) -> Reading:
    """Read a whole file. Positions are kept beneath the (section, name) places `wanted`; None: everywhere."""
    reader = _Reader(data, wanted)
    try:
        reader.run()
    except _Stop:
        reader.reading.readable = False
    return reader.reading


class _Reader:
    def __init__(self, data: bytes, wanted: Collection[Place] | None) -> None:
        self.data = data
        self.wanted = None if wanted is None else frozenset(wanted)
        self.reading = Reading()
        self.next: Callable[[], Any] = lambda: None
        self.nodes = 0
        self.aliases: set[str] = set()

    def run(self) -> None:
        if self.data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            self.report("encoding", "the file is not UTF-8", (1, 1), hint="Save it as UTF-8.")
            raise _Stop
        source = event_source(self.data)

        def advance() -> Any:
            try:
                return source()
            except ReaderError:
                self.report_bytes()
            except MarkedYAMLError as error:
                self.report_syntax(error)
            raise _Stop

        self.next = advance
        self.next()
        if isinstance(self.next(), StreamEndEvent):
            return
        self.root(self.next())
        self.next()
        event = self.next()
        if not isinstance(event, StreamEndEvent):
            self.report(
                "several-documents",
                "the file holds more than one YAML document",
                _mark(event),
                hint="Put them into files of their own, or take the '---' out.",
            )

    def root(self, event: Any) -> None:
        if not isinstance(event, MappingStartEvent):
            if self.value(event, ()) is not None:
                self.report(
                    "not-a-mapping",
                    "the file should be a mapping",
                    _mark(event),
                    why="it begins with a list or a text",
                    hint="Begin it with a key, such as 'invoices:'.",
                )
            return
        self.check_properties(event, ())
        seen: dict[str, Mark] = {}
        for key, mark, value in self.pairs(()):
            place: Place = (key,)
            duplicate = self.duplicate(seen, key, mark, ())
            self.reading.keys.setdefault(place, mark)
            self.reading.values.setdefault(place, _mark(value))
            if isinstance(value, MappingStartEvent):
                self.check_properties(value, place)
                if not self.section(key):
                    self.reading.entries.append((key, None, *mark, {}))
            else:
                composed = self.value(value, place)
                if not duplicate:
                    self.reading.entries.append((key, None, *mark, composed))

    def section(self, section: str) -> bool:
        """Whether it has any names."""
        seen: dict[str, Mark] = {}
        for name, mark, event in self.pairs((section,)):
            place: Place = (section, name)
            duplicate = self.duplicate(seen, name, mark, place)
            if not duplicate and self.keeps(place):
                self.reading.keys[place] = mark
            value = self.value(event, place)
            if not duplicate:
                self.reading.entries.append((section, name, *mark, value))
        return bool(seen)

    def pairs(self, place: Place) -> Any:
        """Each key of the mapping that has begun: (text, mark, the event its value begins with)."""
        while not isinstance(event := self.next(), MappingEndEvent):
            self.count()
            mark = _mark(event)
            if not isinstance(event, ScalarEvent):
                self.report("key", "a key should be plain text", mark, place=place)
                self.value(event, place)
                self.value(self.next(), place)
                continue
            self.check_properties(event, place)
            if event.value == "<<" and event.implicit[0]:
                self.report(
                    "merge-key",
                    "merge keys ('<<') are not supported",
                    mark,
                    place=place,
                    why="what is declared should be read where it stands",
                    hint="Write the fields out.",
                )
                self.value(self.next(), place)
                continue
            yield event.value, mark, self.next()

    def value(self, event: Any, place: Place) -> Value:
        self.count()
        if place and self.keeps(place):
            self.reading.values.setdefault(place, _mark(event))
        if isinstance(event, AliasEvent):
            self.reading.broken.add(place[:2])
            if event.anchor in self.aliases:
                return None
            self.aliases.add(event.anchor)
            self.report(
                "alias",
                f"aliases ('*{event.anchor[:40]}') are not supported",
                _mark(event),
                place=place,
                why="what is declared should be read where it stands",
                hint="Write the value out.",
            )
            return None
        self.check_properties(event, place)
        if isinstance(event, ScalarEvent):
            return None if event.value in NULLS and event.implicit[0] else event.value
        if len(place) + 1 > MAX_DEPTH:
            self.report("depth", f"nested deeper than {MAX_DEPTH} levels", _mark(event), place=place)
            raise _Stop
        if isinstance(event, MappingStartEvent):
            return self.mapping(place)
        items: list[Value] = []
        while not isinstance(event := self.next(), SequenceEndEvent):
            items.append(self.value(event, (*place, len(items))))
        return items

    def mapping(self, place: Place) -> dict[str, Value]:
        found: dict[str, Value] = {}
        seen: dict[str, Mark] = {}
        for key, mark, event in self.pairs(place):
            inner = (*place, key)
            duplicate = self.duplicate(seen, key, mark, place)
            if not duplicate and self.keeps(inner):
                self.reading.keys[inner] = mark
            value = self.value(event, inner)
            if not duplicate:
                found[key] = value
        return found

    def keeps(self, place: Place) -> bool:
        return self.wanted is None or len(place) < 2 or place[:2] in self.wanted

    def duplicate(self, seen: dict[str, Mark], key: str, mark: Mark, place: Place) -> bool:
        first = seen.setdefault(key, mark)
        if first is mark:
            return False
        self.report(
            "duplicate-key",
            f"the key {key[:80]!r} is given twice",
            mark,
            place=place,
            hint="Keep one of the two.",
            related=first,
        )
        return True

    def count(self) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.report("too-many-values", f"the file has more than {MAX_NODES:,} values", (1, 1))
            raise _Stop

    def check_properties(self, event: Any, place: Place) -> None:
        if event.anchor is not None:
            self.report(
                "anchor",
                f"anchors ('&{event.anchor[:40]}') are not supported",
                _mark(event),
                place=place,
                why="what is declared should be read where it stands",
                hint="Write the value out.",
            )
        if event.ctag is not None:
            tag = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
            self.report(
                "tag",
                f"tags ({tag[:60]!r}) are not supported",
                _mark(event),
                place=place,
                why="every value is text until its field says what it is",
                hint="Take the tag out.",
            )

    def report(
        self,
        code: str,
        what: str,
        mark: Mark,
        *,
        place: Place = (),
        why: str = "",
        hint: str = "",
        related: Mark | None = None,
    ) -> None:
        self.reading.problems.append(Problem(code, what, mark, why, hint, related))
        self.reading.broken.add(place[:2])

    def report_bytes(self) -> None:
        """The parser met bytes it cannot take: find out which, and where."""
        try:
            text = self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = self.data[: error.start].decode("utf-8")
            byte = self.data[error.start]
            self.report(
                "encoding",
                f"the file is not UTF-8: byte 0x{byte:02X}",
                _mark_after(before),
                hint="Save it as UTF-8.",
            )
            return
        start = 1 if text.startswith("\ufeff") else 0
        found = _DISALLOWED.search(text, start)
        character = f" U+{ord(found.group()):04X}" if found else ""
        mark = _mark_after(text[start : found.start()]) if found else (1, 1)
        self.report("control-character", f"the file has the control character{character}", mark)

    def report_syntax(self, error: MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context or "cannot be read")
        at = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self.report(
            "syntax", f"this is not YAML: {problem}", at, why=error.context or "", hint=self.advice(problem, at)
        )

    def advice(self, problem: str, at: Mark) -> str:
        lines = self.data.split(b"\n", at[0])
        line = lines[at[0] - 1] if len(lines) >= at[0] else b""
        if "tab" in problem or line[at[1] - 1 : at[1]] == b"\t":
            return "Indent with spaces: this line has a tab."
        if problem.startswith("found unexpected ':'"):
            return "Put quotes round a text that has ':' in it when it stands between braces or brackets."
        if problem.startswith("mapping values are not allowed"):
            return "Put quotes round a text that has ': ' in it, and check the indentation."
        if problem.startswith("found character that cannot start any token"):
            return "Put quotes round a text that begins with @, ` or %."
        return ""


def _mark(event: Any) -> Mark:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _mark_after(text: str) -> Mark:
    line = text.count("\n")
    return line + 1, len(text) - (text.rfind("\n") + 1) + 1

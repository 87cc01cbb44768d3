"""YAML as text: entries composed from ruamel's C event stream.

Every scalar stays text, but for a plain `null`, `~` or nothing, which is None. Anchors, aliases, merge keys,
tags, duplicate keys, several documents, deep nesting and endless lists are irregular: this fast reader stops
there, and `reconciler.source.careful` says what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.kernel.errors import ReconcilerError

MAX_DEPTH = 32
MAX_NODES = 2_000_000
NULLS = frozenset(("", "null", "~"))

Value = Any
"""Text, None, a list or a mapping of values."""
Entry = tuple[str, str | None, int, int, Value]
"""(section, name, line, column, value): a key of a top-level mapping; with no name a whole top-level value that is
no mapping, or an empty one. Line and column of the key count from 1."""


class Irregular(Exception):
    """The document has something the fast reader does not handle."""


@lru_cache(maxsize=1)
def c_parser() -> type[Any]:
    """The C parser's class: the pure Python one is twenty times slower and is not used in its place."""
    try:
        from _ruamel_yaml import CParser
    except ImportError:
        raise ReconcilerError(
            "the C parser of ruamel.yaml is not installed",
            hint="Install it with: pip install 'ruamel.yaml[oldlibyaml]'",
        ) from None
    parser: type[Any] = CParser
    return parser


def event_source(data: bytes) -> Callable[[], Any]:
    """A function that gives the next event at each call, and None after the last."""
    source: Callable[[], Any] = c_parser()(data).get_event
    return source


def entries(data: bytes) -> Iterator[Entry]:
    """The entries of a document's top-level mapping, one at a time, nothing kept.

    Raises Irregular for whatever is not plain YAML within the limits.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Irregular
    try:
        yield from _entries(event_source(data))
    except YAMLError:
        raise Irregular from None


def _entries(next_event: Callable[[], Any]) -> Iterator[Entry]:
    compose = _composer(next_event)
    next_event()  # the stream's start
    if next_event().__class__ is StreamEndEvent:
        return
    root = next_event()
    if root.__class__ is ScalarEvent and compose(root, 1) is None:
        _expect_end(next_event)
        return
    if root.__class__ is not MappingStartEvent or root.anchor is not None or root.ctag is not None:
        raise Irregular
    sections: set[str] = set()
    while (event := next_event()).__class__ is ScalarEvent:
        section = _key(event, sections)
        mark = event.start_mark
        value = next_event()
        if value.__class__ is not MappingStartEvent:
            yield section, None, mark.line + 1, mark.column + 1, compose(value, 2)
            continue
        if value.anchor is not None or value.ctag is not None:
            raise Irregular
        names: set[str] = set()
        while (event := next_event()).__class__ is ScalarEvent:
            name = _key(event, names)
            mark = event.start_mark
            yield section, name, mark.line + 1, mark.column + 1, compose(next_event(), 3)
        if event.__class__ is not MappingEndEvent:
            raise Irregular
        if not names:
            yield section, None, mark.line + 1, mark.column + 1, {}
    if event.__class__ is not MappingEndEvent:
        raise Irregular
    _expect_end(next_event)


def _key(event: Any, seen: set[str]) -> str:
    key: str = event.value
    if event.anchor is not None or event.ctag is not None or key in seen or (key == "<<" and event.implicit[0]):
        raise Irregular
    seen.add(key)
    return key


def _expect_end(next_event: Callable[[], Any]) -> None:
    next_event()  # the document's end
    if next_event().__class__ is not StreamEndEvent:
        raise Irregular


def _composer(next_event: Callable[[], Any]) -> Callable[[Any, int], Value]:
    """A function that composes the value an event begins. Local names and repeated code are for speed."""
    scalar, mapping, mapping_end = ScalarEvent, MappingStartEvent, MappingEndEvent
    sequence, sequence_end = SequenceStartEvent, SequenceEndEvent
    nulls = NULLS
    nodes = 0

    def compose(event: Any, depth: int) -> Value:
        nonlocal nodes
        kind = event.__class__
        if event.anchor is not None or event.ctag is not None:
            raise Irregular
        if kind is scalar:
            text = event.value
            return None if text in nulls and event.implicit[0] else text
        if depth > MAX_DEPTH:
            raise Irregular
        if kind is mapping:
            found: dict[str, Value] = {}
            count = 0
            while (event := next_event()).__class__ is scalar:
                if event.anchor is not None or event.ctag is not None:
                    raise Irregular
                key = event.value
                if key == "<<" and event.implicit[0]:
                    raise Irregular
                event = next_event()
                if event.__class__ is scalar and event.ctag is None and event.anchor is None:
                    text = event.value
                    found[key] = None if text in nulls and event.implicit[0] else text
                else:
                    found[key] = compose(event, depth + 1)
                count += 1
            nodes += 2 * count
            if event.__class__ is not mapping_end or len(found) != count or nodes > MAX_NODES:
                raise Irregular
            return found
        if kind is not sequence:
            raise Irregular
        items: list[Value] = []
        while (event := next_event()).__class__ is not sequence_end:
            items.append(compose(event, depth + 1))
        nodes += len(items)
        if nodes > MAX_NODES:
            raise Irregular
        return items

    return compose

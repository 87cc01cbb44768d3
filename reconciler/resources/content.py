"""Reading and rewriting content: decode, references, their resolution, canonical bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Required, get_args, get_origin

from pydantic import TypeAdapter
from typing_extensions import get_type_hints

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.resources.kinds import KINDS, Content, Kind, Path

Place = tuple[str | int, ...]
"""A concrete path: keys and list indexes."""


@dataclass(frozen=True, slots=True)
class NamedReference:
    """At `place`, the content names `name`, which must be one of `kinds` (singular).

    `is_key`: the name is a mapping's key (tracking), not a value.
    """

    place: Place
    kinds: tuple[str, ...]
    name: str
    is_key: bool = False


def encode(content: Content) -> str:
    """The canonical text of a content."""
    return canonical_json(content)


@lru_cache(maxsize=512)
def _field_adapter(kind: str, field: str) -> TypeAdapter[Any]:
    hints = get_type_hints(KINDS[kind].content_type, include_extras=True)
    if field not in hints:
        raise ValueError(f"{kind} has no field {field!r}")
    hint = hints[field]
    origin: Any = get_origin(hint)
    return TypeAdapter(get_args(hint)[0] if origin is Required else hint)


def typed(kind: str, data: Mapping[str, Any]) -> Content:
    """JSON-like data typed field by field, so that any subset of a kind's fields will do.

    Raises ValueError (pydantic's included) for an unknown field or a value of the wrong type.
    """
    return {field: _field_adapter(kind, field).validate_python(value) for field, value in data.items()}


def typed_sides(kind: str, data: Mapping[str, Any]) -> Content:
    """The same for one side of a change, where None stands for a field that is not there."""
    some = typed(kind, {field: value for field, value in data.items() if value is not None})
    return {field: some.get(field) for field in data}


def decode(kind: str, body: str | bytes) -> Content:
    """Typed content from its canonical text; the inverse of `encode`. Raises ValueError."""
    return typed(kind, parse_canonical(body))


def _visit(value: Any, path: Path, place: Place) -> Iterator[tuple[Place, str]]:
    if not path:
        if isinstance(value, str):
            yield place, value
        return
    head, rest = path[0], path[1:]
    if head == "*":
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _visit(item, rest, (*place, index))
    elif head == "{}":
        if isinstance(value, dict):
            for key in value:
                yield (*place, key), key
    elif isinstance(value, dict) and head in value:
        yield from _visit(value[head], rest, (*place, head))


def references(kind: Kind, content: Content) -> list[NamedReference]:
    """Every reference a content makes, in the order of the kind's paths."""
    return [
        NamedReference(place, kinds, name, path[-1] == "{}")
        for path, kinds in kind.references
        if path[0] in content
        for place, name in _visit(content, path, ())
    ]


def amounts(kind: Kind, content: Content) -> Iterator[tuple[Place, Any]]:
    """Every value at one of the kind's amount paths, with its place."""

    def walk(value: Any, path: Path, place: Place) -> Iterator[tuple[Place, Any]]:
        if not path:
            if value is not None:
                yield place, value
        elif path[0] == "*":
            for index, item in enumerate(value or ()):
                yield from walk(item, path[1:], (*place, index))
        elif isinstance(value, dict) and path[0] in value:
            yield from walk(value[path[0]], path[1:], (*place, path[0]))

    for path in kind.amounts:
        yield from walk(content, path, ())


def replace_references(kind: Kind, content: Content, replace: Callable[[NamedReference], str | None]) -> Content:
    """A copy of `content` with every reference replaced; `None` leaves a hole to be filled later.

    A key of a mapping (tracking) cannot be a hole: `replace` returning None there keeps the name.
    """
    found = references(kind, content)
    if not found:
        return content
    copied: Content = copy_content(content)
    for reference in found:
        new = replace(reference)
        parent: Any = copied
        for step in reference.place[:-1]:
            parent = parent[step]
        last = reference.place[-1]
        if reference.is_key:
            parent[reference.name if new is None else new] = parent.pop(last)
        else:
            parent[last] = new
    return copied


def copy_content(value: Any) -> Any:
    """A deep copy of dicts and lists; scalars are shared."""
    if isinstance(value, dict):
        return {key: copy_content(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy_content(item) for item in value]
    return value

"""The query language of lists: `=`, `!=`, `~`, `>`, `<`, `>=`, `<=`, `&&`, `||`, grouping by `{` and `}`.

Dotted paths lead into objects, never into arrays. Not here: paging.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.sandboxes.codat.words import Problem

LONGEST = 2048
Properties = Mapping[str, Any]
"""Property → `text`, `number`, `date`, `flag`, `list`, or the properties of an object."""
Predicate = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"\s*(\{|\}|&&|\|\||[A-Za-z_][A-Za-z0-9_.]*\s*(?:!=|>=|<=|=|~|>|<)(?:(?!&&|\|\||\}).)*)", re.DOTALL
)
_CLAUSE = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\s*(!=|>=|<=|=|~|>|<)(.*)\Z", re.DOTALL)


def _malformed() -> Problem:
    return Problem(400, "Error parsing query - Malformed query.")


def parse_query(text: str, properties: Properties, model: str) -> Predicate:
    """What a query selects among records of `model`. Raises Problem with the API's words."""
    if len(text) >= LONGEST:
        raise _malformed()
    tokens: list[str] = []
    position = 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise _malformed()
        tokens.append(found.group(1).strip())
        position = found.end()
    reader = _Reader(tokens, properties, model)
    predicate = reader.alternatives()
    if not reader.done:
        raise _malformed()
    return predicate


class _Reader:
    """Recursive descent over the tokens: `||` binds looser than `&&`."""

    def __init__(self, tokens: list[str], properties: Properties, model: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._properties = properties
        self._model = model

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def _take(self, wanted: str) -> bool:
        if not self.done and self._tokens[self._at] == wanted:
            self._at += 1
            return True
        return False

    def alternatives(self) -> Predicate:
        parts = [self._together()]
        while self._take("||"):
            parts.append(self._together())
        return lambda record: any(part(record) for part in parts)

    def _together(self) -> Predicate:
        parts = [self._clause()]
        while self._take("&&"):
            parts.append(self._clause())
        return lambda record: all(part(record) for part in parts)

    def _clause(self) -> Predicate:
        if self._take("{"):
            inner = self.alternatives()
            if not self._take("}"):
                raise _malformed()
            return inner
        found = None if self.done else _CLAUSE.match(self._tokens[self._at])
        if not found:
            raise _malformed()
        self._at += 1
        path, operator, value = found.groups()
        return _comparison(path, operator, value.strip().strip('"'), self._properties, self._model)


def resolve(path: str, properties: Properties, model: str) -> str:
    """The kind of the property at a dotted path. Raises Problem."""
    kind: Any = properties
    for step in path.split("."):
        by_name = {name.lower(): value for name, value in kind.items()} if isinstance(kind, Mapping) else {}
        if step.lower() not in by_name:
            raise Problem(400, f"Error parsing query - Could not resolve property {path} on {model}")
        kind = by_name[step.lower()]
    if isinstance(kind, Mapping) or kind == "list":
        raise Problem(400, f"Error parsing query - Could not resolve property {path} on {model}")
    return str(kind)


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, in whatever case; None when it is not there."""
    value: Any = record
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = next((item for name, item in value.items() if name.lower() == step.lower()), None)
    return value


def _comparison(path: str, operator: str, text: str, properties: Properties, model: str) -> Predicate:
    kind = resolve(path, properties, model)
    if not text or text.lower() == "null":
        raise _malformed()
    if operator == "~" and kind != "text":
        raise _malformed()
    if operator not in ("=", "!=", "~") and kind in ("text", "flag"):
        raise _malformed()
    wanted = comparable(text, kind)

    def holds(record: Mapping[str, Any]) -> bool:
        found = value_at(record, path)
        if found is None:
            return operator == "!="
        mine = comparable(found, kind)
        match operator:
            case "=":
                return bool(mine == wanted)
            case "!=":
                return bool(mine != wanted)
            case "~":
                return str(wanted).lower() in str(mine).lower()
            case ">":
                return bool(mine > wanted)
            case "<":
                return bool(mine < wanted)
            case ">=":
                return bool(mine >= wanted)
            case _:
                return bool(mine <= wanted)

    return holds


def comparable(value: Any, kind: str) -> Any:
    """A value of the model or of a query in the form in which it is compared."""
    try:
        if kind == "number":
            return Decimal(str(value))
        if kind == "flag":
            return {"true": True, "false": False}[str(value).lower()]
        if kind == "date":
            return _instant(str(value))
    except (InvalidOperation, KeyError, ValueError):
        raise _malformed() from None
    return str(value)


def _instant(text: str) -> datetime:
    text = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text).replace("Z", "+00:00")
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)

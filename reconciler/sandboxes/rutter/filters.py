"""The grammar of `filter`: `field="value"`, `~` (contains), `>`, `<`, joined by AND. Case-sensitive, double quotes.

Anything else, and any field that is not filterable, is refused: `>=`, `OR` and `IN` are not in the documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from reconciler.sandboxes.rutter.words import Problem

Predicate = Callable[[Mapping[str, Any]], bool]
LONGEST = 4096
_CLAUSE = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=|~|>|<)\s*"((?:[^"\\]|\\.)*)"\s*')
_AND = re.compile(r"AND\s+")


def parse_filter(text: str, fields: Mapping[str, str], what: str) -> Predicate:
    """What a filter selects among objects called `what`. `fields`: filterable ones with their kind.

    Raises Problem.
    """
    clauses: list[Predicate] = []
    position = 0
    if len(text) > LONGEST:
        raise Problem(400, "Invalid filter: it is too long")
    while True:
        found = _CLAUSE.match(text, position)
        if found is None:
            raise Problem(400, f"Invalid filter: cannot parse {text[position : position + 40]!r}")
        field, operator, value = found.groups()
        if field not in fields:
            raise Problem(400, f"Invalid filter: {field} is not a filterable field of {what}")
        clauses.append(_clause(field, operator, re.sub(r"\\(.)", r"\1", value), fields[field]))
        position = found.end()
        if position == len(text):
            return lambda record: all(clause(record) for clause in clauses)
        joined = _AND.match(text, position)
        if joined is None:
            raise Problem(400, f"Invalid filter: expected AND before {text[position : position + 40]!r}")
        position = joined.end()


def _clause(field: str, operator: str, text: str, kind: str) -> Predicate:
    if operator == "~" and kind != "text":
        raise Problem(400, f"Invalid filter: ~ is for texts; {field} is none")
    wanted = comparable(text, kind, field)

    def holds(record: Mapping[str, Any]) -> bool:
        value = record.get(field)
        if value is None:
            return False
        mine = comparable(value, kind, field)
        match operator:
            case "=":
                return bool(mine == wanted)
            case "~":
                return str(wanted) in str(mine)
            case ">":
                return bool(mine > wanted)
            case _:
                return bool(mine < wanted)

    return holds


def comparable(value: Any, kind: str, field: str) -> Any:
    """A value in the form in which it is compared. Raises Problem."""
    try:
        if kind == "date":
            instant = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
            return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        if kind == "number":
            return Decimal(str(value))
    except (ValueError, InvalidOperation):
        raise Problem(400, f"Invalid filter: {str(value)[:40]!r} is no value of {field}") from None
    return str(value)

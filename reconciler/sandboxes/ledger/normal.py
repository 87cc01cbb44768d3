"""How the ledger stores what it is given: trimmed, countries in capitals, at most six decimals.

Pure and idempotent; each adjustment is named. References, amounts of money and dates are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from reconciler.kernel.money import decimal_text
from reconciler.resources.kinds import KINDS, Content

SCALE = 6
_UNIT = Decimal(1).scaleb(-SCALE)
_CONTEXT = Context(prec=40)
_SCALED = frozenset({"quantity", "unit_price", "percent", "rate"})
_ALWAYS = frozenset({"name", "type", "role", "state", "status", "path"})
"""Texts that are not emptied: the ledger refuses them instead."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One value that is stored differently from how it was given."""

    field: str
    given: str
    stored: str
    why: str


def normal_content(kind: str, content: Content) -> tuple[Content, tuple[Adjusted, ...]]:
    """`content` as it will be stored; the very object when nothing is to be adjusted."""
    found: list[Adjusted] = []
    references = frozenset(path for path, _ in KINDS[kind].references)
    stored = _mapping(content, (), "", references, found)
    return (stored, tuple(found)) if found else (content, ())


def _mapping(
    value: dict[str, Any],
    path: tuple[str, ...],
    label: str,
    references: frozenset[tuple[str, ...]],
    found: list[Adjusted],
) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, item in value.items():
        inner = (*path, key)
        new = _value(item, inner, f"{label}.{key}" if label else key, references, found)
        if new is not item:
            changed[key] = new
    return {**value, **changed} if changed else value


def _value(
    value: Any, path: tuple[str, ...], label: str, references: frozenset[tuple[str, ...]], found: list[Adjusted]
) -> Any:
    if isinstance(value, str):
        return value if path in references else _text(value, path[-1], label, found)
    if isinstance(value, Decimal):
        return _decimal(value, path[-1], label, found)
    if isinstance(value, dict):
        return _mapping(value, path, label, references, found)
    if isinstance(value, list):
        items = [_value(item, (*path, "*"), f"{label}[{at}]", references, found) for at, item in enumerate(value)]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _text(value: str, key: str, label: str, found: list[Adjusted]) -> str | None:
    stored = value.strip()
    why = "spaces at the edges are not kept"
    if key == "country" and stored != stored.upper():
        stored, why = stored.upper(), "countries are kept in capitals"
    if stored == value:
        return value
    if not stored:
        if key in _ALWAYS or label.endswith("]"):
            return value
        found.append(Adjusted(label, value, "", "a blank text is kept as none"))
        return None
    found.append(Adjusted(label, value, stored, why))
    return stored


def _decimal(value: Decimal, key: str, label: str, found: list[Adjusted]) -> Decimal:
    if key not in _SCALED:
        return value
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -SCALE:
        return value
    stored = value.quantize(_UNIT, rounding=ROUND_HALF_UP, context=_CONTEXT)
    if stored == value:
        return value
    found.append(Adjusted(label, decimal_text(value), decimal_text(stored), f"at most {SCALE} decimals are kept"))
    return stored

"""Comparing what is declared with what is live: projection on the declared shape, equality, field changes.

Only declared fields count. Lists are matched by identity (the kind's key, else position); a mere reorder is
no change; None, an empty list and an absent field are the same. deepdiff is asked only about unequal pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import decimal_text, fits, round_amount
from reconciler.plan.model import FieldChange
from reconciler.resources.kinds import Content, Kind, Path

_WHOLE = frozenset({"tracking"})
_SETS = frozenset({"taxes", "values"})
_FILE: Path = ("attachments", "*")
"""Where it was read from only this project knows: an ERP that keeps a file's name alone gives it as the path."""


def align(kind: Kind, live: Mapping[str, Any], declared: Mapping[str, Any]) -> tuple[Content, Content]:
    """(live, declared), both reduced to the declared top-level fields and made comparable by `==`."""
    keys = dict(kind.identities)
    left: Content = {}
    right: Content = {}
    for field, wanted in declared.items():
        left[field], right[field] = _pair(live.get(field), wanted, (field,), keys)
    return left, right


def _pair(live: Any, wanted: Any, path: Path, keys: Mapping[Path, str]) -> tuple[Any, Any]:
    wanted = None if wanted in ({}, [], "") else wanted
    live = None if live in ({}, [], "") else live
    if isinstance(wanted, dict) and isinstance(live, dict) and path[-1] not in _WHOLE:
        if path == _FILE and live.get("path") == live.get("name"):
            wanted = {**wanted, "path": live.get("path")}
        pairs = {key: _pair(live.get(key), value, (*path, key), keys) for key, value in wanted.items()}
        return {key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}
    if isinstance(wanted, list) and isinstance(live, list):
        if path[-1] in _SETS:
            return sorted(live), sorted(wanted)
        return _pair_lists(live, wanted, path, keys)
    return live, wanted


def _pair_lists(live: list[Any], wanted: list[Any], path: Path, keys: Mapping[Path, str]) -> tuple[Any, Any]:
    lefts: list[Any] = []
    rights: list[Any] = []
    for item, other in match_items(live, wanted, keys.get(path)):
        if item is None or other is None:
            if other is None:
                lefts.append(item)
            else:
                rights.append(other)
            continue
        left, right = _pair(item, other, (*path, "*"), keys)
        lefts.append(left)
        rights.append(right)
    return lefts, rights


def match_items(live: list[Any], wanted: list[Any], key: str | None) -> list[tuple[Any, Any]]:
    """Pairs in the wanted order, then live leftovers with None; by `key` where both have it, else position."""
    rest = dict(enumerate(live))
    by_key = (
        {item.get(key): at for at, item in rest.items() if isinstance(item, dict) and item.get(key)} if key else {}
    )
    pairs: list[tuple[Any, Any]] = []
    for at, item in enumerate(wanted):
        mark = item.get(key) if key and isinstance(item, dict) else None
        found = by_key.get(mark) if mark is not None else None
        if found is None and not (by_key and mark is not None):
            found = at
        pairs.append((rest.pop(found, None) if found is not None else None, item))
    return pairs + [(item, None) for item in rest.values()]


def changed_fields(live: Content, declared: Content) -> list[str]:
    """Top-level fields that differ in an aligned pair."""
    return [field for field, value in declared.items() if live.get(field) != value]


_MONEY = frozenset({"amount", "unit_price", "tax_amount", "credit_limit"})


def plain(value: Any, currency: str = "", key: str = "") -> Any:
    """JSON-like: Decimals and dates as text; money with all the decimals of `currency`, when it is known."""
    if isinstance(value, Decimal):
        return money_text(value, currency) if key in _MONEY and currency else decimal_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(item, currency, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, currency, key) for item in value]
    return value


def money_text(value: Decimal, currency: str) -> str:
    """`2000` → `2000.00` in USD; what has more decimals (a unit price) keeps them."""
    return decimal_text(value) if not fits(value, currency) else str(round_amount(value, currency))


def describe(
    before: Content, after: Content, name: Callable[[Content], Content], currency: str = ""
) -> tuple[FieldChange, ...]:
    """What differs between two aligned contents, leaf by leaf. `name` turns identities into names."""
    from deepdiff.diff import DeepDiff

    left, right = plain(name(before), currency), plain(name(after), currency)
    tree = DeepDiff(left, right, view="tree", verbose_level=2, threshold_to_diff_deeper=0)
    found: list[FieldChange] = []
    for report in tree.values():
        for level in report:
            path = path_text(level.path(output_format="list"))
            found.append(FieldChange(path, _or_none(level.t1), _or_none(level.t2)))
    return tuple(sorted(found, key=lambda change: change.path))


def _or_none(value: Any) -> Any:
    return None if type(value).__name__ == "NotPresent" else value


def path_text(path: list[str | int]) -> str:
    """`['lines', 1, 'unit_price']` → `lines[1].unit_price`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text

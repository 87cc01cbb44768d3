"""Resources as the YAML of a manifest: exact amounts, one fixed order of fields, and quotes wherever in doubt.

It writes text and knows no file. What it writes, the loader reads back as the very same content. Text that another
reader of YAML might take for a number, a date or a word such as NO is quoted; what has several lines is one
double-quoted scalar, so that every line of an entry but its first is indented by more than two spaces.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Required, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from reconciler.kernel.money import decimal_text, fits, round_amount
from reconciler.resources.kinds import KINDS, Content

WIDTH = 116
_PLAIN = re.compile(r"[^\W\d_](?:[\w./()&+@%'-]|[ ](?=[\w(&+]))*\Z")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_MONEY = frozenset(("amount", "discount", "unit_price", "tax_amount", "credit_limit", "expect_total"))
_NOT_AS_IT_IS = frozenset("\ufeff\u0085\u2028\u2029")


def entry_text(kind: str, name: str, content: Content, currency: str | None = None) -> str:
    """One resource under its name, indented by two, without a final newline.

    `content`: references by name, None written as null. `currency` gives money its decimals, where it fits them.
    """
    lines = [f"  {text_scalar(name)}:"]
    for field, value in _ordered(KINDS[kind].content_type, content):
        lines.extend(_field(field, value, 4, _hint(KINDS[kind].content_type, field), currency))
    if len(lines) == 1:
        return f"{lines[0]} {{}}"
    return "\n".join(lines)


def text_scalar(text: str) -> str:
    """Any text as one YAML scalar on one line."""
    if _PLAIN.match(text) and text.isprintable() and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if (character.isprintable() or character == "\u00a0") and character not in _NOT_AS_IT_IS:
        return character
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _field(field: str, value: Any, indent: int, hint: Any, currency: str | None) -> list[str]:
    """A field's lines: flat where they fit, a block where they do not."""
    space = " " * indent
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        item_hint = _inner(hint)
        lines = [f"{space}{field}:"]
        for item in value:
            lines.extend(_item(item, indent + 2, item_hint, currency))
        return lines
    flat = f"{space}{text_scalar(field)}: {_flat(value, field, hint, currency)}"
    if len(flat) <= WIDTH or not isinstance(value, Mapping):
        return [flat]
    lines = [f"{space}{field}:"]
    for key, inner in _ordered(hint, value):
        lines.extend(_field(key, inner, indent + 2, _hint(hint, key), currency))
    return lines


def _item(item: Mapping[str, Any], indent: int, hint: Any, currency: str | None) -> list[str]:
    flat = f"{' ' * indent}- {_flat(item, '', hint, currency)}"
    if len(flat) <= WIDTH:
        return [flat]
    lines: list[str] = []
    for key, value in _ordered(hint, item):
        lines.extend(_field(key, value, indent + 2, _hint(hint, key), currency))
    lines[0] = f"{' ' * indent}- {lines[0].lstrip()}"
    return lines


def _flat(value: Any, field: str, hint: Any, currency: str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return number_text(value, currency if field in _MONEY else None)
    if isinstance(value, (int, date)):
        return str(value)
    if isinstance(value, str):
        return text_scalar(value)
    if isinstance(value, Mapping):
        pairs = (
            f"{text_scalar(key)}: {_flat(inner, key, _hint(hint, key), currency)}"
            for key, inner in _ordered(hint, value)
        )
        return "{" + ", ".join(pairs) + "}"
    return "[" + ", ".join(_flat(item, field, _inner(hint), currency) for item in value) + "]"


def number_text(value: Decimal, currency: str | None) -> str:
    """`2000` → `2000.00` in USD; what has more decimals, and what is no money, is written as it is."""
    if currency is None or not fits(value, currency):
        return decimal_text(value)
    return f"{round_amount(value, currency):f}"


def _ordered(hint: Any, content: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields in the order their type gives them; keys of a free mapping by name."""
    known = _order(hint) if is_typeddict(hint) else {}
    return sorted(content.items(), key=lambda pair: (known.get(pair[0], len(known)), pair[0]))


@lru_cache(maxsize=64)
def _order(hint: Any) -> dict[str, int]:
    return {name: at for at, name in enumerate(hint.__annotations__)}


@lru_cache(maxsize=512)
def _hint(owner: Any, field: str) -> Any:
    """The bare type of a field: without Required, Annotated and None."""
    return _bare(_hints(owner).get(field, Any)) if is_typeddict(owner) else Any


@lru_cache(maxsize=64)
def _hints(owner: Any) -> dict[str, Any]:
    return get_type_hints(owner)


def _bare(hint: Any) -> Any:
    while get_origin(hint) is Required:
        hint = get_args(hint)[0]
    parts = [part for part in get_args(hint) if part is not type(None)]
    return parts[0] if type(None) in get_args(hint) else hint


@lru_cache(maxsize=64)
def _inner(hint: Any) -> Any:
    """The bare type of a list's items."""
    return _bare(get_args(hint)[0]) if get_origin(hint) is list else Any

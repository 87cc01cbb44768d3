"""JSON with exact numbers: a Decimal is written as a number's text, a fraction is read as a Decimal.

Not here: which fields are numbers and which are texts; that is each vendor's affair.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import decimal_text

DEEPEST = 40


class NotJson(ValueError):
    """A body that is no JSON, has a key twice, a NaN, half a character, or is nested absurdly deep."""


_MARK = secrets.token_hex(8)
_MARKED = re.compile(rf'"{_MARK}(-?[0-9.]+)"')


def write(value: object) -> bytes:
    """JSON text; Decimals become numbers with every digit they have. Raises TypeError for anything unknown."""
    # The encoder cannot write a number's text: it writes a marked string, whose quotes are taken off.
    _refuse_floats(value)
    return _MARKED.sub(r"\1", _encode(value)).encode()


def _default(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{_number(value)}"
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _refuse_floats(value: object) -> None:
    """A binary fraction among what is written is a mistake of ours."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif isinstance(item, float):
            raise TypeError(f"{item} is a binary fraction; write a Decimal")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_default).encode


def _number(value: Decimal) -> str:
    """12.30 stays 12.30; never an exponent, which some readers take for a binary fraction."""
    return format(value, "f") if value.is_finite() else decimal_text(value)


def kept(text: str) -> Any:
    """The inverse of `write` for a text that `write` made: without the checks that strangers' texts need."""
    return _read_kept(text)


_read_kept = json.JSONDecoder(parse_float=Decimal).decode


def read(text: bytes | str) -> Any:
    """A JSON value; fractions are Decimals, whole numbers ints. Raises NotJson."""
    try:
        value = json.loads(
            text.decode("utf-8-sig") if isinstance(text, bytes) else text,
            parse_float=Decimal,
            parse_constant=_refuse,
            object_pairs_hook=_once,
        )
    except NotJson:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or "nested too deeply") from None
    _check_depth(value, 0)
    return value


def _refuse(text: str) -> Any:
    raise NotJson(f"{text} is not a JSON number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotJson("a key stands twice in one object")
    return made


def _check_depth(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise NotJson("nested too deeply")
    if isinstance(value, str) and not value.isascii():
        _check_whole(value)
    if isinstance(value, dict):
        for key in value:
            _check_whole(key)
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        _check_depth(item, depth + 1)


def _check_whole(text: str) -> None:
    """Refuses half of a surrogate pair, which no file and no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotJson("a text has half a character in it") from None

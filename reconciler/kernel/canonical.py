"""Canonical JSON and digests: one text per value, so that equal values have equal digests.

Keys sorted, no white space, UTF-8, Decimals as strings without exponent or trailing zeros, dates as
ISO text. Floats are refused: none may come near an amount.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.kernel.money import decimal_text


def _default(value: object) -> object:
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


class _Encoder(json.JSONEncoder):
    def default(self, o: object) -> object:
        return _default(o)


def _refuse_float(text: str) -> Any:
    raise ValueError(f"a JSON number with a fraction or exponent ({text[:40]}); amounts are written as strings")


_decode = json.JSONDecoder(parse_float=_refuse_float, parse_constant=_refuse_float).decode
_encode = _Encoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical_json(value: object) -> str:
    """The canonical text of a JSON-like value (Decimal, date and datetime allowed). Raises TypeError."""
    return _encode(value)


def parse_canonical(text: str | bytes) -> Any:
    """Parse JSON written by `canonical_json`; refuses floats. Raises ValueError."""
    return _decode(text if isinstance(text, str) else text.decode("utf-8"))


def digest_text(text: str | bytes) -> str:
    """SHA-256 of a text, as 64 hex digits."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def digest(value: object) -> str:
    """SHA-256 of a value's canonical JSON, as 64 hex digits."""
    return digest_text(canonical_json(value))

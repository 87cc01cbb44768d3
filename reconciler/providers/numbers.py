"""JSON with exact numbers: a Decimal goes out as the number its digits say, never through a float. Pure.

For APIs whose amounts are JSON numbers. Reading is `providers.http.json_body`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import decimal_text


def exact_json(value: Any) -> bytes:
    """JSON of mappings, lists, texts, booleans, None, ints and finite Decimals. Raises TypeError for the rest."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode()


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} is no number of JSON")
        parts.append(decimal_text(value))
    elif value is None or isinstance(value, (bool, int, str)):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, Mapping):
        parts.append("{")
        for at, (key, item) in enumerate(value.items()):
            parts.append(("," if at else "") + json.dumps(str(key), ensure_ascii=False) + ":")
            _write(item, parts)
        parts.append("}")
    elif isinstance(value, (list, tuple)):
        parts.append("[")
        for at, item in enumerate(value):
            if at:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        raise TypeError(f"{type(value).__name__} has no exact form in JSON")

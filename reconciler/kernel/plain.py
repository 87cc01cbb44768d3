"""Text made safe to print: no control, escape or bidirectional characters reach a terminal or a log."""

from __future__ import annotations

import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, limit: int = 0) -> str:
    """`text` with unsafe characters shown as `\\uXXXX`; cut to `limit` characters when given."""
    safe = _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return safe if not limit or len(safe) <= limit else safe[: limit - 1] + "…"

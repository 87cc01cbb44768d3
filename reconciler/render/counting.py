"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 step`, `2 steps`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"

"""The hash chain over the history: each link's hash covers the one before it and the entry's canonical text.

Links are made here and verified here; storing them is the store's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text, parse_canonical
from reconciler.state.model import HistoryRow
from reconciler.state.protocol import Store
from reconciler.state.rows import write_data


def link(serial: int, previous: str, entry: Mapping[str, Any]) -> HistoryRow:
    """The row that chains `entry` to the row whose hash is `previous` ('' for the first)."""
    text = write_data(entry)
    return HistoryRow(serial, text, digest_text(previous + text))


def verify_history(store: Store) -> list[str]:
    """What is wrong with the chain, in order; empty when every link holds and the head is the last one."""
    problems: list[str] = []
    serial, previous = 0, ""
    meta = store.meta()
    for row in store.history():
        if row.serial > meta.serial:
            problems.append(f"entry {row.serial} comes after the head, which is entry {meta.serial}")
            break
        if row.serial != serial + 1:
            problems.append(f"{_missing(serial + 1, row.serial - 1)} missing")
        if row.hash != digest_text(previous + row.entry):
            problems.append(f"entry {row.serial} does not match its hash, or the entry before it was changed")
        elif problem := _entry_problem(row.entry):
            problems.append(f"entry {row.serial} {problem}")
        serial, previous = row.serial, row.hash
    if serial < meta.serial:
        problems.append(f"{_missing(serial + 1, meta.serial)} missing")
    elif previous != meta.head and not problems:
        problems.append(f"the head is not the hash of the last entry, {serial}")
    return problems


def _missing(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"


def _entry_problem(text: str) -> str:
    try:
        entry = parse_canonical(text)
    except (ValueError, RecursionError):
        return "is not JSON"
    if not isinstance(entry, dict) or canonical_json(entry) != text:
        return "is not a canonical JSON object"
    return ""

"""Malformed states, as data: each file of tests/cases/bad_state says what is wrong and what is said of it.

A case: `why` it matters, `spoil` (steps that turn a good state into a bad one), `then` (what is tried) and
`expect` (every line of the message; `<state>` and `<folder>` stand for paths), or `problems` for `verify`.
Steps: `sql`, `write` (bytes instead of the state, as text), `cut` (keep so many bytes), `zero` (a range),
`folder`, `fifo`, `link` (to a path), `under_a_file`.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import StateError
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample
from reconciler.workflows.stating import export, history_entries

CASES = Path(__file__).parents[2] / "cases" / "bad_state"
PROJECT = "project-1"


def load(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return case


def good_state(place: Path) -> None:
    """A state with a row in every table."""
    store = open_store(place, PROJECT, ManualClock()).store
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    writes: list[model.Write] = [
        *(model.PutBinding(sample.binding(number)) for number in range(1, 400)),
        model.PutDocument(sample.document(1, body='{"a":"1"}')),
        model.PutAllocation(sample.allocation(1, 2)),
        model.OpenIntent(sample.intent(1)),
        model.RecordStage("key-1", "created", {"id": "7"}),
        model.CloseIntent("key-1", model.IntentStatus.REJECTED, raise_attempt=True),
        model.OpenIntent(sample.intent(2)),
        model.PutGroup(sample.group(1)),
        model.PutRun(sample.run(1)),
        *(model.AppendHistory({"n": number}) for number in range(2, 6)),
    ]
    store.commit(writes, fence=lease.fence)
    lease.release()
    store.close()


def spoil(place: Path, step: dict[str, Any]) -> Path:
    """Carry out one step; the path to open from now on."""
    ((what, how),) = step.items()
    if what == "sql":
        with closing(sqlite3.connect(place)) as connection:
            connection.executescript(how)
            connection.commit()
        return place
    content = place.read_bytes()
    place.unlink()
    if what == "write":
        place.write_bytes(how.encode())
    elif what == "cut":
        place.write_bytes(content[:how])
    elif what == "zero":
        start, end = how
        place.write_bytes(content[:start] + bytes(end - start) + content[end:])
    elif what == "folder":
        place.mkdir()
    elif what == "fifo":
        os.mkfifo(place)
    elif what == "link":
        place.symlink_to(place.parent / how)
    elif what == "under_a_file":
        place.write_bytes(content)
        return place / how
    else:
        raise AssertionError(f"no such step: {what}")
    return place


TRIES: dict[str, Callable[[Store], object]] = {
    "open": lambda store: None,
    "view": lambda store: store.view(),
    "bodies": lambda store: store.document_bodies(["doc-1"]),
    "intent": lambda store: store.intent("key-1"),
    "stages": lambda store: store.stages("key-1"),
    "attempt": lambda store: store.attempt("doc-1", "create"),
    "runs": lambda store: store.runs(),
    "history": history_entries,
    "export": export,
    "lock": lambda store: store.lock_info(),
    "acquire": lambda store: store.acquire(holder="x", command="y", term_seconds=1),
    "verify": verify_history,
}


def attempt(case: dict[str, Any], folder: Path) -> list[str]:
    """What is said, line by line, with paths replaced."""
    place = folder / "acme.sqlite"
    good_state(place)
    for step in case["spoil"]:
        place = spoil(place, step)
    try:
        store = open_store(place, PROJECT, ManualClock()).store
        try:
            found = TRIES[case["then"]](store)
        finally:
            store.close()
        lines = found if case["then"] == "verify" and isinstance(found, list) else ["nothing"]
    except StateError as error:
        lines = str(error).splitlines()
    return [line.replace(str(place), "<state>").replace(str(folder), "<folder>") for line in lines]


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.json")))
def test_what_is_said_of_a_malformed_state(name: str, tmp_path: Path) -> None:
    case = load(name)
    assert attempt(case, tmp_path) == case["expect"]


def test_there_are_cases() -> None:
    assert len(list(CASES.glob("*.json"))) >= 30

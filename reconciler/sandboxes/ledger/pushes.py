"""Commands taken now and carried out later: asynchronous writes, and requests that land late.

They are kept in the file, so that they land whoever asks next, even if the sender is dead.
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.sandboxes.ledger.commands import Command, command_from, command_json
from reconciler.sandboxes.ledger.records import Record
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push stands: `pending`, or done with a `record` or a `refusal`."""

    handle: str
    pending: bool
    record: Record | None = None
    refusal: Refusal | None = None


def add_push(db: sqlite3.Connection, command: Command, due: str, polls: int, handle: str | None = None) -> str:
    """Keep a command until `due` (an instant's text), or until it was polled `polls` times (0: not by polling)."""
    handle = handle or uuid.uuid4().hex
    db.execute(
        "INSERT INTO pushes (handle, due, polls_left, command, status) VALUES (?, ?, ?, ?, 'pending')",
        (handle, due, polls or -1, command_json(command)),
    )
    return handle


def due_pushes(db: sqlite3.Connection, now: str) -> list[tuple[str, Command]]:
    """Pending commands whose time has come, in order."""
    rows = db.execute(
        "SELECT handle, command FROM pushes WHERE status = 'pending' AND (due <= ? OR polls_left = 0)"
        " ORDER BY due, handle",
        (now,),
    ).fetchall()
    return [(handle, command_from(parse_canonical(text))) for handle, text in rows]


def polled(db: sqlite3.Connection, handle: str) -> None:
    """Count one poll of a pending push."""
    db.execute(
        "UPDATE pushes SET polls_left = polls_left - 1 WHERE handle = ? AND status = 'pending' AND polls_left > 0",
        (handle,),
    )


def settle_push(db: sqlite3.Connection, handle: str, answer: Record | Refusal) -> None:
    db.execute(
        "UPDATE pushes SET status = 'done', answer = ? WHERE handle = ?",
        (canonical_json(answer_value(answer)), handle),
    )


def read_push(db: sqlite3.Connection, handle: str) -> Pushed:
    """Refuses an unknown handle."""
    row = db.execute("SELECT status, answer FROM pushes WHERE handle = ?", (handle,)).fetchone()
    if row is None:
        raise Refusal(RefusalCode.NOT_FOUND, "there is no push with this handle")
    if row[0] == "pending":
        return Pushed(handle, True)
    answer = answer_from(parse_canonical(row[1]))
    if isinstance(answer, Refusal):
        return Pushed(handle, False, refusal=answer)
    return Pushed(handle, False, record=answer)


def answer_value(answer: Record | Refusal) -> dict[str, Any]:
    """A command's answer as JSON-like data."""
    if isinstance(answer, Refusal):
        return {"refusal": [answer.code.value, answer.message]}
    return {"record": answer.to_row()}


def answer_from(data: dict[str, Any]) -> Record | Refusal:
    """The inverse."""
    if "refusal" in data:
        code, message = data["refusal"]
        return Refusal(RefusalCode(code), message)
    return Record.from_row(data["record"])

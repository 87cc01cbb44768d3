"""The server's own JSON, for both ends of it: commands, answers, books and selections as JSON-like data."""

from __future__ import annotations

from datetime import date
from typing import Any

from reconciler.sandboxes.ledger.engine import Books
from reconciler.sandboxes.ledger.pushes import Pushed, answer_from, answer_value
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.ledger.settings import BooksSettings

PID_HEADER = "X-Client-Pid"
TOKEN_VARIABLE = "RECONCILER_LEDGER_TOKEN"  # noqa: S105  (a variable's name)
LARGEST_BODY = 256 * 1024 * 1024


def books_value(books: Books) -> dict[str, Any]:
    return {
        "company_id": books.company_id,
        "settings": books.settings.to_json(),
        "closed_through": books.closed_through,
        "last_dates": [list(pair) for pair in books.last_dates],
    }


def books_from(data: dict[str, Any]) -> Books:
    closed = data["closed_through"]
    return Books(
        data["company_id"],
        BooksSettings.from_json(data["settings"]),
        date.fromisoformat(closed) if closed else None,
        tuple((kind, date.fromisoformat(day)) for kind, day in data["last_dates"]),
    )


def selection_value(selection: Selection) -> dict[str, Any]:
    return {
        "kinds": list(selection.kinds),
        "ids": list(selection.ids),
        "references": list(selection.references),
        "open_only": selection.open_only,
    }


def selection_from(data: dict[str, Any]) -> Selection:
    return Selection(tuple(data["kinds"]), tuple(data["ids"]), tuple(data["references"]), bool(data["open_only"]))


def pushed_value(pushed: Pushed) -> dict[str, Any]:
    answer = pushed.record or pushed.refusal
    return {
        "handle": pushed.handle,
        "pending": pushed.pending,
        "answer": answer_value(answer) if answer is not None else None,
    }


def pushed_from(data: dict[str, Any]) -> Pushed:
    answer: Record | Refusal | None = answer_from(data["answer"]) if data["answer"] else None
    if isinstance(answer, Refusal):
        return Pushed(data["handle"], data["pending"], refusal=answer)
    return Pushed(data["handle"], data["pending"], record=answer)

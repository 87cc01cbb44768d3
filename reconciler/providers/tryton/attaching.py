"""Files of the project, attached to Tryton's records (`ir.attachment`) with the path they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.providers.errors import Rejected
from reconciler.providers.tryton.books import Books

LARGEST = 25 * 1024 * 1024


def attach(books: Books, model: str, id_: int, files: Iterable[Mapping[str, Any]]) -> None:
    """Attach what is not attached yet, by name. Raises Rejected for a file that is not there or too large."""
    wanted = {str(item["name"]): str(item["path"]) for item in files}
    if not wanted:
        return
    resource = f"{model},{id_}"
    there = {row["name"] for row in books.tryton.rows("ir.attachment", [["resource", "=", resource]], ["name"])}
    values = [
        {"name": name, "type": "data", "data": _content(books, path), "description": path, "resource": resource}
        for name, path in wanted.items()
        if name not in there
    ]
    if values:
        books.tryton.create("ir.attachment", *values)


def detach(books: Books, model: str, id_: int, names: Iterable[str]) -> None:
    """Take files off a record, by name."""
    domain = [["resource", "=", f"{model},{id_}"], ["name", "in", sorted(set(names))]]
    rows = books.tryton.rows("ir.attachment", domain, ["name"])
    if rows:
        books.tryton.write("ir.attachment", "delete", [row["id"] for row in rows])


def set_attachments(books: Books, model: str, id_: int, before: Any, after: Any) -> None:
    """From one list of files to another: what is no longer listed goes, what is new comes."""
    kept = {item["name"] for item in after or ()}
    gone = [item["name"] for item in before or () if item["name"] not in kept]
    if gone:
        detach(books, model, id_, gone)
    attach(books, model, id_, after or ())


def _content(books: Books, path: str) -> bytes:
    place = (books.root / path).resolve()
    if not place.is_relative_to(books.root.resolve()):
        raise Rejected(f"the attachment {path!r} is outside of the project", code="attachment")
    try:
        if place.stat().st_size > LARGEST:
            raise Rejected(f"the attachment {path!r} has more than 25 MB", code="attachment")
        return place.read_bytes()
    except OSError as error:
        raise Rejected(f"the attachment {path!r} cannot be read: {error.strerror}", code="attachment") from error

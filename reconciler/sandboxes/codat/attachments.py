"""Attachments of invoices and customers: uploaded by a push, read live, without a refresh."""

from __future__ import annotations

import base64
from typing import Any

from reconciler.kernel.clock import instant_text
from reconciler.sandboxes.codat.words import Invalid, Problem, PushRefused
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.uploads import NotAForm, Part, parts

_KINDS = {"invoices": "invoice", "customers": "customer"}
_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "txt": "text/plain",
    "csv": "text/csv",
    "xml": "application/xml",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _bucket(data_type: str, record: str) -> str:
    return f"attachments:{data_type}:{record}"


def uploaded(call: Call, largest_kb: int) -> Part:
    """The file of an upload. Raises Problem."""
    try:
        files = [part for part in parts(call) if part.file_name]
    except NotAForm as error:
        raise Problem(400, f"The request is not a valid file upload: {error}.") from None
    if len(files) != 1:
        raise Problem(400, "One file must be provided.")
    [file] = files
    extension = str(file.file_name).rpartition(".")[2].lower()
    if extension not in _TYPES:
        raise Problem(400, f"Attachments of type .{extension[:10]} are not supported. Use: {', '.join(_TYPES)}.")
    if not file.content:
        raise Problem(400, "The file is empty.")
    if len(file.content) > largest_kb * 1024:
        raise Problem(400, f"The file is larger than {largest_kb} KB.")
    return file


def kept_file(file: Part) -> dict[str, Any]:
    """A file as the body of a push that is carried out later."""
    return {"name": file.file_name, "content": base64.b64encode(file.content).decode()}


class Attachments:
    """The attachments of one set of books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def land(self, data_type: str, record: str, body: dict[str, Any]) -> str:
        """Keep an uploaded file; its attachment's id. Raises PushRefused when there is no such record."""
        if not self.has(data_type, record):
            model = _KINDS[data_type].title()
            raise PushRefused([Invalid("id", f"No {model} with the ID {record} exists.", model)])
        content = base64.b64decode(body["content"])
        own = f"att-{self._books.shelf.next('attachments')}"
        self._books.shelf.put_file("attachments", own, content)
        self._books.shelf.put(
            _bucket(data_type, record),
            own,
            {
                "id": own,
                "name": body["name"],
                "contentType": _TYPES[body["name"].rpartition(".")[2].lower()],
                "dateCreated": instant_text(self._books.clock.now())[:19],
                "fileSize": len(content),
                "includeWhenSent": False,
            },
        )
        return own

    def has(self, data_type: str, record: str) -> bool:
        """Whether the accounting software has this record."""
        if not record.startswith({"invoices": "inv-", "customers": "cus-"}[data_type]):
            return False
        return self._books.ledger.record(_KINDS[data_type], record) is not None

    def all(self, data_type: str, record: str) -> list[dict[str, Any]]:
        """Raises Problem when there is no such record."""
        if not self.has(data_type, record):
            raise Problem(404, f"No data available for {data_type} for ID {record}")
        return list(self._books.shelf.all(_bucket(data_type, record)).values())

    def one(self, data_type: str, record: str, own: str) -> dict[str, Any]:
        """Raises Problem when there is none."""
        for attachment in self.all(data_type, record):
            if attachment["id"] == own:
                return attachment
        raise Problem(404, f"No attachment with the ID {own} on {data_type} {record}")

    def content(self, own: str) -> bytes:
        return self._books.shelf.file("attachments", own) or b""

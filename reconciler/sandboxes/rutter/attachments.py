"""Attachments of invoices: a multipart form with `file` and `file_name`, PDF or image; read live, never stale."""

from __future__ import annotations

import base64
import uuid
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from reconciler.sandboxes.rutter.booking import Write
from reconciler.sandboxes.rutter.words import MODES_TEXT, Problem, instant_of
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.uploads import NotAForm, parts

BUCKET = "rutter-attachments"
_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}


def uploaded(call: Call, largest_kb: int) -> tuple[dict[str, Any], str]:
    """The file of a request as the body of its write, and the response mode. Raises Problem."""
    try:
        found = {part.name: part for part in parts(call)}
    except NotAForm as error:
        raise Problem(400, f"Invalid request body: expected multipart/form-data ({error})") from None
    if missing := [name for name in ("file", "file_name") if name not in found]:
        raise Problem(400, f"Invalid request body: {missing[0]}: Required")
    if strange := sorted(set(found) - {"file", "file_name", "response_mode"}):
        raise Problem(400, f"Invalid request body: Unrecognized key(s): {', '.join(strange)}")
    file, name = found["file"], _text(found["file_name"].content)
    if file.file_name is None:
        raise Problem(400, "Invalid request body: file: it is a field of the form, not a file")
    kind = _kind(file.content_type, name, file.file_name)
    if not file.content or not name:
        raise Problem(400, "Invalid request body: the file and its name must not be empty")
    if len(file.content) > largest_kb * 1024:
        raise Problem(400, f"Invalid request body: the file is larger than {largest_kb} KB")
    mode = _text(found["response_mode"].content) if "response_mode" in found else "prefer_sync"
    if mode not in ("prefer_sync", "async"):
        raise Problem(400, MODES_TEXT)
    content = base64.b64encode(file.content).decode()
    host = call.headers.get("host", "127.0.0.1")
    return {"file_name": name, "content_type": kind, "content": content, "host": host}, mode


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Problem(400, "Invalid request body: a field is not UTF-8") from None


def _kind(stated: str, *names: str) -> str:
    """The content type, when it is one that is taken. Raises Problem."""
    stated = stated.partition(";")[0].strip().lower()
    if stated == "application/pdf" or stated.startswith("image/"):
        return stated
    suffixes = [PurePath(name).suffix.lower() for name in names]
    found = next((_TYPES[suffix] for suffix in suffixes if suffix in _TYPES), None)
    if found is None or stated not in ("", "application/octet-stream"):
        raise Problem(400, "Invalid request body: file: only PDF and image files can be attached")
    return found


def canonical_form(call: Call) -> bytes:
    """What a form says without its boundary, which differs at each sending of the same file."""
    try:
        return b"\n".join(
            b" ".join([part.name.encode(), (part.file_name or "").encode(), base64.b64encode(part.content)])
            for part in parts(call)
        )
    except NotAForm:
        return call.body


def keep_attachment(write: Write) -> dict[str, Any]:
    """Keep an uploaded file on the invoice that the path names."""
    record = write.record("invoice")
    books, body = write.erp.books, write.body
    own = str(uuid.uuid5(uuid.NAMESPACE_URL, f"attachment:{write.key}"))
    kept: dict[str, Any] | None = books.shelf.get(BUCKET, own)
    if kept is None:
        books.shelf.put_file(BUCKET, own, base64.b64decode(body["content"]))
        name = quote(body["file_name"], safe="")
        kept = {
            "id": own,
            "platform_id": str(9_000_000 + books.shelf.next("attachments")),
            "attached_to_id": write.erp.identity("invoices", record.id),
            "file_name": body["file_name"],
            "file_url": f"http://{body['host']}/files/{own}-{name}",
            "attached_to_type": "INVOICE",
            "created_at": instant_of(books.clock.now()),
            "content_type": body["content_type"],
        }
        books.shelf.put(BUCKET, own, kept)
    return {"attachment": _public(kept)}


def _public(kept: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kept.items() if key != "content_type"}


def attachments_of(books: Books, invoice: str | None) -> list[dict[str, Any]]:
    """The attachments of one invoice (Rutter's id), or of all."""
    kept = books.shelf.all(BUCKET).values()
    return [_public(one) for one in kept if invoice is None or one["attached_to_id"] == invoice]


def attachment(books: Books, own: str) -> dict[str, Any] | None:
    kept = books.shelf.get(BUCKET, own)
    return _public(kept) if kept else None


def content_of(books: Books, own: str) -> tuple[bytes, str] | None:
    """An attachment's bytes and content type."""
    kept, content = books.shelf.get(BUCKET, own), books.shelf.file(BUCKET, own)
    return (content, kept["content_type"]) if kept and content is not None else None

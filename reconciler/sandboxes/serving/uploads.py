"""Files sent as `multipart/form-data`."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from reconciler.sandboxes.serving.messages import Call


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form. `file_name` is None for a plain field."""

    name: str
    content: bytes
    file_name: str | None = None
    content_type: str = ""


class NotAForm(ValueError):
    """The body is no multipart form."""


def parts(call: Call) -> list[Part]:
    """The parts of a request's form, in order. Raises NotAForm."""
    import python_multipart as multipart
    from python_multipart.exceptions import FormParserError

    kind = call.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise NotAForm("the content type is not multipart/form-data")
    found: list[Part] = []

    def on_field(field: multipart.multipart.Field) -> None:
        found.append(Part((field.field_name or b"").decode(), field.value or b""))

    def on_file(file: multipart.multipart.File) -> None:
        file.file_object.seek(0)
        name = (file.file_name or b"").decode()
        found.append(
            Part((file.field_name or b"").decode(), file.file_object.read(), name, file.content_type or "")
        )
        file.close()

    headers = {"Content-Type": kind.encode(), "Content-Length": str(len(call.body)).encode()}
    try:
        multipart.parse_form(headers, BytesIO(call.body), on_field, on_file)
    except (FormParserError, ValueError) as error:
        raise NotAForm(str(error)) from None
    return found

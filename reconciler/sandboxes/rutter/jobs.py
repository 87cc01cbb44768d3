"""Jobs: every accepted write has one, with the request it came from and, once it is done, the answer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from reconciler.sandboxes.rutter.words import PREFIX
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.exact import NotJson
from reconciler.sandboxes.serving.messages import Call, Reply

BUCKET = "rutter-jobs"


class Jobs:
    """The jobs of one set of books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def keep(self, own: str, call: Call, *, status: int | None = None, body: Any = None) -> None:
        """A job of a request: done with an answer, or still to be carried out."""
        request: dict[str, Any] = {"method": call.method, "url": f"{PREFIX}{call.path}"}
        with suppress(NotJson):  # a form's files are not repeated
            request["body"] = call.json()
        if key := call.headers.get("idempotency-key"):
            request["idempotency_key"] = key
        self._books.shelf.put(BUCKET, own, {"id": own, "status": "pending", "request": request})
        if status is not None:
            self.finish(own, status, body)

    def finish(self, own: str, status: int, body: Any) -> None:
        """The answer of a job."""
        kept = self._books.shelf.get(BUCKET, own)
        if kept is not None:
            done = {"status": "success" if status < 400 else "failure"}
            self._books.shelf.put(BUCKET, own, {**kept, **done, "response": {"http_status": status, "body": body}})

    def overwrite(self, own: str, reply: Reply) -> None:
        """An answer that a fault took the place of: the job has it too."""
        self.finish(own, reply.status, reply.json())

    def show(self, own: str) -> dict[str, Any] | None:
        """The job as the API shows it; asking counts as a poll."""
        kept: dict[str, Any] | None = self._books.shelf.get(BUCKET, own)
        if kept is not None and "response" not in kept:
            self._books.later.polled(own)
        return kept


def async_response(own: str, call: Call) -> dict[str, Any]:
    """What is answered when a write is not done yet."""
    host = call.headers.get("host", "127.0.0.1")
    url = f"http://{host}{PREFIX}/jobs/{own}"
    return {"async_response": {"id": own, "response_url": url, "status": "prequeued"}}

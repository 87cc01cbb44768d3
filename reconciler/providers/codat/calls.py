"""Codat's ways of being called: reads, whole listings, pushes and what became of them. Thread-safe.

Source: Codat's Accounting and Platform OpenAPI documents. Times in answers are ISO 8601, with or without an offset.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.providers.codat.settings import CodatSettings
from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http import Answer, HttpConnection, answer_error, classed, json_body
from reconciler.providers.numbers import exact_json

Row = Mapping[str, Any]
Query = Mapping[str, str | int]

_DRIFTS = 3
_MOST_PAGES = 2_000


class NotSynced(Exception):
    """409 on a read: the dataset was never requested, or its first sync has not ended."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the rate headers said last: calls left of the day's, and until when."""

    left: int
    until: str


class Codat:
    """One company and one connection of it."""

    def __init__(
        self, http: HttpConnection, settings: CodatSettings, company: str, connection: str, clock: Clock
    ) -> None:
        self.http = http
        self.settings = settings
        self.clock = clock
        self.company = company
        self.connection = connection
        self._company = f"/companies/{company}"
        self._connection = f"{self._company}/connections/{connection}"
        self._lock = threading.Lock()
        self._quota: Quota | None = None

    @property
    def quota(self) -> Quota | None:
        with self._lock:
            return self._quota

    @property
    def first_pause(self) -> float:
        """Seconds before the first poll of anything."""
        return int(self.settings.poll_seconds * 1000) / 1000

    # ---- reading ----

    def get(self, path: str, query: Query | None = None, *, of_connection: bool = False) -> Any:
        """JSON below the company, or below the connection. Raises NotSynced, or a ProviderError."""
        base = self._connection if of_connection else self._company
        with classed(writes=False):
            answer = self.http.send("GET", f"{base}/{path}", query=_texts(query), read=True, label=path)
            self._count(answer)
            if answer.status == 409:
                raise NotSynced(path)
            if not answer.ok:
                raise answer_error(answer, writes=False, words=words_of(answer))
            return json_body(answer)

    def listing(self, path: str, query: str = "", *, of_connection: bool = False) -> list[Row]:
        """Every record of a listing, each once. Raises Unavailable when records keep moving between pages."""
        for _ in range(_DRIFTS):
            found, total = self._pages(path, query, of_connection)
            rows = {str(row.get("id")): row for row in found}
            if len(rows) == len(found) == total:
                return list(rows.values())
        raise Unavailable(f"the records of {path} move between pages while they are read")

    def _pages(self, path: str, query: str, of_connection: bool) -> tuple[list[Row], int]:
        found: list[Row] = []
        size = self.settings.page_size
        for page in range(1, _MOST_PAGES):
            asked: dict[str, str | int] = {"page": page, "pageSize": size}
            if query:
                asked["query"] = query
            data = self.get(path, asked, of_connection=of_connection)
            if not isinstance(data, Mapping) or not isinstance(data.get("results"), list):
                raise Unavailable(f"the listing {path} has no results in it")
            found += [row for row in data["results"] if isinstance(row, Mapping)]
            total = data.get("totalResults")
            following = (data.get("_links") or {}).get("next")
            if not following or not data["results"]:
                return found, total if isinstance(total, int) else len(found)
        raise Unavailable(f"the listing {path} does not end")

    def file(self, path: str) -> Answer:
        """A file below the company. Raises NotSynced, or a ProviderError."""
        with classed(writes=False):
            answer = self.http.send("GET", f"{self._company}/{path}", read=True, label=path)
            self._count(answer)
            if answer.status == 409:
                raise NotSynced(path)
            if not answer.ok:
                raise answer_error(answer, writes=False, words=words_of(answer))
            return answer

    # ---- what changes something ----

    def queue(self, data_type: str) -> str | None:
        """Ask for a refresh; the id of the pull, None where one is running already. Raises ProviderError.

        Repeating it is harmless, so it is sent as a read: after a lost answer, the second is told that one runs.
        """
        query = {"connectionId": self.connection}
        with classed(writes=False):
            answer = self.http.send(
                "POST", f"{self._company}/data/queue/{data_type}", query=query, read=True, label="queue"
            )
            self._count(answer)
            if answer.status in (400, 409) and "already" in words_of(answer).lower() + answer.text().lower():
                return None
            if not answer.ok:
                raise answer_error(answer, writes=False, words=words_of(answer))
            data = json_body(answer)
            return str(data.get("id") or "") if isinstance(data, Mapping) else ""

    def push(self, method: str, path: str, body: Any = None, *, key: str, query: Query | None = None) -> str:
        """Send a push once; the key of its operation. Raises ProviderError, classed by what is known.

        `key`: the request's own. The header lives for 90 minutes, and only on a POST.
        """
        headers = {"Idempotency-Key": idempotency_key(key)} if method == "POST" else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = None if body is None else exact_json(body)
        if method in ("POST", "PUT") and self.settings.push_timeout_minutes is not None:
            query = {**(query or {}), "timeoutInMinutes": self.settings.push_timeout_minutes}
        return self._pushed(method, path, content, headers, query)

    def upload(self, path: str, name: str, content: bytes, *, key: str) -> str:
        """Send a file as a push once: multipart, the part `file`."""
        boundary = hashlib.sha256(content + key.encode()).hexdigest()
        quoted = "".join(letter if letter.isprintable() and letter not in '"\\' else "_" for letter in name)
        lines = [
            f"--{boundary}",
            f'Content-Disposition: form-data; name="file"; filename="{quoted}"',
            f"Content-Type: {media_type(name)}",
            "",
            "",
        ]
        body = "\r\n".join(lines).encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Idempotency-Key": idempotency_key(key),
        }
        return self._pushed("POST", path, body, headers, None)

    def _pushed(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], query: Query | None
    ) -> str:
        with classed(writes=True):
            answer = self.http.send(
                method,
                f"{self._connection}/push/{path}",
                query=_texts(query),
                headers=headers,
                body=body,
                read=False,
                label=f"push {path.partition('/')[0]}",
            )
            self._count(answer)
            if answer.status == 409:
                raise Indeterminate(f"the same request is under way: {words_of(answer)}", code="409")
            if not answer.ok:
                raise answer_error(answer, writes=True, words=words_of(answer))
            data = json_body(answer) if answer.body.strip() else {}
        key = data.get("pushOperationKey") if isinstance(data, Mapping) else None
        if not key:
            raise Indeterminate("Codat took the push and named no operation")
        return str(key)

    def operation(self, handle: str) -> Row:
        """A push as it stands. Raises ProviderError: a push that is not to be seen may still be one."""
        try:
            data = self.get(f"push/{handle}")
        except NotSynced as error:
            raise Unavailable("Codat does not say how the push stands") from error
        except Rejected as error:
            raise Indeterminate(f"Codat does not know the push: {error.message}", code=error.code) from error
        if not isinstance(data, Mapping) or not data.get("status"):
            raise Unavailable("Codat does not say how the push stands")
        return data

    def unfinished(self) -> list[Row]:
        """Pushes of this connection that are pending, or that timed out and may yet land."""
        rows = self._pages("push", "status=Pending||status=TimedOut", of_connection=False)[0]
        return [
            row
            for row in rows
            if row.get("status") in ("Pending", "TimedOut")
            and str(row.get("dataConnectionKey", self.connection)) == self.connection
        ]

    def _count(self, answer: Answer) -> None:
        left, until = answer.headers.get("x-rate-limit-remaining", ""), answer.headers.get("x-rate-limit-reset", "")
        if left.isascii() and left.isdigit():
            with self._lock:
                self._quota = Quota(int(left), until[:40])


def basic(settings: CodatSettings, api_key: str) -> str:
    """The header's value: Codat's key alone is encoded, without a user or a colon."""
    if settings.api_key_encoded:
        return api_key if api_key.lower().startswith("basic ") else f"Basic {api_key}"
    return f"Basic {base64.b64encode(api_key.encode()).decode('ascii')}"


def idempotency_key(key: str) -> str:
    """A GUID that the request key determines; the attempt is part of that, so a replayed failure ends with it."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"codat {key}".encode()).digest()[:16], version=4))


def words_of(answer: Answer) -> str:
    """The error in Codat's own words: its text, and each finding of the validation."""
    try:
        with classed(writes=False):
            data = json_body(answer)
    except ProviderError:
        return ""
    if not isinstance(data, Mapping):
        return ""
    return "; ".join([str(data.get("error") or ""), *findings(data)]).strip("; ")


def findings(data: Row) -> list[str]:
    """`field: message` for each error of a validation."""
    validation = data.get("validation")
    errors = validation.get("errors") if isinstance(validation, Mapping) else None
    found = []
    for item in errors or ():
        if isinstance(item, Mapping):
            place = f"{item['itemId']}: " if item.get("itemId") else ""
            found.append(f"{place}{item.get('message') or ''}")
    return found


_MEDIA = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "txt": "text/plain",
}


def media_type(name: str) -> str:
    return _MEDIA.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def _texts(query: Query | None) -> dict[str, str] | None:
    return {key: str(value) for key, value in query.items()} if query else None

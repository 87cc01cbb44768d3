"""Rutter's ways of being called: one record, whole listings, writes and their jobs, syncs. Thread-safe.

A write is answered within 30 seconds, or its job is named and goes on. `X-Rutter-Job-ID` says that a write was
accepted: whatever else was answered, its job tells how it ended. Source: Rutter's specification of 2024-08-31.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.providers.errors import Indeterminate, ProviderError, Unavailable
from reconciler.providers.http import Answer, HttpConnection, NotJson, classed, json_body
from reconciler.providers.numbers import exact_json
from reconciler.providers.rutter.answers import GONE, of_job, refusal
from reconciler.providers.rutter.settings import RutterSettings
from reconciler.providers.rutter.wire import Row

VERSION = "2024-08-31"
Query = Mapping[str, str | int]
_MOST_PAGES = 5_000


@dataclass(frozen=True, slots=True)
class Written:
    """What a write was answered: its body, or the job that goes on (`job`, and no body)."""

    body: Row = field(default_factory=dict)
    job: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Every record of a listing by id, and how many pages they came on."""

    rows: Mapping[str, Row]
    pages: int


class Throttled(Unavailable):
    """A rate limit's refusal that the idempotency key will repeat: the next attempt needs another key."""


class Rutter:
    """One connection of an organisation."""

    def __init__(self, http: HttpConnection, settings: RutterSettings, access_token: str, clock: Clock) -> None:
        self.http = http
        self.settings = settings
        self.clock = clock
        self._token = access_token

    # ---- reading ----

    def get(self, path: str, query: Query | None = None) -> Row:
        """A JSON object. Raises ProviderError."""
        found = self._get(path, query)
        if found is None:
            raise Unavailable(f"Rutter has nothing at {path}", code="404")
        return found

    def find(self, path: str, query: Query | None = None) -> Row | None:
        """The same; None where Rutter does not know the id, or the platform has no such thing."""
        return self._get(path, query)

    def _get(self, path: str, query: Query | None) -> Row | None:
        with classed(writes=False):
            answer = self.http.send("GET", f"/{path}", query=self._query(query), read=True, label=_label(path))
            if answer.status in GONE:
                return None
            if not answer.ok:
                raise refusal(answer, writes=False)
            data = json_body(answer)
        if not isinstance(data, Mapping):
            raise Unavailable(f"the answer to {path} is no object")
        return data

    def listing(self, path: str, key: str, query: Query | None = None) -> Listing:
        """Every record, each once; those that move while being read come last. Raises ProviderError.

        A listing of several pages is read again the other way round: what one reading lost, the other has.
        """
        found = self._pages(path, key, {**(query or {}), "sort": "last_synced_at ASC"})
        if found.pages > 1 and self.settings.verify_pages:
            other = self._pages(path, key, {**(query or {}), "sort": "last_synced_at DESC"})
            return Listing({**other.rows, **found.rows}, found.pages + other.pages)
        return found

    def _pages(self, path: str, key: str, query: Query) -> Listing:
        rows: dict[str, Row] = {}
        cursor = ""
        seen: set[str] = set()
        for page in range(1, _MOST_PAGES):
            asked: dict[str, str | int] = {**query, "limit": self.settings.page_limit}
            if cursor:
                asked["cursor"] = cursor
            data = self.find(path, asked)
            if data is None:
                return Listing({}, 1)  # an endpoint that the platform does not have
            if not isinstance(data.get(key), list):
                raise Unavailable(f"the listing {path} has no {key} in it")
            rows.update({str(row.get("id")): row for row in data[key] if isinstance(row, Mapping)})
            cursor = str(data.get("next_cursor") or "")
            if not cursor:
                return Listing(rows, page)
            if cursor in seen:
                raise Unavailable(f"the listing {path} goes round in circles")
            seen.add(cursor)
        raise Unavailable(f"the listing {path} does not end")

    # ---- syncing ----

    def ask_for_sync(self, types: list[str]) -> None:
        """Have Rutter fetch what changed on the platform. Repeating it is harmless, so it is sent as a read."""
        with classed(writes=False):
            answer = self.http.send(
                "POST",
                "/connections/incremental_sync",
                query=self._query(None),
                headers={"Content-Type": "application/json"},
                body=exact_json({"object_types": types}),
                read=True,
                label="incremental_sync",
            )
            if not answer.ok:
                raise refusal(answer, writes=False)

    def status(self) -> Row:
        """How the connection stands. Raises ProviderError."""
        data = self.get("connections/status").get("status")
        return data if isinstance(data, Mapping) else {}

    # ---- writing ----

    def write(self, method: str, path: str, body: Mapping[str, Any], *, key: str) -> Written:
        """Send a write once. Raises ProviderError, classed by what is known.

        `key`: the request's own; the header is for POST and PATCH alone.
        """
        headers = {"Content-Type": "application/json"}
        if method in ("POST", "PATCH"):
            headers["Idempotency-Key"] = idempotency_key(key)
        return self._written(method, path, exact_json({"response_mode": "prefer_sync", **body}), headers)

    def upload(self, path: str, name: str, content: bytes, *, key: str) -> Written:
        """Send a file once: multipart, with the parts `file` and `file_name`."""
        boundary = hashlib.sha256(content + key.encode()).hexdigest()
        quoted = "".join(letter if letter.isprintable() and letter not in '"\\' else "_" for letter in name)
        lines = [
            f"--{boundary}",
            'Content-Disposition: form-data; name="file_name"',
            "",
            quoted,
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
        return self._written("POST", path, body, headers)

    def _written(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Written:
        with classed(writes=True):
            answer = self.http.send(
                method,
                f"/{path}",
                query=self._query(None),
                headers=headers,
                body=body,
                read=False,
                label=_label(path),
            )
            job = answer.headers.get("x-rutter-job-id", "")
            if answer.status >= 500 and job:
                return Written(job=job)
            if not answer.ok:
                raise _refused(refusal(answer, writes=True), accepted=bool(job))
            return _answered(answer, job)

    def job(self, id_: str) -> Row | None:
        """The body of what a job did; None while it goes on. Raises ProviderError.

        Rejected, Stale or a final Indeterminate where it failed; Unavailable where it cannot be told now.
        """
        data = self.find(f"jobs/{id_}")
        if data is None:
            raise Indeterminate(f"Rutter does not know the job {id_}")
        status = str(data.get("status"))
        if status in ("prequeued", "pending"):
            return None
        response = data.get("response")
        response = response if isinstance(response, Mapping) else {}
        body = response.get("body")
        body = body if isinstance(body, Mapping) else {}
        if status == "success":
            return body
        if status != "failure":
            raise Unavailable(f"the job {id_} is {status[:40]}")
        http_status = response.get("http_status")
        raise of_job(int(http_status) if isinstance(http_status, int) else 500, body)

    def _query(self, query: Query | None) -> dict[str, str]:
        return {"access_token": self._token, **{name: str(value) for name, value in (query or {}).items()}}


def _answered(answer: Answer, job: str) -> Written:
    """A success's body; its job where it goes on, or where the answer cannot be read and the job can tell."""
    try:
        data = json_body(answer) if answer.body.strip() else {}
    except NotJson:
        if job:
            return Written(job=job)
        raise
    waiting = data.get("async_response") if isinstance(data, Mapping) else None
    if isinstance(waiting, Mapping):
        named = str(waiting.get("id") or job)
        if not named:
            raise Indeterminate("Rutter took it for later and named no job")
        return Written(job=named)
    return Written(data if isinstance(data, Mapping) else {})


def _refused(error: ProviderError, *, accepted: bool) -> ProviderError:
    if accepted and isinstance(error, Unavailable):
        return Throttled(error.message, code=error.code, retry_after=error.retry_after)
    return error


def basic(client_id: str, secret: str) -> str:
    """The `Authorization` header."""
    return f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode('ascii')}"


def idempotency_key(key: str) -> str:
    """A UUID that the request key determines; the attempt is part of that, so a repeated failure ends with it."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"rutter {key}".encode()).digest()[:16], version=4))


_MEDIA = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
}
ATTACHABLE = frozenset(_MEDIA)


def media_type(name: str) -> str:
    return _MEDIA.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def _label(path: str) -> str:
    """The call's name in the log: the path without ids."""
    return ".".join(part for part in path.split("/") if not any(letter.isdigit() for letter in part))

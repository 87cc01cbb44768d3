"""A small client of Tryton's JSON-RPC, for preparing books and for tests that must not trust our own provider.

Shares no code with the provider, so that one misunderstanding cannot hide in both. It repeats nothing by itself.
Facts (seen on trytond 8.2): the body has exactly `id`, `method` and `params`; the last parameter is the context;
errors come inside a 200 answer; money is `{"__class__": "Decimal", …}`, quantities are plain JSON numbers.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx

JSON = "application/json"
LONGEST = 500  # Tryton explains a value outside its domain with the whole definition of the field


class RpcError(Exception):
    """Tryton refused a call. `kind` is UserError, UserWarning, …; `details` is whatever it said besides."""

    def __init__(self, method: str, kind: str, details: Sequence[Any]) -> None:
        super().__init__(f"{method}: {kind}: {json.dumps(details, default=str)[:LONGEST]}")
        self.kind = kind
        self.details = details

    @property
    def message(self) -> str:
        """What a user of Tryton's own client would read."""
        first = self.details[0] if self.details else ""
        if isinstance(first, list):
            first = first[1] if self.kind == "UserWarning" else first[0]
        return str(first)


class RpcStatus(Exception):
    """The server answered with something else than 200: `status` 401, 503, …"""

    def __init__(self, method: str, status: int, text: str) -> None:
        super().__init__(f"{method}: HTTP {status}: {text[:LONGEST]}")
        self.status = status


class TrytonRpc:
    """A session of one user on one database; log in first. Not for several threads."""

    def __init__(self, url: str, database: str, *, timeout: int = 600) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._path = f"/{database}/rpc/"
        self._number = count(1)
        self._authorization = ""
        self.user_id = 0
        self.context: dict[str, Any] = {}

    def login(self, user: str, password: str) -> None:
        """Begin a session, with the user's preferences as context (company, groups, language)."""
        self._authorization = ""
        user_id, token, *_ = self.call("common.db.login", [user, {"password": password}, "en"])
        self.user_id = user_id
        session = base64.b64encode(f"{user}:{user_id}:{token}".encode()).decode()
        self._authorization = f"Session {session}"
        preferences = self.call("model.res.user.get_preferences", [True, {}])
        self.context = {name: value for name, value in preferences.items() if value is not None}

    def call(self, method: str, parameters: Sequence[Any], *, path: str | None = None) -> Any:
        """One request. Raises RpcError, RpcStatus, or httpx's transport errors."""
        body = {"id": next(self._number), "method": method, "params": list(parameters)}
        headers = {"Content-Type": JSON}
        if self._authorization:
            headers["Authorization"] = self._authorization
        answer = self._http.post(path or self._path, content=json.dumps(body, default=_encoded), headers=headers)
        if answer.status_code != 200:
            raise RpcStatus(method, answer.status_code, answer.text)
        document = json.loads(answer.text, object_hook=_decoded, parse_float=Decimal)
        if "error" in document:
            kind, *details = document["error"]
            raise RpcError(method, str(kind), details)
        return document["result"]

    def model(self, name: str, method: str, *arguments: Any, **context: Any) -> Any:
        return self.call(f"model.{name}.{method}", [*arguments, {**self.context, **context}])

    def create(self, name: str, *records: Mapping[str, Any]) -> list[int]:
        """All in one call and one transaction; their ids in the same order."""
        ids: list[int] = self.model(name, "create", list(records))
        return ids

    def search(self, name: str, domain: Sequence[Any], *, order: Sequence[Any] | None = None) -> list[int]:
        ids: list[int] = self.model(name, "search", list(domain), 0, None, order)
        return ids

    def read(self, name: str, domain: Sequence[Any], *fields: str) -> list[dict[str, Any]]:
        """What a search finds, by id, with the fields named; dotted fields come nested under `party.`."""
        rows: list[dict[str, Any]] = self.model(
            name, "search_read", list(domain), 0, None, [["id", "ASC"]], list(fields)
        )
        return rows

    def wizard(self, name: str, *steps: tuple[str, Mapping[str, Any]], **context: Any) -> list[Any]:
        """Run a wizard through `steps` (state, what its forms hold) and close it; the answers in order."""
        merged = {**self.context, **context}
        session = self.call(f"wizard.{name}.create", [merged])[0]
        answers = [
            self.call(f"wizard.{name}.execute", [session, dict(forms), state, merged]) for state, forms in steps
        ]
        self.call(f"wizard.{name}.delete", [session, merged])
        return answers

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _encoded(value: Any) -> Any:
    match value:
        case Decimal():
            return {"__class__": "Decimal", "decimal": str(value)}
        case datetime():
            names = ("year", "month", "day", "hour", "minute", "second", "microsecond")
            return {"__class__": "datetime"} | {name: getattr(value, name) for name in names}
        case date():
            return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
        case bytes():
            return {"__class__": "bytes", "base64": base64.b64encode(value).decode()}
    raise TypeError(f"Tryton's JSON has no form for {type(value).__name__}")


def _decoded(document: dict[str, Any]) -> Any:
    match document.get("__class__"):
        case "Decimal":
            return Decimal(document["decimal"])
        case "date":
            return date(document["year"], document["month"], document["day"])
        case "datetime":
            return datetime(**{name: value for name, value in document.items() if name != "__class__"})
        case "bytes":
            return base64.b64decode(document["base64"])
    return document

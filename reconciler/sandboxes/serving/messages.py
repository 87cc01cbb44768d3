"""One request as a sandbox sees it, and one answer. Values; nothing here knows a socket or a vendor."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qsl

from reconciler.sandboxes.serving import exact

Fate = Literal["send", "drop", "half"]
"""What becomes of an answer: sent, or the connection is cut before it, or in the middle of it."""

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are lower-case; `path` is decoded, without the query; `number` counts from 1.

    `params` holds what the matched route took from the path. `label`: what an XML body asks for, by the vendor's
    names (`Naming`); `reads`: it only reads, whatever its method says.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    number: int = 0
    params: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    reads: bool = False

    @property
    def writes(self) -> bool:
        """Whether this is no read, by its method, or by what its vendor says of its body."""
        return self.method in WRITES and not self.reads

    def first(self, name: str) -> str | None:
        """A query parameter's first value; None when it is absent."""
        return next((value for key, value in self.query if key == name), None)

    def json(self) -> Any:
        """The body as JSON with exact numbers. Raises `exact.NotJson`."""
        return exact.read(self.body)

    def basic(self) -> str | None:
        """What `Authorization: Basic …` carries, decoded; None when there is none or it is no base64."""
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            return base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None

    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer …`; None when there is none."""
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest.strip() if scheme.lower() == "bearer" and rest.strip() else None

    def with_params(self, params: Mapping[str, str]) -> Call:
        return replace(self, params=dict(params))

    def to_json(self) -> dict[str, Any]:
        """For keeping a request that is carried out later. Headers that carry secrets are left out."""
        return {
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "headers": {key: value for key, value in self.headers.items() if key not in SECRET_HEADERS},
            "body": base64.b64encode(self.body).decode(),
            "number": self.number,
            "params": dict(self.params),
            "label": self.label,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Call:
        query = tuple((str(key), str(value)) for key, value in data["query"])
        body = base64.b64decode(data["body"])
        method, path, number = data["method"], data["path"], data["number"]
        return cls(method, path, query, data["headers"], body, number, data["params"], data.get("label", ""))


SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """A query string's pairs, in order, blank values kept."""
    return tuple(parse_qsl(text, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `late`: it says nothing of what was asked, which is still to be carried out."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fate: Fate = "send"
    late: bool = False

    def json(self) -> Any:
        return exact.read(self.body) if self.body else None

    def with_headers(self, headers: Mapping[str, str]) -> Reply:
        """The same with more headers; what it has already stays."""
        return replace(self, headers={**headers, **self.headers})

    def to_json(self) -> dict[str, Any]:
        """For keeping an answer that is repeated later."""
        body = base64.b64encode(self.body).decode()
        return {"status": self.status, "headers": dict(self.headers), "body": body}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Reply:
        return cls(data["status"], base64.b64decode(data["body"]), data["headers"])


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of JSON with exact numbers."""
    return Reply(status, exact.write(value), {"content-type": "application/json; charset=utf-8", **(headers or {})})


def empty_reply(status: int = 204) -> Reply:
    return Reply(status)

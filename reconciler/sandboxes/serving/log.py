"""What was asked and answered: in memory, and as JSON lines in a file. Secrets are left out of both."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.sandboxes.serving.messages import SECRET_HEADERS, Call, Reply

KEPT = 50_000
SECRET_QUERY = frozenset({"access_token", "api_key", "apikey"})
HIDDEN = "***"
_SECRET_ELEMENTS = re.compile(
    rb"(<(?:\w+:)?(password|sessionid|token|LoginResult|partnerKey|userKey|clientSecret|AccessToken|RefreshToken)\b[^<>/]*>)"
    rb"[^<]*(?=<)",
    re.IGNORECASE,
)
"""Elements of XML bodies whose texts are secrets of vendors that take them there."""


def without_secrets(body: bytes) -> bytes:
    """An XML body with its secrets' texts hidden; any other body as it is."""
    return _SECRET_ELEMENTS.sub(rb"\1***", body) if body.lstrip()[:1] == b"<" else body


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request and what became of it. `fate`: send, drop, half; `status` is 0 when nothing was sent."""

    number: int
    at: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int
    fate: str
    answer: bytes
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    def line(self) -> dict[str, Any]:
        """For a file: texts and sizes, no bodies of answers."""
        return {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "label": self.label,
            "query": dict(self.query),
            "body": self.body.decode("utf-8", "replace")[:10_000],
            "status": self.status,
            "fate": self.fate,
            "answer": self.answer.decode("utf-8", "replace")[:10_000],
        }


class RequestLog:
    """The last requests of one server, and a file of all of them when asked for. Thread-safe."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._kept: deque[Recorded] = deque(maxlen=KEPT)

    def add(self, call: Call, reply: Reply, at: str) -> None:
        entry = Recorded(
            call.number,
            at,
            call.method,
            call.path,
            tuple((key, HIDDEN if key in SECRET_QUERY else value) for key, value in call.query),
            {key: HIDDEN if key in SECRET_HEADERS else value for key, value in call.headers.items()},
            without_secrets(call.body),
            0 if reply.fate == "drop" else reply.status,
            reply.fate,
            without_secrets(reply.body),
            reply.headers,
            call.label,
        )
        with self._lock:
            self._kept.append(entry)
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry.line(), ensure_ascii=False) + "\n")

    def __iter__(self) -> Iterator[Recorded]:
        with self._lock:
            return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

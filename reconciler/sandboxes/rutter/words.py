"""How Rutter says things: the error envelope, instants, ids.

The names of errors other than CONNECTION_ERROR's are not in the documents held: they are guesses.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from reconciler.sandboxes.ledger.refusal import Refusal
from reconciler.sandboxes.serving.messages import Reply, json_reply

JOB_HEADER = "x-rutter-job-id"
"""On every answer to a write that was accepted: it passed the initial validation."""
PREFIX = "/versioned"
MODES_TEXT = "Invalid request body: response_mode: Expected 'async' | 'prefer_sync'"

_CODES = {
    400: ("INVALID_REQUEST_ERROR", "INVALID_INPUT"),
    401: ("AUTHENTICATION_ERROR", "INVALID_CREDENTIALS"),
    404: ("INVALID_REQUEST_ERROR", "ENDPOINT_NOT_SUPPORTED"),
    409: ("INVALID_REQUEST_ERROR", "IDEMPOTENCY_KEY_REUSED"),
    410: ("INVALID_REQUEST_ERROR", "OBJECT_NOT_FOUND"),
    429: ("RATE_LIMIT_ERROR", "RATE_LIMIT_EXCEEDED"),
    450: ("PLATFORM_ERROR", "PLATFORM_BAD_REQUEST"),
    452: ("PLATFORM_ERROR", "PLATFORM_RATE_LIMIT"),
}


class Problem(Exception):
    """An error before a request is accepted; nothing was done and no key keeps it."""

    def __init__(self, status: int, message: str, *, error_type: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_type = error_type
        self.code = code

    def body(self) -> dict[str, Any]:
        return envelope(self.status, self.message, error_type=self.error_type, code=self.code)


class PlatformRefused(Exception):
    """The accounting software refuses an accepted request."""

    def __init__(self, message: str, *, status: int = 450, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code

    @classmethod
    def of(cls, refusal: Refusal) -> PlatformRefused:
        return cls(refusal.message, code=refusal.code.value)

    def body(self) -> dict[str, Any]:
        return envelope(self.status, self.message, source="platform", platform={"code": self.code})


def envelope(
    status: int,
    message: str,
    *,
    error_type: str = "",
    code: str = "",
    source: str = "rutter",
    platform: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The body of every error."""
    usual = _CODES.get(status, ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR"))
    return {
        "error_type": error_type or usual[0],
        "error_code": code or usual[1],
        "error_message": message,
        "error_metadata": {"source": source, "human_readable": message, "platform": platform or {}},
    }


def problem_reply(problem: Problem | PlatformRefused) -> Reply:
    return json_reply(problem.body(), problem.status)


def instant_of(instant: datetime | str) -> str:
    """With milliseconds and a Z, as every instant is written."""
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    instant = instant.astimezone(UTC)
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def day_of(day: date | str | None) -> str | None:
    """A day the way the API writes it: midnight UTC."""
    if day is None:
        return None
    text = day if isinstance(day, str) else day.isoformat()
    return f"{text[:10]}T00:00:00.000Z"


def amount_text(amount: Decimal | None) -> str | None:
    """An amount where the API has a string: plain digits, no zeros at the end."""
    if amount is None:
        return None
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def new_id() -> str:
    return str(uuid.uuid4())

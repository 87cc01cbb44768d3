"""How Codat says things: the error envelope, instants, days."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from reconciler.sandboxes.serving.messages import Reply, json_reply


@dataclass(frozen=True, slots=True)
class Invalid:
    """One finding of a validation: the field, what is wrong, and the data type that says so."""

    item: str
    message: str
    validator: str

    def to_json(self) -> dict[str, str]:
        return {"itemId": self.item, "message": self.message, "validatorName": self.validator}


class Problem(Exception):
    """An HTTP error of the API; nothing was done."""

    def __init__(self, status: int, error: str, findings: Sequence[Invalid] = ()) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.findings = tuple(findings)


class PushRefused(Exception):
    """The accounting software refuses a push: it ends as Failed."""

    def __init__(self, findings: Sequence[Invalid]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


def problem_reply(status: int, error: str, findings: Sequence[Invalid] = ()) -> Reply:
    """The error envelope; `canBeRetried` is a text by the documents."""
    retried = {429: "True", 500: "Unknown", 502: "True", 503: "True", 504: "Unknown"}
    body: dict[str, Any] = {
        "statusCode": status,
        "service": "PublicApi",
        "error": error,
        "correlationId": uuid.uuid4().hex,
        "canBeRetried": retried.get(status, "Unknown"),
        "detailedErrorCode": 0,
    }
    if findings:
        body["validation"] = validation(findings)
    return json_reply(body, status)


def validation(findings: Sequence[Invalid]) -> dict[str, Any]:
    return {"errors": [finding.to_json() for finding in findings], "warnings": []}


def day_text(day: date | str) -> str:
    """A day the way the API writes it: with a time, without an offset."""
    text = day if isinstance(day, str) else day.isoformat()
    return f"{text[:10]}T00:00:00"


def fine_instant(instant: datetime) -> str:
    """With seven digits, as push operations have it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def whole_instant(instant: datetime | str) -> str:
    """To the second, with a Z, as `modifiedDate` is written."""
    if isinstance(instant, str):
        return f"{instant[:19]}Z"
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

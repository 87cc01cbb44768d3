"""How the API says things: errors, instants, and what becomes of the ledger's refusals."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.kernel.clock import parse_instant
from reconciler.sandboxes.serving.messages import Reply, json_reply


class Problem(Exception):
    """An answer that is an error; nothing was done."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def invalid(message: str) -> Problem:
    """What the API answers to a request that it, or the ERP behind it, does not take."""
    return Problem(422, message)


def problem_reply(status: int, message: str) -> Reply:
    return json_reply({"message": message}, status)


def iso(instant: datetime | str) -> str:
    """To the millisecond, with a Z."""
    at = parse_instant(instant) if isinstance(instant, str) else instant
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def milliseconds(instant: datetime | str) -> int:
    """Since 1970, as the older documents write times."""
    at = parse_instant(instant) if isinstance(instant, str) else instant
    whole = at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1000 + whole.microseconds // 1000

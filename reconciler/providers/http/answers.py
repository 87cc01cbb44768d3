"""An answer as it came, and the JSON in it: decimals exact, depth and numbers bounded, strange pages named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import masked
from reconciler.providers.http.failures import NotJson

DEEPEST = 64
LONGEST_NUMBER = 200
_EXCERPT = 160
_LONGEST_WAIT = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are lower-case; `request_id` names it in the log."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    request_id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC), repr=False)
    """When it came: what an HTTP-date in `Retry-After` counts from."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def retry_after(self) -> int | None:
        """Seconds the server asks us to wait, from seconds or an HTTP-date; None when it does not say."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(int(text[:9]), _LONGEST_WAIT)
        try:
            until = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        seconds = -(-(until - self.at) // _SECOND)
        return min(max(0, seconds), _LONGEST_WAIT)

    def text(self, limit: int = _EXCERPT) -> str:
        """The beginning of the body for people: tags and controls taken out, secrets masked, on one line."""
        raw = masked(self.body[: limit * 40].decode("utf-8", "replace"))
        if _looks_like_html(raw):
            raw = unescape(_TAGS.sub(" ", _UNSEEN.sub(" ", raw)))
        return printable(masked(" ".join(raw.split())), limit)

    def kind(self) -> str:
        """`text/html`: the media type the server claims, without parameters."""
        return printable(self.headers.get("content-type", "").partition(";")[0].strip().lower(), 60)


_SECOND = datetime(2000, 1, 1, 0, 0, 1) - datetime(2000, 1, 1)
_UNSEEN = re.compile(r"<(script|style|head)\b.*?(</\1\s*>|\Z)|<!--.*?(-->|\Z)", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<[^>]*(>|\Z)")


def _looks_like_html(text: str) -> bool:
    start = text.lstrip()[:200].lower()
    return start.startswith("<") or "<html" in start or "<!doctype" in start


def json_body(answer: Answer) -> Any:
    """The body's JSON; numbers with a point are Decimal. Raises NotJson, which is a NoAnswer, when it is none.

    Depth is at most 64; NaN, infinities and numbers of more than 200 characters are refused.
    """
    try:
        value = json.loads(
            answer.body,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
        )
    except RecursionError:
        raise NotJson("the answer's JSON is nested too deeply", answer.request_id) from None
    except (ValueError, InvalidOperation) as error:
        raise NotJson(_no_json(answer, error), answer.request_id) from None
    if _deeper_than(value, DEEPEST):
        raise NotJson("the answer's JSON is nested too deeply", answer.request_id)
    return value


def _no_json(answer: Answer, error: Exception) -> str:
    if not answer.body.strip():
        return f"an empty answer where JSON should be (status {answer.status})"
    claimed = f" ({answer.kind()})" if answer.kind() else ""
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"the answer is no JSON{claimed}, status {answer.status}: {answer.text()}"
    return f"the answer's JSON cannot be used: {error}"


def _decimal(text: str) -> Decimal:
    value = Decimal(_bounded(text))
    if abs(value.adjusted()) > LONGEST_NUMBER:
        raise ValueError(f"a number out of all proportion, {text[:40]}")
    return value


def _integer(text: str) -> int:
    return int(_bounded(text))


def _bounded(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} digits")
    return text


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    while level and depth:
        depth -= 1
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    return bool(level)

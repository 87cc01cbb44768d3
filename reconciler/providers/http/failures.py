"""What went wrong on the way, classed by whether the request can have arrived.

NotSent          it cannot have arrived
NoAnswer         it may have arrived; no whole answer came back
├── TooLarge     the answer is larger than allowed
├── WrongPlace   the server points to another server, or in circles
├── NotJson      an answer came, but not the JSON that was asked for
└── NotXml       likewise, where XML was asked for
"""

from __future__ import annotations

from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import masked

LONGEST_MESSAGE = 300


class HttpFailure(Exception):
    """`request_id` names the request in the log. Secrets and control characters are taken out of the message."""

    def __init__(self, message: str, request_id: str = "") -> None:
        self.request_id = request_id
        where = f" (request {request_id})" if request_id else ""
        super().__init__(printable(masked(message), LONGEST_MESSAGE) + where)


class NotSent(HttpFailure):
    """No connection was made: the request cannot have arrived."""


class NoAnswer(HttpFailure):
    """The request may have arrived; no whole answer came back."""


class TooLarge(NoAnswer):
    """The answer exceeds `max_response_mb` once decompressed."""


class WrongPlace(NoAnswer):
    """A redirect or link leads away from the connection's server."""


class NotJson(NoAnswer):
    """The answer is whole but not the JSON it should be: an error page, say."""


class NotXml(NoAnswer):
    """The answer is whole but not the XML it should be, or XML made to do harm."""

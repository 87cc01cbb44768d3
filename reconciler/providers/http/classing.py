"""From what happened on the way to a `ProviderError`: the default, where a provider knows no better.

An ERP's own contract comes first: a provider looks at an answer, and asks here only about what it does not know.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager

from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Unavailable
from reconciler.providers.http.answers import Answer
from reconciler.providers.http.failures import HttpFailure, NotSent

CREDENTIALS_REFUSED = "credentials_refused"
"""The `code` of a Rejected whose cause is the connection's credentials, not the request."""

THROTTLED = frozenset({429})
"""Statuses that by HTTP's own words come before any work. Add 503 only where the ERP's contract says the same."""


@contextmanager
def classed(*, writes: bool) -> Iterator[None]:
    """Turn an HttpFailure within into a ProviderError."""
    try:
        yield
    except HttpFailure as failure:
        raise failure_error(failure, writes=writes) from failure


def failure_error(failure: HttpFailure, *, writes: bool) -> ProviderError:
    """Not sent: Unavailable. No answer: a write may have landed, a read did nothing."""
    if isinstance(failure, NotSent) or not writes:
        return Unavailable(str(failure))
    return Indeterminate(str(failure))


def answer_error(
    answer: Answer, *, writes: bool, words: str = "", code: str = "", unavailable: Container[int] = THROTTLED
) -> ProviderError:
    """What an answer of a status that is no success means. `words`: the ERP's own, else the body's beginning.

    401 and 403 are refused credentials; what is in `unavailable` was refused before any work; any other 4xx but
    408 is a refusal of this request; the rest (5xx, redirects) says nothing sure about a write.
    """
    said = words or answer.text() or "no reason given"
    message = f"{said} (status {answer.status}, request {answer.request_id})"
    if answer.status in (401, 403):
        return Rejected(f"credentials refused: {message}", code=CREDENTIALS_REFUSED)
    if answer.status in unavailable:
        return Unavailable(message, code=code or str(answer.status), retry_after=answer.retry_after())
    if 400 <= answer.status < 500 and answer.status != 408:
        return Rejected(message, code=code or str(answer.status))
    if writes:
        return Indeterminate(message, code=code or str(answer.status))
    return Unavailable(message, code=code or str(answer.status), retry_after=answer.retry_after())

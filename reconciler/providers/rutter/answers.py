"""What Rutter's refusals mean: classed by what is known to have happened on the platform. Pure.

Source: Rutter's guide to errors and its page on idempotency. 450: the platform answered 400; 452: the
platform's own rate limit; 410: a known endpoint, an unknown id; 5xx says nothing about whether the platform did it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED, Answer, answer_error, json_body
from reconciler.providers.http.failures import HttpFailure

_NOT_READY = "PRODUCT_NOT_READY"
_RECONNECT = frozenset({"INVALID_CREDENTIALS", "CONNECTION_DISABLED", "NEEDS_UPDATE"})
_LIMITS = frozenset({429, 452})
GONE = frozenset({404, 410})
_TAKEN = ("already exists", "already in use", "already taken", "duplicate", "must be unique", "not unique")


def body_of(answer: Answer) -> Mapping[str, Any]:
    """The error object of an answer; empty where there is none to be read."""
    try:
        data = json_body(answer)
    except HttpFailure:
        return {}
    return data if isinstance(data, Mapping) else {}


def words_of(data: Mapping[str, Any]) -> str:
    """The error in the words of whoever refused: the platform's own where Rutter passes them on."""
    metadata = data.get("error_metadata")
    said = metadata.get("human_readable") if isinstance(metadata, Mapping) else None
    code = str(data.get("error_code") or "")
    words = str(said or data.get("error_message") or "")
    return f"{words} ({code})" if words and code else words or code


def refusal(answer: Answer, *, writes: bool) -> ProviderError:
    """The class of an answer that is no success."""
    data = body_of(answer)
    known = of_status(answer.status, data, writes=writes, retry_after=answer.retry_after())
    return known or answer_error(answer, writes=writes, words=words_of(data))


def of_status(
    status: int, data: Mapping[str, Any], *, writes: bool, retry_after: int | None = None
) -> ProviderError | None:
    """What Rutter's own documents say of a status; None where HTTP's meaning stands."""
    code, words = str(data.get("error_code") or ""), words_of(data) or f"status {status}"
    if status < 500 and code == _NOT_READY:
        told = "Rutter has not finished the first sync of this connection; `reconciler connection check` tells when"
        return Unavailable(f"{told}: {words}", code=code, retry_after=retry_after)
    if status < 500 and code in _RECONNECT:
        told = "the platform no longer lets Rutter in: reconnect it through Rutter Link"
        return Rejected(f"{told}: {words}", code=CREDENTIALS_REFUSED)
    if status in _LIMITS:
        whose = "the platform's rate limit" if status == 452 else "Rutter's rate limit"
        return Unavailable(f"{whose}: {words}", code=str(status), retry_after=retry_after)
    if status == 450 and writes and any(word in words.lower() for word in _TAKEN):
        return AlreadyExists(words, code="450")
    if status == 409 and writes:
        told = "a request under this idempotency key was taken before, with other content or still under way"
        return Indeterminate(f"{told}: {words}", code="409")
    if status == 410 and writes:
        return Stale(f"Rutter no longer has the record: {words}", code="410")
    if status == 404 and writes:
        return Rejected(f"this platform does not take it: {words}", code="404")
    if writes and 450 < status < 500:  # codes of Rutter's own that its documents do not list
        return Indeterminate(f"{words} (status {status})", code=str(status))
    return None


def of_job(status: int, data: Mapping[str, Any]) -> ProviderError:
    """How a job that failed left things; it has ended, so that nothing more comes of it by itself."""
    error = of_status(status, data, writes=True)
    words = words_of(data) or f"the job failed with status {status}"
    if isinstance(error, Unavailable):
        return Rejected(error.message, code=error.code)  # the key repeats this answer: only a new attempt can pass
    if error is not None and not isinstance(error, Indeterminate):
        return error
    if 400 <= status < 500 and status != 408 and error is None:
        return Rejected(f"{words} (status {status})", code=str(status))
    return Indeterminate(f"{words} (status {status})", code=str(status), final=True)

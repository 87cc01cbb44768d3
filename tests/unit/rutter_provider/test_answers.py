"""What Rutter's refusals are taken to mean, for a read, a write and a job that has ended."""

from __future__ import annotations

import json

import pytest

from reconciler.providers.errors import AlreadyExists, Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED, Answer
from reconciler.providers.rutter.answers import of_job, refusal


def answer(status: int, code: str = "", words: str = "no", body: bytes | None = None) -> Answer:
    error = {"error_type": "X", "error_code": code, "error_message": words}
    return Answer(status, {"content-type": "application/json"}, body or json.dumps(error).encode(), "1")


@pytest.mark.parametrize(
    ("status", "code", "writes", "kind"),
    [
        (400, "INVALID_INPUT", True, Rejected),
        (401, "", True, Rejected),
        (404, "ENDPOINT_NOT_SUPPORTED", True, Rejected),
        (408, "", True, Indeterminate),
        (409, "", True, Indeterminate),
        (410, "", True, Stale),
        (429, "", True, Unavailable),
        (429, "", False, Unavailable),
        (450, "PLATFORM_BAD_REQUEST", True, Rejected),
        (451, "", True, Indeterminate),
        (452, "", True, Unavailable),
        (453, "", True, Indeterminate),
        (500, "", True, Indeterminate),
        (503, "", True, Indeterminate),
        (500, "", False, Unavailable),
        (400, "PRODUCT_NOT_READY", False, Unavailable),
        (400, "PRODUCT_NOT_READY", True, Unavailable),
        (500, "PRODUCT_NOT_READY", True, Indeterminate),
    ],
)
def test_a_refusal_is_classed_by_what_is_known(
    status: int, code: str, writes: bool, kind: type[ProviderError]
) -> None:
    assert type(refusal(answer(status, code), writes=writes)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (410, Stale),
        (450, Rejected),
        (452, Rejected),
        (429, Rejected),
        (453, Indeterminate),
        (500, Indeterminate),
    ],
)
def test_a_job_that_failed_has_no_more_to_say(status: int, kind: type[ProviderError]) -> None:
    """What its rate limit refused is refused for good: the idempotency key repeats it."""
    error = of_job(status, {"error_message": "the period is closed"})
    assert type(error) is kind
    assert "the period is closed" in error.message
    assert not isinstance(error, Indeterminate) or error.final


def test_the_platforms_own_words_come_first() -> None:
    body = {"error_message": "bad request", "error_metadata": {"human_readable": "Business Validation Error: 6140"}}
    error = refusal(answer(450, body=json.dumps(body).encode()), writes=True)
    assert error.message.startswith("Business Validation Error: 6140")


def test_a_number_that_is_taken_is_told_apart() -> None:
    """Whose it is, a look-up has to say."""
    error = refusal(answer(450, words="Duplicate Document Number Error"), writes=True)
    assert isinstance(error, AlreadyExists)
    assert isinstance(of_job(450, {"error_message": "The number already exists"}), AlreadyExists)


def test_what_is_no_error_object_is_still_classed() -> None:
    page = answer(502, body=b"<html><h1>Bad gateway</h1></html>")
    assert isinstance(refusal(page, writes=True), Indeterminate)
    assert "Bad gateway" in refusal(page, writes=True).message


@pytest.mark.parametrize("code", ["INVALID_CREDENTIALS", "CONNECTION_DISABLED", "NEEDS_UPDATE"])
def test_a_connection_to_mend_is_no_refusal_of_the_request(code: str) -> None:
    error = refusal(answer(400, code), writes=True)
    assert error.code == CREDENTIALS_REFUSED
    assert "Rutter Link" in error.message

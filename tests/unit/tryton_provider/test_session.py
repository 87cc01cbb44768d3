"""The session: what each answer of a Tryton says happened, and logging in again after a 401."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from reconciler.providers.errors import Indeterminate, ProviderError, Rejected, Stale, Unavailable
from reconciler.providers.http import CREDENTIALS_REFUSED, Answer, NoAnswer, NotSent
from reconciler.providers.tryton.calls import Tryton
from reconciler.providers.tryton.session import TrytonSession, Warned
from reconciler.providers.tryton.settings import TrytonSettings

SETTINGS = TrytonSettings(
    endpoint="http://127.0.0.1:8000", database="books", user="admin", password=SecretStr("s3cret-word")
)
HASH = "4f77f457fd24ce48e70f10630b22bfb1"


class FakeServer:
    """Answers in turn: a body, a status, or a failure to raise. Log-ins are answered by themselves."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.logins = 0
        self.calls = 0
        self.requests: list[tuple[Mapping[str, Any], Mapping[str, str], bool]] = []

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes, read: bool, label: str
    ) -> Answer:
        self.calls += 1
        assert (method, path) == ("POST", "/books/rpc/")
        asked = json.loads(body)
        assert set(asked) == {"id", "method", "params"}
        assert label == asked["method"]
        if asked["method"] == "common.db.login":
            self.logins += 1
            assert asked["params"][1:] == [{"password": "s3cret-word"}, "en"]
            return self._answer([7, f"token-{self.logins}", None])
        self.requests.append((asked, headers, read))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Answer(answer, {"content-type": "text/html"}, b"<h1>no</h1>", "r2")
        return answer if isinstance(answer, Answer) else self._answer(answer)

    @staticmethod
    def _answer(result: Any) -> Answer:
        body = result if isinstance(result, dict) and "error" in result else {"result": result}
        return Answer(200, {}, json.dumps({"id": 1, **body}).encode(), "r1")

    def close(self) -> None:
        pass


def session(*answers: Any) -> tuple[TrytonSession, FakeServer]:
    server = FakeServer(*answers)
    return TrytonSession(SETTINGS, server), server  # type: ignore[arg-type]


def failing(answer: Any, *, read: bool) -> ProviderError:
    made, _ = session(answer)
    with pytest.raises(ProviderError) as caught:
        made.call("model.party.party.write", [], read=read)
    return caught.value


def test_it_logs_in_once_and_sends_the_session_never_the_password() -> None:
    made, server = session({"a": 1}, [2])
    assert made.call("model.x.read", [1], read=True) == {"a": 1}
    assert made.call("model.x.read", [1], read=True) == [2]
    assert server.logins == 1
    token = base64.b64encode(b"admin:7:token-1").decode()
    assert [headers["Authorization"] for _, headers, _ in server.requests] == [f"Session {token}"] * 2
    assert all(headers["Accept-Encoding"] == "gzip" for _, headers, _ in server.requests)


@pytest.mark.parametrize("read", [True, False])
def test_after_a_401_it_logs_in_again_and_calls_again_because_nothing_was_done(read: bool) -> None:
    made, server = session({"a": 1}, 401, [5])
    made.call("model.x.read", [], read=True)
    assert made.call("model.x.post", [[5]], read=read) == [5]
    assert server.logins == 2
    assert [one[0]["method"] for one in server.requests] == ["model.x.read", "model.x.post", "model.x.post"]
    assert server.requests[1][1]["Authorization"] != server.requests[2][1]["Authorization"]


def test_a_second_401_in_a_row_is_refused_credentials() -> None:
    made, _ = session(401, 401)
    with pytest.raises(Rejected) as caught:
        made.call("model.x.read", [], read=True)
    assert caught.value.code == CREDENTIALS_REFUSED


def test_a_write_is_sent_as_a_write() -> None:
    made, server = session(None)
    assert made.call("model.x.write", [], read=False) is None
    assert [read for _, _, read in server.requests] == [False]


@pytest.mark.parametrize(
    ("answer", "of_a_write", "of_a_read"),
    [
        ({"error": ["UserError", ["A value is required.", "", None]]}, Rejected, Rejected),
        ({"error": ["ConcurrencyException", "Records were modified in the meanwhile"]}, Stale, Stale),
        ({"error": ["'nope'", ""]}, Indeterminate, Unavailable),
        ({"error": ["division by zero", ""]}, Indeterminate, Unavailable),
        ({"error": ["RateLimitException", []]}, Unavailable, Unavailable),
        (503, Indeterminate, Unavailable),  # a gateway's, or a connection lost at COMMIT
        (Answer(503, {}, b"<p>could not obtain lock on row in relation", "r1"), Unavailable, Unavailable),
        (Answer(503, {}, b"<p>could not serialize access due to", "r1"), Unavailable, Unavailable),
        (Answer(503, {}, b"<p>database is locked</p>", "r1"), Unavailable, Unavailable),
        (Answer(503, {}, b"<p>server closed the connection unexpectedly", "r1"), Indeterminate, Unavailable),
        (429, Unavailable, Unavailable),
        (500, Indeterminate, Unavailable),
        (502, Indeterminate, Unavailable),
        (504, Indeterminate, Unavailable),
        (400, Rejected, Rejected),
        (403, Rejected, Rejected),
        (422, Rejected, Rejected),
        (NotSent("connection refused", "r1"), Unavailable, Unavailable),
        (NoAnswer("timed out", "r1"), Indeterminate, Unavailable),
        (Answer(200, {}, b"<html>proxy</html>", "r1"), Indeterminate, Unavailable),
        (Answer(200, {}, b'{"id": 1}', "r1"), Indeterminate, Unavailable),
        (Answer(200, {}, b'{"result": {"__class__": "Decimal"}}', "r1"), Indeterminate, Unavailable),
    ],
)
def test_what_an_answer_says_happened(
    answer: Any, of_a_write: type[ProviderError], of_a_read: type[ProviderError]
) -> None:
    assert type(failing(answer, read=False)) is of_a_write
    assert type(failing(answer, read=True)) is of_a_read


def test_the_words_of_a_refusal_are_trytons_on_one_line() -> None:
    error = failing({"error": ["UserError", ["It is no.\nNever.", "Because.", None]]}, read=False)
    assert error.message == "It is no. Never. Because."


def test_a_warning_names_itself_and_the_setting_that_lets_it_through() -> None:
    key = f"{HASH}.invoice_date_future"
    error = failing({"error": ["UserWarning", [key, "In the future.", ""]]}, read=False)
    assert isinstance(error, Warned)
    assert (error.key, error.name) == (key, "invoice_date_future")
    assert "confirm_warnings: [invoice_date_future]" in error.message


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (f"{HASH}.delete.write-off", "delete.write-off"),
        (f"{HASH}.account.invoice eu_vat valid", "account.invoice eu_vat valid"),
        ("account.move,5.cancel", "cancel"),
        ("odd", "odd"),
    ],
)
def test_what_stands_for_the_records_is_no_part_of_a_warnings_name(key: str, name: str) -> None:
    assert Warned(key, "?").name == name


def test_a_warning_is_confirmed_for_its_own_key_and_the_call_made_again() -> None:
    key = f"{HASH}.invoice_date_future"
    made, server = session({"error": ["UserWarning", [key, "In the future.", ""]]}, None, None)
    Tryton(made, 1, ["invoice_date_future"]).write("account.invoice", "post", [5])
    methods = [asked["method"] for asked, _, _ in server.requests]
    assert methods == ["model.account.invoice.post", "model.res.user.warning.skip", "model.account.invoice.post"]
    assert server.requests[1][0]["params"][:2] == [key, False]


def test_a_warning_that_is_not_listed_is_raised_and_nothing_is_confirmed() -> None:
    key = f"{HASH}.invoice_date_future"
    made, server = session({"error": ["UserWarning", [key, "In the future.", ""]]})
    with pytest.raises(Warned):
        Tryton(made, 1, ["invoice_payment_term"]).write("account.invoice", "post", [5])
    assert len(server.requests) == 1


def test_the_context_names_company_and_language_and_nothing_that_opens_doors() -> None:
    made, server = session([])
    Tryton(made, 3).rows("account.invoice", [], ["number"])
    assert server.requests[0][0]["params"][-1] == {"language": "en", "company": 3}


def test_pages_go_on_from_the_last_id() -> None:
    made, server = session([{"id": 1}, {"id": 4}], [{"id": 9}])
    rows = Tryton(made, 1).all("x", [["a", "=", 1]], ["id"], size=2)
    assert [row["id"] for row in rows] == [1, 4, 9]
    assert [asked["params"][0][1] for asked, _, _ in server.requests] == [["id", ">", 0], ["id", ">", 4]]


def test_nothing_is_begun_after_a_requests_time() -> None:
    made, server = session()
    tryton = Tryton(made, 1)
    with tryton.within(-1), pytest.raises(Unavailable, match="too slow"):
        tryton.write("account.invoice", "post", [5])
    assert not server.requests

"""A failure says whether the request can have arrived, and a write goes out once at most."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from reconciler.providers.errors import Indeterminate, Rejected, Unavailable
from reconciler.providers.http import (
    CREDENTIALS_REFUSED,
    Answer,
    NoAnswer,
    NotSent,
    answer_error,
    classed,
)
from tests.unit.http.hostile import CLOSE, CUT, HANG, hostile, in_turn, reply

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n"


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_a_refused_connection_sends_nothing(connect):
    connection = connect(f"http://127.0.0.1:{refused_port()}")
    with pytest.raises(NotSent, match=r"^127.0.0.1:\d+: Connection refused \(request \d+\)$") as caught:
        connection.send("POST", "/post", body=b"{}", read=False)
    assert caught.value.request_id.isdigit()
    assert connection.calls == 0


def test_a_name_that_does_not_exist_sends_nothing(connect):
    connection = connect("https://erp.invalid")
    with pytest.raises(NotSent):
        connection.send("GET", "/", read=False)


@pytest.mark.parametrize(
    "answer",
    [
        [CUT],
        [b""],
        [b"HTTP/1.1 200 OK\r\nconte", CUT],
        [HEAD + b'{"half": ', CUT],
        [b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n', CUT],
        [b"no HTTP at all, but a line\r\n\r\n", CUT],
        [b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n", CUT],
        [b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n", CUT],
        [b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}"],
        [b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}"],
    ],
    ids=[
        "at-once",
        "nothing",
        "in-header",
        "in-body",
        "in-chunk",
        "no-http",
        "huge-header",
        "negative-length",
        "br",
        "no-gzip",
    ],
)
def test_a_write_that_arrived_and_has_no_whole_answer_is_sent_once(connect, answer):
    def behave(request):
        return [*answer, CUT]

    with hostile(behave) as server:
        connection = connect(server.url)
        with pytest.raises(NoAnswer) as caught:
            connection.send("POST", "/post", body=b"{}", read=False)
        assert not isinstance(caught.value, NotSent)
        assert len(server.requests) == 1
        assert connection.calls == 1


def test_a_connection_cut_before_the_request_is_read_may_have_delivered_it(connect):
    with hostile(reply(), before=lambda connection: False) as server:
        with pytest.raises(NoAnswer):
            connect(server.url).send("POST", "/post", body=b"{}", read=False)
        assert server.accepted == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_write_is_tried_once_whatever_the_status(connect, clock, status):
    with hostile(reply(status, retry_after="1")) as server:
        answer = connect(server.url).send("POST", "/post", body=b"{}", read=False)
        assert (answer.status, len(server.requests), clock.slept) == (status, 1, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_write_is_never_redirected(connect, status):
    with hostile(reply(status, location="/elsewhere")) as server:
        answer = connect(server.url).send("POST", "/post", body=b"{}", read=False)
        assert (answer.status, len(server.requests)) == (status, 1)


@pytest.mark.parametrize(
    ("start", "drop"),
    [(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x"), (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n")],
    ids=["body", "header"],
)
def test_a_whole_answer_takes_no_longer_than_allowed_however_it_drips(connect, start, drop):
    def drip(request):
        yield start
        for _ in range(100):
            yield drop
            yield 0.05

    with hostile(drip) as server:
        connection = connect(server.url, timeout_seconds=0.4)
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="no whole answer within"):
            connection.send("POST", "/", body=b"{}", read=False)
        assert time.monotonic() - began < 2


def test_silence_is_ended(connect):
    with hostile(lambda request: [HANG]) as server, pytest.raises(NoAnswer):
        connect(server.url, timeout_seconds=0.2).send("POST", "/", body=b"{}", read=False)


def test_a_server_that_does_not_take_the_request_is_not_waited_for(connect):
    held = threading.Event()

    def before(connection):
        held.wait(5)
        return False

    with hostile(reply(), before=before) as server:
        connection = connect(server.url, timeout_seconds=0.4)
        with pytest.raises(NoAnswer):
            connection.send("POST", "/", body=b"x" * 20_000_000, read=False)
        held.set()


def test_a_closed_connection_sends_nothing(connect):
    with hostile(reply()) as server:
        connection = connect(server.url)
        connection.close()
        with pytest.raises(NotSent):
            connection.send("GET", "/", read=False)
        assert server.requests == []


def test_connections_are_kept_and_cookies_are_not(connect):
    with hostile(reply(set_cookie="session=stolen; Path=/")) as server:
        connection = connect(server.url)
        for _ in range(3):
            connection.send("GET", "/", read=True)
        assert server.accepted == 1
        assert all("cookie" not in request.headers for request in server.requests)


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_for_a_write(connect):
    with hostile(lambda request: [reply(), CLOSE]) as server:
        connection = connect(server.url)
        for number in range(1, 4):
            assert connection.send("POST", "/", body=b"{}", read=False).ok
            time.sleep(0.02)
            assert (len(server.requests), server.accepted) == (number, number)


def test_failures_become_what_the_executor_understands(connect):
    with hostile(lambda request: [CUT]) as server:
        connection = connect(server.url)
        with pytest.raises(Indeterminate), classed(writes=True):
            connection.send("POST", "/", body=b"", read=False)
        with pytest.raises(Unavailable), classed(writes=False):
            connection.send("POST", "/", body=b"", read=True)
    gone = connect(f"http://127.0.0.1:{refused_port()}")
    with pytest.raises(Unavailable), classed(writes=True):
        gone.send("POST", "/", body=b"", read=False)


@pytest.mark.parametrize(
    ("status", "writing", "reading"),
    [
        (302, Indeterminate, Unavailable),
        (400, Rejected, Rejected),
        (401, Rejected, Rejected),
        (403, Rejected, Rejected),
        (404, Rejected, Rejected),
        (408, Indeterminate, Unavailable),
        (409, Rejected, Rejected),
        (429, Unavailable, Unavailable),
        (500, Indeterminate, Unavailable),
        (502, Indeterminate, Unavailable),
        (503, Indeterminate, Unavailable),
    ],
)
def test_statuses_by_default(status, writing, reading):
    answer = Answer(status, {"retry-after": "7"}, b'{"error": "no"}', "3")
    assert type(answer_error(answer, writes=True)) is writing
    assert type(answer_error(answer, writes=False)) is reading


def test_refused_credentials_and_contracts_are_told_apart():
    refused = answer_error(Answer(401, {}, b"", "3"), writes=True)
    assert (refused.code, refused.message) == (
        CREDENTIALS_REFUSED,
        "credentials refused: no reason given (status 401, request 3)",
    )
    busy = answer_error(Answer(503, {"retry-after": "7"}, b"", "3"), writes=True, unavailable={429, 503})
    assert (type(busy), busy.retry_after) == (Unavailable, 7)
    worded = answer_error(Answer(422, {}, b"<html>", "3"), writes=True, words="The period is closed.", code="PER-1")
    assert (worded.code, worded.message) == ("PER-1", "The period is closed. (status 422, request 3)")


def test_a_server_that_recovers_is_read_after_all(connect):
    with hostile(in_turn([CUT], [HEAD + b"{", CUT], reply(503), reply(body=b'{"ok": 1}'))) as server:
        connection = connect(server.url)
        assert connection.send("GET", "/", read=True).body == b'{"ok": 1}'
        assert connection.calls == len(server.requests) == 4

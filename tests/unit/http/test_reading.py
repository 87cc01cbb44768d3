"""Reads are repeated: boundedly, as the server asks, and only where it helps."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import format_datetime

import pytest

from reconciler.providers.http import Answer, NoAnswer, NotJson, NotSent, TooLarge, WrongPlace
from tests.unit.http.hostile import CUT, hostile, in_turn, reply
from tests.unit.http.test_what_happened import refused_port


def test_a_storm_is_given_up_after_five_attempts(connect, clock):
    with hostile(reply(503)) as server:
        answer = connect(server.url).send("GET", "/", read=True)
        assert (answer.status, len(server.requests)) == (503, 5)
        assert len(clock.slept) == 4
        assert sum(clock.slept) <= 60


def test_cuts_are_given_up_too(connect):
    with hostile(lambda request: [CUT]) as server:
        with pytest.raises(NoAnswer):
            connect(server.url).send("GET", "/", read=True)
        assert len(server.requests) == 5


def test_a_server_that_is_down_is_tried_again(connect, clock):
    connection = connect(f"http://127.0.0.1:{refused_port()}")
    with pytest.raises(NotSent):
        connection.send("GET", "/", read=True)
    assert len(clock.slept) == 4
    assert connection.calls == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 500, 501])
def test_what_will_not_pass_is_not_repeated(connect, status):
    with hostile(reply(status)) as server:
        assert connect(server.url).send("GET", "/", read=True).status == status
        assert len(server.requests) == 1


def test_retry_after_in_seconds_is_waited_for(connect, clock):
    with hostile(in_turn(reply(429, retry_after="7"), reply())) as server:
        assert connect(server.url).send("GET", "/", read=True).ok
    assert 7 <= sum(clock.slept) <= 8


def test_retry_after_as_a_date_is_waited_for(connect, clock):
    until = format_datetime(clock.now().astimezone(UTC) + timedelta(seconds=12), usegmt=True)
    with hostile(in_turn(reply(503, retry_after=until), reply())) as server:
        assert connect(server.url).send("GET", "/", read=True).ok
    assert 12 <= sum(clock.slept) <= 13


@pytest.mark.parametrize("seconds", [31, 3600])
def test_a_long_retry_after_goes_to_the_caller(connect, clock, seconds):
    with hostile(reply(429, retry_after=str(seconds))) as server:
        answer = connect(server.url).send("GET", "/", read=True)
        assert (answer.retry_after(), len(server.requests), clock.slept) == (seconds, 1, [])


def test_a_storm_of_retry_after_ends_after_a_minute(connect, clock):
    with hostile(reply(429, retry_after="25")) as server:
        assert connect(server.url).send("GET", "/", read=True).status == 429
        assert len(server.requests) == 3
        assert sum(clock.slept) <= 60


def test_a_pause_holds_the_whole_connection_back(connect, clock):
    with hostile(in_turn(reply(429, retry_after="5"), reply())) as server:
        connection = connect(server.url)
        connection.send("POST", "/", body=b"", read=False)
        began = clock.monotonic()
        connection.send("POST", "/", body=b"", read=False)
        assert 4.9 < clock.monotonic() - began <= 5


def test_a_write_that_would_have_to_wait_too_long_is_not_sent(connect, clock):
    with hostile(reply(429, retry_after="20")) as server:
        connection = connect(server.url, timeout_seconds=10)
        connection.send("POST", "/", body=b"", read=False)
        with pytest.raises(NotSent, match="leaves no time"):
            connection.send("POST", "/", body=b"", read=False)
        assert (len(server.requests), clock.slept) == (1, [])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("99999999999999999999", 7 * 24 * 3600),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 12:00:30", 30),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_with_care(clock, text, seconds):
    assert Answer(503, {"retry-after": text}, b"", "1", clock.now()).retry_after() == seconds


def test_a_redirect_of_a_read_is_followed_within_the_server(connect):
    with hostile(lambda request: reply(302, location="/b?page=2") if request.target == "/a" else reply()) as server:
        connection = connect(server.url)
        assert connection.send("GET", "/a", read=True).ok
        assert [request.target for request in server.requests] == ["/a", "/b?page=2"]
        assert connection.calls == 2


def test_a_read_by_post_is_redirected_only_as_a_post(connect):
    with hostile(in_turn(reply(307, location="/b"), reply())) as server:
        connect(server.url).send("POST", "/a", body=b"question", read=True)
        assert [(request.method, request.body) for request in server.requests] == [("POST", b"question")] * 2
    with hostile(reply(302, location="/b")) as server:
        with pytest.raises(WrongPlace, match="redirects a POST"):
            connect(server.url).send("POST", "/a", body=b"question", read=True)
        assert len(server.requests) == 1


def test_redirects_in_circles_end(connect):
    with hostile(reply(302, location="/a")) as server:
        with pytest.raises(WrongPlace, match="more than 5 times"):
            connect(server.url).send("GET", "/a", read=True)
        assert len(server.requests) == 6


def test_a_redirect_to_another_server_carries_no_credentials_there(connect):
    with hostile(reply()) as thief:
        for link in (f"{thief.url}/x", f"//127.0.0.1:{thief.port}/x", "https://evil.example/x"):
            with hostile(reply(302, location=link)) as server:
                connection = connect(server.url, headers={"Authorization": "Bearer s3cret-token"})
                with pytest.raises(WrongPlace, match="another one than"):
                    connection.send("GET", "/", read=True)
                assert len(server.requests) == 1
        assert thief.accepted == 0


def test_what_is_too_large_or_no_json_is_not_fetched_again(connect):
    assert issubclass(TooLarge, NoAnswer)
    assert issubclass(NotJson, NoAnswer)
    with hostile(reply(body=b"x" * (2 << 20))) as server:
        with pytest.raises(TooLarge):
            connect(server.url, max_response_mb=1).send("GET", "/", read=True)
        assert len(server.requests) == 1

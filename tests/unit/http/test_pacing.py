"""Never faster than allowed, never more at a time, whatever the threads do."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.clock import ManualClock, SystemClock
from reconciler.providers.http import HttpConnection, HttpSettings, NotSent
from reconciler.providers.http.pacing import Gate, TokenBucket
from tests.unit.http.hostile import hostile, reply


class Schedule(ManualClock):
    """Sleeps are other people's: time does not pass for the one who asks, as with many threads at once."""

    def sleep(self, seconds: float) -> None:
        self.asked = seconds


rates = st.decimals(min_value=Decimal("0.01"), max_value=1000, places=2)


@given(rates, st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_in_any_span_no_more_begin_than_the_rate_allows(rate, gaps):
    clock = Schedule()
    bucket = TokenBucket(rate, clock)
    starts = []
    for gap in gaps:
        clock.advance(gap)
        waited = bucket.take(1e9)
        starts.append(clock.monotonic() + waited)
    for first in range(len(starts)):
        for last in range(first, len(starts)):
            span = Decimal(starts[last]) - Decimal(starts[first])
            assert last - first + 1 <= 1 + span * rate + Decimal("1e-6")


@given(rates, st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5)), min_size=1, max_size=30))
def test_nobody_starts_while_the_server_asked_for_a_pause(rate, steps):
    clock = Schedule()
    bucket = TokenBucket(rate, clock)
    until = 0.0
    for gap, pause in steps:
        clock.advance(gap)
        if pause:
            bucket.hold(pause)
            until = max(until, clock.monotonic() + pause)
        waited = bucket.take(1e9)
        assert clock.monotonic() + waited >= until - 1e-6


@given(rates, st.floats(0, 5))
def test_who_has_no_patience_takes_no_token(rate, patience):
    clock = Schedule()
    bucket = TokenBucket(rate, clock)
    taken = [bucket.take(patience) for _ in range(20)]
    assert all(wait is None or wait <= patience for wait in taken)
    clock.advance(patience + 1 / float(rate) + 1)
    assert bucket.take(0) == 0


def test_no_rate_is_no_limit():
    clock = ManualClock()
    bucket = TokenBucket(0, clock)
    assert [bucket.take(0) for _ in range(1000)] == [0] * 1000


def test_the_rate_holds_over_threads_and_real_time():
    clock = SystemClock()
    bucket = TokenBucket(200, clock)
    starts = []

    def work() -> None:
        for _ in range(5):
            bucket.take(10)
            starts.append(time.monotonic())

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(work)
    assert len(starts) == 40
    assert max(starts) - min(starts) >= 39 / 200 - 0.005


def test_no_more_at_a_time_than_connections():
    def slow(request):
        yield 0.02
        yield reply()

    with hostile(slow) as server:
        connection = HttpConnection(server.url, HttpSettings(connections=3))
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: connection.send("GET", "/", read=True), range(36)))
        connection.close()
        assert all(answer.ok for answer in answers)
        assert server.busiest == 3
        assert server.accepted <= 3
        assert connection.calls == len(server.requests) == 36
        assert len({answer.request_id for answer in answers}) == 36


def test_a_rate_over_a_real_connection():
    with hostile(reply()) as server:
        connection = HttpConnection(server.url, HttpSettings(requests_per_second="50", connections=8))
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: connection.send("GET", "/", read=True), range(16)))
        connection.close()
        assert time.monotonic() - began >= 15 / 50


def test_who_waits_too_long_for_a_place_does_not_send():
    gate = Gate(1, TokenBucket(0, SystemClock()))
    inside, done = threading.Event(), threading.Event()

    def occupy() -> None:
        with gate.entered(5, "1"):
            inside.set()
            done.wait(5)

    thread = threading.Thread(target=occupy)
    thread.start()
    inside.wait(5)
    with pytest.raises(NotSent, match=r"no connection was free .*request 2"), gate.entered(0.05, "2"):
        raise AssertionError("there was no place")
    done.set()
    thread.join()
    with gate.entered(1, "3") as left:
        assert 0 < left <= 1


def test_a_failure_gives_its_place_back():
    gate = Gate(1, TokenBucket(0, SystemClock()))
    for _ in range(3):
        with pytest.raises(KeyError), gate.entered(0.1, "1"):
            raise KeyError

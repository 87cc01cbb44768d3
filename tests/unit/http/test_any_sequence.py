"""Whatever a server does, in whatever order and to however many threads: what we say of a request is true."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kernel.clock import ManualClock
from reconciler.providers.http import HttpConnection, HttpFailure, HttpSettings, NotSent
from tests.unit.http.hostile import CLOSE, CUT, hostile, reply

WHOLE = {
    "fine": [reply()],
    "fine, then closed": [reply(), CLOSE],
    "busy": [reply(503)],
    "throttled": [reply(429, retry_after="1")],
    "broken": [reply(500, b"<html>oops</html>")],
    "elsewhere": [reply(302, location="https://evil.example/")],
}
BROKEN = {
    "cut": [CUT],
    "closed": [CLOSE],
    "half a header": [b"HTTP/1.1 200 OK\r\nconte", CUT],
    "half a body": [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", CLOSE],
    "nonsense": [b"\x00\xff\r\n\r\n", CLOSE],
    "damaged": [reply(body=b"no gzip", content_encoding="gzip")],
}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from([*WHOLE, *BROKEN]), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_no_write_arrives_twice_and_nothing_is_said_that_is_not_so(behaviours, reads, width):
    lock = Lock()
    seen: Counter[str] = Counter()
    done: dict[str, list[str]] = {}

    def behave(request):
        number = request.headers["x-number"]
        with lock:
            behaviour = behaviours[sum(seen.values()) % len(behaviours)]
            seen[number] += 1
            done.setdefault(number, []).append(behaviour)
        return (WHOLE | BROKEN)[behaviour]

    with hostile(behave) as server:
        connection = HttpConnection(server.url, HttpSettings(connections=width), clock=ManualClock())

        def send(number: int):
            try:
                headers = {"X-Number": str(number)}
                return connection.send("POST", "/", headers=headers, body=b"{}", read=reads[number])
            except HttpFailure as failure:
                return failure

        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(send, range(len(reads))))
        connection.close()

    lost = connection.calls - sum(seen.values())
    """Written to a connection that the server was just closing: they may have arrived, and did not."""
    assert lost >= 0
    for number, (read, outcome) in enumerate(zip(reads, outcomes, strict=True)):
        arrivals = seen[str(number)]
        assert arrivals <= (5 if read else 1)
        if isinstance(outcome, NotSent):
            assert read or arrivals == 0
        elif not arrivals:
            assert lost
            assert isinstance(outcome, HttpFailure)
        else:
            last = done[str(number)][-1]
            assert (last in BROKEN) == isinstance(outcome, HttpFailure) or last == "elsewhere" or lost
    assert server.busiest <= width

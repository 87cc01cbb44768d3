"""The proxy does what its faults say: the books see a request or do not, and the client gets what is said."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

from reconciler.testing.fault_proxy import FaultProxy, ProxyFault
from reconciler.testing.world import Request


class Upstream(ThreadingHTTPServer):
    """Counts what it is told; answers with the count."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    server: Upstream

    def log_message(self, format: str, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(body)
        if body.startswith(b"<"):
            names = re.findall(rb'controlid="([^"]*)"', body)
            answer = b"<r>%s<n>%d</n></r>" % (
                b"".join(b"<controlid>%s</controlid>" % one for one in names),
                len(self.server.seen),
            )
        else:
            answer = json.dumps({"id": json.loads(body).get("id"), "result": len(self.server.seen)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    with FaultProxy(f"http://127.0.0.1:{upstream.server_address[1]}", is_write, patience=0) as proxy:
        yield proxy


def is_write(request: Request) -> bool:
    return request.path == "/write"


def post(
    proxy: FaultProxy, path: str = "/write", *, text: str = "", **call: object
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(proxy.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    try:
        connection.request("POST", path, text or json.dumps(call))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_undisturbed_it_is_not_noticed(proxy: FaultProxy, upstream: Upstream):
    assert [json.loads(post(proxy, id=n)[2]) for n in (1, 2)] == [{"id": 1, "result": 1}, {"id": 2, "result": 2}]
    post(proxy, "/read")
    assert (proxy.watch.requests, proxy.watch.writes, proxy.watch.struck) == (3, 2, False)


@pytest.mark.parametrize(
    ("fault", "done"), [(ProxyFault.CUT_BEFORE, 1), (ProxyFault.CUT_AFTER, 2), (ProxyFault.TRUNCATED, 2)]
)
def test_no_whole_answer_comes(proxy: FaultProxy, upstream: Upstream, fault: ProxyFault, done: int):
    proxy.arm(fault, 2)
    post(proxy)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        post(proxy)
    assert len(upstream.seen) == done
    assert (proxy.watch.struck, proxy.watch.struck_write) == (True, True)


@pytest.mark.parametrize("fault", [fault for fault in ProxyFault if fault.status])
def test_statuses(proxy: FaultProxy, upstream: Upstream, fault: ProxyFault):
    proxy.arm(fault, 1)
    status, headers, _ = post(proxy)
    assert status == fault.status
    assert len(upstream.seen) == (0 if fault.before else 1)
    assert headers.get("Retry-After") == ("1" if status == 429 else None)


def test_garbage_comes_with_a_good_status(proxy: FaultProxy, upstream: Upstream):
    proxy.arm(ProxyFault.GARBAGE, 1)
    status, _, body = post(proxy)
    assert status == 200
    with pytest.raises(ValueError):
        json.loads(body)
    assert len(upstream.seen) == 1


def test_a_late_landing_is_done_after_the_client_has_given_up(proxy: FaultProxy, upstream: Upstream):
    proxy.arm(ProxyFault.LATE_LANDING, 1)
    began = time.monotonic()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        post(proxy)
    proxy.drain()
    assert time.monotonic() - began >= 0.3
    assert len(upstream.seen) == 1


def test_a_stale_read_shows_what_was_and_bears_this_calls_number(proxy: FaultProxy, upstream: Upstream):
    post(proxy, "/read", id=1, what="all")
    proxy.arm(ProxyFault.STALE_READ, 1)
    assert json.loads(post(proxy, "/read", id=2, what="all")[2]) == {"id": 2, "result": 1}
    assert len(upstream.seen) == 1


def test_a_stale_read_of_xml_bears_this_calls_control_ids(proxy: FaultProxy, upstream: Upstream):
    """Whatever the session is, and the ids of control block and functions."""
    asked = (
        '<r><controlid>{0}</controlid><sessionid>{0}</sessionid><f controlid="{0}a"/><f controlid="{0}b"/>{1}</r>'
    )
    post(proxy, "/read", text=asked.format("1", "x"))
    proxy.arm(ProxyFault.STALE_READ, 1)
    body = post(proxy, "/read", text=asked.format("22", "x"))[2]
    assert body == b"<r><controlid>22a</controlid><controlid>22b</controlid><n>1</n></r>"
    assert proxy.watch.struck
    proxy.arm(ProxyFault.STALE_READ, 1)
    assert b"<n>2</n>" in post(proxy, "/read", text=asked.format("333", "y"))[2]
    assert not proxy.watch.struck


@pytest.mark.parametrize(("path", "what"), [("/write", "all"), ("/read", "some")])
def test_neither_a_write_nor_another_read_is_stale(proxy: FaultProxy, upstream: Upstream, path: str, what: str):
    post(proxy, path, id=1, what="all")
    proxy.arm(ProxyFault.STALE_READ, 1)
    assert json.loads(post(proxy, path, id=2, what=what)[2])["result"] == 2
    assert proxy.watch.struck is False


def test_a_stale_read_is_not_older_than_it_may_be(proxy: FaultProxy, upstream: Upstream):
    proxy.oldest = 0
    post(proxy, "/read", id=1)
    proxy.arm(ProxyFault.STALE_READ, 1)
    assert json.loads(post(proxy, "/read", id=2)[2])["result"] == 2


def test_a_write_is_told_of_before_its_answer_goes_back(proxy: FaultProxy, upstream: Upstream):
    told: list[tuple[int, int]] = []
    proxy.on_write = lambda n: told.append((n, len(upstream.seen)))
    post(proxy, "/read")
    post(proxy)
    post(proxy)
    assert told == [(1, 2), (2, 3)]

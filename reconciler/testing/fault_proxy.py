"""A reverse proxy on this machine that harms one exchange: what networks and ERPs do, at a chosen request.

It stands between a provider and its books, forwards whole requests and whole answers, one connection each, and
knows from the world which requests are writes. It judges nothing.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from reconciler.testing.world import Request

UPSTREAM_PATIENCE = 120
"""Seconds the books themselves may take."""
_LINGER = struct.pack("ii", 1, 0)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}


class ProxyFault(StrEnum):
    """What happens to the n-th request. *Before*: the books never see it; *after*: they have done it."""

    CUT_BEFORE = "cut before"
    CUT_AFTER = "cut after"
    LATE_ANSWER = "late answer"
    """Done at once, answered after the client has given up."""
    LATE_LANDING = "late landing"
    """Held back, and done after the client has given up."""
    ERROR_BEFORE = "500 before"
    ERROR_AFTER = "500 after"
    GATEWAY_BEFORE = "502 before"
    GATEWAY_AFTER = "502 after"
    UNAVAILABLE_BEFORE = "503 before"
    UNAVAILABLE_AFTER = "503 after"
    TOO_MANY = "429"
    """With `Retry-After: 1`; the books never see it."""
    STALE_READ = "stale read"
    """An earlier answer to the same read; where there is none, nothing is harmed."""
    TRUNCATED = "truncated"
    GARBAGE = "garbage"

    @property
    def status(self) -> int:
        return int(self.value[:3]) if self.value[:3].isdigit() else 0

    @property
    def before(self) -> bool:
        return self.value.endswith("before") or self is ProxyFault.TOO_MANY

    @property
    def slow(self) -> bool:
        return self in (ProxyFault.LATE_ANSWER, ProxyFault.LATE_LANDING)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    truncated: bool = False


@dataclass(slots=True)
class _Exchange:
    """A request with all that is needed to send it on."""

    request: Request
    headers: dict[str, str]


@dataclass(slots=True)
class Watch:
    """What the proxy has seen since it was last armed. `struck`: the fault found its request."""

    requests: int = 0
    writes: int = 0
    done: int = 0
    """Writes that the books have answered: of two at once, each has a number of its own."""
    struck: bool = False
    struck_write: bool = False


@dataclass(slots=True)
class FaultProxy:
    """Serves at `url` until the end of its `with`. `patience`: seconds after which its client gives up.

    `oldest`: how many seconds old a stale read may be; None: any age.
    """

    upstream: str
    is_write: Callable[[Request], bool]
    patience: int = 1
    oldest: float | None = None  # seconds, no money
    on_write: Callable[[int], None] | None = None
    """Called when the n-th write was done and before its answer goes back; the answer goes back after it."""
    watch: Watch = field(default_factory=Watch)
    _fault: ProxyFault | None = None
    _at: int = 0
    _of_writes: bool = False
    _seen: dict[tuple[str, str, bytes], tuple[float, bytes, Answer]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pending: list[threading.Thread] = field(default_factory=list)
    _server: _Server | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def arm(self, fault: ProxyFault | None = None, at: int = 0, *, of_writes: bool = False) -> None:
        """Harm the `at`-th request (or write) from now on, from 1; None harms none. Counting begins anew."""
        with self._lock:
            self.watch, self._fault, self._at, self._of_writes = Watch(), fault, at, of_writes

    def forget(self) -> None:
        """Nothing is remembered that a stale read could show."""
        with self._lock:
            self._seen.clear()

    def drain(self) -> None:
        """Wait until what was held back has landed."""
        while True:
            with self._lock:
                waiting = [thread for thread in self._pending if thread.is_alive()]
                self._pending = waiting
            if not waiting:
                return
            waiting[0].join(UPSTREAM_PATIENCE)

    def __enter__(self) -> FaultProxy:
        self._server = _Server(self)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fault-proxy", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self.drain()
        self._server.shutdown()
        self._server.server_close()

    # ---- one exchange ---------------------------------------------------------------------------------

    def handle(self, exchange: _Exchange) -> Answer | None:
        """The answer to give; None: cut the connection."""
        writes = self.is_write(exchange.request)
        fault = self._drawn(exchange.request, writes)
        if fault is None:
            return self._forwarded(exchange, writes)
        if fault is ProxyFault.CUT_BEFORE:
            return None
        if fault is ProxyFault.TOO_MANY:
            return _plain(429, ("Retry-After", "1"))
        if fault.status and fault.before:
            return _plain(fault.status)
        if fault is ProxyFault.LATE_LANDING:
            self._land_later(exchange, writes)
            time.sleep(self.patience + 0.5)
            return None
        if fault is ProxyFault.STALE_READ:
            return self._replayed(exchange.request) or self._forwarded(exchange, writes)
        return self._harmed(fault, self._forwarded(exchange, writes))

    def _harmed(self, fault: ProxyFault, answer: Answer) -> Answer | None:
        """What a fault makes of the answer to a request that was carried out."""
        match fault:
            case ProxyFault.CUT_AFTER:
                return None
            case ProxyFault.LATE_ANSWER:
                time.sleep(self.patience + 0.5)
                return answer
            case ProxyFault.TRUNCATED:
                return replace(answer, truncated=True)
            case ProxyFault.GARBAGE:
                headers = tuple(pair for pair in answer.headers if pair[0].lower() != "content-encoding")
                return Answer(answer.status, headers, b"<html><body>\xff\xfe{not json")
            case _:
                return _plain(fault.status)

    def _drawn(self, request: Request, writes: bool) -> ProxyFault | None:
        with self._lock:
            self.watch.requests += 1
            self.watch.writes += writes
            n = self.watch.writes if self._of_writes else self.watch.requests
            if self._fault is None or n != self._at or (self._of_writes and not writes):
                return None
            if self._fault is ProxyFault.STALE_READ and (writes or _key(request) not in self._seen):
                return None
            self.watch.struck, self.watch.struck_write = True, writes
            return self._fault

    def _land_later(self, exchange: _Exchange, writes: bool) -> None:
        def land() -> None:
            time.sleep(self.patience + 0.3)
            self._forwarded(exchange, writes)

        thread = threading.Thread(target=land, name="fault-proxy-late", daemon=True)
        with self._lock:
            self._pending.append(thread)
        thread.start()

    def _forwarded(self, exchange: _Exchange, writes: bool) -> Answer:
        """The books' own answer."""
        parts = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=UPSTREAM_PATIENCE)
        try:
            request = exchange.request
            connection.request(request.method, request.path, request.body or None, exchange.headers)
            response = connection.getresponse()
            kept = [pair for pair in response.getheaders() if pair[0].lower() not in _HOP_BY_HOP]
            answer = Answer(response.status, tuple(kept), response.read())
        except (OSError, http.client.HTTPException):
            return _plain(502)
        finally:
            connection.close()
        if writes:
            with self._lock:
                self.watch.done += 1
                done = self.watch.done
            if self.on_write is not None:
                self.on_write(done)
        elif answer.status == 200:
            with self._lock:
                self._seen[_key(request)] = time.monotonic(), request.body, answer
        return answer

    def _replayed(self, request: Request) -> Answer | None:
        with self._lock:
            seen = self._seen.get(_key(request))
        if seen is None or (self.oldest is not None and time.monotonic() - seen[0] > self.oldest):
            return None
        return _readdressed(seen[2], seen[1], request.body)


_OF_A_SESSION = re.compile(rb"<((?:\w+:)?(?:sessionid|token|AccessToken))>[^<]*<")
_CONTROL_ID = re.compile(rb'(controlid="|<controlid>)([^"<]*)')
"""What a request in XML has for itself: its session, and what an answer names its functions by."""


def _key(request: Request) -> tuple[str, str, bytes]:
    """What makes two reads the same: all but the number that JSON-RPC gives each call, and XML's like."""
    if request.body[:1] == b"<":
        whole = _CONTROL_ID.sub(rb"\1", _OF_A_SESSION.sub(rb"<\1><", request.body))
        return request.method, request.path, whole
    data = _object(request.body)
    if data is None or "id" not in data:
        return request.method, request.path, request.body
    data.pop("id")
    return request.method, request.path, json.dumps(data, sort_keys=True).encode()


def _readdressed(answer: Answer, earlier: bytes, body: bytes) -> Answer:
    """An earlier answer as one to this call: with its number, where it carries one."""
    if body[:1] == b"<":
        return _renamed(answer, earlier, body)
    asked, now = _object(earlier), _object(body)
    if asked is None or now is None or "id" not in asked or "id" not in now:
        return answer
    packed = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    data = _object(gzip.decompress(answer.body) if packed else answer.body)
    if data is None or data.get("id") != asked["id"]:
        return answer
    headers = tuple(pair for pair in answer.headers if pair[0].lower() != "content-encoding")
    return Answer(answer.status, headers, json.dumps({**data, "id": now["id"]}).encode())


def _renamed(answer: Answer, earlier: bytes, body: bytes) -> Answer:
    """The same for XML: the control ids of this call in place of that one's."""
    was, now = (_CONTROL_ID.finditer(text) for text in (earlier, body))
    names = {one[2]: other[2] for one, other in zip(was, now, strict=True)}
    packed = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    text = gzip.decompress(answer.body) if packed else answer.body
    headers = tuple(pair for pair in answer.headers if pair[0].lower() != "content-encoding")
    return Answer(answer.status, headers, _CONTROL_ID.sub(lambda one: one[1] + names.get(one[2], one[2]), text))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(text, parse_float=str) if text[:1] == b"{" else None
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _plain(status: int, *headers: tuple[str, str]) -> Answer:
    words = http.client.responses.get(status, "Error")
    return Answer(status, (("Content-Type", "text/html"), *headers), f"<h1>{status} {words}</h1>".encode())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None: ...

    def _any(self) -> None:
        self.close_connection = True
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, self.rfile.read(length))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        answer = self.server.proxy.handle(_Exchange(request, headers))
        if answer is None:
            self._cut()
            return
        body = answer.body
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if answer.truncated else body)
        self.wfile.flush()

    def _cut(self) -> None:
        """Reset the connection, as when a cable is pulled."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

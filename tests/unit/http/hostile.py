"""A real server on 127.0.0.1 that answers byte by byte as a test says: cuts, drips, lies and counts."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

CUT = object()
"""In an answer: reset the connection here."""
CLOSE = object()
"""In an answer: close the connection here, without having said so."""
HANG = object()
"""In an answer: say nothing more until the client is gone."""


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Iterable[object]
Behaviour = Callable[[Seen], Answer]


@dataclass
class Hostile:
    """`url` to reach it; `requests` in order of arrival; `busiest`: most requests at one time."""

    behave: Behaviour
    tls: ssl.SSLContext | None = None
    before: Callable[[socket.socket], bool] = lambda connection: True
    requests: list[Seen] = field(default_factory=list)
    accepted: int = 0
    busy: int = 0
    busiest: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    def close(self) -> None:
        self.socket.close()
        with self.lock:
            for connection in self.open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            with self.lock:
                self.open.add(connection)
            if not self.before(connection):
                return
            if self.tls is None:
                self._converse(connection)
                return
            with self.tls.wrap_socket(connection, server_side=True) as encrypted:
                self._converse(encrypted)

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        buffer = b""
        while True:
            request, buffer = read_request(connection, buffer)
            if request is None:
                return
            with self.lock:
                self.requests.append(request)
                self.busy += 1
                self.busiest = max(self.busiest, self.busy)
            if not _say(connection, self.behave(request), self._answered):
                return

    def _answered(self) -> None:
        """Before the last bytes go: once the client has them, it may rightly send the next request."""
        with self.lock:
            self.busy -= 1


def read_request(connection: socket.socket, buffer: bytes) -> tuple[Seen | None, bytes]:
    while b"\r\n\r\n" not in buffer:
        data = connection.recv(65536)
        if not data:
            return None, b""
        buffer += data
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(buffer) < length:
        data = connection.recv(65536)
        if not data:
            return None, b""
        buffer += data
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, buffer[:length]), buffer[length:]


def _say(connection: socket.socket, answer: Answer, answered: Callable[[], None]) -> bool:
    """Whether the connection may be used again."""
    parts = iter([answer] if isinstance(answer, bytes) else answer)
    part = next(parts, b"")
    open_ended = True
    while open_ended:
        following = next(parts, None)
        open_ended = following is not None
        if part is CUT or part is CLOSE or part is HANG or not open_ended or following is CUT or following is CLOSE:
            answered()
            answered = _nothing
        if part is CUT:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if part is CLOSE:
            return False
        if part is HANG:
            connection.recv(1)
            return False
        if isinstance(part, bytes):
            connection.sendall(part)
        else:
            time.sleep(part)  # type: ignore[arg-type]
        part = following
    return True


def _nothing() -> None:
    pass


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole answer; `content_type="text/html"` names a header."""
    fields = {"content-length": str(len(body))} | {key.replace("_", "-"): value for key, value in headers.items()}
    lines = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


def in_turn(*answers: Answer) -> Behaviour:
    """One answer after another; the last one for ever."""
    rest = list(answers)

    def behave(request: Seen) -> Answer:
        return rest.pop(0) if len(rest) > 1 else rest[0]

    return behave


@contextmanager
def hostile(behave: Behaviour | bytes, **options: object) -> Iterator[Hostile]:
    server = Hostile(behave if callable(behave) else in_turn(behave), **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()

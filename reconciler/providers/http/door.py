"""A door to a server of our own on this machine: plain posts, and answers read as they arrive.

It repeats nothing and bounds no sizes; for a server that others run, see `connection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from reconciler.providers.http.places import Endpoint
from reconciler.providers.http.wire import Wire

_DAY = 24 * 3600


class HttpDoor:
    """Posts to one server. Thread-safe. `headers` go with every request and are never printed."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], *, timeout: int, connections: int = 8) -> None:
        """`timeout`: seconds each step of an exchange may take. Raises ValueError."""
        self._endpoint = Endpoint(endpoint)
        self.name = self._endpoint.name
        self._headers = {"accept-encoding": "identity", **headers}
        self._timeout = timeout
        self._wire = Wire(connections=connections)

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """(status, body) of the answer. Raises NotSent or NoAnswer."""
        url = self._endpoint.url(path)
        with self._wire.exchange("POST", url, self._headers, body, self._timeout, whole=_DAY) as reply:
            return reply.status, b"".join(reply.pieces)

    @contextmanager
    def streamed(self, path: str, body: bytes) -> Iterator[tuple[int, Iterator[str]]]:
        """(status, lines) of an answer that is read as it arrives. Raises NotSent or NoAnswer."""
        url = self._endpoint.url(path)
        with self._wire.exchange("POST", url, self._headers, body, self._timeout, whole=_DAY) as reply:
            yield reply.status, _lines(reply.pieces)

    def close(self) -> None:
        self._wire.close()


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines at newlines alone, without them; JSON may hold any other separator."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.decode("utf-8")
    if rest:
        yield rest.decode("utf-8")

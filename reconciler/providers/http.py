"""The one door to HTTP: a pooled client whose failures say whether a request can have arrived.

It retries nothing: a client that repeated a write by itself could bill twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx


class NotSent(Exception):
    """No connection was made: the request cannot have arrived."""


class NoAnswer(Exception):
    """The request may have arrived; no whole answer came back."""


class HttpDoor:
    """Posts to one server. Thread-safe. `headers` go with every request and are never printed."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], *, timeout: int, connections: int = 8) -> None:
        self.name = httpx.URL(endpoint).netloc.decode("ascii", "replace")
        self._client = httpx.Client(
            base_url=endpoint,
            headers=dict(headers),
            timeout=timeout,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
        )

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """(status, body) of the answer. Raises NotSent or NoAnswer."""
        self._check_open()
        with _classed():
            response = self._client.post(path, content=body)
            return response.status_code, response.content

    @contextmanager
    def streamed(self, path: str, body: bytes) -> Iterator[tuple[int, Iterator[str]]]:
        """(status, lines) of an answer that is read as it arrives. Raises NotSent or NoAnswer."""
        self._check_open()
        with _classed(), self._client.stream("POST", path, content=body) as response:
            yield response.status_code, response.iter_lines()

    def close(self) -> None:
        self._client.close()

    def _check_open(self) -> None:
        if self._client.is_closed:
            raise NotSent("the connection is closed")


@contextmanager
def _classed() -> Iterator[None]:
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise NotSent(str(error) or type(error).__name__) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error

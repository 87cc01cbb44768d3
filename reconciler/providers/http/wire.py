"""One exchange with one server over pooled connections: the only module that knows httpx.

It bounds each exchange by a deadline, accepts no cookies, looks at no environment variable, follows nothing and
repeats nothing. What it raises says whether the request can have arrived.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from reconciler.providers.http.failures import NoAnswer, NotSent
from reconciler.providers.http.sockets import DeadlineBackend, Turn

CONNECT_SECONDS = 10
_IDLE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body is still on its way, as it travels (not decompressed)."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Wire:
    """Pooled connections to one server. Thread-safe. Without `verify`, no certificate is trusted."""

    def __init__(
        self,
        *,
        connections: int,
        verify: ssl.SSLContext | None = None,
        proxy: str | None = None,
        proxy_password: str = "",
    ) -> None:
        self._turn = Turn()
        verify = verify or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx.Client(
            transport=_Pool(verify, connections, self._turn, _proxy(proxy, proxy_password, verify)),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
            follow_redirects=False,
        )
        del self._client.headers["user-agent"]

    @contextmanager
    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        seconds: float,
        *,
        whole: float | None = None,
    ) -> Iterator[Reply]:
        """Send, and give the answer as it arrives. Raises NotSent or NoAnswer.

        At most `seconds` for each step, and for the whole of it `whole`, by default also `seconds`.
        """
        if self._client.is_closed:
            raise NotSent("the connection is closed")
        self._turn.begin(whole or seconds)
        with self._classed():
            limits = {"connect": min(CONNECT_SECONDS, seconds), "read": seconds, "write": seconds, "pool": seconds}
            request = self._client.build_request(
                method, url, headers=dict(headers), content=body, extensions={"timeout": limits}
            )
            response = self._client.send(request, stream=True)
            try:
                fields = {name.lower(): value for name, value in response.headers.items()}
                yield Reply(response.status_code, fields, response.iter_raw())
            finally:
                response.close()

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def _classed(self) -> Iterator[None]:
        try:
            yield
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.ProxyError) as error:
            raise NotSent(_words(error)) from error
        except _FAILURES as error:
            failure = NoAnswer if self._turn.sent else NotSent
            raise failure(self._turn.late() or _words(error)) from error


def trusting(ca_file: str | None = None) -> ssl.SSLContext:
    """Certificates are always verified: by the public authorities, and those in `ca_file`. Raises OSError."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.TransportError,
    httpx.StreamError,
    httpx.InvalidURL,
)

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_PLAIN = {
    "ConnectTimeout": "no connection within the time allowed",
    "ReadTimeout": "no answer within the time allowed",
    "WriteTimeout": "the server did not take the request within the time allowed",
    "PoolTimeout": "no connection was free within the time allowed",
    "ReadError": "the connection broke before the whole answer came",
    "WriteError": "the connection broke while the request was sent",
}


def _words(error: Exception) -> str:
    plain = _PLAIN.get(type(error).__name__)
    said = _ERRNO.sub("", str(error))
    if "CERTIFICATE_VERIFY_FAILED" in said and ("issuer" in said or "self" in said):
        said += "; if a private authority signed it, name its file in the connection's ca_file"
    if plain is None:
        return said or type(error).__name__
    return f"{plain}: {said}" if said and said != "timed out" else plain


def _proxy(url: str | None, password: str, verify: ssl.SSLContext) -> httpcore.Proxy | None:
    if url is None:
        return None
    parsed = httpx.URL(url)
    auth = (parsed.username, password) if parsed.username else None
    bare = str(parsed.copy_with(username=None, password=None))
    return httpcore.Proxy(bare, auth=auth, ssl_context=verify if parsed.scheme == "https" else None)


class _Pool(httpx.BaseTransport):
    """httpcore's pool over sockets that keep to the turn's deadline; httpx's own transport cannot take them."""

    def __init__(self, verify: ssl.SSLContext, connections: int, turn: Turn, proxy: httpcore.Proxy | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            proxy=proxy,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=DeadlineBackend(turn),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        assert isinstance(request.stream, httpx.SyncByteStream)
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Pieces(response.stream))

    def close(self) -> None:
        self._pool.close()


class _Pieces(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()

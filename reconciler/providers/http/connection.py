"""A connection to one server: every request of a provider goes through here.

It keeps to the server's pace, bounds time and size, follows redirects of reads within the server, repeats reads,
counts and logs. A write is sent at most once by each call, always. What an answer means is the provider's to say.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.kernel.clock import Clock, SystemClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.kernel.secrets import keep_secret
from reconciler.providers.http.answers import Answer
from reconciler.providers.http.failures import HttpFailure, NoAnswer, NotSent, TooLarge, WrongPlace
from reconciler.providers.http.inflating import Unreadable, inflater_for
from reconciler.providers.http.log import Exchange, OutcomeClass, instant, next_request_id, shown, shown_path, tell
from reconciler.providers.http.pacing import Gate, TokenBucket
from reconciler.providers.http.places import Endpoint, Query
from reconciler.providers.http.retrying import reading, worth_waiting
from reconciler.providers.http.settings import HttpSettings
from reconciler.providers.naming import connection_name

if TYPE_CHECKING:
    from reconciler.providers.http.wire import Wire

_NONE: Mapping[str, str] = MappingProxyType({})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_SECRET_HEADER = re.compile(r"auth|cookie|token|key|secret|password|session", re.IGNORECASE)
_DEFAULTS = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"reconciler/{__version__}",
}


@dataclass(frozen=True, slots=True)
class _Request:
    id: str
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    label: str
    attempt: int = 1


class HttpConnection:
    """Requests to one server. Thread-safe. Neither `repr` nor any message shows a secret."""

    def __init__(
        self,
        endpoint: str,
        settings: HttpSettings,
        *,
        secrets: Iterable[str] = (),
        headers: Mapping[str, str] = _NONE,
        clock: Clock | None = None,
        root: Path | None = None,
        name: str = "",
    ) -> None:
        """`headers` go with every request; a relative `ca_file` counts from `root`. Raises ReconcilerError."""
        self._endpoint = _endpoint(endpoint, settings)
        self.name = name or connection_name() or self._endpoint.name
        self._settings = settings
        self._clock = clock or SystemClock()
        self._headers = {**_DEFAULTS, **{key.lower(): value for key, value in headers.items()}}
        keep_secret(*secrets, *_secrets_in(self._headers))
        if unfit := _unfit(self._headers):
            raise ReconcilerError(
                f"the connection's {unfit} cannot be sent",
                why="it has a line break or a character outside ASCII",
                hint="Look at the environment variable it comes from: often a line break stands at its end.",
            )
        if settings.proxy_password is not None:
            keep_secret(settings.proxy_password.get_secret_value())
        self._bucket = TokenBucket(settings.requests_per_second, self._clock)
        self._gate = Gate(settings.connections, self._bucket)
        self._wire = _wire(settings, root, self._endpoint)
        self._calls = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<HttpConnection {self.name} to {self._endpoint.name}>"

    @property
    def server(self) -> str:
        """host:port, for messages."""
        return self._endpoint.name

    @property
    def calls(self) -> int:
        """Every request that left, repeated reads and redirects included."""
        with self._lock:
            return self._calls

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        read: bool,
        label: str = "",
    ) -> Answer:
        """Whatever the server answers, with any status.

        `read`: it changes nothing, so it may be repeated (after NotSent, NoAnswer, 429, 502, 503, 504) and
        redirected within the server. A write is tried once; the time it waits for its turn counts towards
        `timeout_seconds`, so it never starts late. `label` names the call in the log, where one path serves for
        all. Raises NotSent or NoAnswer (TooLarge, WrongPlace).
        """
        own = {key.lower(): value for key, value in (headers or {}).items()}
        keep_secret(*_secrets_in(own))
        request_id = next_request_id()
        if unfit := _unfit(own):
            raise NotSent(f"the header {unfit} has a line break or a character outside ASCII", request_id)
        request = _Request(
            request_id,
            method.upper(),
            self._endpoint.url(path, query),
            {**self._headers, **own},
            body,
            label,
        )
        if not read:
            return self._attempt(request)
        return reading(self._clock, lambda attempt: self._followed(replace(request, attempt=attempt)))

    def same_origin(self, url: str, *, base: str = "/") -> str:
        """Path and query of a link in an answer, to be given to `send`. Raises WrongPlace when it leads elsewhere.

        A relative link counts from `base`, the path of the request that gave it.
        """
        return self._endpoint.same_origin(url, base=base)

    def close(self) -> None:
        self._wire.close()

    # ---- one attempt ----

    def _followed(self, request: _Request) -> Answer:
        """A read's answer, redirects within the server followed."""
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._attempt(request)
            link = answer.headers.get("location")
            if answer.status not in _REDIRECTS or link is None:
                return answer
            if request.method not in ("GET", "HEAD") and answer.status not in (307, 308):
                raise WrongPlace(f"the server redirects a {request.method} (status {answer.status})", request.id)
            path = self._endpoint.same_origin(link, base=self._endpoint.path_of(request.url), request_id=request.id)
            request = replace(request, url=self._endpoint.url(path))
        raise WrongPlace(f"the server redirects more than {_MOST_REDIRECTS} times", request.id)

    def _attempt(self, request: _Request) -> Answer:
        began = time.monotonic()
        size = _Size()
        try:
            with self._gate.entered(self._settings.timeout_seconds, request.id) as seconds:
                answer = self._exchange(request, seconds, size)
        except HttpFailure as failure:
            self._tell(request, began, size, failure)
            raise
        if (pause := worth_waiting(answer)) is not None:
            self._bucket.hold(pause)
        self._tell(request, began, size)
        return answer

    def _exchange(self, request: _Request, seconds: float, size: _Size) -> Answer:
        limit = self._settings.max_response_mb << 20
        try:
            with self._wire.exchange(request.method, request.url, request.headers, request.body, seconds) as reply:
                size.status = reply.status
                body = _whole(reply.pieces, reply.headers, limit, size, head=request.method == "HEAD")
        except NotSent as failure:
            raise NotSent(f"{self.server}: {failure}", request.id) from failure
        except (NoAnswer, Unreadable) as failure:
            self._count()
            kind = type(failure) if isinstance(failure, NoAnswer) else NoAnswer
            raise kind(f"{self.server}: {failure}", request.id) from failure
        self._count()
        return Answer(reply.status, reply.headers, body, request.id, self._clock.now())

    def _count(self) -> None:
        with self._lock:
            self._calls += 1

    def _tell(self, request: _Request, began: float, size: _Size, failure: HttpFailure | None = None) -> None:
        if failure is None:
            outcome = OutcomeClass.of_status(size.status or 0)
        else:
            outcome = OutcomeClass.NOT_SENT if isinstance(failure, NotSent) else OutcomeClass.NO_ANSWER
        tell(
            Exchange(
                instant(self._clock),
                request.id,
                self.name,
                request.method,
                shown_path(request.url),
                shown(request.label),
                size.status,
                size.travelled,
                int((time.monotonic() - began) * 1000),
                request.attempt,
                outcome,
                "" if failure is None else str(failure),
            )
        )


@dataclass(slots=True)
class _Size:
    """What is known of an answer while it comes."""

    status: int | None = None
    travelled: int = 0


def _whole(pieces: Iterable[bytes], headers: Mapping[str, str], limit: int, size: _Size, *, head: bool) -> bytes:
    """The body, decompressed. Raises TooLarge before it holds more than `limit` bytes, or Unreadable."""
    inflater = inflater_for("" if head else headers.get("content-encoding", ""))
    body = bytearray()
    for piece in pieces:
        size.travelled += len(piece)
        if size.travelled > limit:
            raise TooLarge(f"the answer is larger than {limit >> 20} MB (max_response_mb)")
        for plain in inflater.feed(piece):
            if len(body) + len(plain) > limit:
                raise TooLarge(f"the answer is larger than {limit >> 20} MB decompressed (max_response_mb)")
            body += plain
    inflater.finish()
    return bytes(body)


def _secrets_in(headers: Mapping[str, str]) -> list[str]:
    """Values of headers that carry credentials; of `Bearer x`, x."""
    return [value.rpartition(" ")[2] for name, value in headers.items() if _SECRET_HEADER.search(name)]


def _unfit(headers: Mapping[str, str]) -> str:
    """The first header that HTTP cannot carry; nothing when there is none."""
    return next((name for name, value in headers.items() if not (value.isascii() and value.isprintable())), "")


def _endpoint(url: str, settings: HttpSettings) -> Endpoint:
    try:
        endpoint = Endpoint(url)
    except ValueError as error:
        raise ReconcilerError(f"the connection's endpoint {error}") from None
    if not (endpoint.encrypted or endpoint.local or settings.allow_plain_http):
        raise ReconcilerError(
            f"the connection's endpoint {endpoint.name} is not encrypted",
            why="over http:// anybody on the way can read the credentials and change the answers",
            hint="Use https://, or set `allow_plain_http: true` on a network you trust.",
        )
    return endpoint


def _wire(settings: HttpSettings, root: Path | None, endpoint: Endpoint) -> Wire:
    from reconciler.providers.http.wire import Wire, trusting  # httpx is dear to import

    encrypted = endpoint.encrypted or (settings.proxy or "").startswith("https:") or settings.ca_file is not None
    try:
        verify = (
            None
            if not encrypted
            else trusting(None if settings.ca_file is None else str((root or Path()) / settings.ca_file))
        )
    except OSError as error:
        raise ReconcilerError(
            f"the connection's ca_file {settings.ca_file} cannot be used",
            why=error.strerror or str(error),
            hint="It should be a PEM file of certificates.",
        ) from None
    password = settings.proxy_password.get_secret_value() if settings.proxy_password else ""
    return Wire(connections=settings.connections, verify=verify, proxy=settings.proxy, proxy_password=password)

"""The session: opened with the user's credentials, tied to the endpoint it names, renewed before it ends.

After `getAPISession` the user's password travels no more. The endpoint it names must be the configured one's own
origin, or another host of Intacct's over https where the configured one is Intacct's too; anything else is refused.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from reconciler.kernel.clock import Clock
from reconciler.kernel.secrets import keep_secret
from reconciler.providers.errors import Rejected, Unavailable
from reconciler.providers.http import HttpConnection
from reconciler.providers.intacct.answers import Response, result_error
from reconciler.providers.intacct.envelope import Function, Login, Request
from reconciler.providers.intacct.wire import element, leaf

DOMAIN = "intacct.com"
MARGIN = timedelta(minutes=2)
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests go: a connection, and the path on it."""

    connection: HttpConnection
    path: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session, the only place that knows it, and how long it is used (None: Intacct did not say when it ends)."""

    id: str = field(repr=False)
    place: Place
    company: str
    ends: datetime | None
    until: datetime | None
    """When another one is opened: some time before it ends."""


@dataclass(slots=True)
class Sessions:
    """One connection's session. Thread-safe: of several that find it over, one opens the next."""

    home: Place
    endpoint: str
    login: Login
    clock: Clock
    ask: Callable[[Place, Request, Login], Response]
    reach: Callable[[str], Place]
    """A place for another address of Intacct's."""
    _current: Session | None = None
    _places: dict[str, Place] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> Session:
        """A session that is good for a while. Raises ProviderError."""
        with self._lock:
            current = self._current
            if current is None or (current.until is not None and self.clock.now() >= current.until):
                current = self._current = self._opened()
            return current

    def is_over(self, session: Session) -> None:
        """Intacct no longer knows it."""
        with self._lock:
            if self._current is not None and self._current.id == session.id:
                self._current = None

    def goes_on(self, session: Session, timeout: str) -> None:
        """An answer said when the session ends now."""
        ends = _instant(timeout)
        with self._lock:
            current = self._current
            if ends is not None and current is not None and current.id == session.id and current.ends != ends:
                self._current = replace(current, ends=ends, until=self._renewal(ends))

    def connections(self) -> list[HttpConnection]:
        with self._lock:
            return [self.home.connection, *(place.connection for place in self._places.values())]

    def _renewal(self, ends: datetime | None) -> datetime | None:
        """Two minutes before a session ends; less before the end of one that is short."""
        return None if ends is None else ends - min(MARGIN, max(ends - self.clock.now(), timedelta(0)) / 4)

    def _opened(self) -> Session:
        call = element("getAPISession", leaf("locationid", self.login.location))
        response = self.ask(self.home, Request("session", [Function("session", call)]), self.login)
        result = response.of("session")
        if result is None:
            raise Unavailable("Intacct opened no session")
        if not result.done:
            raise result_error(result)
        found = next((row for row in result.rows() if row.get("sessionid")), None)
        if found is None:
            raise Unavailable("Intacct opened no session")
        keep_secret(found["sessionid"])
        place = self._place(found.get("endpoint", "").strip())
        ends = _instant(response.timeout)
        return Session(found["sessionid"], place, response.company, ends, self._renewal(ends))

    def _place(self, address: str) -> Place:
        if not address or address == self.endpoint:
            return self.home
        if not trusted(address, self.endpoint):
            raise Rejected(
                f"Intacct names another server for its session: {address}: not followed", code="endpoint"
            )
        if address not in self._places:
            self._places[address] = self.reach(address)
        return self._places[address]


def trusted(address: str, endpoint: str) -> bool:
    """Whether a session may go to `address`, of a gateway configured as `endpoint`."""
    try:
        found, own = urlsplit(address), urlsplit(endpoint)
    except ValueError:
        return False
    if found.username or found.password or found.query or found.fragment or _origin(address)[2] < 0:
        return False
    if _origin(address) == _origin(endpoint):
        return True
    return found.scheme == "https" and _intacct(found.hostname) and _intacct(own.hostname)


def _intacct(host: str | None) -> bool:
    name = (host or "").lower().rstrip(".")
    if not _HOST.fullmatch(name):
        return False
    return name == DOMAIN or name.endswith(f".{DOMAIN}")


def _origin(address: str) -> tuple[str, str, int]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return parts.scheme, (parts.hostname or "").lower().rstrip("."), port or _PORTS.get(parts.scheme, 0)


def split_address(address: str) -> tuple[str, str]:
    """(address of the folder, path in it) of a gateway's address."""
    base, _, name = address.rpartition("/")
    return base, f"/{name}"


def _instant(text: str) -> datetime | None:
    """An instant with an offset; without one it is UTC."""
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)

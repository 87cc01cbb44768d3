"""Where a connection may go: one server, below one path. Anything else is the wrong place."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from reconciler.kernel.plain import printable
from reconciler.providers.http.failures import WrongPlace

Query = Mapping[str, str] | Iterable[tuple[str, str]] | None
_PORTS = {"http": 80, "https": 443}
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")


class Endpoint:
    """The address of a server's API: scheme, host, port and a base path."""

    def __init__(self, url: str) -> None:
        """Raises ValueError, saying what the address should look like."""
        parts = _split(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("should hold no user and no password")
        if parts.query or parts.fragment:
            raise ValueError("should end with its path, without ? or #")
        self.origin = _origin(url)
        self.host = parts.hostname or ""
        self.base = parts.path.rstrip("/")
        self._root = f"{parts.scheme}://{parts.netloc}"

    @property
    def name(self) -> str:
        """host or host:port, for messages."""
        return self._root.partition("://")[2]

    @property
    def encrypted(self) -> bool:
        return self.origin[0] == "https"

    @property
    def local(self) -> bool:
        """On this very machine, so that nobody is on the way."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def url(self, path: str, query: Query = None) -> str:
        """The address of `path` (percent-encoded, below the base path). Raises ValueError."""
        if not path.startswith("/") or _UNFIT.search(path) or _climbs(path):
            raise ValueError(f"{printable(path, 80)!r} is no path of an API")
        if query:
            pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
            path += ("&" if "?" in path else "?") + urlencode(pairs)
        return self._root + self.base + path

    def path_of(self, url: str) -> str:
        """The path below the base path of an address that `url` made."""
        return urlsplit(url).path[len(self.base) :] or "/"

    def same_origin(self, link: str, *, base: str = "/", request_id: str = "") -> str:
        """Path and query of `link`, to be sent as they are. Raises WrongPlace when it leads elsewhere.

        A relative link counts from `base`, a path that was sent.
        """
        if len(link) > 8000 or _UNFIT.search(link):
            raise WrongPlace("the server gave a link that is none", request_id)
        try:
            target = urljoin(self._root + self.base + base, link)
            origin, parts = _origin(target), urlsplit(target)
        except ValueError:
            raise WrongPlace(f"the server gave a link that is none: {link}", request_id) from None
        if origin != self.origin:
            raise WrongPlace(
                f"the server points to {_shown(origin)}, another one than {self.name}: not followed", request_id
            )
        if (parts.path != self.base and not parts.path.startswith(f"{self.base}/")) or _climbs(parts.path):
            raise WrongPlace(f"the server points outside of {self.base or '/'}: not followed", request_id)
        path = parts.path[len(self.base) :] or "/"
        return f"{path}?{parts.query}" if parts.query else path


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or _UNFIT.search(url):
        raise ValueError("should be an address such as https://erp.example.com")
    return parts


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("no web address")
    return parts.scheme, parts.hostname.rstrip("."), parts.port or _PORTS[parts.scheme]


def _shown(origin: tuple[str, str, int]) -> str:
    return f"{origin[0]}://{origin[1]}:{origin[2]}"


def _climbs(path: str) -> bool:
    """`..` in any spelling: below the base path it would lead out of it."""
    plain = path.partition("?")[0].lower().replace("%2e", ".")
    return any(part in ("..", ".") for part in plain.split("/"))

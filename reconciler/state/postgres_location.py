"""Where a PostgreSQL state is, read from its URL: host, database, who, and how the way there is protected.

The URL is a secret: nothing here puts it, or its user and password, into a message.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.kernel.secrets import keep_secret

SSL_MODES = ("disable", "require", "verify-ca", "verify-full")
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,47}\Z", re.ASCII)
_SHAPE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"


@dataclass(frozen=True, slots=True)
class PostgresLocation:
    """One project's schema in one database. `host` is a name, an address or a folder of a Unix socket."""

    host: str
    port: int
    database: str
    schema: str
    user: str = field(repr=False)
    password: str = field(repr=False)
    ssl_mode: str = "verify-full"
    ssl_root_certificate: str = ""

    @property
    def place(self) -> str:
        """For messages: without user, password or options."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == 5432 else f":{self.port}"
        return printable(f"postgresql://{host}{port}/{self.database} (schema {self.schema})")

    @property
    def socket(self) -> str | None:
        return f"{self.host}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    def ssl_context(self) -> ssl.SSLContext | None:
        """What checks the server; None: the connection is not encrypted. Raises StateError."""
        if self.ssl_mode == "disable" or self.socket:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ssl_root_certificate or None)
        except (OSError, ssl.SSLError) as error:
            raise StateError(
                f"the certificates in {printable(self.ssl_root_certificate)} cannot be read",
                why=printable(str(error), 200),
                hint="`sslrootcert` in the state's URL names a PEM file of certificate authorities.",
            ) from None
        context.check_hostname = self.ssl_mode == "verify-full"
        if self.ssl_mode == "require":
            context.verify_mode = ssl.CERT_NONE
        return context


def check_schema(name: str) -> str:
    """`name`, when it can be a schema's. Raises StateError."""
    if not _SCHEMA.match(name) or name.startswith("pg_"):
        raise StateError(
            f"the state's schema {printable(name, 60)!r} is not a name for a schema",
            hint="Use small letters, digits and '_', at most 48: state: {schema: receivables}",
        )
    return name


def read_location(url: str, schema: str) -> PostgresLocation:
    """Raises StateError; its text never has a part of the URL that may be secret."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _unreadable("it cannot be read as a URL") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise _unreadable("it does not begin with postgresql://")
    unknown = sorted(set(options) - {"sslmode", "sslrootcert", "host"})
    if unknown:
        raise _unreadable(
            f"its option {printable(unknown[0], 40)!r} is not one this tool knows (sslmode, sslrootcert, host)"
        )
    host = unquote(options.get("host") or parts.hostname or "")
    missing = [
        name
        for name, value in (("host", host), ("user", parts.username), ("database", parts.path[1:]))
        if not value
    ]
    if missing:
        raise _unreadable(f"it names no {' and no '.join(missing)}")
    if parts.password:
        keep_secret(unquote(parts.password))
    return PostgresLocation(
        host=host,
        port=port,
        database=unquote(parts.path[1:]),
        schema=check_schema(schema),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ssl_mode=_ssl_mode(options, host),
        ssl_root_certificate=options.get("sslrootcert", ""),
    )


def _ssl_mode(options: Mapping[str, str], host: str) -> str:
    """As told; else checked in full, except on this very machine."""
    mode = options.get("sslmode")
    if mode is None:
        return "disable" if _is_local(host) else "verify-full"
    if mode not in SSL_MODES:
        raise _unreadable(f"its sslmode is not one of {', '.join(SSL_MODES)}")
    return mode


def _is_local(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unreadable(why: str) -> StateError:
    return StateError(
        "the URL of the PostgreSQL state cannot be used",
        why=why[0].upper() + why[1:] + ".",
        hint=f"It is a secret and is not shown. Its shape: {_SHAPE}",
    )

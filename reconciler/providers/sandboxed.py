"""`endpoint: sandbox`: a vendor's sandbox in this process, its books kept beside the project's state.

A connection's sandbox is `state/<connection>.sandbox.sqlite`; it is started when the connection is opened and
stopped when it is closed. Two connections of one name share it. Not here: any vendor's wire format.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.errors import ProviderError
from reconciler.providers.naming import connection_name
from reconciler.providers.protocol import Provider, Query

if TYPE_CHECKING:
    from reconciler.sandboxes.serving import Running

P = TypeVar("P", bound=Provider)
SANDBOX = "sandbox"
"""What a connection's `endpoint` says for a sandbox in this process."""


@dataclass(frozen=True, slots=True)
class Sandboxed:
    """A running sandbox: its address, and what a connection must present to it (`api_key`, ids)."""

    url: str
    presents: dict[str, str]
    _place: Path

    def close(self) -> None:
        """Stop it, if nobody else uses it. Twice does no harm."""
        _release(self._place, self)


@dataclass(slots=True)
class _Shared:
    running: Running
    users: list[Sandboxed] = field(default_factory=list)


_LOCK = threading.Lock()
_RUNNING: dict[Path, _Shared] = {}


def start_sandbox(vendor: str, root: Path, clock: Clock, switches: dict[str, str] | None = None) -> Sandboxed:
    """Start the sandbox of the connection that is being opened, or share the one it has in this process.

    Raises ReconcilerError where the extra `sandbox` is not installed.
    """
    from reconciler.sandboxes.serving import start  # a web server is dear to import, and only needed here

    name = quote(connection_name() or vendor, safe="")
    place = (root / "state" / f"{name}.sandbox.sqlite").resolve()
    with _LOCK:
        shared = _RUNNING.get(place)
        if shared is None:
            place.parent.mkdir(parents=True, exist_ok=True)
            shared = _Shared(start(vendor, store=place, switches=switches or {}, clock=clock))
            _RUNNING[place] = shared
        made = Sandboxed(shared.running.url, shared.running.connection, place)
        shared.users.append(made)
        return made


@contextmanager
def sandbox_where_asked(
    vendor: str, endpoint: str, root: Path, clock: Clock, switches: dict[str, str] | None = None
) -> Iterator[Sandboxed | None]:
    """The sandbox of a connection whose endpoint is `sandbox`, None for any other; closed if opening it fails."""
    sandbox = start_sandbox(vendor, root, clock, switches) if endpoint == SANDBOX else None
    try:
        yield sandbox
    except BaseException:
        if sandbox is not None:
            sandbox.close()
        raise


def presented(settings: BaseModel, name: str, sandbox: Sandboxed | None) -> str:
    """A credential or an id: as the connection sets it, else as its sandbox wants it."""
    value = getattr(settings, name)
    if value is None and sandbox is not None:
        return sandbox.presents[name]
    return str(value.get_secret_value() if isinstance(value, SecretStr) else value)


def greeted(provider: P, hint: str) -> P:
    """A provider that has answered once, by what it opens its books with. Raises ReconcilerError with the hint."""
    try:
        provider.observe(Query(()))
    except ProviderError as error:
        provider.close()
        raise ReconcilerError(error.message, hint=hint) from error
    return provider


def _release(place: Path, user: Sandboxed) -> None:
    with _LOCK:
        shared = _RUNNING.get(place)
        if shared is None or not any(one is user for one in shared.users):
            return
        shared.users = [one for one in shared.users if one is not user]
        if not shared.users:
            del _RUNNING[place]
            shared.running.stop()

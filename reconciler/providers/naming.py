"""Which connection is being opened: what is made for it then may call itself by the user's name for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_NAME: ContextVar[str] = ContextVar("connection", default="")


def connection_name() -> str:
    """The name in `reconciler.yaml`; empty outside of opening a connection."""
    return _NAME.get()


@contextmanager
def opening_connection(name: str) -> Iterator[None]:
    token = _NAME.set(name)
    try:
        yield
    finally:
        _NAME.reset(token)

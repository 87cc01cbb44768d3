"""Pages for browsers: the service's list of operations, and what a proxy says when it has no answer."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from http import HTTPStatus


def help_page(operations: Iterable[str]) -> bytes:
    items = "".join(f"<li>{escape(name)}</li>" for name in sorted(operations))
    return f"<html><head><title>Integration Web Service</title></head><body><ul>{items}</ul></body></html>".encode()


def proxy_page(status: int) -> bytes:
    words = HTTPStatus(status).phrase
    return f"<html><head><title>{status} {words}</title></head><body><h1>{words}</h1></body></html>".encode()

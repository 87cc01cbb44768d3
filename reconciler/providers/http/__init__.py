"""The way out to every server: one connection per provider, whose failures say whether a request can have arrived.

`HttpConnection` is for servers that others run; `HttpDoor` for one of our own on this machine. Only `wire` knows
httpx, and it is imported when a connection is made: settings can be described without it. XML is read only where an
ERP speaks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.providers.http.answers import Answer, json_body
from reconciler.providers.http.classing import CREDENTIALS_REFUSED, answer_error, classed, failure_error
from reconciler.providers.http.connection import HttpConnection
from reconciler.providers.http.failures import HttpFailure, NoAnswer, NotJson, NotSent, NotXml, TooLarge, WrongPlace
from reconciler.providers.http.settings import HttpSettings

if TYPE_CHECKING:
    from reconciler.providers.http.door import HttpDoor
    from reconciler.providers.http.xml import UnwritableText, xml_body, xml_bytes

__all__ = [
    "CREDENTIALS_REFUSED",
    "Answer",
    "HttpConnection",
    "HttpDoor",
    "HttpFailure",
    "HttpSettings",
    "NoAnswer",
    "NotJson",
    "NotSent",
    "NotXml",
    "TooLarge",
    "UnwritableText",
    "WrongPlace",
    "answer_error",
    "classed",
    "failure_error",
    "json_body",
    "xml_body",
    "xml_bytes",
]

_XML = frozenset({"UnwritableText", "xml_body", "xml_bytes"})


def __getattr__(name: str) -> Any:
    if name == "HttpDoor":
        from reconciler.providers.http.door import HttpDoor

        return HttpDoor
    if name in _XML:
        from reconciler.providers.http import xml

        return getattr(xml, name)
    raise AttributeError(name)

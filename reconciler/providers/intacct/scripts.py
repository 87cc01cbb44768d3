"""What scripts are made of: sending one call or several, and the record number that comes back. Pure."""

from __future__ import annotations

from datetime import date
from xml.etree.ElementTree import Element

from reconciler.providers.errors import Indeterminate, Rejected
from reconciler.providers.intacct.answers import Result
from reconciler.providers.intacct.batching import Script, Send
from reconciler.providers.intacct.envelope import Function
from reconciler.providers.intacct.wire import day_object, element, leaf
from reconciler.providers.protocol import Done, ExecuteRequest

LONGEST_REASON = 80


def send(request: ExecuteRequest, *calls: Element, word: str = "", counts: bool = True) -> Send:
    """Calls of a request, several as a transaction. A control id is the request's key, with `word` where there are
    more sends than one, and a number for all but the last of several."""
    own = f"{request.key}-{word}" if word else request.key
    last = len(calls) - 1
    ids = [own if at == last else f"{own}-{at + 1}" for at in range(len(calls))]
    return Send(tuple(map(Function, ids, calls)), counts)


def once(request: ExecuteRequest, call: Element, remote_id: str) -> Script:
    """A request that is one call."""
    yield send(request, call)
    return Done(remote_id)


def only(kind: str, expected: str, verb: str) -> None:
    """Raises Rejected where Intacct does this to another kind alone."""
    if kind != expected:
        raise Rejected(f"Intacct has no way to {verb} a {kind}", code="unsupported")


def reversal(function: str, key: str, on: date, reason: str) -> Element:
    return element(
        function, day_object("datereversed", on), leaf("description", reason[:LONGEST_REASON] or None), key=key
    )


def key_of(result: Result) -> str:
    """The record number that a legacy function gives."""
    if not result.key:
        raise Indeterminate("Intacct says it is done, and names no record")
    return result.key


def made_by(result: Result) -> str:
    """The record number of what `create` made."""
    key = next((row["RECORDNO"] for row in result.rows() if row.get("RECORDNO")), "") or result.key
    if not key:
        raise Indeterminate("Intacct says it is done, and names no record")
    return key

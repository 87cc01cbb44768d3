"""Answers: `<OpResponse>` with `<OpResult>` (status, error code, result) and the out parameters beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.accountsiq.catalogue import NAMESPACE, TYPES
from reconciler.sandboxes.accountsiq.decoding import default_of
from reconciler.sandboxes.accountsiq.encoding import children, encoded
from reconciler.sandboxes.accountsiq.notation import Field
from reconciler.sandboxes.accountsiq.operations import Operation
from reconciler.sandboxes.accountsiq.outcomes import Done
from reconciler.sandboxes.serving.messages import Reply
from reconciler.sandboxes.serving.soap import SOAP_11, soap_reply
from reconciler.sandboxes.serving.xml import element

_MISSING = -1
"""What an id is that there is not: out parameters of a call that failed."""


def response(operation: Operation, done: Done, year: str, version: str = SOAP_11) -> Reply:
    """The whole answer."""
    parts = [_result(operation, done, year), *(_out(field, done, year) for field in operation.outs)]
    body = element(f"{operation.name}Response", *parts, xmlns=NAMESPACE)
    return soap_reply(body, version=version)


def _result(operation: Operation, done: Done, year: str) -> Element | None:
    name = f"{operation.name}Result"
    if operation.bare and operation.result is not None:
        value = done.result
        if value is None and operation.result.array:  # the call as a whole failed: one status says so
            value = [done.row()]
        return encoded(name, operation.result, value, year)
    parts = list(children(TYPES.shapes["WSResultStatus"], done.row(), year))
    if operation.result is not None:
        parts.extend(_optional(operation.result, done.result, year))
    return element(name, *parts)


def _optional(field: Field, value: Any, year: str) -> Iterator[Element]:
    """`Result`: a value type is there even when the call failed."""
    if value is None and not field.nillable:
        value = default_of(field)
    made = encoded("Result", field, value, year)
    if made is not None:
        yield made


def _out(field: Field, done: Done, year: str) -> Element | None:
    value = done.outs.get(field.name)
    if value is None and not field.array:
        value = _MISSING
    return encoded(field.name, field, value, year)

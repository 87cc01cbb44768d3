"""The provider's requests against Codat's own OpenAPI documents, as the sandbox recorded them.

A request must be of a declared operation, with declared query parameters, and a JSON body that its schema takes and
that has no key the schema lacks. The documents are not part of this repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import httpx

from reconciler.sandboxes.serving import Running
from tests.unit.codat_sandbox import vendor_schemas

_BY_DESIGN = {"/attachment"}
"""Paths whose body the documents give no form: a bare binary string, where a multipart form is meant."""


def unavailable() -> str:
    """Why the contract cannot be checked here; '' where it can."""
    return "" if vendor_schemas.available() else vendor_schemas.ABSENT


def breaches(running: Running) -> list[str]:
    """What the documents say against the requests that a sandbox was sent; each once."""
    found: dict[str, None] = {}
    for item in running.log:
        if item.path.startswith("/__sandbox__"):
            continue
        for problem in _problems(item):
            found[f"{item.method} {_shape(item.path)}: {problem}"] = None
    return list(found)


def _problems(item: Any) -> Iterator[str]:
    operation = _operation(item.method.lower(), item.path)
    if operation is None:
        yield "no document declares it"
        return
    name, template, spec = operation
    declared = _parameters(name, template, spec)
    for key, _ in _query(item.query):
        if key not in declared:
            yield f"the query parameter {key} is not declared"
    takes = spec.get("requestBody", {}).get("content", {})
    body = item.body if isinstance(item.body, bytes) else str(item.body or "").encode()
    if body and "application/json" in takes:
        request = httpx.Request(item.method, f"http://codat{item.path}", content=body)
        yield from vendor_schemas.request_problems(request)
        yield from (f"{place} is a float in disguise" for place in _exponents(body))
    elif body and not any(item.path.endswith(end) for end in _BY_DESIGN):
        yield "a body where none is declared"


def _operation(method: str, path: str) -> tuple[str, str, dict[str, Any]] | None:
    for name in vendor_schemas.FILES:
        found = vendor_schemas._operation(name, method, path)
        if found is not None:
            return name, *found
    return None


def _parameters(name: str, template: str, spec: dict[str, Any]) -> set[str]:
    items = [*spec.get("parameters", ()), *vendor_schemas.document(name)["paths"][template].get("parameters", ())]
    return {str(vendor_schemas._resolve(name, item).get("name")) for item in items}


def _query(query: Any) -> list[tuple[str, str]]:
    if isinstance(query, str):
        return parse_qsl(query, keep_blank_values=True)
    if isinstance(query, dict):
        return [(key, str(value)) for key, value in query.items()]
    return list(query or ())


def _exponents(body: bytes) -> list[str]:
    """Numbers written with an exponent or more digits than money has: what a float would have left behind."""
    found: list[str] = []

    def number(text: str) -> None:
        if "e" in text.lower() or len(text) > 20:
            found.append(text)

    json.loads(body, parse_float=number)
    return found


def _shape(path: str) -> str:
    return "/".join("{}" if any(letter.isdigit() for letter in part) else part for part in path.split("/"))

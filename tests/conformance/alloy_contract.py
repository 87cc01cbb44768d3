"""The provider's requests against the samples in Alloy's documents, as the sandbox recorded them.

There is no schema of Alloy's API: a request is held against the bodies that the documents show, of what is created
and of what is read, and a field must be of a type that one of them has. Paths and query parameters are those that
the documents name. The samples are not part of this repository.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from reconciler.sandboxes.serving import Running

SAMPLES = Path(__file__).parents[3] / "shared" / "specs" / "alloy" / "samples"
ABSENT = "the samples of Alloy's documents (../shared/specs/alloy) are not here"
_FILES: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account.object",),
    "customers": ("customer.create.request", "customer.create.request.sdk"),
    "items": ("item.object", "item.create.request.sdk"),
    "invoices": ("invoice.object", "invoice.create.request", "invoice.create.request.sdk"),
    "payments": ("payment.retrieve.response", "payment.create.request.sdk"),
}
_NAMED: Mapping[str, Mapping[str, str]] = {
    "customers": {"email": "text", "taxNumber": "text", "addresses[].street2": "text"},
    "items": {"invoiceAccountId": "text"},
    "payments": {"remoteFields": "object", "exchangeRate": "text"},
    "invoices": {
        "exchangeRate": "number",
        "memo": "text",
        "lineItems[].unitPrice": "number",
        "lineItems[].quantity": "number",
        "lineItems[].accountId": "text",
        "lineItems[].trackingCategoryIds": "list",
        "lineItems[].trackingCategoryIds[]": "text",
    },
    "accounts": {"accountNumber": "text", "parentAccountId": "text"},
}
"""Fields that the documents name in words: no sample has a value of theirs."""
_ONE_OR_MANY = ("addresses", "phoneNumbers")
"""The guide posts one object, the vendor's own tests a list of them."""
_FILTERS = {
    "credentialId",
    "pageSize",
    "pageNumber",
    "cursor",
    "remoteId",
    "invoiceNumber",
    "memoContains",
    "customerName",
    "itemName",
    "accountName",
}
_FORWARDED = {"method", "endpoint", "body", "query", "extraHeaders"}
_PATH = re.compile(
    r"/2024-03/one/accounting/(company-info|accounts|customers|items|tax-rates|tracking-categories|invoices|payments)"
    r"(?:/(count|[A-Za-z0-9-]+))?\Z"
)


def unavailable() -> str:
    """Why the contract cannot be checked here; '' where it can."""
    return "" if SAMPLES.is_dir() else ABSENT


def breaches(running: Running) -> list[str]:
    """What the documents say against the requests that a sandbox was sent; each once."""
    found: dict[str, None] = {}
    for item in running.log:
        if not item.path.startswith("/__sandbox__"):
            for problem in _problems(item):
                found[f"{item.method} {item.path}: {problem}"] = None
    return list(found)


def _problems(item: Any) -> Iterator[str]:
    for key, _ in _query(item.query):
        if key not in _FILTERS:
            yield f"the query parameter {key} is not declared"
    body = item.body if isinstance(item.body, bytes) else str(item.body or "").encode()
    if item.path == "/2024-03/one/forward":
        yield from _forwarded(json.loads(body))
        return
    place = _PATH.match(item.path)
    if place is None:
        yield "no document has this path"
        return
    resource, one = place.groups()
    writes = {"POST": one is None, "PUT": one not in (None, "count"), "DELETE": one not in (None, "count")}
    if item.method != "GET" and (resource not in _FILES or not writes.get(item.method, False)):
        yield "no document has this method here"
    if item.method in ("POST", "PUT") and resource in _FILES:
        known = shapes(resource)
        for name, kind in fields(json.loads(body)):
            if name not in known:
                yield f"the documents show no {name}"
            elif kind != "null" and kind not in known[name]:
                yield f"{name} is a {kind}, the documents show {' or '.join(sorted(known[name]))}"


def _forwarded(body: Mapping[str, Any]) -> Iterator[str]:
    if set(body) != _FORWARDED:
        yield f"a forwarded request has {sorted(_FORWARDED)}, not {sorted(body)}"
    for key in ("body", "query"):
        if body.get(key) is not None and not isinstance(json.loads(body[key]), dict):
            yield f"the forwarded {key} is no text of a JSON object"


def _query(query: Any) -> list[tuple[str, str]]:
    if isinstance(query, str):
        return parse_qsl(query, keep_blank_values=True)
    return [(key, str(value)) for key, value in query.items()] if isinstance(query, dict) else list(query or ())


@lru_cache(maxsize=8)
def shapes(resource: str) -> dict[str, set[str]]:
    """A resource's fields, and the types that samples and words show for each."""
    found: dict[str, set[str]] = {}
    for name in _FILES[resource]:
        sample = json.loads((SAMPLES / f"{name}.json").read_text())["body"]
        for place, kind in fields(sample.get(resource.removesuffix("s"), sample)):
            found.setdefault(place, set()).add(kind)
            if place.startswith(_ONE_OR_MANY) and not place.startswith(tuple(f"{key}[" for key in _ONE_OR_MANY)):
                found.setdefault(place.replace(".", "[].", 1), set()).add(kind)
    for place, kind in _NAMED[resource].items():
        found.setdefault(place, set()).add(kind)
    return found


def fields(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """(place, type) of everything in a body; what is below `remoteFields` is the ERP's own."""
    kinds = {bool: "boolean", int: "number", float: "number", str: "text", dict: "object", list: "list"}
    if place:
        yield place, kinds.get(type(value), "null")
    if place == "remoteFields":
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from fields(item, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item, f"{place}[]")

"""The provider's requests against Rutter's own schemas of 2024-08-31, as the sandbox recorded them.

A JSON body must be what its schema takes, without a key the schema lacks; query parameters and headers are those of
Rutter's documents. The schemas are not part of this repository.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from reconciler.sandboxes.serving import Running
from tests.unit.rutter_sandbox import vendor_schemas

QUERIES = {"access_token", "cursor", "limit", "filter", "sort", "last_synced_at_min"}
_EXPONENT = re.compile(r"[:\[,]\s*-?\d+(\.\d+)?[eE]")


def unavailable() -> str:
    """Why the contract cannot be checked here; '' where it can."""
    return "" if vendor_schemas.available() else vendor_schemas.ABSENT


def breaches(running: Running) -> list[str]:
    """What the documents say against the requests that a sandbox was sent; each once."""
    found: dict[str, None] = {}
    for item in running.log:
        if not item.path.startswith("/__sandbox__") and item.headers.get("user-agent", "").startswith("reconciler"):
            for problem in _problems(item):
                found[f"{item.method} {item.path}: {problem}"] = None
    return list(found)


def _problems(item: Any) -> Iterator[str]:
    if item.headers.get("x-rutter-version") != "2024-08-31":
        yield "no version"
    yield from (f"the query parameter {key} is not Rutter's" for key, _ in item.query if key not in QUERIES)
    keyed = item.method in ("POST", "PATCH") and "/accounting/" in item.path
    if keyed != ("idempotency-key" in item.headers):
        yield "an Idempotency-Key belongs to POST and PATCH, and to no other method"
    elif keyed:
        uuid.UUID(item.headers["idempotency-key"])
    if not item.body:
        return
    if item.path.endswith("/attachments"):
        if not item.headers.get("content-type", "").startswith("multipart/form-data"):
            yield "a file that is no form"
        return
    if item.method == "DELETE":
        if set(json.loads(item.body)) != {"response_mode"}:
            yield "a DELETE's body is its response_mode alone"
        return
    if _EXPONENT.search(item.body.decode()):
        yield "a float in disguise"
    request = httpx.Request(item.method, f"http://rutter{item.path}", content=item.body)
    yield from vendor_schemas.request_problems(request)

"""Pages of a list: `page`, `pageSize`, `query`, `orderBy`, and the links between pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reconciler.sandboxes.codat.query import Properties, comparable, parse_query, resolve, value_at
from reconciler.sandboxes.codat.words import Problem
from reconciler.sandboxes.serving.messages import Call, Reply, json_reply
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.switches import Switches

LARGEST_PAGE = 5000


def list_reply(
    call: Call, records: Sequence[Mapping[str, Any]], properties: Properties, model: str, switches: Switches
) -> Reply:
    """One page of `records` as the API answers it. Raises Problem."""
    page, size = _whole(call, "page", 1), _whole(call, "pageSize", 100)
    page = max(page, 1)
    if not 1 <= size <= LARGEST_PAGE:
        raise Problem(400, f"The field PageSize must be between 1 and {LARGEST_PAGE}.")
    found = list(records)
    if query := call.first("query"):
        selects = parse_query(query, properties, model)
        found = [record for record in found if selects(record)]
    if order := call.first("orderBy"):
        found = _ordered(found, order, properties, model)
    if page > 1:
        found = drifted(found, switches, call)
    first = (page - 1) * size
    links = {"current": {"href": _href(call, page, size)}, "self": {"href": call.path}}
    if first + size < len(found):
        links["next"] = {"href": _href(call, page + 1, size)}
    if page > 1:
        links["previous"] = {"href": _href(call, page - 1, size)}
    return json_reply(
        {
            "results": found[first : first + size],
            "pageNumber": page,
            "pageSize": size,
            "totalResults": len(found),
            "_links": links,
        }
    )


def _whole(call: Call, name: str, default: int) -> int:
    text = call.first(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Problem(400, f"The value '{text[:40]}' is not valid for {name}.")
    return int(text)


def _ordered(
    records: list[Mapping[str, Any]], order: str, properties: Properties, model: str
) -> list[Mapping[str, Any]]:
    down = order.startswith("-")
    path = order.removeprefix("-")
    kind = resolve(path, properties, model)
    with_value = [record for record in records if value_at(record, path) is not None]
    without = [record for record in records if value_at(record, path) is None]
    with_value.sort(key=lambda record: comparable(value_at(record, path), kind), reverse=down)
    return [*with_value, *without] if down else [*without, *with_value]


def _href(call: Call, page: int, size: int) -> str:
    parts = [f"page={page}", f"pageSize={size}"]
    parts += [f"{name}={quote(value, safe='')}" for name in ("query", "orderBy") if (value := call.first(name))]
    return f"{call.path}?{'&'.join(parts)}"

"""Lists: which objects, in which order, one page of them with a cursor.

A cursor stands for the last object shown, by its value in the order and its place: records that change while
pages are read move with the order.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.sandboxes.rutter.cache import Entry
from reconciler.sandboxes.rutter.filters import parse_filter
from reconciler.sandboxes.rutter.objects import TIMES, ObjectType
from reconciler.sandboxes.rutter.platforms import Platform
from reconciler.sandboxes.rutter.words import Problem, instant_of
from reconciler.sandboxes.serving import exact
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.switches import Switches

COMMON = ("access_token", "cursor", "limit", "expand", "force_fetch", "filter", "sort")
RANGES = {
    "updated_at_min": ("updated_at", 1),
    "updated_at_max": ("updated_at", -1),
    "created_at_min": ("created_at", 1),
    "created_at_max": ("created_at", -1),
    "last_synced_at_min": ("last_synced_at", 1),
}
DEFAULT_PAGE = 50
Model = dict[str, Any]


def page_of(
    call: Call, kind: ObjectType, entries: Sequence[Entry], switches: Switches, platform: Platform
) -> tuple[list[Entry], str | None]:
    """One page of a list and the cursor of the next one. Raises Problem."""
    fields = {**TIMES, **kind.filterable, **_more_fields(kind, switches)}
    found = _selected(call, kind, entries, fields, switches, platform)
    field, down = _order(call.first("sort"), fields)
    limit = limit_of(call, DEFAULT_PAGE, switches)
    found.sort(key=lambda entry: _key(entry, field), reverse=down)
    start = 0
    if cursor := call.first("cursor"):
        after = _read_cursor(cursor, field, down)
        keys = [_key(entry, field) for entry in found]
        start = sum(1 for key in keys if not (key < after if down else key > after))
        found = found[:start] + drifted(found, switches, call)[start:] if start < len(found) else found
    shown = found[start : start + limit]
    following = _write_cursor(shown[-1], field, down) if shown and start + limit < len(found) else None
    return shown, following


def _more_fields(kind: ObjectType, switches: Switches) -> dict[str, str]:
    """Fields that the switch `filterable` adds: `invoice_payments.memo invoices.memo`."""
    words = [word.partition(".") for word in switches.text("filterable").replace(",", " ").split()]
    return {field: "text" for path, _, field in words if path == kind.path}


def _selected(
    call: Call,
    kind: ObjectType,
    entries: Sequence[Entry],
    fields: Mapping[str, str],
    switches: Switches,
    platform: Platform,
) -> list[Entry]:
    found = list(entries)
    ignored = {"platform": not platform.filters, "1": True, "0": False}[switches.text("ignore_filter")]
    if (text := call.first("filter")) is not None and not ignored:
        selects = parse_filter(text, fields, kind.path)
        found = [entry for entry in found if selects(entry.shown())]
    for name, (field, sign) in RANGES.items():
        if (value := call.first(name)) is not None:
            limit = _unix(name, value)
            found = [entry for entry in found if _within(entry.shown().get(field), limit, sign)]
    if kind.parameter and (value := call.first(kind.parameter)) is not None:
        found = [entry for entry in found if entry.model.get(kind.parameter) == value]
    return found


def _within(value: str | None, limit: str, sign: int) -> bool:
    if value is None:
        return False
    return value >= limit if sign > 0 else value <= limit


def _unix(name: str, text: str) -> str:
    """Unix milliseconds as an instant's text. Raises Problem."""
    if not text.isascii() or not text.isdigit() or len(text) > 14:
        raise Problem(400, f"Invalid query parameter: {name}: expected a unix timestamp in milliseconds")
    return instant_of(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text)))


def limit_of(call: Call, default: int, switches: Switches) -> int:
    """The page size asked for. Raises Problem."""
    text = call.first("limit")
    if text is None:
        return default
    largest = max(default, switches.number("largest_page"))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= largest:
        raise Problem(400, f"Invalid query parameter: limit: expected a whole number from 1 to {largest}")
    return int(text)


def _order(text: str | None, fields: Mapping[str, str]) -> tuple[str, bool]:
    field, _, direction = (text or "updated_at DESC").strip().partition(" ")
    if field not in fields or direction.strip() not in ("ASC", "DESC"):
        raise Problem(400, f"Invalid query parameter: sort: {str(text)[:60]!r}")
    return field, direction.strip() == "DESC"


def _key(entry: Entry, field: str) -> tuple[str, int]:
    value = entry.synced if field == "last_synced_at" else entry.model.get(field)
    return str(value or ""), entry.place


def _write_cursor(entry: Entry, field: str, down: bool) -> str:
    return encoded([field, down, *_key(entry, field)])


def _read_cursor(cursor: str, field: str, down: bool) -> tuple[str, int]:
    match decoded(cursor):
        case [str(of), bool(downwards), str(value), int(place)] if (of, downwards) == (field, down):
            return value, place
        case _:
            raise Problem(400, "Invalid query parameter: cursor: it belongs to another list")


def offset_of(call: Call) -> int:
    """Where a page begins in a list whose cursors are plain offsets. Raises Problem."""
    text = call.first("cursor")
    if text is None:
        return 0
    match decoded(text):
        case [int(offset)] if 0 <= offset < 10**9:
            return offset
        case _:
            raise Problem(400, "Invalid query parameter: cursor: it belongs to another list")


def encoded(value: list[Any]) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(exact.write(value)).decode().rstrip("=")


def decoded(cursor: str) -> list[Any]:
    """What a cursor of ours stands for. Raises Problem."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        kept = exact.read(text)
    except (binascii.Error, ValueError):
        kept = None
    if not isinstance(kept, list) or not all(isinstance(one, (str, int)) for one in kept):
        raise Problem(400, "Invalid query parameter: cursor")
    return kept


def shown(entry: Entry, *, platform_data: bool) -> Model:
    """The object as an answer has it, with the platform's raw data where that was asked for."""
    model = entry.shown()
    if platform_data:
        raw = {key: value for key, value in entry.model.items() if key not in ("id", "platform_url")}
        model["platform_data"] = {"id": entry.model["platform_id"], "data": raw}
    return model

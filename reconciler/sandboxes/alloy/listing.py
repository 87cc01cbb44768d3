"""Lists: the filters of the query, and a page by number or by cursor, as the documents describe both."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconciler.kernel.money import parse_decimal
from reconciler.sandboxes.alloy.words import invalid
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.paging import drifted
from reconciler.sandboxes.serving.switches import Switches

Model = dict[str, Any]
SMALLEST, USUAL, LARGEST = 1, 50, 100
PAGING = frozenset({"pageNumber", "pageSize", "cursor"})
CREDENTIAL = frozenset({"credentialId", "connectionId"})

_COMMON = {
    "remoteId": "id", "companyId": "id",
    "remoteCreatedAt": "instant", "remoteUpdatedAt": "instant", "createdAt": "instant", "updatedAt": "instant",
}  # fmt: skip
FIELDS: Mapping[str, Mapping[str, str]] = {
    "company": _COMMON,
    "account": _COMMON
    | dict.fromkeys(("accountName", "accountDescription", "accountNumber"), "text")
    | dict.fromkeys(("classification", "accountType", "accountStatus", "currency", "parentAccountId"), "id")
    | {"currentBalance": "number"},
    "customer": _COMMON
    | dict.fromkeys(("customerName", "email", "taxNumber"), "text")
    | dict.fromkeys(("customerStatus", "currency"), "id"),
    "item": _COMMON
    | {"itemName": "text"}
    | dict.fromkeys(("itemStatus", "itemType", "billAccountId", "invoiceAccountId", "assetAccountId"), "id")
    | dict.fromkeys(("unitPrice", "purchasePrice", "qtyOnHand"), "number"),
    "tax_rate": _COMMON
    | {"description": "text"}
    | dict.fromkeys(("totalTaxRate", "effectiveTaxRate"), "number"),
    "tracking_category": _COMMON
    | {"trackingCategoryName": "text"}
    | dict.fromkeys(("trackingCategoryStatus", "trackingCategoryType", "parentCategoryId"), "id"),
    "invoice": _COMMON
    | dict.fromkeys(("invoiceNumber", "memo"), "text")
    | dict.fromkeys(("customerId", "currency", "invoiceStatus"), "id")
    | dict.fromkeys(("issueDate", "dueDate", "paidOnDate"), "day")
    | dict.fromkeys(
        ("exchangeRate", "totalDiscount", "subTotal", "totalTaxAmount", "totalAmount", "balance"), "number"
    ),
    "payment": _COMMON
    | dict.fromkeys(("customerId", "vendorId", "accountId", "currency"), "id")
    | {"transactionDate": "day", "totalAmount": "number", "exchangeRate": "number"},
}  # fmt: skip
"""What each list can be filtered by. `id`: equality; `text`: also Contains, NotEquals; `day`: equality;
`number`: also Min, Max, NotEquals; `instant`: Min and Max alone."""
_SUFFIXES = {
    "id": ("",), "day": ("",), "text": ("", "Contains", "NotEquals"), "number": ("", "Min", "Max", "NotEquals"),
    "instant": ("Min", "Max"),
}  # fmt: skip


def filtered(kind: str, models: Sequence[Model], call: Call, switches: Switches) -> list[Model]:
    """What of `models` the query selects. Raises Problem on filters nobody wrote of."""
    tests = []
    for name, value in call.query:
        if name in PAGING or name in CREDENTIAL:
            continue
        test = _test(kind, name, value, older=switches.text("timestamps") == "createdTimestamp")
        if test is not None:
            tests.append(test)
        elif switches.text("unknown_filters") == "refuse":
            raise invalid(f'"{name[:60]}" is not allowed')
    return [model for model in models if all(test(model) for test in tests)]


def _test(kind: str, name: str, value: str, *, older: bool) -> Callable[[Model], bool] | None:
    for field, sort in FIELDS[kind].items():
        if not name.startswith(field):
            continue
        suffix = name[len(field) :]
        if suffix in _SUFFIXES[sort]:
            shown = field
            if older and field in ("createdAt", "updatedAt"):
                shown = f"{field.removesuffix('At')}Timestamp"
            return _comparison(shown, sort, suffix, value)
    return None


def _comparison(field: str, sort: str, suffix: str, value: str) -> Callable[[Model], bool]:
    wanted: Any = value
    if sort == "number":
        try:
            wanted = parse_decimal(value)
        except ValueError:
            raise invalid(f'"{field}{suffix}" must be a number') from None
    elif sort == "day":
        wanted = _day(field, value)
    elif sort == "instant":
        wanted = _instant(f"{field}{suffix}", value)

    def test(model: Model) -> bool:
        found = model.get(field)
        if found is None:
            return suffix == "NotEquals"
        if sort == "day":
            found = str(found)[:10]
        elif sort == "instant":
            found = _instant(field, str(found))
        if suffix == "Min":
            return bool(found >= wanted)
        if suffix == "Max":
            return bool(found <= wanted)
        if suffix == "Contains":
            return str(wanted).lower() in str(found).lower()
        return bool((found == wanted) != (suffix == "NotEquals"))

    return test


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z?)?\Z")
_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)Z?)?\Z")


def _day(field: str, value: str) -> str:
    if not _DAY.match(value):
        raise invalid(f'"{field}" must be in ISO 8601 date format')
    return value[:10]


def _instant(field: str, value: str) -> str:
    """An instant as text that sorts: fractions of a second drawn out."""
    if value.isascii() and value.isdigit() and len(value) < 15:
        at = datetime.fromtimestamp(int(value) // 1000, UTC)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{int(value) % 1000:03d}000000"
    found = _INSTANT.match(value)
    if not found:
        raise invalid(f'"{field}" must be in ISO 8601 date format')
    time = (found[2] or "00:00:00") + ("" if (found[2] or "").count(":") == 2 or not found[2] else ":00")
    whole, _, fraction = time.partition(".")
    return f"{found[1]}T{whole}.{fraction:0<9}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what is said of the next: None where pages are offered by number alone."""

    models: list[Model]
    info: dict[str, Any] | None


def page_of(kind: str, models: Sequence[Model], call: Call, switches: Switches) -> Page:
    """The page a request asks for. Raises Problem."""
    offered = switches.text("paging")
    cursor, number = call.first("cursor"), call.first("pageNumber")
    for name, given, way in (("cursor", cursor, "cursor"), ("pageNumber", number, "pages")):
        if given is not None and offered not in ("both", way) and switches.text("unknown_filters") == "refuse":
            raise invalid(f'"{name}" is not allowed')
    cursor = cursor if offered != "pages" else None
    number = number if offered != "cursor" else None
    if cursor is not None and number is not None:
        raise invalid('"cursor" conflict with forbidden peer "pageNumber"')
    size = _whole("pageSize", call.first("pageSize"), USUAL)
    if not SMALLEST <= size <= LARGEST:
        raise invalid(f'"pageSize" must be between {SMALLEST} and {LARGEST}')
    listed = list(models)
    if cursor:
        last = _cursor_id(kind, cursor)
        listed = drifted(listed, switches, call)
        at = next((at for at, model in enumerate(listed) if model["id"] == last), None)
        if at is None:
            raise invalid('"cursor" is not valid')
        first = at + 1
    else:
        page = _whole("pageNumber", number, 1)
        if page < 1:
            raise invalid('"pageNumber" must be greater than or equal to 1')
        if page > 1:
            listed = drifted(listed, switches, call)
        first = (page - 1) * size
    shown = listed[first : first + size]
    if offered == "pages":
        return Page(shown, None)
    more = first + size < len(listed)
    return Page(shown, {"hasNext": more, "nextCursor": _cursor(kind, shown[-1]["id"]) if more else None})


def _whole(name: str, text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise invalid(f'"{name}" must be a number')
    return int(text)


def _cursor(kind: str, own: str) -> str:
    return base64.b64encode(json.dumps({"itemId": own, "dataBucket": kind}).encode()).decode()


def _cursor_id(kind: str, cursor: str) -> str:
    try:
        found = json.loads(base64.b64decode(cursor, validate=True))
        if found["dataBucket"] == kind:
            return str(found["itemId"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    raise invalid('"cursor" is not valid')


__all__ = ["CREDENTIAL", "FIELDS", "Page", "filtered", "page_of"]

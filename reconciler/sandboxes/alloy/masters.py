"""Accounts, customers and items: made, changed, and deleted, which the ERP does by making them inactive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from reconciler.resources.kinds import Content
from reconciler.sandboxes.alloy.ids import new_id
from reconciler.sandboxes.alloy.keeping import Keeper, without_nothing
from reconciler.sandboxes.alloy.models import ACCOUNT_TYPES, ADDRESS_FIELDS, NO_NUMBER
from reconciler.sandboxes.alloy.view import Entry
from reconciler.sandboxes.alloy.words import invalid
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord

Body = Mapping[str, Any]
Made = tuple[Content, dict[str, Any]]
"""What the ledger keeps, and what it has no place for."""


def create_master(keeper: Keeper, kind: str, body: Body) -> str:
    """Make one; its unified id. Raises Problem."""
    own = new_id()
    content, extra = _MAKING[kind](keeper, body, None, own)
    keeper.check_name(kind, str(content["name"]))
    keeper.keep(kind, own, extra)
    keeper.run(CreateRecord(kind, without_nothing(content), reference=own))
    return own


def update_master(keeper: Keeper, kind: str, own: str, body: Body) -> None:
    """Change what the body has; null clears. Raises Problem."""
    entry = keeper.entry(kind, own)
    content, extra = _MAKING[kind](keeper, body, entry, own)
    if "name" in content:
        keeper.check_name(kind, str(content["name"]), but=entry.record.id)
    if content:
        before = {name: entry.content.get(name) for name in content}
        keeper.run(UpdateRecord(kind, entry.record.id, before, content))
    keeper.keep(kind, own, extra)


def delete_master(keeper: Keeper, kind: str, own: str) -> None:
    entry = keeper.entry(kind, own)
    keeper.run(UpdateRecord(kind, entry.record.id, {}, {"status": "archived"}))
    keeper.keep(kind, own, {"deleted": True})


def _renamed(body: Body, names: Mapping[str, str]) -> Content:
    return {ours: body[theirs] for theirs, ours in names.items() if theirs in body}


def _status(body: Body, field: str) -> Content:
    if body.get(field) is None:
        return {}
    return {"status": "active" if body[field] in ("ACTIVE", "PENDING") else "archived"}


def _remote(body: Body) -> dict[str, Any]:
    return {"remoteFields": body["remoteFields"]} if "remoteFields" in body else {}


def _account(keeper: Keeper, body: Body, entry: Entry | None, own: str) -> Made:
    keeper.check_company(body)
    content = _renamed(body, {"accountName": "name", "accountNumber": "code", "currency": "currency"})
    if (kind := body.get("accountType")) is not None:
        content |= {"type": ACCOUNT_TYPES[kind][0], "category": kind}
    else:
        kind = str(entry.content.get("category")) if entry else ""
    if (stated := body.get("classification")) and kind in ACCOUNT_TYPES and stated != ACCOUNT_TYPES[kind][1]:
        raise invalid(f'"classification" must be {ACCOUNT_TYPES[kind][1]} with "accountType" {kind}')
    if content.get("code") is None and ("code" in content or entry is None):
        content["code"] = f"{NO_NUMBER}{own}"
    if "parentAccountId" in body:
        parent = body["parentAccountId"]
        content["parent"] = None
        if parent is not None:
            content["parent"] = keeper.reference("account", "parentAccountId", parent).record.id
    content |= _status(body, "accountStatus")
    extra = {name: body[name] for name in ("accountDescription",) if name in body}
    return content, {**extra, **_remote(body)}


def _customer(keeper: Keeper, body: Body, entry: Entry | None, own: str) -> Made:
    keeper.check_company(body)
    names = {"customerName": "name", "email": "email", "taxNumber": "tax_number", "currency": "currency"}
    content = _renamed(body, names) | _status(body, "customerStatus")
    extra: dict[str, Any] = _remote(body)
    if "customerStatus" in body:
        extra["customerStatus"] = body["customerStatus"]
    if "addresses" in body:
        extra["addresses"] = [_address(address) for address in _several(body["addresses"])]
    elif entry is None:
        extra["addresses"] = []
    if "phoneNumbers" in body:
        phones = _several(body["phoneNumbers"])
        extra["phoneNumbers"] = [
            {"phoneNumberType": phone.get("phoneNumberType"), "phoneNumber": phone.get("phoneNumber")}
            for phone in phones
        ]
    elif entry is None:
        extra["phoneNumbers"] = []
    return content, extra


def _several(value: Any) -> list[Any]:
    """A list; the guide's single object is one as well."""
    return [] if value is None else value if isinstance(value, list) else [value]


def _address(address: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: address.get(name) for name in ADDRESS_FIELDS}
    if kept["addressType"] is not None:
        kept["addressType"] = str(kept["addressType"]).upper()
    return kept


def _item(keeper: Keeper, body: Body, entry: Entry | None, own: str) -> Made:
    keeper.check_company(body)
    kept = entry.extra if entry else {}
    kind = body.get("itemType") or kept.get("itemType", "SERVICE")
    content = _renamed(body, {"itemName": "name", "unitPrice": "unit_price"}) | _status(body, "itemStatus")
    if kind == "INVENTORY":
        stands = {**kept, "unitPrice": entry.content.get("unit_price") if entry else None}
        for name in ("qtyOnHand", "assetAccountId", "unitPrice"):
            if body.get(name, stands.get(name)) is None:
                raise invalid(f'"{name}" is required with "itemType" INVENTORY')
    elif barred := [name for name in ("qtyOnHand", "unitPrice") if body.get(name) is not None]:
        raise invalid(f'"{barred[0]}" is not allowed with "itemType" {kind}')
    extra: dict[str, Any] = _remote(body)
    for name in ("itemType", "purchasePrice", "qtyOnHand"):
        if name in body:
            extra[name] = body[name] if not isinstance(body[name], Decimal) else +body[name]
    for name in ("billAccountId", "assetAccountId"):
        if name in body:
            if body[name] is not None:
                keeper.reference("account", name, body[name])
            extra[name] = body[name]
    if "invoiceAccountId" in body:
        income = body["invoiceAccountId"]
        content["income_account"] = None
        if income is not None:
            content["income_account"] = keeper.reference("account", "invoiceAccountId", income).record.id
    return content, extra


_MAKING: Mapping[str, Callable[[Keeper, Body, Entry | None, str], Made]] = {
    "account": _account,
    "customer": _customer,
    "item": _item,
}

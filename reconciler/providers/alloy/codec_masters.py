"""Between Alloy's master records and ours: accounts, customers, items, taxes, tracking. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.alloy.wire import Row, live, number, text
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

ACCOUNT_TYPES: Mapping[str, str] = {
    "BANK": "bank",
    "ACCOUNTS_RECEIVABLE": "accounts_receivable",
    "OTHER_CURRENT_ASSET": "current_asset",
    "FIXED_ASSET": "fixed_asset",
    "OTHER_ASSET": "other",
    "ACCOUNTS_PAYABLE": "liability",
    "CREDIT_CARD": "liability",
    "OTHER_CURRENT_LIABILITY": "liability",
    "LONG_TERM_LIABILITY": "liability",
    "EQUITY": "equity",
    "INCOME": "income",
    "OTHER_INCOME": "income",
    "EXPENSE": "expense",
    "OTHER_EXPENSE": "expense",
    "COST_OF_GOODS_SOLD": "expense",
}
"""Alloy's account types → ours."""
_CREATED = {
    "bank": "BANK",
    "accounts_receivable": "ACCOUNTS_RECEIVABLE",
    "current_asset": "OTHER_CURRENT_ASSET",
    "fixed_asset": "FIXED_ASSET",
    "other": "OTHER_ASSET",
    "liability": "OTHER_CURRENT_LIABILITY",
    "equity": "EQUITY",
    "income": "INCOME",
    "expense": "EXPENSE",
}
_INACTIVE = ("INACTIVE", "ARCHIVED")


def observed_master(kind: str, row: Row, content: Content, *, active: bool) -> Observed:
    """A master record as the core sees it; fields without a value are left out of the body."""
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    phase = "active" if active else "archived"
    return Observed(
        kind,
        str(row.get("id")),
        body,
        digest_text(f"{phase}\n{body}"),
        phase,
        code=content.get("code"),
        name=content.get("name"),
    )


def _status(row: Row, name: str) -> tuple[bool, str]:
    active = str(row.get(name) or "ACTIVE").upper() not in _INACTIVE and live(row)
    return active, "active" if active else "archived"


def account_from(row: Row) -> Observed:
    active, status = _status(row, "accountStatus")
    theirs = str(row.get("accountType") or "")
    content: Content = {
        "name": text(row.get("accountName")) or str(row.get("id")),
        "code": text(row.get("accountNumber"), 120),
        "type": ACCOUNT_TYPES.get(theirs, "other"),
        "category": text(theirs),
        "currency": text(row.get("currency")),
        "status": status,
        "parent": text(row.get("parentAccountId")),
    }
    return observed_master("account", row, content, active=active)


def account_body(content: Mapping[str, Any], base: str) -> dict[str, Any]:
    category = content.get("category") or _CREATED[str(content["type"])]
    if ACCOUNT_TYPES.get(str(category)) != content["type"]:
        raise Rejected(f"the category {category!r} is no {content['type']} account of Alloy's", code="category")
    made = {
        "accountName": content["name"],
        "accountType": category,
        "currency": content.get("currency") or base,
        "accountNumber": content.get("code"),
        "parentAccountId": content.get("parent"),
    }
    return {name: value for name, value in made.items() if value is not None}


def account_changes(after: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        theirs: after[ours]
        for ours, theirs in (("name", "accountName"), ("code", "accountNumber"))
        if ours in after
    }
    if "status" in after:
        made["accountStatus"] = "INACTIVE" if after["status"] == "archived" else "ACTIVE"
    return made


def is_bank(row: Row) -> bool:
    return row.get("accountType") == "BANK"


def bank_from(row: Row) -> Observed:
    """An account of the type BANK as a bank account; it is its own GL account."""
    active, _ = _status(row, "accountStatus")
    content: Content = {
        "name": text(row.get("accountName")) or str(row.get("id")),
        "account": str(row.get("id")),
        "currency": text(row.get("currency")),
    }
    return observed_master("bank_account", row, content, active=active)


# ---- customers ----

ADDRESS_TYPES = {"billing": "BILLING", "delivery": "SHIPPING"}
_ADDRESS = {
    "line1": "street1",
    "line2": "street2",
    "city": "city",
    "region": "state",
    "postal_code": "zipCode",
    "country": "country",
}


def customer_from(row: Row) -> Observed:
    active, status = _status(row, "customerStatus")
    content: Content = {
        "name": text(row.get("customerName")) or str(row.get("id")),
        "tax_number": text(row.get("taxNumber")),
        "status": status,
        "email": text(row.get("email")),
        "phones": [found for one in _list(row.get("phoneNumbers")) if (found := text(one.get("phoneNumber")))],
        "currency": text(row.get("currency")),
        "addresses": _addresses(_list(row.get("addresses"))),
    }
    return observed_master("customer", row, content, active=active)


def _list(value: Any) -> list[Row]:
    """A list, or the single object that Alloy's guide shows in its place."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]


def _addresses(rows: Iterable[Row]) -> list[Content]:
    """The first address of each type we know."""
    types = {theirs: ours for ours, theirs in ADDRESS_TYPES.items()}
    found: dict[str, Content] = {}
    for row in rows:
        ours = types.get(str(row.get("addressType") or "").upper())
        if ours is not None and ours not in found:
            fields = {mine: text(row.get(theirs)) for mine, theirs in _ADDRESS.items()}
            fields["region"] = fields["region"] or text(row.get("countrySubdivision"))
            found[ours] = {"type": ours, **{name: value for name, value in fields.items() if value}}
    return [found[name] for name in sorted(found)]


def customer_changes(content: Mapping[str, Any], archived: str) -> dict[str, Any]:
    """Customer fields on the wire; a field that is None is cleared. Addresses and phones are lists."""
    made: dict[str, Any] = {}
    plain = {"name": "customerName", "email": "email", "tax_number": "taxNumber", "currency": "currency"}
    for ours, theirs in plain.items():
        if ours in content:
            made[theirs] = content[ours]
    if "status" in content:
        made["customerStatus"] = archived if content["status"] == "archived" else "ACTIVE"
    if "phones" in content:
        made["phoneNumbers"] = [
            {"phoneNumberType": "MOBILE", "phoneNumber": phone} for phone in content["phones"] or ()
        ]
    if "addresses" in content:
        made["addresses"] = [_address(item) for item in content["addresses"] or ()]
    return made


def _address(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {theirs: item[ours] for ours, theirs in _ADDRESS.items() if item.get(ours)}
    return {"addressType": ADDRESS_TYPES[item["type"]], **fields}


# ---- the rest ----


def item_from(row: Row) -> Observed:
    active, status = _status(row, "itemStatus")
    content: Content = {
        "name": text(row.get("itemName")) or str(row.get("id")),
        "income_account": text(row.get("invoiceAccountId")),
        "status": status,
    }
    return observed_master("item", row, content, active=active)


def item_body(content: Mapping[str, Any], bill_account: str | None) -> dict[str, Any]:
    """A service: prices are not allowed on one, and the account of purchases is demanded."""
    bought = bill_account or content.get("income_account")
    if not bought:
        raise Rejected("Alloy demands the account of purchases of an item: set `bill_account`", code="bill_account")
    made = {
        "itemName": content["name"],
        "itemType": "SERVICE",
        "billAccountId": bought,
        "invoiceAccountId": content.get("income_account"),
        "itemStatus": "ARCHIVED" if content.get("status") == "archived" else None,
    }
    return {name: value for name, value in made.items() if value is not None}


def item_changes(after: Mapping[str, Any]) -> dict[str, Any]:
    names = (("name", "itemName"), ("income_account", "invoiceAccountId"))
    made = {theirs: after[ours] for ours, theirs in names if ours in after}
    if "status" in after:
        made["itemStatus"] = "ARCHIVED" if after["status"] == "archived" else "ACTIVE"
    return made


def tax_from(row: Row) -> Observed:
    effective, total = number(row.get("effectiveTaxRate")), number(row.get("totalTaxRate"))
    rate = effective if effective is not None else total or ZERO
    name = text(row.get("description")) or str(row.get("id"))
    return observed_master("tax_rate", row, {"name": name, "rate": decimal_text(rate)}, active=live(row))


# ---- tracking: Alloy's categories are the values of ours ----


def categories_of(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """Category → value's name → its id. A category is a parent, or else a type that values share.

    The documents do not confirm the fields: `name` and `categoryType` are the SDK's words for them.
    """
    alive = {str(row.get("id")): row for row in rows if live(row)}
    parents = {str(row["parentCategoryId"]) for row in alive.values() if row.get("parentCategoryId")}
    found: dict[str, dict[str, str]] = {}
    for id_, row in alive.items():
        if id_ in parents:
            found.setdefault(id_, {})
            continue
        parent = row.get("parentCategoryId")
        kind = row.get("trackingCategoryType") or row.get("categoryType")
        found.setdefault(str(parent or kind or id_), {}).setdefault(_tracking_name(row) or id_, id_)
    return found


def _tracking_name(row: Row) -> str | None:
    return text(row.get("trackingCategoryName") or row.get("name"))


def tracking_from(category: str, values: Mapping[str, str], parent: Row | None) -> Observed:
    name = (_tracking_name(parent) if parent is not None else None) or category
    row = {"id": category}
    return observed_master("tracking_category", row, {"name": name, "values": sorted(values)}, active=True)

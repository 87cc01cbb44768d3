"""Between Rutter's master records and ours: accounts, customers, items, taxes, terms, dimensions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import decimal_text
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.providers.rutter.directory import DIMENSIONS, rate_of
from reconciler.providers.rutter.wire import Row, amount_of, ref, text, without_none
from reconciler.resources.kinds import Content

TO_TYPE: Mapping[str, str] = {
    "accounts_receivable": "accounts_receivable",
    "bank": "bank",
    "current_asset": "other_current_asset",
    "fixed_asset": "fixed_asset",
    "liability": "liability",
    "equity": "equity",
    "income": "income",
    "expense": "expense",
    "other": "other_asset",
}
"""Our type of an account → the one it is made as."""
FROM_TYPE: Mapping[str, str] = {
    **{theirs: ours for ours, theirs in TO_TYPE.items()},
    "accounts_payable": "liability",
    "other_current_liability": "liability",
    "long_term_liability": "liability",
    "credit_card": "liability",
    "other_income": "income",
    "other_expense": "expense",
    "cost_of_goods_sold": "expense",
}
CATEGORY: Mapping[str, str] = {
    **dict.fromkeys(("accounts_receivable", "bank", "current_asset", "fixed_asset", "other"), "asset"),
    **{name: name for name in ("liability", "equity", "income", "expense")},
}
"""Our type → Rutter's category of it."""


def observed_master(kind: str, id_: str, content: Content, *, active: bool) -> Observed:
    """A master record as the core sees it; fields without a value are left out of the body."""
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    phase = "active" if active else "archived"
    return Observed(
        kind,
        id_,
        body,
        digest_text(f"{phase}\n{body}"),
        phase,
        code=content.get("code"),
        name=content.get("name"),
    )


def _id(row: Row) -> str:
    return str(row.get("id"))


# ---- accounts ----


def account_from(row: Row) -> Observed:
    active = row.get("status") != "inactive"
    content: Content = {
        "name": text(row.get("name")) or _id(row),
        "code": text(row.get("nominal_code"), 120),
        "type": FROM_TYPE.get(str(row.get("account_type")), "other"),
        "category": text(row.get("category")),
        "currency": text(row.get("currency_code"), 3),
        "parent": ref(row, "parent_id"),
    }
    return observed_master("account", _id(row), content, active=active)


def account_body(content: Mapping[str, Any], base: str) -> dict[str, Any]:
    return without_none(
        {
            "account_type": TO_TYPE[str(content["type"])],
            "currency_code": content.get("currency") or base,
            "name": content["name"],
            "nominal_code": content.get("code"),
            "parent_id": content.get("parent"),
        }
    )


def account_changes(after: Mapping[str, Any]) -> dict[str, Any]:
    names = {"name": "name", "code": "nominal_code", "currency": "currency_code"}
    return {theirs: after[ours] for ours, theirs in names.items() if after.get(ours) is not None}


def bank_from(row: Row) -> Observed:
    """A bank account is a GL account of the type `bank`; the one is behind the other."""
    content: Content = {
        "name": text(row.get("name")) or _id(row),
        "account": _id(row),
        "currency": text(row.get("currency_code"), 3),
    }
    return observed_master("bank_account", _id(row), content, active=row.get("status") != "inactive")


# ---- customers ----

_ADDRESS_TYPES = {"billing": "billing", "delivery": "shipping"}
_ADDRESS = {
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "region": "region",
    "postal_code": "postal_code",
    "country": "country",
}


def customer_from(row: Row) -> Observed:
    active = row.get("status") != "archived"
    phone, contact = text(row.get("phone")), text(row.get("contact_name"))
    content: Content = {
        "name": text(row.get("customer_name")) or contact or _id(row),
        "status": "active" if active else "archived",
        "email": text(row.get("email")),
        "phones": [phone] if phone else None,
        "currency": text(row.get("currency_code"), 3),
        "addresses": _addresses(row.get("addresses") or ()),
        "contacts": [{"role": "primary", "name": contact}] if contact else None,
    }
    return observed_master("customer", _id(row), content, active=active)


def _addresses(rows: Iterable[Any]) -> list[Content]:
    """The first address of each type that we have a word for."""
    types = {theirs: ours for ours, theirs in _ADDRESS_TYPES.items()}
    found: dict[str, Content] = {}
    for row in rows:
        ours = types.get(str(row.get("type")).lower()) if isinstance(row, Mapping) else None
        if ours is not None and ours not in found:
            fields = {mine: text(row.get(theirs)) for mine, theirs in _ADDRESS.items()}
            if any(fields.values()):
                found[ours] = {"type": ours, **without_none(fields)}
    return [found[name] for name in sorted(found)]


def customer_body(content: Mapping[str, Any]) -> dict[str, Any]:
    """A new customer. `contact_name` is required: the contact's, else the customer's own name."""
    if content.get("status") == "archived":
        raise Rejected("Rutter makes customers active: declare it archived once it is there", code="status")
    made = {name: value for name, value in customer_changes(content).items() if value not in ("", [])}
    made.setdefault("contact_name", content["name"])
    made.pop("status", None)
    if content.get("currency"):
        made["additional_fields"] = {"currency_code": content["currency"]}
    return made


def customer_changes(content: Mapping[str, Any]) -> dict[str, Any]:
    """Customer fields on the wire; a text that is None is cleared by an empty one, for null is not taken."""
    made: dict[str, Any] = {}
    if content.get("name"):
        made["customer_name"] = content["name"]
    if "email" in content:
        made["email"] = content["email"] or ""
    if content.get("status"):
        made["status"] = content["status"]
    if "phones" in content:
        made["phone"] = (content["phones"] or [""])[0]
    if "addresses" in content:
        made["addresses"] = [_address(item) for item in content["addresses"] or ()]
    named = next((item.get("name") for item in content.get("contacts") or ()), None)
    if named:
        made["contact_name"] = named
    return made


def _address(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {theirs: item.get(ours) for ours, theirs in _ADDRESS.items()}
    return {"type": _ADDRESS_TYPES[item["type"]], **fields}


# ---- items ----


def item_from(row: Row) -> Observed:
    """Rutter shows a sold item's price as a text, and not its account."""
    active = row.get("status") != "archived"
    sold = row.get("invoice_item")
    price = amount_of(sold.get("unit_price")) if isinstance(sold, Mapping) else None
    content: Content = {
        "name": text(row.get("name")) or _id(row),
        "code": text(row.get("code"), 120),
        "unit_price": decimal_text(price) if price is not None else None,
        "status": "active" if active else "archived",
    }
    return observed_master("item", _id(row), content, active=active)


def item_body(content: Mapping[str, Any], account: str | None) -> dict[str, Any]:
    if content.get("status") == "archived":
        raise Rejected("Rutter makes items active: declare it archived once it is there", code="status")
    sold = without_none({"account_id": account, "unit_price": content.get("unit_price")})
    made = {"name": content["name"], "code": content.get("code"), "type": "service", "invoice_item": sold or None}
    return without_none(made)


def item_changes(after: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: after[name] for name in ("name", "code", "status") if after.get(name) is not None}
    if after.get("unit_price") is not None:
        made["invoice_item"] = {"unit_price": after["unit_price"]}
    return made


# ---- the rest ----


def tax_from(row: Row) -> Observed:
    rate = rate_of(row)
    content: Content = {
        "name": text(row.get("name")) or _id(row),
        "code": text(row.get("code"), 120),
        "rate": decimal_text(rate) if rate is not None else None,
    }
    return observed_master("tax_rate", _id(row), content, active=row.get("status") != "inactive")


def tax_body(content: Mapping[str, Any]) -> dict[str, Any]:
    name = content.get("name") or content["code"]
    component = {"name": name, "rate": content["rate"], "is_compound": False, "is_sales_tax": True}
    return {"name": name, "components": [component]}


def term_from(row: Row) -> Observed:
    days = amount_of(row.get("due_days"))
    content: Content = {
        "name": text(row.get("term_name")) or _id(row),
        "days": int(days) if days is not None else None,
    }
    return observed_master("payment_term", _id(row), content, active=True)


def dimension_from(category: str, values: Iterable[str]) -> Observed:
    content: Content = {"name": DIMENSIONS[category][1], "values": list(values)}
    return observed_master("tracking_category", category, content, active=True)

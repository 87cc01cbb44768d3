"""Between Codat's master records and ours: accounts, customers, items, taxes, bank accounts, tracking. Pure.

Codat has no type for receivable accounts: their category tells, or the connection's settings do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.codat.calls import Row
from reconciler.providers.codat.wire import live, number, ref, text
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

CATEGORIES: Mapping[str, tuple[str, str]] = {
    "accounts_receivable": ("Asset.Current.AccountsReceivable", "Asset"),
    "bank": ("Asset.Bank", "Asset"),
    "current_asset": ("Asset.Current", "Asset"),
    "fixed_asset": ("Asset.Fixed", "Asset"),
    "liability": ("Liability.Current", "Liability"),
    "equity": ("Equity", "Equity"),
    "income": ("Income", "Income"),
    "expense": ("Expense", "Expense"),
}
"""Our type → (fullyQualifiedCategory where none is declared, Codat's type)."""


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


def _active(row: Row, name: str = "status") -> bool:
    return str(row.get(name) or "Active") != "Archived" and live(row)


def account_type(row: Row, receivables: Collection[str]) -> str:
    """Our type of an account: by what Codat says of it, then by its category."""
    category = str(row.get("fullyQualifiedCategory") or "").lower().replace(" ", "")
    if str(row.get("nominalCode") or row.get("id")) in receivables or "receivable" in category:
        return "accounts_receivable"
    if row.get("isBankAccount") is True or category.endswith(".bank"):
        return "bank"
    kind = str(row.get("type") or "")
    if kind == "Asset":
        return "fixed_asset" if "fixed" in category else "current_asset" if "current" in category else "other"
    return {"Expense": "expense", "Income": "income", "Liability": "liability", "Equity": "equity"}.get(
        kind, "other"
    )


def account_from(row: Row, receivables: Collection[str]) -> Observed:
    active = _active(row)
    content: Content = {
        "name": text(row.get("name")) or str(row.get("id")),
        "code": text(row.get("nominalCode"), 120),
        "type": account_type(row, receivables),
        "category": text(row.get("fullyQualifiedCategory")),
        "currency": currency_of(row, "currency"),
        "status": "active" if active else "archived",
    }
    return observed_master("account", row, content, active=active)


def currency_of(row: Row, name: str) -> str | None:
    """A currency; Codat writes XXX for an unknown one."""
    found = str(row.get(name) or "")
    return found if found and found != "XXX" else None


def account_body(content: Content, base: str) -> dict[str, Any]:
    category, kind = CATEGORIES.get(str(content["type"]), ("", ""))
    declared = content.get("category")
    if not category and not declared:
        raise Rejected("Codat needs the account's category (fullyQualifiedCategory)", code="category")
    return {
        "nominalCode": content.get("code") or content["name"],
        "name": content["name"],
        "fullyQualifiedCategory": declared or category,
        "currency": content.get("currency") or base,
        "type": kind or str(declared).partition(".")[0],
        "status": status_text(content),
        "isBankAccount": content["type"] == "bank",
    }


def status_text(content: Mapping[str, Any]) -> str:
    return "Archived" if content.get("status") == "archived" else "Active"


# ---- customers ----

ADDRESS_TYPES = {"billing": "Billing", "delivery": "Delivery"}
_ADDRESS = {
    "line1": "line1",
    "line2": "line2",
    "city": "city",
    "region": "region",
    "postal_code": "postalCode",
    "country": "country",
}


def customer_from(row: Row, code_in: str = "") -> Observed:
    active = _active(row)
    phone = text(row.get("phone"))
    content: Content = {
        "name": text(row.get("customerName")) or str(row.get("id")),
        "code": text(row.get(code_in), 120) if code_in else None,
        "tax_number": text(row.get("taxNumber")),
        "status": "active" if active else "archived",
        "email": text(row.get("emailAddress")),
        "phones": [phone] if phone else None,
        "currency": currency_of(row, "defaultCurrency"),
        "addresses": _addresses(row.get("addresses") or ()),
        "contacts": _contacts(row.get("contacts") or ()),
    }
    return observed_master("customer", row, content, active=active)


def _addresses(rows: Iterable[Any]) -> list[Content]:
    """The first address of each type."""
    types = {theirs: ours for ours, theirs in ADDRESS_TYPES.items()}
    found: dict[str, Content] = {}
    for row in rows:
        ours = types.get(str(row.get("type")))
        if ours is not None and ours not in found:
            fields = {mine: text(row.get(theirs)) for mine, theirs in _ADDRESS.items()}
            found[ours] = {"type": ours, **{name: value for name, value in fields.items() if value}}
    return [found[name] for name in sorted(found)]


def _contacts(rows: Iterable[Any]) -> list[Content]:
    """The first contact is our primary one: Codat's contacts have no roles."""
    for row in rows:
        phones = [text(item.get("number")) for item in row.get("phone") or () if isinstance(item, Mapping)]
        fields = {"name": text(row.get("name")), "email": text(row.get("email")), "phone": (phones or [None])[0]}
        return [{"role": "primary", **{name: value for name, value in fields.items() if value}}]
    return []


def customer_changes(content: Mapping[str, Any], code_in: str = "") -> dict[str, Any]:
    """Customer fields on the wire; a field that is None is cleared."""
    made: dict[str, Any] = {}
    plain = {
        "name": "customerName",
        "email": "emailAddress",
        "tax_number": "taxNumber",
        "currency": "defaultCurrency",
    }
    if code_in:
        plain["code"] = code_in
    for ours, theirs in plain.items():
        if ours in content:
            made[theirs] = content[ours]
    if "status" in content:
        made["status"] = status_text(content)
    if "phones" in content:
        made["phone"] = (content["phones"] or [None])[0]
    if "addresses" in content:
        made["addresses"] = [_address(item) for item in content["addresses"] or ()]
    if "contacts" in content:
        made["contacts"] = [_contact(item) for item in content["contacts"] or ()]
        made["contactName"] = next((item.get("name") for item in content["contacts"] or ()), None)
    return made


def _address(item: Mapping[str, Any]) -> dict[str, Any]:
    fields = {theirs: item[ours] for ours, theirs in _ADDRESS.items() if item.get(ours)}
    return {"type": ADDRESS_TYPES[item["type"]], **fields}


def _contact(item: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {name: item[name] for name in ("name", "email") if item.get(name)}
    if item.get("phone"):
        made["phone"] = [{"number": item["phone"], "type": "Primary"}]
    return {**made, "status": "Active"}


CUSTOMER_KEYS = (
    "customerName",
    "contactName",
    "emailAddress",
    "defaultCurrency",
    "phone",
    "addresses",
    "contacts",
    "registrationNumber",
    "taxNumber",
    "status",
)


def customer_model(row: Row) -> dict[str, Any]:
    """What is live of a customer, as an update sends it whole."""
    return {key: row[key] for key in CUSTOMER_KEYS if row.get(key) not in (None, [], "")}


# ---- the rest ----


def item_from(row: Row) -> Observed:
    active = _active(row, "itemStatus")
    sold = row.get("invoiceItem")
    sold = sold if isinstance(sold, Mapping) else {}
    tax = ref(sold, "taxRateRef")
    content: Content = {
        "name": text(row.get("name")) or str(row.get("id")),
        "code": text(row.get("code"), 120),
        "unit_price": decimal_text(number(sold["unitPrice"])) if sold.get("unitPrice") is not None else None,
        "income_account": ref(sold, "accountRef"),
        "taxes": [tax] if tax else None,
        "status": "active" if active else "archived",
    }
    return observed_master("item", row, content, active=active)


def item_body(content: Content) -> dict[str, Any]:
    taxes = content.get("taxes") or ()
    sold = {
        "unitPrice": content.get("unit_price"),
        "accountRef": {"id": content["income_account"]} if content.get("income_account") else None,
        "taxRateRef": {"id": taxes[0]} if taxes else None,
    }
    return {
        "name": content["name"],
        "code": content.get("code") or content["name"],
        "itemStatus": status_text(content),
        "type": "Service",
        "isBillItem": False,
        "isInvoiceItem": True,
        "invoiceItem": {name: value for name, value in sold.items() if value is not None},
    }


def tax_from(row: Row) -> Observed:
    active = _active(row)
    content: Content = {
        "name": text(row.get("name")) or str(row.get("id")),
        "code": text(row.get("code"), 120),
        "rate": decimal_text(rate_of(row)),
    }
    return observed_master("tax_rate", row, content, active=active)


def rate_of(row: Row) -> Any:
    """A tax rate in percent: what it comes to when its components are compounded, where Codat says it."""
    effective = row.get("effectiveTaxRate")
    return number(effective if effective is not None else row.get("totalTaxRate")) or ZERO


def bank_from(row: Row, account: str) -> Observed:
    """`account`: the id of the GL account behind it."""
    active = _active(row)
    content: Content = {
        "name": text(row.get("accountName")) or str(row.get("id")),
        "account": account,
        "currency": currency_of(row, "currency"),
    }
    return observed_master("bank_account", row, content, active=active)


def bank_body(content: Mapping[str, Any], nominal_code: str, base: str) -> dict[str, Any]:
    return {
        "accountName": content["name"],
        "accountType": "Debit",
        "nominalCode": nominal_code,
        "currency": content.get("currency") or base,
    }


def tracking_from(row: Row, values: list[str]) -> Observed:
    content: Content = {"name": text(row.get("name")) or str(row.get("id")), "values": values}
    return observed_master("tracking_category", row, content, active=_active(row))

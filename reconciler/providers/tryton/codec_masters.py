"""Between Tryton's master records and ours: accounts, parties, taxes, terms, bank accounts, products. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.plain import printable
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import Observed
from reconciler.providers.tryton.calls import Row, fields, lines, nested
from reconciler.providers.tryton.directory import Bank, Directory
from reconciler.providers.tryton.terms import days_of
from reconciler.resources.kinds import Content

ACCOUNT_FIELDS = fields(
    "code name closed parent second_currency _timestamp type.receivable type.payable type.revenue type.expense",
    "type.assets type.statement",
)
PARTY_FIELDS = fields(
    "code name active customer_payment_term account_receivable _timestamp addresses.street addresses.city",
    "addresses.postal_code addresses.country.code addresses.subdivision.code addresses.invoice addresses.sequence",
    "contact_mechanisms.type contact_mechanisms.value identifiers.code identifiers.type",
)
TAX_FIELDS = fields("name description type rate invoice_account active parent childs _timestamp")
PRODUCT_FIELDS = fields(
    "code template.name active list_price template.account_category.account_revenue _timestamp",
    "template.account_category.customer_taxes",
)
_PHONES = ("phone", "mobile")


def observed_master(
    kind: str, remote_id: object, content: Content, *, active: bool = True, revision: str = ""
) -> Observed:
    """A master record as the core sees it; fields without a value are left out of the body."""
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    phase = "active" if active else "archived"
    code = content.get("code")
    return Observed(
        kind,
        str(remote_id),
        body,
        digest_text(f"{phase}\n{body}"),
        phase,
        code=code,
        name=content.get("name"),
        revision=revision,
    )


def _text(value: Any) -> str | None:
    """A text as our fields allow it: printable, without edge spaces; None when nothing is left."""
    return printable(str(value), 255).strip() or None if value else None


def account_type(row: Row, banks: Mapping[int, Bank]) -> str:
    """Our account type. Tryton's types say what they are for by flags, and are otherwise free."""
    kind = nested(row, "type")
    if row["id"] in banks:
        return "bank"
    if kind.get("receivable"):
        return "accounts_receivable"
    if kind.get("revenue"):
        return "income"
    if kind.get("expense"):
        return "expense"
    if kind.get("payable"):
        return "liability"
    if kind.get("assets"):
        return "current_asset"
    return "other"


def account_from(row: Row, directory: Directory) -> Observed:
    closed = bool(row.get("closed"))
    content: Content = {
        "code": _text(row.get("code")),
        "name": _text(row["name"]) or str(row["id"]),
        "type": account_type(row, directory.banks),
        "currency": directory.currencies.get(row.get("second_currency") or 0),
        "parent": str(row["parent"]) if row.get("parent") else None,
        "status": "archived" if closed else "active",
    }
    return observed_master("account", row["id"], content, active=not closed, revision=_revision(row))


def _revision(row: Row) -> str:
    return str(row.get("_timestamp") or "")


def party_from(row: Row) -> Observed:
    mechanisms = lines(row, "contact_mechanisms")
    emails = [_text(item["value"]) for item in mechanisms if item["type"] == "email"]
    phones = [_text(item["value"]) for item in mechanisms if item["type"] in _PHONES]
    identifiers = lines(row, "identifiers")
    active = bool(row.get("active"))
    content: Content = {
        "code": _text(row.get("code")),
        "name": _text(row["name"]) or _text(row.get("code")) or str(row["id"]),
        "tax_number": _text(identifiers[0]["code"]) if identifiers else None,
        "email": emails[0] if emails else None,
        "phones": phones,
        "addresses": _addresses(row),
        "payment_terms": _id(row.get("customer_payment_term")),
        "receivable_account": _id(row.get("account_receivable")),
        "status": "active" if active else "archived",
    }
    return observed_master("customer", row["id"], content, active=active, revision=_revision(row))


def _id(value: Any) -> str | None:
    return str(value) if value else None


def billing_address(row: Row) -> Row | None:
    """The address invoices go to: the first marked so, else the first of all."""
    addresses = sorted(row.get("addresses.") or (), key=lambda one: (one.get("sequence") or 0, one["id"]))
    return next((one for one in addresses if one.get("invoice")), addresses[0] if addresses else None)


def _addresses(row: Row) -> list[Content]:
    """The billing address. Plain Tryton has no delivery address; an empty one, made to invoice to, is none."""
    found = billing_address(row)
    if found is None:
        return []
    street = [line for line in str(found.get("street") or "").split("\n") if line.strip()]
    subdivision = str(nested(found, "subdivision").get("code") or "")
    content: Content = {
        "type": "billing",
        "line1": _text(street[0]) if street else None,
        "line2": _text(", ".join(street[1:])),
        "city": _text(found.get("city")),
        "region": subdivision.partition("-")[2] or subdivision or None,
        "postal_code": _text(found.get("postal_code")),
        "country": nested(found, "country").get("code"),
    }
    some = {name: value for name, value in content.items() if value}
    return [some] if len(some) > 1 else []


def tax_from(row: Row) -> Observed | None:
    """A percentage tax; None for groups and fixed amounts, which have no rate of ours."""
    if row.get("type") != "percentage" or row.get("parent") or row.get("childs"):
        return None
    rate = Decimal(row["rate"]) * 100
    active = bool(row.get("active"))
    content: Content = {
        "code": _code(row["name"]),
        "name": _text(row["name"]),
        "rate": rate,
        "account": _id(row.get("invoice_account")),
        "treatment": "standard" if rate else "zero",
    }
    return observed_master("tax_rate", row["id"], content, active=active, revision=_revision(row))


def _code(value: Any) -> str | None:
    text = _text(value)
    return text if text is not None and len(text) <= 60 else None


def term_from(row: Row) -> Observed:
    content: Content = {"name": _text(row["name"]), **days_of(row)}
    return observed_master("payment_term", row["id"], content, active=bool(row["active"]), revision=_revision(row))


def bank_from(bank: Bank, directory: Directory) -> Observed:
    content: Content = {
        "name": bank.name,
        "account": str(bank.account),
        "currency": directory.currencies.get(bank.currency or 0),  # any currency goes where none is set
    }
    return replace(observed_master("bank_account", bank.account, content), code=bank.code)


def product_from(row: Row) -> Observed:
    template = nested(row, "template")
    category = nested(template, "account_category")
    active = bool(row.get("active"))
    content: Content = {
        "code": _code(row.get("code")),
        "name": _text(template.get("name")) or str(row["id"]),
        "unit_price": row.get("list_price"),
        "income_account": _id(category.get("account_revenue")),
        "taxes": [str(tax) for tax in category.get("customer_taxes") or ()],
        "status": "active" if active else "archived",
    }
    return observed_master("item", row["id"], content, active=active, revision=_revision(row))


# ---- ours → Tryton's ----


def tax_values(content: Mapping[str, Any], directory: Directory) -> dict[str, Any]:
    """A tax with one account for invoices and credit notes."""
    account = content.get("account")
    if account is None:
        raise Rejected("a tax in Tryton needs the account it is owed on: `account:`", code="account")
    name = content.get("name") or content["code"]
    return {
        "name": name,
        "description": name,
        "type": "percentage",
        "rate": Decimal(content["rate"]) / 100,
        "company": directory.company,
        "invoice_account": int(account),
        "credit_note_account": int(account),
    }


def term_values(content: Mapping[str, Any]) -> dict[str, Any]:
    delta: dict[str, Any] = {"days": int(content["days"])}
    if content.get("end_of_month"):
        delta["day"] = 31
    line = {"type": "remainder", "relativedeltas": [["create", [delta]]]}
    return {"name": content["name"], "lines": [["create", [line]]]}

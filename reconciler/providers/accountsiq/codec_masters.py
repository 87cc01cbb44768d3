"""Between AccountsIQ's master records and ours: customers, accounts, taxes, terms, banks, items, BI codes. Pure.

A customer's id is its code, an account's its GL code, a tax's its code, a department's its DepartmentID; a
dimension's is its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text, is_currency
from reconciler.providers.accountsiq.envelope import Row
from reconciler.providers.accountsiq.wire import amount, boolean, decimal, flag, words
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

CODES = tuple(f"AnalysisCode{number}" for number in range(1, 7))
_WORDS_OF_TYPES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("accounts_receivable", ("debtor", "receivable")),
    ("bank", ("bank", "cash")),
    ("liability", ("creditor", "payable", "liabilit", "accrual")),
    ("equity", ("equity", "capital", "reserve", "retained")),
    ("fixed_asset", ("fixed asset", "tangible")),
    ("current_asset", ("asset", "stock", "prepayment")),
    ("expense", ("expense", "cost", "overhead", "purchase", "depreciation")),
    ("income", ("income", "sales", "revenue", "turnover")),
)
"""What an account is, by words its category or type has; AccountsIQ's documents list no types."""


def observed_master(kind: str, id_: str, content: Content, *, active: bool, revision: str = "") -> Observed:
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
        revision=revision,
    )


def _status(active: bool) -> str:
    return "active" if active else "archived"


def _currency(row: Row, name: str = "CurrencyCode") -> str | None:
    code = (row.text(name) or "").strip().upper()
    return code if is_currency(code) else None


# ---- reference data ----


def account_from(row: Row) -> Observed:
    code = row.text("Code") or ""
    active = flag(row, "IsActive")
    content: Content = {
        "name": words(row, "Description") or code,
        "code": code,
        "type": _type_of(row),
        "category": words(row, "GLSubCategory") or words(row, "GLCategory"),
        "currency": _currency(row),
        "status": _status(active),
    }
    return observed_master("account", code, content, active=active)


def _type_of(row: Row) -> str:
    for names in (
        ("GLSubCategory", "GLCategory"),
        ("GLCategoryTypeDescription", "AccountType", "BalanceSheetType"),
    ):
        said = " ".join(row.text(name) or "" for name in names).lower()
        for kind, marks in _WORDS_OF_TYPES:
            if any(mark in said for mark in marks):
                return kind
    return "other"


def tax_from(row: Row, percent: Decimal) -> Observed:
    code = row.text("Code") or ""
    content: Content = {
        "name": words(row, "Description") or code,
        "code": code,
        "rate": decimal_text(percent),
        "account": row.text("CreditGlAccno"),
        "treatment": "reverse_charge" if flag(row, "ReverseCharge") else "standard" if percent else "zero",
    }
    return observed_master("tax_rate", code, content, active=True)


def term_from(row: Row) -> Observed:
    days = amount(row, "CreditDays")
    content: Content = {
        "name": words(row, "Code") or words(row, "Description"),
        "days": int(days) if days >= ZERO else 0,
        "end_of_month": flag(row, "EndOfMonth"),
    }
    return observed_master("payment_term", row.text("ID") or row.text("Code") or "", content, active=True)


def bank_from(row: Row) -> Observed:
    """A bank account; receipts name it by the code of its GL account."""
    code = row.text("Code") or ""
    content: Content = {"name": words(row, "Name") or code, "account": code, "currency": _currency(row)}
    return observed_master("bank_account", code, content, active=True)


def item_from(row: Row) -> Observed:
    code = row.text("StockItemID") or ""
    tax = row.text("TaxCode")
    active = flag(row, "Active")
    content: Content = {
        "name": words(row, "SalesDescription") or words(row, "Description") or code,
        "code": code,
        "unit_price": decimal_text(amount(row, "ItemPrice")),
        "income_account": row.text("DefaultSalesGLAccountCode"),
        "taxes": [tax] if tax else None,
        "status": _status(active),
    }
    return observed_master("item", code, content, active=active)


# ---- BI codes: departments and the dimensions they are made of ----


def dimension_from(id_: str, row: Row) -> Observed:
    """A dimension; its values are its analysis codes."""
    values = sorted({code for one in row.rows("DimensionCodes") if (code := one.text("Code"))})
    content: Content = {"name": words(row, "Description") or id_, "values": values}
    return observed_master("tracking_category", id_, content, active=True)


def set_from(row: Row, dimensions: tuple[str, ...]) -> Observed:
    """A department: the codes it stands for, by dimension. `dimensions`: their ids, in the order of the codes, ''
    where a place has none: a code in such a place still tells the department from others."""
    id_ = row.text("DepartmentID") or ""
    active = flag(row, "IsActive")
    tracking = {
        dimension or str(place): code
        for place, (dimension, name) in enumerate(zip_longest(dimensions, CODES, fillvalue=""), 1)
        if name and (code := row.text(name))
    }
    content: Content = {
        "code": id_,
        "name": words(row, "Description"),
        "status": _status(active),
        "tracking": tracking,
    }
    return observed_master("tracking_set", id_, content, active=active)


# ---- customers ----

_PLAIN: Mapping[str, str] = {
    "name": "Name",
    "code": "Code",
    "email": "Email",
    "tax_number": "VATRegistrationNumber",
    "currency": "CurrencyCode",
    "payment_terms": "CreditTermID",
    "receivable_account": "ControlGLAccountCode",
    "default_tax": "DefaultTaxCode",
}
_PHONES = ("Phone", "MobilePhone")
_ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "billing": {
        "line1": "Address1",
        "line2": "Address2",
        "city": "City",
        "region": "County_State",
        "postal_code": "PostCode",
        "country": "Country",
    },
    "delivery": {
        "line1": "DeliveryAddress1",
        "line2": "DeliveryAddress2",
        "city": "DeliveryCity",
        "region": "DeliveryCounty_State",
        "postal_code": "DeliveryPostCode",
        "country": "DeliveryCountry",
    },
}
COUNTRIES = frozenset(names["country"] for names in _ADDRESSES.values())


def customer_from(row: Row, *, zero_is_none: bool) -> Observed:
    active = flag(row, "IsActive")
    limit = amount(row, "CreditLimit")
    contact = words(row, "Contact")
    content: Content = {
        "name": words(row, "Name") or row.text("Code"),
        "code": row.text("Code"),
        "tax_number": words(row, "VATRegistrationNumber"),
        "status": _status(active),
        "email": words(row, "Email"),
        "phones": [found for name in _PHONES if (found := words(row, name))],
        "addresses": [one for kind in sorted(_ADDRESSES) if (one := _address(row, kind))],
        "contacts": [{"role": "primary", "name": contact}] if contact else None,
        "currency": _currency(row),
        "payment_terms": row.text("CreditTermID"),
        "credit_limit": None if zero_is_none and not limit else decimal_text(max(limit, ZERO)),
        "hold": bool(amount(row, "Hold")),
        "receivable_account": row.text("ControlGLAccountCode"),
        "default_tax": row.text("DefaultTaxCode"),
    }
    id_ = row.text("Code") or ""
    return observed_master("customer", id_, content, active=active, revision=row.text("RowVersionNumber") or "")


def _address(row: Row, kind: str) -> Content | None:
    found = {ours: value for ours, theirs in _ADDRESSES[kind].items() if (value := words(row, theirs))}
    country = found.get("country", "")
    if country and not (len(country) == 2 and country.isascii() and country.isupper()):
        del found["country"]  # a name in words; ours are two letters
    return {"type": kind, **found} if found else None


def customer_fields(content: Mapping[str, Any]) -> dict[str, str]:
    """Declared fields → elements and their texts; an empty text clears one."""
    made = {theirs: str(content[ours] or "") for ours, theirs in _PLAIN.items() if ours in content}
    if "status" in content:
        made["IsActive"] = boolean(content["status"] != "archived")
    if "hold" in content:
        made["Hold"] = "1" if content["hold"] else "0"
    if "credit_limit" in content:
        made["CreditLimit"] = decimal(Decimal(content["credit_limit"] or ZERO))
    if "phones" in content:
        phones = [*(content["phones"] or ()), "", ""]
        made |= dict(zip(_PHONES, phones, strict=False))
    if "addresses" in content:
        given = {item["type"]: item for item in content["addresses"] or ()}
        for kind, names in _ADDRESSES.items():
            one = given.get(kind, {})
            made |= {theirs: str(one.get(ours) or "") for ours, theirs in names.items()}
    if "contacts" in content:
        people = content["contacts"] or ()
        made["Contact"] = str(next((item.get("name") for item in people if item["role"] == "primary"), None) or "")
    return made

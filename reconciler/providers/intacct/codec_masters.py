"""Between Intacct's reference data and ours: accounts, bank accounts, terms, dimensions, items. Pure.

Ids are Intacct's natural ones (an account's number, a term's name), because functions name records by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import decimal_text
from reconciler.providers.intacct.observed import master
from reconciler.providers.intacct.wire import Row, amount_of, element, leaf, text
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

ACCOUNT = ("RECORDNO", "ACCOUNTNO", "TITLE", "ACCOUNTTYPE", "NORMALBALANCE", "STATUS", "ALTERNATIVEACCOUNT")
BANK = ("RECORDNO", "BANKACCOUNTID", "BANKNAME", "GLACCOUNTNO", "CURRENCY", "STATUS")
TERM = ("RECORDNO", "NAME", "DUEDATE", "DUEFROM", "STATUS")
TAX = ("RECORDNO", "DETAILID", "VALUE")
ITEM = ("RECORDNO", "ITEMID", "NAME", "STATUS")

DIMENSIONS: Mapping[str, tuple[str, str, str, str]] = {
    "department": ("DEPARTMENT", "DEPARTMENTID", "TITLE", "Department"),
    "location": ("LOCATION", "LOCATIONID", "NAME", "Location"),
    "class": ("CLASS", "CLASSID", "NAME", "Class"),
}
"""A tracking category's id → its object, the field of a value's id, that of its name, and what we call it."""

RECEIVABLES = "Receivables account"
_KEPT_AS: Mapping[str, tuple[str, str]] = {
    "accounts_receivable": ("balancesheet", "debit"),
    "bank": ("balancesheet", "debit"),
    "current_asset": ("balancesheet", "debit"),
    "fixed_asset": ("balancesheet", "debit"),
    "other": ("balancesheet", "debit"),
    "liability": ("balancesheet", "credit"),
    "equity": ("balancesheet", "credit"),
    "income": ("incomestatement", "credit"),
    "expense": ("incomestatement", "debit"),
}
"""Our type of an account → Intacct's, and the side it usually has a balance on."""


def type_kept(declared: str) -> str:
    """The type that is read back of an account made as `declared`: Intacct knows fewer."""
    if declared == "accounts_receivable":
        return declared
    return _type(*_KEPT_AS[declared])


def _type(account_type: str, side: str) -> str:
    if account_type == "incomestatement":
        return "income" if side == "credit" else "expense"
    return "liability" if side == "credit" else "current_asset"


# ---- accounts ----


def account_from(row: Row) -> Observed:
    kind = _type(row.get("ACCOUNTTYPE", "").lower(), row.get("NORMALBALANCE", "").lower())
    if row.get("ALTERNATIVEACCOUNT") == RECEIVABLES:
        kind = "accounts_receivable"
    number = row.get("ACCOUNTNO", "")
    active = is_active(row)
    content: Content = {
        "name": text(row.get("TITLE")) or number,
        "code": text(number, 120),
        "type": kind,
        "status": "active" if active else "archived",
    }
    return master("account", number, content, active=active)


def account_body(content: Mapping[str, Any]) -> Element:
    """A new account. One that holds receivables is marked as such."""
    declared = str(content["type"])
    account_type, side = _KEPT_AS[declared]
    return element(
        "GLACCOUNT",
        leaf("ACCOUNTNO", content.get("code") or content["name"]),
        *_account_fields(content),
        leaf("ACCOUNTTYPE", account_type),
        leaf("NORMALBALANCE", side),
        leaf("CLOSINGTYPE", "closing account" if account_type == "incomestatement" else "non-closing account"),
        leaf("ALTERNATIVEACCOUNT", RECEIVABLES if declared == "accounts_receivable" else None),
    )


def account_changes(number: str, after: Mapping[str, Any]) -> Element:
    return element("GLACCOUNT", leaf("ACCOUNTNO", number), *_account_fields(after))


def _account_fields(content: Mapping[str, Any]) -> tuple[Element | None, ...]:
    status = content.get("status")
    return (
        leaf("TITLE", content.get("name")),
        leaf("STATUS", None if status is None else "active" if status == "active" else "inactive"),
    )


# ---- what is looked up ----


def is_active(row: Row) -> bool:
    return row.get("STATUS", "active").lower() not in ("inactive", "f", "i")


def bank_from(row: Row, base: str) -> Observed:
    """A checking or savings account. Its id is what documents name it by."""
    id_ = row.get("BANKACCOUNTID", "")
    content: Content = {
        "name": id_,
        "account": text(row.get("GLACCOUNTNO")),
        "currency": text(row.get("CURRENCY"), 3) or base,
    }
    return master("bank_account", id_, content, active=is_active(row))


def term_from(row: Row) -> Observed:
    """Terms in days after the invoice's date, or after the end of its month."""
    name = row.get("NAME", "")
    days = amount_of(row.get("DUEDATE"))
    content: Content = {"name": name, "days": int(days) if days is not None else 0}
    if "end of" in row.get("DUEFROM", "").lower():
        content["end_of_month"] = True
    return master("payment_term", name, content, active=is_active(row))


def tax_from(row: Row) -> Observed:
    """A tax detail: it can be named, and then the line that names it is refused with the reason."""
    id_ = row.get("DETAILID", "")
    rate = amount_of(row.get("VALUE"))
    content: Content = {"name": id_, "code": id_, "rate": decimal_text(rate) if rate is not None else None}
    return master("tax_rate", id_, content)


def item_from(row: Row) -> Observed:
    id_ = row.get("ITEMID", "")
    active = is_active(row)
    content: Content = {
        "name": text(row.get("NAME")) or id_,
        "code": text(id_, 120),
        "status": "active" if active else "archived",
    }
    return master("item", id_, content, active=active)


def dimension_from(category: str, values: list[str]) -> Observed:
    return master("tracking_category", category, {"name": DIMENSIONS[category][3], "values": sorted(set(values))})

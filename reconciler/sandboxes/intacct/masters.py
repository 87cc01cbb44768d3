"""Lists: accounts, banks, terms, tax details, items, dimensions; and what creates and updates each object.

A field that is absent stays as it is; an empty one is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.company import DIMENSIONS, Company, Held
from reconciler.sandboxes.intacct.contacts import (
    Given,
    addressed,
    create_contact,
    duplicate,
    given_of,
    made,
    update_contact,
)
from reconciler.sandboxes.intacct.customers import create_customer, update_customer
from reconciler.sandboxes.intacct.words import GENERAL, Error, Fault, fault, flag, number
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.serving.xml import element


def raised(item: Element, **names: str) -> Element:
    """A legacy contact's element with the generic tags."""
    copied = Element(str(item.tag).upper())
    for child in item:
        tag = names.get(str(child.tag), str(child.tag)).upper()
        if len(child):
            inner = raised(child, isocountrycode="ISOCOUNTRYCODE")
            inner.tag = tag
            copied.append(inner)
        else:
            copied.append(element(tag, child.text or ""))
    return copied


# ---- lists ----


def _text(given: Given, name: str) -> str:
    if not given.get(name):
        raise fault(f"Missing required field: {name}.")
    return given[name]


def create_account(company: Company, item: Element) -> Element:
    given = given_of(item)
    code, title = _text(given, "ACCOUNTNO"), _text(given, "TITLE")
    if company.by_code("account", code) is not None:
        raise Fault(
            Error(
                GENERAL,
                f"The account number '{code}' already exists [Support ID: sandbox%7E{code}]",
                "Duplicate account number",
                "Enter unique account number",
            ),
            Error(GENERAL, "Could not create GL Account record."),
        )
    balance = given.get("ACCOUNTTYPE", "balancesheet")
    normal = given.get("NORMALBALANCE", "debit")
    if balance not in ("balancesheet", "incomestatement") or normal not in ("debit", "credit"):
        raise fault(f"Invalid account type '{balance[:20]}' or normal balance '{normal[:20]}'.")
    kinds = {
        ("balancesheet", "debit"): "current_asset",
        ("balancesheet", "credit"): "liability",
        ("incomestatement", "credit"): "income",
        ("incomestatement", "debit"): "expense",
    }
    kind = (
        "accounts_receivable"
        if given.get("ALTERNATIVEACCOUNT") == "Receivables account"
        else kinds[balance, normal]
    )
    record = company.run(CreateRecord("account", {"code": code, "name": title, "type": kind, **_status(given)}))
    company.keep(record.id, requires=_required(given, []))
    return made("glaccount", Held(record).recordno, "ACCOUNTNO", code)


def _status(given: Given) -> dict[str, str]:
    return {"status": "archived"} if given.get("STATUS") == "inactive" else {}


REQUIRED = {"REQUIREDEPT": "DEPARTMENT", "REQUIRELOC": "LOCATION", "REQUIRECLASS": "CLASS"}
"""Fields of an account that say which dimensions a line that posts to it must have."""


def _required(given: Given, before: list[str]) -> list[str]:
    changed = {name: flag(given[tag], tag) for tag, name in REQUIRED.items() if tag in given}
    return [name for name in REQUIRED.values() if changed.get(name, name in before)]


def update_account(company: Company, item: Element) -> Element:
    given = given_of(item)
    held = addressed(company, "account", given, "ACCOUNTNO", "GL account")
    after: dict[str, Any] = {"name": given["TITLE"]} if given.get("TITLE") else {}
    if given.get("STATUS"):
        after["status"] = "archived" if given["STATUS"] == "inactive" else "active"
    requires = _required(given, held.extra.get("requires", []))
    if after:
        company.run(UpdateRecord("account", held.record.id, {}, after, str(held.record.revision)))
    company.keep(held.record.id, requires=requires)
    return made("glaccount", held.recordno, "ACCOUNTNO", held.record.code or "")


def create_bank(company: Company, item: Element) -> Element:
    given = given_of(item)
    code = _text(given, "BANKACCOUNTID")
    if company.by_code("bank_account", code) is not None:
        raise duplicate("Checking Account", code)
    account = company.account(_text(given, "GLACCOUNTNO"))
    content: dict[str, Any] = {"name": code, "account": account.record.id}
    if given.get("CURRENCY"):
        content["currency"] = given["CURRENCY"]
    record = company.run(CreateRecord("bank_account", content))
    kept = {key: given[key] for key in ("BANKACCOUNTNO", "BANKNAME", "ROUTINGNO", "BRANCHID") if key in given}
    company.keep(record.id, given=kept)
    return made("checkingaccount", Held(record).recordno, "BANKACCOUNTID", code)


def create_term(company: Company, item: Element) -> Element:
    given = given_of(item)
    name = _text(given, "NAME")
    if company.by_code("payment_term", name) is not None:
        raise duplicate("AR Term", name)
    days = given.get("DUEDATE") or (item.findtext("DUE/DUEDAY") or "0").strip()
    if not days.isdigit():
        raise fault(f"The value '{days[:20]}' of DUEDATE is not a number of days.")
    month = "month" in (given.get("DUEFROM") or item.findtext("DUE/DUEFROM") or "")
    record = company.run(CreateRecord("payment_term", {"name": name, "days": int(days), "end_of_month": month}))
    company.keep(record.id, description=given.get("DESCRIPTION"))
    return made("arterm", Held(record).recordno, "NAME", name)


def create_tax(company: Company, item: Element) -> Element:
    given = given_of(item)
    code = _text(given, "DETAILID")
    if company.by_code("tax_rate", code) is not None:
        raise duplicate("Tax Detail", code)
    content: dict[str, Any] = {
        "code": code,
        "name": given.get("DESCRIPTION") or code,
        "rate": number(given.get("VALUE") or "0", "VALUE"),
    }
    if account := given.get("GLACCOUNT") or given.get("GLACCOUNTNO"):
        content["account"] = company.account(account).record.id
    record = company.run(CreateRecord("tax_rate", content))
    return made("taxdetail", Held(record).recordno, "DETAILID", code)


def create_item(company: Company, item: Element) -> Element:
    given = given_of(item)
    code, name = _text(given, "ITEMID"), _text(given, "NAME")
    if company.by_code("item", code) is not None:
        raise duplicate("Item", code)
    content: dict[str, Any] = {"code": code, "name": name, **_status(given)}
    if given.get("BASEPRICE") or given.get("BASE_PRICE"):
        content["unit_price"] = number(given.get("BASEPRICE") or given.get("BASE_PRICE"), "BASEPRICE")
    if account := given.get("INCOMEACCTKEY") or given.get("INCOMEACCOUNT"):
        content["income_account"] = company.account(account).record.id
    record = company.run(CreateRecord("item", content))
    company.keep(record.id, itemtype=given.get("ITEMTYPE"), description=given.get("EXTENDED_DESCRIPTION"))
    return made("item", Held(record).recordno, "ITEMID", code)


def update_item(company: Company, item: Element) -> Element:
    given = given_of(item)
    held = addressed(company, "item", given, "ITEMID", "Item")
    after: dict[str, Any] = {"name": given["NAME"]} if given.get("NAME") else {}
    if "BASEPRICE" in given:
        after["unit_price"] = number(given["BASEPRICE"], "BASEPRICE") if given["BASEPRICE"] else None
    if "INCOMEACCTKEY" in given:
        code = given["INCOMEACCTKEY"]
        after["income_account"] = company.account(code).record.id if code else None
    if given.get("STATUS"):
        after["status"] = "archived" if given["STATUS"] == "inactive" else "active"
    if after:
        company.run(UpdateRecord("item", held.record.id, {}, after, str(held.record.revision)))
    return made("item", held.recordno, "ITEMID", held.record.code or "")


def dimension_maker(name: str) -> Callable[[Company, Element], Element]:
    """What creates a department, location or class: a value of the tracking category behind it."""
    what = name.title()
    title = "TITLE" if name == "DEPARTMENT" else "NAME"

    def create(company: Company, item: Element) -> Element:
        given = given_of(item)
        code = _text(given, f"{name}ID")
        shown = _text(given, title)
        held = company.category(name)
        if held is None:
            called = company.switches.text(DIMENSIONS[name])
            held = Held(company.run(CreateRecord("tracking_category", {"name": called, "values": [code]})))
            values = [code]
        else:
            values = list(held.content["values"])
            if code in values:
                raise duplicate(what, code)
            values.append(code)
            company.run(UpdateRecord("tracking_category", held.record.id, {}, {"values": values}))
        kept = {**held.extra.get("values", {}), code: {"title": shown, "description": given.get("DESCRIPTION", "")}}
        company.keep(held.record.id, values=kept)
        return made(name, str(len(values)), f"{name}ID", code)

    return create


def dimension_changer(name: str) -> Callable[[Company, Element], Element]:
    title = "TITLE" if name == "DEPARTMENT" else "NAME"

    def update(company: Company, item: Element) -> Element:
        given = given_of(item)
        held = company.category(name)
        values = list(held.content["values"]) if held else []
        code = given.get(f"{name}ID", "")
        if not code and given.get("RECORDNO", "").isdigit() and 1 <= int(given["RECORDNO"]) <= len(values):
            code = values[int(given["RECORDNO"]) - 1]
        if held is None or code not in values:
            raise fault(f"{name.title()} '{code[:60]}' does not exist.")
        kept = dict(held.extra.get("values", {}))
        changed = {
            "title": given.get(title),
            "status": given.get("STATUS"),
            "description": given.get("DESCRIPTION"),
        }
        kept[code] = {**kept.get(code, {}), **{key: value for key, value in changed.items() if value}}
        company.keep(held.record.id, values=kept)
        return made(name, str(values.index(code) + 1), f"{name}ID", code)

    return update


Maker = Callable[[Company, Element], Element]
CREATE: Mapping[str, Maker] = {
    "CUSTOMER": create_customer,
    "CONTACT": create_contact,
    "GLACCOUNT": create_account,
    "CHECKINGACCOUNT": create_bank,
    "ARTERM": create_term,
    "TAXDETAIL": create_tax,
    "ITEM": create_item,
    **{name: dimension_maker(name) for name in DIMENSIONS},
}
UPDATE: Mapping[str, Maker] = {
    "CUSTOMER": update_customer,
    "CONTACT": update_contact,
    "GLACCOUNT": update_account,
    "ITEM": update_item,
    **{name: dimension_changer(name) for name in DIMENSIONS},
}

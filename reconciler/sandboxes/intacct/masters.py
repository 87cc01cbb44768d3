"""Customers, contacts and lists: created and updated by the generic functions and by a few legacy ones.

A field that is absent stays as it is; an empty one is cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import is_currency
from reconciler.sandboxes.intacct.company import CONTACTS, DIMENSIONS, Company, Held
from reconciler.sandboxes.intacct.lists import ADDRESS_FIELDS, CONTACT_FIELDS, CUSTOMER_EXTRAS, display_name
from reconciler.sandboxes.intacct.words import DUPLICATE, GENERAL, Error, Fault, amount, fault, flag, number
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.serving.xml import element

Given = Mapping[str, str]
_CUSTOMER_OWN = frozenset(
    {
        "RECORDNO", "CUSTOMERID", "NAME", "DISPLAYCONTACT", "STATUS", "TERMNAME", "TAXID", "CREDITLIMIT", "ONHOLD",
        "CURRENCY", "ARACCOUNT", "ONETIME", "HIDEDISPLAYCONTACT", "CONTACTINFO", "BILLTO", "SHIPTO",
        "CONTACT_LIST_INFO", "CUSTOMERCONTACTS", "CUSTOMERENTITYCONTACTS", "DELIVERYOPTIONS",
    }
)  # fmt: skip


def duplicate(what: str, value: str) -> Fault:
    """A name that is taken: three errors, the innermost first."""
    return Fault(
        Error(
            DUPLICATE,
            f"Another {what} with the given value(s) {value}  already exists",
            correction="Use a unique value instead.",
        ),
        Error(GENERAL, f"Could not create {what} record!"),
        Error(GENERAL, f"Error while saving the {what} info"),
    )


def given_of(item: Element) -> dict[str, str]:
    """The children's texts by tag, empty ones too."""
    return {str(child.tag).upper(): (child.text or "").strip() for child in item}


def made(tag: str, recordno: str, name: str, value: str) -> Element:
    """What `create` and `update` answer for one object."""
    return element(tag.lower(), element("RECORDNO", recordno), element(name, value))


# ---- customers ----


def create_customer(company: Company, item: Element) -> Element:
    given = given_of(item)
    _check_customer_fields(company, item)
    code, name = given.get("CUSTOMERID", ""), given.get("NAME", "")
    if not code:
        if company.switches.text("customer_sequence") == "0":
            raise fault("Missing required field: CUSTOMERID.", "Provide a value, or enable document sequencing.")
        code = f"CUST-{company.books.shelf.next('ia-customers'):05d}"
    if not name:
        raise fault("Missing required field: NAME.")
    if len(code) > 20 or len(name) > 100:
        raise fault("CUSTOMERID has at most 20 characters, NAME at most 100.")
    if company.by_code("customer", code) is not None:
        raise duplicate("Customer", code)
    contact = item.find("DISPLAYCONTACT")
    if contact is None or not (contact.findtext("PRINTAS") or "").strip():
        raise fault("Missing required field: DISPLAYCONTACT.PRINTAS.", "Provide the contact's print-as name.")
    display = (contact.findtext("CONTACTNAME") or "").strip() or f"{name}(C{code})"
    if company.contact(display) is not None and (contact.findtext("CONTACTNAME") or "").strip():
        raise duplicate("Contact", display)
    content = _customer_content(company, given)
    extra = _customer_extra(company, item, given, {})
    owned = contact_of(company, display, contact)
    record = company.run(
        CreateRecord("customer", {k: v for k, v in content.items() if v is not None} | {"code": code})
    )
    keep_contact(company, display, owned)
    company.keep(record.id, **extra, displaycontact=display)
    return made("customer", Held(record).recordno, "CUSTOMERID", code)


def _check_customer_fields(company: Company, item: Element) -> None:
    known = {*_CUSTOMER_OWN, *CUSTOMER_EXTRAS, *company.switches.text("custom_fields").split()}
    for child in item:
        if str(child.tag).upper() not in known:
            raise fault(f"Invalid field '{str(child.tag)[:60]}' for object CUSTOMER.")


def _customer_content(company: Company, given: Given) -> dict[str, Any]:
    """The ledger's fields among those given; None clears."""
    content: dict[str, Any] = {}
    if given.get("NAME"):
        content["name"] = given["NAME"]
    if "TAXID" in given:
        content["tax_number"] = given["TAXID"] or None
    if "CREDITLIMIT" in given:
        content["credit_limit"] = amount(given["CREDITLIMIT"], "CREDITLIMIT") if given["CREDITLIMIT"] else None
    if "ONHOLD" in given:
        content["hold"] = flag(given["ONHOLD"], "ONHOLD")
    if given.get("CURRENCY"):
        if not is_currency(given["CURRENCY"]):
            raise fault(f"Invalid currency '{given['CURRENCY'][:10]}'.")
        content["currency"] = given["CURRENCY"]
    if "TERMNAME" in given:
        term = given["TERMNAME"]
        content["payment_terms"] = company.named("payment_term", term, "term").record.id if term else None
    if "ARACCOUNT" in given:
        account = given["ARACCOUNT"]
        content["receivable_account"] = company.account(account).record.id if account else None
    if given.get("STATUS"):
        if given["STATUS"] not in ("active", "inactive"):
            raise fault(f"Invalid status '{given['STATUS'][:20]}': use active or inactive.")
        content["status"] = "active" if given["STATUS"] == "active" else "archived"
    return content


def _customer_extra(company: Company, item: Element, given: Given, before: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept beside a customer."""
    kept = {key: value for key, value in given.items() if key in CUSTOMER_EXTRAS}
    if "DELIVERYOPTIONS" in given:
        kept["DELIVERY_OPTIONS"] = given["DELIVERYOPTIONS"]
    if kept.get("SUPDOCID"):
        company.check_supdoc(kept["SUPDOCID"])
    if kept.get("PARENTID"):
        company.customer(kept["PARENTID"])
    extra: dict[str, Any] = {}
    if kept:
        extra["given"] = {**before.get("given", {}), **kept}
    for name in ("ONETIME", "HIDEDISPLAYCONTACT"):
        if name in given:
            extra[name.lower()] = flag(given[name], name)
    for name in ("CONTACTINFO", "BILLTO", "SHIPTO"):
        reference = item.find(name)
        if reference is not None:
            contact = (reference.findtext("CONTACTNAME") or "").strip()
            extra[name.lower()] = company.check_contact(contact) if contact else None
    if custom := {name: given[name] for name in company.switches.text("custom_fields").split() if name in given}:
        extra["custom"] = {**before.get("custom", {}), **custom}
    return extra


def update_customer(company: Company, item: Element) -> Element:
    given = given_of(item)
    _check_customer_fields(company, item)
    held = addressed(company, "customer", given, "CUSTOMERID", "Customer")
    code = held.record.code or ""
    if "NAME" in given and not given["NAME"]:
        raise fault("NAME cannot be empty.")
    content = _customer_content(company, given)
    extra = _customer_extra(company, item, given, held.extra)
    display = display_name(held)
    contact = item.find("DISPLAYCONTACT")
    if contact is not None and (renamed := (contact.findtext("CONTACTNAME") or "").strip()):
        if renamed != display and company.contact(renamed) is not None:
            raise duplicate("Contact", renamed)
        display = renamed
    owned = None
    if contact is not None and len(contact):
        owned = contact_of(company, display, contact, default_printas=held.record.name or code)
    if content:
        company.run(UpdateRecord("customer", held.record.id, {}, content, str(held.record.revision)))
    if owned is not None:
        keep_contact(company, display, owned)
    company.keep(held.record.id, **extra, displaycontact=display)
    return made("customer", held.recordno, "CUSTOMERID", code)


def addressed(company: Company, kind: str, given: Given, name: str, what: str) -> Held:
    """What an update names by RECORDNO or by its own name."""
    found = None
    if recordno := given.get("RECORDNO"):
        found = company.by_recordno(kind, recordno)
    elif given.get(name):
        found = company.by_code(kind, given[name])
    if found is None:
        raise fault(f"{what} '{(given.get('RECORDNO') or given.get(name) or '')[:60]}' does not exist.")
    return found


def delete_customer(company: Company, held: Held) -> None:
    """Delete a customer that nothing was ever posted to. Raises Fault."""
    with company.books.ledger.reading() as db:
        used = db.execute("SELECT 1 FROM records WHERE customer = ? LIMIT 1", (int(held.recordno),)).fetchone()
    if used:
        raise fault(
            f"Cannot delete customer '{held.record.code}': it has transactions.", "Make it inactive instead."
        )
    company.keep(held.record.id, deleted=True)


# ---- contacts ----


def save_contact(company: Company, name: str, item: Element) -> str:
    """Create or change a contact; its record number. Raises Fault."""
    return keep_contact(company, name, contact_of(company, name, item))


def keep_contact(company: Company, name: str, kept: dict[str, Any]) -> str:
    """Write a contact; its record number."""
    kept = {"RECORDNO": str(company.books.shelf.next("ia-contacts")), **kept} if "RECORDNO" not in kept else kept
    company.books.shelf.put(CONTACTS, name, kept)
    return str(kept["RECORDNO"])


def contact_of(company: Company, name: str, item: Element, default_printas: str = "") -> dict[str, Any]:
    """A contact as it is to be kept. Raises Fault."""
    before = company.contact(name) or {}
    given = given_of(item)
    if wrong := [key for key in given if key not in (*CONTACT_FIELDS, "MAILADDRESS", "STATUS", "RECORDNO")]:
        raise fault(f"Invalid field '{wrong[0][:60]}' for object CONTACT.")
    kept = {**before, **{key: value for key, value in given.items() if key in CONTACT_FIELDS}, "CONTACTNAME": name}
    kept["PRINTAS"] = kept.get("PRINTAS") or default_printas or name
    if given.get("STATUS"):
        kept["STATUS"] = given["STATUS"]
    address = item.find("MAILADDRESS")
    if address is not None:
        parts = given_of(address)
        if wrong := [key for key in parts if key not in ADDRESS_FIELDS]:
            raise fault(f"Invalid field '{wrong[0][:60]}' for object MAILADDRESS.")
        if code := parts.get("ISOCOUNTRYCODE") or parts.get("COUNTRYCODE"):
            parts |= {"ISOCOUNTRYCODE": code, "COUNTRYCODE": code}
        kept["MAILADDRESS"] = {**before.get("MAILADDRESS", {}), **parts}
    kept.setdefault("TAXABLE", "true")
    return kept


def create_contact(company: Company, item: Element) -> Element:
    given = given_of(item)
    name = given.get("CONTACTNAME", "")
    for field in ("CONTACTNAME", "PRINTAS"):
        if not given.get(field):
            raise fault(f"Missing required field: {field}.")
    if company.contact(name) is not None:
        raise duplicate("Contact", name)
    return made("contact", save_contact(company, name, item), "CONTACTNAME", name)


def update_contact(company: Company, item: Element) -> Element:
    given = given_of(item)
    name = given.get("CONTACTNAME", "")
    if not name and given.get("RECORDNO"):
        kept = company.books.shelf.all(CONTACTS)
        name = next((own for own, one in kept.items() if one.get("RECORDNO") == given["RECORDNO"]), "")
    if company.contact(name) is None:
        raise fault(f"Contact '{name[:60]}' does not exist.")
    return made("contact", save_contact(company, name, item), "CONTACTNAME", name)


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
    return made("glaccount", Held(record).recordno, "ACCOUNTNO", code)


def _status(given: Given) -> dict[str, str]:
    return {"status": "archived"} if given.get("STATUS") == "inactive" else {}


def update_account(company: Company, item: Element) -> Element:
    given = given_of(item)
    held = addressed(company, "account", given, "ACCOUNTNO", "GL account")
    after: dict[str, Any] = {"name": given["TITLE"]} if given.get("TITLE") else {}
    if given.get("STATUS"):
        after["status"] = "archived" if given["STATUS"] == "inactive" else "active"
    if after:
        company.run(UpdateRecord("account", held.record.id, {}, after, str(held.record.revision)))
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

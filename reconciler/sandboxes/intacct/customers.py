"""Customers: created, changed and deleted, with the contact that is their own.

A field that is absent stays as it is; an empty one is cleared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import is_currency
from reconciler.sandboxes.intacct.company import Company, Held
from reconciler.sandboxes.intacct.contacts import (
    Given,
    addressed,
    contact_of,
    duplicate,
    given_of,
    keep_contact,
    made,
)
from reconciler.sandboxes.intacct.lists import CUSTOMER_EXTRAS, display_name
from reconciler.sandboxes.intacct.words import amount, fault, flag
from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord

_CUSTOMER_OWN = frozenset(
    {
        "RECORDNO", "CUSTOMERID", "NAME", "DISPLAYCONTACT", "STATUS", "TERMNAME", "TAXID", "CREDITLIMIT", "ONHOLD",
        "CURRENCY", "ARACCOUNT", "ONETIME", "HIDEDISPLAYCONTACT", "CONTACTINFO", "BILLTO", "SHIPTO",
        "CONTACT_LIST_INFO", "CUSTOMERCONTACTS", "CUSTOMERENTITYCONTACTS", "DELIVERYOPTIONS",
    }
)  # fmt: skip


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
    listed = next((found for tag in _CONTACT_LISTS if (found := item.find(tag)) is not None), None)
    if listed is not None:
        extra["contacts"] = _contact_list(company, item, str(listed.tag))
    return extra


_CONTACT_LISTS = ("CUSTOMERCONTACTS", "CUSTOMERENTITYCONTACTS", "CONTACT_LIST_INFO")
"""The first of them that is there counts; an empty one clears the list."""


def _contact_list(company: Company, item: Element, tag: str) -> list[list[str]]:
    """A customer's contacts by category, each once; both are names. Raises Fault."""
    found: dict[str, str] = {}
    for listed in item.iterfind(tag):
        members = [listed] if listed.find("CATEGORYNAME") is not None else list(listed)
        for member in members:
            category = (member.findtext("CATEGORYNAME") or "").strip()
            contact = (member.findtext("CONTACT/NAME") or member.findtext("CONTACT/CONTACTNAME") or "").strip()
            if not category or not contact:
                raise fault(f"A member of {tag} has a CATEGORYNAME and a CONTACT.")
            found.setdefault(category, company.check_contact(contact))
    return [list(pair) for pair in found.items()]


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


def delete_customer(company: Company, held: Held) -> None:
    """Delete a customer that nothing was ever posted to. Raises Fault."""
    with company.books.ledger.reading() as db:
        used = db.execute("SELECT 1 FROM records WHERE customer = ? LIMIT 1", (int(held.recordno),)).fetchone()
    if used:
        raise fault(
            f"Cannot delete customer '{held.record.code}': it has transactions.", "Make it inactive instead."
        )
    company.keep(held.record.id, deleted=True)

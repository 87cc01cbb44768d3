"""Contacts: created, changed, and kept by their names. And what functions on lists have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.company import CONTACTS, Company, Held
from reconciler.sandboxes.intacct.lists import ADDRESS_FIELDS, CONTACT_FIELDS
from reconciler.sandboxes.intacct.words import DUPLICATE, GENERAL, Error, Fault, fault
from reconciler.sandboxes.serving.xml import element

Given = Mapping[str, str]


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

"""Between Intacct's customers and ours. Pure.

A customer owns its display contact: e-mail, phones and the billing address are there. The primary contact, the
bill-to and the ship-to are contacts of their own, named after the customer, which the customer refers to; where it
refers to none, its display contact serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.money import decimal_text
from reconciler.providers.intacct.codec_masters import is_active
from reconciler.providers.intacct.observed import master
from reconciler.providers.intacct.wire import Row, amount_of, element, leaf, text, yes
from reconciler.providers.protocol import Observed
from reconciler.resources.kinds import Content

PLACES: Mapping[str, tuple[str, str]] = {
    "primary": ("CONTACTINFO", "primary"),
    "bill_to": ("BILLTO", "bill to"),
    "ship_to": ("SHIPTO", "ship to"),
}
"""A contact's role → where the customer refers to it, and how one of ours is named after the customer."""
_ADDRESS: Mapping[str, str] = {
    "line1": "ADDRESS1",
    "line2": "ADDRESS2",
    "city": "CITY",
    "region": "STATE",
    "postal_code": "ZIP",
}
_MAIL = tuple(f"MAILADDRESS.{name}" for name in (*_ADDRESS.values(), "COUNTRYCODE"))
_DISPLAY = ("CONTACTNAME", "PRINTAS", "EMAIL1", "PHONE1", "PHONE2", *_MAIL)
CUSTOMER = (
    "RECORDNO",
    "CUSTOMERID",
    "NAME",
    "STATUS",
    "TAXID",
    "TERMNAME",
    "CREDITLIMIT",
    "ONHOLD",
    "CURRENCY",
    "OFFSETGLACCOUNTNO",
    "TOTALDUE",
    *(f"DISPLAYCONTACT.{name}" for name in _DISPLAY),
    *(f"{place}.CONTACTNAME" for place, _ in PLACES.values()),
)
CONTACT = ("RECORDNO", "CONTACTNAME", "PRINTAS", "EMAIL1", "PHONE1", *_MAIL)
DISPLAYED = frozenset({"name", "email", "phones", "addresses", "contacts"})
"""Fields that contacts hold."""
APART = frozenset({"addresses", "contacts"})
"""Fields that contacts of their own may hold."""
MOST_PHONES = 2

Contacts = Mapping[str, Row]
"""Contacts by name."""


def referred(row: Row) -> dict[str, str]:
    """Role → name of a contact that a customer refers to and that is not its display contact."""
    shown = row.get("DISPLAYCONTACT.CONTACTNAME", "")
    found = {role: row.get(f"{place}.CONTACTNAME", "") for role, (place, _) in PLACES.items()}
    return {role: name for role, name in found.items() if name and name != shown}


def customer_from(row: Row, contacts: Contacts) -> Observed:
    active = is_active(row)
    limit = amount_of(row.get("CREDITLIMIT"))
    named = {role: contacts[name] for role, name in referred(row).items() if name in contacts}
    phones = [row.get(f"DISPLAYCONTACT.PHONE{at}", "").strip() for at in range(1, MOST_PHONES + 1)]
    code = row.get("CUSTOMERID", "")
    name = text(row.get("NAME")) or code
    content: Content = {
        "name": name,
        "code": text(code, 120),
        "tax_number": text(row.get("TAXID")),
        "status": "active" if active else "archived",
        "email": text(row.get("DISPLAYCONTACT.EMAIL1")),
        "phones": [phone for phone in phones if phone],
        "addresses": _addresses(row, named),
        "contacts": _people(named, name),
        "currency": text(row.get("CURRENCY"), 3),
        "payment_terms": text(row.get("TERMNAME")),
        "credit_limit": decimal_text(limit) if limit is not None else None,
        "hold": yes(row.get("ONHOLD")),
        "receivable_account": text(row.get("OFFSETGLACCOUNTNO")),
    }
    return master("customer", code, content, active=active)


def _addresses(row: Row, named: Mapping[str, Row]) -> list[Content]:
    display = {name.removeprefix("DISPLAYCONTACT."): value for name, value in row.items()}
    billing = _address(named.get("bill_to", display))
    delivery = _address(named["ship_to"]) if "ship_to" in named else {}
    found = (("billing", billing), ("delivery", delivery))
    return [{"type": type_, **fields} for type_, fields in found if fields]


def _address(contact: Row) -> Content:
    fields = {ours: text(contact.get(f"MAILADDRESS.{theirs}")) for ours, theirs in _ADDRESS.items()}
    fields["country"] = text(contact.get("MAILADDRESS.COUNTRYCODE"), 2)
    return {name: value for name, value in fields.items() if value}


def _people(named: Mapping[str, Row], customer: str) -> list[Content]:
    """Who is named. A ship-to that says no more than an address names nobody."""
    found = []
    for role in PLACES:
        if role in named:
            contact = named[role]
            person = {
                "name": text(contact.get("PRINTAS")),
                "email": text(contact.get("EMAIL1")),
                "phone": text(contact.get("PHONE1")),
            }
            if role == "ship_to" and person == {"name": customer, "email": None, "phone": None}:
                continue
            found.append({"role": role, **{name: value for name, value in person.items() if value}})
    return found


# ---- to Intacct ----


@dataclass(frozen=True, slots=True)
class Wanted:
    """A customer's own contacts as they should be: role → contact, and the roles that name none."""

    contacts: Mapping[str, Element]
    without: tuple[str, ...]


def display_contact(content: Mapping[str, Any], *, new: bool) -> Element | None:
    """What a customer's content says of its display contact. On a change, '' clears a field."""
    fields: list[Element | None] = []
    if new or content.get("name"):
        fields.append(leaf("PRINTAS", content["name"]))
    if "email" in content:
        fields.append(_clearing("EMAIL1", content["email"], new=new))
    if "phones" in content:
        phones = [*(content["phones"] or ()), *[None] * MOST_PHONES][:MOST_PHONES]
        fields += [_clearing(f"PHONE{at}", phone, new=new) for at, phone in enumerate(phones, 1)]
    if "addresses" in content:
        fields.append(_mail(_typed(content["addresses"], "billing"), new=new))
    kept = [one for one in fields if one is not None]
    return element("DISPLAYCONTACT", *kept) if kept else None


def own_contacts(customer: str, content: Mapping[str, Any]) -> Wanted:
    """The contacts of their own that a customer with all of this content has."""
    people = {item["role"]: item for item in content.get("contacts") or ()}
    billing = _typed(content.get("addresses"), "billing")
    delivery = _typed(content.get("addresses"), "delivery")
    made: dict[str, Element] = {}
    for role, (_, word) in PLACES.items():
        address = delivery if role == "ship_to" else billing if role == "bill_to" else {}
        if role not in people and not (role == "ship_to" and delivery):
            continue
        person = people.get(role) or {}
        made[role] = element(
            "CONTACT",
            leaf("CONTACTNAME", f"{customer} {word}"),
            leaf("PRINTAS", person.get("name") or content["name"]),
            leaf("EMAIL1", person.get("email") or ""),
            leaf("PHONE1", person.get("phone") or ""),
            _mail(address, new=False) if role != "primary" else None,
        )
    return Wanted(made, tuple(role for role in PLACES if role not in made))


def references(wanted: Wanted, *, new: bool) -> list[Element]:
    """How the customer refers to its contacts: a blank name is its display contact."""
    made = [
        element(PLACES[role][0], leaf("CONTACTNAME", contact.findtext("CONTACTNAME")))
        for role, contact in wanted.contacts.items()
    ]
    if not new:
        made += [element(PLACES[role][0], leaf("CONTACTNAME", "")) for role in wanted.without]
    return made


def customer_fields(content: Mapping[str, Any], *, new: bool) -> list[Element | None]:
    """What stands on the customer itself."""
    made: list[Element | None] = [leaf("NAME", content.get("name"))]
    if content.get("status"):
        made.append(leaf("STATUS", "active" if content["status"] == "active" else "inactive"))
    for ours, theirs in (
        ("tax_number", "TAXID"),
        ("payment_terms", "TERMNAME"),
        ("receivable_account", "OFFSETGLACCOUNTNO"),
        ("credit_limit", "CREDITLIMIT"),
    ):
        if ours in content:
            made.append(_clearing(theirs, content[ours], new=new))
    if content.get("hold") is not None:
        made.append(leaf("ONHOLD", bool(content["hold"])))
    if content.get("currency"):
        made.append(leaf("CURRENCY", content["currency"]))
    return made


def _clearing(tag: str, value: object, *, new: bool) -> Element | None:
    """A field; one that is None is left out of what is new, and cleared by an empty element of what is there."""
    return leaf(tag, value if value is not None or new else "")


def _mail(address: Mapping[str, Any], *, new: bool) -> Element | None:
    fields = [_clearing(theirs, address.get(ours), new=new) for ours, theirs in _ADDRESS.items()]
    fields.append(_clearing("ISOCOUNTRYCODE", address.get("country"), new=new))
    kept = [one for one in fields if one is not None]
    return element("MAILADDRESS", *kept) if kept else None


def _typed(addresses: Any, type_: str) -> Mapping[str, Any]:
    return next((item for item in addresses or () if item["type"] == type_), {})

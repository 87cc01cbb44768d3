"""Customers: who owes. Mutable, but for the currency once something is posted."""

from __future__ import annotations

from typing import Literal, Required

from pydantic import with_config
from typing_extensions import TypedDict

from reconciler.resources.fields import (
    CONTENT_CONFIG,
    Amount,
    Code,
    Country,
    Currency,
    Flag,
    Reference,
    Text,
)


@with_config(CONTENT_CONFIG)
class PostalAddress(TypedDict, total=False):
    """A postal address, identified by its `type`."""

    type: Required[Literal["billing", "delivery"]]
    line1: Text | None
    line2: Text | None
    city: Text | None
    region: Text | None
    postal_code: Text | None
    country: Country | None


@with_config(CONTENT_CONFIG)
class Contact(TypedDict, total=False):
    """A person to write to, identified by `role`."""

    role: Required[Literal["primary", "bill_to", "ship_to"]]
    name: Text | None
    email: Text | None
    phone: Text | None


@with_config(CONTENT_CONFIG)
class Customer(TypedDict, total=False):
    """A customer. `code` (the ERP's external key) defaults to the name; `credit_limit` in `currency`."""

    name: Required[Text]
    code: Code
    tax_number: Text | None
    status: Literal["active", "archived"]
    email: Text | None
    phones: list[Text] | None
    addresses: list[PostalAddress] | None
    contacts: list[Contact] | None
    currency: Currency
    payment_terms: Reference | None
    credit_limit: Amount | None
    hold: Flag
    receivable_account: Reference | None
    default_tax: Reference | None
    tax_exempt: Flag

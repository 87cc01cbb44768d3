"""Reference data: GL accounts, items, tracking categories and sets, payment terms, bank accounts, tax rates."""

from __future__ import annotations

from typing import Literal, Required

from pydantic import with_config
from typing_extensions import TypedDict

from reconciler.resources.fields import (
    CONTENT_CONFIG,
    Code,
    Currency,
    Days,
    Flag,
    Percent,
    Reference,
    Text,
    UnitPrice,
)

AccountType = Literal[
    "accounts_receivable",
    "bank",
    "current_asset",
    "fixed_asset",
    "liability",
    "equity",
    "income",
    "expense",
    "other",
]
TaxTreatment = Literal["standard", "zero", "exempt", "out_of_scope", "reverse_charge"]


@with_config(CONTENT_CONFIG)
class Account(TypedDict, total=False):
    """A general-ledger account. `code` defaults to the name."""

    name: Required[Text]
    code: Code
    type: Required[AccountType]
    category: Text | None
    currency: Currency | None
    status: Literal["active", "archived"]
    parent: Reference | None


@with_config(CONTENT_CONFIG)
class Item(TypedDict, total=False):
    """Something sold. `code` defaults to the name; `unit_price` is per unit, in base currency."""

    name: Required[Text]
    code: Code
    unit_price: UnitPrice | None
    income_account: Reference | None
    taxes: list[Reference] | None
    tracking: dict[Reference, Text] | None
    status: Literal["active", "archived"]


@with_config(CONTENT_CONFIG)
class TrackingCategory(TypedDict, total=False):
    """A reporting dimension (department, class, location) and its values."""

    name: Text
    values: Required[list[Text]]


@with_config(CONTENT_CONFIG)
class TrackingSet(TypedDict, total=False):
    """One combination of tracking values that lines may carry, where the ERP keeps each under a code of its own.

    `code` (the ERP's id of it) defaults to the name. Which values it combines never changes.
    """

    name: Text
    code: Code
    tracking: Required[dict[Reference, Text]]
    status: Literal["active", "archived"]


@with_config(CONTENT_CONFIG)
class PaymentTerm(TypedDict, total=False):
    """When an invoice falls due: `days` after issue, optionally after the end of that month."""

    name: Text
    days: Required[Days]
    end_of_month: Flag


@with_config(CONTENT_CONFIG)
class BankAccount(TypedDict, total=False):
    """A bank account money is received in, and the GL account behind it."""

    name: Required[Text]
    account: Required[Reference]
    currency: Currency


@with_config(CONTENT_CONFIG)
class TaxRate(TypedDict, total=False):
    """A tax rate in percent and the account the tax is owed on. `code` defaults to the name."""

    name: Text
    code: Code
    rate: Required[Percent]
    account: Reference
    treatment: TaxTreatment

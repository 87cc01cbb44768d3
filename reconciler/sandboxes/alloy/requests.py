"""What the API takes: bodies of creates and updates, checked; and bodies of /one/forward."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter, with_config
from typing_extensions import TypedDict

from reconciler.sandboxes.alloy.words import Problem, invalid
from reconciler.sandboxes.serving.exact import NotJson, read
from reconciler.sandboxes.serving.messages import Call
from reconciler.sandboxes.serving.shapes import STRICT, Finding, Instant, NumberOrText, check
from reconciler.sandboxes.serving.switches import Switches

Body = dict[str, Any]
Remote = dict[str, Any]


@with_config(STRICT)
class Address(TypedDict, total=False):
    addressType: str | None
    street1: str | None
    street2: str | None
    city: str | None
    state: str | None
    zipCode: str | None
    country: str | None
    countrySubdivision: str | None


@with_config(STRICT)
class Phone(TypedDict, total=False):
    phoneNumberType: str | None
    phoneNumber: str | None


@with_config(STRICT)
class Account(TypedDict, total=False):
    accountName: str
    accountDescription: str | None
    classification: Literal["ASSET", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE"] | None
    accountType: Literal[
        "BANK", "OTHER_CURRENT_ASSET", "FIXED_ASSET", "OTHER_ASSET", "ACCOUNTS_RECEIVABLE", "EQUITY", "EXPENSE",
        "OTHER_EXPENSE", "COST_OF_GOODS_SOLD", "ACCOUNTS_PAYABLE", "CREDIT_CARD", "LONG_TERM_LIABILITY",
        "OTHER_CURRENT_LIABILITY", "INCOME", "OTHER_INCOME",
    ]  # fmt: skip
    accountStatus: Literal["ACTIVE", "INACTIVE"] | None
    currency: str | None
    accountNumber: str | None
    parentAccountId: str | None
    companyId: str | None
    remoteFields: Remote | None


@with_config(STRICT)
class Customer(TypedDict, total=False):
    customerName: str
    email: str | None
    taxNumber: str | None
    customerStatus: Literal["ACTIVE", "INACTIVE", "ARCHIVED", "PENDING"] | None
    currency: str | None
    companyId: str | None
    addresses: list[Address] | Address | None
    phoneNumbers: list[Phone] | Phone | None
    remoteFields: Remote | None


@with_config(STRICT)
class Item(TypedDict, total=False):
    itemName: str
    itemType: Literal["SERVICE", "NON_INVENTORY", "INVENTORY"]
    itemStatus: Literal["ACTIVE", "ARCHIVED"] | None
    unitPrice: NumberOrText | None
    purchasePrice: NumberOrText | None
    qtyOnHand: NumberOrText | None
    billAccountId: str
    invoiceAccountId: str | None
    assetAccountId: str | None
    companyId: str | None
    remoteFields: Remote | None


@with_config(STRICT)
class LineItem(TypedDict, total=False):
    id: str | None
    remoteId: str | None
    description: str | None
    unitPrice: NumberOrText | None
    quantity: NumberOrText | None
    totalAmount: NumberOrText | None
    currency: str | None
    exchangeRate: NumberOrText | None
    accountingItemId: str | None
    accountId: str | None
    trackingCategoryId: str | None
    trackingCategoryIds: list[str] | None
    companyId: str | None


@with_config(STRICT)
class Invoice(TypedDict, total=False):
    customerId: str
    lineItems: list[LineItem]
    invoiceNumber: str | None
    issueDate: Instant | None
    dueDate: Instant | None
    memo: str | None
    companyId: str | None
    currency: str | None
    exchangeRate: NumberOrText | None
    totalDiscount: NumberOrText | None
    subTotal: NumberOrText | None
    totalTaxAmount: NumberOrText | None
    totalAmount: NumberOrText | None
    balance: NumberOrText | None
    trackingCategories: list[str] | None
    purchaseOrders: list[str] | None
    remoteFields: Remote | None


@with_config(STRICT)
class Payment(TypedDict, total=False):
    customerId: str
    totalAmount: NumberOrText
    transactionDate: Instant | None
    accountId: str | None
    currency: str | None
    exchangeRate: NumberOrText | None
    companyId: str | None
    remoteFields: Remote | None


@with_config(STRICT)
class Forward(TypedDict, total=False):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    endpoint: str
    body: str | dict[str, Any] | None
    query: str | dict[str, Any] | None
    extraHeaders: str | dict[str, Any] | None


_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    "account": TypeAdapter(Account),
    "customer": TypeAdapter(Customer),
    "item": TypeAdapter(Item),
    "invoice": TypeAdapter(Invoice),
    "payment": TypeAdapter(Payment),
    "forward": TypeAdapter(Forward),
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "account": ("accountName", "accountType"),
    "customer": ("customerName",),
    "item": ("itemName", "itemType", "billAccountId"),
    "invoice": ("customerId", "lineItems"),
    "payment": ("customerId", "totalAmount"),
    "forward": ("method", "endpoint"),
}


def read_body(call: Call, kind: str, switches: Switches, *, create: bool) -> Body:
    """A typed body: numbers as Decimals, dates as texts. Raises Problem."""
    media = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, "Content-Type must be application/json")
    try:
        given = call.json()
    except NotJson as error:
        raise Problem(400, f"Unexpected token in JSON: {error}") from None
    if not isinstance(given, dict):
        raise invalid('"value" must be of type object')
    if switches.text("unknown_fields") == "ignore":
        given = _known(kind, given)
    typed, findings = check(_ADAPTERS[kind], given)
    if findings:
        raise invalid(_words(findings[0]))
    if create and (missing := [name for name in _REQUIRED[kind] if given.get(name) in (None, "", [])]):
        raise invalid(f'"{missing[0]}" is required')
    for name in _REQUIRED[kind]:
        if name in given and given[name] in ("", []):
            raise invalid(f'"{name}" is not allowed to be empty')
    body: Body = dict(typed)
    if not create and not body:
        raise invalid('"value" must have at least 1 key')
    return body


def _known(kind: str, given: Body) -> Body:
    """Without the fields that the model lacks."""
    kept = deepcopy(given)
    for finding in check(_ADAPTERS[kind], given)[1]:
        if finding.kind != "unknown":
            continue
        *above, name = [part for part in finding.place.split(".") if part not in ("Address", "Phone")]
        at: Any = kept
        for part in above:
            if isinstance(at, list) and part.isdigit():
                at = at[int(part)]
            elif isinstance(at, dict) and part in at:
                at = at[part]
        if isinstance(at, dict):
            at.pop(name, None)
    return kept


def _words(finding: Finding) -> str:
    if finding.kind == "unknown":
        return f'"{finding.place}" is not allowed'
    if finding.kind == "missing":
        return f'"{finding.place}" is required'
    return f'"{finding.place}" is not valid: {finding.text}'


def parsed(name: str, value: str | dict[str, Any] | None) -> dict[str, Any]:
    """A field of /one/forward: a text of JSON by the documents; an object is taken as well. Raises Problem."""
    if value is None or value == "":
        return {}
    if isinstance(value, dict):
        return value
    try:
        found = read(value)
    except NotJson:
        raise invalid(f'"{name}" must be a valid JSON string') from None
    if not isinstance(found, dict):
        raise invalid(f'"{name}" must be a JSON object')
    return found


def number_field(fields: Mapping[str, Any], name: str) -> Decimal | None:
    """A number of an ERP's own field. Raises Problem."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise invalid(f'"{name}" must be a number')
    _, findings = check(_NUMBER, value)
    if findings:
        raise invalid(f'"{name}" must be a number')
    return Decimal(value)


_NUMBER: TypeAdapter[Any] = TypeAdapter(NumberOrText)

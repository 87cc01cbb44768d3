"""What may be pushed: the vendor's models with their required fields, as types of the wire.

Fields that are computed or read-only (`id`, `modifiedDate`, `metadata`, …) are taken and ignored, as the models
contain them. Not here: whether what they say can be booked.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Literal, Required

from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from reconciler.sandboxes.codat.words import Invalid, Problem
from reconciler.sandboxes.serving.shapes import STRICT, Finding, Instant, Number, check

Key = Annotated[str, Field(min_length=1)]
Currency = Annotated[str, Field(min_length=3, max_length=3)]
Percentage = Annotated[Number, Field(ge=0, le=100)]


@with_config(STRICT)
class Ref(TypedDict, total=False):
    id: Required[Key]
    name: str | None


@with_config(STRICT)
class AccountRef(TypedDict, total=False):
    id: str
    name: str | None


@with_config(STRICT)
class TaxRateRef(TypedDict, total=False):
    id: str
    name: str | None
    effectiveTaxRate: Number | None


@with_config(STRICT)
class CustomerRef(TypedDict, total=False):
    id: Required[Key]
    companyName: str | None


@with_config(STRICT)
class ProjectRef(TypedDict, total=False):
    id: Required[Key]
    name: str | None


@with_config(STRICT)
class RecordRef(TypedDict, total=False):
    id: str
    dataType: str


@with_config(STRICT)
class Tracking(TypedDict, total=False):
    categoryRefs: Required[list[Ref]]
    customerRef: CustomerRef | None
    projectRef: ProjectRef | None
    isBilledTo: Required[Literal["Unknown", "NotApplicable", "Project"]]
    isRebilledTo: Required[Literal["Unknown", "NotApplicable", "Project"]]
    recordRef: RecordRef | None


@with_config(STRICT)
class LineItem(TypedDict, total=False):
    description: str | None
    unitAmount: Required[Number]
    quantity: Required[Number]
    discountAmount: Number | None
    subTotal: Number | None
    taxAmount: Number | None
    totalAmount: Number | None
    accountRef: AccountRef | None
    discountPercentage: Percentage | None
    taxRateRef: TaxRateRef | None
    itemRef: Ref | None
    trackingCategoryRefs: list[Ref] | None
    tracking: Tracking | None
    isDirectIncome: bool | None


@with_config(STRICT)
class WithholdingTax(TypedDict, total=False):
    name: Required[Key]
    amount: Required[Number]


class _Stamps(TypedDict, total=False):
    id: str | None
    modifiedDate: Instant | None
    sourceModifiedDate: Instant | None
    metadata: dict[str, Any] | None
    supplementalData: dict[str, Any] | None


@with_config(STRICT)
class Invoice(_Stamps, total=False):
    invoiceNumber: str | None
    customerRef: CustomerRef | None
    salesOrderRefs: list[RecordRef] | None
    issueDate: Required[Instant]
    dueDate: Instant | None
    paidOnDate: Instant | None
    currency: Currency | None
    currencyRate: Number | None
    lineItems: list[LineItem] | None
    paymentAllocations: list[dict[str, Any]] | None
    withholdingTax: list[WithholdingTax] | None
    totalDiscount: Number | None
    subTotal: Number | None
    additionalTaxAmount: Number | None
    additionalTaxPercentage: Number | None
    totalTaxAmount: Required[Number]
    totalAmount: Required[Number]
    amountDue: Required[Number]
    discountPercentage: Percentage | None
    status: Required[Literal["Unknown", "Draft", "Submitted", "PartiallyPaid", "Paid", "Void"]]
    note: str | None


@with_config(STRICT)
class CreditNote(_Stamps, total=False):
    creditNoteNumber: str | None
    customerRef: CustomerRef | None
    withholdingTax: list[WithholdingTax] | None
    totalAmount: Required[Number]
    totalDiscount: Required[Number]
    subTotal: Required[Number]
    additionalTaxAmount: Number | None
    additionalTaxPercentage: Number | None
    totalTaxAmount: Required[Number]
    discountPercentage: Required[Percentage]
    remainingCredit: Required[Number]
    status: Required[Literal["Unknown", "Draft", "Submitted", "Paid", "Void", "PartiallyPaid"]]
    issueDate: Instant | None
    allocatedOnDate: Instant | None
    currency: Currency | None
    currencyRate: Number | None
    lineItems: list[LineItem] | None
    paymentAllocations: list[dict[str, Any]] | None
    note: str | None


LinkType = Literal[
    "Unknown", "Unlinked", "Invoice", "CreditNote", "Other", "Refund", "Payment", "PaymentOnAccount",
    "ManualJournal", "Discount",
]  # fmt: skip


@with_config(STRICT)
class Link(TypedDict, total=False):
    type: Required[LinkType]
    id: str | None
    amount: Number | None
    currencyRate: Number | None


@with_config(STRICT)
class PaymentLine(TypedDict, total=False):
    amount: Required[Number]
    links: list[Link] | None
    allocatedOnDate: Instant | None


@with_config(STRICT)
class Payment(_Stamps, total=False):
    customerRef: CustomerRef | None
    accountRef: AccountRef | None
    paymentMethodRef: Ref | None
    totalAmount: Number
    currency: Currency | None
    currencyRate: Number | None
    date: Required[Instant]
    note: str | None
    lines: list[PaymentLine] | None
    reference: str | None


@with_config(STRICT)
class Address(TypedDict, total=False):
    type: Required[Literal["Unknown", "Billing", "Delivery"]]
    line1: str | None
    line2: str | None
    city: str | None
    region: str | None
    country: str | None
    postalCode: str | None


@with_config(STRICT)
class Phone(TypedDict, total=False):
    number: Required[str | None]
    type: Required[Literal["Primary", "Landline", "Mobile", "Fax", "Unknown"]]


@with_config(STRICT)
class Contact(TypedDict, total=False):
    name: str | None
    email: str | None
    phone: list[Phone] | None
    address: Address | None
    status: Required[Literal["Unknown", "Active", "Archived"]]
    modifiedDate: Instant | None


@with_config(STRICT)
class Customer(_Stamps, total=False):
    customerName: str | None
    contactName: str | None
    emailAddress: str | None
    defaultCurrency: Currency | None
    phone: str | None
    addresses: list[Address] | None
    contacts: list[Contact] | None
    registrationNumber: str | None
    taxNumber: str | None
    status: Required[Literal["Unknown", "Active", "Archived"]]


@with_config(STRICT)
class ItemSide(TypedDict, total=False):
    description: str | None
    unitPrice: Number | None
    accountRef: AccountRef | None
    taxRateRef: TaxRateRef | None


@with_config(STRICT)
class Item(_Stamps, total=False):
    name: str | None
    code: str | None
    itemStatus: Required[Literal["Unknown", "Active", "Archived"]]
    type: Required[Literal["Unknown", "Inventory", "NonInventory", "Service"]]
    isBillItem: Required[bool]
    billItem: ItemSide | None
    isInvoiceItem: Required[bool]
    invoiceItem: ItemSide | None


@with_config(STRICT)
class DataTypeLink(TypedDict, total=False):
    property: str | None
    links: list[str] | None


@with_config(STRICT)
class Account(_Stamps, total=False):
    nominalCode: str | None
    name: str | None
    description: str | None
    fullyQualifiedCategory: str | None
    fullyQualifiedName: str | None
    currency: Currency | None
    currentBalance: Number | None
    type: Literal["Unknown", "Asset", "Expense", "Income", "Liability", "Equity"]
    status: Literal["Unknown", "Active", "Archived", "Pending"]
    isBankAccount: bool
    validDatatypeLinks: list[DataTypeLink] | None


@with_config(STRICT)
class BankAccount(_Stamps, total=False):
    accountName: str | None
    accountType: Literal["Unknown", "Credit", "Debit"]
    nominalCode: str | None
    sortCode: str | None
    accountNumber: str | None
    iBan: str | None
    currency: Currency | None
    balance: Number | None
    institution: str | None
    availableBalance: Number | None
    overdraftLimit: Number | None
    status: str | None


_BODIES: dict[str, tuple[str, Any]] = {
    "accounts": ("Account", Account),
    "bankAccounts": ("BankAccount", BankAccount),
    "creditNotes": ("CreditNote", CreditNote),
    "customers": ("Customer", Customer),
    "invoices": ("Invoice", Invoice),
    "items": ("Item", Item),
    "payments": ("Payment", Payment),
}


@lru_cache(maxsize=16)
def _adapter(segment: str) -> TypeAdapter[Any]:
    return TypeAdapter(_BODIES[segment][1])


def checked_body(segment: str, body: Any, *, unknown_fields: bool) -> dict[str, Any]:
    """A pushed body, typed. `segment`: the path's data type. Raises Problem with every finding.

    `unknown_fields`: whether fields the model lacks are dropped; else they are refused.
    """
    model = _BODIES[segment][0]
    typed, findings = check(_adapter(segment), body)
    if unknown_fields and findings and all(finding.kind == "unknown" for finding in findings):
        typed, findings = check(_adapter(segment), _without(body, findings))
    if findings:
        raise Problem(400, f"{model} is invalid: see validation for details.", [_words(f, model) for f in findings])
    if not isinstance(typed, dict):
        raise Problem(400, f"{model} is invalid.")
    return typed


def _words(finding: Finding, model: str) -> Invalid:
    message = {
        "missing": f"{finding.place} must be provided.",
        "unknown": f"{finding.place} is not a property of {model}.",
    }.get(finding.kind, f"{finding.place} is not valid: {finding.text}.")
    return Invalid(finding.place, message, model)


def _without(body: Any, findings: list[Finding]) -> Any:
    unknown = {finding.place for finding in findings}

    def pruned(value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return {
                key: pruned(item, f"{path}{key}.") for key, item in value.items() if f"{path}{key}" not in unknown
            }
        if isinstance(value, list):
            return [pruned(item, f"{path}{index}.") for index, item in enumerate(value)]
        return value

    return pruned(body, "")

"""What may be sent: the vendor's request models of 2024-08-31 as types of the wire, in its own names.

Which amounts are numbers and which are strings differs from object to object, as in the vendor's schemas. The
bodies of classes, departments and payment terms are not in the documents held: theirs are guesses.
"""

from __future__ import annotations

from typing import Annotated, Literal, Required

from pydantic import AfterValidator, Field, StringConstraints, with_config
from typing_extensions import TypedDict

from reconciler.kernel.money import is_currency
from reconciler.sandboxes.serving.shapes import STRICT, Instant, Number, NumberOrText, NumberText


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("should be one of the currency codes")
    return code


_HEX = "[0-9a-fA-F]"
_UUID = (
    rf"^({_HEX}{{8}}-{_HEX}{{4}}-[1-8]{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}|0{{8}}(-0{{4}}){{3}}-0{{12}})$"
)
Uuid = Annotated[str, StringConstraints(pattern=_UUID, to_lower=True)]
Currency = Annotated[str, AfterValidator(_known_currency)]
NotNegative = Annotated[Number, Field(ge=0)]
Positive = Annotated[Number, Field(gt=0)]
AddressType = Literal["billing", "shipping", "po_box", "ship_from", "unknown", "STREET", "POBOX"]
ItemType = Literal["inventory", "non_inventory", "service", "discount", "unknown"]
AccountType = Literal[
    "accounts_payable",
    "accounts_receivable",
    "bank",
    "fixed_asset",
    "other_asset",
    "other_current_asset",
    "liability",
    "equity",
    "expense",
    "other_expense",
    "income",
    "other_income",
    "credit_card",
    "cost_of_goods_sold",
    "other_current_liability",
    "long_term_liability",
    "non_posting",
    "unknown",
]


@with_config(STRICT)
class Address(TypedDict, total=False):
    type: Required[AddressType]
    address1: str | None
    address2: str | None
    address3: str | None
    city: str | None
    country: str | None
    postal_code: str | None
    region: str | None


@with_config(STRICT)
class AccountMore(TypedDict, total=False):
    bank_account_number: str


@with_config(STRICT)
class CreateAccount(TypedDict, total=False):
    parent_id: Uuid | None
    subsidiary_id: Uuid
    account_type: Required[AccountType]
    currency_code: Required[Currency]
    name: Required[str]
    nominal_code: str
    additional_fields: AccountMore


@with_config(STRICT)
class UpdateAccount(TypedDict, total=False):
    subsidiary_id: Uuid
    currency_code: Currency
    name: str
    nominal_code: str


@with_config(STRICT)
class CustomerMore(TypedDict, total=False):
    parent_id: Uuid
    currency_code: Currency
    language: str


@with_config(STRICT)
class CreateCustomer(TypedDict, total=False):
    subsidiary_id: Uuid
    contact_name: Required[str]
    customer_name: str
    email: str
    phone: str
    addresses: list[Address]
    additional_fields: CustomerMore


@with_config(STRICT)
class CustomerParent(TypedDict, total=False):
    parent_id: Uuid


@with_config(STRICT)
class UpdateCustomer(TypedDict, total=False):
    contact_name: str
    customer_name: str
    email: str
    phone: str
    status: Literal["active", "archived", "unknown"]
    addresses: list[Address]
    additional_fields: CustomerParent


@with_config(STRICT)
class ItemSide(TypedDict, total=False):
    account_id: Uuid
    description: str
    unit_price: NumberOrText


@with_config(STRICT)
class ItemMore(TypedDict, total=False):
    discount_account_id: Uuid
    item_id: str
    quantity_on_hand_adjustment_account_id: Uuid
    inventory_start_date: Instant


class _Item(TypedDict, total=False):
    code: str
    quantity_on_hand: Number
    type: ItemType
    bill_item: ItemSide
    invoice_item: ItemSide


@with_config(STRICT)
class CreateItem(_Item, total=False):
    asset_account_id: Uuid
    name: Required[str]
    additional_fields: ItemMore


@with_config(STRICT)
class ItemAdjustment(TypedDict, total=False):
    quantity_on_hand_adjustment_account_id: str


@with_config(STRICT)
class UpdateItem(_Item, total=False):
    asset_account_id: str
    name: str
    status: Literal["active", "archived", "unknown"]
    additional_fields: ItemAdjustment


@with_config(STRICT)
class ComponentMore(TypedDict, total=False):
    tax_agency_id: Uuid
    tax_authority_name: str


@with_config(STRICT)
class Component(TypedDict, total=False):
    name: Required[str]
    rate: Required[Number]
    is_compound: bool
    is_purchases_tax: bool
    is_sales_tax: bool
    additional_fields: ComponentMore


@with_config(STRICT)
class CreateTaxRate(TypedDict, total=False):
    name: Required[str]
    components: Required[list[Component]]


@with_config(STRICT)
class CreateValue(TypedDict, total=False):
    name: Required[str]
    parent_id: Uuid | None


@with_config(STRICT)
class CreateTerm(TypedDict, total=False):
    term_name: Required[str]
    due_days: Required[Number]


@with_config(STRICT)
class LineItem(TypedDict, total=False):
    id: Uuid
    quantity: Number
    unit_amount: Number


@with_config(STRICT)
class SalesOrder(TypedDict, total=False):
    sales_order_line_platform_id: str


@with_config(STRICT)
class LineMore(TypedDict, total=False):
    rev_rec_end_date: Instant
    rev_rec_start_date: Instant
    service_date: Instant
    discount_percentage: Number
    sales_taxable: bool
    tax_amount: NotNegative
    linked_sales_order: SalesOrder


class _Line(TypedDict, total=False):
    account_id: Uuid
    class_id: Uuid
    discount_item_id: Uuid
    location_id: Uuid
    tax_rate_id: Uuid
    total_amount: Required[Number]
    description: str
    discount_amount: NotNegative
    item: LineItem
    additional_fields: LineMore


@with_config(STRICT)
class Line(_Line, total=False):
    pass


@with_config(STRICT)
class UpdateLine(_Line, total=False):
    platform_id: str


class _InvoiceMore(TypedDict, total=False):
    department_id: Uuid
    tax_rate_id: str
    ship_date: Instant
    billing_email: str
    discount_amount: Number
    discount_percentage: Number
    internal_memo: str
    po_number: str
    shipping_amount: NotNegative
    tax_amount: Number
    addresses: list[Address]


@with_config(STRICT)
class CreateInvoiceMore(_InvoiceMore, total=False):
    location_id: Uuid
    allow_online_ach_payment: bool
    allow_online_credit_card_payment: bool


@with_config(STRICT)
class UpdateInvoiceMore(_InvoiceMore, total=False):
    reason: str


@with_config(STRICT)
class CreateInvoice(TypedDict, total=False):
    account_id: Uuid
    class_id: str
    customer_id: Required[Uuid]
    payment_terms_id: Uuid
    subsidiary_id: Uuid
    due_date: Instant
    issue_date: Required[Instant]
    currency_code: Required[Currency]
    document_number: str
    memo: str
    status: Literal["draft", "submitted", "open"]
    line_items: Required[list[Line]]
    additional_fields: CreateInvoiceMore


@with_config(STRICT)
class UpdateInvoice(TypedDict, total=False):
    account_id: Uuid
    class_id: str | None
    customer_id: Uuid
    due_date: Instant
    issue_date: Instant
    currency_code: Currency
    document_number: str
    memo: str
    status: Literal["draft", "submitted", "open", "void"]
    line_items: list[UpdateLine]
    additional_fields: UpdateInvoiceMore


@with_config(STRICT)
class LinkedInvoice(TypedDict, total=False):
    id: Required[Uuid]
    allocated_at: Instant
    amount: Required[NotNegative]


@with_config(STRICT)
class PaymentMore(TypedDict, total=False):
    auto_apply: bool
    check_number: str
    payment_method: Literal["check", "cash", "eft", "credit_card"]
    reconciled: bool


class _Payment(TypedDict, total=False):
    customer_id: Uuid
    payment_method_id: Uuid
    txn_date: Instant
    memo: str
    reference: str
    total_amount: NotNegative
    linked_invoices: list[LinkedInvoice]


@with_config(STRICT)
class CreatePayment(_Payment, total=False):
    account_id: Required[Uuid]
    currency_code: Currency
    currency_rate: Number
    additional_fields: PaymentMore


@with_config(STRICT)
class UpdatePayment(_Payment, total=False):
    account_id: Uuid


@with_config(STRICT)
class MemoItem(TypedDict, total=False):
    id: Uuid
    quantity: Number
    unit_amount: NumberText


@with_config(STRICT)
class MemoLineMore(TypedDict, total=False):
    tax_rate_id: Uuid


class _MemoLine(TypedDict, total=False):
    account_id: Uuid
    class_id: Uuid
    description: Required[str]
    total_amount: Required[NumberText]
    item: MemoItem
    additional_fields: MemoLineMore


@with_config(STRICT)
class MemoLine(_MemoLine, total=False):
    location_id: Uuid


@with_config(STRICT)
class UpdateMemoLine(_MemoLine, total=False):
    pass


@with_config(STRICT)
class MemoMore(TypedDict, total=False):
    location_id: Uuid
    tax_inclusive: bool


@with_config(STRICT)
class CreateMemo(TypedDict, total=False):
    account_id: Uuid
    customer_id: Required[Uuid]
    issue_date: Required[Instant]
    currency_code: str
    document_number: str
    memo: str
    status: Literal["draft", "open", "submitted"]
    line_items: Required[list[MemoLine]]
    additional_fields: MemoMore


@with_config(STRICT)
class UpdateMemo(TypedDict, total=False):
    account_id: Uuid
    customer_id: Uuid
    issue_date: Instant
    currency_code: str
    document_number: str
    memo: str
    status: Literal["draft", "open", "submitted", "void"]
    line_items: list[UpdateMemoLine]


@with_config(STRICT)
class AppliedTo(TypedDict, total=False):
    id: Required[str]
    allocated_amount: Required[Positive]


@with_config(STRICT)
class Application(TypedDict, total=False):
    account_id: Uuid
    customer_id: Required[Uuid]
    invoice_credit_memo_id: Required[Uuid]
    transaction_date: Required[Instant]
    currency_code: Required[Currency]
    memo: str
    linked_invoices: Required[list[AppliedTo]]


@with_config(STRICT)
class Unapplication(TypedDict, total=False):
    invoice_credit_memo_id: Required[Uuid]
    invoice_id: Required[Uuid]


@with_config(STRICT)
class SyncRequest(TypedDict, total=False):
    object_types: list[str]


@with_config(STRICT)
class BackfillRequest(TypedDict, total=False):
    start_date: Required[Instant]
    end_date: Instant
    include_webhooks: bool
    object_types: Required[list[str]]
    remarks: str

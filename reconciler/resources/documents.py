"""Documents that post to the ledger: invoices, credit notes, payments, and their parts.

Amounts are in the document's currency and positive; codecs flip signs where an ERP wants them flipped.
"""

from __future__ import annotations

from typing import Literal, Required

from pydantic import with_config
from typing_extensions import TypedDict

from reconciler.resources.fields import (
    CONTENT_CONFIG,
    Amount,
    Code,
    Currency,
    DateField,
    ExchangeRate,
    LongText,
    Percent,
    PositiveAmount,
    Quantity,
    Reference,
    Text,
    UnitPrice,
)

Prices = Literal["exclusive", "inclusive", "untaxed"]
DeclaredPhase = Literal["draft", "posted"]


@with_config(CONTENT_CONFIG)
class Discount(TypedDict, total=False):
    """A discount: `percent` of the gross price, or an `amount`; one of the two."""

    percent: Percent
    amount: Amount


@with_config(CONTENT_CONFIG)
class Line(TypedDict, total=False):
    """One line: quantity x unit price - discount, posted to `account` (or the item's).

    `tax_amount`, when stated, is posted as given or refused. Lines are matched by `id`, else by position.
    """

    id: Code
    item: Reference
    account: Reference
    description: LongText
    quantity: Quantity
    unit_price: UnitPrice
    discount: Discount | None
    taxes: list[Reference] | None
    tax_amount: Amount | None
    tracking: dict[Reference, Text] | None


@with_config(CONTENT_CONFIG)
class Attachment(TypedDict, total=False):
    """A file of the project, carried to the ERP with the document; identified by `name`."""

    name: Required[Text]
    path: Required[Text]


@with_config(CONTENT_CONFIG)
class WriteOff(TypedDict, total=False):
    """A small remainder given up with an allocation, and the account that bears it."""

    amount: Required[PositiveAmount]
    account: Required[Reference]
    reason: Required[Text]


@with_config(CONTENT_CONFIG)
class Allocation(TypedDict, total=False):
    """Settles part of a target invoice (or, on a payment, a credit note: netting).

    The target's open balance falls by amount + discount + write-off; the source's remainder by `amount`.
    """

    invoice: Reference
    credit_note: Reference
    amount: Required[PositiveAmount]
    date: DateField
    discount: Amount
    write_off: WriteOff


@with_config(CONTENT_CONFIG)
class Original(TypedDict, total=False):
    """The invoice (and line) a credit note corrects."""

    invoice: Required[Reference]
    line: Code


@with_config(CONTENT_CONFIG)
class Invoice(TypedDict, total=False):
    """A sales invoice. `number` defaults to the name where the ERP accepts ours."""

    state: DeclaredPhase
    number: Code
    reissue_number: Code
    customer: Required[Reference]
    issue_date: Required[DateField]
    posting_date: DateField
    due_date: DateField
    terms: Reference
    currency: Currency
    exchange_rate: ExchangeRate
    receivable_account: Reference
    prices: Prices
    lines: Required[list[Line]]
    tracking: dict[Reference, Text] | None
    entity: Code | None
    po_number: Text | None
    memo: LongText | None
    attachments: list[Attachment] | None
    expect_total: Amount


@with_config(CONTENT_CONFIG)
class CreditNote(TypedDict, total=False):
    """A credit note: positive amounts that reduce what the customer owes, applied by `allocations`."""

    state: DeclaredPhase
    number: Code
    customer: Required[Reference]
    issue_date: Required[DateField]
    posting_date: DateField
    currency: Currency
    exchange_rate: ExchangeRate
    receivable_account: Reference
    prices: Prices
    lines: Required[list[Line]]
    original: Original | None
    reason: Text | None
    tracking: dict[Reference, Text] | None
    entity: Code | None
    memo: LongText | None
    attachments: list[Attachment] | None
    expect_total: Amount
    allocations: list[Allocation]


@with_config(CONTENT_CONFIG)
class Payment(TypedDict, total=False):
    """Money received. What is not allocated stays on account unless `remainder` says otherwise."""

    state: DeclaredPhase
    number: Code
    customer: Required[Reference]
    received_on: Required[DateField]
    paid_on: DateField
    amount: Required[PositiveAmount]
    currency: Currency
    exchange_rate: ExchangeRate
    bank_account: Required[Reference]
    method: Text | None
    reference: Text | None
    memo: LongText | None
    entity: Code | None
    attachments: list[Attachment] | None
    remainder: Literal["on_account", "advance", "refuse"]
    advance_account: Reference
    allocations: list[Allocation]

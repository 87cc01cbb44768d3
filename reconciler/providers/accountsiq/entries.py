"""Ledger transactions as AccountsIQ summarises them: invoices, credit notes and receipts alike. Pure.

Amounts are read whatever their sign: it is not documented whether postings of credits are negative. Where the lines
of a transaction cancel out they are signed, debits positive or not; else they are as they stand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reconciler.kernel.money import ZERO
from reconciler.providers.accountsiq.envelope import Row
from reconciler.providers.accountsiq.wire import amount, day_of, flag, id_of, long_words, number_of

TYPES = {"invoice": "SI", "credit_note": "SN", "payment": "SR"}
"""Our kind → AccountsIQ's short code of a transaction."""
KINDS = {code: kind for kind, code in TYPES.items()}


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of a transaction that is not its control line; `amount` is positive as on the document."""

    account: str | None
    tax_id: str | None
    department: str | None
    words: str | None
    amount: Decimal
    is_tax: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction. `words`: what its control line says, which is the document's own description."""

    id: str
    kind: str
    customer: str
    account_id: str
    number: str | None
    reference: str | None
    currency: str
    day: date | None
    due: date | None
    total: Decimal
    open: Decimal
    rate: Decimal
    words: str | None
    invoice_id: str | None
    """The item invoice or item credit note it was posted from; None for a batch document."""
    bank: str | None
    reversed: bool
    files: int | None
    """How many documents are attached; None where the API does not say."""
    lines: tuple[Posting, ...]

    @property
    def remote_id(self) -> str:
        """A batch document's is its transaction's; an item document keeps the one it was saved under."""
        return item_id(self.invoice_id) if self.invoice_id else self.id

    @property
    def phase(self) -> str:
        if self.reversed:
            return "reversed" if self.kind == "payment" else "void"
        return "posted" if self.open == self.total else "part_settled" if self.open else "settled"


def item_id(invoice_id: str) -> str:
    """The remote id of an item invoice or item credit note."""
    return f"I{invoice_id}"


def invoice_id_of(remote_id: str) -> str | None:
    """The inverse; None for a transaction's id."""
    return remote_id[1:] if remote_id.startswith("I") else None


def entry_from(row: Row, base: str) -> Entry | None:
    """A summary; None where it is of a type that is not ours to know."""
    id_, kind = id_of(row, "TransactionID"), KINDS.get((row.text("TransactionType") or "").strip().upper())
    if id_ is None or kind is None:
        return None
    details = list(row.rows("LineDetails"))
    control = next((one for one in details if flag(one, "IsControlLine")), None)
    total = amount(row, "ControlAmount")
    item = not flag(row, "IsBatchInvoiceOrNote") and kind != "payment"
    files = number_of(row, "NumberOfAttachments")
    return Entry(
        id=id_,
        kind=kind,
        customer=row.text("AccountCode") or "",
        account_id=id_of(row, "AccountID") or "",
        number=row.text("InternalNumber"),
        reference=row.text("ExternalReference"),
        currency=(row.text("CurrencyCode") or base).strip().upper(),
        day=day_of(row, "TransactionDate"),
        due=day_of(row, "DueDate"),
        total=abs(total),
        open=abs(amount(row, "OutstandingAmount")),
        rate=_rate(control),
        words=long_words(control, "Description") if control is not None else None,
        invoice_id=id_of(row, "InvoiceID") if item else None,
        bank=row.text("TransactionBankGLAccountNumber") or _other_account(details),
        reversed=flag(row, "IsReversed"),
        files=int(files) if files is not None else None,
        lines=_postings(details, control, total),
    )


def _rate(control: Row | None) -> Decimal:
    """The rate as posted, which the control line says."""
    stated = number_of(control, "ExchangeRate") if control is not None else None
    return stated or Decimal(1)


def _other_account(details: list[Row]) -> str | None:
    return next((one.text("GLAccountCode") for one in details if not flag(one, "IsControlLine")), None)


def _postings(details: list[Row], control: Row | None, total: Decimal) -> tuple[Posting, ...]:
    amounts = [amount(one, "Amount") for one in details]
    cancel_out = control is not None and bool(details) and sum(amounts, ZERO) == ZERO
    direction = amount(control, "Amount") if control is not None else total
    sign = -1 if cancel_out and direction > ZERO else 1
    if not cancel_out and direction < ZERO:
        sign = -1
    return tuple(
        Posting(
            one.text("GLAccountCode"),
            one.text("TaxID"),
            one.text("DepartmentID"),
            long_words(one, "Description"),
            sign * value,
            flag(one, "IsTaxLine"),
        )
        for one, value in zip(details, amounts, strict=True)
        if not flag(one, "IsControlLine") and not flag(one, "IsStockLine")
    )

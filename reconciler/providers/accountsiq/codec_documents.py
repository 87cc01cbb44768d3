"""Between batch invoices, batch credit notes and receipts, and ours. Pure but for the directory.

A batch line is a net amount on an account with its tax: no quantity, no price, no item. Its VAT is the one we
say. What has no words of its own bears our reference, because descriptions may not be null; that is not read back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, Rounding, decimal_text, fits
from reconciler.providers.accountsiq.directory import Customer, Directory
from reconciler.providers.accountsiq.entries import Entry, Posting
from reconciler.providers.accountsiq.envelope import nil, node, optional
from reconciler.providers.accountsiq.settings import AccountsIQSettings
from reconciler.providers.accountsiq.wire import day_text, decimal
from reconciler.providers.errors import Rejected
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content
from reconciler.resources.totals import LineTotal, Totals, compute_totals
from reconciler.resources.tracking import merged_tracking

_HUNDRED = Decimal(100)
_SENT = Context(prec=20)
_CLOSE = Decimal("1e-15")
_HALF = Decimal("0.5")
_MOST_DIGITS = 12
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How amounts and tax are rounded, and which way a rate counts."""

    per_line: bool = True
    rounding: Rounding = Rounding.HALF_UP
    inverse: bool = False
    due_dates: bool = True

    @classmethod
    def of(cls, settings: AccountsIQSettings) -> Arithmetic:
        return cls(
            settings.tax_rounding == "line",
            settings.rounding,
            settings.exchange_rates == "units_per_base",
            settings.due_dates,
        )

    def totals(self, content: Mapping[str, Any], currency: str, rate_of: Callable[[str], Decimal | None]) -> Totals:
        """Raises Rejected where a price or a rate is not known."""
        found = compute_totals(content, currency, rate_of, per_line=self.per_line, rounding=self.rounding)
        if found is None:
            raise Rejected("a line has no price, or a tax code that AccountsIQ does not know", code="totals")
        return found

    def rate_to(self, rate: Decimal) -> Decimal:
        """A rate as it is sent: the other way round, where AccountsIQ counts units of it per unit of base."""
        return _SENT.divide(_ONE, rate) if self.inverse and rate else rate

    def rate_from(self, rate: Decimal) -> Decimal:
        """A rate as it was declared: the shortest that comes to what AccountsIQ has kept of it."""
        if not self.inverse or rate <= ZERO:
            return rate
        near = max(_HALF.scaleb(int(rate.as_tuple().exponent)), _SENT.multiply(rate, _CLOSE))
        found = rate
        for digits in range(1, _MOST_DIGITS + 1):
            found = Context(prec=digits).divide(_ONE, rate)
            if abs(_SENT.divide(_ONE, found) - rate) <= near:
                break
        return found


# ---- from AccountsIQ ----


def document_from(
    entry: Entry,
    directory: Directory,
    arithmetic: Arithmetic,
    allocations: tuple[LiveAllocation, ...] = (),
    *,
    lines: list[Content] | None = None,
    files: list[Content] | None = None,
) -> Observed:
    """An invoice or a credit note. `lines`: those of an item document, where it is one."""
    tax = sum((one.amount for one in entry.lines if one.is_tax), ZERO)
    content: Content = {
        "customer": entry.customer,
        "issue_date": entry.day.isoformat() if entry.day else None,
        "due_date": entry.due.isoformat() if entry.due and entry.kind == "invoice" else None,
        "currency": entry.currency,
        "exchange_rate": _rate_text(entry, directory, arithmetic),
        "memo": own_words(entry.words, entry.reference),
        "lines": _lines(entry, directory) if lines is None else lines,
        "attachments": files,
    }
    return _observed(entry, content, {"net": entry.total - tax, "tax": tax}, allocations)


def payment_from(
    entry: Entry,
    directory: Directory,
    arithmetic: Arithmetic,
    allocations: tuple[LiveAllocation, ...] = (),
    *,
    files: list[Content] | None = None,
) -> Observed:
    content: Content = {
        "customer": entry.customer,
        "received_on": entry.day.isoformat() if entry.day else None,
        "amount": decimal_text(entry.total),
        "currency": entry.currency,
        "exchange_rate": _rate_text(entry, directory, arithmetic),
        "bank_account": entry.bank,
        "memo": own_words(entry.words, entry.reference),
        "attachments": files,
    }
    return _observed(entry, content, {}, allocations)


def _observed(
    entry: Entry, content: Content, amounts: Mapping[str, Decimal], allocations: tuple[LiveAllocation, ...]
) -> Observed:
    phase = entry.phase
    standing = phase if phase in ("void", "reversed") else "posted"
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "", [])})
    left = ZERO if phase in ("void", "reversed") else entry.open
    computed = {"total": entry.total, "open": left, **amounts}
    return Observed(
        entry.kind,
        entry.remote_id,
        body,
        digest_text(f"{standing}\n{body}"),
        phase,
        number=entry.number,
        reference=entry.reference,
        computed={name: decimal_text(value) for name, value in computed.items()},
        allocations=allocations,
    )


def own_words(words: str | None, reference: str | None) -> str | None:
    """A description, unless it is only our reference standing in for one."""
    return None if words is None or words == reference else words


def _rate_text(entry: Entry, directory: Directory, arithmetic: Arithmetic) -> str | None:
    if entry.currency == directory.base_currency:
        return None
    return decimal_text(arithmetic.rate_from(entry.rate))


def _lines(entry: Entry, directory: Directory) -> list[Content]:
    """The net lines, each with its tax: line for line, else code for code in their order."""
    nets = [one for one in entry.lines if not one.is_tax]
    taxes = [one for one in entry.lines if one.is_tax]
    pairs: list[tuple[Posting, Posting | None]]
    if len(nets) == len(taxes):
        pairs = list(zip(nets, taxes, strict=True))
    else:
        pairs = []
        for net in nets:
            match = next((one for one in taxes if one.tax_id == net.tax_id), None)
            if match is not None:
                taxes.remove(match)
            pairs.append((net, match))
    return [_line(net, tax, entry, directory) for net, tax in pairs]


def _line(net: Posting, tax: Posting | None, entry: Entry, directory: Directory) -> Content:
    code = directory.tax_code(net.tax_id)
    stated = tax.amount if tax is not None else None
    content: Content = {
        "account": net.account,
        "description": own_words(net.words, entry.reference),
        "quantity": "1",
        "unit_price": decimal_text(net.amount),
        "taxes": [code] if code else None,
        "tax_amount": decimal_text(stated) if stated is not None and (code or stated) else None,
        "tracking": dict(directory.tracking_of(net.department)) or None,
    }
    return {name: value for name, value in content.items() if value is not None}


# ---- to AccountsIQ ----


def same_currency(content: Mapping[str, Any], customer: Customer) -> str:
    """The document's currency, which is its customer's. Raises Rejected for another."""
    stated = content.get("currency") or customer.currency
    if stated != customer.currency:
        said = f"the customer {customer.code} is kept in {customer.currency}: a document in {stated} has no place"
        raise Rejected(said, code="currency")
    return str(stated)


def rate_of(content: Mapping[str, Any], currency: str, directory: Directory, arithmetic: Arithmetic) -> Decimal:
    """The exchange rate to send: 1 in base currency. Raises Rejected where none is stated."""
    if currency == directory.base_currency:
        return _ONE
    stated = content.get("exchange_rate")
    if stated is None:
        raise Rejected(f"a document in {currency} needs `exchange_rate`", code="exchange_rate")
    return arithmetic.rate_to(stated)


def batch_invoice(
    name: str, content: Content, reference: str, customer: Customer, directory: Directory, arithmetic: Arithmetic
) -> Element:
    """A batch invoice as an element called `name`. Raises Rejected."""
    currency = same_currency(content, customer)
    due = content.get("due_date") if arithmetic.due_dates else None
    return node(
        name,
        node("CustomerCode", customer.code),
        node("InvoiceDate", day_text(content["issue_date"])),
        node("ExternalReference", reference),
        node("Description", content.get("memo") or reference),
        node("Lines", *_batch_lines("BatchSalesInvoiceLine", content, reference, currency, directory, arithmetic)),
        node("ExchangeRate", decimal(rate_of(content, currency, directory, arithmetic))),
        optional("DueDate", day_text(due) if due else None),
    )


def batch_credit_note(
    name: str, content: Content, reference: str, customer: Customer, directory: Directory, arithmetic: Arithmetic
) -> Element:
    """A batch credit note: its exchange rate comes first."""
    currency = same_currency(content, customer)
    return node(
        name,
        node("ExchangeRate", decimal(rate_of(content, currency, directory, arithmetic))),
        node("CustomerCode", customer.code),
        node("CreditNoteDate", day_text(content["issue_date"])),
        node("ExternalReference", reference),
        node("Description", content.get("memo") or reference),
        node(
            "Lines", *_batch_lines("BatchSalesCreditNoteLine", content, reference, currency, directory, arithmetic)
        ),
    )


def _batch_lines(
    name: str, content: Content, reference: str, currency: str, directory: Directory, arithmetic: Arithmetic
) -> list[Element]:
    totals = arithmetic.totals(content, currency, directory.rate)
    header = content.get("tracking") or {}
    return [
        _batch_line(name, line, total, merged_tracking(header, line.get("tracking") or {}), reference, directory)
        for line, total in zip(content["lines"], totals.lines, strict=True)
    ]


def _batch_line(
    name: str,
    line: Mapping[str, Any],
    total: LineTotal,
    tracking: Mapping[str, str],
    reference: str,
    directory: Directory,
) -> Element:
    if total.net < ZERO:
        raise Rejected("a line comes to less than nothing, which AccountsIQ refuses", code="net_amount")
    code = next(iter(line.get("taxes") or ()), directory.untaxed)
    percent = directory.rate(code) if code else ZERO
    if percent is None:
        raise Rejected(f"AccountsIQ has no tax code {code}", code="tax_code")
    return node(
        name,
        node("GLAccountCode", str(line["account"])),
        optional("TaxCode", code),
        node("Description", line.get("description") or reference),
        optional("DepartmentID", directory.department(tracking)),
        node("NetAmount", decimal(total.net)),
        node("TaxRate", decimal(percent / _HUNDRED)),
        node("TaxAmount", decimal(total.tax)),
    )


def receipt(
    name: str, content: Content, reference: str, customer: Customer, bank_currency: str, rates: Rates
) -> Element:
    """A receipt; its CheckReference becomes the external reference. Raises Rejected."""
    currency = same_currency(content, customer)
    if not fits(content["amount"], currency):
        raise Rejected(f"{decimal_text(content['amount'])} is no amount of {currency}", code="amount")
    rate = rate_of(content, currency, rates.directory, rates.arithmetic)
    base = rates.directory.base_currency
    if bank_currency not in (base, currency):
        raise Rejected(f"the bank account is in {bank_currency}, the payment in {currency}", code="bank_currency")
    return node(
        name,
        node("CustomerCode", customer.code),
        node("CheckReference", reference),
        node("PaymentAmount", decimal(content["amount"])),
        node("BankAccountCode", str(content["bank_account"])),
        node("PaymentDate", day_text(content["received_on"])),
        node("ExchangeRate", decimal(rate)),
        node("BankExchangeRate", decimal(_ONE if bank_currency == base else rate)),
        node("Description", content.get("memo") or reference),
    )


@dataclass(frozen=True, slots=True)
class Rates:
    directory: Directory
    arithmetic: Arithmetic


def posted_and_paid(
    name: str, key: str, invoice: Element | None, paid: Element | None, *, enforce_limit: bool
) -> Element:
    """A guarded creation: an invoice or a receipt whose external reference may not be there already."""
    return node(
        name,
        node("PerformExternalReferenceDuplicateCheckOnInvoice", "true"),
        node("PerformExternalReferenceDuplicateCheckOnReceipt", "true"),
        invoice,
        paid,
        node("PerformAllocation", "false"),
        nil("AllocationDate"),
        node("AllocationAmount", "0"),
        node("ClientUniqueReference", key),
        node("EnforceCreditLimit", "true" if enforce_limit else "false"),
    )

"""What payments pay, and with what: their details read, and turned into allocations of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.company import Company, Held
from reconciler.sandboxes.intacct.tables import line_amounts
from reconciler.sandboxes.intacct.words import amount, fault
from reconciler.sandboxes.ledger.commands import Command, SetAllocation
from reconciler.sandboxes.ledger.records import Record

ZERO = Decimal(0)
APPLIED = "ia-applied"
"""Payments without cash, by record number."""
FIRST_APPLIED = 1_000_000_000
CREDITS = {
    "ADJUSTMENTKEY": ("TRX_ADJUSTMENTAMOUNT", "ARADJUSTMENT"),
    "ADVANCEKEY": ("TRX_POSTEDADVANCEAMOUNT", "ARADVANCE"),
    "OVERPAYMENTKEY": ("TRX_POSTEDOVERPAYMENTAMOUNT", "ARPYMT"),
    "NEGATIVEINVOICEKEY": ("TRX_NEGATIVEINVOICEAMOUNT", "ARINVOICE"),
}
"""The kinds of credit a detail may use: its key, the amount's name, and the object the key names."""
TARGETS = {"RECORDKEY": "ARINVOICE", "POSADJKEY": "ARADJUSTMENT"}
_KNOWN_DETAIL = frozenset(
    {
        *TARGETS, "ENTRYKEY", "POSADJENTRYKEY", "TRX_PAYMENTAMOUNT", "PAYMENTAMOUNT", "DISCOUNTDATE",
        "TRX_TOTALDISCOUNTTOAPPLY", "INLINEKEY", "INLINEENTRYKEY", "TRX_INLINEAMOUNT", "ADJUSTMENTENTRYKEY",
        "ADVANCEENTRYKEY", "OVERPAYMENTENTRYKEY", "NEGATIVEINVOICEENTRYKEY",
        *CREDITS, *(name for name, _ in CREDITS.values()),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Use:
    """One amount of one detail. `source` is a credit's record, or None for the payment's own cash."""

    target: Held
    amount: Decimal
    source: Held | None = None
    discount: Decimal = ZERO
    fields: Mapping[str, str] = field(default_factory=dict)


def texts(item: Element) -> dict[str, str]:
    """The children that have a text, by their tags in capitals."""
    return {str(child.tag).upper(): (child.text or "").strip() for child in item if (child.text or "").strip()}


def check_known(item: Element, known: frozenset[str], what: str) -> None:
    for child in item:
        if str(child.tag).upper() not in known:
            raise fault(f"Invalid field '{str(child.tag)[:60]}' for object {what}.")


def uses_of(company: Company, detail: Element) -> Iterator[Use]:
    """What one detail pays, and with what. Raises Fault."""
    check_known(detail, _KNOWN_DETAIL, "ARPYMTDETAIL")
    fields = texts(detail)
    named = [name for name in TARGETS if fields.get(name)]
    if len(named) != 1:
        raise fault("A payment detail names exactly one of RECORDKEY and POSADJKEY.")
    [key] = named
    target = document_of(company, TARGETS[key], fields[key], key)
    if target.record.kind != "invoice":
        raise fault(f"{key} {fields[key][:20]} is a credit: it cannot be paid.")
    credits = [name for name in (*CREDITS, "INLINEKEY") if fields.get(name)]
    if len(credits) > 1:
        raise fault("A payment detail uses one type of credit: write a detail for each.")
    if "DISCOUNTDATE" in fields and "TRX_TOTALDISCOUNTTOAPPLY" in fields:
        raise fault("Provide either DISCOUNTDATE or TRX_TOTALDISCOUNTTOAPPLY, not both.")
    paid = fields.get("TRX_PAYMENTAMOUNT") or fields.get("PAYMENTAMOUNT")
    discount = ZERO
    if given := fields.get("TRX_TOTALDISCOUNTTOAPPLY"):
        discount = positive(given, "TRX_TOTALDISCOUNTTOAPPLY")
    if paid:
        own = {key: value for key, value in fields.items() if not key.startswith(_CREDIT_WORDS)}
        cash = positive(paid, "TRX_PAYMENTAMOUNT")
        yield Use(target, cash, discount=discount, fields={**own, "TRX_PAYMENTAMOUNT": str(cash)})
    for name in credits:
        if name == "INLINEKEY":
            _check_inline(company, target, fields)
            continue
        tag, wanted = CREDITS[name]
        source = document_of(company, wanted, fields[name], name)
        if wanted in ("ARADJUSTMENT", "ARINVOICE") and source.record.kind != "credit_note":
            raise fault(f"{name} {fields[name][:20]} is not a credit.")
        part = positive(fields.get(tag), tag)
        yield Use(target, part, source, fields={key: fields[key], name: fields[name], tag: str(part)})
    if discount and not paid:
        raise fault("A discount needs a payment with cash.")
    if not paid and not credits:
        raise fault("A payment detail has an amount: TRX_PAYMENTAMOUNT, or a credit's.")


_CREDIT_WORDS = (
    "ADJUSTMENT",
    "ADVANCE",
    "OVERPAYMENT",
    "NEGATIVE",
    "INLINE",
    "TRX_ADJ",
    "TRX_POSTED",
    "TRX_NEG",
    "TRX_INL",
)


def positive(text: str | None, name: str) -> Decimal:
    value = amount(text, name)
    if value <= 0:
        raise fault(f"{name} must be greater than zero.")
    return value


def document_of(company: Company, wanted: str, key: str, name: str) -> Held:
    found = company.document(wanted, key)
    if found is None or found.record.phase == "draft":
        raise fault(f"{name} '{key[:20]}' does not exist.", "Provide the record number of a posted transaction.")
    if found.record.phase in ("void", "reversed"):
        raise fault(f"{name} '{key[:20]}' is reversed.")
    return found


def _check_inline(company: Company, target: Held, fields: Mapping[str, str]) -> None:
    """An inline credit is a negative line of the invoice itself: what is due has it taken off already."""
    if fields["INLINEKEY"] != target.recordno:
        raise fault("INLINEKEY must be the invoice itself.")
    given = positive(fields.get("TRX_INLINEAMOUNT"), "TRX_INLINEAMOUNT")
    credits = -sum((line for line in line_amounts(company, target) if line < 0), ZERO)
    if given > credits:
        raise fault(f"TRX_INLINEAMOUNT {given} is more than the inline credits of the invoice ({credits}).")


def allocations(uses: list[Use]) -> list[dict[str, Any]]:
    """What the cash settles, by invoice."""
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for use in uses:
        if use.source is None:
            sums[use.target.record.id][0] += use.amount
            sums[use.target.record.id][1] += use.discount
    return [
        {"invoice": own, "amount": paid, **({"discount": discount} if discount else {})}
        for own, (paid, discount) in sums.items()
    ]


def credit_commands(company: Company, uses: list[Use], day: date) -> list[Command]:
    """The allocations of the credits used; each is absolute, so what stands between a pair is added to."""
    credits = [(use.source, use) for use in uses if use.source is not None]
    for source, _ in credits:
        if "object" not in source.extra:  # others made it: what it is does not change with what it settles
            company.keep(source.record.id, object=source.object)
    return changes(company, [(source.record.id, use.target.record.id, use.amount) for source, use in credits], day)


def changes(
    company: Company, used: Iterable[tuple[str, str, Decimal]], day: date | None, sign: int = 1
) -> list[Command]:
    """Allocations that change by these amounts of source and target; those of one pair together."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for source, target, part in used:
        sums[source, target] += sign * part
    return [change(company, source, target, plus, day) for (source, target), plus in sums.items()]


def kept_credits(kept: Mapping[str, Any]) -> list[tuple[str, str, Decimal]]:
    """The credits a payment used, as they were kept beside it: source, target and amount of each."""
    return [(source, target, Decimal(part)) for source, target, part in kept.get("credits", ())]


def change(company: Company, source: str, target: str, plus: Decimal, day: date | None) -> SetAllocation:
    """Change what a source settles of an invoice."""
    kind = "payment" if source.startswith("pay-") else "credit_note"
    record = company.books.ledger.record(kind, source)
    invoice = company.books.ledger.record("invoice", target)
    assert record is not None
    assert invoice is not None
    before = next((Decimal(item.amount) for item in record.allocations if item.target_id == target), ZERO)
    if day is not None:
        days = [day_of(record), day_of(invoice), day]
        day = max(days)
    return SetAllocation(kind, source, "invoice", target, before + plus, before, day, keep_extras=True)


def day_of(record: Record) -> date:
    content = Held(record).content
    return date.fromisoformat(content.get("received_on") or content.get("posting_date") or content["issue_date"])

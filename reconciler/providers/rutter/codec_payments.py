"""Between Rutter's invoice payments and ours. Pure.

Amounts are read as texts and written as numbers. What a payment settles is its `linked_invoices`: a list that an
update says whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.identity import tag_in
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.errors import Rejected
from reconciler.providers.memo import joined, parted
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.providers.rutter.codec_invoices import standing
from reconciler.providers.rutter.directory import Directory
from reconciler.providers.rutter.wire import (
    Row,
    amount,
    amount_of,
    day,
    day_of,
    day_text,
    ref,
    short_mark,
    text,
    without_none,
)
from reconciler.resources.kinds import Content

Rate = Callable[[Decimal], Decimal]
Linked = Callable[[str, str], Decimal | None]
"""(invoice, payment) → what the invoice says the payment settles of it."""
_RATE_DIGITS = Decimal("1e-12")


def own_reference(row: Row) -> str | None:
    """Our reference, out of the memo; else the mark that `reference` has where the user declared none."""
    found, _ = parted(row.get("memo"))
    stated = text(row.get("reference"))
    return found or (stated if tag_in(stated) else None)


def payment_from(row: Row, directory: Directory, linked: Linked, *, inverse: bool) -> Observed:
    """`inverse`: rates count units per base."""
    own = str(row.get("id"))
    stated = text(row.get("reference"))
    currency = text(row.get("currency_code"), 3) or directory.base_currency
    total = amount(row.get("total_amount"))
    allocations = _allocations(row, own, linked)
    left = total - sum((item.amount for item in allocations), ZERO)
    rate, method = amount(row.get("currency_rate")), ref(row, "payment_method_id")
    content: Content = {
        "customer": ref(row, "customer_id"),
        "received_on": day(row.get("txn_date")),
        "amount": decimal_text(total),
        "currency": currency,
        "exchange_rate": decimal_text(_turned(rate, inverse))
        if rate and currency != directory.base_currency
        else None,
        "bank_account": ref(row, "account_id"),
        "method": directory.method_of(method) if method else None,
        "reference": None if tag_in(stated) else stated,
        "memo": parted(row.get("memo"))[1],
    }
    phase = "settled" if left <= ZERO else "part_settled" if left < total else "posted"
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "")})
    return Observed(
        "payment",
        own,
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        reference=own_reference(row),
        computed={"total": decimal_text(total), "open": decimal_text(left)},
        allocations=allocations,
    )


def _allocations(row: Row, own: str, linked: Linked) -> tuple[LiveAllocation, ...]:
    found: dict[str, tuple[Decimal, date | None]] = {}
    for link in row.get("linked_invoices") or ():
        invoice = str(link.get("id"))
        given = amount_of(link.get("amount"))
        given = linked(invoice, own) if given is None else given
        if given:
            before, since = found.get(invoice, (ZERO, day_of(link.get("allocated_at"))))
            found[invoice] = (before + given, since)
    return tuple(LiveAllocation("invoice", id_, given, on) for id_, (given, on) in sorted(found.items()))


def _turned(rate: Decimal, inverse: bool) -> Decimal:
    return (Decimal(1) / rate).quantize(_RATE_DIGITS).normalize() if inverse and rate else rate


def payment_body(
    content: Content,
    directory: Directory,
    *,
    reference: str,
    references: bool,
    inverse: bool,
) -> dict[str, Any]:
    """Money received, with what it settles at once. `references`: the platform has the field `reference`."""
    rate = content.get("exchange_rate")
    made = {
        "account_id": content["bank_account"],
        "customer_id": content["customer"],
        "payment_method_id": method_id(content.get("method"), directory),
        "txn_date": day_text(content["received_on"]),
        "currency_code": content.get("currency") or directory.base_currency,
        "currency_rate": _turned(rate, inverse) if rate else None,
        "memo": joined(content.get("memo"), reference),
        "reference": stated_reference(content, reference) if references else None,
        "total_amount": content["amount"],
        "linked_invoices": [
            _link(item["invoice"], item["amount"], item.get("date") or content["received_on"])
            for item in content.get("allocations") or ()
        ]
        or None,
    }
    return without_none(made)


def stated_reference(content: Mapping[str, Any], reference: str) -> str:
    """What `reference` holds, which Rutter can be asked for: the user's own, else our mark."""
    return str(content.get("reference") or short_mark(reference))


def method_id(method: str | None, directory: Directory) -> str | None:
    if not method:
        return None
    known = directory.methods()
    if method not in known:
        raise Rejected(f"the platform has no payment method {method!r}", code="method")
    return known[method]


def payment_changes(after: Mapping[str, Any], row: Row, reference: str) -> dict[str, Any]:
    """What may be said anew of a posted payment."""
    made: dict[str, Any] = {}
    if "memo" in after:
        made["memo"] = joined(after["memo"], parted(row.get("memo"))[0] or reference)
    if "reference" in after:
        made["reference"] = stated_reference(after, reference)
    return made


def links_with(
    row: Row, allocations: Sequence[LiveAllocation], invoice: str, wanted: Decimal, on: date
) -> dict[str, Any]:
    """A payment's links said whole: one invoice's share set to an amount, the others as they are."""
    made = [
        _link(item.target_id, item.amount, item.date or on) for item in allocations if item.target_id != invoice
    ]
    if wanted:
        since = next((item.date for item in allocations if item.target_id == invoice), None)
        made.append(_link(invoice, wanted, since or on))
    return {"linked_invoices": made}


def _link(invoice: str, given: Decimal, on: date) -> dict[str, Any]:
    return {"id": invoice, "amount": given, "allocated_at": day_text(on)}

"""Between Alloy's payments and ours. Pure.

The common model's payment names no invoice and has no field for a caller's own words: what it settles, its
reference and its memo are told by the ERP itself, where that is known (`native`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.money import ZERO, decimal_text
from reconciler.providers.alloy.codec_invoices import rate_text, standing
from reconciler.providers.alloy.native import NativePayment
from reconciler.providers.alloy.wire import Row, amount, day_of, live, text
from reconciler.providers.protocol import LiveAllocation, Observed
from reconciler.resources.kinds import Content


def is_received(row: Row) -> bool:
    """Money of a customer: payments to vendors stand in the same listing."""
    return bool(row.get("customerId"))


def payment_from(
    row: Row, base: str, native: NativePayment | None, invoice_of: Callable[[str], str | None]
) -> Observed:
    """`invoice_of`: the invoice's id at Alloy by the ERP's own, None where Alloy shows none yet."""
    total = amount(row.get("totalAmount"))
    currency = text(row.get("currency")) or base
    day = day_of(row.get("transactionDate"))
    settled = native.settled if native is not None else {}
    left = total - sum(settled.values(), ZERO)
    void = not live(row) or total == ZERO
    content: Content = {
        "customer": text(row.get("customerId")),
        "received_on": day.isoformat() if day else None,
        "amount": decimal_text(total),
        "currency": currency,
        "exchange_rate": rate_text(row, currency, base),
        "bank_account": text(row.get("accountId")),
        "memo": native.memo if native is not None else None,
    }
    body = canonical_json({name: value for name, value in content.items() if value not in (None, "")})
    phase = "void" if void else "settled" if left <= ZERO else "part_settled" if left < total else "posted"
    targets = ((invoice_of(remote), value) for remote, value in sorted(settled.items()))
    return Observed(
        "payment",
        str(row.get("id")),
        body,
        digest_text(f"{standing(phase)}\n{body}"),
        phase,
        reference=native.reference if native is not None else None,
        revision=native.revision if native is not None else "",
        computed={"total": decimal_text(total), "open": decimal_text(ZERO if void else left)},
        allocations=tuple(LiveAllocation("invoice", id_, value, day) for id_, value in targets if id_ is not None),
    )


def payment_body(content: Content, base: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Money received. The rate is a text, as Alloy's documents have it; `fields` are the ERP's own."""
    rate = content.get("exchange_rate")
    made: dict[str, Any] = {
        "customerId": content["customer"],
        "totalAmount": content["amount"],
        "transactionDate": content["received_on"].isoformat(),
        "accountId": content["bank_account"],
        "currency": content.get("currency") or base,
        "exchangeRate": decimal_text(rate) if rate is not None else None,
        "remoteFields": fields or None,
    }
    return {name: value for name, value in made.items() if value is not None}

"""The proof of a correction: what its documents move, per currency and period, in total and per key."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO
from reconciler.plan.buckets import buckets, currency_of
from reconciler.plan.draft import Draft
from reconciler.plan.lowering import posting_date
from reconciler.plan.model import Movement, Role
from reconciler.resources.kinds import Content


def movements(
    draft: Draft, address: Address, documents: Sequence[tuple[str, Role, Content]]
) -> tuple[Movement, ...]:
    """Δ open receivables, revenue per account, tax per code, tracking per value. Nothing listed = neutral."""
    index = draft.index
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    for kind, _, content in documents:
        if kind == "payment":
            continue
        sign = -1 if kind == "credit_note" else 1
        currency = currency_of(index, address.connection, content)
        day = posting_date(content)
        period = day.strftime("%Y-%m") if day else ""
        for bucket, moved in (buckets(index, address.connection, content) or {}).items():
            account = bucket.account.removeprefix("item:")
            kinds = ("item",) if bucket.account.startswith("item:") else ("account",)
            parts = [
                ("open", "", moved.gross),
                ("revenue", index.display(address.connection, kinds, account), moved.net),
            ]
            if bucket.taxes:
                code = "+".join(index.display(address.connection, ("tax_rate",), tax) for tax in bucket.taxes)
                parts.append(("tax", code, moved.tax))
            for category, value in bucket.tracking:
                name = index.display(address.connection, ("tracking_category",), category)
                parts.append(("tracking", f"{name}={value}", moved.net))
            for dimension, key, amount in parts:
                place = (dimension, key, period, currency)
                sums[place] = sums.get(place, ZERO) + sign * amount
    return tuple(Movement(*place, amount) for place, amount in sorted(sums.items()) if amount != ZERO)

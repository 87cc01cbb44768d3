"""The proof of a correction: what its documents move, per currency and period, in total and per key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from reconciler.kernel.address import Address
from reconciler.kernel.money import ZERO
from reconciler.plan.buckets import buckets, currency_of
from reconciler.plan.draft import Draft
from reconciler.plan.lowering import posting_date
from reconciler.plan.model import Movement
from reconciler.resources.kinds import Content


def movements(
    draft: Draft, address: Address, documents: Sequence[tuple[str, int, Content]]
) -> tuple[Movement, ...]:
    """Δ open receivables, revenue per account, tax per code, tracking per value. Nothing listed = neutral.

    `documents`: kind, sign (+1 raises what the customer owes) and content in identity space.
    """
    index, connection = draft.index, address.connection
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    for kind, sign, content in documents:
        currency = currency_of(index, connection, content)
        day = posting_date(content)
        period = day.strftime("%Y-%m") if day else ""
        for dimension, key, amount in _parts(draft, connection, kind, content):
            place = (dimension, key, period, currency)
            sums[place] = sums.get(place, ZERO) + sign * amount
    return tuple(Movement(*place, amount) for place, amount in sorted(sums.items()) if amount != ZERO)


def _parts(draft: Draft, connection: str, kind: str, content: Content) -> Iterator[tuple[str, str, Decimal]]:
    """(dimension, key, amount) of one document, all positive."""
    index = draft.index
    if kind == "payment":
        yield "open", "", Decimal(content["amount"])
        return
    for bucket, moved in (buckets(index, connection, content) or {}).items():
        account = bucket.account.removeprefix("item:")
        kinds = ("item",) if bucket.account.startswith("item:") else ("account",)
        yield "open", "", moved.gross
        yield "revenue", index.display(connection, kinds, account), moved.net
        if bucket.taxes:
            code = "+".join(index.display(connection, ("tax_rate",), tax) for tax in bucket.taxes)
            yield "tax", code, moved.tax
        for category, value in bucket.tracking:
            yield "tracking", f"{index.display(connection, ('tracking_category',), category)}={value}", moved.net

"""A document's money per bucket (account, taxes, tracking): what a correction is judged and made by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO
from reconciler.plan.comparing import match_items
from reconciler.plan.index import Index
from reconciler.resources.kinds import Content
from reconciler.resources.totals import Totals, compute_totals


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """Where money goes: account (or item) identity, tax identities, tracking as (category, value) pairs."""

    account: str
    taxes: tuple[str, ...]
    tracking: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sums:
    net: Decimal = ZERO
    tax: Decimal = ZERO

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.net + other.net, self.tax + other.tax)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.net - other.net, self.tax - other.tax)


Buckets = Mapping[Bucket, Sums]


def rates(index: Index, connection: str) -> Callable[[str], Decimal | None]:
    """Percent by tax-rate identity: as declared, else as live; None when unknown."""

    def rate(identity: str) -> Decimal | None:
        found = master(index, connection, "tax_rate", identity, "rate")
        return None if found is None else Decimal(found)

    return rate


def currency_of(index: Index, connection: str, content: Mapping[str, Any]) -> str:
    """A document's currency: its own, else its customer's, else the company's base currency."""
    if content.get("currency"):
        return str(content["currency"])
    customer = str(content.get("customer", ""))
    found = master(index, connection, "customer", customer, "currency") if customer[:1] in ("#", "=") else None
    return str(found or index.snapshot(connection).company.base_currency)


def master(index: Index, connection: str, kind: str, identity: str, field: str) -> Any:
    """A field of a master record that is no reference: as declared, else as live; None when neither says."""
    key = (f"{kind}.{field}", connection, identity)
    if key not in index.memo:
        address = index.address_of(identity)
        resource = index.declared.get(address) if address is not None else None
        value = resource.content().get(field) if resource is not None else None
        if value is None and (remote := index.remote_id(identity)) is not None:
            row = index.snapshot(connection).row(kind, remote)
            value = row.content().get(field) if row is not None else None
        index.memo[key] = value
    return index.memo[key]


def totals(index: Index, connection: str, content: Content) -> Totals | None:
    """Totals of an invoice's or credit note's content (identities); None when a rate is unknown."""
    company = index.snapshot(connection).company
    return compute_totals(
        content,
        currency_of(index, connection, content),
        rates(index, connection),
        per_line=company.tax_rounding_per_line,
        rounding=company.rounding,
    )


def buckets(index: Index, connection: str, content: Content) -> dict[Bucket, Sums] | None:
    """Money per bucket; None when it cannot be computed."""
    computed = totals(index, connection, content)
    if computed is None:
        return None
    sums: dict[Bucket, Sums] = {}
    for line in computed.lines:
        bucket = Bucket(line.account or f"item:{line.item}", tuple(sorted(line.taxes)), line.tracking)
        sums[bucket] = sums.get(bucket, Sums()) + Sums(line.net, line.tax)
    return sums


def difference(after: Buckets, before: Buckets) -> dict[Bucket, Sums]:
    """after - before, without the buckets that do not move."""
    moved = {key: after.get(key, Sums()) - before.get(key, Sums()) for key in {*after, *before}}
    return {key: moved[key] for key in sorted(moved) if moved[key] != Sums()}


def overlaid_lines(live: list[Content], wanted: list[Content]) -> list[Content]:
    """The lines as they would be: what the ERP filled in is kept where nothing else is declared."""
    lines: list[Content] = []
    for line, declared in match_items(live, wanted, "id"):
        if declared is None:
            continue
        merged = {**(line or {}), **declared}
        if line and "tax_amount" not in declared and _moved(line, declared):
            merged.pop("tax_amount", None)
        if line and "item" in declared and declared["item"] != line.get("item") and "account" not in declared:
            merged.pop("account", None)
        if "account" in declared and "item" not in declared:
            merged.pop("item", None)
        lines.append(merged)
    return lines


def _moved(line: Content, declared: Content) -> bool:
    return any(
        declared.get(key, line.get(key)) != line.get(key) for key in ("quantity", "unit_price", "discount", "taxes")
    )


def bucket_lines(moved: Buckets, sign: int, description: str) -> list[Content]:
    """One line per bucket: quantity 1, the (signed) net as unit price and the tax stated as it is."""
    lines: list[Content] = []
    for bucket, sums in moved.items():
        line: Content = {"description": description, "quantity": Decimal(1), "unit_price": sign * sums.net}
        line["item" if bucket.account.startswith("item:") else "account"] = bucket.account.removeprefix("item:")
        if bucket.taxes:
            line["taxes"] = list(bucket.taxes)
            line["tax_amount"] = sign * sums.tax
        if bucket.tracking:
            line["tracking"] = dict(bucket.tracking)
        lines.append(line)
    return lines

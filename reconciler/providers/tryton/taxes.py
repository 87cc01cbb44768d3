"""Tax per line, which Tryton keeps per document: computed as Tryton does, and the rest made to add up. Pure.

Tryton rounds half to even, per document or per line as the company is configured (trytond
modules/account_invoice, `TaxableMixin._get_taxes`; currency.round). A stated tax that differs from what
Tryton will compute becomes a manual tax line of the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from reconciler.kernel.money import ZERO, Rounding
from reconciler.resources.kinds import Content
from reconciler.resources.totals import Totals, compute_totals

ROUNDING = Rounding.HALF_EVEN


def totals_of(
    content: Mapping[str, Any], currency: str, rates: Mapping[str, Decimal], *, per_line: bool
) -> Totals | None:
    return compute_totals(content, currency, rates.get, per_line=per_line, rounding=ROUNDING)


def with_line_taxes(
    content: Content, tax: Decimal, currency: str, rates: Mapping[str, Decimal], *, per_line: bool
) -> Content:
    """A live document's content with each taxed line's tax; they add up to `tax`, the document's."""
    found = totals_of(content, currency, rates, per_line=per_line)
    taxed = [at for at, line in enumerate(content["lines"]) if line.get("taxes")]
    if found is None or not taxed:
        return content
    amounts = [line.tax for line in found.lines]
    largest = max(taxed, key=lambda at: (abs(amounts[at]), -at))
    amounts[largest] += tax - found.tax
    lines = [
        {**line, "tax_amount": amount} if line.get("taxes") and amount >= ZERO else line
        for line, amount in zip(content["lines"], amounts, strict=True)
    ]
    return {**content, "lines": lines}


def differences(
    content: Mapping[str, Any], currency: str, rates: Mapping[str, Decimal], *, per_line: bool
) -> dict[str, Decimal]:
    """Per tax: what the content states less what Tryton will compute; only where it is not nothing."""
    if not any(line.get("tax_amount") is not None for line in content["lines"]):
        return {}
    stated = totals_of(content, currency, rates, per_line=per_line)
    lines = [{name: value for name, value in line.items() if name != "tax_amount"} for line in content["lines"]]
    computed = totals_of({**content, "lines": lines}, currency, rates, per_line=per_line)
    if stated is None or computed is None:
        return {}
    moved = _by_tax(stated)
    for tax, amount in _by_tax(computed).items():
        moved[tax] = moved.get(tax, ZERO) - amount
    return {tax: amount for tax, amount in sorted(moved.items()) if amount}


def _by_tax(totals: Totals) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in totals.lines:
        for tax, amount in line.tax_by_code:
            found[tax] = found.get(tax, ZERO) + amount
    return found

"""What an invoice or credit note comes to: net, tax and gross, per line and in all, exactly.

Works on content in any space: references are opaque texts. It knows no item's price, no customer's default
tax and no ERP: what a line does not say is not assumed, and an unknown rate makes the whole unknown (None).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from reconciler.kernel.money import ZERO, Rounding, quantum, round_amount

RateOf = Callable[[str], Decimal | None]
"""The rate in percent of a tax code, None when unknown."""

_EXACT = Context(prec=80)
"""Wide enough for quantity x price x rate at their longest; a division is rounded far below any cent."""
_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line before tax: `base` is quantity x unit price - discount, rounded to the currency.

    With inclusive prices `base` contains the tax. `tracking` has the header's categories too; the line's win.
    """

    account: str | None
    item: str | None
    taxes: tuple[str, ...]
    tracking: tuple[tuple[str, str], ...]
    base: Decimal
    stated: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineTotal:
    """A line's net and tax. `tax_by_code` sums to `tax` (it is empty when a stated tax has no code)."""

    account: str | None
    item: str | None
    taxes: tuple[str, ...]
    tracking: tuple[tuple[str, str], ...]
    net: Decimal
    tax: Decimal
    tax_by_code: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's lines, and their sums."""

    lines: tuple[LineTotal, ...]

    @property
    def net(self) -> Decimal:
        return _sum(line.net for line in self.lines)

    @property
    def tax(self) -> Decimal:
        return _sum(line.tax for line in self.lines)

    @property
    def gross(self) -> Decimal:
        return _EXACT.add(self.net, self.tax)


def compute_totals(
    content: Mapping[str, Any],
    currency: str,
    rate_of: RateOf,
    *,
    per_line: bool = True,
    rounding: Rounding = Rounding.HALF_UP,
) -> Totals | None:
    """The totals of a document's content; None when a price is missing, or a rate that is needed is unknown.

    Taxes of a line are added up, not compounded; a stated `tax_amount` wins. `per_line`: round each line's
    tax; else each code's tax once per document, given back to the lines by largest remainder.
    """
    priced = price_lines(content, currency, rounding)
    if priced is None:
        return None
    prices = content.get("prices") or "exclusive"
    return tax_lines(priced, prices, currency, rate_of, per_line=per_line, rounding=rounding)


def price_lines(
    content: Mapping[str, Any], currency: str, rounding: Rounding = Rounding.HALF_UP
) -> tuple[PricedLine, ...] | None:
    """Every line before tax; None when a line has no price."""
    header = content.get("tracking") or {}
    untaxed = content.get("prices") == "untaxed"
    lines = []
    for line in content.get("lines") or ():
        base = line_base(line, currency, rounding)
        if base is None:
            return None
        tracking = line.get("tracking")
        merged = tuple(sorted({**header, **(tracking or {})}.items())) if header or tracking else ()
        taxes = () if untaxed else tuple(line.get("taxes") or ())
        stated = None if untaxed else line.get("tax_amount")
        lines.append(PricedLine(line.get("account"), line.get("item"), taxes, merged, base, stated))
    return tuple(lines)


def line_base(line: Mapping[str, Any], currency: str, rounding: Rounding = Rounding.HALF_UP) -> Decimal | None:
    """Quantity x unit price - discount, rounded to the currency; None without a price."""
    price = line.get("unit_price")
    if price is None:
        return None
    base = _EXACT.multiply(line.get("quantity") or _ONE, price)
    discount = line.get("discount")
    if discount:
        amount = discount.get("amount")
        if amount is None:
            amount = _EXACT.multiply(_EXACT.multiply(base, discount.get("percent") or ZERO), _PERCENT)
        base = _EXACT.subtract(base, amount)
    return round_amount(base, currency, rounding)


def tax_lines(
    priced: Sequence[PricedLine],
    prices: str,
    currency: str,
    rate_of: RateOf,
    *,
    per_line: bool = True,
    rounding: Rounding = Rounding.HALF_UP,
) -> Totals | None:
    """Priced lines with their tax; None when a rate is unknown on a line that states no tax amount."""
    inclusive = prices == "inclusive"
    exact: list[list[tuple[str, Decimal]]] = []
    for line in priced:
        shares = _exact_taxes(line, inclusive, rate_of)
        if shares is None:
            return None
        exact.append(shares)
    if per_line:
        taxes = [_round_line(shares, currency, rounding, inclusive) for shares in exact]
    else:
        taxes = _round_document(exact, currency, rounding)
    lines = []
    for line, codes in zip(priced, taxes, strict=True):
        if line.stated is not None:
            tax, codes = line.stated, _split_stated(line, currency, rate_of)
        else:
            tax = _sum(amount for _, amount in codes)
        net = _EXACT.subtract(line.base, tax) if inclusive else line.base
        lines.append(LineTotal(line.account, line.item, line.taxes, line.tracking, net, tax, tuple(codes)))
    return Totals(tuple(lines))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def _exact_taxes(line: PricedLine, inclusive: bool, rate_of: RateOf) -> list[tuple[str, Decimal]] | None:
    """The line's unrounded tax per code; none for a line whose tax is stated."""
    if line.stated is not None or not line.taxes:
        return []
    rates = []
    for code in line.taxes:
        rate = rate_of(code)
        if rate is None:
            return None
        rates.append((code, rate))
    if not inclusive:
        return [(code, _EXACT.multiply(_EXACT.multiply(line.base, rate), _PERCENT)) for code, rate in rates]
    divisor = _EXACT.add(_HUNDRED, _sum(rate for _, rate in rates))
    return [(code, _EXACT.divide(_EXACT.multiply(line.base, rate), divisor)) for code, rate in rates]


def _round_line(
    shares: list[tuple[str, Decimal]], currency: str, rounding: Rounding, inclusive: bool
) -> list[tuple[str, Decimal]]:
    if not inclusive or len(shares) < 2:
        return [(code, round_amount(tax, currency, rounding)) for code, tax in shares]
    exact = [tax for _, tax in shares]
    parts = apportion(round_amount(_sum(exact), currency, rounding), exact, currency)
    return [(code, part) for (code, _), part in zip(shares, parts, strict=True)]


def _round_document(
    exact: list[list[tuple[str, Decimal]]], currency: str, rounding: Rounding
) -> list[list[tuple[str, Decimal]]]:
    places: dict[str, list[tuple[int, int]]] = {}
    for i, shares in enumerate(exact):
        for j, (code, _) in enumerate(shares):
            places.setdefault(code, []).append((i, j))
    rounded = [list(shares) for shares in exact]
    for code, found in places.items():
        values = [exact[i][j][1] for i, j in found]
        total = round_amount(_sum(values), currency, rounding)
        for (i, j), part in zip(found, apportion(total, values, currency), strict=True):
            rounded[i][j] = (code, part)
    return rounded


def exact_tax(line: PricedLine, prices: str, rate_of: RateOf) -> Decimal | None:
    """What the line's tax would be before rounding, whatever it states; None when a rate is unknown."""
    unstated = PricedLine(line.account, line.item, line.taxes, line.tracking, line.base)
    shares = _exact_taxes(unstated, prices == "inclusive", rate_of)
    return None if shares is None else _sum(tax for _, tax in shares)


def _split_stated(line: PricedLine, currency: str, rate_of: RateOf) -> list[tuple[str, Decimal]]:
    """A stated tax shared among the line's codes by their rates (evenly when a rate is unknown)."""
    stated = line.stated or ZERO
    if len(line.taxes) < 2:
        return [(code, stated) for code in line.taxes]
    known = [rate_of(code) for code in line.taxes]
    rates = [rate for rate in known if rate is not None]
    total = _sum(rates)
    if len(rates) < len(known) or not total:
        rates, total = [_ONE] * len(known), Decimal(len(known))
    exact = [_EXACT.divide(_EXACT.multiply(stated, rate), total) for rate in rates]
    return list(zip(line.taxes, apportion(stated, exact, currency), strict=True))


def apportion(total: Decimal, exact: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Parts in whole units of the currency that sum to `total`, each within one unit of its exact share.

    `total` is the rounded sum of `exact`. Largest remainder first; ties go to the earlier part.
    """
    unit = quantum(currency)
    shares = [_EXACT.divide(value, unit) for value in exact]
    whole = [int(share.to_integral_value(rounding="ROUND_FLOOR", context=_EXACT)) for share in shares]
    left = int(_EXACT.divide(total, unit).to_integral_value(context=_EXACT)) - sum(whole)
    order = sorted(range(len(shares)), key=lambda i: (-_EXACT.subtract(shares[i], whole[i]), i))
    for i in order[:left]:
        whole[i] += 1
    return [_EXACT.multiply(unit, Decimal(units)) for units in whole]

"""Amounts as the file keeps them: whole minor units, never a binary fraction."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from reconciler.kernel.money import Rounding, exponent, fits
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

LARGEST = 10**16
"""Amounts of more minor units than this are refused, so that sums stay within 64 bits."""
_CONTEXT = Context(prec=60)
_MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}
_ONE = Decimal(1)


def to_minor(value: Decimal, currency: str, what: str = "amount") -> int:
    """`value` in minor units of `currency`. Refuses decimals the currency lacks and absurd sizes."""
    scaled = value.scaleb(exponent(currency), _CONTEXT)
    units = int(scaled)
    if units != scaled:
        assert not fits(value, currency)
        raise Refusal(RefusalCode.INVALID, f"the {what} {value} has more decimals than {currency} allows")
    if abs(units) > LARGEST:
        raise Refusal(RefusalCode.INVALID, f"the {what} {value} {currency} is too large for these books")
    return units


def to_decimal(units: int, currency: str) -> Decimal:
    """The amount of `units` minor units, with the currency's decimals."""
    return Decimal(units).scaleb(-exponent(currency), _CONTEXT)


def to_text(units: int, currency: str) -> str:
    """Canonical decimal text: 1010 cents → '10.1'."""
    if not units:
        return "0"
    places = exponent(currency)
    if not places:
        return str(units)
    digits = str(abs(units)).rjust(places + 1, "0")
    part = digits[-places:].rstrip("0")
    whole = digits[:-places] if units > 0 else f"-{digits[:-places]}"
    return f"{whole}.{part}" if part else whole


def converted(units: int, currency: str, rate: Decimal, base: str, rounding: Rounding) -> int:
    """Minor units of `base` worth `units` of `currency` at `rate` (base per one foreign)."""
    if currency == base and rate == 1:
        return units
    exact = _CONTEXT.multiply(Decimal(units).scaleb(exponent(base) - exponent(currency), _CONTEXT), rate)
    value = int(exact.quantize(_ONE, rounding=_MODES[rounding], context=_CONTEXT))
    if abs(value) > LARGEST:
        raise Refusal(RefusalCode.INVALID, f"{to_text(units, currency)} {currency} is too large in {base}")
    return value


def portion(of: int, part: int, whole: int) -> int:
    """`of` x `part` / `whole`, rounded half up; all of it when part is the whole."""
    if part == whole:
        return of
    return (2 * of * part + whole) // (2 * whole)

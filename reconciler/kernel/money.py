"""Exact decimal money: parsing, currency exponents, rounding, spreading by largest remainder.

Amounts are `Decimal` from text to wire. A currency is its ISO 4217 code. Nothing here takes a float.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from functools import lru_cache

from reconciler.kernel.currencies import CODES, EXPONENTS

ZERO = Decimal(0)
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?\Z", re.ASCII)
_CONTEXT = Context(prec=40)


class Rounding(StrEnum):
    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


_MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}


def parse_decimal(text: str) -> Decimal:
    """A plain decimal: optional minus, up to 15 digits, optional point and up to 10 decimals.

    Raises ValueError for exponents, grouping, spaces, non-ASCII digits, NaN and the like.
    """
    if not _DECIMAL.match(text):
        raise ValueError(f"{text[:40]!r} is not a plain decimal number such as 2373.45")
    return Decimal(text)


@lru_cache(maxsize=65536)
def decimal_text(value: Decimal) -> str:
    """Canonical text: no exponent, no trailing zeros, no negative zero. 10.10 → '10.1'."""
    if not value.is_finite():
        raise TypeError("NaN and infinities have no canonical form")
    if value == 0:
        return "0"
    return format(value.normalize(_CONTEXT), "f")


def is_currency(code: str) -> bool:
    return code in CODES


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """Decimal places of an amount in `currency` (JPY 0, USD 2, KWD 3). Raises ValueError."""
    if currency not in CODES:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code")
    return EXPONENTS.get(currency, 2)


@lru_cache(maxsize=512)
def quantum(currency: str) -> Decimal:
    """The smallest amount of a currency: Decimal('0.01') for USD."""
    return Decimal(1).scaleb(-exponent(currency))


def round_amount(value: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """`value` rounded to the currency's exponent."""
    return value.quantize(quantum(currency), rounding=_MODES[rounding], context=_CONTEXT)


def fits(value: Decimal, currency: str) -> bool:
    """Whether `value` has no more decimals than the currency allows."""
    return value == round_amount(value, currency)


def amount_text(value: Decimal, currency: str) -> str:
    """For people: the amount with all the currency's decimals and grouped thousands: '2,373.45'."""
    return f"{round_amount(value, currency):,}"


def spread(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split `total` in proportion to `weights`, exactly: parts sum to `total`.

    Largest remainder first; ties go to the earlier part. Raises ValueError when the weights sum to zero.
    """
    weight = sum(weights, ZERO)
    if weight == 0:
        raise ValueError("cannot spread over weights that sum to zero")
    unit = quantum(currency)
    units = int((total / unit).to_integral_value())
    exact = [_CONTEXT.divide(_CONTEXT.multiply(Decimal(units), w), weight) for w in weights]
    whole = [int(e.to_integral_value(rounding=ROUND_FLOOR)) for e in exact]
    order = sorted(range(len(weights)), key=lambda i: (-(exact[i] - whole[i]), i))
    for i in order[: units - sum(whole)]:
        whole[i] += 1
    return [unit * n for n in whole]

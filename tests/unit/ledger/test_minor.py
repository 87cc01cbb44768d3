"""Minor units and back, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.money import Rounding, decimal_text
from reconciler.sandboxes.ledger.minor import LARGEST, converted, portion, to_decimal, to_minor, to_text
from reconciler.sandboxes.ledger.refusal import Refusal

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF"])
UNITS = st.integers(-LARGEST, LARGEST)


@given(UNITS, CURRENCIES)
def test_there_and_back(units: int, currency: str) -> None:
    value = to_decimal(units, currency)
    assert to_minor(value, currency) == units
    assert to_text(units, currency) == decimal_text(value)


def test_too_many_decimals_and_too_large_are_refused() -> None:
    for value, currency in (("0.001", "USD"), ("0.5", "JPY"), ("1e17", "USD")):
        with pytest.raises(Refusal):
            to_minor(Decimal(value), currency)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_portion_is_within_half_a_unit_and_the_whole_is_all(of: int, part: int, whole: int) -> None:
    part = min(part, whole)
    share = portion(of, part, whole)
    assert 0 <= share <= of
    assert abs(2 * share * whole - 2 * of * part) <= whole
    assert portion(of, whole, whole) == of


def test_converting_rounds_as_it_is_told() -> None:
    assert converted(1, "USD", Decimal("1.5"), "EUR", Rounding.HALF_UP) == 2
    assert converted(3, "USD", Decimal("1.5"), "EUR", Rounding.HALF_EVEN) == 4
    assert converted(1, "USD", Decimal("0.5"), "EUR", Rounding.HALF_EVEN) == 0
    assert converted(1000, "JPY", Decimal("0.0067"), "USD", Rounding.HALF_UP) == 670

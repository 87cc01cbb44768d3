"""Exact money: parsing, exponents against the ISO list, rounding, spreading."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iso4217 import Currency

from reconciler.kernel.currencies import CODES, EXPONENTS
from reconciler.kernel.money import (
    Rounding,
    amount_text,
    decimal_text,
    exponent,
    fits,
    is_currency,
    parse_decimal,
    quantum,
    round_amount,
    spread,
)

# funds codes, metals, testing: no amount is owed in them
NOT_MONEY = {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)


def test_exponents_are_those_of_the_iso_list():
    listed = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}
    ours = {code: EXPONENTS.get(code, 2) for code in CODES}
    assert {code: places for code, places in ours.items() if code in listed} == {
        code: listed[code] for code in ours if code in listed
    }
    assert set(EXPONENTS) <= CODES


def test_every_currency_of_the_iso_list_is_known_and_no_other():
    listed = {currency.code for currency in Currency}
    assert listed - CODES <= NOT_MONEY
    assert listed >= CODES


@pytest.mark.parametrize("text", ["0", "-0", "10.10", "-2373.45", "123456789012345", "0.0000000001", "012"])
def test_plain_decimals_are_parsed_exactly(text):
    assert parse_decimal(text) == Decimal(text)


@pytest.mark.parametrize("text", ["10.10", "100", "90071992547409.93", "123456789012345.0000000001"])
def test_no_digit_is_lost_or_won(text):
    assert str(parse_decimal(text)) == text


NOT_PLAIN = "1e2 1E2 1_000 1,000 NaN Infinity -inf +5 .5 5. 0x1 ١٢ ５ 1.12345678901 1234567890123456 --1 1.2.3"


@pytest.mark.parametrize("text", ["", " 5", "5 ", "5\n", *NOT_PLAIN.split()])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="not a plain decimal"):
        parse_decimal(text)


@given(DECIMALS)
def test_decimal_text_is_canonical_and_parses_back(value):
    text = decimal_text(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert decimal_text(Decimal(text)) == text
    assert decimal_text(value.quantize(Decimal("0.00000001"))) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_has_no_text(value):
    with pytest.raises(TypeError):
        decimal_text(Decimal(value))


@pytest.mark.parametrize(
    ("value", "currency", "up", "even"),
    [
        ("0.125", "USD", "0.13", "0.12"),
        ("0.135", "USD", "0.14", "0.14"),
        ("-0.125", "USD", "-0.13", "-0.12"),
        ("2.5", "JPY", "3", "2"),
        ("1.0005", "KWD", "1.001", "1.000"),
    ],
)
def test_rounding_is_to_the_currency(value, currency, up, even):
    assert round_amount(Decimal(value), currency) == Decimal(up)
    assert round_amount(Decimal(value), currency, Rounding.HALF_EVEN) == Decimal(even)


def test_fits_looks_at_the_value_not_at_trailing_zeros():
    assert fits(Decimal("10.100"), "USD")
    assert not fits(Decimal("10.101"), "USD")
    assert fits(Decimal("10.101"), "KWD")
    assert not fits(Decimal("0.5"), "JPY")


def test_what_is_no_currency():
    assert is_currency("USD")
    assert not is_currency("usd")
    with pytest.raises(ValueError, match="not an ISO 4217"):
        exponent("usd")


def test_amounts_for_people():
    assert amount_text(Decimal("1234567.5"), "USD") == "1,234,567.50"
    assert amount_text(Decimal("1234567"), "JPY") == "1,234,567"


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any),
    st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_parts_sum_to_what_is_spread_and_each_is_within_a_unit(units, weights, currency):
    unit = quantum(currency)
    total = unit * units
    parts = spread(total, [Decimal(weight) for weight in weights], currency)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert fits(part, currency)
        assert abs(part - total * weight / sum(weights)) < unit


def test_the_largest_remainder_goes_first_and_ties_to_the_earlier():
    assert spread(Decimal("1.00"), [Decimal(1)] * 3, "USD") == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    with pytest.raises(ValueError, match="sum to zero"):
        spread(Decimal(1), [Decimal(0)], "USD")

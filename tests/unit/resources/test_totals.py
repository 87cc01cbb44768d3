"""Totals are exact: parts sum to wholes, whatever the rounding, the prices and the discounts."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.money import Rounding, fits, quantum
from reconciler.resources.totals import Totals, apportion, compute_totals, exact_tax, line_base, price_lines

D = Decimal
RATES = {"vat": D(20), "reduced": D("5.5"), "zero": D(0), "odd": D("8.875")}
PRICES = st.decimals(min_value=-9999, max_value=99999, places=4)
QUANTITIES = st.decimals(min_value=D("0.001"), max_value=1000, places=3)
DISCOUNTS = st.none() | st.decimals(min_value=0, max_value=100, places=2).map(lambda percent: {"percent": percent})
LINES = st.lists(
    st.fixed_dictionaries(
        {"unit_price": PRICES, "quantity": QUANTITIES, "discount": DISCOUNTS},
        optional={"taxes": st.lists(st.sampled_from(sorted(RATES)), unique=True, max_size=3)},
    ),
    min_size=1,
    max_size=6,
)
DOCUMENTS = st.fixed_dictionaries(
    {"lines": LINES, "prices": st.sampled_from(["exclusive", "inclusive", "untaxed"])},
)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
ROUNDINGS = st.sampled_from(list(Rounding))


def totals(content: dict, currency: str = "USD", **options) -> Totals:
    found = compute_totals(content, currency, RATES.get, **options)
    assert found is not None
    return found


@given(DOCUMENTS, CURRENCIES, ROUNDINGS, st.booleans())
def test_parts_sum_to_totals_in_whole_units(content, currency, rounding, per_line):
    found = totals(content, currency, rounding=rounding, per_line=per_line)
    assert found.net == sum(line.net for line in found.lines)
    assert found.tax == sum(line.tax for line in found.lines)
    assert found.gross == found.net + found.tax
    for line in found.lines:
        assert sum(amount for _, amount in line.tax_by_code) == line.tax
        assert all(fits(amount, currency) for amount in (line.net, line.tax))
        assert all(fits(amount, currency) for _, amount in line.tax_by_code)


@given(DOCUMENTS, CURRENCIES, ROUNDINGS)
def test_line_and_document_rounding_differ_by_less_than_a_unit_per_line_and_code(content, currency, rounding):
    by_line = totals(content, currency, rounding=rounding)
    by_document = totals(content, currency, rounding=rounding, per_line=False)
    most = sum(max(1, len(line.taxes)) for line in by_line.lines)
    assert abs(by_line.tax - by_document.tax) <= most * quantum(currency)


@given(DOCUMENTS, CURRENCIES, ROUNDINGS, st.booleans())
def test_inclusive_prices_are_the_gross(content, currency, rounding, per_line):
    inclusive = {**content, "prices": "inclusive"}
    found = totals(inclusive, currency, rounding=rounding, per_line=per_line)
    priced = price_lines(inclusive, currency, rounding)
    assert priced is not None
    assert [line.net + line.tax for line in found.lines] == [line.base for line in priced]


@given(DOCUMENTS, CURRENCIES, ROUNDINGS, st.booleans())
def test_each_tax_is_within_a_unit_of_the_exact_one(content, currency, rounding, per_line):
    found = totals(content, currency, rounding=rounding, per_line=per_line)
    priced = price_lines(content, currency, rounding)
    for line, before in zip(found.lines, priced, strict=True):
        exact = exact_tax(before, content["prices"], RATES.get)
        assert abs(line.tax - exact) < quantum(currency) * max(1, len(line.taxes))


@given(DOCUMENTS, CURRENCIES, st.booleans())
def test_the_document_tax_per_code_is_rounded_once(content, currency, per_line):
    content = {**content, "prices": "exclusive"}
    found = totals(content, currency, per_line=False)
    for code, rate in RATES.items():
        exact = sum((line.net * rate / 100 for line in found.lines if code in line.taxes), D(0))
        ours = sum((tax for line in found.lines for name, tax in line.tax_by_code if name == code), D(0))
        assert abs(ours - exact) <= quantum(currency) / 2


@given(st.lists(st.decimals(-1000, 1000, places=5), min_size=1, max_size=9), CURRENCIES)
def test_apportioned_parts_sum_exactly_and_stay_close(exact, currency):
    unit = quantum(currency)
    total = (sum(exact) / unit).to_integral_value() * unit
    parts = apportion(total, exact, currency)
    assert sum(parts) == total
    assert all(abs(part - share) <= unit for part, share in zip(parts, exact, strict=True))


def test_apportioning_is_stable_for_equal_shares():
    parts = apportion(D("0.05"), [D("0.0125")] * 4, "USD")
    assert all(before >= after for before, after in pairwise(parts))


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ({"unit_price": D("10.00")}, "10.00"),
        ({"quantity": D(3), "unit_price": D("33.335")}, "100.01"),
        ({"quantity": D(6), "unit_price": D(120), "discount": {"percent": D(5)}}, "684.00"),
        ({"quantity": D(2), "unit_price": D("9.99"), "discount": {"amount": D("0.98")}}, "19.00"),
        ({"unit_price": D("10.00"), "discount": None}, "10.00"),
        ({"unit_price": D("-0.005")}, "-0.01"),
        (
            {"quantity": D("999999999999999"), "unit_price": D("999999999999999")},
            "999999999999998000000000000001.00",
        ),
    ],
)
def test_a_lines_base(line, base):
    assert line_base(line, "USD") == D(base)


def test_a_line_without_a_price_has_no_totals():
    assert line_base({"quantity": D(1)}, "USD") is None
    assert compute_totals({"lines": [{"item": "x", "quantity": D(1)}]}, "USD", RATES.get) is None


def test_an_unknown_rate_makes_the_total_unknown_unless_the_tax_is_stated():
    line = {"unit_price": D(10), "taxes": ["elsewhere"]}
    assert compute_totals({"lines": [line]}, "USD", RATES.get) is None
    stated = compute_totals({"lines": [{**line, "tax_amount": D("1.23")}]}, "USD", RATES.get)
    assert stated.gross == D("11.23")
    assert stated.lines[0].tax_by_code == (("elsewhere", D("1.23")),)


def test_a_stated_tax_wins_and_is_shared_by_rate():
    line = {"unit_price": D(100), "taxes": ["vat", "reduced", "zero"], "tax_amount": D("25.49")}
    for per_line in (True, False):
        found = totals({"lines": [line]}, per_line=per_line)
        assert found.tax == D("25.49")
        assert found.lines[0].tax_by_code == (("vat", D("19.99")), ("reduced", D("5.50")), ("zero", D(0)))
    inclusive = totals({"prices": "inclusive", "lines": [line]})
    assert inclusive.net == D("74.51")


def test_several_taxes_are_added_not_compounded():
    found = totals({"lines": [{"unit_price": D(100), "taxes": ["vat", "reduced"]}]})
    assert found.tax == D("25.50")


@pytest.mark.parametrize(
    ("gross", "taxes", "net", "tax"),
    [
        ("120.00", ["vat"], "100.00", "20.00"),
        ("10.00", ["vat"], "8.33", "1.67"),
        ("105.50", ["reduced"], "100.00", "5.50"),
        ("125.50", ["vat", "reduced"], "100.00", "25.50"),
        ("7.00", ["zero"], "7.00", "0.00"),
    ],
)
def test_inclusive_prices_contain_their_tax(gross, taxes, net, tax):
    content = {"prices": "inclusive", "lines": [{"unit_price": D(gross), "taxes": taxes}]}
    for per_line in (True, False):
        found = totals(content, per_line=per_line)
        assert (found.net, found.tax, found.gross) == (D(net), D(tax), D(gross))


def test_untaxed_prices_have_no_tax_whatever_the_line_says():
    found = totals({"prices": "untaxed", "lines": [{"unit_price": D(100), "taxes": ["elsewhere"]}]})
    assert (found.net, found.tax, found.lines[0].taxes) == (D(100), D(0), ())


def test_line_and_document_rounding_part_where_cents_are_lost():
    lines = [{"unit_price": D("0.12"), "taxes": ["vat"]} for _ in range(3)]
    assert totals({"lines": lines}).tax == D("0.06")
    assert totals({"lines": lines}, per_line=False).tax == D("0.07")
    assert totals({"lines": lines}, rounding=Rounding.HALF_EVEN).tax == D("0.06")


def test_a_line_has_the_headers_tracking_and_its_own_wins():
    content = {
        "tracking": {"region": "east", "team": "a"},
        "lines": [{"account": "4000", "unit_price": D(1), "tracking": {"region": "west"}}, {"unit_price": D(1)}],
    }
    found = totals(content)
    assert found.lines[0].tracking == (("region", "west"), ("team", "a"))
    assert found.lines[1].tracking == (("region", "east"), ("team", "a"))
    assert found.lines[0].account == "4000"

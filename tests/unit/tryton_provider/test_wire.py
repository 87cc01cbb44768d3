"""Tryton's JSON: exact, typed both ways, and refusing what a double cannot hold."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.providers.http import Answer, json_body
from reconciler.providers.tryton import wire


def there_and_back(value: object) -> object:
    return wire.typed(json_body(Answer(200, {}, wire.dumps(value), "r1")))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_an_amount_comes_back_as_it_went(amount: Decimal) -> None:
    back = there_and_back(amount)
    assert isinstance(back, Decimal)
    assert back == amount


def test_money_is_text_in_a_tagged_object() -> None:
    assert json.loads(wire.dumps(Decimal("275.00"))) == {"__class__": "Decimal", "decimal": "275"}


def test_days_moments_and_files_come_back_typed() -> None:
    moment = datetime(2026, 11, 22, 4, 5, 6, 789, tzinfo=UTC)
    value = {"day": date(2026, 11, 22), "moment": moment, "file": b"%PDF\x00\xff", "rows": [None, True, 3, "x"]}
    assert there_and_back(value) == value


def test_a_moment_goes_out_in_utc() -> None:
    there = datetime(2026, 11, 22, 23, 0, tzinfo=timezone(timedelta(hours=2)))
    assert there_and_back(there) == datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


@given(st.integers(-(10**14) + 1, 10**14 - 1), st.integers(0, 6))
def test_a_quantity_is_a_number_that_reads_as_the_same_decimal(units: int, places: int) -> None:
    quantity = Decimal(units).scaleb(-places)
    sent = wire.dumps(wire.Quantity(quantity)).decode()
    assert Decimal(repr(float(sent))) == quantity
    assert there_and_back(wire.Quantity(quantity)) == quantity


def test_a_quantity_a_double_cannot_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        wire.Quantity(Decimal("1234567890.123456"))


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError):
        wire.dumps({"x": object()})
    with pytest.raises(TypeError):
        wire.dumps(0.1)


@pytest.mark.parametrize(
    "tagged",
    [
        {"__class__": "Decimal"},
        {"__class__": "Decimal", "decimal": "twelve"},
        {"__class__": "date", "year": 2026, "month": 13, "day": 1},
        {"__class__": "bytes", "base64": 7},
    ],
)
def test_a_tagged_object_that_is_none_is_a_value_error(tagged: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        wire.typed([tagged])


def test_an_unknown_class_is_left_as_it_is() -> None:
    assert wire.typed({"__class__": "novel", "x": 1}) == {"__class__": "novel", "x": 1}

"""Canonical JSON: one text per value, no float on the way in or out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.canonical import canonical_json, digest, digest_text, parse_canonical

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=20
)


@given(VALUES)
def test_parsing_inverts_encoding(value):
    text = canonical_json(value)
    assert parse_canonical(text) == value
    assert canonical_json(parse_canonical(text)) == text


@given(st.dictionaries(st.text(max_size=4), SCALARS, max_size=6))
def test_the_order_of_keys_does_not_matter(value):
    reordered = dict(reversed(value.items()))
    assert canonical_json(reordered) == canonical_json(value)
    assert digest(reordered) == digest(value)


def test_decimals_dates_and_instants_are_text():
    value = {
        "amount": Decimal("10.100"),
        "large": Decimal("1E+3"),
        "day": date(2026, 11, 10),
        "at": datetime(2026, 11, 10, 12, 30, tzinfo=UTC),
        "set": {"b", "a"},
    }
    assert canonical_json(value) == (
        '{"amount":"10.1","at":"2026-11-10T12:30:00.000000Z","day":"2026-11-10","large":"1000","set":["a","b"]}'
    )


def test_equal_amounts_have_equal_digests():
    assert digest({"a": Decimal("10.10")}) == digest({"a": Decimal("10.1")})
    assert digest({"a": Decimal("10.10")}) != digest({"a": Decimal("10.11")})
    assert len(digest_text("")) == 64


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object(), b"bytes"])
def test_what_has_no_canonical_form(value):
    with pytest.raises(TypeError):
        canonical_json({"a": value})


@pytest.mark.parametrize("text", ['{"a":1.5}', "[1e3]", "[NaN]", "[Infinity]", "[-Infinity]"])
def test_floats_are_refused_when_read(text):
    with pytest.raises(ValueError, match="fraction or exponent"):
        parse_canonical(text)

"""Addresses: parse and print are inverse; what is no name, and what is no address."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kernel.address import Address, check_connection, check_name

NAMES = (
    st.text(min_size=1, max_size=120)
    .map(lambda text: unicodedata.normalize("NFC", text).strip()[:120].strip())
    .filter(lambda text: check_name(text) is None)
)
KINDS = st.sampled_from(["invoice", "credit_note", "customer"])
CONNECTIONS = st.from_regex(r"[a-z][a-z0-9_-]{0,39}", fullmatch=True)


@given(CONNECTIONS, KINDS, NAMES)
def test_parse_inverts_print(connection, kind, name):
    address = Address(connection, kind, name)
    assert Address.parse(str(address)) == address
    assert str(address).isascii()
    assert Address.parse(address.label(connection), connection) == address
    assert str(Address.parse(address.label(None))) == str(address)


@given(st.text(max_size=40))
def test_what_parses_prints_as_it_was_written(text):
    try:
        address = Address.parse(text, "books")
    except ValueError:
        return
    assert text in (str(address), address.label("books"))


@given(st.text(max_size=130))
def test_a_name_that_passes_is_nfc_bounded_and_shows(name):
    if check_name(name) is None:
        assert 1 <= len(name) <= 120
        assert unicodedata.normalize("NFC", name) == name
        assert name == name.strip()
        assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("a" * 121, "is longer than 120 characters"),
        (" a", "begins or ends with a space"),
        ("a\u00a0", "begins or ends with a space"),
        ("a\u202eb", "has the bidirectional control character U+202E"),
        ("a\x00b", "has the control character U+0000"),
        ("a\u2028b", "has the control character U+2028"),
        ("e\u0301", "is not in Unicode normal form NFC"),
    ],
)
def test_what_is_no_name(name, problem):
    assert check_name(name) == problem


@pytest.mark.parametrize(
    "name", ["INV-7452", "4000", "a b", "Müller & Söhne", "東京", "a/b", "~", "100%", "a:b", ".", "a" * 120]
)
def test_names_may_be_what_people_write(name):
    assert check_name(name) is None
    assert Address.parse(str(Address("books", "invoice", name))).name == name


def test_names_are_percent_encoded_outside_the_plain_characters():
    assert str(Address("books", "invoice", "a b/ü~")) == "books:invoice.a%20b%2F%C3%BC%7E"


NO_ADDRESSES = """
    invoice|invoice.|.x|Invoice.x|a:b:c.d|books:invoice.a b|invoice.%zz|invoice.%C3|invoice.%41|invoice.%2f
    BOOKS:invoice.a|books:invoice.%E2%80%AE
"""


@pytest.mark.parametrize("text", ["", "invoice.a\n", *NO_ADDRESSES.strip().replace("\n    ", "|").split("|")])
def test_what_is_no_address(text):
    with pytest.raises(ValueError):
        Address.parse(text, "books")


def test_without_a_connection_there_must_be_a_default():
    assert Address.parse("invoice.a", "books") == Address("books", "invoice", "a")
    with pytest.raises(ValueError, match="names no connection"):
        Address.parse("invoice.a")


@pytest.mark.parametrize(
    ("name", "good"), [("books", True), ("b-2_x", True), ("Books", False), ("2b", False), ("", False)]
)
def test_connection_names(name, good):
    assert (check_connection(name) is None) is good

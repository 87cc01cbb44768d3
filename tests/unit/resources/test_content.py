"""Content: bodies read back, references are found and replaced in one order, defaults are idempotent."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.known import reference_pairs
from reconciler.resources.content import decode, encode, references, replace_references, typed
from reconciler.resources.defaults import number_of, with_defaults
from reconciler.resources.kinds import KINDS, PLURALS, rank
from reconciler.resources.terms import due_from_terms

INVOICE = {
    "customer": "acme",
    "issue_date": date(2026, 11, 10),
    "receivable_account": "1100",
    "tracking": {"region": "east"},
    "memo": None,
    "lines": [
        {"item": "widget", "account": "4000", "unit_price": Decimal("10.10"), "taxes": ["vat", "city"]},
        {"account": "4010", "unit_price": Decimal(5), "tracking": {"team": "a", "region": "west"}},
        {"account": "4020", "unit_price": Decimal(5), "taxes": None, "tracking": None},
    ],
}
PAYMENT = {
    "customer": "acme",
    "received_on": date(2026, 11, 15),
    "amount": Decimal("100.00"),
    "bank_account": "operating",
    "allocations": [
        {"invoice": "INV-1", "amount": Decimal(1)},
        {
            "credit_note": "CN-1",
            "amount": Decimal(2),
            "write_off": {"amount": Decimal(1), "account": "6200", "reason": "r"},
        },
    ],
}


@pytest.mark.parametrize(("kind", "content"), [("invoice", INVOICE), ("payment", PAYMENT)])
def test_a_body_reads_back_typed(kind, content):
    assert decode(kind, encode(content)) == content
    assert encode(decode(kind, encode(content))) == encode(content)
    assert KINDS[kind].adapter.validate_python(content) == content


@pytest.mark.parametrize(("kind", "content"), [("invoice", INVOICE), ("payment", PAYMENT)])
def test_the_loaders_pairs_are_the_references_in_their_order(kind, content):
    pairs = reference_pairs(kind, content, {}.setdefault)
    assert list(pairs) == [(item.kinds, item.name) for item in references(KINDS[kind], content)]
    assert len(pairs) == {"invoice": 11, "payment": 5}[kind]


def test_replacing_references_leaves_everything_else():
    renamed = replace_references(KINDS["invoice"], INVOICE, lambda reference: reference.name.upper())
    assert [item.name for item in references(KINDS["invoice"], renamed)] == [
        item.name.upper() for item in references(KINDS["invoice"], INVOICE)
    ]
    assert renamed["lines"][1]["tracking"] == {"TEAM": "a", "REGION": "west"}
    assert INVOICE["customer"] == "acme"
    assert replace_references(KINDS["invoice"], renamed, lambda reference: reference.name.lower()) == INVOICE


def test_typing_refuses_what_the_kind_does_not_have():
    with pytest.raises(ValueError, match="has no field"):
        typed("invoice", {"colour": "red"})
    with pytest.raises(ValueError, match="plain decimal"):
        typed("payment", {"amount": 1.5})


@given(st.sampled_from(sorted(KINDS)), st.sampled_from(["INV-1", "a b"]))
def test_defaults_are_idempotent(kind, name):
    once = with_defaults(kind, name, {})
    assert with_defaults(kind, name, once) is once
    if not KINDS[kind].is_document:
        assert once == {KINDS[kind].code_field: name}


def test_documents_are_posted_and_lines_count_once_unless_they_say_otherwise():
    completed = with_defaults("invoice", "INV-1", INVOICE)
    assert completed["state"] == "posted"
    assert [line["quantity"] for line in completed["lines"]] == [1, 1, 1]
    assert "quantity" not in INVOICE["lines"][0]
    stated = {"state": "draft", "lines": [{"quantity": Decimal(3)}]}
    assert with_defaults("invoice", "INV-1", stated) is stated
    assert "number" not in completed


def test_the_number_is_the_name_unless_stated():
    assert number_of("invoice", "INV-1", {}) == "INV-1"
    assert number_of("invoice", "INV-1", {"number": "7"}) == "7"
    assert number_of("customer", "acme", {"code": "A"}) == "A"
    assert number_of("bank_account", "operating", {"name": "Main"}) == "Main"


def test_every_kind_is_consistent():
    assert [rank(kind) for kind in KINDS] == list(range(len(KINDS)))
    assert set(PLURALS) == {kind.plural for kind in KINDS.values()}
    for kind in KINDS.values():
        fields = kind.content_type.__annotations__
        assert kind.code_field in fields
        for path, targets in kind.references:
            assert path[0] in fields
            assert set(targets) <= set(KINDS)
        assert all(path[0] in fields for path in kind.amounts)
        assert all(path[0] in fields for path, _ in kind.identities)
        assert kind.never_sent <= set(fields)


@pytest.mark.parametrize(
    ("issued", "days", "end_of_month", "due"),
    [
        (date(2026, 11, 10), 30, False, date(2026, 12, 10)),
        (date(2026, 11, 10), 0, False, date(2026, 11, 10)),
        (date(2026, 2, 10), 15, True, date(2026, 3, 15)),
        (date(2028, 2, 29), 0, True, date(2028, 2, 29)),
        (date(9999, 12, 1), 3650, False, date.max),
    ],
)
def test_terms(issued, days, end_of_month, due):
    assert due_from_terms(issued, days, end_of_month) == due

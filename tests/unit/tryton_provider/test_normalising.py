"""What the plan knows of Tryton beforehand: what is stored otherwise, refused, or asked about."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.providers.protocol import Normalized
from reconciler.providers.tryton.normalising import Normaliser
from reconciler.resources.totals import line_base

TODAY = date(2026, 11, 22)


def normalized(kind: str, content: dict[str, Any], *confirmed: str) -> Normalized:
    terms = {"net 30": (30, False), "end of month": (0, True)}
    normalise = Normaliser(lambda: TODAY, confirmed, {"US", "DE"}, terms)
    found = normalise(kind, content)
    assert normalise(kind, found.content).content == found.content
    return found


def invoice(**more: Any) -> dict[str, Any]:
    line = {"account": "4000", "quantity": Decimal(1), "unit_price": Decimal("10.00"), **more.pop("line", {})}
    return {"customer": "acme", "issue_date": date(2026, 11, 20), "state": "posted", "lines": [line], **more}


def test_what_tryton_keeps_is_left_alone() -> None:
    content = invoice(memo="m", po_number="PO-1", terms="Net 30")
    assert normalized("invoice", content) == Normalized(content)


def test_exclusive_prices_are_trytons_own_and_inclusive_ones_are_refused() -> None:
    assert "prices" not in normalized("invoice", invoice(prices="exclusive")).content
    assert normalized("invoice", invoice(prices="inclusive")).refused
    untaxed = normalized("invoice", invoice(prices="untaxed", line={"taxes": ["VAT"]})).content
    assert untaxed["lines"][0]["taxes"] == []


@given(
    st.decimals(min_value="0.01", max_value="9999.99", places=2),
    st.decimals(min_value="0.5", max_value="99.5", places=1),
    st.decimals(min_value="1", max_value="50", places=0),
)
def test_a_discount_becomes_a_lower_price_that_comes_to_the_same_or_is_refused(
    price: Decimal, percent: Decimal, quantity: Decimal
) -> None:
    line = {"unit_price": price, "quantity": quantity, "discount": {"percent": percent}}
    found = normalized("invoice", invoice(line=line))
    made = found.content["lines"][0]
    if found.refused:
        assert made["discount"] == line["discount"]
    else:
        assert "discount" not in made
        assert line_base(made, "USD") == line_base(line, "USD")
        assert found.adjustments


def test_a_discount_by_amount_must_divide() -> None:
    line = {"quantity": Decimal(3), "discount": {"amount": Decimal("1.00")}}
    assert normalized("invoice", invoice(line=line)).refused
    line = {"quantity": Decimal(4), "discount": {"amount": Decimal("1.00")}}
    assert normalized("invoice", invoice(line=line)).content["lines"][0]["unit_price"] == Decimal("9.75")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("invoice", invoice(line={"tracking": {"region": "west"}})),
        ("invoice", invoice(tracking={"region": "west"})),
        ("invoice", invoice(line={"unit_price": Decimal("0.12345")})),
        ("invoice", invoice(line={"quantity": Decimal("1.0000000000000001")})),
        ("payment", {"amount": Decimal(1), "remainder": "advance"}),
        ("payment", {"amount": Decimal(1), "allocations": [{"invoice": "I", "amount": 1, "discount": Decimal(1)}]}),
        ("payment", {"amount": Decimal(1), "allocations": [{"credit_note": "C", "amount": Decimal(1)}]}),
        ("customer", {"name": "Acme", "addresses": [{"type": "delivery", "city": "X"}]}),
        ("customer", {"name": "Acme", "addresses": [{"type": "billing", "country": "NO"}]}),
    ],
)
def test_what_tryton_cannot_keep_is_refused_in_words(kind: str, content: dict[str, Any]) -> None:
    assert len(normalized(kind, content).refused) == 1


def test_a_future_date_and_a_past_due_date_are_foreseen() -> None:
    future = normalized("invoice", invoice(issue_date=date(2026, 12, 1)))
    assert "confirm_warnings: [invoice_date_future]" in future.warnings[0]
    listed = normalized("invoice", invoice(issue_date=date(2026, 12, 1)), "invoice_date_future")
    assert "so it is confirmed" in listed.warnings[0]
    past = normalized("invoice", invoice(due_date=date(2026, 11, 21)))
    assert "confirm_warnings: [invoice_payment_term]" in past.warnings[0]
    assert "2026-11-19" in normalized("invoice", invoice(issue_date=date(2026, 10, 20), terms="Net 30")).warnings[0]
    assert not normalized("invoice", invoice(issue_date=date(2026, 11, 1), terms="End of Month")).warnings
    assert not normalized("invoice", invoice(issue_date=date(2026, 12, 1), state="draft")).warnings
    assert not normalized("credit_note", invoice(due_date=date(2026, 11, 21))).warnings


def test_spaces_at_the_ends_are_named_as_adjusted() -> None:
    found = normalized("customer", {"name": " Acme ", "code": "a"})
    assert found.content["name"] == "Acme"
    assert [(item.field, item.declared, item.stored) for item in found.adjustments] == [("name", " Acme ", "Acme")]


def test_what_is_worked_out_by_tryton_is_not_sent() -> None:
    found = normalized("invoice", invoice(terms="Net 30", due_date=date(2026, 12, 20)))
    assert "due_date" not in found.content
    note = normalized("credit_note", invoice(original={"invoice": "I", "line": "1"}, line={"id": "1"}))
    assert note.content["original"] == {"invoice": "I"}
    assert "id" not in note.content["lines"][0]
    assert "remainder" not in normalized("payment", {"amount": Decimal(1), "remainder": "on_account"}).content

"""What Intacct makes of a declaration, what it cannot hold, and that saying it twice changes nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reconciler.providers.intacct.normalising import Normaliser
from reconciler.providers.intacct.settings import GATEWAY, PATH, IntacctSettings
from reconciler.providers.protocol import Normalized
from reconciler.resources.kinds import Content

LINE: dict[str, Any] = {"account": "4000", "quantity": Decimal(1), "unit_price": Decimal("10.00")}


def normalised(kind: str, content: Content, **settings: Any) -> Normalized:
    """The first answer, once a second has changed nothing."""
    chosen = IntacctSettings(endpoint="sandbox", **settings)
    normaliser = Normaliser(chosen, lambda: "USD")
    first = normaliser(kind, content)
    again = normaliser(kind, first.content)
    assert again.content == first.content
    assert again.adjustments == ()
    return first


_PART: dict[str, Any] = {
    "amount": Decimal(9),
    "allocations": [{"invoice": "1", "amount": Decimal(1), "discount": Decimal(1)}],
}


def invoice(**more: Any) -> Content:
    return {"customer": "A", "issue_date": date(2026, 11, 10), "lines": [LINE], **more}


def line(**more: Any) -> Content:
    return invoice(lines=[{**LINE, **more}])


def test_quantity_price_and_discount_become_an_amount_and_that_is_said():
    found = normalised(
        "invoice", line(quantity=Decimal(8), unit_price=Decimal(125), discount={"percent": Decimal(10)})
    )
    assert found.content["lines"] == [{"account": "4000", "quantity": 1, "unit_price": Decimal("900.00")}]
    (said,) = found.adjustments
    assert (said.declared, said.stored) == ("8 × 125 less a discount", "900")


def test_a_line_that_is_one_amount_is_left_alone():
    assert normalised("invoice", line()).adjustments == ()


def test_a_header_s_dimensions_stand_on_the_lines():
    found = normalised("invoice", {**line(tracking={"Class": "Retail"}), "tracking": {"department": "Sales"}})
    assert "tracking" not in found.content
    assert found.content["lines"][0]["tracking"] == {"department": "Sales", "class": "Retail"}


def test_a_memo_leaves_room_for_our_mark():
    found = normalised("credit_note", invoice(memo="x" * 100))
    assert len(found.content["memo"]) == 62
    assert len(normalised("credit_note", invoice(memo="x" * 100), description_length=1000).content["memo"]) == 100


@pytest.mark.parametrize(
    ("kind", "content", "word"),
    [
        ("invoice", line(taxes=["VAT"]), "taxes"),
        ("invoice", line(tax_amount=Decimal(1)), "taxes"),
        ("invoice", line(account=None, item="I1"), "account"),
        ("invoice", line(tracking={"Colour": "Red"}), "tracking"),
        ("invoice", invoice(prices="inclusive"), "prices"),
        ("invoice", invoice(number="x" * 31), "number"),
        ("invoice", invoice(po_number="x" * 21), "po_number"),
        ("invoice", {**line(unit_price=Decimal("1.005")), "currency": "KWD"}, "two decimals"),
        ("invoice", invoice(attachments=[{"name": "order", "path": "order"}]), "extension"),
        ("payment", {"amount": Decimal(1), "method": "barter"}, "method"),
        ("payment", {"amount": Decimal("1.001")}, "two decimals"),
        ("payment", {"amount": Decimal(1)}, "advance_account"),
        (
            "payment",
            {"amount": Decimal(1), "allocations": [{"invoice": "1", "amount": Decimal(1), "discount": Decimal(1)}]},
            "custom",
        ),
        ("payment", {"amount": Decimal(1), "allocations": [{"credit_note": "1", "amount": Decimal(1)}]}, "netting"),
        (
            "credit_note",
            invoice(allocations=[{"invoice": "1", "amount": Decimal(1), "discount": Decimal(1)}]),
            "discount",
        ),
        ("invoice", line(unit_price=Decimal(-5)), "less than nothing"),
        ("credit_note", line(unit_price=Decimal(0)), "more than nothing"),
        ("payment", _PART, "allocated whole"),
        ("customer", {"name": "A", "phones": ["1", "2", "3"]}, "phones"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(kind: str, content: Content, word: str):
    refused = normalised(kind, content).refused
    assert any(word in one for one in refused), refused


def test_a_whole_allocation_needs_no_advance_account_unless_every_payment_is_an_advance():
    content = {"amount": Decimal(5), "allocations": [{"invoice": "1", "amount": Decimal(5)}]}
    assert normalised("payment", content).refused == ()
    assert normalised("payment", content, payments="advances").refused
    assert normalised("payment", content, payments="advances", advance_account="2300").refused == ()


def test_a_discount_goes_where_the_company_allows_it():
    shares = [{"invoice": "1", "amount": Decimal(5), "discount": Decimal(1)}]
    assert normalised("payment", {"amount": Decimal(5), "allocations": shares}, custom_discounts=True).refused == ()


def test_a_gateway_of_ones_own_is_named_without_its_path():
    assert IntacctSettings(endpoint="sandbox").endpoint == "sandbox"
    given = dict.fromkeys(("sender_id", "sender_password", "company", "user", "password"), "x")
    assert IntacctSettings(endpoint="http://127.0.0.1:8701", **given).endpoint == f"http://127.0.0.1:8701{PATH}"
    assert IntacctSettings(endpoint="https://x.example/gw", **given).endpoint == "https://x.example/gw"
    assert IntacctSettings(**given).endpoint == GATEWAY


def test_words_and_types_are_those_intacct_has():
    assert normalised("payment", {"method": "EFT"}).content["method"] == "bank_transfer"
    found = normalised("account", {"name": "Till", "type": "bank"})
    assert (found.content["type"], found.adjustments[0].declared) == ("current_asset", "bank")
    assert normalised("account", {"name": "Fees", "type": "income"}).adjustments == ()
    assert normalised("customer", {"name": "  Acme  "}).content["name"] == "Acme"

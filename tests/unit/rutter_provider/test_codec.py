"""Amounts as each object wants them, in each direction; what a record says of its phase and of what it settles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reconciler.providers.memo import joined, parted
from reconciler.providers.numbers import exact_json
from reconciler.providers.rutter.codec_invoices import (
    Arithmetic,
    Wants,
    credit_body,
    credit_from,
    invoice_body,
    invoice_from,
    phase_of,
)
from reconciler.providers.rutter.codec_payments import links_with, payment_body, payment_from
from reconciler.providers.rutter.wire import amount_of, day_of, short_mark

MARK = "~abcdefghijklmnop"
REFERENCE = f"INV-1{MARK}"


class Books:
    """A directory that needs no server."""

    base_currency = "USD"

    def rate(self, tax: str) -> Decimal | None:
        return Decimal(20) if tax == "tax" else None

    def values(self, category: str) -> dict[str, str]:
        return {"North": "loc-1"} if category == "location" else {}

    def tracked(self, line: Mapping[str, Any], categories: tuple[str, ...]) -> dict[str, str]:
        return {"location": "North"} if "location" in categories and line.get("location_id") == "loc-1" else {}

    def methods(self) -> dict[str, str]:
        return {"check": "pm-1"}

    def method_of(self, id_: str) -> str:
        return "check"


BOOKS: Any = Books()
LINE = {
    "account": "acc",
    "description": "Shirts",
    "quantity": Decimal("2.5"),
    "unit_price": Decimal("10.10"),
    "taxes": ["tax"],
    "tracking": {"location": "North"},
}
CONTENT = {"customer": "cus", "issue_date": date(2026, 11, 2), "lines": [LINE], "memo": "Thanks"}


def test_an_invoices_amounts_go_out_as_numbers_before_tax() -> None:
    body = invoice_body(CONTENT, BOOKS, Arithmetic(), Wants(REFERENCE, "INV-1"))
    [line] = body["line_items"]
    assert line["total_amount"] == Decimal("25.25")
    assert line["item"] == {"quantity": Decimal("2.5"), "unit_amount": Decimal("10.10")}
    assert (line["location_id"], line["tax_rate_id"]) == ("loc-1", "tax")
    assert b'"total_amount":25.25' in exact_json(body)
    assert body["memo"] == f"Thanks\n{REFERENCE}"
    assert body["issue_date"] == "2026-11-02T00:00:00.000Z"
    assert "status" not in body


def test_a_connection_may_say_that_sums_hold_their_tax() -> None:
    body = invoice_body(CONTENT, BOOKS, Arithmetic(with_tax=True), Wants(REFERENCE))
    assert body["line_items"][0]["total_amount"] == Decimal("30.30")


def test_a_credit_memos_amounts_go_out_as_texts() -> None:
    line = {name: value for name, value in LINE.items() if name != "tracking"}
    body = credit_body({**CONTENT, "lines": [line]}, BOOKS, Arithmetic(), Wants(REFERENCE))
    [made] = body["line_items"]
    assert made["total_amount"] == "25.25"
    assert made["item"] == {"quantity": Decimal("2.5"), "unit_amount": "10.1"}
    assert made["additional_fields"] == {"tax_rate_id": "tax"}


def test_a_payments_amounts_go_out_as_numbers_and_come_back_as_texts() -> None:
    content = {
        "customer": "cus",
        "received_on": date(2026, 11, 5),
        "amount": Decimal("150.00"),
        "bank_account": "bank",
        "method": "check",
        "allocations": [{"invoice": "inv", "amount": Decimal("138.08")}],
    }
    body = payment_body(content, BOOKS, reference=REFERENCE, references=True, inverse=False)
    assert body["total_amount"] == Decimal("150.00")
    assert body["reference"] == MARK
    assert body["linked_invoices"][0]["amount"] == Decimal("138.08")
    row = {**body, "id": "pay", "total_amount": "150.00", "linked_invoices": [{"id": "inv", "amount": "138.08"}]}
    seen = payment_from(row, BOOKS, lambda invoice, payment: None, inverse=False)
    assert (seen.phase, seen.reference, seen.amount("open")) == ("part_settled", REFERENCE, Decimal("11.92"))
    assert seen.content()["amount"] == "150"
    assert "reference" not in seen.content()
    assert seen.allocations[0].amount == Decimal("138.08")


def test_a_share_that_a_payment_does_not_tell_is_the_invoices() -> None:
    row = {"id": "pay", "total_amount": "50", "linked_invoices": [{"id": "inv", "amount": None}]}
    seen = payment_from(row, BOOKS, lambda invoice, payment: Decimal(20), inverse=False)
    assert seen.allocations[0].amount == Decimal(20)


def test_a_rate_may_count_the_other_way() -> None:
    row = {"id": "pay", "total_amount": "1", "currency_code": "EUR", "currency_rate": Decimal("0.8")}
    seen = payment_from(row, BOOKS, lambda invoice, payment: None, inverse=True)
    assert seen.content()["exchange_rate"] == "1.25"


def test_one_share_is_set_and_the_others_are_said_again() -> None:
    row = {
        "id": "pay",
        "total_amount": "100",
        "linked_invoices": [
            {"id": "a", "amount": "10", "allocated_at": "2026-11-01T00:00:00.000Z"},
            {"id": "b", "amount": "20", "allocated_at": "2026-11-01T00:00:00.000Z"},
        ],
    }
    seen = payment_from(row, BOOKS, lambda invoice, payment: None, inverse=False)
    day = date(2026, 11, 9)
    raised = links_with(row, seen.allocations, "b", Decimal(25), day)["linked_invoices"]
    assert [(one["id"], one["amount"]) for one in raised] == [("a", Decimal(10)), ("b", Decimal(25))]
    off = links_with(row, seen.allocations, "b", Decimal(0), day)["linked_invoices"]
    assert [one["id"] for one in off] == ["a"]


def test_an_invoice_is_read_with_its_tax_and_without_an_item() -> None:
    row = {
        "id": "inv",
        "status": "open",
        "amount_due": Decimal("30.30"),
        "total_amount": Decimal("30.30"),
        "tax_amount": Decimal("5.05"),
        "memo": REFERENCE,
        "line_items": [
            {"item": None, "sub_total": Decimal("25.25"), "tax_rate_id": "tax", "tax_amount": Decimal("5.05")}
        ],
    }
    seen = invoice_from(row, BOOKS, [])
    assert seen.computed["net"] == "25.25"
    assert seen.content()["lines"] == [
        {"quantity": "1", "unit_price": "25.25", "taxes": ["tax"], "tax_amount": "5.05"}
    ]


@pytest.mark.parametrize(
    ("status", "total", "left", "phase"),
    [
        ("open", "10", "10", "posted"),
        ("open", "10", "4", "part_settled"),
        ("partially_paid", "10", "4", "part_settled"),
        ("paid", "10", "0", "settled"),
        ("paid", "0", "0", "void"),
        ("void", "10", "10", "void"),
        ("draft", "10", "10", "draft"),
        ("pending_approval", "10", "10", "pending_approval"),
        ("PARTIALLY_APPLIED", "10", "4", "part_settled"),
        ("APPLIED", "10", "0", "settled"),
        ("unknown", "10", "10", "posted"),
        (None, "10", "0", "settled"),
    ],
)
def test_phases(status: str | None, total: str, left: str, phase: str) -> None:
    assert phase_of({"status": status}, Decimal(total), Decimal(left)) == phase


def test_applications_to_one_invoice_are_one_allocation() -> None:
    links = [{"id": "inv", "allocated_amount": "5"}, {"id": "inv", "allocated_amount": "7"}, {"id": None}]
    row = {"id": "cm", "status": "PARTIALLY_APPLIED", "total_amount": "30", "remaining_amount": "18"}
    seen = credit_from({**row, "linked_invoices": links, "line_items": []}, BOOKS)
    assert [(one.target_id, one.amount) for one in seen.allocations] == [("inv", Decimal(12))]
    assert seen.computed["open"] == "18"


def test_memos() -> None:
    assert parted(joined("Two\nlines", REFERENCE)) == (REFERENCE, "Two\nlines")
    assert parted(joined(None, REFERENCE)) == (REFERENCE, None)
    assert parted(f"On one line {REFERENCE}") == (REFERENCE, "On one line")
    assert parted("A memo of somebody else") == (None, "A memo of somebody else")
    assert short_mark(REFERENCE) == MARK


def test_scalars() -> None:
    assert amount_of("12.340") == Decimal("12.340")
    assert amount_of(Decimal("0.1")) == Decimal("0.1")
    assert amount_of("NaN") is None
    assert amount_of("a lot") is None
    assert amount_of(True) is None
    assert day_of("2023-01-02T02:34:56.000Z") == date(2023, 1, 2)
    assert day_of("2023-13-02") is None

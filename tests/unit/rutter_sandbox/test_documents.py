"""Invoices and credit memos: amounts as each object has them, lines, statuses by platform, changes, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, Caller

D = Decimal


def own_of(caller: Caller, path: str, field: str, value: str) -> str:
    return next(str(one["id"]) for one in caller.list(path) if one[field] == value)


def test_an_invoice_as_the_vendor_shows_one(caller: Caller):
    customer = caller.customer()
    item = caller.send("POST", "items", {"item": {"name": "Shirt", "invoice_item": {"account_id": sales(caller)}}})
    line = {
        "total_amount": D("12.34"),
        "description": "A shirt",
        "item": {"id": item["id"], "quantity": 1, "unit_amount": D("12.34")},
    }
    body = {
        "customer_id": customer,
        "due_date": "2023-01-02T02:34:56.000Z",
        "issue_date": "2023-01-02T02:34:56.000Z",
        "currency_code": "USD",
        "document_number": "CUSTINVC-1",
        "memo": "For a shirt.",
        "line_items": [line],
    }
    made = caller.send("POST", "invoices", {"invoice": body})
    assert (made["document_number"], made["memo"], made["status"]) == ("CUSTINVC-1", "For a shirt.", "open")
    assert made["issue_date"] == made["due_date"] == "2023-01-02T00:00:00.000Z"
    assert (made["total_amount"], made["amount_due"], made["tax_amount"]) == (D("12.34"), D("12.34"), 0)
    assert made["account_id"] == caller.account("1100")
    assert made["line_items"][0]["item"] == {"id": item["id"], "quantity": 1, "unit_amount": D("12.34")}
    assert made["line_items"][0]["account_id"] == sales(caller)
    assert caller.get(f"invoices/{made['id']}")["invoice"] == made


def sales(caller: Caller) -> str:
    return caller.account("4000")


def line_of(caller: Caller, amount: str, **more: Any) -> dict[str, Any]:
    return {"account_id": sales(caller), "total_amount": D(amount), **more}


def created(caller: Caller, *lines: Any, **more: Any) -> Any:
    body = caller.invoice_body(caller.customer(), "1", line_items=list(lines), **more)
    return caller.send("POST", "invoices", {"invoice": body})


def test_lines_with_tax_discount_tracking_and_dates(caller: Caller):
    tax = own_of(caller, "tax_rates", "code", "STANDARD")
    retail = caller.send("POST", "classes", {"class": {"name": "Retail"}})["id"]
    north = own_of(caller, "locations", "name", "North")
    lines = [
        line_of(
            caller,
            "27",
            item={"quantity": 3, "unit_amount": 10},
            discount_amount=3,
            tax_rate_id=tax,
            class_id=retail,
            location_id=north,
        ),
        line_of(
            caller,
            "18",
            item={"quantity": 2, "unit_amount": 10},
            additional_fields={"discount_percentage": 10, "tax_amount": 1, "service_date": "2026-11-05"},
            tax_rate_id=tax,
        ),
        line_of(caller, "5", tax_rate_id=tax, additional_fields={"sales_taxable": False}),
    ]
    made = created(caller, *lines)
    first, second, third = made["line_items"]
    assert (first["sub_total"], first["tax_amount"], first["total_amount"]) == (27, D("5.4"), D("32.4"))
    assert (first["discount_amount"], first["discount_percentage"]) == (3, None)
    assert (first["class_id"], first["location_id"], first["tax_rate_id"]) == (retail, north, tax)
    assert first["item"] == {"id": None, "quantity": 3, "unit_amount": 10}
    assert (second["discount_amount"], second["discount_percentage"], second["tax_amount"]) == (2, 10, 1)
    assert second["additional_fields"] == {"service_date": "2026-11-05"}
    assert (third["tax_rate_id"], third["tax_amount"], third["item"]) == (None, 0, None)
    assert (made["sub_total"], made["tax_amount"], made["total_amount"]) == (50, D("6.4"), D("56.4"))
    assert made["discount_amount"] == 5


def test_the_header_has_tax_tracking_address_and_numbers(caller: Caller):
    tax = own_of(caller, "tax_rates", "code", "REDUCED")
    retail = caller.send("POST", "classes", {"class": {"name": "Retail"}})["id"]
    more = {
        "tax_rate_id": tax,
        "department_id": own_of(caller, "departments", "name", "Sales"),
        "location_id": own_of(caller, "locations", "name", "South"),
        "po_number": "PO-7",
        "internal_memo": "ours",
        "addresses": [{"type": "billing", "city": "Oslo"}],
    }
    made = created(caller, line_of(caller, "100"), class_id=retail, additional_fields=more)
    assert (made["class_id"], made["tax_amount"]) == (retail, 10)
    assert made["line_items"][0]["location_id"] == more["location_id"]
    assert made["addresses"][0]["city"] == "Oslo"
    assert made["additional_fields"] == {"po_number": "PO-7", "internal_memo": "ours"}
    [record] = caller.running.books.records("invoice")
    assert '"Sales"' in record.body


def test_a_total_may_have_the_tax_in_it(caller: Caller):
    caller.running.switches.set({"line_totals": "gross"})
    tax = own_of(caller, "tax_rates", "code", "STANDARD")
    made = created(caller, line_of(caller, "120", tax_rate_id=tax))
    assert (made["sub_total"], made["tax_amount"], made["total_amount"]) == (100, 20, 120)


def test_a_price_follows_from_total_and_quantity(caller: Caller):
    made = created(caller, line_of(caller, "10", item={"quantity": 4}), line_of(caller, "-2"))
    assert made["line_items"][0]["item"]["unit_amount"] == D("2.5")
    assert made["total_amount"] == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer_id": "cus-1"}, "customer_id"),
        ({"customer_id": NOWHERE}, "customer_id"),
        ({"customer_id": None}, "customer_id"),
        ({"issue_date": "yesterday"}, "issue_date"),
        ({"issue_date": "2026-02-30"}, "issue_date"),
        ({"currency_code": "US"}, "currency_code"),
        ({"currency_code": None}, "currency_code"),
        ({"due_date": None}, "due_date"),
        ({"status": "paid"}, "status"),
        ({"status": "draft"}, "not supported for QUICKBOOKS"),
        ({"total_amount": 1}, "Unrecognized"),
        ({"account_id": NOWHERE}, "account_id"),
        ({"payment_terms_id": NOWHERE}, "payment_terms_id"),
        ({"class_id": NOWHERE}, "class_id"),
        ({"subsidiary_id": NOWHERE}, "subsidiary_id"),
        ({"additional_fields": {"tax_rate_id": NOWHERE}}, "tax_rate_id"),
        ({"additional_fields": {"reference": "1"}}, "Unrecognized"),
        ({"line_items": [{}]}, "line_items.0.total_amount: Required"),
        ({"line_items": [{"total_amount": "12.34"}]}, "line_items.0.total_amount"),
        ({"line_items": [{"total_amount": 1, "amount": 1}]}, "line_items.0.amount: Unrecognized"),
        ({"line_items": [{"total_amount": 1, "discount_amount": -1}]}, "discount_amount"),
        ({"line_items": [{"total_amount": 1, "account_id": NOWHERE}]}, "line_items.0.account_id"),
        ({"line_items": [{"total_amount": 1, "item": {"id": NOWHERE}}]}, "line_items.0.item.id"),
        ({"line_items": [{"total_amount": 1, "item": {"quantity": "1"}}]}, "quantity"),
    ],
)
def test_invoices_that_are_not_accepted(shared: Caller, change: dict[str, Any], words: str):
    body = {**shared.invoice_body(shared.customer(), "10"), **change}
    assert words in shared.refused(400, "POST", "invoices", {"invoice": body})
    assert shared.list("invoices") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"line_items": []}, "at least one"),
        ({"line_items": [{"total_amount": 1}]}, "item or an account"),
        ({"currency_code": "CHF"}, "exchange_rate"),
        ({"additional_fields": {"shipping_amount": 1}}, "shipping"),
        ({"additional_fields": {"discount_percentage": 1}}, "discount"),
        ({"memo": "x" * 4001}, "memo"),
        ({"document_number": "x" * 61}, "number"),
    ],
)
def test_invoices_that_the_books_refuse(shared: Caller, change: dict[str, Any], words: str):
    body = {**shared.invoice_body(shared.customer(), "10"), **change}
    assert words in shared.refused(450, "POST", "invoices", {"invoice": body})
    assert shared.running.books.records("invoice") == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"total_amount": D("12.345")}, "total_amount"),
        ({"total_amount": 10, "item": {"quantity": 3, "unit_amount": 3}}, "unit_amount x quantity"),
        ({"total_amount": 10, "item": {"quantity": 0, "unit_amount": 3}}, "zero"),
        ({"total_amount": 10, "additional_fields": {"discount_percentage": 5}}, "percent"),
        ({"total_amount": 10, "additional_fields": {"linked_sales_order": {}}}, ""),
        ({"total_amount": -10}, "negative"),
    ],
)
def test_lines_that_the_books_refuse(shared: Caller, line: dict[str, Any], words: str):
    if line["total_amount"] == 10 and words == "":
        line = {
            "total_amount": 10,
            "additional_fields": {"linked_sales_order": {"sales_order_line_platform_id": "1_1"}},
        }
        words = "sales orders"
    body = shared.invoice_body(shared.customer(), "1", line_items=[{"account_id": sales(shared), **line}])
    assert words in shared.refused(450, "POST", "invoices", {"invoice": body})
    control = {"account_id": shared.account("1100"), "total_amount": 1}
    body = shared.invoice_body(shared.customer(), "1", line_items=[control])
    assert "control account" in shared.refused(450, "POST", "invoices", {"invoice": body})


def test_an_invoice_in_another_currency_takes_the_platforms_rate(caller: Caller):
    made = created(caller, line_of(caller, "100"), currency_code="EUR")
    assert (made["currency_code"], made["total_amount"]) == ("EUR", 100)
    caller.sync("account")
    assert next(one for one in caller.list("accounts") if one["nominal_code"] == "1100")["balance"] == 110


def test_numbers_that_repeat(caller: Caller):
    for _ in range(2):
        created(caller, line_of(caller, "1"), document_number="A-1")
    assert len(caller.list("invoices", filter='document_number="A-1"')) == 2


@pytest.mark.parametrize("caller", [{"duplicate_numbers": "refuse"}], indirect=True)
def test_numbers_that_must_not_repeat(caller: Caller):
    customer = caller.customer()
    caller.invoice(customer, "1", document_number="A-1")
    body = caller.invoice_body(customer, "1", document_number="A-1")
    assert "A-1" in caller.refused(450, "POST", "invoices", {"invoice": body})


def change(caller: Caller, own: str, **body: Any) -> Any:
    return caller.send("PATCH", f"invoices/{own}", {"invoice": body})


def test_what_of_a_posted_invoice_may_change(caller: Caller):
    customer, other = caller.customer(), caller.customer("Other")
    made = caller.invoice(customer, "10", memo="old")
    own = made["id"]
    changed = change(caller, own, memo="new", due_date="2026-12-24", additional_fields={"po_number": "PO"})
    assert (changed["memo"], changed["due_date"]) == ("new", "2026-12-24T00:00:00.000Z")
    assert changed["additional_fields"]["po_number"] == "PO"
    same = caller.invoice_body(customer, "10", document_number=made["document_number"])
    assert change(caller, own, **same)["total_amount"] == 10
    lines = [line_of(caller, "11")]
    for body in (
        {"line_items": lines},
        {"customer_id": other},
        {"issue_date": "2026-11-02"},
        {"currency_code": "EUR"},
        {"document_number": "N"},
        {"account_id": sales(caller)},
    ):
        assert "can no longer change" in caller.refused(450, "PATCH", f"invoices/{own}", {"invoice": body})
    for body in ({"payment_terms_id": NOWHERE}, {"memo": None}, {"line_items": [{"total_amount": "1"}]}):
        caller.refused(400, "PATCH", f"invoices/{own}", {"invoice": body})
    assert caller.ask("PATCH", f"invoices/{NOWHERE}", {"invoice": {"memo": "x"}}).status_code == 410
    assert change(caller, own, memo="")["memo"] is None


@pytest.mark.parametrize(
    ("platform", "status", "total"), [("QUICKBOOKS", "void", 10), ("NETSUITE", "paid", 0), ("XERO", "void", 10)]
)
def test_voiding_by_platform(caller: Caller, platform: str, status: str, total: int):
    caller.running.switches.set({"platform": platform})
    made = created(caller, line_of(caller, "10", item={"quantity": 1, "unit_amount": 10}))
    voided = change(caller, made["id"], status="void")
    assert (voided["status"], voided["total_amount"], voided["amount_due"]) == (status, total, 0)
    assert [line["total_amount"] for line in voided["line_items"]] == [total]
    assert change(caller, made["id"], status="void")["status"] == status
    assert caller.running.books.records("invoice")[0].phase == "void"


def test_what_is_settled_cannot_be_voided_or_deleted(caller: Caller):
    customer = caller.customer()
    own = caller.invoice(customer, "10")["id"]
    paid = caller.pay(customer, (own, "10"))
    assert "allocations" in caller.refused(450, "PATCH", f"invoices/{own}", {"invoice": {"status": "void"}})
    assert "allocations" in caller.refused(450, "DELETE", f"invoices/{own}")
    assert caller.send("DELETE", f"invoice_payments/{paid['id']}") == "deleted"
    assert caller.send("DELETE", f"invoices/{own}") == "deleted"
    assert caller.list("invoices") == []


def test_intacct_voids_nothing_and_takes_no_number(caller: Caller):
    own = caller.invoice(caller.customer(), "10")["id"]
    caller.running.switches.set({"platform": "SAGE_INTACCT"})
    assert "SAGE_INTACCT" in caller.refused(400, "PATCH", f"invoices/{own}", {"invoice": {"status": "void"}})
    body = caller.invoice_body(caller.customer(), "1", document_number="N-1")
    assert "document_number" in caller.refused(400, "POST", "invoices", {"invoice": body})
    caller.running.switches.set({"unsupported_fields": "ignore"})
    assert caller.send("POST", "invoices", {"invoice": body})["document_number"] != "N-1"
    assert caller.send("PATCH", f"invoices/{own}", {"invoice": {"status": "void"}})["status"] == "open"


@pytest.mark.parametrize("caller", [{"platform": "XERO"}], indirect=True)
def test_drafts_where_the_platform_has_them(caller: Caller):
    other = caller.customer("Other")
    made = created(caller, line_of(caller, "10"), status="draft", document_number="D-1")
    assert (made["status"], made["amount_due"]) == ("draft", 10)
    assert caller.running.books.records("invoice")[0].phase == "draft"
    lines = [line_of(caller, "20"), line_of(caller, "5")]
    changed = change(
        caller, made["id"], status="submitted", line_items=lines, customer_id=other, document_number="D-2"
    )
    assert (changed["status"], changed["total_amount"], changed["document_number"]) == ("submitted", 25, "D-2")
    assert changed["customer_id"] == other
    posted = change(caller, made["id"], status="open")
    assert (posted["status"], posted["amount_due"]) == ("open", 25)
    assert "posted" in caller.refused(450, "PATCH", f"invoices/{made['id']}", {"invoice": {"status": "draft"}})
    draft = created(caller, line_of(caller, "1"), status="submitted")
    assert draft["status"] == "submitted"
    assert caller.send("DELETE", f"invoices/{draft['id']}") == "deleted"
    caller.sync()
    assert len(caller.list("invoices")) == 1


@pytest.mark.parametrize("caller", [{"platform": "XERO"}], indirect=True)
def test_a_drafts_class_is_set_and_cleared(caller: Caller):
    retail = caller.send("POST", "classes", {"class": {"name": "Retail"}})["id"]
    sales_team = own_of(caller, "departments", "name", "Sales")
    made = created(caller, line_of(caller, "10"), status="draft", class_id=retail)
    assert made["class_id"] == retail
    more = {"department_id": sales_team}
    assert change(caller, made["id"], class_id=None, additional_fields=more)["class_id"] is None
    assert '"Sales"' in caller.running.books.records("invoice")[0].body
    assert change(caller, made["id"], class_id=retail)["class_id"] == retail
    foreign = change(caller, made["id"], currency_code="EUR")
    assert foreign["currency_code"] == "EUR"


# ---- credit memos ----


def test_a_credit_memo_has_strings(caller: Caller):
    customer = caller.customer()
    item = caller.send("POST", "items", {"item": {"name": "Shirt"}})["id"]
    tax = own_of(caller, "tax_rates", "code", "STANDARD")
    line = {
        "account_id": sales(caller),
        "description": "Returned",
        "total_amount": "3.00",
        "item": {"id": item, "quantity": 2, "unit_amount": "1.5"},
        "additional_fields": {"tax_rate_id": tax},
    }
    made = caller.memo(customer, "0", line_items=[line], currency_code="USD", memo="Sorry")
    assert (made["status"], made["total_amount"], made["remaining_amount"]) == ("OPEN", "3.6", "3.6")
    [shown] = made["line_items"]
    assert (shown["amount"], shown["sub_total"], shown["tax_amount"]) == ("3.6", "3", "0.6")
    assert (shown["quantity"], shown["unit_amount"], shown["item_id"]) == (2, "1.5", item)
    assert (made["linked_invoices"], made["allocated_at"], made["memo"]) == ([], None, "Sorry")
    inclusive = caller.memo(customer, "0", line_items=[line], additional_fields={"tax_inclusive": True})
    assert (inclusive["total_amount"], inclusive["line_items"][0]["tax_amount"]) == ("3", "0.5")


@pytest.mark.parametrize(
    ("status", "change", "words"),
    [
        (400, {"line_items": [{"description": "x", "total_amount": 3}]}, "total_amount"),
        (400, {"line_items": [{"total_amount": "3"}]}, "description: Required"),
        (400, {"line_items": [{"description": "x", "total_amount": "three"}]}, "total_amount"),
        (400, {"line_items": [{"description": "x", "total_amount": "3", "tax_rate_id": NOWHERE}]}, "Unrecognized"),
        (400, {"document_number": "CN-1"}, "document_number"),
        (400, {"due_date": "2026-11-01"}, "Unrecognized"),
        (400, {"status": "OPEN"}, "status"),
        (400, {"customer_id": NOWHERE}, "customer_id"),
        (450, {"line_items": []}, "at least one"),
        (450, {"currency_code": "dollars"}, "currency"),
    ],
)
def test_credit_memos_that_are_refused(shared: Caller, status: int, change: dict[str, Any], words: str):
    line = {"account_id": sales(shared), "description": "Credit", "total_amount": "3"}
    body = {"customer_id": shared.customer(), "issue_date": "2026-11-02", "line_items": [line], **change}
    assert words in shared.refused(status, "POST", "invoice_credit_memos", {"invoice_credit_memo": body})


@pytest.mark.parametrize("caller", [{"platform": "XERO"}], indirect=True)
def test_a_credit_memo_from_draft_to_void(caller: Caller):
    made = caller.memo(caller.customer(), "3", status="submitted", document_number="CN-1")
    assert (made["status"], made["document_number"], made["remaining_amount"]) == ("SUBMITTED", "CN-1", "3")
    path = f"invoice_credit_memos/{made['id']}"
    line = {"account_id": sales(caller), "description": "Credit", "total_amount": "4"}
    changed = caller.send("PATCH", path, {"invoice_credit_memo": {"line_items": [line], "memo": "m"}})
    assert (changed["total_amount"], changed["memo"]) == ("4", "m")
    assert caller.send("PATCH", path, {"invoice_credit_memo": {"status": "open"}})["status"] == "OPEN"
    assert len(caller.list("invoice_credit_memos", filter='document_number="CN-1"')) == 1
    refused = caller.refused(450, "PATCH", path, {"invoice_credit_memo": {"line_items": [line, line]}})
    assert "can no longer change" in refused
    assert caller.send("PATCH", path, {"invoice_credit_memo": {"status": "void"}})["status"] == "VOID"
    assert caller.send("DELETE", path) == "deleted"
    assert caller.list("invoice_credit_memos") == []

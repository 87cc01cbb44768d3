"""Payments with what they settle, credit memos applied and unapplied, and when linked objects show it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, Caller

D = Decimal


def invoice_now(caller: Caller, own: str) -> Any:
    return caller.get(f"invoices/{own}")["invoice"]


def test_a_payment_as_the_vendor_shows_one(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "12.34")["id"]
    method = caller.list("payment_methods", sort="created_at ASC")[1]
    body = {"memo": "Thanks", "reference": "CHK-9", "payment_method_id": method["id"], "total_amount": D("12.5")}
    link = {"id": invoice, "amount": D("12.34"), "allocated_at": "2026-11-16T10:00:00Z"}
    made = caller.pay(customer, **body, linked_invoices=[link], currency_code="USD", currency_rate=1)
    assert (made["total_amount"], made["memo"], made["reference"]) == ("12.5", "Thanks", "CHK-9")
    assert made["linked_invoices"] == [
        {"id": invoice, "allocated_at": "2026-11-16T00:00:00.000Z", "amount": "12.34"}
    ]
    assert (made["payment_method_id"], made["currency_rate"], made["deposited"]) == (method["id"], 1, True)
    assert (made["account_id"], made["ar_account_id"]) == (caller.account("1200"), caller.account("1100"))
    assert made["txn_date"] == "2026-11-15T00:00:00.000Z"
    assert caller.list("invoice_payments", filter='reference="CHK-9"') == [made]


def test_what_a_payment_settles_is_seen_after_a_sync(caller: Caller):
    customer = caller.customer()
    own = caller.invoice(customer, "100")["id"]
    paid = caller.pay(customer, (own, "60"))
    stale = invoice_now(caller, own)
    assert (stale["status"], stale["amount_due"], stale["linked_payments"]) == ("open", 100, [])
    caller.sync("invoice")
    fresh = invoice_now(caller, own)
    assert (fresh["status"], fresh["amount_due"]) == ("partially_paid", 40)
    assert fresh["linked_payments"] == [
        {
            "id": paid["id"],
            "allocated_date": "2026-11-15T00:00:00.000Z",
            "allocated_amount": 60,
            "type": "INVOICE_PAYMENT",
        }
    ]
    caller.running.switches.set({"linked_objects": "fresh"})
    caller.pay(customer, (own, "40"))
    assert (invoice_now(caller, own)["status"], invoice_now(caller, own)["amount_due"]) == ("paid", 0)


def test_payments_without_what_can_be_known(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "10")["id"], caller.invoice(customer, "20")["id"]
    links = [{"id": first, "amount": 10}, {"id": second, "amount": 5}]
    body = {"account_id": caller.account("1290"), "linked_invoices": links}
    made = caller.send("POST", "invoice_payments", {"invoice_payment": body})
    assert (made["customer_id"], made["total_amount"], made["txn_date"][:10]) == (customer, "15", "2026-11-22")
    assert made["deposited"] is False
    alone = caller.pay(customer, total_amount=7)
    assert (alone["linked_invoices"], alone["total_amount"]) == ([], "7")


@pytest.mark.parametrize(
    ("status", "change", "words"),
    [
        (400, {"total_amount": "10"}, "total_amount"),
        (400, {"total_amount": -1}, "total_amount"),
        (400, {"linked_invoices": [{"id": NOWHERE, "amount": 1}]}, "linked_invoices.0.id"),
        (400, {"linked_invoices": [{"id": NOWHERE}]}, "amount: Required"),
        (400, {"linked_invoices": [{"id": NOWHERE, "amount": "1"}]}, "amount"),
        (400, {"account_id": None}, "account_id"),
        (400, {"account_id": NOWHERE}, "account_id"),
        (400, {"customer_id": NOWHERE}, "customer_id"),
        (400, {"linked_invoices": []}, "total_amount"),
        (400, {"amount": 1}, "Unrecognized"),
        (400, {"currency_rate": "1.1"}, "currency_rate"),
        (400, {"additional_fields": {"payment_method": "cheque"}}, "payment_method"),
        (450, {"total_amount": 5}, "more than what is open"),
        (450, {"total_amount": 0, "linked_invoices": []}, "amount"),
        (450, {"currency_code": "EUR"}, "USD"),
        (450, {"txn_date": "2026-10-01"}, ""),
    ],
)
def test_payments_that_are_refused(shared: Caller, status: int, change: dict[str, Any], words: str):
    customer = shared.customer()
    own = shared.invoice(customer, "10")["id"]
    shared.http.post(
        f"{shared.running.url}/__sandbox__/commands", json=[{"verb": "close", "through": "2026-10-31"}]
    )
    body = {**shared.payment_body(customer, (own, "10"))["invoice_payment"], **change}
    assert words in shared.refused(status, "POST", "invoice_payments", {"invoice_payment": body})
    assert shared.running.books.records("payment") == []


def test_payments_are_not_received_in_income(caller: Caller):
    body = caller.payment_body(caller.customer(), total_amount=1, account_id=caller.account("4000"))
    assert "bank" in caller.refused(450, "POST", "invoice_payments", body)
    overpaid = caller.payment_body(caller.customer(), (caller.invoice(caller.customer("B"), "10")["id"], "10"))
    assert "another customer" in caller.refused(450, "POST", "invoice_payments", overpaid)


def test_a_bank_account_of_ones_own(caller: Caller):
    body = {"account_type": "bank", "currency_code": "USD", "name": "Second bank"}
    bank = caller.send("POST", "accounts", {"account": body})["id"]
    customer = caller.customer()
    for _ in range(2):
        assert caller.pay(customer, total_amount=5, account_id=bank)["account_id"] == bank
    assert len(caller.running.books.records("bank_account")) == 2


def test_payments_by_platform(caller: Caller):
    customer = caller.customer()
    own = caller.invoice(customer, "10")["id"]
    caller.running.switches.set({"platform": "XERO"})
    assert "XERO" in caller.refused(400, "POST", "invoice_payments", caller.payment_body(customer, total_amount=5))
    referring = caller.payment_body(customer, (own, "1"), reference="R")
    assert "reference" in caller.refused(400, "POST", "invoice_payments", referring)
    caller.running.switches.set({"unsupported_fields": "ignore"})
    assert caller.send("POST", "invoice_payments", referring)["reference"] is None


def test_a_payment_applies_itself_to_the_oldest(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "10")["id"], caller.invoice(customer, "20")["id"]
    caller.invoice(caller.customer("Other"), "10")
    more = {"auto_apply": True, "payment_method": "eft"}
    made = caller.pay(customer, total_amount=25, additional_fields=more)
    assert [(one["id"], one["amount"]) for one in made["linked_invoices"]] == [(first, "10"), (second, "15")]
    assert made["additional_fields"] == {"payment_method": "eft"}


def test_a_payment_in_another_currency(caller: Caller):
    customer = caller.customer()
    own = caller.invoice(customer, "100", currency_code="EUR")["id"]
    made = caller.pay(customer, (own, "100"), currency_rate=D("1.2"))
    assert (made["currency_code"], made["currency_rate"], made["total_amount"]) == ("EUR", D("1.2"), "100")
    caller.sync()
    assert invoice_now(caller, own)["status"] == "paid"
    unstated = caller.pay(customer, total_amount=10, currency_code="GBP")
    assert unstated["currency_rate"] == D("1.25")


def test_a_payment_settles_what_its_list_says(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "10")["id"], caller.invoice(customer, "20")["id"]
    path = f"invoice_payments/{caller.pay(customer, total_amount=20)['id']}"

    def settle(*links: tuple[str, str], **more: Any) -> Any:
        linked = [{"id": own, "amount": D(amount)} for own, amount in links]
        return caller.send("PATCH", path, {"invoice_payment": {"linked_invoices": linked, **more}})

    assert [one["amount"] for one in settle((first, "10"), (second, "5"))["linked_invoices"]] == ["10", "5"]
    assert settle((first, "10"), (second, "5"))["total_amount"] == "20"
    moved = settle((second, "20"), memo="moved")
    assert ([(one["id"], one["amount"]) for one in moved["linked_invoices"]], moved["memo"]) == (
        [(second, "20")],
        "moved",
    )
    assert settle()["linked_invoices"] == []
    linked = [{"id": first, "amount": 1}, {"id": first, "amount": 2}]
    assert "twice" in caller.refused(400, "PATCH", path, {"invoice_payment": {"linked_invoices": linked}})
    linked = [{"id": first, "amount": 11}]
    assert "open" in caller.refused(450, "PATCH", path, {"invoice_payment": {"linked_invoices": linked}})
    assert caller.get(path)["invoice_payment"]["linked_invoices"] == []


def test_what_else_of_a_payment_may_change(caller: Caller):
    customer, other = caller.customer(), caller.customer("Other")
    own = caller.pay(customer, total_amount=20, reference="R")["id"]
    path = f"invoice_payments/{own}"
    same = {"reference": "R", "total_amount": 20, "customer_id": customer, "txn_date": "2026-11-15"}
    assert caller.send("PATCH", path, {"invoice_payment": {**same, "memo": "m"}})["memo"] == "m"
    for change in (
        {"total_amount": 21},
        {"reference": "S"},
        {"customer_id": other},
        {"txn_date": "2026-11-16"},
        {"account_id": caller.account("1290")},
        {"payment_method_id": caller.list("payment_methods")[0]["id"]},
    ):
        assert "can no longer change" in caller.refused(450, "PATCH", path, {"invoice_payment": change})
    assert "Unrecognized" in caller.refused(400, "PATCH", path, {"invoice_payment": {"currency_code": "EUR"}})
    assert caller.ask("PATCH", f"invoice_payments/{NOWHERE}", {"invoice_payment": {}}).status_code == 410


def test_a_deleted_payment_opens_what_it_settled(caller: Caller):
    customer = caller.customer()
    own = caller.invoice(customer, "10")["id"]
    paid = caller.pay(customer, (own, "10"))["id"]
    caller.sync()
    assert invoice_now(caller, own)["status"] == "paid"
    assert caller.send("DELETE", f"invoice_payments/{paid}") == "deleted"
    assert caller.ask("GET", f"invoice_payments/{paid}").status_code == 410
    caller.sync()
    assert (invoice_now(caller, own)["status"], invoice_now(caller, own)["linked_payments"]) == ("open", [])


# ---- credit memos ----


def memo_now(caller: Caller, own: str) -> Any:
    return caller.get(f"invoice_credit_memos/{own}")["invoice_credit_memo"]


def test_a_credit_memo_is_applied_more_than_once_and_unapplied(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "10")["id"], caller.invoice(customer, "20")["id"]
    memo = caller.memo(customer, "15")["id"]
    path = "invoice_credit_applications"
    assert caller.send("POST", path, caller.apply(customer, memo, (first, "4"), (second, "5"))) == {"success": True}
    assert memo_now(caller, memo)["status"] == "OPEN"
    assert caller.send("POST", path, caller.apply(customer, memo, (first, "6"))) == {"success": True}
    caller.sync()
    shown = memo_now(caller, memo)
    assert (shown["status"], shown["remaining_amount"]) == ("APPLIED", "0")
    assert [(one["id"], one["allocated_amount"]) for one in shown["linked_invoices"]] == [
        (first, "10"),
        (second, "5"),
    ]
    invoice = invoice_now(caller, second)
    assert (invoice["amount_due"], invoice["linked_payments"][0]["type"]) == (15, "INVOICE_CREDIT_MEMO")
    assert invoice["linked_payments"][0]["id"] == memo
    body = {"invoice_credit_unapplication": {"invoice_credit_memo_id": memo, "invoice_id": first}}
    assert caller.send("POST", f"{path}/unapply", body) == {"success": True}
    assert "not applied" in caller.refused(450, "POST", f"{path}/unapply", body)
    caller.sync()
    assert (memo_now(caller, memo)["status"], memo_now(caller, memo)["remaining_amount"]) == (
        "PARTIALLY_APPLIED",
        "10",
    )
    assert "allocations" in caller.refused(450, "DELETE", f"invoice_credit_memos/{memo}")


def test_applications_that_are_refused(caller: Caller):
    customer, other = caller.customer(), caller.customer("Other")
    invoice, foreign = caller.invoice(customer, "10")["id"], caller.invoice(other, "10")["id"]
    memo = caller.memo(customer, "5")["id"]

    def refused(status: int, *links: tuple[str, str], of: str = customer, by: str = memo, **more: Any) -> str:
        body = caller.apply(of, by, *links)
        body["invoice_credit_application"] |= more
        return caller.refused(status, "POST", "invoice_credit_applications", body)

    assert "open" in refused(450, (invoice, "5.01"))
    assert "another customer" in refused(450, (foreign, "1"))
    assert "another customer" in refused(450, (invoice, "1"), of=other)
    assert "USD" in refused(450, (invoice, "1"), currency_code="EUR")
    assert "precede" in refused(450, (invoice, "1"), transaction_date="2026-11-01")
    assert "at least one" in refused(450)
    assert "linked_invoices.0.id" in refused(400, ("nothing", "1"))
    assert "allocated_amount" in refused(400, (invoice, "0"))
    assert "invoice_credit_memo_id" in refused(400, (invoice, "1"), by=NOWHERE)
    assert "transaction_date" in refused(400, (invoice, "1"), transaction_date="soon")
    assert "open" in refused(450, (invoice, "4"), (invoice, "4"))
    caller.sync()
    assert memo_now(caller, memo)["remaining_amount"] == "5"

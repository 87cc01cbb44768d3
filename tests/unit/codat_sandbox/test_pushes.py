"""Push operations: asynchronous, idempotent for a while, and with every way to end."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.unit.codat_sandbox.client import Caller, credit_note_body, invoice_body, line, payment_body

CUSTOMER = {"customerName": "Acme", "status": "Active"}


def customers(caller: Caller) -> list[str]:
    caller.refresh("customers")
    return [customer["customerName"] for customer in caller.results("C/data/customers")]


def status_of(caller: Caller, taken: dict) -> str:
    return caller.get(f"C/push/{taken['pushOperationKey']}")["status"]


def test_a_push_is_pending_then_succeeds_with_its_record(caller: Caller):
    taken = caller.take("POST", "K/push/customers", CUSTOMER)
    assert (taken["status"], taken["statusCode"], taken["data"]) == ("Pending", 202, CUSTOMER)
    assert "completedOnUtc" not in taken
    assert status_of(caller, taken) == "Pending"
    caller.clock.advance(1)
    ended = caller.get(f"C/push/{taken['pushOperationKey']}")
    assert (ended["status"], ended["statusCode"]) == ("Success", 200)
    change = ended["changes"][0]
    assert (change["type"], change["recordRef"]["dataType"]) == ("Created", "customers")
    assert ended["completedOnUtc"].startswith("2026-11-22T12:00:01")


@pytest.mark.parametrize("caller", [{"push_polls": "3"}], indirect=True)
def test_a_push_can_end_by_polls_alone(caller: Caller):
    taken = caller.take("POST", "K/push/customers", CUSTOMER)
    caller.clock.advance(10_000)
    assert [status_of(caller, taken) for _ in range(4)] == ["Pending", "Pending", "Pending", "Success"]


def test_a_failed_push_answers_200_with_a_validation_and_writes_nothing(caller: Caller):
    ended = caller.push("POST", "K/push/customers", {"status": "Active"})
    assert (ended["status"], ended["statusCode"]) == ("Failed", 400)
    assert ended["errorMessage"].startswith("An error occurred in a downstream service. Correlation ID: ")
    [error] = ended["validation"]["errors"]
    assert error == {
        "itemId": "customerName",
        "message": "customerName must be provided.",
        "validatorName": "Customer",
    }
    assert "changes" not in ended
    assert customers(caller) == []


@pytest.mark.parametrize("caller", [{"push_ms": "90000"}], indirect=True)
def test_a_push_that_timed_out_may_land_later(caller: Caller):
    taken = caller.take("POST", "K/push/customers?timeoutInMinutes=1", CUSTOMER)
    assert taken["timeoutInMinutes"] == 1
    caller.clock.advance(60)
    assert status_of(caller, taken) == "TimedOut"
    assert customers(caller) == []
    caller.clock.advance(30)
    assert customers(caller) == ["Acme"]
    assert status_of(caller, taken) == "TimedOut"


@pytest.mark.parametrize(("lands", "left"), [("4000", ["Acme"]), ("0", [])])
def test_the_switch_times_out_and_lands_or_not(caller: Caller, lands: str, left: list[str]):
    caller.running.switches.set({"push_times_out": "1", "timed_out_lands_ms": lands})
    ended = caller.push("POST", "K/push/customers", CUSTOMER)
    assert (ended["status"], ended.get("changes")) == ("TimedOut", None)
    assert customers(caller) == []
    caller.clock.advance(5)
    assert customers(caller) == left


def test_a_push_can_stay_pending_forever(caller: Caller):
    caller.running.switches.set({"async_forever": "1@push/customers"})
    taken = caller.take("POST", "K/push/customers", CUSTOMER)
    caller.clock.advance(10**6)
    assert status_of(caller, taken) == "Pending"
    assert customers(caller) == []


def test_a_push_can_fail_without_a_fault_of_the_callers(caller: Caller):
    caller.running.switches.set({"push_fails": "1"})
    assert caller.push("POST", "K/push/customers", CUSTOMER)["status"] == "Failed"
    assert caller.push("POST", "K/push/customers", CUSTOMER)["status"] == "Success"


@pytest.mark.parametrize("text", ["0", "-1", "soon", "99999999999"])
def test_a_timeout_is_a_positive_number_of_minutes(caller: Caller, text: str):
    assert caller.ask("POST", f"K/push/customers?timeoutInMinutes={text}", json=CUSTOMER).status_code == 400


def test_the_list_of_pushes_can_be_queried(caller: Caller):
    caller.customer("One")
    caller.push("POST", "K/push/customers", {"status": "Active"})
    caller.push(
        "POST",
        "K/push/items",
        {"name": "x", "itemStatus": "Active", "type": "Service", "isBillItem": False, "isInvoiceItem": True},
    )
    pushes = caller.results("C/push")
    assert [push["dataType"] for push in pushes] == ["items", "customers", "customers"]
    failed = caller.results("C/push", query="dataType=customers&&status=Failed")
    assert len(failed) == 1
    assert caller.results("C/push", query="status=Pending") == []
    assert caller.ask("GET", f"C/push/{uuid.uuid4()}").status_code == 404


# ---- idempotency keys ----


def send(
    caller: Caller, key: str, name: str = "Acme", method: str = "POST", path: str = "K/push/customers"
) -> httpx.Response:
    body = {"customerName": name, "status": "Active"}
    return caller.ask(method, path, json=body, headers={"Idempotency-Key": key})


def test_a_key_repeats_the_first_answer_for_ninety_minutes(caller: Caller):
    key = str(uuid.uuid4())
    first = send(caller, key).json()
    caller.clock.advance(89 * 60)
    assert send(caller, key.upper()).json() == first
    assert send(caller, key, "Other").status_code == 422
    caller.clock.advance(60)
    assert send(caller, key).json()["pushOperationKey"] != first["pushOperationKey"]
    caller.clock.advance(1)
    assert customers(caller) == ["Acme", "Acme"]


def test_a_key_is_a_guid(caller: Caller):
    assert send(caller, "INV-7452").status_code == 400


@pytest.mark.parametrize(("replays", "second"), [("1", 500), ("0", 200)])
def test_a_key_repeats_a_5xx_though_the_push_was_taken(caller: Caller, replays: str, second: int):
    caller.running.switches.set({"error_5xx_after_commit": "1", "error_status": "500", "replay_errors": replays})
    key = str(uuid.uuid4())
    assert send(caller, key).status_code == 500
    assert send(caller, key).status_code == second
    caller.clock.advance(1)
    assert len(customers(caller)) == (1 if replays == "1" else 2)


def test_a_key_repeats_a_400_and_no_429(caller: Caller):
    key = str(uuid.uuid4())
    caller.running.switches.set({"rate_limit": "1"})
    assert send(caller, key).status_code == 429
    assert send(caller, key).status_code == 200
    key = str(uuid.uuid4())
    answers = [caller.ask("POST", "K/push/customers", json={}, headers={"Idempotency-Key": key}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert answers[0].json()["correlationId"] == answers[1].json()["correlationId"]


def test_a_key_in_flight_is_refused(caller: Caller):
    caller.running.switches.set({"late_landing": "1", "late_landing_ms": "2000", "late_answer": "504"})
    key = str(uuid.uuid4())
    assert [send(caller, key).status_code for _ in range(2)] == [504, 409]
    caller.clock.advance(2)
    assert send(caller, key).json()["status"] == "Pending"
    caller.clock.advance(1)
    assert customers(caller) == ["Acme"]


def test_put_and_delete_ignore_the_key(caller: Caller):
    customer = caller.customer()
    key = str(uuid.uuid4())
    path = f"K/push/customers/{customer}?forceUpdate=true"
    keys = {send(caller, key, method="PUT", path=path).json()["pushOperationKey"] for _ in range(2)}
    assert len(keys) == 2


def test_a_lost_answer_leaves_a_push_that_the_list_shows(caller: Caller):
    caller.running.switches.set({"lose_response": "1"})
    with pytest.raises(httpx.TransportError):
        caller.ask("POST", "K/push/customers", json=CUSTOMER)
    [push] = caller.results("C/push", query="dataType=customers")
    assert push["status"] == "Pending"
    caller.clock.advance(1)
    assert customers(caller) == ["Acme"]


# ---- updates and deletions ----


def test_an_update_needs_what_was_last_pulled_or_force(caller: Caller):
    customer = caller.customer()
    body = {"customerName": "Acme Ltd", "status": "Active"}
    ended = caller.push("PUT", f"K/push/customers/{customer}", body)
    assert ended["validation"]["errors"][0]["itemId"] == "sourceModifiedDate"
    caller.refresh("customers")
    ended = caller.push("PUT", f"K/push/customers/{customer}", body)
    assert (ended["status"], ended["changes"][0]["type"]) == ("Success", "Modified")
    assert caller.push("PUT", f"K/push/customers/{customer}", body)["status"] == "Failed"
    assert caller.push("PUT", f"K/push/customers/{customer}?forceUpdate=true", body)["status"] == "Success"
    assert caller.push("PUT", "K/push/customers/cus-999?forceUpdate=true", body)["status"] == "Failed"
    assert customers(caller) == ["Acme Ltd"]


def test_a_submitted_invoice_takes_a_note_and_nothing_that_posts(caller: Caller):
    customer = caller.customer()
    account = caller.account("4000")
    body = invoice_body(customer, "100", account, invoiceNumber="INV-1")
    invoice = caller.pushed("invoices", body)
    path = f"K/push/invoices/{invoice}?forceUpdate=true"
    assert (
        caller.push("PUT", path, {**body, "note": "call first", "dueDate": "2026-12-24T00:00:00"})["status"]
        == "Success"
    )
    ended = caller.push("PUT", path, {**body, **invoice_body(customer, "120", account)})
    assert "can no longer change" in ended["validation"]["errors"][0]["message"]
    caller.refresh("invoices")
    [read] = caller.results("C/data/invoices")
    assert (read["note"], read["dueDate"], read["totalAmount"]) == ("call first", "2026-12-24T00:00:00", 100)


def test_a_draft_can_be_changed_and_submitted(caller: Caller):
    customer = caller.customer()
    account = caller.account("4000")
    invoice = caller.pushed("invoices", invoice_body(customer, "100", account, status="Draft"))
    path = f"K/push/invoices/{invoice}?forceUpdate=true"
    assert caller.push("PUT", path, invoice_body(customer, "120", account))["status"] == "Success"
    caller.refresh("invoices")
    [read] = caller.results("C/data/invoices")
    assert (read["status"], read["totalAmount"], read["amountDue"]) == ("Submitted", 120, 120)


def test_a_credit_note_takes_a_note(caller: Caller):
    customer = caller.customer()
    body = credit_note_body(customer, "30", caller.account("4000"))
    note = caller.pushed("creditNotes", body)
    ended = caller.push("PUT", f"K/push/creditNotes/{note}?forceUpdate=true", {**body, "note": "goodwill"})
    assert ended["status"] == "Success"
    caller.refresh("creditNotes")
    assert caller.results("C/data/creditNotes")[0]["note"] == "goodwill"


def test_a_deleted_invoice_is_marked_in_the_cache_after_a_refresh(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    paid = caller.invoice(customer, "50")
    bank = caller.account("1200")
    caller.pushed("payments", payment_body(customer, bank, "50", [line("50", ("Invoice", paid, "-50"))]))
    caller.refresh("invoices")
    assert caller.push("DELETE", f"K/push/invoices/{paid}")["status"] == "Failed"
    assert caller.push("DELETE", f"K/push/invoices/{invoice}")["changes"][0]["type"] == "Deleted"
    assert not caller.get(f"C/data/invoices/{invoice}")["metadata"]["isDeleted"]
    caller.refresh("invoices")
    assert caller.get(f"C/data/invoices/{invoice}")["metadata"]["isDeleted"]
    assert [found["id"] for found in caller.results("C/data/invoices", query="metadata.isDeleted!=true")] == [paid]

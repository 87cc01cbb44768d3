"""How it runs: opening data, books that stay, the command line, and the faults that every sandbox has."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.serving import start, start_process
from reconciler.sandboxes.serving.registry import load_sandbox, sandbox_names
from tests.unit.alloy_sandbox.client import HOURS, Caller

SEED = """
customers:
  acme:
    name: Acme Corporation
    email: ap@acme.example
    phones: ["+1 555 0100"]
    addresses: [{type: billing, line1: 1 Main Street, city: Springfield, region: IL, country: US}]
tax_rates:
  STANDARD: {name: Standard rate, rate: "20"}
items:
  SHIRT: {unit_price: "12.34", income_account: "4000"}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-01
    lines: [{item: SHIRT, quantity: 2, unit_price: 12.34, taxes: [STANDARD]}]
credit_notes:
  CRN-1:
    customer: acme
    issue_date: 2026-11-02
    lines: [{account: "4000", unit_price: 1.00}]
payments:
  PMT-1:
    customer: acme
    received_on: 2026-11-02
    amount: 10.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 10.00}]
"""


def test_it_is_known_by_name():
    assert "alloy" in sandbox_names()
    sandbox = load_sandbox("alloy")
    assert sandbox.name == "alloy"
    assert all(switch.help and switch.default is not None for switch in sandbox.switches)


def test_opening_data_and_what_was_written_stay(tmp_path: Path):
    seed, store = tmp_path / "opening.yaml", tmp_path / "books.sqlite"
    seed.write_text(SEED)
    clock = ManualClock()
    with start("alloy", store=store, seed=seed, clock=clock) as running, Caller(running, clock) as caller:
        [invoice] = caller.get("invoices")["invoices"]
        assert (invoice["invoiceNumber"], invoice["totalAmount"], invoice["balance"]) == (
            "INV-1",
            Decimal("29.62"),
            Decimal("19.62"),
        )
        assert (invoice["totalTaxAmount"], invoice["subTotal"]) == (Decimal("4.94"), Decimal("24.68"))
        [customer] = caller.get("customers")["customers"]
        assert customer["addresses"][0]["state"] == "IL"
        assert customer["phoneNumbers"][0]["phoneNumber"] == "+1 555 0100"
        assert invoice["createdAt"] == "2026-11-22T12:00:00.000Z"
        shirt = caller.get("items")["items"][0]
        assert (shirt["itemName"], str(shirt["unitPrice"])) == ("SHIRT", "12.34")
        changed = caller.change(f"customers/{customer['id']}", {"email": "billing@acme.example"})
        assert (changed["id"], changed["addresses"]) == (customer["id"], customer["addresses"])
        made = caller.customer("Pied Piper")
    clock.advance(12 * HOURS)
    with start("alloy", store=store, seed=seed, clock=clock) as running:
        caller = Caller(running, clock)
        with caller.http:
            found = {one["id"]: one for one in caller.get("customers")["customers"]}
            assert set(found) == {customer["id"], made}
            assert found[customer["id"]]["email"] == "billing@acme.example"
            assert [one["id"] for one in caller.get("invoices")["invoices"]] == [invoice["id"]]


def test_an_opening_payment_can_be_changed_and_deleted(tmp_path: Path):
    seed = tmp_path / "opening.yaml"
    seed.write_text(SEED)
    clock = ManualClock()
    with start("alloy", seed=seed, clock=clock, switches={"poll_minutes": "0"}) as running:
        caller = Caller(running, clock)
        with caller.http:
            [payment] = caller.get("payments")["payments"]
            [invoice] = caller.get("invoices")["invoices"]
            changed = caller.change(f"payments/{payment['id']}", {"totalAmount": 15})
            assert changed["totalAmount"] == 15
            assert caller.balance(invoice["id"]) == Decimal("19.62")
            caller.take("DELETE", f"accounting/payments/{changed['id']}")
            assert caller.balance(invoice["id"]) == Decimal("29.62")
        assert check(running.books.ledger) == []


def test_it_runs_as_a_process():
    with start_process("alloy", "--switch", "poll_minutes=0") as running:
        connection = httpx.get(f"{running.url}/__sandbox__/connection").json()
        response = httpx.get(
            f"{running.url}/2024-03/one/accounting/accounts",
            params={"credentialId": connection["credential_id"]},
            headers={"Authorization": f"bearer {connection['api_key']}"},
        )
        assert len(response.json()["accounts"]) == 13


def pay(caller: Caller, customer: str) -> httpx.Response:
    return caller.ask("POST", "accounting/payments", {"customerId": customer, "totalAmount": 50})


@pytest.mark.parametrize("caller", [{"poll_minutes": "0"}], indirect=True)
def test_faults(caller: Caller):
    customer = caller.customer()

    def made() -> int:
        caller.running.settle()
        return len(caller.running.books.records("payment"))

    caller.running.switches.set({"lose_response": "1@POST"})
    with pytest.raises(httpx.TransportError):
        pay(caller, customer)
    assert made() == 1  # there, and not in any answer
    for status in (500, 503):
        caller.running.switches.set({"error_5xx_after_commit": "1", "error_status": str(status)})
        failed = pay(caller, customer)
        assert (failed.status_code, list(failed.json())) == (status, ["message"])
    assert made() == 3
    caller.running.switches.set({"error_5xx_before": "1"})
    assert pay(caller, customer).status_code == 503
    assert made() == 3
    caller.running.switches.set({"late_landing": "1", "late_answer": "cut", "late_landing_ms": "5000"})
    with pytest.raises(httpx.TransportError):
        pay(caller, customer)
    assert made() == 3
    caller.clock.advance(6)
    assert made() == 4
    caller.running.switches.set({"rate_limit": "1", "retry_after_s": "7"})
    limited = pay(caller, customer)
    assert (limited.status_code, limited.headers["retry-after"], list(limited.json())) == (429, "7", ["message"])
    caller.running.switches.set({"error_5xx_reads": "1"})
    assert caller.ask("GET", "accounting/payments").status_code == 503
    assert len(caller.get("payments")["payments"]) == 4


@pytest.mark.parametrize("caller", [{"poll_minutes": "0"}], indirect=True)
def test_many_at_once(caller: Caller):
    customer = caller.customer()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(pay(caller, customer).status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert caller.get("payments/count") == {"count": 8}


def test_the_log_has_no_secrets(tmp_path: Path):
    log = tmp_path / "requests.jsonl"
    clock = ManualClock()
    with start("alloy", clock=clock, log=log) as running:
        caller = Caller(running, clock)
        with caller.http:
            caller.customer()
        key = running.connection["api_key"]
    assert "customers" in log.read_text()
    assert key not in log.read_text()


def test_keys_ids_and_currency_are_switches():
    clock = ManualClock()
    own = {"api_key": "other-key", "credential_id": "other-id", "base_currency": "EUR", "poll_minutes": "0"}
    with start("alloy", clock=clock, switches=own) as running, Caller(running, clock) as caller:
        assert running.connection == {"api_key": "other-key", "credential_id": "other-id"}
        assert caller.get("company-info")["companyInfo"][0]["currency"] == "EUR"
        assert caller.invoice(caller.customer())["currency"] == "EUR"

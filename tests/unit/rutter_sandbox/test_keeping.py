"""Opening data, restarts, a process of its own; many requests at once, and bodies nobody meant."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.serving import exact, start, start_process
from tests.unit.rutter_sandbox.client import Caller

SEED = """
accounts:
  "4100": {name: Consulting, type: income}
customers:
  Acme Corporation:
    email: ap@acme.example
    tax_number: "123"
    phones: ["+1 555 0100"]
    addresses: [{type: delivery, line1: 213 Example Ave, city: New York}]
    contacts: [{role: primary, name: Pat Buyer}]
    payment_terms: Net 30
payment_terms:
  Net 30: {days: 30}
tracking_categories:
  Class: {values: [Retail]}
invoices:
  INV-1:
    customer: Acme Corporation
    issue_date: 2026-10-01
    due_date: 2026-10-31
    tracking: {Class: Retail}
    lines: [{account: "4100", quantity: 2, unit_price: 50, description: Advice}]
payments:
  P-1:
    customer: Acme Corporation
    received_on: 2026-10-15
    amount: 60
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 60}]
credit_notes:
  CN-1:
    customer: Acme Corporation
    issue_date: 2026-10-20
    lines: [{account: "4100", quantity: 1, unit_price: 10}]
"""


def test_opening_data_is_there_from_the_start(tmp_path: Path):
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED, encoding="utf-8")
    with start("rutter", seed=seed, clock=ManualClock()) as running:
        caller = Caller(running)
        [customer] = caller.list("customers")
        assert (customer["contact_name"], customer["phone"], customer["tax_number"]) == (
            "Pat Buyer",
            "+1 555 0100",
            "123",
        )
        assert (customer["addresses"][0]["type"], customer["addresses"][0]["address1"]) == (
            "shipping",
            "213 Example Ave",
        )
        [invoice] = caller.list("invoices", filter='document_number="INV-1"')
        assert (invoice["amount_due"], invoice["status"], invoice["total_amount"]) == (40, "partially_paid", 100)
        assert invoice["class_id"] == caller.list("classes")[0]["id"]
        [payment] = caller.list("invoice_payments")
        assert payment["linked_invoices"][0]["id"] == invoice["id"]
        assert caller.list("invoice_credit_memos")[0]["remaining_amount"] == "10"
        assert caller.list("departments") == []
        caller.http.close()


def test_a_restart_keeps_everything(tmp_path: Path):
    store = tmp_path / "books.sqlite"
    clock = ManualClock()
    with start("rutter", store=store, clock=clock, switches={"job_ms": "5000"}) as running:
        running.switches.set({"job_ms": "0"})
        caller = Caller(running, clock)
        customer = caller.customer()
        first = caller.ask("POST", "customers", {"customer": {"contact_name": "B"}}, key="k")
        invoice = caller.invoice(customer, "10")
        caller.pay(customer, (invoice["id"], "4"))
        running.switches.set({"job_ms": "5000"})
        late = caller.ask("POST", "customers", {"customer": {"contact_name": "Late"}, "response_mode": "async"})
        before = {path: caller.list(path) for path in ("accounts", "customers", "invoices", "invoice_payments")}
        status = caller.get("/connections/status")
        caller.http.close()
    clock.advance(1)
    with start("rutter", store=store, clock=clock) as running:
        caller = Caller(running, clock)
        assert {path: caller.list(path) for path in before} == before
        assert caller.get("/connections/status") == status
        assert caller.get(f"invoices/{invoice['id']}")["invoice"]["amount_due"] == 10
        again = caller.ask("POST", "customers", {"customer": {"contact_name": "B"}}, key="k")
        assert again.content == first.content
        clock.advance(5)
        job = caller.get(f"/jobs/{late.headers['X-Rutter-Job-ID']}")
        assert job["response"]["body"]["customer"]["customer_name"] == "Late"
        caller.sync()
        assert caller.get(f"invoices/{invoice['id']}")["invoice"]["amount_due"] == 6
        assert check(running.books.ledger) == []
        caller.http.close()


def test_two_processes_share_a_file(tmp_path: Path):
    store = tmp_path / "books.sqlite"
    with start("rutter", store=store) as running:
        caller = Caller(running)
        caller.customer("First")
        with start_process("rutter", "--data", str(store), "--switch", "per_10s=0") as other:
            own = running.connection
            with httpx.Client(
                auth=(own["client_id"], own["client_secret"]),
                params={"access_token": own["access_token"]},
                headers={"X-Rutter-Version": "2024-08-31"},
            ) as client:
                path = f"{other.url}/versioned/accounting/customers"
                assert [one["customer_name"] for one in client.get(path).json()["customers"]] == ["First"]
                assert client.post(path, json={"customer": {"contact_name": "Second"}}).status_code == 200
        assert {one["customer_name"] for one in caller.list("customers")} == {"First", "Second"}
        caller.http.close()


def test_a_killed_process_forgets_nothing(tmp_path: Path):
    arguments = ("--data", str(tmp_path / "books.sqlite"), "--switch", "job_ms=0", "--switch", "per_10s=0")
    body = {"customer": {"contact_name": "Acme"}}
    with start_process("rutter", *arguments) as first:
        own = httpx.get(f"{first.url}/__sandbox__/connection").json()
        more = {
            "auth": (own["client_id"], own["client_secret"]),
            "params": {"access_token": own["access_token"]},
            "headers": {"X-Rutter-Version": "2024-08-31", "Idempotency-Key": "k"},
        }
        made = httpx.post(f"{first.url}/versioned/accounting/customers", json=body, **more)
        later = {**more, "headers": {"X-Rutter-Version": "2024-08-31"}}
        taken = httpx.post(
            f"{first.url}/versioned/accounting/customers", json={**body, "response_mode": "async"}, **later
        )
        first.kill()
    with start_process("rutter", *arguments) as second:
        again = httpx.post(f"{second.url}/versioned/accounting/customers", json=body, **more)
        assert again.content == made.content
        job = httpx.get(f"{second.url}/versioned/jobs/{taken.json()['async_response']['id']}", **later)
        assert job.json()["status"] == "success"
        listed = httpx.get(f"{second.url}/versioned/accounting/customers", **later).json()["customers"]
        assert len(listed) == 2


def test_many_at_once(caller: Caller):
    caller.running.switches.set({"per_10s": "0"})
    customer = caller.customer()
    own = caller.invoice(customer, "100")["id"]
    body = caller.payment_body(customer, (own, "10"))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: caller.ask("POST", "invoice_payments", body).status_code, range(14)))
    assert sorted(answers) == [200] * 10 + [450] * 4
    caller.sync()
    assert caller.get(f"invoices/{own}")["invoice"]["status"] == "paid"
    assert check(caller.running.books.ledger) == []


ODD = (None, True, -1, 0, 10**20, "", "x" * 300, "\u202e", "null", [], {}, [{}], "2026-11-01", "USD", 1.5, "1.5")


def test_bodies_nobody_meant_are_refused_in_the_vendors_words(caller: Caller):
    caller.running.switches.set({"per_10s": "0", "platform": "XERO"})
    customer = caller.customer()
    invoice, memo = caller.invoice(customer, "10")["id"], caller.memo(customer, "5")["id"]
    line = {"account_id": caller.account("4000"), "description": "d", "total_amount": 1, "item": {"quantity": 1}}
    text_line = {**line, "total_amount": "1"}
    whole = {
        "accounts": ("account", {"account_type": "bank", "currency_code": "USD", "name": "n", "nominal_code": "c"}),
        "customers": ("customer", {"contact_name": "n", "email": "e", "phone": "p", "addresses": []}),
        "items": ("item", {"name": "n", "code": "c", "invoice_item": {"unit_price": "1"}, "quantity_on_hand": 1}),
        "tax_rates": ("tax_rate", {"name": "n", "components": [{"name": "c", "rate": 5}]}),
        "classes": ("class", {"name": "n"}),
        "payment_terms": ("payment_term", {"term_name": "n", "due_days": 3}),
        "invoices": ("invoice", {**caller.invoice_body(customer, "1"), "line_items": [line], "memo": "m"}),
        "invoice_payments": next(iter(caller.payment_body(customer, (invoice, "1")).items())),
        "invoice_credit_memos": (
            "invoice_credit_memo",
            {
                "customer_id": customer,
                "issue_date": "2026-11-02",
                "line_items": [text_line],
                "currency_code": "USD",
            },
        ),
        "invoice_credit_applications": next(iter(caller.apply(customer, memo, (invoice, "1")).items())),
    }
    chance = random.Random(4)
    statuses: dict[int, int] = {}
    for path, (wrapper, body) in whole.items():
        for _ in range(25):
            text = json.dumps({wrapper: _bent(json.loads(exact.write(body)), chance)})
            answer = caller.ask("POST", path, content=text.encode())
            statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert set(statuses) == {200, 400, 450}, statuses
    assert min(statuses.values()) > 5
    assert check(caller.running.books.ledger) == []


def _bent(value: dict[str, object], chance: random.Random) -> dict[str, object]:
    """One thing of a body changed, somewhere."""
    inside: dict[str, object] = value
    key = chance.choice(sorted(inside))
    found = inside[key]
    if isinstance(found, list) and found and isinstance(found[0], dict) and chance.random() < 0.7:
        inside = found[0]
        key = chance.choice(sorted(inside))
    if chance.random() < 0.1:
        del inside[key]
    else:
        inside[key] = chance.choice(ODD)
    return value

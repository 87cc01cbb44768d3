"""What the API refuses at once: keys, paths, bodies, queries, quotas; and how it says so."""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.sandboxes.codat import options, requests
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.serving import exact
from tests.unit.codat_sandbox import vendor_schemas
from tests.unit.codat_sandbox.client import Caller, credit_note_body, invoice_body, line, payment_body


def test_a_wrong_key_is_unauthorized_and_a_right_one_is_encoded_alone(caller: Caller):
    for header in (
        {},
        {"Authorization": "Basic d3Jvbmc="},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic !"},
    ):
        answer = httpx.get(f"{caller.running.url}{caller.company}", headers=header)
        assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")
        assert isinstance(answer.json()["canBeRetried"], str)
    assert caller.get("C/connections", page=1)["results"][0]["status"] == "Linked"


def test_paths_name_the_company_and_its_connection(caller: Caller):
    other = "00000000-0000-0000-0000-000000000000"
    answer = caller.http.get(f"/companies/{other}/data/invoices")
    assert (answer.status_code, answer.json()["error"]) == (404, f"Company {other} not found")
    answer = caller.http.get(f"{caller.company}/connections/{other}/data/bankAccounts")
    assert answer.json()["error"] == f"Data connection {other} not found"
    assert caller.http.get("/nothing").status_code == 404
    assert caller.http.delete(f"{caller.company}/data/invoices").status_code == 405
    assert caller.get("C/connections", page=1)["totalResults"] == 1
    company = caller.http.get(caller.company)
    if vendor_schemas.available():
        assert vendor_schemas.problems_of(company) == []
    assert company.json()["dataConnections"][0]["platformName"]


def test_every_answer_has_the_quota_and_too_many_are_refused(caller: Caller):
    caller.running.switches.set({"daily_quota": "3"})
    answers = [caller.ask("GET", "C/dataStatus") for _ in range(4)]
    assert [answer.headers["X-Rate-Limit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["X-Rate-Limit-Reset"] == "2026-11-23T00:00:00Z"
    assert answers[3].headers["Retry-After"] == str(12 * 3600)
    caller.clock.advance(12 * 3600)
    assert caller.ask("GET", "C/dataStatus").status_code == 200


def test_a_storm_of_429_has_the_vendors_words(caller: Caller):
    caller.running.switches.set({"rate_limit": "2", "retry_after_s": "5"})
    answer = caller.ask("GET", "C/dataStatus")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert caller.ask("POST", "C/data/all").status_code == 429
    assert caller.ask("GET", "C/dataStatus").status_code == 200


def refused(caller: Caller, body: object, path: str = "K/push/invoices") -> list[tuple[str, str]]:
    answer = caller.ask("POST", path, content=json.dumps(body).encode())
    assert answer.status_code == 400, answer.text
    assert caller.get("C/push", page=1)["totalResults"] == 0
    return [(error["itemId"], error["message"]) for error in answer.json()["validation"]["errors"]]


def test_a_body_the_model_does_not_allow_is_refused_at_once(caller: Caller):
    body = json.loads(json.dumps(invoice_body("cus-1", "10", "acc-7"), default=int))
    for name in ("issueDate", "totalTaxAmount", "totalAmount", "amountDue", "status"):
        assert refused(caller, {**body, name: None})[0][0] == name
        without = {key: value for key, value in body.items() if key != name}
        assert refused(caller, without) == [(name, f"{name} must be provided.")]
    assert refused(caller, {**body, "colour": "red"}) == [("colour", "colour is not a property of Invoice.")]
    assert refused(caller, {**body, "totalAmount": "10.00"})[0][0] == "totalAmount"
    assert refused(caller, {**body, "status": "Open"})[0][0] == "status"
    assert refused(caller, {**body, "issueDate": "1 November"})[0][0] == "issueDate"
    assert refused(caller, {**body, "lineItems": [{"unitAmount": 1}]})[0][0] == "lineItems.0.quantity"
    assert refused(caller, {"customerName": "Acme"}, "K/push/customers")[0][0] == "status"
    assert refused(caller, {"lines": []}, "K/push/payments")[0][0] == "date"
    link = {"date": "2026-11-15", "lines": [{"amount": 1, "links": [{"type": "Bill", "id": "x"}]}]}
    assert refused(caller, link, "K/push/payments")[0][0] == "lines.0.links.0.type"


def test_what_is_no_json_is_refused(caller: Caller):
    for content in (b"{", b"[]", b"NaN", b"", b'{"status": "Active", "status": "Active"}'):
        assert caller.ask("POST", "K/push/customers", content=content).status_code == 400


def test_unknown_fields_can_be_ignored_instead(caller: Caller):
    body = {"customerName": "Acme", "status": "Active", "colour": "red", "addresses": [{"type": "Billing", "x": 1}]}
    assert caller.ask("POST", "K/push/customers", json=body).status_code == 400
    caller.running.switches.set({"unknown_fields": "ignore"})
    caller.ask("POST", "K/push/customers", json=body)
    caller.clock.advance(1)
    assert caller.get("C/push", page=1)["results"][0]["status"] == "Success"


def test_an_unlinked_connection_takes_no_push_and_no_refresh(caller: Caller):
    assert caller.ask("PATCH", "K/".rstrip("/"), json={"status": "Linked"}).status_code in (400, 404)
    answer = caller.http.patch(caller.connection, json={"status": "Unlinked"})
    assert answer.json()["status"] == "Unlinked"
    assert caller.ask("POST", "K/push/customers", json={"status": "Active"}).status_code == 400
    assert caller.ask("POST", "C/data/queue/invoices").status_code == 400


@pytest.mark.parametrize(
    "data_type", ["invoices", "creditNotes", "payments", "customers", "items", "chartOfAccounts", "bankAccounts"]
)
def test_options_describe_what_can_be_pushed(caller: Caller, data_type: str):
    tree = caller.get(f"K/options/{data_type}")
    assert tree["type"] == "Object"
    assert tree["properties"]


def test_options_of_what_cannot_be_pushed_are_refused(caller: Caller):
    assert caller.ask("GET", "K/options/taxRates").status_code == 404


def test_options_name_only_fields_a_push_takes():
    """Every property of a tree is one of the pushed model's."""
    models = {
        "invoices": requests.Invoice,
        "creditNotes": requests.CreditNote,
        "payments": requests.Payment,
        "customers": requests.Customer,
        "items": requests.Item,
        "chartOfAccounts": requests.Account,
    }
    for data_type, model in models.items():
        tree = options.options_of(data_type, None)  # type: ignore[arg-type]
        assert tree is not None
        assert set(tree["properties"]) <= set(model.__annotations__), data_type
        required = {name for name, node in tree["properties"].items() if node["required"]}
        assert set(model.__required_keys__) - {"isBillItem"} <= required | {"isBillItem"}, data_type


def test_a_payment_that_breaks_the_sign_rules_fails_with_its_field(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    bank = caller.account("1200")
    cases = {
        "totalAmount": payment_body(customer, bank, "90", [line("100", ("Invoice", invoice, "-100"))]),
        "lines.0.amount": payment_body(customer, bank, "100", [line("100", ("Invoice", invoice, "-90"))]),
        "lines.0.links.0.amount": payment_body(customer, bank, "100", [line("100", ("Invoice", invoice, "100"))]),
        "lines.0.links.0.id": payment_body(customer, bank, "100", [line("100", ("Invoice", "inv-999", "-100"))]),
        "lines.0.links.0.type": payment_body(customer, bank, "100", [line("100", ("ManualJournal", "x", "-100"))]),
        "lines.0.links": payment_body(customer, bank, "100", [{"amount": 100}]),
        "lines": payment_body(customer, bank, "100", []),
        "accountRef": payment_body(customer, None, "100", [line("100", ("Invoice", invoice, "-100"))]),
        "accountRef.id": payment_body(
            customer, caller.account("4000"), "100", [line("100", ("Invoice", invoice, "-100"))]
        ),
        "customerRef.id": payment_body("cus-999", bank, "100", [line("100", ("Invoice", invoice, "-100"))]),
    }
    for field, body in cases.items():
        ended = caller.push("POST", "K/push/payments", body)
        assert (ended["status"], ended["statusCode"]) == ("Failed", 400), field
        assert ended["validation"]["errors"][0]["itemId"] == field
    refund = payment_body(customer, bank, "-10", [line("-10", ("PaymentOnAccount", customer, "10"))])
    assert "Refunds" in caller.push("POST", "K/push/payments", refund)["validation"]["errors"][0]["message"]
    caller.refresh("payments")
    assert caller.results("C/data/payments") == []


def test_more_than_ten_at_once_are_refused(caller: Caller):
    caller.running.switches.set({"concurrent": "2", "processing_ms": "800"})
    body = {"customerName": "Acme", "status": "Active"}
    url = f"{caller.running.url}{caller.connection}/push/customers"

    def send(_: int) -> int:
        return httpx.post(url, json=body, headers=caller.http.headers).status_code

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(send, range(3))) == [200, 200, 429]


def test_more_than_so_many_a_minute_are_refused(caller: Caller):
    caller.running.switches.set({"per_minute": "2"})
    answers = [caller.ask("GET", "C/dataStatus") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["Retry-After"] == "60"
    caller.clock.advance(60)
    assert caller.ask("GET", "C/dataStatus").status_code == 200


def test_an_invoice_can_be_printed(caller: Caller):
    invoice = caller.invoice(caller.customer("Acme (Ltd) €"), "100")
    caller.refresh("invoices")
    answer = caller.ask("GET", f"C/data/invoices/{invoice}/pdf")
    assert answer.content.startswith(b"%PDF-1.4")
    assert b"Acme \\(Ltd\\) \x80" in answer.content
    assert caller.ask("GET", "C/data/invoices/inv-999/pdf").status_code == 404


WEIRD: list[object] = [
    None, "", "x" * 5000, "\x00", "\U0001f642", -1, 0, 10**30, 1e-30, 1e300, True, [], {}, [None], {"id": ""},
    {"id": "inv-1"}, "2026-02-30", "ZZZ", "XXX", 0.1, -0.005, [{"unitAmount": 1e15, "quantity": 1e15}],
]  # fmt: skip


def test_no_body_breaks_the_sandbox(caller: Caller, capfd: pytest.CaptureFixture[str]):
    """Mutated bodies end in 400, Failed or Success: never in a 5xx, never in books that do not balance."""
    draws = random.Random(7)
    caller.running.switches.set({"daily_quota": "100000", "push_ms": "0"})
    customer = caller.customer()
    account, bank = caller.account("4000"), caller.account("1200")
    invoice = caller.invoice(customer, "100")
    seeds = {
        "invoices": invoice_body(customer, "10.55", account),
        "creditNotes": credit_note_body(customer, "7.10", account),
        "payments": payment_body(customer, bank, "10", [line("10", ("Invoice", invoice, "-10"))]),
        "customers": {"customerName": "x", "status": "Active", "addresses": [{"type": "Billing"}]},
        "items": {
            "name": "x",
            "itemStatus": "Active",
            "type": "Service",
            "isBillItem": False,
            "isInvoiceItem": True,
        },
        "accounts": {"name": "x", "nominalCode": "9", "fullyQualifiedCategory": "Income"},
        "bankAccounts": {"accountName": "x", "nominalCode": "1200"},
    }
    for _ in range(250):
        segment = draws.choice(list(seeds))
        body = json.loads(json.dumps(seeds[segment], default=float))
        for _ in range(draws.randint(1, 2)):
            where = draws.choice(places(body))
            where[0][where[1]] = draws.choice(WEIRD)
        answer = caller.http.post(f"{caller.connection}/push/{segment}", content=json.dumps(body))
        assert answer.status_code in (200, 400), (body, answer.text)
        if answer.status_code == 200:
            key = answer.json()["pushOperationKey"]
            assert caller.http.get(f"{caller.company}/push/{key}").json()["status"] in ("Failed", "Success"), body
    caller.ask("POST", "C/data/all")
    caller.clock.advance(1)
    caller.results("C/data/invoices")
    caller.results("C/data/payments")
    assert check(caller.running.books.ledger) == []
    assert capfd.readouterr().err == ""


def places(value: object) -> list[tuple]:
    """Every place of a body that can be given another value."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [place for item in value.values() for place in places(item)]
    if isinstance(value, list):
        return [place for item in value for place in places(item)]
    return []


@pytest.mark.skipif(not vendor_schemas.available(), reason=vendor_schemas.ABSENT)
def test_the_vendors_own_examples_are_taken():
    """Every example of a pushed body in the vendor's documents passes our reading of its rules."""
    seen = 0
    for name in (*vendor_schemas.FILES[:2], "write-models-2026-06.openapi.yaml"):
        for segment, example in vendor_schemas.pushed_examples(name):
            body = exact.read(json.dumps(example, default=str))
            assert requests.checked_body(segment, body, unknown_fields=False), segment
            seen += 1
    assert seen >= 10

"""Reads: a cache that only a refresh moves, pages, queries, orders, and models that say what the books say."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.ledger.commands import ClosePeriod, CreateRecord, ReversePayment, SetAllocation
from reconciler.sandboxes.serving import start, start_process
from tests.unit.codat_sandbox import vendor_schemas
from tests.unit.codat_sandbox.client import Caller, credit_note_body, invoice_body, line, payment_body

LISTS = (
    "C/data/accounts", "K/data/bankAccounts", "C/data/customers", "C/data/items", "C/data/taxRates",
    "C/data/trackingCategories", "C/data/paymentMethods", "C/data/invoices", "C/data/creditNotes",
    "C/data/payments",
)  # fmt: skip


@pytest.mark.skipif(not vendor_schemas.available(), reason=vendor_schemas.ABSENT)
def test_every_model_is_the_vendors(caller: Caller):
    """Reads of every data type, filled, checked against the vendor's schemas by the caller itself."""
    fill(caller)
    assert caller.ask("POST", "C/data/all").status_code == 204
    assert set(caller.get("C/dataStatus")) >= {"invoices", "payments"}
    caller.clock.advance(1)
    for path in LISTS:
        records = caller.results(path)
        assert records, path
        for record in records:
            caller.get(f"{path}/{record['id']}")
    info = caller.get("C/data/info")
    assert (info["baseCurrency"], info["ledgerLockDate"]) == ("USD", "2026-10-31T00:00:00")
    assert caller.ask("POST", "C/data/info").status_code == 200
    history = caller.results("C/data/history")
    assert history[0]["dataType"] == "company"
    caller.get(f"C/data/history/{history[1]['id']}")
    caller.get("C/push", page=1)
    caller.get("C/connections", page=1)


def fill(caller: Caller) -> None:
    """One of everything."""
    ledger = caller.running.books.ledger
    account = caller.account("4000")
    caller.refresh("taxRates", "trackingCategories")
    tax = caller.results("C/data/taxRates", query="code=STANDARD")[0]["id"]
    category = next(
        found["id"] for found in caller.results("C/data/trackingCategories") if not found["hasChildren"]
    )
    customer = caller.pushed(
        "customers",
        {
            "customerName": "Acme",
            "contactName": "The buyer",
            "emailAddress": "ap@acme.example",
            "phone": "1",
            "addresses": [{"type": "Billing", "line1": "213 Example Ave", "country": "United States"}],
            "contacts": [{"name": "x", "phone": [{"number": "2", "type": "Primary"}], "status": "Active"}],
            "taxNumber": "GB1",
            "status": "Active",
        },
    )
    sides = {"description": "A shirt", "unitPrice": Decimal("12.5"), "accountRef": {"id": account}}
    item = caller.pushed(
        "items",
        {"name": "Shirt", "code": "S", "itemStatus": "Active", "type": "Service", "isBillItem": False,
         "isInvoiceItem": True, "invoiceItem": {**sides, "taxRateRef": {"id": tax}}},
    )  # fmt: skip
    line_item = {
        "description": "A shirt",
        "unitAmount": Decimal("12.5"),
        "quantity": 4,
        "discountPercentage": 10,
        "subTotal": 45,
        "taxAmount": 9,
        "totalAmount": 54,
        "itemRef": {"id": item},
        "taxRateRef": {"id": tax},
        "trackingCategoryRefs": [{"id": category}],
    }
    totals = {"subTotal": 45, "totalTaxAmount": 9, "totalAmount": 54, "amountDue": 54}
    body = {**invoice_body(customer, "0", account), "lineItems": [line_item], **totals, "note": "thanks"}
    invoice = caller.pushed("invoices", body)
    note = caller.pushed("creditNotes", credit_note_body(customer, "30", account))
    bank = caller.account("1200")
    lines = [
        line("0", ("Invoice", invoice, "-20"), ("CreditNote", note, "20")),
        line("30", ("Invoice", invoice, "-30")),
        line("5", ("PaymentOnAccount", customer, "-5")),
    ]
    caller.pushed(
        "payments",
        payment_body(customer, bank, "35", lines, reference="PMT-1", note="n", paymentMethodRef={"id": "pm-4"}),
    )
    caller.pushed("accounts", {"nominalCode": "4500", "name": "Hosting", "fullyQualifiedCategory": "Income"})
    caller.pushed(
        "bankAccounts", {"accountName": "Savings", "nominalCode": "1290", "iBan": "x", "accountType": "Debit"}
    )
    ledger.one(ClosePeriod(date(2026, 10, 31)))


def test_a_read_before_the_first_sync_is_a_conflict(caller: Caller):
    for path in (*LISTS, "C/data/info", "C/data/invoices/inv-1"):
        answer = caller.ask("GET", path)
        assert (answer.status_code, answer.json()["error"]) == (409, "The data set has not been requested.")
    caller.running.switches.set({"pull_fails": "1"})
    caller.refresh("invoices")
    answer = caller.ask("GET", "C/data/invoices")
    assert (answer.status_code, answer.json()["error"]) == (409, "The data set has not finished syncing.")


@pytest.mark.parametrize("caller", [{"initial_sync": "done"}], indirect=True)
def test_everything_can_be_synced_at_the_start(caller: Caller):
    assert len(caller.results("C/data/accounts")) > 10
    assert caller.results("C/data/invoices") == []


def test_only_a_refresh_moves_what_is_read(caller: Caller):
    customer = caller.customer()
    caller.refresh("invoices")
    invoice = caller.invoice(customer, "100")
    assert caller.results("C/data/invoices") == []
    assert caller.ask("GET", f"C/data/invoices/{invoice}").status_code == 404
    queued = caller.ask("POST", "C/data/queue/invoices").json()
    assert (queued["status"], queued["isCompleted"]) == ("Queued", False)
    again = caller.ask("POST", "C/data/queue/invoices")
    assert again.status_code == 400
    assert queued["id"] in again.json()["error"]
    caller.clock.advance(0.3)
    assert caller.get("C/dataStatus")["invoices"]["currentStatus"] == "Fetching"
    assert caller.results("C/data/invoices") == []
    caller.clock.advance(0.3)
    status = caller.get("C/dataStatus")["invoices"]
    assert (status["currentStatus"], status["latestSuccessfulSyncId"]) == ("Complete", queued["id"])
    assert [found["id"] for found in caller.results("C/data/invoices")] == [invoice]


def test_what_is_written_after_the_fetch_began_is_not_in_it(caller: Caller):
    caller.ask("POST", "C/data/queue/customers")
    caller.clock.advance(0.25)
    caller.running.settle()
    caller.running.books.ledger.one(CreateRecord("customer", {"name": "Late"}))
    caller.clock.advance(1)
    assert caller.results("C/data/customers") == []


def test_a_payment_changes_an_invoice_in_the_cache_only_with_its_refresh(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    caller.refresh("invoices")
    before = caller.get(f"C/data/invoices/{invoice}")
    bank = caller.account("1200")
    payment = caller.pushed(
        "payments", payment_body(customer, bank, "40", [line("40", ("Invoice", invoice, "-40"))])
    )
    caller.refresh("payments")
    assert caller.get(f"C/data/invoices/{invoice}") == before
    caller.refresh("invoices")
    after = caller.get(f"C/data/invoices/{invoice}")
    assert (after["status"], after["amountDue"]) == ("PartiallyPaid", 60)
    assert after["paymentAllocations"][0]["payment"]["id"] == payment
    assert after["modifiedDate"] > before["modifiedDate"]
    caller.refresh("invoices")
    assert caller.get(f"C/data/invoices/{invoice}") == after


def test_a_refresh_may_never_be_ready_or_fail(caller: Caller):
    caller.running.switches.set({"never_ready": "1"})
    caller.refresh("invoices")
    caller.clock.advance(10**6)
    assert caller.get("C/dataStatus")["invoices"]["currentStatus"] == "Queued"
    caller.running.switches.set({"pull_fails": "1"})
    caller.refresh("customers")
    status = caller.get("C/dataStatus")["customers"]
    assert (status["currentStatus"], status.get("latestSuccessfulSyncId")) == ("FetchError", None)


def test_data_types_nobody_supports_or_knows(caller: Caller):
    answer = caller.ask("POST", "C/data/queue/bills")
    assert (answer.status_code, answer.json()["error"]) == (
        404,
        "Datatype [bills] not supported by platform(s) [Sandbox Accounting]",
    )
    assert caller.ask("POST", "C/data/queue/dreams").status_code == 400
    assert caller.ask("POST", "C/data/queue/invoices?connectionId=" + "0" * 8).status_code == 404


@pytest.mark.parametrize("caller", [{"sync_on_push": "1"}], indirect=True)
def test_a_push_can_refresh_by_itself(caller: Caller):
    caller.customer()
    caller.clock.advance(1)
    assert len(caller.results("C/data/customers")) == 1


# ---- lists ----


def names(caller: Caller, **params: object) -> list[str]:
    return [found["customerName"] for found in caller.results("C/data/customers", **params)]


@pytest.fixture(name="five", scope="module")
def _five() -> Iterator[Caller]:
    """Five customers, for tests that write nothing."""
    clock = ManualClock()
    with start("codat", clock=clock) as running:
        caller = Caller(running, clock)
        for number in range(5):
            currency = "EUR" if number % 2 else "USD"
            running.books.ledger.one(CreateRecord("customer", {"name": f"c{number}", "currency": currency}))
        caller.refresh("customers")
        yield caller
        caller.http.close()


def test_pages_are_linked(five: Caller):
    seen: list[str] = []
    path = "C/data/customers?page=1&pageSize=2&query=customerName~c"
    while path:
        page = five.get(path)
        seen += [found["customerName"] for found in page["results"]]
        assert (page["totalResults"], page["pageSize"]) == (5, 2)
        assert ("previous" in page["_links"]) == (page["pageNumber"] > 1)
        path = page["_links"].get("next", {}).get("href")
    assert seen == ["c0", "c1", "c2", "c3", "c4"]
    for size in (5, 6):
        assert "next" not in five.get(f"C/data/customers?page=1&pageSize={size}")["_links"]
    for bad in ("pageSize=5001", "pageSize=0", "page=x", "page=-1"):
        assert five.ask("GET", f"C/data/customers?{bad}").status_code == 400


def test_pages_drift(five: Caller):
    five.running.switches.set({"page_drift": "1@data/customers", "page_drift_how": "twice"})
    found = [
        customer["customerName"]
        for page in (1, 2, 3)
        for customer in five.get("C/data/customers", page=page, pageSize=2)["results"]
    ]
    assert found == ["c0", "c1", "c1", "c2", "c4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("customerName=c1", ["c1"]),
        ("customerName!=c1&&defaultCurrency=USD", ["c0", "c2", "c4"]),
        ("customerName~C", ["c0", "c1", "c2", "c3", "c4"]),
        ("customerName=c0||customerName=c1&&defaultCurrency=USD", ["c0"]),
        ("{customerName=c0||customerName=c1}&&defaultCurrency=EUR", ["c1"]),
        ("modifiedDate>=2026-11-22T12:00:01Z", ["c0", "c1", "c2", "c3", "c4"]),
        ("modifiedDate>2026-11-22T12:00:01Z", []),
        ("modifiedDate<2026-11-23", ["c0", "c1", "c2", "c3", "c4"]),
        ("metadata.isDeleted!=true", ["c0", "c1", "c2", "c3", "c4"]),
        ("metadata.isDeleted=true", []),
        ("taxNumber=x", []),
        ("taxNumber!=x", ["c0", "c1", "c2", "c3", "c4"]),
    ],
)
def test_queries_select(five: Caller, query: str, expected: list[str]):
    assert names(five, query=query) == expected


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "Error parsing query - Could not resolve property colour on Customer"),
        ("addresses.city=x", "Error parsing query - Could not resolve property addresses.city on Customer"),
        ("metadata=x", "Error parsing query - Could not resolve property metadata on Customer"),
        ("customerName", "Error parsing query - Malformed query."),
        ("customerName=", "Error parsing query - Malformed query."),
        ("customerName=null", "Error parsing query - Malformed query."),
        ("customerName=a&&", "Error parsing query - Malformed query."),
        ("{customerName=a", "Error parsing query - Malformed query."),
        ("customerName=a}", "Error parsing query - Malformed query."),
        ("modifiedDate~2026", "Error parsing query - Malformed query."),
        ("modifiedDate>soon", "Error parsing query - Malformed query."),
        ("customerName=" + "a" * 2048, "Error parsing query - Malformed query."),
    ],
)
def test_bad_queries_are_refused_in_the_vendors_words(five: Caller, query: str, words: str):
    answer = five.ask("GET", "C/data/customers", params={"query": query})
    assert (answer.status_code, answer.json()["error"]) == (400, words)


def test_orders(five: Caller):
    assert names(five, orderBy="-customerName") == ["c4", "c3", "c2", "c1", "c0"]
    assert names(five, orderBy="defaultCurrency")[:2] == ["c1", "c3"]
    assert five.ask("GET", "C/data/customers?orderBy=colour").status_code == 400


def test_amounts_and_references_of_documents_can_be_queried(caller: Caller):
    customer = caller.customer()
    caller.invoice(customer, "100", invoiceNumber="INV-1")
    caller.invoice(customer, "250.50", invoiceNumber="INV-2")
    caller.refresh("invoices")

    def numbers(query: str) -> list[str]:
        return [found["invoiceNumber"] for found in caller.results("C/data/invoices", query=query)]

    assert numbers("totalAmount>100") == ["INV-2"]
    assert numbers("totalAmount=250.50") == ["INV-2"]
    assert numbers(f"customerRef.id={customer}&&invoiceNumber=INV-1") == ["INV-1"]
    assert numbers("dueDate>2026-11-28") == ["INV-1", "INV-2"]
    assert caller.ask("GET", "C/data/invoices?query=lineItems.quantity=1").status_code == 400


# ---- what a colleague does in the accounting software ----


def test_a_colleagues_work_is_shown_after_a_refresh(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    note = caller.pushed("creditNotes", credit_note_body(customer, "30", caller.account("4000")))
    ledger = caller.running.books.ledger
    [bank] = [record.id for record in caller.running.books.records("bank_account")]
    payment = ledger.one(
        CreateRecord(
            "payment",
            {"customer": customer, "received_on": "2026-11-10", "amount": "80", "bank_account": bank,
             "allocations": [{"credit_note": note, "amount": "10"}, {"invoice": invoice, "amount": "85"}]},
        )
    )  # fmt: skip
    ledger.one(SetAllocation("credit_note", note, "invoice", invoice, Decimal(5)))
    caller.refresh("payments", "invoices", "creditNotes")
    by_id = {found["id"]: found for found in caller.results("C/data/payments")}
    assert set(by_id) == {payment.id, f"{note}.{invoice}"}
    [joined] = by_id[payment.id]["lines"]
    assert joined["amount"] + sum(link["amount"] for link in joined["links"]) == 0
    assert sorted(link["type"] for link in joined["links"]) == ["CreditNote", "Invoice", "PaymentOnAccount"]
    assert by_id[f"{note}.{invoice}"]["totalAmount"] == 0
    assert caller.get(f"C/data/invoices/{invoice}")["amountDue"] == 10
    assert caller.get(f"C/data/creditNotes/{note}")["remainingCredit"] == 15
    ledger.one(ReversePayment(payment.id, date(2026, 11, 22)))
    caller.refresh("payments", "invoices")
    assert caller.get(f"C/data/payments/{payment.id}")["metadata"]["isDeleted"]
    assert caller.get(f"C/data/invoices/{invoice}")["amountDue"] == 95


def test_a_credit_note_is_allocated_by_a_payment_of_nothing(caller: Caller):
    customer = caller.customer()
    first, second = caller.invoice(customer, "100"), caller.invoice(customer, "50")
    note = caller.pushed("creditNotes", credit_note_body(customer, "80", caller.account("4000")))
    links = [("Invoice", first, "-60"), ("Invoice", second, "-20"), ("CreditNote", note, "80")]
    own = caller.pushed("payments", payment_body(customer, None, "0", [line("0", *links)]))
    too_much = payment_body(customer, None, "0", [line("0", ("Invoice", first, "-1"), ("CreditNote", note, "1"))])
    assert caller.push("POST", "K/push/payments", too_much)["status"] == "Failed"
    caller.refresh("payments", "invoices", "creditNotes")
    [payment] = caller.results("C/data/payments")
    assert (payment["id"], payment["totalAmount"], len(payment["lines"])) == (own, 0, 2)
    assert caller.get(f"C/data/invoices/{first}")["amountDue"] == 40
    assert caller.get(f"C/data/creditNotes/{note}")["status"] == "Paid"
    assert check(caller.running.books.ledger) == []


# ---- rules of the books ----


def failure(ended: dict) -> str:
    assert ended["status"] == "Failed", ended
    return str(ended["validation"]["errors"][0]["message"])


def test_the_books_refuse_what_cannot_be_posted(caller: Caller):
    customer, other = caller.customer(), caller.customer("Other")
    account, bank = caller.account("4000"), caller.account("1200")
    invoice = caller.invoice(customer, "100")
    over = payment_body(customer, bank, "200", [line("200", ("Invoice", invoice, "-200"))])
    assert "more than what is open" in failure(caller.push("POST", "K/push/payments", over))
    theirs = payment_body(other, bank, "10", [line("10", ("Invoice", invoice, "-10"))])
    assert "another customer" in failure(caller.push("POST", "K/push/payments", theirs))
    caller.running.books.ledger.one(ClosePeriod(date(2026, 11, 30)))
    assert "is closed" in failure(caller.push("POST", "K/push/invoices", invoice_body(customer, "5", account)))
    body = {**invoice_body(customer, "100", account), "totalAmount": 99}
    assert "totalAmount must be 100" in failure(caller.push("POST", "K/push/invoices", body))
    body = {**invoice_body(customer, "100", account), "status": "Paid"}
    assert "Draft or Submitted" in failure(caller.push("POST", "K/push/invoices", body))
    body = {**invoice_body(customer, "100", "acc-999")}
    assert "existing Account" in failure(caller.push("POST", "K/push/invoices", body))
    assert check(caller.running.books.ledger) == []


@pytest.mark.parametrize(
    ("caller", "status"),
    [({"duplicate_numbers": "allow"}, "Success"), ({"duplicate_numbers": "refuse"}, "Failed")],
    indirect=["caller"],
)
def test_numbers_may_repeat_where_the_setting_says_so(caller: Caller, status: str):
    customer = caller.customer()
    body = invoice_body(customer, "10", caller.account("4000"), invoiceNumber="INV-1")
    caller.pushed("invoices", body)
    assert caller.push("POST", "K/push/invoices", body)["status"] == status


def test_foreign_currencies_carry_a_rate(caller: Caller):
    customer = caller.customer()
    account, bank = caller.account("4000"), caller.account("1200")
    body = invoice_body(customer, "100", account, currency="EUR", currencyRate=Decimal("1.1"))
    invoice = caller.pushed("invoices", body)
    without = invoice_body(customer, "100", account, currency="EUR")
    assert "exchange_rate" in failure(caller.push("POST", "K/push/invoices", without))
    lines = [line("100", ("Invoice", invoice, "-100"))]
    caller.pushed(
        "payments", payment_body(customer, bank, "100", lines, currency="EUR", currencyRate=Decimal("1.2"))
    )
    caller.refresh("invoices", "payments")
    read = caller.get(f"C/data/invoices/{invoice}")
    assert (read["currency"], read["currencyRate"], read["status"]) == ("EUR", Decimal("1.1"), "Paid")
    assert caller.results("C/data/payments")[0]["currencyRate"] == Decimal("1.2")


# ---- attachments ----


def test_attachments_are_uploaded_by_a_push_and_read_live(caller: Caller):
    invoice = caller.invoice(caller.customer(), "100")
    path = f"K/push/invoices/{invoice}/attachment"
    taken = caller.http.post(
        path.replace("K/", f"{caller.connection}/"), files={"file": ("scan.pdf", b"%PDF-1", "application/pdf")}
    ).json()
    assert caller.get(f"K/data/invoices/{invoice}/attachments") == {"attachments": []}
    caller.clock.advance(1)
    ended = caller.get(f"C/push/{taken['pushOperationKey']}")
    change = ended["changes"][0]
    assert (change["type"], change["recordRef"]["id"]) == ("AttachmentUploaded", invoice)
    [attachment] = caller.get(f"K/data/invoices/{invoice}/attachments")["attachments"]
    assert (attachment["id"], attachment["name"], attachment["fileSize"]) == (change["attachmentId"], "scan.pdf", 6)
    caller.get(f"K/data/invoices/{invoice}/attachments/{attachment['id']}")
    download = caller.ask("GET", f"K/data/invoices/{invoice}/attachments/{attachment['id']}/download")
    assert (download.content, download.headers["content-type"]) == (b"%PDF-1", "application/pdf")
    assert caller.ask("GET", f"K/data/invoices/{invoice}/attachments/att-9").status_code == 404
    assert caller.ask("GET", "K/data/invoices/inv-999/attachments").status_code == 404


def test_uploads_that_are_refused(caller: Caller):
    path = f"{caller.connection}/push/invoices/inv-1/attachment"
    caller.running.switches.set({"attachment_kb": "1"})
    for name, content in (("virus.exe", b"x"), ("a.pdf", b""), ("a.pdf", b"x" * 1025)):
        assert caller.http.post(path, files={"file": (name, content)}).status_code == 400
    assert caller.http.post(path, json={}).status_code == 400
    taken = caller.http.post(path, files={"file": ("a.pdf", b"x")}).json()
    caller.clock.advance(1)
    assert "No Invoice" in failure(caller.get(f"C/push/{taken['pushOperationKey']}"))


# ---- files and processes ----


def test_what_is_pending_lands_after_a_restart(tmp_path: Path):
    clock, store = ManualClock(), tmp_path / "codat.sqlite"
    with start("codat", store=store, clock=clock) as running:
        caller = Caller(running, clock)
        taken = caller.take("POST", "K/push/customers", {"customerName": "Acme", "status": "Active"})
        caller.http.close()
    clock.advance(5)
    with start("codat", store=store, clock=clock) as running:
        caller = Caller(running, clock)
        assert caller.get(f"C/push/{taken['pushOperationKey']}")["status"] == "Success"
        caller.http.close()


def test_a_push_carried_out_twice_happens_once(caller: Caller):
    """As after a process was killed between the ledger's commit and the push's end."""
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    note = caller.pushed("creditNotes", credit_note_body(customer, "30", caller.account("4000")))
    bank = caller.account("1200")
    lines = [
        line("0", ("Invoice", invoice, "-10"), ("CreditNote", note, "10")),
        line("20", ("Invoice", invoice, "-20")),
    ]
    caller.pushed("payments", payment_body(customer, bank, "20", lines))
    caller.pushed("payments", payment_body(customer, None, "0", lines[:1]))
    shelf = caller.running.books.shelf
    for key, operation in shelf.all("push-operations").items():
        shelf.put("push-operations", key, {**operation, "status": "Pending"})
    shelf.run("UPDATE vendor_jobs SET waiting = 1 WHERE kind = 'push'")
    caller.running.settle()
    caller.refresh("invoices", "payments", "creditNotes", "customers")
    assert [push["status"] for push in caller.results("C/push", query="status!=Success")] == []
    assert len(caller.results("C/data/customers")) == 1
    assert caller.get(f"C/data/invoices/{invoice}")["amountDue"] == 60
    assert len(caller.results("C/data/payments")) == 2


def test_it_runs_as_a_process_with_a_log(tmp_path: Path):
    log = tmp_path / "requests.jsonl"
    with start_process(
        "codat", "--data", str(tmp_path / "c.sqlite"), "--log", str(log), "--switch", "push_ms=0"
    ) as server:
        assert httpx.get(f"{server.url}/companies").status_code == 401
        assert httpx.get(f"{server.url}/__sandbox__/connection").json()["api_key"] == "sandbox-codat-key"
    assert '"path": "/companies"' in log.read_text()


def test_a_push_that_was_taken_survives_a_kill(tmp_path: Path):
    store = str(tmp_path / "c.sqlite")
    server = start_process("codat", "--data", store, "--switch", "push_ms=700")
    url, own = server.url, httpx.get(f"{server.url}/__sandbox__/connection").json()
    path = f"/companies/{own['company_id']}/connections/{own['connection_id']}/push/customers"
    headers = {"Authorization": "Basic " + base64.b64encode(own["api_key"].encode()).decode()}
    body = {"customerName": "Acme", "status": "Active"}
    taken = httpx.post(url + path, json=body, headers=headers).json()
    server.kill()
    with start_process("codat", "--data", store) as server:
        poll = f"{server.url}/companies/{own['company_id']}/push/{taken['pushOperationKey']}"
        for _ in range(100):
            if (ended := httpx.get(poll, headers=headers).json())["status"] != "Pending":
                break
            time.sleep(0.05)
    assert ended["status"] == "Success"


def test_many_callers_at_once_each_get_their_own(caller: Caller):
    caller.running.switches.set({"push_ms": "0"})
    url = f"{caller.running.url}{caller.connection}/push/customers"

    def send(number: int) -> str:
        with httpx.Client(headers=caller.http.headers) as client:
            taken = client.post(url, json={"customerName": f"c{number}", "status": "Active"}).json()
            ended = client.get(f"{caller.running.url}{caller.company}/push/{taken['pushOperationKey']}").json()
        return str(ended["changes"][0]["recordRef"]["id"])

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(send, range(30)))
    assert len(set(made)) == 30
    caller.refresh("customers")
    by_id = {found["id"]: found["customerName"] for found in caller.results("C/data/customers")}
    assert by_id == {own: f"c{number}" for number, own in enumerate(made)}


def test_a_refresh_may_fetch_what_is_old(caller: Caller):
    caller.running.switches.set({"stale_reads_ms": "60000"})
    customer = caller.customer()
    caller.refresh("customers")
    assert caller.results("C/data/customers") == []
    caller.clock.advance(60)
    caller.refresh("customers")
    assert [found["id"] for found in caller.results("C/data/customers")] == [customer]


def test_discounts_are_links_of_their_own(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    [bank] = [record.id for record in caller.running.books.records("bank_account")]
    allocation = {"invoice": invoice, "amount": "95", "discount": "5"}
    content = {"customer": customer, "received_on": "2026-11-10", "amount": "95", "bank_account": bank}
    caller.running.books.ledger.one(CreateRecord("payment", {**content, "allocations": [allocation]}))
    caller.refresh("payments", "invoices")
    [paid] = caller.results("C/data/payments")[0]["lines"]
    assert [(link["type"], link["amount"]) for link in paid["links"]] == [("Invoice", -100), ("Discount", 5)]
    assert paid["amount"] == 95
    read = caller.get(f"C/data/invoices/{invoice}")
    assert (read["status"], read["paymentAllocations"][0]["allocation"]["totalAmount"]) == ("Paid", 100)


OPENING = """
tax_rates: {GST: {rate: "15"}}
customers: {northwind: {name: Northwind Traders, currency: USD}}
invoices:
  INV-1:
    customer: northwind
    issue_date: 2026-11-01
    lines: [{account: "4010", description: Hosting, quantity: 3, unit_price: 19.99, taxes: [GST]}]
payments:
  PMT-1:
    customer: northwind
    received_on: 2026-11-02
    amount: 50.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 50.00}]
"""


def test_opening_data_is_in_the_books(tmp_path: Path):
    seed = tmp_path / "opening.yaml"
    seed.write_text(OPENING)
    clock = ManualClock()
    with start("codat", seed=seed, switches={"initial_sync": "done"}, clock=clock) as running:
        caller = Caller(running, clock)
        [invoice] = caller.results("C/data/invoices", query="invoiceNumber=INV-1")
        assert (invoice["totalAmount"], invoice["amountDue"]) == (Decimal("68.97"), Decimal("18.97"))
        assert invoice["lineItems"][0]["taxRateRef"]["effectiveTaxRate"] == 15
        assert invoice["lineItems"][0]["quantity"] == 3
        caller.http.close()


def test_an_application_that_a_colleague_takes_back_is_shown_no_more(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer, "100")
    note = caller.pushed("creditNotes", credit_note_body(customer, "80", caller.account("4000")))
    body = payment_body(customer, None, "0", [line("0", ("Invoice", invoice, "-60"), ("CreditNote", note, "60"))])
    own = caller.pushed("payments", body)
    ledger = caller.running.books.ledger
    ledger.one(SetAllocation("credit_note", note, "invoice", invoice, Decimal(25), Decimal(60)))
    caller.refresh("payments")
    [only] = caller.get(f"C/data/payments/{own}")["lines"]
    assert [link["amount"] for link in only["links"]] == [-25, 25]
    ledger.one(SetAllocation("credit_note", note, "invoice", invoice, Decimal(0), Decimal(25)))
    caller.refresh("payments", "invoices")
    assert caller.get(f"C/data/payments/{own}")["metadata"]["isDeleted"]
    assert caller.get(f"C/data/invoices/{invoice}")["amountDue"] == 100

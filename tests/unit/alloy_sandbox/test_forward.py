"""/one/forward: the native endpoints that a payment needs, of each of the three ERPs."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord
from tests.unit.alloy_sandbox.client import HOURS, Caller

QUICKBOOKS = {"poll_minutes": "0"}
NETSUITE = {"platform": "netsuite", "poll_minutes": "0"}
CENTRAL = {"platform": "businesscentral", "poll_minutes": "0"}
switches = pytest.mark.parametrize


def two_of_one(caller: Caller) -> tuple[Any, Any]:
    """A customer and an invoice of 100."""
    customer = caller.make("customers", {"customerName": "Hooli", "email": "ap@hooli.example"})
    return customer, caller.invoice(customer["id"], 100, invoiceNumber="7452")


def test_forwarded_requests_are_texts_of_json_or_null(caller: Caller):
    asked: dict[str, Any] = {"method": "GET", "endpoint": "/query", "query": '{"query": "select * from Customer"}'}
    assert caller.ask("POST", "forward", asked).json()["QueryResponse"] == {}
    for bad in (
        {"method": None}, {"method": "LIST"}, {"endpoint": ""}, {"query": "select"}, {"body": "[]"}, {"url": "x"},
        {"extraHeaders": "no"}, {"endpoint": "/query?query=x"},
    ):  # fmt: skip
        response = caller.ask("POST", "forward", {**asked, **bad})
        assert response.status_code == 422, bad
        assert list(response.json()) == ["message"]
    own = {"query": {"query": "select * from Customer"}, "body": {}}
    assert caller.ask("POST", "forward", {**asked, **own}).status_code == 200
    caller.running.switches.set({"forward_reply": "wrapped"})
    assert caller.ask("POST", "forward", asked).json()["status"] == 200


# ---- QuickBooks ----


def test_a_quickbooks_payment_is_found_long_before_the_cache_has_it(caller: Caller):
    customer, invoice = two_of_one(caller)
    fields = {"PaymentRefNum": "PMT-1", "PrivateNote": "first"}
    made = caller.make("payments", {"customerId": customer["id"], "totalAmount": "60.50", "remoteFields": fields})
    assert caller.get("payments")["payments"] == []
    text = f"select * from Payment where CustomerRef = '{customer['remoteId']}' and PaymentRefNum = 'PMT-1'"
    answer = caller.native("GET", "/v3/company/4620816365/query", query={"query": text})["QueryResponse"]
    [found] = answer["Payment"]
    assert (answer["startPosition"], answer["maxResults"]) == (1, 1)
    assert (found["Id"], found["TotalAmt"], found["UnappliedAmt"]) == (
        made["remoteId"],
        Decimal("60.50"),
        Decimal("60.50"),
    )
    assert (found["PaymentRefNum"], found["PrivateNote"], found["Line"]) == ("PMT-1", "first", [])
    line = {"Amount": 60.5, "LinkedTxn": [{"TxnId": invoice["remoteId"], "TxnType": "Invoice"}]}
    body = {"Id": found["Id"], "SyncToken": found["SyncToken"], "sparse": True, "Line": [line]}
    applied = caller.native("POST", "/payment", body)["Payment"]
    assert (applied["UnappliedAmt"], applied["Line"][0]["Amount"]) == (0, Decimal("60.50"))
    assert caller.balance(invoice["id"]) == Decimal("39.50")
    native = caller.native("GET", f"/invoice/{invoice['remoteId']}")["Invoice"]
    assert (native["DocNumber"], native["Balance"]) == ("7452", Decimal("39.50"))
    assert native["LinkedTxn"] == [{"TxnId": found["Id"], "TxnType": "Payment"}]
    assert native["Line"][0]["SalesItemLineDetail"]["Qty"] == 1


@switches("caller", [QUICKBOOKS], indirect=True)
def test_quickbooks_payments_are_made_changed_and_deleted(caller: Caller):
    customer, invoice = two_of_one(caller)
    bank = caller.get("accounts", accountType="BANK")["accounts"][0]["remoteId"]
    line = {"Amount": 40, "LinkedTxn": [{"TxnId": invoice["remoteId"], "TxnType": "Invoice"}]}
    body = {
        "CustomerRef": {"value": customer["remoteId"]}, "TotalAmt": 40, "TxnDate": "2026-11-20", "Line": [line],
        "DepositToAccountRef": {"value": bank}, "CurrencyRef": {"value": "USD"}, "ExchangeRate": 1,
    }  # fmt: skip
    made = caller.native("POST", "/payment", body)["Payment"]
    assert (made["TxnDate"], made["DepositToAccountRef"]) == ("2026-11-20", {"value": bank})
    [listed] = caller.get("payments")["payments"]
    assert (listed["remoteId"], listed["totalAmount"]) == (made["Id"], 40)
    full = {**body, "Id": made["Id"], "SyncToken": made["SyncToken"], "TotalAmt": 50, "Line": []}
    changed = caller.native("POST", "/payment", full)["Payment"]
    assert (changed["Id"], changed["TotalAmt"], changed["UnappliedAmt"]) == (made["Id"], 50, 50)
    assert changed["SyncToken"] != made["SyncToken"]
    assert caller.balance(invoice["id"]) == 100
    stale = caller.forward("POST", "/payment", full)
    assert (stale.status_code, stale.json()["Fault"]["Error"][0]["code"]) == (400, "5010")
    gone = {"Id": made["Id"], "SyncToken": changed["SyncToken"]}
    assert caller.native("POST", "/payment", gone, {"operation": "delete"})["Payment"]["status"] == "Deleted"
    missing = caller.forward("GET", f"/payment/{made['Id']}")
    assert missing.json()["Fault"]["Error"][0]["code"] == "610"
    bads: list[dict[str, Any]] = [
        {"CustomerRef": {"value": "999"}}, {"TotalAmt": None}, {"CustomerRef": None}, {"Colour": "red"},
        {"DepositToAccountRef": {"value": "999"}}, {"Line": [{"Amount": 1}]}, {"TotalAmt": 10}, {"TxnDate": "soon"},
        {"TotalAmt": "lots"}, {"PaymentRefNum": "x" * 22},
    ]  # fmt: skip
    for bad in bads:
        response = caller.forward("POST", "/payment", {**body, **bad})
        assert (response.status_code, response.json()["Fault"]["type"]) == (400, "ValidationFault"), bad


@switches("caller", [QUICKBOOKS], indirect=True)
def test_quickbooks_queries(caller: Caller):
    customer, _ = two_of_one(caller)
    for at in range(3):
        caller.make(
            "payments", {"customerId": customer["id"], "totalAmount": 10 + at, "transactionDate": "2026-11-01"}
        )

    def ids(text: str) -> list[Any]:
        return [found["TotalAmt"] for found in query(text).get("Payment", [])]

    def query(text: str) -> Any:
        return caller.native("GET", "/query", query={"query": text})["QueryResponse"]

    assert ids("select * from Payment") == [10, 11, 12]
    assert ids("SELECT * FROM Payment WHERE TotalAmt >= '11' AND TxnDate = '2026-11-01'") == [11, 12]
    assert ids("select * from Payment where TotalAmt in ('10', '12')") == [10, 12]
    assert ids("select * from Payment startposition 2 maxresults 1") == [11]
    assert ids("select * from Payment where MetaData.LastUpdatedTime > '2030-01-01'") == []
    assert query("select count(*) from Payment where TotalAmt < '12'") == {"totalCount": 2}
    assert query("select * from Customer where DisplayName like 'Hoo%'")["Customer"][0]["Active"] is True
    assert (
        query("select * from Invoice where DocNumber = '7452' and Balance = '100'")["Invoice"][0]["TotalAmt"] == 100
    )
    for bad in (
        "delete from Payment", "select * from Bill", "select * from Payment where Colour = 'red'",
        "select * from Payment where TotalAmt = 10", "select * from Payment where TotalAmt = 'x'",
        "select * from Payment maxresults 1001",
    ):  # fmt: skip
        assert caller.forward("GET", "/query", query={"query": bad}).status_code == 400, bad


@switches("caller", [QUICKBOOKS], indirect=True)
def test_quickbooks_payments_use_credit_memos(caller: Caller):
    """A colleague's credit memo, netted with money."""
    customer, invoice = two_of_one(caller)
    ledger = caller.running.books.ledger
    [owing] = caller.running.books.records("customer")
    line = {"account": "acc-7", "unit_price": "30"}
    ledger.one(CreateRecord("credit_note", {"customer": owing.id, "issue_date": "2026-11-20", "lines": [line]}))
    [memo] = caller.native("GET", "/query", query={"query": "select * from CreditMemo"})["QueryResponse"][
        "CreditMemo"
    ]
    assert memo["RemainingCredit"] == 30
    lines = [
        {"Amount": 30, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]},
        {"Amount": 100, "LinkedTxn": [{"TxnId": invoice["remoteId"], "TxnType": "Invoice"}]},
    ]
    body = {"customerId": customer["id"], "totalAmount": 70, "remoteFields": {"Line": lines}}
    caller.make("payments", body)
    assert caller.balance(invoice["id"]) == 0
    assert caller.native("GET", f"/creditmemo/{memo['Id']}")["CreditMemo"]["RemainingCredit"] == 0


@switches("caller", [QUICKBOOKS], indirect=True)
def test_remote_fields_of_other_records_are_read_natively(caller: Caller):
    body = {"customerName": "Hooli", "remoteFields": {"Notes": "key account"}}
    customer = caller.make("customers", body)
    assert caller.native("GET", f"/customer/{customer['remoteId']}")["Customer"]["Notes"] == "key account"
    invoice = caller.invoice(customer["id"], remoteFields={"externalId": "inv-1"})
    caller.running.switches.set({"platform": "netsuite"})
    found = caller.native("GET", "/invoice", query={"q": 'externalId IS "inv-1"'})
    assert [one["id"] for one in found["items"]] == [invoice["remoteId"]]


# ---- NetSuite ----


@switches("caller", [NETSUITE], indirect=True)
def test_netsuite_payments(caller: Caller):
    customer, invoice = two_of_one(caller)
    body = {
        "customer": {"id": customer["remoteId"]}, "payment": 60, "tranDate": "2026-11-20", "memo": "first",
        "externalId": "pmt-1", "checkNumber": "4711",
        "apply": {"items": [{"doc": {"id": invoice["remoteId"]}, "apply": True, "amount": 25.5}]},
    }  # fmt: skip
    made = caller.forward("POST", "/services/rest/record/v1/customerPayment", body)
    assert (made.status_code, made.content) == (204, b"")
    own = made.headers["location"].rpartition("/")[2]
    assert caller.balance(invoice["id"]) == Decimal("74.50")
    again = caller.forward("POST", "/customerPayment", body)
    assert (again.status_code, again.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "USER_ERROR")
    read = caller.native("GET", f"/customerPayment/{own}", query={"expandSubResources": True})
    assert (read["payment"], read["applied"], read["unapplied"]) == (60, Decimal("25.50"), Decimal("34.50"))
    assert (read["externalId"], read["memo"], read["checkNumber"]) == ("pmt-1", "first", "4711")
    [applied] = read["apply"]["items"]
    assert (applied["doc"]["id"], applied["amount"], applied["due"]) == (invoice["remoteId"], Decimal("25.50"), 100)
    assert "apply" not in caller.native("GET", "/customerPayment/eid:pmt-1")
    assert caller.native("GET", f"/customerPayment/{own}/apply")["items"] == [applied]
    assert caller.native("GET", f"/customerPayment/{own}/credit")["count"] == 0
    found = caller.native(
        "GET", "/customerPayment", query={"q": f'externalId IS "pmt-1" AND customer EQUAL {customer["remoteId"]}'}
    )
    assert ([one["id"] for one in found["items"]], found["totalResults"]) == ([own], 1)
    assert caller.native("GET", "/customerPayment", query={"q": 'memo CONTAIN "second"'})["items"] == []
    whole = {"apply": {"items": [{"doc": {"id": invoice["remoteId"]}, "apply": True}]}}
    assert caller.forward("PATCH", f"/customerPayment/{own}", whole).status_code == 204
    assert caller.balance(invoice["id"]) == 40
    upserted = {"memo": "second", "apply": {"items": []}}
    assert caller.forward("PUT", "/customerPayment/eid:pmt-1", upserted).status_code == 204
    assert caller.balance(invoice["id"]) == 100
    new = {"customer": {"id": customer["remoteId"]}, "payment": 5}
    for _ in range(2):
        assert caller.forward("PUT", "/customerPayment/eid:pmt-2", new).status_code == 204
    assert [found["totalAmount"] for found in caller.get("payments")["payments"]] == [60, 5]
    native = caller.native("GET", f"/invoice/{invoice['remoteId']}")
    assert (native["tranId"], native["amountRemaining"], native["status"]["id"]) == ("7452", 100, "A")
    assert caller.native("GET", "/invoice", query={"q": 'tranId IS "7452"'})["count"] == 1
    assert caller.forward("DELETE", f"/customerPayment/{own}").status_code == 204
    assert caller.forward("GET", f"/customerPayment/{own}").status_code == 404
    bads: list[dict[str, Any]] = [
        {"customer": None}, {"payment": None}, {"colour": "red"}, {"customer": {"id": "999"}}, {"tranDate": "soon"},
        {"account": {"id": "999"}}, {"apply": {"items": [{"apply": True}]}}, {"apply": [1]},
        {"apply": {"items": [{"doc": {"id": invoice["remoteId"]}, "amount": 61}]}},
    ]  # fmt: skip
    for bad in bads:
        response = caller.forward("POST", "/customerPayment", {**body, "externalId": "pmt-3", **bad})
        assert (response.status_code, response.json()["title"]) == (400, "Bad Request"), bad
    for q in ("colour", "memo LIKE x", 'memo IS "x" OR memo IS "y"'):
        assert caller.forward("GET", "/customerPayment", query={"q": q}).status_code == 400
    assert caller.forward("GET", "/purchaseOrder").status_code == 404


@switches("caller", [NETSUITE], indirect=True)
def test_netsuite_remote_fields_and_automatic_application(caller: Caller):
    customer, invoice = two_of_one(caller)
    later = caller.invoice(customer["id"], 50)
    fields = {"apply": {"items": [{"doc": {"id": invoice["remoteId"]}, "apply": True, "amount": "10.00"}]}}
    body = {"customerId": customer["id"], "totalAmount": 10}
    caller.make("payments", {**body, "remoteFields": {**fields, "externalId": "a", "memo": "m"}})
    assert caller.balance(invoice["id"]) == 90
    assert "external ID" in caller.refused("POST", "payments", {**body, "remoteFields": {"externalId": "a"}})
    caller.refused("POST", "payments", {**body, "remoteFields": {"Line": []}})
    native = {"customer": {"id": customer["remoteId"]}, "payment": 100, "autoApply": True}
    assert caller.forward("POST", "/customerPayment", native).status_code == 204
    assert (caller.balance(invoice["id"]), caller.balance(later["id"])) == (0, 40)


# ---- Business Central ----


@switches("caller", [CENTRAL], indirect=True)
def test_business_central_payments_settle_when_their_journal_is_posted(caller: Caller):
    customer, invoice = two_of_one(caller)
    [journal] = caller.native("GET", "/api/v2.0/companies(1)/customerPaymentJournals")["value"]
    lines = f"/companies(1)/customerPaymentJournals({journal['id']})/customerPayments"
    body = {
        "customerId": customer["remoteId"], "amount": 60, "postingDate": "2026-11-20", "documentNumber": "P-1",
        "externalDocumentNumber": "4711", "description": "first", "comment": "by hand",
    }  # fmt: skip
    made = caller.forward("POST", lines, body)
    assert made.status_code == 201
    line = json.loads(made.content, parse_float=Decimal)
    assert {name: line[name] for name in body} == body
    assert caller.get("payments")["payments"] == []  # a line of a journal is nothing yet
    path = f"{lines}({line['id']})"
    changed = caller.native("PATCH", path, {"appliesToInvoiceNumber": "7452", "amount": 70})
    assert (changed["appliesToInvoiceId"], changed["amount"]) == (invoice["remoteId"], 70)
    assert caller.native("GET", lines, query={"$filter": "documentNumber eq 'P-1'"})["value"] == [changed]
    assert caller.native("GET", path) == changed
    assert caller.forward("GET", "/customerPayments").status_code == 400  # which journal?
    by_journal = {"$filter": f"journalId eq '{journal['id']}'"}
    assert caller.native("GET", "/customerPayments", query=by_journal)["value"] == [changed]
    assert caller.forward("POST", lines, {**body, "journalId": "x"}).status_code == 400
    second = caller.native(
        "POST", "/customerPayments", {**body, "documentNumber": "P-2", "journalId": journal["id"]}
    )
    assert caller.native("DELETE", f"/customerPayments({second['id']})") is None
    assert caller.balance(invoice["id"]) == 100
    assert caller.native("POST", f"/customerPaymentJournals({journal['id']})/Microsoft.NAV.post") is None
    assert caller.balance(invoice["id"]) == 30
    assert caller.native("GET", lines)["value"] == []
    [posted] = caller.get("payments")["payments"]
    assert (posted["remoteId"], posted["totalAmount"]) == (line["id"], 70)
    [entry] = caller.native("GET", "/generalLedgerEntries", query={"$filter": "documentNumber eq 'P-1'"})["value"]
    assert (entry["debitAmount"], entry["documentType"]) == (70, "Payment")
    [native] = caller.native(
        "GET", "/salesInvoices", query={"$filter": "number eq '7452' and remainingAmount gt 0"}
    )["value"]
    assert (native["remainingAmount"], native["status"], native["customerName"]) == (30, "Open", "Hooli")
    assert caller.native("GET", f"/customers({customer['remoteId']})")["displayName"] == "Hooli"
    nothing = caller.forward("POST", f"/journals({journal['id']})/Microsoft.NAV.post")
    assert (nothing.status_code, list(nothing.json()["error"])) == (400, ["code", "message"])
    bads: list[dict[str, Any]] = [
        {"customerId": None}, {"amount": None}, {"customerId": "nobody"}, {"appliesToInvoiceNumber": "no"},
        {"appliesToInvoiceId": customer["remoteId"]}, {"colour": "red"}, {"postingDate": "soon"}, {"amount": 0},
    ]  # fmt: skip
    for bad in bads:
        assert caller.forward("POST", lines, {**body, **bad}).status_code == 400, bad
    for missing in (f"{lines}(nothing)", "/customerPaymentJournals(x)/customerPayments", "/purchaseOrders"):
        assert caller.forward("GET", missing).status_code == 404
    assert caller.forward("GET", "/salesInvoices", query={"$filter": "colour eq 'red'"}).status_code == 400


@switches("caller", [CENTRAL], indirect=True)
def test_business_central_remote_fields_apply_at_once(caller: Caller):
    customer, invoice = two_of_one(caller)
    assert invoice["remoteId"].startswith("bc00")
    body = {"customerId": customer["id"], "totalAmount": 120}
    made = caller.make(
        "payments", {**body, "remoteFields": {"appliesToInvoiceNumber": "7452", "documentNumber": "P-9"}}
    )
    assert caller.balance(invoice["id"]) == 0
    [entry] = caller.native("GET", "/generalLedgerEntries")["value"]
    assert (entry["id"], entry["documentNumber"]) == (made["remoteId"], "P-9")
    caller.refused("POST", "payments", {**body, "remoteFields": {"appliesToInvoiceNumber": "9999"}})
    caller.refused("POST", "payments", {**body, "remoteFields": {"apply": {}}})
    caller.make("payments", {**body, "remoteFields": {"appliesToInvoiceId": ""}})
    caller.clock.advance(HOURS)

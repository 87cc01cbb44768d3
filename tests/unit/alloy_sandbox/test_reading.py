"""Reads: the credential, a cache that is polled, pages by number and by cursor, filters, and what records say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.commands import CreateRecord, SetAllocation, VoidDocument
from reconciler.sandboxes.serving import start
from tests.unit.alloy_sandbox.client import HOURS, Caller

FRESH = {"poll_minutes": "0"}
LISTS = {
    "company-info": "companyInfo", "accounts": "accounts", "customers": "customers", "items": "items",
    "tax-rates": "taxRates", "tracking-categories": "trackingCategories", "invoices": "invoices",
    "payments": "payments",
}  # fmt: skip
ONE = {
    "company-info": "companyInfo", "accounts": "account", "customers": "customer", "items": "item",
    "tax-rates": "taxRate", "tracking-categories": "trackingCategory", "invoices": "invoice",
    "payments": "payment",
}  # fmt: skip
switches = pytest.mark.parametrize


def fill(caller: Caller) -> dict[str, Any]:
    """One of everything that can be made."""
    account = caller.make("accounts", {"accountName": "Commissions", "accountType": "OTHER_INCOME"})
    item = {"itemName": "Commission", "itemType": "SERVICE", "billAccountId": account["id"]}
    customer = caller.customer()
    return {
        "item": caller.make("items", item),
        "customer": customer,
        "invoice": caller.invoice(customer, invoiceNumber="7452"),
        "payment": caller.make("payments", {"customerId": customer, "totalAmount": 10}),
    }


@switches("caller", [FRESH], indirect=True)
def test_every_list_count_and_record_is_there(caller: Caller):
    fill(caller)
    for path, key in LISTS.items():
        listed = caller.get(path)
        assert set(listed) == {key, "pageInfo", "syncInfo"}
        assert listed[key], path
        assert caller.get(f"{path}/count") == {"count": len(listed[key])}
        for record in listed[key]:
            read = caller.get(f"{path}/{record['id']}")
            assert set(read) == {ONE[path], "syncInfo"}
            assert read[ONE[path]] == record
        assert caller.refused("GET", f"{path}/00000000-0000-0000-0000-000000000000", status=404)
        assert caller.refused("GET", f"{path}/nonsense", status=404)


def test_what_the_documents_do_not_have_is_not_found(caller: Caller):
    for path in ("credit-notes", "attachments", "payment-terms", "bank-accounts", "vendors", "payment-methods"):
        assert "Cannot GET" in caller.refused("GET", path, status=404)
    for path in ("tax-rates", "tracking-categories", "company-info"):
        caller.refused("POST", path, {}, status=404)
    caller.refused("DELETE", "invoices", status=404)


def test_keys_credentials_and_versions(caller: Caller):
    url = f"{caller.running.url}/2024-03/one/accounting/accounts"
    key = caller.running.connection["api_key"]
    own = {"credentialId": caller.credential}

    def status(url: str = url, authorization: str = f"Bearer {key}", **query: str) -> int:
        response = httpx.get(url, params=query or own, headers={"Authorization": authorization})
        if response.status_code != 200:
            assert list(response.json()) == ["message"]
        return response.status_code

    assert status() == status(authorization=f"bearer {key}") == status(connectionId=caller.credential) == 200
    assert status(authorization="Bearer wrong") == status(authorization=f"Basic {key}") == 401
    assert httpx.get(url, params=own).status_code == 401
    assert status(pageSize="2") == 400
    assert status(credentialId="other") == status(credentialId=caller.credential, connectionId="other") == 404
    assert status(url.replace("2024-03", "2023-12")) == 404
    caller.running.switches.set({"versions": "2023-12,2024-03", "credential_parameter": "connectionId"})
    assert status(url.replace("2024-03", "2023-12"), connectionId=caller.credential) == 200
    assert status() == 400


def test_lists_are_as_old_as_the_last_poll_and_records_are_fresh(caller: Caller):
    caller.clock.advance(60)
    made = fill(caller)
    invoice = made["invoice"]["id"]
    before = caller.get("invoices")
    assert before["invoices"] == []
    assert caller.get("invoices/count") == {"count": 0}
    assert caller.get(f"invoices/{invoice}")["invoice"]["balance"] == 100
    assert before["syncInfo"] == {
        "lastSyncedAt": "2026-11-22T12:00:00.000Z",
        "nextSyncAt": "2026-11-23T00:00:00.000Z",
    }
    caller.clock.advance(12 * HOURS)
    [listed] = caller.get("invoices")["invoices"]
    assert listed == caller.get(f"invoices/{invoice}")["invoice"]
    assert listed["createdAt"] == "2026-11-23T00:00:00.000Z"  # the cache's time: that of the poll
    assert listed["remoteCreatedAt"] == "2026-11-22T12:01:00.000Z"
    caller.change(f"invoices/{invoice}", {"memo": "changed"})
    assert caller.get("invoices")["invoices"] == [listed]
    caller.clock.advance(12 * HOURS)
    assert caller.get("invoices")["invoices"][0]["memo"] == "changed"
    assert caller.get("invoices", updatedAtMin="2026-11-23T00:00:00.001Z")["invoices"][0]["memo"] == "changed"
    assert caller.get("invoices", createdAtMin="2026-11-23T00:00:00.001Z")["invoices"] == []


def test_balances_in_lists_are_those_of_the_last_poll(caller: Caller):
    invoice = fill(caller)["invoice"]
    caller.clock.advance(13 * HOURS)
    ledger = caller.running.books.ledger
    [payment] = caller.running.books.records("payment")
    [posted] = caller.running.books.records("invoice")
    ledger.one(SetAllocation("payment", payment.id, "invoice", posted.id, Decimal(10)))
    assert caller.get("invoices")["invoices"][0]["balance"] == 100
    assert caller.balance(invoice["id"]) == 90
    caller.clock.advance(12 * HOURS)
    assert caller.get("invoices")["invoices"][0]["balance"] == 90


@switches("caller", [{"write_through": "1"}], indirect=True)
def test_writes_can_go_through_the_cache(caller: Caller):
    invoice = fill(caller)["invoice"]
    assert [found["id"] for found in caller.get("invoices")["invoices"]] == [invoice["id"]]
    caller.running.books.ledger.one(
        CreateRecord("customer", {"name": "A colleague's"})
    )  # what others write waits for the poll
    assert [found["customerName"] for found in caller.get("customers")["customers"]] == ["Hooli"]
    caller.take("DELETE", f"accounting/invoices/{invoice['id']}")
    assert caller.get("invoices")["invoices"][0]["remoteDeleted"] is True


@switches("caller", [{"by_id": "cache"}], indirect=True)
def test_reads_by_id_can_be_of_the_cache(caller: Caller):
    customer = caller.customer()
    caller.refused("GET", f"customers/{customer}", status=404)
    caller.clock.advance(12 * HOURS)
    assert caller.get(f"customers/{customer}")["customer"]["customerName"] == "Hooli"


@switches("caller", [FRESH | {"stale_reads_ms": "5000"}], indirect=True)
def test_reads_can_lag_by_a_fixed_time(caller: Caller):
    caller.clock.advance(10)
    caller.customer()
    assert caller.get("customers")["customers"] == []
    caller.clock.advance(6)
    assert len(caller.get("customers")["customers"]) == 1


def many(caller: Caller, count: int) -> list[str]:
    return [caller.customer(f"Customer {at:03d}") for at in range(count)]


@switches("caller", [FRESH], indirect=True)
def test_pages_by_number_and_by_cursor(caller: Caller):
    made = many(caller, 7)
    by_number = [
        found["id"] for page in (1, 2, 3, 4)
        for found in caller.get("customers", pageNumber=page, pageSize=3)["customers"]
    ]  # fmt: skip
    assert by_number == made
    by_cursor, query = [], {}
    while True:
        page = caller.get("customers", pageSize=3, **query)
        by_cursor += [found["id"] for found in page["customers"]]
        if not page["pageInfo"]["hasNext"]:
            assert page["pageInfo"]["nextCursor"] is None
            break
        query = {"cursor": page["pageInfo"]["nextCursor"]}
    assert by_cursor == made
    for bad in (
        {"pageSize": "0"}, {"pageSize": "101"}, {"pageSize": "x"}, {"pageNumber": "0"}, {"pageNumber": "x"},
        {"cursor": "nonsense"}, {"cursor": "e30="}, {"cursor": "e30=", "pageNumber": "1"},
    ):  # fmt: skip
        caller.refused("GET", "customers", **bad)
    many_more = caller.get("accounts")["accounts"]
    assert len(many_more) == 13  # fewer than the usual page of 50


@switches(
    ("caller", "offered", "other"),
    [
        (FRESH | {"paging": "pages"}, {"pageNumber": "2"}, {"cursor": "x"}),
        (FRESH | {"paging": "cursor"}, {}, {"pageNumber": "2"}),
    ],
    indirect=["caller"],
)
def test_one_way_of_paging_alone(caller: Caller, offered: dict[str, str], other: dict[str, str]):
    many(caller, 5)
    page = caller.get("customers", pageSize=3, **offered)
    assert ("pageInfo" in page) == (caller.running.switches.text("paging") == "cursor")
    assert "not allowed" in caller.refused("GET", "customers", **other)
    caller.running.switches.set({"unknown_filters": "ignore"})
    assert caller.get("customers", pageSize=3, **other)["customers"]


@switches("caller", [FRESH | {"list_key": "data"}], indirect=True)
def test_lists_under_data(caller: Caller):
    caller.customer()
    assert [found["customerName"] for found in caller.get("customers")["data"]] == ["Hooli"]


@switches(("how", "expected"), [("lost", [0, 1, 3, 4]), ("twice", [0, 1, 1, 2])])
def test_pages_can_drift(how: str, expected: list[int]):
    clock = ManualClock()
    faults = FRESH | {"page_drift": "at:1", "page_drift_how": how}
    with start("alloy", switches=faults, clock=clock) as running:
        caller = Caller(running, clock)
        seen = []
        with caller.http:
            made = many(caller, 5)
            for page in (1, 2):
                found = caller.get("customers", pageNumber=page, pageSize=2)["customers"]
                seen += [made.index(one["id"]) for one in found]
        assert seen == expected


@switches("caller", [FRESH], indirect=True)
def test_filters(caller: Caller):
    made = fill(caller)
    other = caller.customer("Pied Piper")
    caller.invoice(other, "250", invoiceNumber="7453", memo="Second of two", issueDate="2026-11-01")
    customer, remote = made["customer"], caller.get(f"invoices/{made['invoice']['id']}")["invoice"]["remoteId"]

    def numbers(**query: object) -> list[str]:
        found = [invoice["invoiceNumber"] for invoice in caller.get("invoices", **query)["invoices"]]
        assert caller.get("invoices/count", **query) == {"count": len(found)}
        return found

    assert numbers() == ["7452", "7453"]
    assert numbers(invoiceNumber="7452") == numbers(customerId=customer) == numbers(remoteId=remote) == ["7452"]
    assert numbers(invoiceNumberContains="745", invoiceNumberNotEquals="7453") == ["7452"]
    assert numbers(memoContains="second") == numbers(issueDate="2026-11-01") == ["7453"]
    assert numbers(memoNotEquals="Second of two") == ["7452"]
    assert numbers(totalAmountMin="100", totalAmountMax="249.99") == numbers(totalAmount="100.0") == ["7452"]
    assert numbers(totalAmountNotEquals="100", currency="USD") == numbers(balanceMin="250") == ["7453"]
    assert numbers(createdAtMax="2026-11-22T12:00:00.000Z") == ["7452", "7453"]
    assert numbers(updatedAtMin="2026-11-22T12:00:00.001Z") == numbers(remoteUpdatedAtMin="2026-11-23") == []
    for bad in ({"issueDateMin": "2026-01-01"}, {"customerIdContains": "x"}, {"colour": "red"}):
        assert "not allowed" in caller.refused("GET", "invoices", **bad)
    for bad in ({"totalAmountMin": "lots"}, {"issueDate": "yesterday"}, {"updatedAtMin": "now"}):
        caller.refused("GET", "invoices", **bad)
    caller.running.switches.set({"unknown_filters": "ignore"})
    assert numbers(colour="red") == ["7452", "7453"]
    payments = caller.get("payments", customerId=customer, totalAmountMin="9", transactionDate="2026-11-22")
    assert [found["totalAmount"] for found in payments["payments"]] == [10]
    assert caller.get("items", itemName="Commission")["items"][0]["id"] == made["item"]["id"]
    found = caller.get("accounts", accountType="ACCOUNTS_RECEIVABLE", classification="ASSET")["accounts"]
    assert [account["accountName"] for account in found] == ["Accounts receivable"]
    assert caller.get("customers", customerName="Pied Piper")["customers"][0]["id"] == other


@switches("caller", [FRESH | {"timestamps": "createdTimestamp"}], indirect=True)
def test_times_of_the_older_documents(caller: Caller):
    caller.customer()
    [customer] = caller.get("customers", updatedAtMin="1795348800000", createdAtMax="2026-11-22T12:00:00Z")[
        "customers"
    ]
    assert customer["createdTimestamp"] == customer["updatedTimestamp"] == 1795348800000
    assert "createdAt" not in customer
    assert caller.get("customers", updatedAtMin="1795348800001")["customers"] == []


@switches(
    "caller",
    [FRESH | {"invoice_status": "derived", "payment_dates": "date", "account_balances": "0"}],
    indirect=True,
)
def test_statuses_dates_and_balances_as_other_switches_have_them(caller: Caller):
    made = fill(caller)
    path = f"invoices/{made['invoice']['id']}"
    assert caller.get(path)["invoice"]["invoiceStatus"] == "OPEN"
    link = [{"Amount": 10, "LinkedTxn": [{"TxnId": made["invoice"]["remoteId"], "TxnType": "Invoice"}]}]
    caller.change(f"payments/{made['payment']['id']}", {"remoteFields": {"Line": link}})
    assert caller.get(path)["invoice"]["invoiceStatus"] == "PARTIALLY_PAID"
    link[0]["Amount"] = 100
    caller.change(f"payments/{made['payment']['id']}", {"totalAmount": 100, "remoteFields": {"Line": link}})
    paid = caller.get(path)["invoice"]
    assert (paid["invoiceStatus"], paid["balance"], paid["paidOnDate"]) == ("PAID", 0, "2026-11-22")
    assert made["payment"]["transactionDate"] == "2026-11-22"
    assert caller.get("accounts")["accounts"][0]["currentBalance"] is None


@switches("caller", [FRESH], indirect=True)
def test_accounts_say_what_the_books_do(caller: Caller):
    made = fill(caller)
    accounts = {found["accountName"]: found for found in caller.get("accounts")["accounts"]}
    shown = {name: (one["accountType"], one["currentBalance"]) for name, one in accounts.items()}
    assert shown["Accounts receivable"] == ("ACCOUNTS_RECEIVABLE", 90)
    assert shown["Sales"] == ("INCOME", 100)
    assert shown["Undeposited funds"] == ("OTHER_CURRENT_ASSET", 10)
    assert shown["Commissions"] == ("OTHER_INCOME", 0)
    assert made["payment"]["accountId"] == accounts["Undeposited funds"]["id"]
    assert accounts["Commissions"]["accountNumber"] is None


@switches("caller", [FRESH], indirect=True)
def test_what_a_colleague_voids_is_deleted(caller: Caller):
    path = f"invoices/{fill(caller)['invoice']['id']}"
    [invoice] = caller.running.books.records("invoice")
    caller.running.books.ledger.one(VoidDocument("invoice", invoice.id))
    voided = caller.get(path)["invoice"]
    assert (voided["remoteDeleted"], voided["balance"], voided["invoiceStatus"]) == (True, 0, None)
    caller.running.switches.set({"deleted": "gone"})
    caller.refused("GET", path, status=404)
    assert caller.get("invoices")["invoices"] == []
    caller.refused("PUT", path, {"memo": "x"}, status=404)

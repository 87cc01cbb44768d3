"""Junk in every field of every request: refused or taken, never a fault of the sandbox, and books that balance."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from reconciler.sandboxes.alloy import requests
from tests.unit.alloy_sandbox.client import Caller

JUNK: list[Any] = [
    None, True, 0, -1, 10**17, 0.1, "", "x", "1e5", "a\u0000b", "\u202e", "x" * 5000, [], {}, [{}], {"a": 1},
    "0001-01-01", "9999-12-31", "2026-13-01", "XXX", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
FIELDS = {
    "accounts": requests.Account,
    "customers": requests.Customer,
    "items": requests.Item,
    "invoices": requests.Invoice,
    "payments": requests.Payment,
}
NATIVE = {
    "quickbooks": (
        "/payment",
        "CustomerRef TotalAmt Line TxnDate PaymentRefNum CurrencyRef ExchangeRate Id",
    ),
    "netsuite": (
        "/customerPayment",
        "customer payment apply credit tranDate memo externalId tranId currency account",
    ),
    "businesscentral": (
        "/customerPaymentJournals(a1100000-000b-4000-8000-000000000001)/customerPayments",
        "customerId amount postingDate appliesToInvoiceId appliesToInvoiceNumber documentNumber comment",
    ),
}


@pytest.mark.parametrize("path", FIELDS)
def test_junk_in_the_apis_own_fields(caller: Caller, path: str):
    account, customer = caller.get("accounts")["accounts"][3]["id"], caller.customer()
    good: dict[str, dict[str, Any]] = {
        "accounts": {"accountName": "Odd", "accountType": "BANK"},
        "customers": {"customerName": "Odd"},
        "items": {"itemName": "Odd", "itemType": "SERVICE", "billAccountId": account},
        "invoices": {"customerId": customer, "lineItems": [{"totalAmount": 10}]},
        "payments": {"customerId": customer, "totalAmount": 10},
    }
    caller.running.switches.set({"duplicate_names": "allow"})
    bodies = [{**good[path], field: junk} for field in get_type_hints(FIELDS[path]) for junk in JUNK]
    if path == "invoices":
        lines = get_type_hints(requests.LineItem)
        bodies += [
            {**good[path], "lineItems": [{"totalAmount": 10, field: junk}]} for field in lines for junk in JUNK
        ]
    for body in bodies:
        response = caller.ask("POST", f"accounting/{path}", body)
        assert response.status_code in (200, 422), (body, response.text)
        if response.status_code == 200:
            [made] = response.json().values()
            again = caller.ask("PUT", f"accounting/{path}/{made['id']}", body)
            assert again.status_code in (200, 422), (body, again.text)


@pytest.mark.parametrize("platform", NATIVE)
def test_junk_in_the_erps_own_fields(caller: Caller, platform: str):
    customer = caller.make("customers", {"customerName": "Hooli"})
    caller.running.switches.set({"platform": platform})
    own = caller.get(f"customers/{customer['id']}")["customer"]["remoteId"]
    good: dict[str, dict[str, Any]] = {
        "quickbooks": {"CustomerRef": {"value": own}, "TotalAmt": 10},
        "netsuite": {"customer": {"id": own}, "payment": 10},
        "businesscentral": {"customerId": own, "amount": 10},
    }
    endpoint, fields = NATIVE[platform]
    assert caller.forward("POST", endpoint, good[platform]).status_code in (200, 201, 204)
    for field in fields.split():
        for junk in JUNK:
            response = caller.forward("POST", endpoint, {**good[platform], field: junk})
            assert response.status_code in (200, 201, 204, 400), (field, junk, response.text)

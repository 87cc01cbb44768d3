"""Writes: masters, invoices and payments; what is refused, and what the books say afterwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from reconciler.sandboxes.ledger.commands import ClosePeriod
from tests.unit.alloy_sandbox.client import Caller

FRESH = {"poll_minutes": "0"}
NOBODY = "00000000-0000-0000-0000-000000000000"
switches = pytest.mark.parametrize


def account(caller: Caller, kind: str) -> Any:
    return caller.get("accounts", accountType=kind)["accounts"][0]


# ---- masters ----


def test_an_account_is_made_changed_and_deleted(caller: Caller):
    parent = account(caller, "INCOME")
    body = {
        "accountName": "Licences", "accountType": "OTHER_INCOME", "currency": "USD", "accountNumber": "4711",
        "accountDescription": "What is licensed", "parentAccountId": parent["id"], "classification": "REVENUE",
    }  # fmt: skip
    made = caller.make("accounts", body)
    assert {name: made[name] for name in body} == body
    path = f"accounts/{made['id']}"
    changed = caller.change(
        path, {"accountName": "Royalties", "accountStatus": "INACTIVE", "parentAccountId": None}
    )
    assert (changed["accountName"], changed["accountStatus"]) == ("Royalties", "INACTIVE")
    assert (changed["parentAccountId"], changed["accountNumber"]) == (None, "4711")
    assert caller.take("DELETE", f"accounting/{path}") == {"code": 200}
    assert caller.get(path)["account"]["remoteDeleted"] is True
    caller.refused("PUT", path, {"accountName": "x"}, status=404)
    caller.refused("DELETE", path, status=404)
    for bad in (
        {"accountName": "Half"}, {"accountName": "", "accountType": "BANK"}, {"accountType": "BANK"},
        {"accountName": "Odd", "accountType": "PURSE"}, {"accountName": 1, "accountType": "BANK"},
        {"accountName": "Odd", "accountType": "BANK", "classification": "REVENUE"},
        {"accountName": "Odd", "accountType": "BANK", "parentAccountId": NOBODY},
        {"accountName": "Odd", "accountType": "BANK", "companyId": NOBODY},
        {"accountName": "Odd", "accountType": "BANK", "currency": "dollars"},
        {"accountName": "Odd", "accountType": "BANK", "colour": "red"},
    ):  # fmt: skip
        caller.refused("POST", "accounts", bad)


def test_a_customer_is_made_changed_and_deleted(caller: Caller):
    made = caller.make(
        "customers",
        {
            "customerName": "Hooli", "email": "ap@hooli.example", "taxNumber": "US-1", "customerStatus": "PENDING",
            "currency": "USD",
            "addresses": [{"addressType": "SHIPPING", "street1": "1 Loop", "countrySubdivision": "CA"}],
            "phoneNumbers": [{"phoneNumberType": "MOBILE", "phoneNumber": "1"}, {"phoneNumber": "2"}],
        },
    )  # fmt: skip
    assert (made["customerStatus"], made["email"], made["taxNumber"]) == ("PENDING", "ap@hooli.example", "US-1")
    assert made["addresses"][0]["street1"] == "1 Loop"
    assert made["addresses"][0]["zipCode"] is None
    assert [phone["phoneNumber"] for phone in made["phoneNumbers"]] == ["1", "2"]
    path = f"customers/{made['id']}"
    caller.clock.advance(1)
    changed = caller.change(
        path, {"customerName": "Hooli XYZ", "email": None, "phoneNumbers": {"phoneNumber": "3"}}
    )
    assert (changed["customerName"], changed["email"], changed["taxNumber"]) == ("Hooli XYZ", None, "US-1")
    assert (changed["addresses"], changed["phoneNumbers"][0]["phoneNumber"]) == (made["addresses"], "3")
    assert changed["remoteUpdatedAt"] > made["remoteUpdatedAt"]
    assert caller.change(path, {"customerStatus": "INACTIVE"})["customerStatus"] == "INACTIVE"
    assert caller.take("DELETE", f"accounting/{path}") == {"code": 200}
    caller.refused("POST", "invoices", {"customerId": made["id"], "lineItems": [{"totalAmount": 1}]})
    for bad in (
        {}, {"customerName": None}, {"customerName": "Odd", "addresses": "Main Street"},
        {"customerName": "Odd", "addresses": [{"street": "Main Street"}]},
        {"customerName": "Odd", "terms": "Net 30"}, {"customerName": "Odd", "customerStatus": "SLEEPING"},
        {"customerName": "x" * 300}, [],
    ):  # fmt: skip
        caller.refused("POST", "customers", bad)
    caller.refused("PUT", path.replace(made["id"], NOBODY), {"email": "x"}, status=404)
    caller.refused("PUT", path, {}, status=422)


def test_names_repeat_only_where_the_erp_lets_them(caller: Caller):
    own = caller.customer()
    assert "Duplicate Name" in caller.refused("POST", "customers", {"customerName": "hooli"})
    other = caller.customer("Pied Piper")
    assert "Duplicate Name" in caller.refused("PUT", f"customers/{other}", {"customerName": "Hooli"})
    assert caller.change(f"customers/{own}", {"customerName": "Hooli"})["id"] == own
    caller.running.switches.set({"platform": "businesscentral"})
    assert caller.customer() != own
    caller.running.switches.set({"duplicate_names": "refuse"})
    assert "Duplicate Name" in caller.refused("POST", "customers", {"customerName": "Hooli"})
    caller.running.switches.set({"duplicate_names": "allow", "platform": "netsuite"})
    assert caller.customer() != own


def test_items_have_rules(caller: Caller):
    expense, income = account(caller, "EXPENSE")["id"], account(caller, "INCOME")["id"]
    stock = account(caller, "OTHER_CURRENT_ASSET")["id"]
    plain = {"itemName": "Shirt", "itemType": "SERVICE", "billAccountId": expense}
    made = caller.make("items", {**plain, "invoiceAccountId": income, "purchasePrice": "3.50"})
    assert (made["invoiceAccountId"], made["billAccountId"], str(made["purchasePrice"])) == (
        income,
        expense,
        "3.50",
    )
    assert (made["itemStatus"], made["unitPrice"], made["qtyOnHand"]) == ("ACTIVE", None, None)
    inventory = {**plain, "itemName": "Hat", "itemType": "INVENTORY"}
    full = {**inventory, "qtyOnHand": 10, "assetAccountId": stock, "unitPrice": "12.34"}
    hat = caller.make("items", full)
    assert (hat["qtyOnHand"], str(hat["unitPrice"]), hat["assetAccountId"]) == (10, "12.34", stock)
    path = f"items/{hat['id']}"
    assert str(caller.change(path, {"unitPrice": 13, "itemStatus": "ARCHIVED"})["unitPrice"]) == "13"
    caller.refused("PUT", path, {"unitPrice": None})
    for name in ("itemName", "itemType", "billAccountId"):
        left = {key: value for key, value in plain.items() if key != name}
        assert f'"{name}" is required' in caller.refused("POST", "items", left)
    for name in ("qtyOnHand", "assetAccountId", "unitPrice"):
        left = {key: value for key, value in full.items() if key != name}
        assert f'"{name}" is required' in caller.refused("POST", "items", {**left, "itemName": "Cap"})
    for name in ("qtyOnHand", "unitPrice"):
        assert f'"{name}" is not allowed' in caller.refused("POST", "items", {**plain, "itemName": "Cap", name: 1})
    caller.refused("POST", "items", {**plain, "itemName": "Cap", "billAccountId": NOBODY})
    assert caller.take("DELETE", f"accounting/{path}") == {"code": 200}


def test_requests_must_be_json_objects(caller: Caller):
    url = f"{caller.running.url}/2024-03/one/accounting/customers?credentialId={caller.credential}"
    own = dict(caller.http.headers)
    json = {**own, "Content-Type": "application/json"}
    assert httpx.post(url, headers=json, content=b"{").status_code == 400
    assert httpx.post(url, headers=json, content=b'{"customerName":"a","customerName":"b"}').status_code == 400
    assert httpx.post(url, headers={**own, "Content-Type": "text/plain"}, content=b"{}").status_code == 415
    caller.running.switches.set({"unknown_fields": "ignore"})
    body = {"customerName": "Odd", "colour": "red", "addresses": [{"street1": "1 Loop", "lift": 2}]}
    made = caller.make("customers", body | {"phoneNumbers": {"phoneNumber": "1", "colour": "red"}})
    assert (made["addresses"][0]["street1"], made["phoneNumbers"][0]["phoneNumber"]) == ("1 Loop", "1")


# ---- invoices ----


def test_an_invoice_says_all_that_it_was_given(caller: Caller):
    customer = caller.customer()
    income = caller.get("accounts", accountNumber="4010")["accounts"][0]["id"]
    item = caller.make("items", {"itemName": "Hour", "itemType": "SERVICE", "billAccountId": income})["id"]
    tracking = {
        found["trackingCategoryName"]: found["id"]
        for found in caller.get("tracking-categories")["trackingCategories"]
    }
    made = caller.invoice(
        customer,
        invoiceNumber="A-1", issueDate="2026-11-20T00:00:00.000Z", dueDate="2026-12-20", memo="Thanks",
        totalDiscount="5.00", totalTaxAmount=9.5, trackingCategories=[tracking["North"]],
        totalAmount=Decimal("104.5"), balance="104.50", subTotal=95, exchangeRate="1", currency="USD",
        lineItems=[
            {"accountingItemId": item, "unitPrice": "12.50", "quantity": 4, "totalAmount": 50,
             "description": "Hours"},
            {"accountId": income, "totalAmount": "50.00", "trackingCategoryId": tracking["Sales"],
             "trackingCategoryIds": [tracking["Sales"], tracking["South"]]},
        ],
    )  # fmt: skip
    assert (made["issueDate"], made["dueDate"], made["memo"]) == ("2026-11-20", "2026-12-20", "Thanks")
    assert (made["subTotal"], made["totalDiscount"], made["totalTaxAmount"]) == (95, 5, Decimal("9.5"))
    assert made["totalAmount"] == made["balance"] == Decimal("104.50")
    assert made["trackingCategories"] == [tracking["North"]]
    first, second = made["lineItems"]
    assert (first["quantity"], first["unitPrice"], first["totalAmount"]) == (4, Decimal("12.50"), 50)
    assert (first["accountingItemId"], first["description"]) == (item, "Hours")
    assert (second["accountId"], second["accountingItemId"]) == (income, None)
    assert set(second["trackingCategoryIds"]) == {tracking["Sales"], tracking["South"]}


def test_an_invoice_may_say_very_little(caller: Caller):
    customer = caller.customer()
    made = caller.make("invoices", {"customerId": customer, "lineItems": [{"totalAmount": "2373.45"}]})
    assert (made["issueDate"], made["dueDate"], made["invoiceStatus"]) == ("2026-11-22", "2026-11-22", None)
    assert made["invoiceNumber"]
    assert (made["totalAmount"], made["subTotal"], made["paidOnDate"]) == (Decimal("2373.45"), None, None)


BAD_INVOICES: list[dict[str, Any]] = [
    {"customerId": NOBODY}, {"customerId": None}, {"lineItems": []}, {"lineItems": [{}]}, {"lineItems": None},
    {"lineItems": [{"description": "x"}]}, {"lineItems": [{"totalAmount": "ten"}]},
    {"lineItems": [{"totalAmount": True}]}, {"lineItems": [{"totalAmount": 10, "taxRateId": NOBODY}]},
    {"lineItems": [{"totalAmount": 10, "quantity": 2}]}, {"lineItems": [{"unitPrice": 5, "quantity": 0}]},
    {"lineItems": [{"totalAmount": 11, "quantity": 2, "unitPrice": 5}]},
    {"lineItems": [{"totalAmount": 10, "accountingItemId": NOBODY}]},
    {"lineItems": [{"totalAmount": 10, "accountId": NOBODY}]},
    {"lineItems": [{"totalAmount": 10, "trackingCategoryId": NOBODY}]},
    {"lineItems": [{"totalAmount": 10, "currency": "EUR"}], "currency": "USD"},
    {"lineItems": [{"totalAmount": "10.001"}], "totalAmount": "10.001"},
    {"issueDate": "20.11.2026"}, {"issueDate": "2026-02-30"}, {"dueDate": 20261120}, {"balance": 99},
    {"lineItems": [{"totalAmount": "10.5", "unitPrice": "10.5"}], "currency": "JPY", "exchangeRate": "0.01"},
    {"totalAmount": "100.01"}, {"subTotal": 1}, {"totalDiscount": 101}, {"totalDiscount": -1},
    {"totalTaxAmount": -1},
    {"currency": "dollars"}, {"currency": "EUR"}, {"exchangeRate": "2"}, {"purchaseOrders": [NOBODY]},
    {"trackingCategories": [NOBODY]}, {"creditNotes": []}, {"invoiceStatus": "PAID"}, {"companyId": NOBODY},
]  # fmt: skip


def test_invoices_that_are_refused_leave_nothing(caller: Caller):
    customer = caller.customer()
    control = account(caller, "ACCOUNTS_RECEIVABLE")["id"]
    good = {"customerId": customer, "lineItems": [{"totalAmount": 100}]}
    for bad in [*BAD_INVOICES, {"lineItems": [{"totalAmount": 1, "accountId": control}]}]:
        caller.refused("POST", "invoices", {**good, **bad})
    caller.running.books.ledger.one(ClosePeriod(date(2026, 10, 31)))
    assert "closed" in caller.refused("POST", "invoices", {**good, "issueDate": "2026-10-31"})
    assert caller.running.books.records("invoice") == []


def test_foreign_currency_needs_a_rate(caller: Caller):
    customer = caller.customer()
    made = caller.invoice(customer, currency="EUR", exchangeRate="1.10")
    assert (made["currency"], made["exchangeRate"]) == ("EUR", Decimal("1.10"))
    body = {"customerId": customer, "totalAmount": 100, "currency": "EUR"}
    caller.refused("POST", "payments", body)
    line = {"quantity": "1.5", "unitPrice": "7", "totalAmount": "11"}
    yen = caller.invoice(customer, currency="JPY", exchangeRate="0.0065", lineItems=[line])
    assert (yen["totalAmount"], yen["lineItems"][0]["totalAmount"]) == (11, 11)
    assert caller.make("payments", {**body, "exchangeRate": "1.20"})["exchangeRate"] == Decimal("1.20")


def test_numbers_repeat_unless_the_erp_minds(caller: Caller):
    customer = caller.customer()
    one = caller.invoice(customer, invoiceNumber="7452")
    two = caller.invoice(customer, invoiceNumber="7452")
    assert one["id"] != two["id"]
    caller.running.switches.set({"duplicate_numbers": "refuse"})
    lines = [{"totalAmount": 1}]
    refused = caller.refused(
        "POST", "invoices", {"customerId": customer, "lineItems": lines, "invoiceNumber": "7452"}
    )
    assert "Duplicate" in refused
    three = caller.invoice(customer, invoiceNumber="7453")
    caller.refused("PUT", f"invoices/{three['id']}", {"invoiceNumber": "7452"})
    assert caller.change(f"invoices/{three['id']}", {"invoiceNumber": "7453"})["id"] == three["id"]


@switches("caller", [FRESH], indirect=True)
def test_an_invoice_changes_under_its_own_ids(caller: Caller):
    customer, other = caller.customer(), caller.customer("Pied Piper")
    made = caller.invoice(customer, invoiceNumber="7452")
    path = f"invoices/{made['id']}"
    caller.clock.advance(1)
    changed = caller.change(
        path,
        {"invoiceNumber": "7453", "customerId": other, "issueDate": "2026-11-30",
         "lineItems": [{"unitPrice": 25, "quantity": "2"}]},
    )  # fmt: skip
    assert (changed["id"], changed["remoteId"]) == (made["id"], made["remoteId"])
    assert changed["remoteCreatedAt"] == made["remoteCreatedAt"] < changed["remoteUpdatedAt"]
    assert (changed["invoiceNumber"], changed["customerId"], changed["balance"]) == ("7453", other, 50)
    assert (changed["issueDate"], changed["dueDate"]) == ("2026-11-30", "2026-11-30")
    again = caller.change(path, {"memo": "Thanks", "dueDate": "2026-12-31"})
    assert (again["memo"], again["dueDate"], again["balance"]) == ("Thanks", "2026-12-31", 50)
    assert caller.change(path, {"memo": None})["memo"] is None
    assert [found["id"] for found in caller.get("invoices")["invoices"]] == [made["id"]]
    caller.refused("PUT", path, {"balance": 0})
    caller.refused("PUT", path, {"lineItems": []})
    caller.refused("PUT", f"invoices/{NOBODY}", {"memo": "x"}, status=404)
    assert caller.take("DELETE", f"accounting/{path}") == {"code": 200}
    assert caller.get(path)["invoice"]["remoteDeleted"] is True
    caller.refused("DELETE", path, status=404)


# ---- payments ----


@switches("caller", [FRESH], indirect=True)
def test_a_payment_moves_no_balance_by_itself(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer)
    bank = account(caller, "BANK")["id"]
    body = {"customerId": customer, "totalAmount": "100.00", "transactionDate": "2026-11-23", "accountId": bank}
    made = caller.make("payments", {**body, "exchangeRate": "1", "currency": "USD"})
    assert (made["transactionDate"], made["accountId"]) == ("2026-11-23T00:00:00.000Z", bank)
    assert caller.balance(invoice["id"]) == 100
    assert caller.get("payments", customerId=customer)["payments"] == [made]


def linked(invoice: Any, amount: object) -> dict[str, Any]:
    return {"Line": [{"Amount": amount, "LinkedTxn": [{"TxnId": invoice["remoteId"], "TxnType": "Invoice"}]}]}


@switches("caller", [FRESH], indirect=True)
def test_remote_fields_apply_a_payment(caller: Caller):
    customer = caller.customer()
    one, two = caller.invoice(customer), caller.invoice(customer, 60)
    body = {"customerId": customer, "totalAmount": 100, "remoteFields": linked(one, "40.00")}
    made = caller.make("payments", body)
    path = f"payments/{made['id']}"
    assert caller.balance(one["id"]) == 60
    both = {"Line": linked(one, 30)["Line"] + linked(two, 60)["Line"], "PrivateNote": "split"}
    assert caller.change(path, {"remoteFields": both})["id"] == made["id"]
    assert (caller.balance(one["id"]), caller.balance(two["id"])) == (70, 0)
    for name in ("PUT", "DELETE"):
        assert "applied" in caller.refused(
            name, f"invoices/{two['id']}", {"invoiceNumber": "9"} if name == "PUT" else None
        )
    assert caller.change(f"invoices/{two['id']}", {"memo": "settled"})["memo"] == "settled"
    moved = caller.change(path, {"totalAmount": 120, "transactionDate": "2026-11-25"})
    assert (moved["id"], moved["remoteId"], moved["totalAmount"]) == (made["id"], made["remoteId"], 120)
    assert (caller.balance(one["id"]), caller.balance(two["id"])) == (70, 0)
    caller.refused("PUT", path, {"totalAmount": 80})
    caller.refused("PUT", path, {"customerId": caller.customer("Pied Piper")})
    assert caller.take("DELETE", f"accounting/{path}") == {"code": 200}
    assert (caller.balance(one["id"]), caller.balance(two["id"])) == (100, 60)
    assert [found["remoteDeleted"] for found in caller.get("payments")["payments"]] == [True]
    caller.refused("DELETE", path, status=404)


def test_payments_that_are_refused_leave_nothing(caller: Caller):
    customer = caller.customer()
    invoice = caller.invoice(customer)
    good = {"customerId": customer, "totalAmount": 50}
    foreign = caller.invoice(caller.customer("Pied Piper"))
    bads: list[dict[str, Any]] = [
        {"customerId": NOBODY}, {"customerId": None}, {"totalAmount": None}, {"totalAmount": 0},
        {"totalAmount": -1}, {"totalAmount": "fifty"}, {"totalAmount": "1.001"},
        {"transactionDate": "today"}, {"accountId": NOBODY},
        {"accountId": account(caller, "INCOME")["id"]}, {"invoiceId": invoice["id"]}, {"vendorId": NOBODY},
        {"memo": "x"}, {"remoteFields": {"Colour": "red"}}, {"remoteFields": linked(invoice, 51)},
        {"remoteFields": linked(foreign, 10)}, {"remoteFields": linked({"remoteId": "999"}, 10)},
        {"remoteFields": {"Line": [{"Amount": 5}]}}, {"remoteFields": {"Line": [{"Amount": 5, "LinkedTxn": []}]}},
        {"remoteFields": {"Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "1", "TxnType": "Bill"}]}]}},
        {"remoteFields": {"Line": 5}}, {"remoteFields": "Line"}, {"remoteFields": {"PaymentRefNum": 5}},
    ]  # fmt: skip
    for bad in bads:
        caller.refused("POST", "payments", {**good, **bad})
    assert caller.running.books.records("payment") == []
    caller.running.switches.set({"remote_fields": "ignore"})
    caller.make("payments", {**good, "remoteFields": linked(invoice, 50)})
    assert caller.balance(invoice["id"]) == 100


def test_there_is_no_idempotency_key(caller: Caller):
    """The same request again is another payment, whatever headers it has."""
    customer = caller.customer()
    body = {"customerId": customer, "totalAmount": 50}
    caller.http.headers["Idempotency-Key"] = "11111111-1111-4111-8111-111111111111"
    assert caller.make("payments", body)["id"] != caller.make("payments", body)["id"]
    assert len(caller.running.books.records("payment")) == 2

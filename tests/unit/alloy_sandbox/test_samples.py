"""The vendor's own payloads: requests are accepted, records have their fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.alloy_sandbox.client import ABSENT, SAMPLES, Caller, sample

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=ABSENT)


def same_shape(made: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Every field of the sample is there, and of its type unless either is null."""
    for name, value in theirs.items():
        assert name in made, name
        if value is not None and made[name] is not None:
            assert isinstance(made[name], bool) == isinstance(value, bool), name
            assert isinstance(made[name], str) == isinstance(value, str), name
            assert isinstance(made[name], list) == isinstance(value, list), name


@pytest.mark.parametrize("name", ["customer.create.request.json", "customer.create.request.sdk.json"])
def test_customers_are_taken_as_the_guide_and_as_the_vendors_tests_send_them(caller: Caller, name: str):
    made = caller.make("customers", sample(name))
    assert [address["addressType"] for address in made["addresses"]] == ["BILLING"]
    assert list(made["phoneNumbers"][0]) == ["phoneNumberType", "phoneNumber"]
    assert made["customerStatus"] == "ACTIVE"


@pytest.mark.parametrize(
    ("name", "amount"), [("invoice.create.request.json", "2373.45"), ("invoice.create.request.sdk.json", "10000")]
)
def test_invoices_are_taken_with_amounts_as_text_and_as_numbers(caller: Caller, name: str, amount: str):
    account = caller.get("accounts", accountType="INCOME")["accounts"][0]["id"]
    item = caller.make("items", {**sample("item.create.request.sdk.json"), "billAccountId": account})
    body = {**sample(name), "customerId": caller.customer()}
    for line in body["lineItems"]:
        if "accountingItemId" in line:
            line["accountingItemId"] = item["id"]
    made = caller.make("invoices", body)
    assert str(made["totalAmount"]) == str(made["balance"]) == amount
    theirs = sample("invoice.object.json")
    same_shape(made, theirs)
    same_shape(made["lineItems"][0], theirs["lineItems"][0])


def test_records_have_the_fields_of_the_samples(caller: Caller):
    account = caller.get("accounts")["accounts"][0]
    same_shape(account, sample("account.object.json"))
    assert set(account) == set(sample("account.object.json"))
    item = caller.make("items", {**sample("item.create.request.sdk.json"), "billAccountId": account["id"]})
    same_shape(item, sample("item.object.json"))
    assert set(item) == set(sample("item.object.json"))
    payment = caller.make(
        "payments", {**sample("payment.create.request.sdk.json"), "customerId": caller.customer()}
    )
    read = caller.get(f"payments/{payment['id']}")
    theirs = sample("payment.retrieve.response.json")
    assert set(theirs) <= set(read)
    same_shape(read["payment"], theirs["payment"])
    assert set(read["payment"]) == set(theirs["payment"])


def test_pages_and_forwarded_requests_are_as_in_the_samples(caller: Caller):
    info = caller.get("accounts", pageSize=2)["pageInfo"]
    theirs = sample("pageInfo.json")["pageInfo"]
    same_shape(info, theirs)
    assert set(info) == set(theirs)
    asked = sample("passthrough.request.json")
    response = caller.ask("POST", "forward", asked)
    assert response.status_code == 400  # no ERP here has purchase orders
    assert response.json()["Fault"]["type"] == "ValidationFault"

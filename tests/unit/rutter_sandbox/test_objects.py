"""Accounts, customers, items, tax rates, dimensions and terms: written, changed, read back, refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rutter_sandbox.client import NOWHERE, Caller


def test_an_account_of_every_type(caller: Caller):
    categories = {
        "accounts_payable": "liability",
        "accounts_receivable": "asset",
        "bank": "asset",
        "fixed_asset": "asset",
        "other_asset": "asset",
        "other_current_asset": "asset",
        "liability": "liability",
        "equity": "equity",
        "expense": "expense",
        "other_expense": "expense",
        "income": "income",
        "other_income": "income",
        "credit_card": "liability",
        "cost_of_goods_sold": "expense",
        "other_current_liability": "liability",
        "long_term_liability": "liability",
        "non_posting": "nonposting",
        "unknown": "unknown",
    }
    for kind, category in categories.items():
        body = {"account_type": kind, "currency_code": "USD", "name": kind.title()}
        made = caller.send("POST", "accounts", {"account": body})
        assert (made["account_type"], made["category"], made["nominal_code"]) == (kind, category, None)
        assert (made["status"], made["balance"]) == ("active", 0)
    caller.sync()
    assert len(caller.list("accounts", account_type="credit_card")) == 1


def test_an_account_changes_and_has_a_parent(caller: Caller):
    parent = caller.account("1100")
    body = {"account_type": "accounts_receivable", "currency_code": "EUR", "name": "Euro", "nominal_code": "1101"}
    made = caller.send("POST", "accounts", {"account": {**body, "parent_id": parent}})
    assert (made["parent_id"], made["nominal_code"], made["currency_code"]) == (parent, "1101", "EUR")
    changed = caller.send("PATCH", f"accounts/{made['id']}", {"account": {"name": "Euros", "nominal_code": "1102"}})
    assert (changed["name"], changed["nominal_code"], changed["id"]) == ("Euros", "1102", made["id"])
    assert caller.ask("PATCH", f"accounts/{NOWHERE}", {"account": {"name": "X"}}).status_code == 410
    assert "parent_id" in caller.refused(400, "POST", "accounts", {"account": {**body, "parent_id": NOWHERE}})


def test_balances_have_the_sign_of_their_side(caller: Caller):
    customer = caller.customer()
    caller.pay(customer, (caller.invoice(customer, "100")["id"], "60"))
    assert {one["balance"] for one in caller.list("accounts")} == {0}
    caller.sync("account")
    balances = {one["nominal_code"]: one["balance"] for one in caller.list("accounts")}
    assert (balances["1100"], balances["1200"], balances["4000"]) == (40, 60, 100)


def test_a_customer_with_everything(caller: Caller):
    parent = caller.customer("Parent")
    address = {
        "type": "billing",
        "address1": "213 Example Ave",
        "city": "New York",
        "region": "NY",
        "country": None,
    }
    body = {
        "contact_name": "Pat Buyer",
        "customer_name": "Acme Corporation",
        "email": "ap@acme.example",
        "phone": "+1 555 0100",
        "addresses": [address],
        "additional_fields": {"currency_code": "EUR", "language": "en", "parent_id": parent},
    }
    made = caller.send("POST", "customers", {"customer": body})
    assert made["addresses"] == [
        {**address, "address2": None, "address3": None, "postal_code": None},
    ]
    assert (made["contact_name"], made["customer_name"], made["email"]) == (
        "Pat Buyer",
        "Acme Corporation",
        "ap@acme.example",
    )
    assert (made["currency_code"], made["parent_id"], made["status"]) == ("EUR", parent, "active")
    change: dict[str, Any] = {
        "customer_name": "Acme",
        "email": "",
        "phone": "1",
        "status": "archived",
        "addresses": [],
    }
    changed = caller.send("PATCH", f"customers/{made['id']}", {"customer": change})
    assert (changed["customer_name"], changed["email"], changed["phone"]) == ("Acme", None, "1")
    assert (changed["status"], changed["addresses"], changed["contact_name"]) == ("archived", [], "Pat Buyer")
    body = caller.invoice_body(made["id"], "10", currency_code="EUR")
    assert "archived" in caller.refused(450, "POST", "invoices", {"invoice": body})
    assert caller.ask("DELETE", f"customers/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "wrapper", "body", "words"),
    [
        ("customers", "customer", {}, "contact_name: Required"),
        ("customers", "customer", {"contact_name": "A", "tax_number": "1"}, "tax_number: Unrecognized"),
        ("customers", "customer", {"contact_name": "A", "email": None}, "email"),
        (
            "customers",
            "customer",
            {"contact_name": "A", "addresses": [{"city": "B"}]},
            "addresses.0.type: Required",
        ),
        ("customers", "customer", {"contact_name": "A", "addresses": [{"type": "home"}]}, "addresses.0.type"),
        ("customers", "customer", {"contact_name": "A", "subsidiary_id": "1"}, "subsidiary_id"),
        ("customers", "customer", {"contact_name": "A", "subsidiary_id": NOWHERE}, "subsidiary_id"),
        ("customers", "customer", {"contact_name": "A", "additional_fields": {"currency_code": "usd"}}, "currency"),
        ("accounts", "account", {"name": "A", "currency_code": "USD"}, "account_type: Required"),
        ("accounts", "account", {"name": "A", "currency_code": "USD", "account_type": "INCOME"}, "account_type"),
        ("items", "item", {"name": "A", "invoice_item": {"unit_price": "ten"}}, "unit_price"),
        ("items", "item", {"name": "A", "quantity_on_hand": "1"}, "quantity_on_hand"),
        ("items", "item", {"name": "A", "invoice_item": {"account_id": NOWHERE}}, "invoice_item.account_id"),
        ("tax_rates", "tax_rate", {"name": "A"}, "components: Required"),
        ("tax_rates", "tax_rate", {"name": "A", "components": [{"name": "B", "rate": "5"}]}, "components.0.rate"),
        ("payment_terms", "payment_term", {"term_name": "A", "due_days": Decimal("1.5")}, "due_days"),
    ],
)
def test_bodies_that_the_schema_refuses(shared: Caller, path: str, wrapper: str, body: Any, words: str):
    assert words in shared.refused(400, "POST", path, {wrapper: body})


def test_envelopes_that_the_schema_refuses(caller: Caller):
    whole = {"customer": {"contact_name": "A"}}
    assert "Expected an object" in caller.refused(400, "POST", "customers", [])
    assert "customer: Required" in caller.refused(400, "POST", "customers", {})
    assert "customer: Required" in caller.refused(400, "POST", "customers", {"customer": None})
    assert "Unrecognized" in caller.refused(400, "POST", "customers", {**whole, "name": "A"})
    assert "response_mode" in caller.refused(400, "POST", "customers", {**whole, "response_mode": "sync"})
    assert "not JSON" in caller.refused(400, "POST", "customers", content=b'{"customer": NaN}')
    caller.running.switches.set({"unknown_fields": "ignore"})
    body = {
        "customer": {"contact_name": "A", "tax_number": "1", "addresses": [{"type": "billing", "x": 1}]},
        "y": 2,
    }
    assert caller.ask("POST", "customers", body).status_code == 200


def test_items(caller: Caller):
    income = caller.account("4010")
    body = {
        "name": "Support hour",
        "code": "SUP",
        "type": "service",
        "bill_item": {"description": "Bought", "unit_price": 40},
        "invoice_item": {"account_id": income, "description": "Sold", "unit_price": "99.90"},
    }
    made = caller.send("POST", "items", {"item": body})
    assert (made["code"], made["type"], made["quantity_on_hand"]) == ("SUP", "service", None)
    assert made["invoice_item"] == {"description": "Sold", "unit_price": "99.9"}
    assert made["bill_item"] == {"description": "Bought", "unit_price": "40"}
    change = {"status": "archived", "invoice_item": {"unit_price": Decimal("100.5")}, "quantity_on_hand": 3}
    changed = caller.send("PATCH", f"items/{made['id']}", {"item": change})
    assert (changed["status"], changed["invoice_item"]["unit_price"], changed["quantity_on_hand"]) == (
        "archived",
        "100.5",
        3,
    )
    assert "archived" in caller.refused(450, "PATCH", f"items/{made['id']}", {"item": {"status": "unknown"}})
    assert caller.send("DELETE", f"items/{made['id']}") == "deleted"
    caller.sync()
    assert caller.list("items") == []


def test_tax_rates_with_components(caller: Caller):
    parts = [{"name": "State", "rate": Decimal("6.5")}, {"name": "City", "rate": 10, "is_compound": True}]
    made = caller.send("POST", "tax_rates", {"tax_rate": {"name": "Combined", "components": parts}})
    assert made["total_tax_rate"] == Decimal("17.15")
    assert [one["is_compound"] for one in made["components"]] == [False, True]
    listed = {one["code"]: one["effective_tax_rate"] for one in caller.list("tax_rates")}
    assert listed["STANDARD"] == 20


def test_dimensions(caller: Caller):
    assert caller.list("classes") == []
    first = caller.send("POST", "classes", {"class": {"name": "Retail"}})
    second = caller.send("POST", "classes", {"class": {"name": "Wholesale"}})
    assert (first["name"], second["name"], first["has_children"]) == ("Retail", "Wholesale", False)
    assert "already" in caller.refused(450, "POST", "classes", {"class": {"name": "Retail"}})
    assert caller.send("POST", "departments", {"department": {"name": "Legal"}})["name"] == "Legal"
    assert {one["name"] for one in caller.list("departments")} == {"Sales", "Support", "Legal"}
    assert {one["name"] for one in caller.list("locations")} == {"North", "South"}
    assert caller.ask("POST", "locations", {"location": {"name": "East"}}).status_code == 404
    caller.running.switches.set({"class_category": "Region", "location_category": "None"})
    caller.sync()
    assert {one["name"] for one in caller.list("classes")} == {"North", "South"}
    assert caller.list("locations") == []


def test_payment_terms_and_methods(caller: Caller):
    made = caller.send("POST", "payment_terms", {"payment_term": {"term_name": "Net 30", "due_days": 30}})
    assert (made["term_name"], made["due_days"]) == ("Net 30", 30)
    customer = caller.customer()
    invoice = caller.invoice(customer, "10", payment_terms_id=made["id"])
    assert (invoice["payment_terms_id"], invoice["due_date"]) == (made["id"], "2026-12-01T00:00:00.000Z")
    assert "in use" in caller.refused(450, "DELETE", f"payment_terms/{made['id']}")
    other = caller.send("POST", "payment_terms", {"payment_term": {"term_name": "Net 1", "due_days": 1}})
    assert caller.send("DELETE", f"payment_terms/{other['id']}") == "deleted"
    assert [one["term_name"] for one in caller.list("payment_terms")] == ["Net 30"]
    assert "Check" in {one["name"] for one in caller.list("payment_methods")}


@pytest.mark.parametrize("caller", [{"duplicate_names": "refuse"}], indirect=True)
def test_names_that_repeat(caller: Caller):
    caller.customer("Acme")
    caller.customer("Other")
    assert "Acme" in caller.refused(450, "POST", "customers", {"customer": {"contact_name": "Acme"}})
    caller.send("POST", "items", {"item": {"name": "Widget"}})
    assert "Widget" in caller.refused(450, "POST", "items", {"item": {"name": "Widget"}})
    caller.running.switches.set({"duplicate_names": "allow"})
    assert caller.customer("Acme")


def test_a_closed_period_is_the_companys_closing_date(caller: Caller):
    commands = [{"verb": "close", "through": "2026-10-31"}]
    caller.http.post(f"{caller.running.url}/__sandbox__/commands", json=commands)
    assert caller.get("company_info")["company_info"]["additional_fields"]["closing_date"] is None
    caller.sync("company_info")
    company = caller.get("company_info")["company_info"]
    assert company["additional_fields"]["closing_date"] == "2026-10-31T00:00:00.000Z"
    body = caller.invoice_body(caller.customer(), "10", issue_date="2026-10-31")
    assert "closed" in caller.refused(450, "POST", "invoices", {"invoice": body})

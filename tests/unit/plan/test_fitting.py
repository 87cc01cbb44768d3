"""What an ERP would refuse of a document, said by the plan: currency, accounts, tracking, numbers, fields."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from reconciler.plan.model import Action, Change, Plan, Reason
from reconciler.providers.capabilities import Numbering
from tests.unit.plan.books import Books, capabilities, customer, invoice, payment, resource

CATEGORY = {"name": "department", "values": ["Sales", "Support"]}


def line(**more: Any) -> list[dict[str, Any]]:
    return [{"description": "work", "account": "4000", "quantity": "1", "unit_price": "100.00", **more}]


def books(**more: Any) -> Books:
    made = Books(caps=capabilities(**more)).with_acme()
    made.live("account", "acc-1100", {"name": "Receivable", "type": "accounts_receivable"}, code="1100")
    made.live("tracking_category", "cat-1", CATEGORY, name="department")
    return made


def blocked(plan: Plan) -> Change:
    (found,) = (change for change in plan.changes if change.action is Action.BLOCKED)
    assert not plan.steps
    return found


def test_a_document_in_another_currency_than_its_customer_s_is_blocked_where_that_is_refused() -> None:
    foreign = {"currency": "EUR", "exchange_rate": "1.1"}
    found = blocked(books(customers_currency=True).plan(customer(), invoice(**foreign)))
    assert found.reason is Reason.UNSUPPORTED
    assert found.detail == "the customer is kept in USD, and fake takes no document in EUR of it"
    assert books(customers_currency=True).plan(customer(), invoice(currency="USD")).steps
    assert books(customers_currency=True).plan(customer(), invoice()).steps
    assert books().plan(customer(), invoice(**foreign)).steps


def test_a_payment_too_is_in_its_customer_s_currency() -> None:
    found = blocked(books(customers_currency=True).plan(customer(), payment(currency="EUR", exchange_rate="1.1")))
    assert "kept in USD" in found.detail


def test_a_customer_s_currency_is_known_before_it_is_there() -> None:
    new = customer("beta", currency="GBP")
    plan = books(customers_currency=True).plan(
        customer(), new, invoice(customer="beta", currency="EUR", exchange_rate="1")
    )
    (found,) = (change for change in plan.changes if change.action is Action.BLOCKED)
    assert found.detail == "the customer is kept in GBP, and fake takes no document in EUR of it"


def test_a_new_customer_of_no_currency_is_kept_in_that_of_the_books() -> None:
    new = resource("customer.beta", name="Beta")
    plan = books(customers_currency=True).plan(
        customer(), new, invoice(customer="beta", currency="EUR", exchange_rate="1")
    )
    (found,) = (change for change in plan.changes if change.action is Action.BLOCKED)
    assert found.detail.startswith("the customer is kept in USD")


def test_a_line_on_an_account_that_is_closed_to_lines_is_blocked() -> None:
    closed = frozenset({"accounts_receivable"})
    found = blocked(books(closed_accounts=closed).plan(customer(), invoice(lines=line(account="1100"))))
    assert found.reason is Reason.UNSUPPORTED
    assert found.detail.startswith("lines[0].account: 1100 is an accounts receivable account")
    assert books(closed_accounts=closed).plan(customer(), invoice()).steps
    assert books().plan(customer(), invoice(lines=line(account="1100"))).steps


@pytest.mark.parametrize("where", ["line", "document"])
def test_a_value_that_a_category_lacks_is_blocked_with_those_it_has(where: str) -> None:
    tracking = {"department": "Nope"}
    given = {"lines": line(tracking=tracking)} if where == "line" else {"tracking": tracking}
    found = blocked(books().plan(customer(), invoice(**given)))
    assert (found.reason, found.detail) == (
        Reason.REFERENCE_UNRESOLVED,
        "tracking.department: 'Nope' is no value of that category",
    )
    assert "Its values are: Sales, Support." in found.hint
    assert books().plan(customer(), invoice(lines=line(tracking={"department": "Sales"}))).steps


def test_a_name_that_is_too_long_for_a_number_is_blocked_where_it_becomes_one() -> None:
    long = "INV-" + "9" * 30
    found = blocked(books(number_length=30).plan(customer(), invoice(long)))
    assert found.detail == f"its number is its name, {long}, of 34 characters, and fake takes 30"
    assert "`number`" in found.hint
    assert books(number_length=30).plan(customer(), invoice(long, number="INV-1")).steps
    assert books(number_length=30, numbering=Numbering.ASSIGNED).plan(customer(), invoice(long)).steps


SETTING = "For attachments: set `attachments: true` on the connection. Else take it out of the manifest."
FILE = [{"name": "order.pdf", "path": "order.pdf"}]


def without_files() -> Books:
    caps = capabilities()
    kind = caps.kind("invoice")
    amendable = {phase: fields - {"attachments"} for phase, fields in kind.amendable.items()}
    less = replace(
        kind,
        fields=kind.fields - {"attachments", "memo"},
        amendable=MappingProxyType({**amendable, "draft": frozenset({"memo"})}),
        missing=MappingProxyType({"attachments": "set `attachments: true`"}),
    )
    return Books(caps=replace(caps, kinds=MappingProxyType({**caps.kinds, "invoice": less}))).with_acme()


def test_a_field_that_a_setting_brings_names_the_setting() -> None:
    found = blocked(without_files().plan(customer(), invoice(attachments=FILE)))
    assert (found.detail, found.hint) == ("fake does not keep attachments on invoices", SETTING)
    assert (
        "keep it on a connection that has it" in blocked(without_files().plan(customer(), invoice(memo="x"))).hint
    )


def test_it_is_named_too_where_the_document_is_posted_already() -> None:
    found = blocked(without_files().with_invoice().plan(customer(), invoice(attachments=FILE)))
    assert (found.reason, found.hint) == (Reason.POSTED_IMMUTABLE, SETTING)


def test_a_draft_s_new_lines_fit_too() -> None:
    made = books(closed_accounts=frozenset({"accounts_receivable"})).with_invoice(phase="draft", state="draft")
    assert made.plan(customer(), invoice(state="draft", price="90.00")).steps
    for lines in (line(account="1100"), line(tracking={"department": "Nope"})):
        assert blocked(made.plan(customer(), invoice(state="draft", lines=lines))).phase == "draft"

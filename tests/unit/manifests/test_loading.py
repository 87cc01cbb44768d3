"""What a sound declaration holds, and what is let pass because only the ERP can tell."""

from __future__ import annotations

import gc
import json
from decimal import Decimal

import pytest

from reconciler.kernel.address import Address
from reconciler.kernel.diagnostics import Source
from reconciler.kernel.errors import InvalidInput
from reconciler.resources.content import references
from reconciler.resources.kinds import KINDS
from tests.unit.manifests.projects import TWO, complaints, load

CUSTOMERS = """
    customers:
      globex: {name: Globex, currency: EUR}
      acme:
        name: Acme Corporation
        email: null
        currency: USD
        addresses:
          - {type: billing, postal_code: 01002, country: NO}
"""
INVOICES = """
    invoices:
      INV-2:
        customer: acme
        lifecycle: {on_change: [credit, supplement]}
        issue_date: 2026-11-10
        lines:
          - {account: 4000, quantity: 3, unit_price: 10.10, taxes: [vat]}
          - {item: widget, unit_price: 5, tracking: {region: east}}
      INV-1:
        customer: acme
        lifecycle: {on_change: refuse}
        issue_date: 2026-11-10
        lines: [{account: "4000", unit_price: 1}]
"""


def test_a_declaration_is_in_address_order_with_canonical_bodies_references_and_places(tmp_path):
    loaded = load(tmp_path, {"manifests/z/customers.yaml": CUSTOMERS, "manifests/a.yaml": INVOICES})
    resources = loaded.declaration.resources
    assert [str(resource.address) for resource in resources] == [
        "books:customer.acme",
        "books:customer.globex",
        "books:invoice.INV-1",
        "books:invoice.INV-2",
    ]
    invoice = resources[3]
    assert invoice.body == (
        '{"customer":"acme","issue_date":"2026-11-10","lines":['
        '{"account":"4000","quantity":"3","taxes":["vat"],"unit_price":"10.1"},'
        '{"item":"widget","tracking":{"region":"east"},"unit_price":"5"}]}'
    )
    assert invoice.references == tuple(
        (item.kinds, item.name) for item in references(KINDS["invoice"], invoice.content())
    )
    assert invoice.source == Source("manifests/a.yaml", 3, 3)
    assert [resource.on_change for resource in resources] == [None, None, (), ("credit", "supplement")]
    assert invoice.content()["lines"][0]["unit_price"] == Decimal("10.10")
    assert loaded.warnings == ()


def test_absent_is_unmanaged_null_clears_and_every_scalar_is_text(tmp_path):
    acme = load(tmp_path, {"manifests/a.yaml": CUSTOMERS}).declaration.resources[0]
    assert json.loads(acme.body) == {
        "name": "Acme Corporation",
        "email": None,
        "currency": "USD",
        "addresses": [{"type": "billing", "postal_code": "01002", "country": "NO"}],
    }


def test_one_word_of_on_change_is_a_list_of_one(tmp_path):
    text = INVOICES.replace("[credit, supplement]", "void")
    resources = load(tmp_path, {"manifests/a.yaml": text}).declaration.resources
    assert resources[1].on_change == ("void",)


def test_the_connection_is_the_resources_the_files_or_the_default(tmp_path):
    files = {
        "manifests/a.yaml": "customers:\n  a: {name: A}\n  b: {name: B, connection: more}\n",
        "manifests/b.yaml": "customers:\n  c: {name: C}\n  d: {name: D, connection: books}\nconnection: more\n",
        "manifests/c.yaml": "connection: more\ncustomers:\n  a: {name: A}\n",
    }
    resources = load(tmp_path, files, TWO).declaration.resources
    assert [str(resource.address) for resource in resources] == [
        "books:customer.a",
        "books:customer.d",
        "more:customer.a",
        "more:customer.b",
        "more:customer.c",
    ]
    assert "connection" not in resources[1].body


def test_moved_removed_and_adopted(tmp_path):
    text = (
        CUSTOMERS
        + """
    moved:
      - {from: customer.old, to: customer.acme}
    removed:
      - {address: invoice.INV-9, action: credit, reason: never delivered}
      - {address: "books:invoice.a%20b", action: forget}
    adopt:
      - {address: customer.globex, id: cus-17}
    """
    )
    declaration = load(tmp_path, {"manifests/a.yaml": text}).declaration
    (moved,) = declaration.moved
    assert (moved.origin, moved.destination) == (
        Address("books", "customer", "old"),
        Address("books", "customer", "acme"),
    )
    assert [(str(item.address), item.action, item.reason) for item in declaration.removed] == [
        ("books:invoice.INV-9", "credit", "never delivered"),
        ("books:invoice.a%20b", "forget", ""),
    ]
    assert [(str(item.address), item.remote_id) for item in declaration.adopted] == [
        ("books:customer.globex", "cus-17")
    ]


def test_how_resources_are_spread_over_files_does_not_matter(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
    together = load(tmp_path / "a", {"manifests/a.yaml": CUSTOMERS + INVOICES})
    apart = load(tmp_path / "b", {"manifests/x.yaml": INVOICES, "manifests/y/z.yaml": CUSTOMERS})
    assert [(item.address, item.body) for item in together.declaration.resources] == [
        (item.address, item.body) for item in apart.declaration.resources
    ]


def test_hidden_files_and_others_are_no_manifests(tmp_path):
    files = {
        "manifests/.draft.yaml": "nonsense: [",
        "manifests/.git/a.yaml": "nonsense: [",
        "manifests/notes.md": "# notes",
        "other/a.yaml": "nonsense: [",
        "manifests/a.yaml": CUSTOMERS,
    }
    assert len(load(tmp_path, files).declaration.resources) == 2


def test_a_link_within_the_project_is_followed(tmp_path):
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "linked.yaml").symlink_to("../shared.yaml")
    assert len(load(tmp_path, {"shared.yaml": CUSTOMERS}).declaration.resources) == 2


@pytest.mark.parametrize(
    "files", [{}, {"manifests/a.yaml": ""}, {"manifests/a.yaml": "invoices:\ncustomers: {}\n"}]
)
def test_a_project_that_declares_nothing_is_warned_of_it(tmp_path, files):
    loaded = load(tmp_path, files)
    assert loaded.declaration.resources == ()
    assert [item.code for item in loaded.warnings] == ["nothing-declared"]


def test_the_garbage_collector_is_left_as_it_was(tmp_path):
    assert gc.isenabled()
    load(tmp_path, {"manifests/a.yaml": CUSTOMERS})
    assert gc.isenabled()
    with pytest.raises(InvalidInput):
        load(tmp_path, {"manifests/a.yaml": "customers: ["})
    assert gc.isenabled()
    gc.disable()
    try:
        load(tmp_path, {"manifests/a.yaml": CUSTOMERS})
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_reference_data_and_kinds_nobody_declares_may_live_in_the_erp(tmp_path):
    text = """
    accounts:
      "4100": {name: Consulting, type: income, parent: "4000"}
    payments:
      PMT-1:
        customer: lives-in-the-erp
        received_on: 2026-11-10
        amount: 10.00
        bank_account: operating
        allocations: [{invoice: also-there, amount: 5.00}]
    """
    assert complaints(tmp_path, {"manifests/a.yaml": text}) == []


def test_nothing_is_said_to_dangle_while_a_file_cannot_be_read(tmp_path):
    files = {"manifests/a.yaml": "customers: {acme", "manifests/b.yaml": CUSTOMERS + INVOICES.replace("acme", "x")}
    assert complaints(tmp_path, files) == ["syntax manifests/a.yaml:2:1"]


DOCUMENTS = """
    customers:
      acme: {{name: Acme, currency: USD{customer}}}
    tax_rates:
      vat: {{rate: 20}}
    items:
      taxed: {{name: Taxed, unit_price: 100.00, taxes: [vat]}}
      plain: {{name: Plain, unit_price: 100.00}}
    invoices:
      INV-1:
        customer: acme
        issue_date: 2026-11-10
        expect_total: {total}
        lines: [{{{line}}}]
"""


@pytest.mark.parametrize(
    ("line", "total", "said"),
    [
        ('account: "4000", unit_price: 100.00, taxes: [vat]', "120.00", []),
        ('account: "4000", unit_price: 100.00, taxes: [vat]', "100.00", ["total"]),
        ("item: plain", "100.00", []),
        ("item: plain", "120.00", ["total"]),
        # the ERP may tax what the line leaves unsaid, and knows rates that are not declared
        ("item: taxed", "1.00", []),
        ("item: taxed, taxes: []", "1.00", ["total"]),
        ("item: in-the-erp, unit_price: 100.00", "1.00", []),
        ('account: "4000", unit_price: 100.00, taxes: [elsewhere]', "1.00", []),
        ('account: "4000", unit_price: 100.00, taxes: [elsewhere], tax_amount: 7.00', "107.00", []),
        ('account: "4000", unit_price: 100.00, taxes: [elsewhere], tax_amount: 7.00', "108.00", ["total"]),
    ],
)
def test_a_total_is_judged_only_when_it_can_be_computed(tmp_path, line, total, said):
    text = DOCUMENTS.format(line=line, total=total, customer="")
    assert [item.split()[0] for item in complaints(tmp_path, {"manifests/a.yaml": text})] == said


def test_a_customers_default_tax_makes_an_unsaid_tax_unknown(tmp_path):
    text = DOCUMENTS.format(line='account: "4000", unit_price: 100.00', total="1.00", customer=", default_tax: vat")
    assert complaints(tmp_path, {"manifests/a.yaml": text}) == []


ROUNDED = """
    customers:
      acme: {{name: Acme, currency: USD}}
    tax_rates:
      vat: {{rate: 20}}
    invoices:
      INV-1:
        customer: acme
        issue_date: 2026-11-10
        expect_total: {total}
        lines:
          - {{account: "4000", unit_price: 0.12, taxes: [vat]}}
          - {{account: "4000", unit_price: 0.12, taxes: [vat]}}
          - {{account: "4000", unit_price: 0.12, taxes: [vat]}}
    payments:
      PMT-1:
        customer: acme
        received_on: 2026-11-10
        amount: 0.43
        bank_account: operating
        allocations: [{{invoice: INV-1, amount: {total}}}]
"""


@pytest.mark.parametrize(
    ("settings", "total", "good"),
    [
        ("", "0.42", True),
        ("", "0.43", True),
        (", tax_rounding: line", "0.42", True),
        (", tax_rounding: line", "0.43", False),
        (", tax_rounding: document", "0.42", False),
        (", tax_rounding: document, rounding: half_even", "0.43", True),
    ],
)
def test_a_total_may_be_rounded_every_way_the_connection_leaves_open(tmp_path, settings, total, good):
    project = f"""
    project: {{id: 0b6f3c1e9d2a, name: tests}}
    connections:
      books: {{provider: ledger{settings}}}
    """
    found = complaints(tmp_path, {"manifests/a.yaml": ROUNDED.format(total=total)}, project)
    assert (found == []) is good


def test_netting_a_credit_note_adds_to_what_a_payment_settles(tmp_path):
    text = """
    customers:
      acme: {name: Acme, currency: USD}
    invoices:
      INV-1: {customer: acme, issue_date: 2026-11-10, lines: [{account: "4000", unit_price: 120.00}]}
    credit_notes:
      CN-1: {customer: acme, issue_date: 2026-11-10, lines: [{account: "4000", unit_price: 20.00}]}
    payments:
      PMT-1:
        customer: acme
        received_on: 2026-11-10
        amount: 100.00
        bank_account: operating
        remainder: refuse
        allocations:
          - {credit_note: CN-1, amount: 20.00}
          - {invoice: INV-1, amount: 120.00}
    """
    assert complaints(tmp_path, {"manifests/a.yaml": text}) == []
    assert complaints(tmp_path, {"manifests/a.yaml": text.replace("amount: 100.00", "amount: 99.99")}) == [
        "over-allocation manifests/a.yaml:15:5"
    ]

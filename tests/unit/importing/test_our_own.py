"""What this project made itself, found again without state and without manifests: chains, corrections, names."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.importing.model import Why
from reconciler.kernel.address import Address
from reconciler.state.model import IntentRow, OpenIntent
from reconciler.workflows.session import open_session
from tests.unit.importing.others import Others, nothing_to_do

BEFORE = """\
customers:
  acme: {name: Acme, currency: USD}
tax_rates:
  vat: {rate: 10, account: "2200"}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-10
    lines:
      - {id: work, description: work, account: "4010", quantity: 12, unit_price: 150.00, taxes: [vat]}
      - {description: travel, account: "4000", unit_price: 80.00}
  INV-2:
    customer: acme
    issue_date: 2026-11-11
    lines: [{description: work, account: "4000", unit_price: 100.00}]
"""
PAID = """\
payments:
  PMT-1:
    customer: acme
    received_on: 2026-11-15
    amount: 60.00
    bank_account: operating
    allocations: [{invoice: INV-2, amount: 40.00}]
"""


@pytest.fixture
def ours(tmp_path: Path) -> Others:
    found = Others(tmp_path)
    found.declare(BEFORE)
    found.apply()
    return found


def chains(ours: Others) -> dict[str, list[tuple[str, str, int, str, str]]]:
    """Every binding's documents, as state has them."""
    with open_session(ours.root, ours.clock) as session:
        view = session.store.view()
        found: dict[str, list[tuple[str, str, int, str, str]]] = {}
        for row in view.documents.values():
            address = row.address.label("books")
            found.setdefault(address, []).append(
                (row.label, row.role, row.generation, row.document_id, row.remote_id)
            )
        generations = {address.label("books"): row.generation for address, row in view.bindings.items()}
        return {
            f"{address}@{generations[address]}": sorted(rows)
            for address, rows in found.items()
            if not address.startswith("tax_rate")
        }


def found_again(ours: Others) -> str:
    """Lose everything but the books, import, and expect what was: the invoices' manifest."""
    before = chains(ours)
    ours.lose_state()
    ours.lose_manifests()
    report = ours.run_import()
    assert not report.left_out, report.left_out
    assert chains(ours) == before
    nothing_to_do(ours.plan())
    files = ours.files()
    ours.lose_state()
    ours.run_import()
    assert ours.files() == files
    assert chains(ours) == before
    nothing_to_do(ours.plan())
    return files["invoices-2026-11.yaml"]


def test_what_was_never_corrected(ours: Others) -> None:
    text = found_again(ours)
    assert "INV-1" in text
    assert "quantity: 12" in text


def test_a_partial_credit_folds_into_the_quantity(ours: Others) -> None:
    ours.declare(BEFORE.replace("quantity: 12", "quantity: 10"))
    ours.apply("credit:invoice.INV-1")
    text = found_again(ours)
    assert "quantity: 10, unit_price: 150.00, taxes: [vat]}" in text
    assert "tax_amount" not in text
    assert "INV-1-C1" not in text


def test_a_supplement_folds_too_and_so_does_a_second_credit(ours: Others) -> None:
    ours.declare(BEFORE.replace("quantity: 12", "quantity: 13"))
    ours.apply("supplement:invoice.INV-1")
    ours.declare(BEFORE.replace("quantity: 12", "quantity: 11"))
    ours.apply("credit:invoice.INV-1")
    ours.declare(BEFORE.replace("quantity: 12", "quantity: 11").replace("80.00", "70.00"))
    ours.apply("credit:invoice.INV-1")
    text = found_again(ours)
    assert "quantity: 11, unit_price: 150.00" in text
    assert "unit_price: 70.00" in text


def test_a_credit_that_leaves_no_round_quantity(ours: Others) -> None:
    ours.declare(BEFORE.replace("150.00", "133.33"))
    ours.apply("credit:invoice.INV-1")
    assert "quantity: 12, unit_price: 133.33" in found_again(ours)


def test_a_reissue_is_the_current_generation(ours: Others) -> None:
    ours.declare(BEFORE.replace('"4010"', '"4000"') + PAID)
    ours.apply("credit_and_reissue:invoice.INV-1")
    text = found_again(ours)
    assert 'account: "4000", description: work, quantity: 12' in text
    assert "number" not in text


def test_a_reissue_that_is_corrected_in_turn(ours: Others) -> None:
    ours.declare(BEFORE + PAID)
    ours.apply()
    moved = BEFORE.replace('account: "4000", unit_price: 100.00', 'account: "4010", unit_price: 100.00')
    ours.declare(moved + PAID)
    ours.apply("credit_and_reissue:invoice.INV-2")
    ours.declare(moved.replace("unit_price: 100.00", "unit_price: 90.00") + PAID)
    ours.apply("credit:invoice.INV-2")
    text = found_again(ours)
    assert 'account: "4010", description: work, unit_price: 90.00' in text
    assert "invoice: INV-2, amount: 40.00" in ours.files()["payments-2026-11.yaml"]


def test_a_payment_entered_anew(ours: Others) -> None:
    ours.declare(BEFORE + PAID)
    ours.apply()
    ours.declare(BEFORE + PAID.replace("amount: 60.00", "amount: 65.00"))
    ours.apply("reverse_and_reissue:payment.PMT-1")
    found_again(ours)
    assert "amount: 65.00" in ours.files()["payments-2026-11.yaml"]


def test_what_was_credited_in_full_is_not_declared_again(ours: Others) -> None:
    ours.declare(
        BEFORE[: BEFORE.index("  INV-2")] + "removed: [{address: invoice.INV-2, action: credit, reason: gone}]\n"
    )
    ours.apply()
    ours.lose_state()
    ours.lose_manifests()
    report = ours.run_import()
    [left] = report.left_out
    assert (left.shown, left.why) == ("INV-2", Why.ENDED)
    assert report.tie_out.ties
    nothing_to_do(ours.plan())


def test_a_renamed_address_is_found_by_its_first_name(ours: Others) -> None:
    ours.declare(
        BEFORE.replace("INV-2:", "Second one:\n    number: INV-2")
        + "moved: [{from: invoice.INV-2, to: invoice.Second%20one}]\n"
    )
    ours.apply()
    before = chains(ours)
    ours.lose_state()
    report = ours.run_import()
    assert report.bound_again == {"tax_rate": 1, "customer": 1, "invoice": 2}
    assert chains(ours) == before
    nothing_to_do(ours.plan())


def test_a_name_that_its_reference_does_not_show(ours: Others) -> None:
    """The reference has the number, cut and rewritten; without the manifest nothing else tells the name."""
    ours.declare(BEFORE.replace("INV-2:", "Second one:\n    number: INV-2-2026"))
    ours.declare(
        "invoices:\n"
        "  Third one: {number: N-3, customer: acme, issue_date: 2026-11-10,"
        " lines: [{account: '4000', unit_price: 5.00}]}\n",
        "third.yaml",
    )
    ours.declare(BEFORE)
    ours.apply()
    ours.lose_state()
    ours.lose_manifests()
    report = ours.run_import()
    [left] = report.left_out
    assert (left.shown, left.why) == ("N-3", Why.UNNAMED)
    assert "declare it under its own name" in left.hint.lower()
    ours.declare(
        "invoices:\n"
        "  Third one: {number: N-3, customer: acme, issue_date: 2026-11-10,"
        " lines: [{account: '4000', unit_price: 5.00}]}\n",
        "third.yaml",
    )
    report = ours.run_import()
    assert report.bound_again == {"invoice": 1}
    nothing_to_do(ours.plan())


def test_what_an_earlier_run_left_unknown_is_for_recover(ours: Others) -> None:
    """The document is there and carries our tag; the request that made it is still open."""
    ours.lose_state()
    address = Address("books", "invoice", "INV-2")
    row = IntentRow(
        "key",
        "run",
        "",
        f"{address}#create",
        "books",
        address,
        "x" * 26,
        "create",
        1,
        "A",
        "{}",
        "",
        "2026-11-22T12:00:00Z",
    )
    with open_session(ours.root, ours.clock) as session:
        lease = session.store.acquire(holder="test", command="apply", term_seconds=60)
        session.store.commit([OpenIntent(row)], fence=lease.fence)
        lease.release()
    report = ours.run_import()
    [left] = report.left_out
    assert (left.shown, left.why, left.hint) == ("INV-2", Why.UNKNOWN, "Run: reconciler recover")
    assert report.bound_again == {"tax_rate": 1, "customer": 1, "invoice": 1}

"""Books whose lines name tracking sets: which sets an import declares, and that documents do without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.importing.model import ImportReport, Why
from tests.unit.importing.others import Others, nothing_to_do

PROJECT = """\
project: {id: 0b6f3c1e9d2a, name: story}
connections:
  books: {provider: ledger-test, path: state/books.sqlite, switches: {tracking_sets: true}}
"""


@pytest.fixture
def others(tmp_path: Path) -> Others:
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    return Others(tmp_path)


def some_sets(others: Others) -> dict[str, str]:
    region = others.by_hand("tracking_category", {"name": "region", "values": ["North", "South"]})

    def one(code: str, name: str, value: str | None, status: str = "active") -> str:
        tracking = {region: value} if value else {}
        return others.by_hand("tracking_set", {"code": code, "name": name, "tracking": tracking, "status": status})

    ids = {
        "region": region,
        "N": one("N", "Northern", "North"),
        "S1": one("S1", "Southern", "South"),
        "S2": one("S2", "Southern again", "South"),
        "OFF": one("OFF", "Off", None),
    }
    ids["acme"] = others.by_hand("customer", {"name": "Acme", "code": "acme"})
    line = {"account": others.accounts()["4000"], "unit_price": "10", "tracking": {region: "North"}}
    document = {"customer": ids["acme"], "issue_date": "2026-11-10", "lines": [line]}
    ids["invoice"] = others.by_hand("invoice", document, number="INV-1")
    return ids


def left_out(report: ImportReport) -> dict[str, Why]:
    return {item.shown: item.why for item in report.left_out if item.kind == "tracking_set"}


def test_documents_are_imported_without_the_sets_they_name(others: Others) -> None:
    some_sets(others)
    others.run_import()
    text = "".join(others.files().values())
    assert "region: North" in text
    assert "tracking_sets" not in text
    nothing_to_do(others.plan())


def test_sets_are_declared_when_asked_for_each_combination_once(others: Others) -> None:
    some_sets(others)
    report = others.run_import(kinds=("tracking_sets", "tracking_categories"))
    assert left_out(report) == {"OFF": Why.NOT_DECLARABLE, "S2": Why.NOT_DECLARABLE}
    text = "".join(text for name, text in others.files().items() if "tracking-sets" in name)
    assert text.count("region: North") == text.count("region: South") == 1
    assert others.names("tracking_set") == ["N", "S1"]
    nothing_to_do(others.plan())
    sets = ("tracking_sets",)
    assert others.run_import(kinds=sets).left_out == report.left_out


def test_a_set_that_lines_implied_is_imported_under_its_own_name(others: Others) -> None:
    others.declare(
        "tracking_categories: {region: {values: [North]}}\n"
        "customers: {acme: {name: Acme}}\n"
        "invoices:\n  INV-1:\n    customer: acme\n    issue_date: 2026-11-10\n"
        '    lines: [{account: "4000", unit_price: 10.00, tracking: {region: North}}]\n'
    )
    others.apply()
    nothing_to_do(others.plan())
    others.run_import(kinds=("tracking_sets",))
    assert others.names("tracking_set") == ["North"]
    nothing_to_do(others.plan())

"""Books that others made in a real Tryton: imported, nothing left for a plan to do, and the same without state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.importing.model import Why
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import ExitCode
from reconciler.sandboxes.tryton import TrytonServer
from tests.tryton.hand_books import Hand, write_books
from tests.unit.importing.others import Others, nothing_to_do

PROJECT = """\
project: {{id: 0b6f3c1e9d2a, name: story}}
connections:
  books:
    provider: tryton
    endpoint: {url}
    database: {database}
    user: {user}
    password: "${{env:TRYTON_PASSWORD}}"
"""
INVOICES, PAYMENTS, NOTES = 24, 12, 4


@dataclass
class Filled:
    """A server with books: how many invoices and credit notes they have, and how many payments."""

    server: TrytonServer
    invoices: int
    payments: int


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(False, id="24-invoices"),
        pytest.param(True, id="300-invoices", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def filled(
    request: pytest.FixtureRequest, tryton_server: TrytonServer, tmp_path_factory: pytest.TempPathFactory
) -> Filled:
    """Books by hand: few of every sort, or those of a whole year."""
    if request.param:
        from tests.tryton.other_books import PAYMENTS as payments
        from tests.tryton.other_books import filled_database

        tryton_server.reset(filled_database(tmp_path_factory.mktemp("filling")))
    else:
        payments = PAYMENTS
        tryton_server.reset()
        with tryton_server.rpc() as rpc:
            write_books(rpc, INVOICES, PAYMENTS, NOTES)
    with tryton_server.rpc() as rpc:
        return Filled(tryton_server, len(rpc.search("account.invoice", [["type", "=", "out"]])), payments)


@pytest.fixture
def others(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Others:
    server = filled.server
    monkeypatch.setenv("TRYTON_PASSWORD", server.password)
    text = PROJECT.format(url=server.url, database=server.database, user=server.user)
    (tmp_path / "reconciler.yaml").write_text(text)
    return Others(tmp_path, SystemClock())  # type: ignore[arg-type]  # real time: the server has it too


def test_what_was_made_by_hand_is_imported_whole_and_again_the_same(others: Others, filled: Filled) -> None:
    report = others.run_import()
    assert {item.why for item in report.left_out} <= {Why.ENDED}, report.left_out
    documents = report.imported["invoice"] + report.imported["credit_note"]
    assert documents + len(report.left_out) == filled.invoices
    assert report.imported["payment"] == filled.payments
    assert report.tie_out.ties, report.tie_out
    assert {row.currency for row in report.tie_out.rows} == {"EUR", "USD"}
    nothing_to_do(others.plan())
    files, state = others.files(), others.state()
    assert len([name for name in files if name.startswith("invoices-2026-")]) >= 10

    again = others.run_import()
    assert not again.imported
    assert not again.files
    assert (others.files(), others.state()) == (files, state)

    others.lose_state()
    others.lose_manifests()
    others.run_import()
    assert others.files() == files
    others.lose_state()
    assert others.run_import().bound_again == report.imported
    assert others.files() == files
    nothing_to_do(others.plan())


def test_open_items_with_what_settles_them(others: Others, filled: Filled) -> None:
    report = others.run_import(open_only=True)
    assert 0 < report.imported["invoice"] < filled.invoices
    assert report.tie_out.ties
    nothing_to_do(others.plan())
    others.run_import()
    nothing_to_do(others.plan())


def test_a_journal_on_the_control_account_does_not_tie_out(others: Others, filled: Filled) -> None:
    with filled.server.rpc() as rpc:
        hand = Hand(rpc)
        hand.parties = [rpc.read("account.invoice", [["state", "=", "posted"]], "party")[0]["party"]]
        hand.post_journal("12.50")
    report = others.run_import(kinds=["customers"])
    assert report.exit_code == ExitCode.ERROR
    [dollars] = [row for row in report.tie_out.rows if row.currency == "USD"]
    assert str(dollars.difference) == "-12.50"
    assert dollars.suspects

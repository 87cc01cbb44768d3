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
SMALL = {"invoice": 48, "payment": 24, "credit_note": 6}
WHOLE = {"invoice": 300, "payment": 150, "credit_note": 12}
"""What the books have of each; filling them takes Tryton minutes."""


@dataclass
class Filled:
    """A server with books, how much is in them, and the file they can be had from again."""

    server: TrytonServer
    made: dict[str, int]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(SMALL, id="48-invoices"),
        pytest.param(WHOLE, id="300-invoices", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def filled(request: pytest.FixtureRequest, tryton_server: TrytonServer) -> Filled:
    tryton_server.reset()
    made: dict[str, int] = request.param
    with tryton_server.rpc() as rpc:
        write_books(rpc, made["invoice"], made["payment"], made["credit_note"])
    return Filled(tryton_server, made)


@pytest.fixture
def others(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Others:
    server = filled.server
    monkeypatch.setenv("TRYTON_PASSWORD", server.password)
    text = PROJECT.format(url=server.url, database=server.database, user=server.user)
    (tmp_path / "reconciler.yaml").write_text(text)
    return Others(tmp_path, SystemClock())  # type: ignore[arg-type]  # real time: the server has it too


def test_what_was_made_by_hand_is_imported_whole_and_again_the_same(others: Others, filled: Filled) -> None:
    report = others.run_import()
    assert [item.why for item in report.left_out] == [Why.ENDED], report.left_out  # the cancelled one
    assert report.imported == {"customer": 6, **filled.made, "invoice": filled.made["invoice"] + 1}  # and a draft
    assert report.tie_out.ties, report.tie_out
    assert {row.currency for row in report.tie_out.rows} == {"EUR", "USD"}
    nothing_to_do(others.plan())
    files, state = others.files(), others.state()
    assert len([name for name in files if name.startswith("invoices-2026-")]) == 11
    assert "Acme International GmbH" in files["customers.yaml"]

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
    assert 0 < report.imported["invoice"] < filled.made["invoice"]
    assert report.tie_out.ties
    nothing_to_do(others.plan())
    others.run_import()
    nothing_to_do(others.plan())


def test_a_journal_on_the_control_account_does_not_tie_out(others: Others, filled: Filled) -> None:
    with filled.server.rpc() as rpc:
        hand = Hand(rpc)
        hand.parties = rpc.search("party.party", [["name", "=", "Acme International GmbH"]])
        hand.post_journal("12.50")
    report = others.run_import(kinds=["customers"])
    assert report.exit_code == ExitCode.ERROR
    [dollars] = [row for row in report.tie_out.rows if row.currency == "USD"]
    assert str(dollars.difference) == "-12.50"
    assert dollars.suspects

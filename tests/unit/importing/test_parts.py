"""Names, files and the tie-out, each taken alone; and imports that are cut short."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.importing import filing
from reconciler.importing.filing import file_entries
from reconciler.importing.model import Entry, Record, Standing, TieOut
from reconciler.importing.naming import assign, natural_name, slug
from reconciler.importing.putting import put_files
from reconciler.importing.tying import tie_out
from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.errors import InvalidInput
from reconciler.providers.protocol import Company, ControlBalance, ControlPosting, Observed
from tests.unit.importing.others import Others, nothing_to_do
from tests.unit.importing.test_books_of_others import some_books

COMPANY = Company("c", "Company", "USD")
TAG = "~" + "a" * 16


def row(kind: str, remote_id: str, content: dict[str, Any] | None = None, **more: Any) -> Observed:
    return Observed(kind, remote_id, canonical_json(content or {}), "f", more.pop("phase", "posted"), **more)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (row("customer", "7", code="ACME 1", name="Acme"), "ACME 1"),
        (row("customer", "7", name="Müller & Söhne GmbH"), "muller-sohne-gmbh"),
        (row("customer", "7", name="株式会社"), "株式会社"),
        (row("customer", "7", name="!!!"), "customer-7"),
        (row("invoice", "7", number="INV/2026/1", reference=f"x{TAG}"), "INV/2026/1"),
        (row("invoice", "7", reference=f"INV-1{TAG}"), "INV-1"),
        (row("invoice", "7", reference="PO  77"), "PO 77"),
        (row("payment", "7", {"received_on": "2026-11-15", "reference": "W 7"}), "W 7"),
        (row("payment", "7", {"received_on": "2026-11-15", "reference": "x" * 61}), "payment-2026-11-15-7"),
        (row("invoice", "7", {"issue_date": "2026-11-15"}, number=" \u202e "), "invoice-2026-11-15-7"),
    ],
)
def test_a_records_own_name(given: Observed, name: str) -> None:
    assert natural_name(given) == name


def test_a_slug_is_short_and_keeps_letters() -> None:
    assert slug("Ünïcödé — & Co. KG") == "unicode-co-kg"
    assert len(slug("long name " * 30)) <= 60


def test_names_never_depend_on_the_order_of_reading() -> None:
    rows = [
        row("invoice", str(at), number=number) for at, number in enumerate(["A", "a", "B", "A", "A-3", "C", "c-5"])
    ]
    first = assign(rows, lambda name: name == "c")
    for seed in range(20):
        random.Random(seed).shuffle(rows)
        assert assign(rows, lambda name: name == "c") == first
    assert len({name.casefold() for name in first.values()}) == len(rows)
    assert first == {"0": "A", "1": "a-1", "2": "B", "3": "A-3-3", "4": "A-3", "5": "C-5-5", "6": "c-5"}


def test_where_ids_do_not_count_up_all_of_one_name_are_told_apart() -> None:
    rows = [row("invoice", id_, number="A") for id_ in ("x", "y")]
    assert assign(rows, lambda name: False) == {"x": "A-x", "y": "A-y"}


# ---- files ----


def entry(name: str, day: str = "2026-11-10") -> Entry:
    content = {"customer": "c", "issue_date": date.fromisoformat(day), "lines": [{"account": "4000"}]}
    record = Record(row("invoice", name), Standing.FREE, name)
    return Entry(Address("books", "invoice", name), content, record, date.fromisoformat(day), "USD")


def test_a_month_with_too_much_for_one_file_has_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "MOST_ENTRIES", 2)
    texts: dict[str, str] = {}
    entries = [entry(name) for name in ("a", "b", "c", "d", "e")]
    filed = file_entries(entries[:3], "manifests", None, texts.get)
    assert [(file.path, file.added) for file in filed.files] == [
        ("manifests/invoices-2026-11.yaml", 2),
        ("manifests/invoices-2026-11-2.yaml", 1),
    ]
    texts.update(filed.texts)
    filed = file_entries(entries[3:], "manifests", None, texts.get)
    assert [(file.path, file.added, file.new) for file in filed.files] == [
        ("manifests/invoices-2026-11-2.yaml", 1, False),
        ("manifests/invoices-2026-11-3.yaml", 1, True),
    ]


def test_entries_of_a_file_are_in_order_of_day_and_name_however_they_came() -> None:
    texts: dict[str, str] = {}
    entries = [entry("b"), entry("NO"), entry("a", "2026-11-02"), entry("ü"), entry("012", "2026-11-30")]
    whole = file_entries(entries, "m", None, texts.get).texts
    for part in ([entries[2]], entries[:2], entries[3:]):
        texts.update(file_entries(part, "m", None, texts.get).texts)
    assert texts == whole


@pytest.mark.parametrize("change", ["# mine\n", "\n"])
def test_an_edited_file_is_nobody_elses(change: str) -> None:
    texts = dict(file_entries([entry("a")], "m", None, {}.get).texts)
    [path] = texts
    texts[path] += change
    assert list(file_entries([entry("b")], "m", None, texts.get).texts) == ["m/invoices-2026-11-2.yaml"]


def test_a_file_of_another_connection_is_not_joined() -> None:
    texts = dict(file_entries([entry("a")], "m", "books", {}.get).texts)
    assert "connection: books\n" in texts["m/invoices-2026-11.yaml"]
    assert list(file_entries([entry("b")], "m", "bank", texts.get).texts) == ["m/invoices-2026-11-2.yaml"]


def test_a_file_that_somebody_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("theirs\n")
    with pytest.raises(InvalidInput, match="changed while the import was under way"):
        put_files(tmp_path, {"x.yaml": "ours\n"}, {"x.yaml": None}, print)
    assert (tmp_path / "x.yaml").read_text() == "theirs\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.yaml"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifests").write_text("a file")
    with pytest.raises(InvalidInput, match=r"cannot write manifests/x.yaml"):
        put_files(tmp_path, {"manifests/x.yaml": "x\n"}, {}, print)


# ---- the tie-out ----


def opened(kind: str, amount: str, number: str, **content: Any) -> Observed:
    return row(kind, number, {"currency": "USD", **content}, number=number, computed={"open": amount})


BOOKS = [
    opened("invoice", "100", "I-1"),
    opened("invoice", "30.5", "I-2"),
    opened("credit_note", "10", "C-1"),
    opened("payment", "5", "P-1"),
    opened("payment", "7", "P-2", remainder="advance"),
    opened("invoice", "8", "I-3", currency="EUR"),
    row("invoice", "I-4", {}, phase="draft", computed={"open": "99"}),
    row("invoice", "I-5", {}, phase="void", computed={"open": "99"}),
]


def balances(usd: str, eur: str = "8", **more: Any) -> list[ControlBalance]:
    return [
        ControlBalance("a", "1100", "USD", Decimal(usd), **more),
        ControlBalance("a", "1100", "EUR", Decimal(eur)),
    ]


def test_open_items_are_the_control_accounts() -> None:
    tied = tie_out(COMPANY, BOOKS, balances("115.5"))
    assert tied.ties
    assert [(one.currency, one.open_items, one.difference) for one in tied.rows] == [
        ("EUR", 8, 0),
        ("USD", Decimal("115.5"), 0),
    ]


def test_a_difference_names_what_may_explain_it() -> None:
    tied = tie_out(COMPANY, BOOKS, balances("85"))
    [_, dollars] = tied.rows
    assert dollars.difference == Decimal("30.5")
    assert [suspect.text for suspect in dollars.suspects] == [
        "invoice I-2, open in the subledger by just that much"
    ]
    journals = (
        ControlPosting(date(2026, 11, 1), "JE-1 rounding", Decimal("0.5")),
        ControlPosting(date(2026, 11, 2), "JE-2 correction", Decimal("-3")),
    )
    [_, dollars] = tie_out(COMPANY, BOOKS, balances("113", others=journals)).rows
    assert [(suspect.text, suspect.amount) for suspect in dollars.suspects] == [
        ("JE-2 correction of 2026-11-02, on account 1100", -3),
        ("JE-1 rounding of 2026-11-01, on account 1100", Decimal("0.5")),
    ]
    [_, dollars] = tie_out(COMPANY, BOOKS, balances("1")).rows
    assert "an entry that no invoice, credit note or payment made" in dollars.suspects[0].text


def test_an_erp_that_cannot_tell_is_no_difference() -> None:
    assert tie_out(COMPANY, BOOKS, []) == TieOut(
        possible=False, why_not="the ERP does not tell what its control accounts hold"
    )
    assert tie_out(COMPANY, [], []).ties


# ---- on the command line, and cut short ----


def reconciler(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "--chdir", str(root), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_on_the_command_line(tmp_path: Path) -> None:
    others = Others(tmp_path)
    some_books(others)
    done = reconciler(tmp_path, "import")
    assert done.returncode == 0, done.stderr
    assert "invoices             4         1" in done.stdout
    assert "manifests/invoices-2026-11.yaml: 3 resources" in done.stdout
    assert "reconciler plan" in done.stdout.splitlines()[-1]
    again = json.loads(reconciler(tmp_path, "import", "--json").stdout)
    assert again["managed"] == {"credit_note": 1, "customer": 2, "invoice": 4, "payment": 2}
    assert again["files"] == []
    assert again["tie_out"]["ties"] is True
    assert reconciler(tmp_path, "plan", "--detailed-exitcode").returncode == 0
    assert reconciler(tmp_path, "fmt", "--check").returncode == 0
    assert reconciler(tmp_path, "history", "verify").returncode == 0
    wrong = reconciler(tmp_path, "import", "--kinds", "invoice,bills")
    assert wrong.returncode == 1
    assert "there is no kind 'bills'" in wrong.stderr


def test_books_that_do_not_tie_out_end_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.cli.main import main
    from reconciler.providers.ledger.provider import LedgerProvider

    some_books(Others(tmp_path))
    monkeypatch.setattr(LedgerProvider, "control_balances", lambda self: balances("14", "41.23"))
    assert main(["--chdir", str(tmp_path), "import"]) == 1
    nothing_to_do(Others(tmp_path).plan())  # what was imported stays


KILLED = """
import os, signal, sys
from pathlib import Path
from reconciler.apply.running import Surroundings
from reconciler.kernel.clock import SystemClock
from reconciler.workflows.importing import ImportRequest, import_books
from reconciler.workflows.session import open_session

class Events:
    left = int(sys.argv[3])
    def boundary(self, name, step_id=""):
        if name == sys.argv[2]:
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1
    def progress(self, done, total, text): ...

with open_session(Path(sys.argv[1]), SystemClock()) as session:
    import_books(session, ImportRequest(), Surroundings(command="import", events=Events()))
"""


@pytest.mark.parametrize(
    ("where", "nth"),
    [
        pytest.param("read", 0, marks=pytest.mark.slow),
        pytest.param("file_written", 0, marks=pytest.mark.slow),
        ("file_written", 3),
        pytest.param("files_written", 0, marks=pytest.mark.slow),
        ("bound", 0),
    ],
)
def test_killed_anywhere_it_is_repaired_by_running_it_again(tmp_path: Path, where: str, nth: int) -> None:
    whole = Others(tmp_path / "whole")
    some_books(whole)
    whole.run_import()
    others = Others(tmp_path / "killed")
    some_books(others)
    run = [sys.executable, "-c", KILLED, str(others.root), where, str(nth)]
    assert subprocess.run(run, check=False).returncode == -signal.SIGKILL
    done = reconciler(others.root, "import")
    assert done.returncode == 0, done.stderr
    assert others.files() == whole.files()
    nothing_to_do(others.plan())
    state = others.state()
    assert reconciler(others.root, "import").returncode == 0
    assert others.state() == state

"""The file: private, durable, shared by processes and threads, picky about what it opens."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import BooksUnusable, Refusal
from reconciler.sandboxes.ledger.settings import BooksSettings, settings_for_class
from tests.unit.ledger.books import TestBooks


def test_the_file_is_private_and_keeps_its_opening_settings(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "books.sqlite"
    with Ledger(path, settings=BooksSettings(company="Acme", base_currency="EUR")) as first:
        company = first.books().company_id
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Ledger(path, settings=BooksSettings(company="Other")) as again:
        assert again.books().company_id == company
        assert (again.settings.company, again.settings.base_currency) == ("Acme", "EUR")


def test_companies_are_told_apart(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a.sqlite") as one, Ledger(tmp_path / "b.sqlite") as other:
        assert one.company_id != other.company_id


def test_durable_before_it_returns(books: TestBooks) -> None:
    with books.ledger._desk() as desk:
        assert desk.db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert desk.db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


@pytest.mark.parametrize("content", [b"not a database at all, really not one" * 40, None])
def test_other_files_are_not_opened(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other"
    if content is None:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t (x)")
        db.close()
    else:
        path.write_bytes(content)
    with pytest.raises(BooksUnusable, match="not a ledger"):
        Ledger(path)


def test_books_that_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BooksUnusable, match="no books"):
        Ledger.existing(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def post_many(path: Path, customer: str, account: str, mark: str, failures: multiprocessing.Queue[str]) -> None:
    content = {
        "customer": customer,
        "issue_date": "2026-11-10",
        "lines": [{"account": account, "unit_price": "10"}],
    }
    with Ledger(path) as ledger:
        for n in range(40):
            for answer in ledger.run([CreateRecord("invoice", content, f"{mark}-{n}-{m}") for m in range(3)]):
                if isinstance(answer, Refusal):
                    failures.put(answer.message)


def test_two_processes_post_at_once(books: TestBooks) -> None:
    context = multiprocessing.get_context("spawn")
    failures = context.Queue()
    processes = [
        context.Process(
            target=post_many, args=(books.ledger.path, books.customer, books.accounts["4000"], mark, failures)
        )
        for mark in ("one", "two")
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    assert failures.empty()
    failures.close()
    failures.join_thread()
    made = list(books.ledger.records(Selection(("invoice",))))
    assert len(made) == 240
    assert len({record.number for record in made}) == 240
    assert books.balance("1100") == 2400


def test_threads_share_one_ledger(books: TestBooks) -> None:
    answers: list[Record | Refusal] = []

    def work() -> None:
        for _ in range(20):
            answers.extend(books.ledger.run([CreateRecord("invoice", books.invoice_content())]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.number for answer in answers if isinstance(answer, Record)}) == 80


def test_reading_sees_one_moment_and_holds_nobody_up(books: TestBooks) -> None:
    for _ in range(3):
        books.invoice()
    reading = books.ledger.records(Selection(("invoice",)))
    next(iter(reading))
    books.invoice()
    assert len(list(reading)) == 2
    assert len(list(books.ledger.records(Selection(("invoice",))))) == 4


def test_masters_changed_by_another_process_are_seen(books: TestBooks) -> None:
    books.invoice()
    with Ledger(books.ledger.path) as other:
        other.one(UpdateRecord("customer", books.customer, {}, {"status": "archived"}))
    assert isinstance(books.ledger.run([CreateRecord("invoice", books.invoice_content())])[0], Refusal)


@pytest.mark.parametrize(("name", "kept", "doubled"), [("A", 1, 1), ("B", 1, 1), ("C", 1, 2), ("D", 0, 2)])
def test_deduplication_is_what_the_settings_say(tmp_path: Path, name: str, kept: int, doubled: int) -> None:
    books = TestBooks.open(tmp_path / "b.sqlite", settings_for_class(name))
    command = CreateRecord("invoice", books.invoice_content(), "ref", "INV-1")
    books.ledger.run([command, command])
    assert len(list(books.ledger.records(Selection(("invoice",))))) == doubled
    found = list(books.ledger.records(Selection(("invoice",), references=("ref",))))
    assert len(found) == kept * doubled
    books.ledger.close()


def test_in_class_b_what_has_no_number_is_told_apart_by_reference(tmp_path: Path) -> None:
    books = TestBooks.open(tmp_path / "b.sqlite", settings_for_class("B"))
    term = CreateRecord("item", {"name": "thing"}, "ref")
    assert isinstance(books.ledger.run([term, term])[1], Refusal)
    numbered = [CreateRecord("invoice", books.invoice_content(), "same", number) for number in ("1", "2")]
    assert not any(isinstance(answer, Refusal) for answer in books.ledger.run(numbered))
    books.ledger.close()

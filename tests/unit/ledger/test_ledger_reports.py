"""The workflow behind `reconciler ledger`: a project's books, read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.project import Project, load_project, open_provider
from reconciler.sandboxes.ledger.process import start_server
from reconciler.workflows.ledger_reports import open_ledger
from tests.unit.ledger.books import TestBooks, d

HEAD = "project: {id: 0b6f3c1e9d2a, name: acme}\nconnections:\n"


def project_of(root: Path, *connections: str) -> Project:
    root.joinpath("reconciler.yaml").write_text(HEAD + "".join(f"  {line}\n" for line in connections))
    return load_project(root)


def test_reports_of_a_file(tmp_path: Path) -> None:
    books = TestBooks.open(tmp_path / "books.sqlite")
    invoice = books.invoice(number="INV-1")
    books.payment("40", number="P-1", allocations=[{"invoice": invoice.id, "amount": d("40")}])
    books.ledger.close()
    project = project_of(tmp_path, "books: {provider: ledger, path: books.sqlite}")
    with open_ledger(project, ManualClock()) as reader:
        assert (reader.books().connection, reader.books().base_currency) == ("books", "USD")
        assert [row.code for row in reader.trial_balance()] == ["1100", "1200", "4000"]
        assert {row.entry for row in reader.journal(document="INV-1")} == {1}
        assert reader.journal(document="INV-1") == reader.journal(document=invoice.id)
        assert [row.total for row in reader.aging()] == [d("60.00")]
        assert reader.aging(date(2026, 11, 1)) == []
        assert [row.number for row in reader.documents(("payment",))] == ["P-1"]
        assert [row.number for row in reader.documents(open_only=True)] == ["INV-1"]
        assert [row.difference for row in reader.tie_out()] == [0]
        assert reader.check() == []
        with pytest.raises(InvalidInput, match="no document"):
            reader.journal(document="INV-2")


def test_reports_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = TestBooks.open(tmp_path / "books.sqlite")
    books.invoice()
    books.ledger.close()
    with start_server(tmp_path / "books.sqlite") as server:
        monkeypatch.setenv("LEDGER_TOKEN", server.token)
        line = f'books: {{provider: ledger, endpoint: "{server.url}", token: "${{env:LEDGER_TOKEN}}"}}'
        with open_ledger(project_of(tmp_path, line), ManualClock()) as reader:
            rows = reader.trial_balance()
            assert [(row.code, row.debit, row.credit) for row in rows] == [
                ("1100", d("100"), d("0")),
                ("4000", d("0"), d("100")),
            ]
            [line_of] = [row for row in reader.journal() if row.account == "1100"]
            assert (line_of.date, line_of.debit, line_of.rate) == (date(2026, 11, 10), d("100"), d("1"))
            assert reader.aging()[0].buckets[0] == d("100")
            assert reader.check() == []


def test_books_are_not_made_by_reading_them(tmp_path: Path) -> None:
    project = project_of(tmp_path, "books: {provider: ledger, path: books.sqlite}")
    with pytest.raises(ReconcilerError, match="no books"), open_ledger(project, ManualClock()):
        pass
    assert not (tmp_path / "books.sqlite").exists()


def test_which_ledger_is_meant(tmp_path: Path) -> None:
    two = project_of(tmp_path, "a: {provider: ledger, path: a}", "b: {provider: ledger, path: b}")
    with pytest.raises(InvalidInput, match="several"), open_ledger(two, ManualClock()):
        pass
    with pytest.raises(InvalidInput, match="no connection 'c'"), open_ledger(two, ManualClock(), "c"):
        pass
    other = project_of(tmp_path, "a: {provider: codat}")
    with pytest.raises(InvalidInput, match="not to the embedded ledger"), open_ledger(other, ManualClock(), "a"):
        pass


def test_new_books_round_as_the_connection_says(tmp_path: Path) -> None:
    line = "books: {provider: ledger, path: b, tax_rounding: document, rounding: half_even}"
    provider = open_provider(project_of(tmp_path, line), "books", ManualClock())
    company = provider.company()
    provider.close()
    assert (company.tax_rounding_per_line, company.rounding) == (False, "half_even")
    other = project_of(tmp_path, "books: {provider: ledger, path: b, tax_rounding: line}")
    with pytest.raises(ReconcilerError, match="another tax_rounding"):
        open_provider(other, "books", ManualClock())

"""`documents get`: a document on paper, saved whole, under a name of ours, over nothing that is there."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from reconciler.cli.commands import documents
from reconciler.cli.writing import write_new
from reconciler.kernel.errors import InvalidInput
from reconciler.providers.errors import Unavailable
from reconciler.providers.ledger import LedgerProvider
from reconciler.providers.protocol import DocumentFile
from tests.unit.cli.conftest import edit

PDF = b"%PDF-1.4\nsome bytes"


@pytest.fixture
def applied(run, project):
    assert run("apply", "--auto-approve").code == 0
    return project


@pytest.fixture
def prints(monkeypatch):
    """What the ledger prints from here on."""

    def with_file(file):
        def document(self, kind, remote_id):
            if isinstance(file, Exception):
                raise file
            return file

        monkeypatch.setattr(LedgerProvider, "document", document)

    return with_file


def test_it_is_saved_under_its_number_and_private(run, applied):
    saved = run("documents", "get", "invoice.INV-7452")
    path = applied / "INV-7452.pdf"
    assert (saved.code, saved.err) == (0, "")
    assert saved.out == f"Saved {path} (application/pdf, {path.stat().st_size:,} bytes).\n"
    assert path.read_bytes().startswith(b"%PDF-1.4")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(applied.glob(".*pdf*"))


def test_a_file_that_is_there_is_kept_unless_forced(run, applied):
    path = applied / "INV-7452.pdf"
    path.write_text("mine")
    refused = run("documents", "get", "invoice.INV-7452")
    assert refused.code == 1
    assert "is there already" in " ".join(refused.err.split())
    assert "--force" in refused.err
    assert path.read_text() == "mine"
    assert run("documents", "get", "invoice.INV-7452", "--force").code == 0
    assert path.read_bytes().startswith(b"%PDF")


def test_a_link_that_leads_nowhere_is_not_followed(run, applied):
    (applied / "INV-7452.pdf").symlink_to(applied / "elsewhere")
    assert run("documents", "get", "invoice.INV-7452").code == 1
    assert not (applied / "elsewhere").exists()


def test_out_names_a_file_a_folder_or_stdout(run, applied):
    (applied / "prints").mkdir()
    assert run("documents", "get", "invoice.INV-7452", "--out", "prints").code == 0
    assert run("documents", "get", "invoice.INV-7452", "-o", "prints/mine.pdf").code == 0
    assert sorted(path.name for path in (applied / "prints").iterdir()) == ["INV-7452.pdf", "mine.pdf"]
    lost = run("documents", "get", "invoice.INV-7452", "--out", "nowhere/mine.pdf")
    assert lost.code == 1
    assert "No such file or directory" in lost.err


def test_stdout_gets_the_bytes_and_nothing_else(run, applied, prints):
    prints(DocumentFile("x", "application/pdf", PDF))
    assert run("documents", "get", "invoice.INV-7452", "--out", "-").out == PDF.decode()
    both = run("documents", "get", "invoice.INV-7452", "--out", "-", "--json")
    assert both.code == 1
    assert "both want stdout" in json.loads(both.out)["error"]["what"]


def test_json_tells_what_was_saved(run, applied, prints):
    prints(DocumentFile("../their name.pdf", "application/pdf", PDF))
    told = json.loads(run("documents", "get", "invoice.INV-7452", "--json").out)
    path = applied / "INV-7452.pdf"
    assert told == {
        "address": "books:invoice.INV-7452",
        "bytes": len(PDF),
        "file": str(path),
        "kind": "invoice",
        "label": "",
        "media_type": "application/pdf",
        "name": "../their name.pdf",
        "number": "INV-7452",
        "remote_id": told["remote_id"],
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    assert path.read_bytes() == PDF


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (DocumentFile("", "application/pdf", b""), "sent an empty file"),
        (DocumentFile("", "application/pdf", b"<html>Please log in</html>"), "sent as a PDF is none"),
        (Unavailable("out of paper"), "out of paper"),
    ],
)
def test_what_is_no_print_is_not_saved(run, applied, prints, file, words):
    prints(file)
    refused = run("documents", "get", "invoice.INV-7452")
    assert refused.code == 1
    assert words in refused.err
    assert not list(applied.glob("*.pdf"))


def test_a_correction_is_got_by_its_label(run, applied):
    edit(applied, "unit_price: 2373.45", "unit_price: 2000.00")
    assert run("apply", "--auto-approve", "--allow", "credit:invoice.INV-7452", "--reason", "agreed").code == 0
    assert run("documents", "get", "invoice.INV-7452/credit.1").code == 0
    assert b"Credit note INV-7452-C1" in (applied / "INV-7452-C1.pdf").read_bytes()
    wrong = run("documents", "get", "invoice.INV-7452/credit.2")
    assert wrong.code == 1
    assert "no document 'credit.2'" in wrong.err
    assert "It has: credit.1." in wrong.err


def test_what_is_no_document_or_not_bound_is_told(run, applied):
    assert "Documents are: invoice, credit_note, payment." in run("documents", "get", "customer.acme").err
    unknown = run("documents", "get", "invoice.INV-7453")
    assert unknown.code == 1
    assert "is not in the state" in unknown.err
    assert "there is no kind 'invoce'" in run("documents", "get", "invoce.INV-7452").err


def test_an_erp_that_prints_none_says_so(run, applied, monkeypatch):
    plain = LedgerProvider.capabilities

    def without(self):
        from dataclasses import replace

        found = plain(self)
        kinds = dict(found.kinds) | {"invoice": replace(found.kind("invoice"), printed=False)}
        return replace(found, kinds=kinds)

    monkeypatch.setattr(LedgerProvider, "capabilities", without)
    refused = run("documents", "get", "invoice.INV-7452")
    assert refused.code == 1
    assert "ledger prints no invoices" in refused.err
    assert "It prints: credit_notes, payments." in refused.err


def test_a_terminal_gets_no_pdf(run, applied, prints, monkeypatch):
    prints(DocumentFile("", "application/pdf", PDF))
    monkeypatch.setattr(documents.sys.stdout.__class__, "isatty", lambda self: True, raising=False)
    assert "no text for a terminal" in run("documents", "get", "invoice.INV-7452", "--out", "-").err


def test_where_links_are_unknown_nothing_is_replaced_either(tmp_path: Path, monkeypatch):
    def no_links(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", no_links)
    write_new(b"one", tmp_path / "a")
    with pytest.raises(InvalidInput, match="is there already"):
        write_new(b"two", tmp_path / "a")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"one")]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(Path, "exists", lambda self: False)
    (tmp_path / "a").write_bytes(b"one")
    with pytest.raises(InvalidInput, match="is there already"):
        write_new(b"two", tmp_path / "a")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]


def test_an_odd_number_is_no_path(run, applied, prints):
    edit(applied, "  INV-7452:", "  ../up:")
    prints(DocumentFile("", "text/plain; charset=utf-8", b"text"))
    edit(applied, "invoices:", "moved: [{from: invoice.INV-7452, to: invoice...%2Fup}]\ninvoices:")
    assert run("apply", "--auto-approve").code == 0
    assert run("documents", "get", "invoice...%2Fup").code == 0
    assert (applied / "INV-7452.txt").read_bytes() == b"text"

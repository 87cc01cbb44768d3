"""Books made by hand or by another project: declared, bound, and nothing left for a plan to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from reconciler.importing.model import Why
from reconciler.kernel.errors import ExitCode, InvalidInput
from reconciler.sandboxes.ledger.commands import AttachFile, ReversePayment, UpdateRecord, VoidDocument
from tests.unit.importing.others import Others, nothing_to_do


@pytest.fixture
def others(tmp_path: Path) -> Others:
    return Others(tmp_path)


def some_books(others: Others) -> dict[str, str]:
    """Ids by a short name: two customers, three invoices, a credit note, payments, a draft, a void, a reversed."""
    at = others.accounts()
    do = others.by_hand
    ids = {"vat": do("tax_rate", {"code": "vat", "rate": "10", "account": at["2200"]})}
    ids["muller"] = do("customer", {"name": "Müller & Söhne GmbH", "email": "ap@muller.example", "currency": "EUR"})
    ids["no"] = do("customer", {"name": "NO", "code": "012"})
    line = {"account": at["4000"], "quantity": "2", "unit_price": "10.05", "taxes": [ids["vat"]]}
    euros: dict[str, Any] = {"customer": ids["muller"], "currency": "EUR", "exchange_rate": "1.1"}
    dollars: dict[str, Any] = {"customer": ids["no"]}
    work = {**line, "description": "Work: done\nwell"}
    ids["one"] = do(
        "invoice", {**dollars, "issue_date": "2026-10-10", "due_date": "2026-11-10", "lines": [work]}, "I-1"
    )
    stated = {**line, "tax_amount": "2.02"}
    ids["two"] = do("invoice", {**euros, "issue_date": "2026-11-02", "lines": [stated, line]}, "I-2")
    ids["three"] = do("invoice", {**dollars, "issue_date": "2026-11-03", "lines": [{**line, "quantity": "9"}]})
    note = {"account": at["4000"], "unit_price": "3"}
    credit = {**euros, "issue_date": "2026-11-05", "original": {"invoice": ids["two"]}, "lines": [note]}
    ids["credit"] = do("credit_note", {**credit, "allocations": [{"invoice": ids["two"], "amount": "2"}]}, "C-1")
    write_off = {"amount": "0.11", "account": at["6200"], "reason": "cents"}
    paid = {"customer": ids["no"], "received_on": "2026-11-15", "bank_account": at["operating"], "amount": "100"}
    settles = [
        {"invoice": ids["one"], "amount": "21", "discount": "1", "write_off": write_off},
        {"invoice": ids["three"], "amount": "9.99", "date": "2026-11-16"},
    ]
    ids["payment"] = do("payment", {**paid, "reference": "W 7", "method": "wire", "allocations": settles}, "P-1")
    on_account = {**paid, "received_on": "2026-11-16", "amount": "5.5"}
    ids["on account"] = do("payment", on_account, "P-2")
    ids["draft"] = do("invoice", {**dollars, "issue_date": "2026-11-20", "lines": [line]}, state="draft")
    ids["void"] = do("invoice", {**dollars, "issue_date": "2026-11-04", "lines": [line]}, "I-9")
    others.do(VoidDocument("invoice", ids["void"], "mistake"))
    ids["reversed"] = do("payment", {**on_account, "amount": "7"}, "P-9")
    others.do(ReversePayment(ids["reversed"], date(2026, 11, 18), "bounced"))
    return ids


def test_what_others_made_is_declared_as_it_is(others: Others) -> None:
    some_books(others)
    report = others.run_import()
    assert report.imported == {"customer": 2, "invoice": 4, "credit_note": 1, "payment": 2}
    assert {item.shown for item in report.left_out} == {"I-9", "P-9"}
    assert {item.why for item in report.left_out} == {Why.ENDED}
    assert report.exit_code == ExitCode.OK
    assert {row.currency: (str(row.open_items), row.difference) for row in report.tie_out.rows} == {
        "EUR": ("41.23", 0),
        "USD": ("15.00", 0),
    }
    nothing_to_do(others.plan())
    files = others.files()
    assert sorted(files) == [
        "credit-notes-2026-11.yaml",
        "customers.yaml",
        "invoices-2026-10.yaml",
        "invoices-2026-11.yaml",
        "payments-2026-11.yaml",
    ]
    without_seal = {name: text.split("\n", 1)[1] for name, text in files.items()}
    assert without_seal["invoices-2026-10.yaml"] == (
        "invoices:\n"
        "  I-1:\n"
        '    customer: "012"\n'
        "    issue_date: 2026-10-10\n"
        "    due_date: 2026-11-10\n"
        "    lines:\n"
        '      - {account: "4000", description: "Work: done\\nwell", quantity: 2, unit_price: 10.05,'
        " taxes: [vat]}\n"
    )
    assert without_seal["payments-2026-11.yaml"] == (
        "payments:\n"
        "  P-1:\n"
        '    customer: "012"\n'
        "    received_on: 2026-11-15\n"
        "    amount: 100.00\n"
        "    bank_account: operating\n"
        "    method: wire\n"
        "    reference: W 7\n"
        "    allocations:\n"
        "      - {invoice: I-1, amount: 21.00, discount: 1.00, write_off: {amount: 0.11,"
        ' account: "6200", reason: cents}}\n'
        "      - {invoice: INV-000001, amount: 9.99, date: 2026-11-16}\n"
        "\n"
        "  P-2:\n"
        '    customer: "012"\n'
        "    received_on: 2026-11-16\n"
        "    amount: 5.50\n"
        "    bank_account: operating\n"
    )
    assert "tax_amount: 2.02" in without_seal["invoices-2026-11.yaml"]
    assert without_seal["invoices-2026-11.yaml"].count("tax_amount") == 1
    assert "    exchange_rate: 1.1\n" in without_seal["invoices-2026-11.yaml"]
    assert "    state: draft\n" in without_seal["invoices-2026-11.yaml"]
    assert "  muller-sohne-gmbh:\n    name: Müller & Söhne GmbH\n" in without_seal["customers.yaml"]
    assert '  "012":\n    name: "NO"\n' in without_seal["customers.yaml"]


def test_a_second_import_changes_nothing(others: Others) -> None:
    some_books(others)
    others.run_import()
    files, state = others.files(), others.state()
    report = others.run_import()
    assert not report.imported
    assert not report.files
    assert report.managed == {"customer": 2, "invoice": 4, "credit_note": 1, "payment": 2}
    assert (others.files(), others.state()) == (files, state)


@pytest.mark.parametrize("manifests", ["kept", "lost"])
def test_with_its_state_lost_it_imports_the_same(others: Others, manifests: str) -> None:
    some_books(others)
    others.run_import()
    files = others.files()
    others.lose_state()
    if manifests == "lost":
        others.lose_manifests()
    report = others.run_import()
    assert others.files() == files
    assert bool(report.bound_again) == (manifests == "kept")
    nothing_to_do(others.plan())


def test_lost_manifests_are_written_again_under_the_names_state_knows(others: Others) -> None:
    some_books(others)
    others.run_import()
    files, state = others.files(), others.state()
    others.lose_manifests()
    report = others.run_import()
    assert report.declared_again == {"customer": 2, "invoice": 4, "credit_note": 1, "payment": 2}
    assert (others.files(), others.state()) == (files, state)
    nothing_to_do(others.plan())


def test_state_is_as_after_an_apply(others: Others) -> None:
    """What an import records, an apply of the same manifests with `adopt:` records too."""
    ids = some_books(others)
    others.run_import()
    kinds = {"no": ("customer", "012"), "one": ("invoice", "I-1"), "payment": ("payment", "P-1")}
    from reconciler.workflows.session import open_session

    def rows() -> list[Any]:
        with open_session(others.root, others.clock) as session:
            view = session.store.view()
            events = [row.entry for row in session.store.history()]
            assert len(session.store.runs()) == 1
            assert [run.status for run in session.store.runs()] == ["complete"]
            assert any('"bookkeeping"' in entry for entry in events)
            named = {address.name: row for address, row in view.bindings.items()}
            documents = {row.remote_id: row for row in view.documents.values()}
            found = []
            for key, (_, name) in kinds.items():
                binding, document = named[name], documents[ids[key]]
                assert binding.document_id == document.document_id
                found.append((binding.declared, binding.declared_digest, document.fingerprint, document.phase))
            return [*found, sorted(view.allocations.values())]

    imported = rows()
    others.lose_state()
    adopt = ", ".join(f"{{address: {kind}.{name}, id: {ids[key]}}}" for key, (kind, name) in kinds.items())
    adopt += f", {{address: invoice.INV-000001, id: {ids['three']}}}, {{address: invoice.I-2, id: {ids['two']}}}"
    adopt += f", {{address: customer.muller-sohne-gmbh, id: {ids['muller']}}}, {{address: credit_note.C-1}}"
    others.declare(f"adopt: [{adopt}]\n")
    others.apply_targets("payment.P-1", "credit_note.C-1")
    assert rows() == imported


def test_a_renamed_customer_keeps_its_name_by_its_code_and_by_state(others: Others) -> None:
    ids = some_books(others)
    others.run_import()
    for key, before in (("no", "NO"), ("muller", "Müller & Söhne GmbH")):
        others.do(UpdateRecord("customer", ids[key], {"name": before}, {"name": "Renamed"}))
    files = others.files()
    others.run_import()
    assert others.files() == files
    assert others.names("customer") == ["012", "muller-sohne-gmbh"]
    assert [change.address.name for change in others.plan().changes] == ["012", "muller-sohne-gmbh"]


def test_an_edited_file_is_never_written_to(others: Others) -> None:
    ids = some_books(others)
    others.run_import()
    path = others.root / "manifests" / "invoices-2026-11.yaml"
    path.write_text(path.read_text() + "# mine\n")
    edited = path.read_text()
    line = {"account": others.accounts()["4000"], "unit_price": "1"}
    for number in ("I-10", "I-11"):
        others.by_hand("invoice", {"customer": ids["no"], "issue_date": "2026-11-21", "lines": [line]}, number)
        report = others.run_import()
        assert [file.path for file in report.files] == ["manifests/invoices-2026-11-2.yaml"]
    assert path.read_text() == edited
    assert {"I-10", "I-11", "I-2"} <= set(others.names("invoice"))
    nothing_to_do(others.plan())


def test_new_records_join_what_an_import_wrote_in_order(others: Others) -> None:
    ids = some_books(others)
    others.run_import()
    line = {"account": others.accounts()["4000"], "unit_price": "1"}
    others.by_hand("invoice", {"customer": ids["no"], "issue_date": "2026-11-01", "lines": [line]}, "I-10")
    report = others.run_import()
    assert [(file.path, file.added, file.new) for file in report.files] == [
        ("manifests/invoices-2026-11.yaml", 1, False)
    ]
    grown = others.files()
    nothing_to_do(others.plan())
    others.lose_manifests()
    others.lose_state()
    others.run_import()
    assert others.files() == grown


def test_a_declaration_wins_over_the_books(others: Others) -> None:
    ids = some_books(others)
    others.declare("customers:\n  '012': {name: Nobody, credit_limit: 5}\n")
    report = others.run_import()
    [left] = [item for item in report.left_out if item.why is Why.DIFFERS]
    assert left.remote_id == ids["no"]
    assert "adopt: [{address: customer.012, id:" in left.hint
    assert {item.why for item in report.left_out} == {Why.DIFFERS, Why.REFERS, Why.ENDED}
    assert others.names("invoice") == ["I-2"]
    assert others.files()["all.yaml"].startswith("customers:\n  '012': {name: Nobody")


def test_what_is_declared_as_it_is_in_the_books_is_bound(others: Others) -> None:
    some_books(others)
    others.declare("customers:\n  nobody: {code: '012', name: 'NO'}\n")
    report = others.run_import()
    assert report.bound_again == {"customer": 1}
    assert others.names("customer") == ["muller-sohne-gmbh", "nobody"]
    assert "customer: nobody" in others.files()["invoices-2026-10.yaml"]
    nothing_to_do(others.plan())


def test_another_projects_documents_are_left_to_it(others: Others, tmp_path: Path) -> None:
    some_books(others)
    other = Others(tmp_path / "other", project="ffff3c1e9d2a", path="../state/books.sqlite")
    other.declare(
        "customers:\n  theirs: {name: Theirs}\n"
        "invoices:\n  T-1: {customer: theirs, issue_date: 2026-11-10, lines: [{account: '4000', unit_price: 10}]}\n"
    )
    other.apply()
    theirs = next(row.id for row in rows_of(others, "customer") if row.code == "theirs")
    line = {"account": others.accounts()["4000"], "unit_price": "1"}
    others.by_hand("invoice", {"customer": theirs, "issue_date": "2026-11-01", "lines": [line]}, "I-10")
    report = others.run_import()
    found = {(item.shown, item.why) for item in report.left_out if item.why is not Why.ENDED}
    assert found == {("theirs", Why.ANOTHER_PROJECT), ("T-1", Why.ANOTHER_PROJECT), ("I-10", Why.REFERS)}
    assert report.tie_out.ties
    nothing_to_do(others.plan())


def rows_of(others: Others, kind: str) -> list[Any]:
    from reconciler.sandboxes.ledger.records import Selection

    with others.ledger() as ledger:
        return list(ledger.records(Selection((kind,))))


def test_only_what_is_open_with_what_it_settles(others: Others) -> None:
    some_books(others)
    report = others.run_import(open_only=True)
    assert report.imported == {"customer": 2, "invoice": 4, "credit_note": 1, "payment": 2}
    assert "I-1" in others.names("invoice")  # settled, and P-1 has a remainder and settles it
    nothing_to_do(others.plan())


def test_only_since_a_day(others: Others) -> None:
    some_books(others)
    report = others.run_import(since="2026-11-15", kinds=["payments"])
    assert others.names("payment") == ["P-1", "P-2"]
    assert others.names("invoice") == ["I-1", "INV-000001"]  # what P-1 settles
    assert report.not_asked_for == {"invoice": 2, "credit_note": 1}
    assert report.tie_out.ties
    nothing_to_do(others.plan())
    others.run_import()
    assert len(others.names("invoice")) == 4
    nothing_to_do(others.plan())


def test_reference_data_comes_when_asked_for(others: Others) -> None:
    some_books(others)
    report = others.run_import(kinds=["all"])
    assert report.imported["account"] == 13
    assert {(item.shown, item.why) for item in report.left_out if item.kind == "tax_rate"} == {
        ("vat", Why.NOT_DECLARABLE)  # I-2 states 2.02 where it comes to 2.01
    }
    assert report.imported["bank_account"] == 1
    nothing_to_do(others.plan())
    files = others.files()
    assert '  "4000":\n    name: Sales\n    type: income\n' in files["accounts.yaml"]


@pytest.mark.parametrize("out", ["elsewhere", "manifests/../elsewhere", "/", "manifests/.hidden", "manifestsx"])
def test_manifests_go_where_manifests_are_read(others: Others, out: str) -> None:
    with pytest.raises(InvalidInput, match="not a folder of manifests"):
        others.run_import(out=out)
    assert not others.files()


def test_a_folder_of_their_own(others: Others) -> None:
    some_books(others)
    others.run_import(out="manifests/books/opening")
    assert all(name.startswith("books/opening/") for name in others.files())
    nothing_to_do(others.plan())


@pytest.mark.parametrize(
    "options",
    [{"kinds": ["invoicez"]}, {"since": "yesterday"}, {"connection": "bank"}],
)
def test_options_that_name_nothing_are_refused(others: Others, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        others.run_import(**options)


def test_each_connection_has_its_own_folder_and_files_name_it(others: Others, tmp_path: Path) -> None:
    some_books(others)
    two = Others(tmp_path / "two", path="../state/books.sqlite")
    (two.root / "reconciler.yaml").write_text(
        "project: {id: 0b6f3c1e9d2a, name: story}\nconnections:\n"
        "  books: {provider: ledger, path: state/books.sqlite, default: true}\n"
        "  bank: {provider: ledger, path: ../state/books.sqlite}\n"
    )
    report = two.run_import(connection="bank")
    assert report.imported == {"customer": 2, "invoice": 4, "credit_note": 1, "payment": 2}
    assert not two.run_import().imported
    assert all(name.startswith("bank/") for name in two.files())
    assert all("\nconnection: bank\n\n" in text for text in two.files().values())
    nothing_to_do(two.plan())


def test_templates_declare_too(others: Others) -> None:
    some_books(others)
    (others.root / "manifests" / "who.yaml.j2").write_text("customers:\n  nobody: {code: '012', name: 'NO'}\n")
    report = others.run_import()
    assert report.bound_again == {"customer": 1}
    assert "customer: nobody" in others.files()["invoices-2026-10.yaml"]
    nothing_to_do(others.plan())


def test_files_attached_in_the_erp_stay_there(others: Others) -> None:
    ids = some_books(others)
    others.do(AttachFile("invoice", ids["one"], "scan.pdf", "scans/one.pdf", "0" * 64))
    report = others.run_import()
    assert report.imported["invoice"] == 4
    assert "attachments" not in others.files()["invoices-2026-10.yaml"]
    nothing_to_do(others.plan())

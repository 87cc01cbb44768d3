"""`state mv|rm|export|import|migrate` as a user types them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.postgres.fixtures import Database
from tests.postgres.server import PASSWORD
from tests.unit.cli.conftest import Run, edit


@pytest.fixture
def applied(run: Run) -> Run:
    assert run("apply", "--auto-approve").code == 0
    return run


def test_mv_and_the_manifest_renamed_leave_nothing_to_do(applied: Run, project: Path) -> None:
    said = applied("state", "mv", "invoice.INV-7452", "invoice.INV-7452-A", "--dry-run")
    assert said.out.startswith("invoice.INV-7452 would become invoice.INV-7452-A (1 document).")
    assert applied("plan", "--detailed-exitcode").code == 0
    done = applied("state", "mv", "invoice.INV-7452", "invoice.INV-7452-A", "--json")
    assert json.loads(done.out) == {
        "from": "books:invoice.INV-7452",
        "to": "books:invoice.INV-7452-A",
        "documents": 1,
        "dry_run": False,
    }
    edit(project, "INV-7452:", "INV-7452-A:\n    number: INV-7452")
    planned = applied("plan", "--detailed-exitcode")
    assert planned.code == 0, planned.out + planned.err
    entries = json.loads(applied("history", "--json").out)["entries"]
    assert entries[-1]["entry"]["event"] == "state_mv"


def test_rm_forgets_and_the_next_apply_binds_it_again(applied: Run) -> None:
    before = applied("ledger", "documents", "--json").out
    said = applied("state", "rm", "invoice.INV-7452")
    assert said.out.startswith("invoice.INV-7452 is forgotten; still in the books: ")
    assert applied("state", "show", "invoice.INV-7452").code == 1
    assert applied("apply", "--auto-approve").code == 0
    assert applied("state", "show", "invoice.INV-7452").code == 0
    assert applied("ledger", "documents", "--json").out == before


def test_what_is_not_there_is_an_error(applied: Run) -> None:
    for command in (("mv", "invoice.INV-1", "invoice.INV-2"), ("rm", "invoice.INV-1")):
        refused = applied("state", *command)
        assert refused.code == 1
        assert "invoice.INV-1 is not in the state" in refused.err


def test_an_export_goes_back_in(applied: Run, project: Path) -> None:
    assert applied("state", "export", "kept.json").code == 0
    assert stat.S_IMODE((project / "kept.json").stat().st_mode) == 0o600
    refused = applied("state", "import", "kept.json")
    assert refused.code == 1
    assert "Give --replace" in refused.err
    for path in (project / "state").glob("acme-receivables.sqlite*"):
        path.unlink()
    looked = applied("state", "import", "kept.json", "--dry-run", "--json")
    assert (looked.code, json.loads(looked.out)["addresses"]) == (0, 2)
    done = applied("state", "import", "kept.json")
    assert done.code == 0, done.err
    assert "The state was restored: 2 addresses, 2 documents" in done.out
    planned = applied("plan", "--detailed-exitcode")
    assert planned.code == 0, planned.out
    assert applied("history", "verify").code == 0


def test_a_changed_export_is_refused(applied: Run, project: Path) -> None:
    applied("state", "export", "-o", "kept.json")
    path = project / "kept.json"
    path.write_text(path.read_text().replace("INV-7452", "INV-7453"))
    refused = applied("state", "import", "kept.json", "--replace")
    assert refused.code == 1
    assert "Its digest does not match" in refused.err


def test_migrate_to_another_file_and_back_to_work(applied: Run, project: Path) -> None:
    said = applied("state", "migrate", "--to", "sqlite:state/new.sqlite", "--dry-run")
    assert "would be moved" in said.out
    assert not (project / "state" / "new.sqlite").exists()
    done = applied("state", "migrate", "--to", "sqlite:state/new.sqlite")
    assert done.code == 0, done.err
    assert "state: {backend: sqlite, path: state/new.sqlite}" in done.out
    refused = applied("plan")
    assert refused.code == 1
    assert "was moved to" in refused.err
    settings = project / "reconciler.yaml"
    settings.write_text("state: {backend: sqlite, path: state/new.sqlite}\n" + settings.read_text())
    assert applied("plan", "--detailed-exitcode").code == 0


def test_to_postgres_and_back_by_pasting_what_is_printed(
    applied: Run, project: Path, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOOKS_STATE_URL", postgres.url)
    settings = project / "reconciler.yaml"
    rest = settings.read_text()
    exported = applied("state", "export").out
    for target in ("postgres:BOOKS_STATE_URL", "sqlite:state/back.sqlite"):
        done = applied("state", "migrate", "--to", target, "--json")
        assert done.code == 0, done.err
        document = json.loads(done.out)
        settings.write_text(document["setting"] + "\n" + rest)
        assert applied("plan", "--detailed-exitcode").code == 0
        again = json.loads(applied("state", "export").out)
        assert [again[key] for key in ("documents", "bindings")] == [
            json.loads(exported)[key] for key in ("documents", "bindings")
        ]
        assert applied("history", "verify").code == 0
    assert PASSWORD not in done.out + settings.read_text() + exported


@pytest.mark.parametrize("target", ["postgresql://u:hush-77@h/d", "sqlite:", "postgres:", "nowhere"])
def test_a_target_is_a_path_or_the_name_of_a_variable(applied: Run, target: str) -> None:
    refused = applied("state", "migrate", "--to", target)
    assert refused.code == 1
    assert "neither sqlite:PATH nor postgres:VARIABLE" in refused.err
    assert "hush-77" not in refused.err + refused.out

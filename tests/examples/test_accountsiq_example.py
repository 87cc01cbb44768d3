"""The example on AccountsIQ: applied once on its sandbox, it is done; limits and prints are as its README says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, examples, reconciler

__all__ = ["examples"]


@pytest.fixture
def folder(examples: Path) -> Path:
    assert (EXAMPLES / "10-accountsiq").is_dir()
    return examples / "10-accountsiq"


def test_it_is_applied_once_and_then_done(folder: Path) -> None:
    reconciler(folder, "fmt", "--check")
    first = reconciler(folder, "apply", "--auto-approve")
    assert "Apply complete: 10 done." in first
    assert "implied by the lines of invoice.INV-1002" in first
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    reconciler(folder, "documents", "get", "invoice.INV-1001", "--out", "INV-1001.pdf")
    assert (folder / "INV-1001.pdf").read_bytes().startswith(b"%PDF")
    manifest = folder / "manifests" / "receivables.yaml"
    text = manifest.read_text()
    assert "unit_price: 240.00" in text
    more = text.replace("invoices:\n", "invoices:\n" + _third("1900.00"), 1)
    manifest.write_text(more)
    warned = " ".join(reconciler(folder, "plan").split())
    assert "over its credit limit of 2,000.00 USD" in warned, warned


def _third(amount: str) -> str:
    line = f'{{description: Grinder, account: "4000", quantity: 1, unit_price: {amount}}}'
    return f"  INV-1003:\n    customer: harbour\n    issue_date: 2026-11-20\n    lines:\n      - {line}\n\n"


def test_more_than_the_payment_is_refused_before_any_plan(folder: Path) -> None:
    manifest = folder / "manifests" / "receivables.yaml"
    manifest.write_text(manifest.read_text().replace("amount: 157.00}", "amount: 160.00}"))
    for command in ("validate", "plan"):
        run = subprocess.run(
            [sys.executable, "-m", "reconciler", "--chdir", str(folder), command], capture_output=True, text=True
        )
        assert run.returncode == 1
        assert "the allocations come to 1203, and the payment to 1200" in run.stderr
    assert "160.00 is more than the payment has" in (EXAMPLES / "10-accountsiq" / "README.md").read_text()


@pytest.mark.slow
def test_an_allocation_is_taken_down_with_consent(folder: Path) -> None:
    reconciler(folder, "apply", "--auto-approve")
    manifest = folder / "manifests" / "receivables.yaml"
    manifest.write_text(manifest.read_text().replace("amount: 157.00}", "amount: 100.00}"))
    assert "payment.PMT-1 is blocked" in " ".join(reconciler(folder, "plan").split())
    allow = ("--allow", "unallocate:payment.PMT-1", "--reason", "disputed")
    assert "1 done" in reconciler(folder, "apply", "--auto-approve", *allow)
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")


@pytest.mark.slow
def test_what_is_in_the_books_is_imported_when_all_else_is_lost(folder: Path) -> None:
    reconciler(folder, "apply", "--auto-approve")
    for path in (*(folder / "manifests").iterdir(), *folder.glob("state/accountsiq.sqlite*")):
        path.unlink()
    shutil.rmtree(folder / "state" / ".history", ignore_errors=True)
    imported = reconciler(folder, "import")
    assert "manifests/invoices-2026-11.yaml: 2 resources" in imported
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")

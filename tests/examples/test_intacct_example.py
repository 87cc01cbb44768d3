"""The example on Intacct: applied once, it is done; an invoice is printed, an advance applied further."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, examples, reconciler

__all__ = ["examples"]


@pytest.fixture
def folder(examples: Path) -> Path:
    assert (EXAMPLES / "09-intacct").is_dir()
    return examples / "09-intacct"


def test_it_is_applied_once_and_then_done(folder: Path) -> None:
    reconciler(folder, "fmt", "--check")
    first = reconciler(folder, "apply", "--auto-approve")
    assert "Apply complete: 7 done." in first
    assert "'8 × 125' will be stored as '1000'" in " ".join(first.split())
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    reconciler(folder, "documents", "get", "invoice.INV-101", "--out", str(folder / "INV-101.pdf"))
    assert (folder / "INV-101.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.slow
def test_an_advance_is_applied_further_and_a_payment_is_not_taken_apart(folder: Path) -> None:
    reconciler(folder, "apply", "--auto-approve")
    manifest = folder / "manifests" / "receivables.yaml"
    text = manifest.read_text()
    invoice = (
        "  INV-103:\n    customer: JHC\n    issue_date: 2026-11-18\n    due_date: 2026-12-18\n"
        '    lines: [{description: Advice, account: "4000", quantity: 1, unit_price: 300.00}]\n'
    )
    further = "      - {invoice: INV-101, amount: 1200.00}\n"
    more = text.replace("\ncredit_notes:", f"{invoice}\ncredit_notes:")
    manifest.write_text(more.replace(further, f"{further}      - {{invoice: INV-103, amount: 300.00}}\n"))
    assert "2 done" in reconciler(folder, "apply", "--auto-approve")
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    taken_off = manifest.read_text().replace(
        "    allocations:\n      - {invoice: INV-102, amount: 400.00}\n", "    allocations: []\n"
    )
    manifest.write_text(taken_off)
    blocked = " ".join(reconciler(folder, "plan", "--detailed-exitcode", code=2).split())
    assert "payment.PMT-1 is blocked" in blocked

"""The example behind Codat: applied once on its sandbox, it is done; what Codat cannot do is said in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, examples, reconciler

__all__ = ["examples"]


@pytest.fixture
def folder(examples: Path) -> Path:
    assert (EXAMPLES / "06-codat").is_dir()
    return examples / "06-codat"


def test_it_is_applied_once_and_then_done(folder: Path) -> None:
    reconciler(folder, "fmt", "--check")
    first = reconciler(folder, "apply", "--auto-approve")
    assert "Apply complete: 6 done." in first
    assert "allocate 120.00 to invoice.INV-7453" in first
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    manifest = folder / "manifests" / "receivables.yaml"
    paid = "- {invoice: INV-7452, amount: 1250.00} # 50.00 stays on account"
    text = manifest.read_text()
    assert paid in text
    manifest.write_text(text.replace(paid, f"{paid}\n      - {{invoice: INV-7453, amount: 50.00}}"))
    blocked = " ".join(reconciler(folder, "plan", "--detailed-exitcode", code=2).split())
    assert "allocate money on account later" in blocked, blocked
    assert (folder / "state" / "books.sandbox.sqlite").is_file()


@pytest.mark.slow
def test_a_lost_state_is_found_again(folder: Path) -> None:
    """Documents carry our reference in their note; a customer carries nothing of ours, and is adopted by a word."""
    reconciler(folder, "apply", "--auto-approve")
    for path in (folder / "state").glob("codat.sqlite*"):
        path.unlink()
    alone = reconciler(folder, "plan")
    assert "customer.acme is blocked" in " ".join(alone.split())
    assert "will be created" not in alone
    (folder / "manifests" / "adopted.yaml").write_text("adopt:\n  - {address: customer.acme}\n")
    assert "will be created" not in reconciler(folder, "apply", "--auto-approve")
    (folder / "manifests" / "adopted.yaml").unlink()
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")

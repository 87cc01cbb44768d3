"""The example behind Rutter: applied once on its sandbox, it is done; what Rutter cannot do is said in the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, examples, reconciler

__all__ = ["examples"]


@pytest.fixture
def folder(examples: Path) -> Path:
    assert (EXAMPLES / "07-rutter").is_dir()
    return examples / "07-rutter"


def test_it_is_applied_once_and_then_done(folder: Path) -> None:
    reconciler(folder, "fmt", "--check")
    first = reconciler(folder, "apply", "--auto-approve")
    assert "Apply complete: 7 done." in first
    assert "allocate 30.00 to invoice.CUSTINVC-1" in first
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    manifest = folder / "manifests" / "receivables.yaml"
    text = manifest.read_text()
    memo = "    memo: Discount for future Rutter shirts.\n"
    assert memo in text
    manifest.write_text(text.replace(memo, f"    number: CM-1\n{memo}"))
    blocked = " ".join(reconciler(folder, "plan", "--detailed-exitcode", code=2).split())
    assert "number" in blocked, blocked
    assert (folder / "state" / "books.sandbox.sqlite").is_file()


@pytest.mark.slow
def test_an_allocation_is_taken_down_with_consent(folder: Path) -> None:
    """The payment's links are said whole again; a plan without consent is blocked."""
    reconciler(folder, "apply", "--auto-approve")
    manifest = folder / "manifests" / "receivables.yaml"
    manifest.write_text(manifest.read_text().replace("amount: 138.08}", "amount: 100.00}"))
    assert "payment.PMT-1 is blocked" in " ".join(reconciler(folder, "plan").split())
    allow = ("--allow", "unallocate:payment.PMT-1", "--reason", "disputed")
    assert "1 done" in reconciler(folder, "apply", "--auto-approve", *allow)
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")

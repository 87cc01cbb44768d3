"""The example behind Alloy: each step as its README says, on its sandbox; what Alloy cannot do is in the plan."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.examples.test_examples import EXAMPLES, examples, reconciler

__all__ = ["examples"]


@pytest.fixture
def folder(examples: Path) -> Path:
    assert (EXAMPLES / "08-alloy").is_dir()
    return examples / "08-alloy"


def payments_of_the_readme(folder: Path) -> str:
    found = re.search(r"```yaml\n(payments:.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_open_part_paid_and_paid(folder: Path) -> None:
    reconciler(folder, "fmt", "--check")
    reconciler(folder, "connection", "check", "books")
    assert "Open receivables: +2,373.45 USD" in reconciler(folder, "apply", "--auto-approve")
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    manifest = folder / "manifests" / "payments.yaml"
    text = payments_of_the_readme(folder)
    manifest.write_text(text)
    assert "Open receivables: −1,000.00 USD" in reconciler(folder, "apply", "--auto-approve")
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    rest = text.replace("PMT-1", "PMT-2").replace("1000.00", "1373.45").removeprefix("payments:\n")
    manifest.write_text(text + rest)
    assert "Open receivables: −1,373.45 USD" in reconciler(folder, "apply", "--auto-approve")
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    assert (folder / "state" / "books.sandbox.sqlite").is_file()


def test_without_the_erp_behind_an_allocation_is_blocked(folder: Path) -> None:
    config = folder / "reconciler.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.strip().startswith("platform:")]
    config.write_text("\n".join(lines) + "\n")
    (folder / "manifests" / "payments.yaml").write_text(payments_of_the_readme(folder))
    reconciler(folder, "recover", "--confirm-absent")  # now a payment is of class D, and the state is new
    blocked = " ".join(reconciler(folder, "plan", "--detailed-exitcode", code=2).split())
    assert "payment.PMT-1 is blocked" in blocked
    assert "leave `allocations` out here" in blocked

"""Every example runs: applied once, it is done; planned again, nothing is left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVED = {"04-tryton", "05-gitops-state"}
"""What needs a server beside it has a test of its own."""
NAMES = sorted({path.parent.name for path in EXAMPLES.glob("*/reconciler.yaml")} - SERVED)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    copied = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copied, ignore=shutil.ignore_patterns("state", "*.plan"))
    return copied


def reconciler(folder: Path, *arguments: str, code: int = 0) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "reconciler", "--chdir", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_applied_once_and_then_done(name: str, examples: Path) -> None:
    reconciler(examples / name, "validate")
    reconciler(examples / name, "plan", "--detailed-exitcode", code=2)
    first = reconciler(examples / name, "apply", "--auto-approve")
    assert "Apply complete" in first
    documents = reconciler(examples / name, "ledger", "documents", "--json")
    assert "No changes" in reconciler(examples / name, "plan", "--detailed-exitcode")
    again = reconciler(examples / name, "apply", "--auto-approve")
    assert "No changes" in again
    assert "nothing to do" in again
    assert reconciler(examples / name, "ledger", "documents", "--json") == documents


def test_the_quickstart_survives_a_lost_state_and_an_edited_email(examples: Path) -> None:
    folder = examples / "01-quickstart"
    reconciler(folder, "apply", "--auto-approve")
    documents = reconciler(folder, "ledger", "documents", "--json")
    for path in (folder / "state").glob("quickstart.sqlite*"):
        path.unlink()
    again = reconciler(folder, "apply", "--auto-approve")
    assert "create" not in re.sub(r"reconciler will:.*?Plan:", "", again, flags=re.DOTALL)
    assert reconciler(folder, "ledger", "documents", "--json") == documents
    customers = folder / "manifests" / "customers.yaml"
    customers.write_text(customers.read_text().replace("payables@globex.example", "ap@globex.example"))
    assert "payables@globex.example → ap@globex.example" in reconciler(
        folder, "plan", "--detailed-exitcode", code=2
    )


def test_somebody_changes_the_books_after_the_plan(examples: Path) -> None:
    folder = examples / "02-correction"
    reconciler(folder, "apply", "--auto-approve")
    manifest = folder / "manifests" / "consulting.yaml"
    manifest.write_text(manifest.read_text().replace("quantity: 12", "quantity: 10"))
    allow = ["--allow", "credit:invoice.INV-8001", "--reason", "ten hours"]
    reconciler(folder, "plan", "-o", "first.plan", *allow)
    reconciler(folder, "plan", "-o", "second.plan", *allow)
    reconciler(folder, "apply", "first.plan")
    reconciler(folder, "apply", "second.plan", code=5)
    reconciler(folder, "apply", "first.plan", code=5)

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
SERVED = {"04-tryton", "05-gitops-state", "06-codat", "07-rutter", "08-alloy", "09-intacct", "10-accountsiq"}
"""What needs a server beside it has a test of its own."""
NAMES = sorted({path.parent.name for path in EXAMPLES.glob("*/reconciler.yaml")} - SERVED)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    copied = tmp_path / "examples"
    shutil.copytree(EXAMPLES, copied, ignore=shutil.ignore_patterns("state", "*.plan"))
    return copied


VARIABLES = {"03-templates-and-variables": ("--var-file", "billing.yaml")}
"""What a template needs to be told, by example; for the commands that read manifests."""


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
    given = VARIABLES.get(name, ())
    reconciler(examples / name, "validate", *given)
    reconciler(examples / name, "fmt", "--check")
    reconciler(examples / name, "plan", "--detailed-exitcode", *given, code=2)
    first = reconciler(examples / name, "apply", "--auto-approve", *given)
    assert "Apply complete" in first
    documents = reconciler(examples / name, "ledger", "documents", "--json")
    assert "No changes" in reconciler(examples / name, "plan", "--detailed-exitcode", *given)
    again = reconciler(examples / name, "apply", "--auto-approve", *given)
    assert "No changes" in again
    assert "nothing to do" in again
    assert reconciler(examples / name, "ledger", "documents", "--json") == documents


def test_another_month_is_billed_and_part_of_one_by_the_day(examples: Path) -> None:
    folder = examples / "03-templates-and-variables"
    given = VARIABLES[folder.name]
    assert "unit_price: 10.96" in reconciler(folder, "render", *given)  # 29.90 for 11 of 30 days
    reconciler(folder, "apply", "--auto-approve", *given)
    billing = folder / "billing.yaml"
    november = "  - {month: 2026-11, days: 30}\n"
    billing.write_text(billing.read_text().replace(november, f"{november}  - {{month: 2026-12, days: 31}}\n"))
    plan = reconciler(folder, "plan", "-o", "december.plan", *given)
    assert "Plan: 3 to create." in plan
    reconciler(folder, "apply", "december.plan", *given, code=1)
    billing.unlink()  # the saved plan holds what was rendered
    assert "3 done" in reconciler(folder, "apply", "december.plan")


def test_a_finding_in_a_template_cites_both_lines(examples: Path) -> None:
    folder = examples / "03-templates-and-variables"
    arguments = ["--chdir", str(folder), "validate", *VARIABLES[folder.name], "--var", "tax=ten"]
    run = subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert run.returncode == 1
    assert "manifests/catalogue.yaml.j2:5 (rendered line 5:21)" in run.stderr


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

"""`examples/04-tryton` against a real Tryton, as its README says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "04-tryton"


def reconciler(folder: Path, *arguments: str, code: int = 0) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "reconciler", "--chdir", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "TRYTON_PASSWORD": "admin"},
    )
    assert run.returncode == code, run.stdout + run.stderr
    return run.stdout


def test_it_is_posted_in_tryton_and_then_there_is_nothing_to_do(tryton, tmp_path):
    folder = tmp_path / "04-tryton"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("state"))
    project = folder / "reconciler.yaml"
    project.write_text(project.read_text().replace("http://127.0.0.1:8000", tryton.url))
    reconciler(folder, "validate")
    reconciler(folder, "fmt", "--check")
    reconciler(folder, "plan", "--detailed-exitcode", code=2)
    assert "Apply complete" in reconciler(folder, "apply", "--auto-approve")
    assert "No changes" in reconciler(folder, "plan", "--detailed-exitcode")
    with tryton.rpc() as rpc:
        rows = rpc.read(
            "account.invoice", [["type", "=", "out"]], "number", "state", "total_amount", "amount_to_pay"
        )
        advances = rpc.read(
            "account.move.line",
            [["account.code", "=", "1.2.1"], ["reconciliation", "=", None], ["credit", "=", Decimal("500.00")]],
            "party.code",
        )
    assert {(row["number"], row["state"], row["total_amount"]) for row in rows} == {
        ("INV/2026/00001", "paid", Decimal("1442.40")),
        ("INV/2026/00002", "posted", Decimal("2000.00")),
        ("CN/2026/00001", "posted", Decimal("-80.00")),
    }
    assert {row["number"]: row["amount_to_pay"] for row in rows}["INV/2026/00002"] == Decimal("1920.00")
    assert [row["party."]["code"] for row in advances] == ["globex"]

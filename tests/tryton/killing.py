"""An apply of documents to Tryton, killed; and what is in Tryton afterwards, counted over its own API.

Every document can be told apart without what we wrote as a reference: an invoice by the text of its line, a payment
by its amount.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

from reconciler.sandboxes.tryton import TrytonServer
from reconciler.sandboxes.tryton.books import BANK_JOURNAL, RECEIVABLE

FEW, SIXTY = (14, 7), (40, 20)
"""Invoices and payments."""
PASSWORD = "KILLED_TRYTON_PASSWORD"
LONGEST = 240


def write_project(
    folder: Path, server: TrytonServer, *, size: tuple[int, int] = FEW, state: Path | None = None
) -> None:
    (folder / "manifests").mkdir(parents=True)
    kept = f"state: {{backend: sqlite, path: {state}}}\n" if state else ""
    (folder / "reconciler.yaml").write_text(
        f"""project: {{id: 5d2b8c1f9e40, name: killed}}
{kept}connections:
  books:
    provider: tryton
    endpoint: {server.url}
    database: {server.database}
    user: {server.user}
    password: ${{env:{PASSWORD}}}
    settle_seconds: 2
    timeout_seconds: 20
    resend_after_settle: true
"""
    )
    invoices, payments = size
    lines = ["customers:", "  acme: {name: Acme Corporation}", "invoices:"]
    for number in range(invoices):
        lines += [
            f"  INV-{number}:",
            "    customer: acme",
            f"    issue_date: 2026-10-{number // 4 + 1:02}",
            "    due_date: 2026-11-30",
            f'    lines: [{{description: {_text(number)}, account: "4.1.2", quantity: 1, unit_price: 100.00}}]',
        ]
    lines.append("payments:")
    for number in range(payments):
        lines += [
            f"  PMT-{number}:",
            "    customer: acme",
            "    received_on: 2026-10-20",
            f"    amount: {_amount(number)}",
            "    bank_account: Bank",
            f"    allocations: [{{invoice: INV-{number}, amount: {_amount(number)}}}]",
        ]
    (folder / "manifests" / "all.yaml").write_text("\n".join(lines) + "\n")


def _text(number: int) -> str:
    return f"Services {number:03}"


def _amount(number: int) -> Decimal:
    return Decimal("50.00") + number


def reconciler(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The real command line, started."""
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", "--chdir", str(folder), "--no-color", *arguments],
        env={**os.environ, PASSWORD: "admin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """To its end: the exit code, and what it said."""
    return ended(reconciler(folder, *arguments))


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=LONGEST)
    return process.returncode, f"{out}\n{err}"


def run_and_kill(folder: Path, seconds: int | Decimal, *arguments: str) -> bool:
    """Kill -9 so long after its start; False when it was done before."""
    process = reconciler(folder, *arguments)
    try:
        process.communicate(timeout=int(seconds * 1000) / 1000)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    return False


def live(server: TrytonServer) -> tuple[Counter[str], Counter[Decimal]]:
    """Posted invoices by their line's text, and receipts by amount, whoever wrote them."""
    with server.rpc() as rpc:
        lines = rpc.read("account.invoice.line", [["invoice.type", "=", "out"]], "description", "invoice.state")
        drafts = [row for row in lines if row["invoice."]["state"] not in ("posted", "paid")]
        assert drafts == [], "left as drafts"
        receipts = rpc.read(
            "account.move.line",
            [
                ["account.code", "=", RECEIVABLE],
                ["move.journal.code", "=", BANK_JOURNAL],
                ["credit", ">", Decimal(0)],
            ],
            "credit",
        )
    return Counter(row["description"] for row in lines), Counter(row["credit"] for row in receipts)


def wanted(size: tuple[int, int] = FEW) -> tuple[Counter[str], Counter[Decimal]]:
    invoices, payments = size
    return (
        Counter(_text(number) for number in range(invoices)),
        Counter(_amount(number) for number in range(payments)),
    )

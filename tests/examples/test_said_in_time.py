"""What Intacct and AccountsIQ refuse of a document is said by the plan, with what they would take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.test_examples import examples, reconciler

__all__ = ["examples"]

LINE = '{description: More, account: "4000", quantity: 1, unit_price: 5.00}'


def planned(folder: Path, customer: str, *, name: str = "INV-9", line: str = LINE, more: str = "") -> str:
    """The plan of the example with one more invoice, which is blocked."""
    manifest = folder / "manifests" / "receivables.yaml"
    issued = f"    customer: {customer}\n    issue_date: 2026-11-20\n"
    added = f"invoices:\n  {name}:\n{issued}{more}    lines:\n      - {line}\n"
    manifest.write_text(manifest.read_text().replace("invoices:\n", added, 1))
    text = " ".join(reconciler(folder, "plan").split())
    assert f"! invoice.{name} is blocked" in text
    return text


FILE = "    attachments: [{name: order.pdf, path: order.pdf}]\n"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"line": LINE.replace("}", ", tracking: {Department: Nope}}")},
            ("tracking.Department: 'Nope' is no value of that category", "Its values are: "),
        ),
        ({"name": "INV-" + "9" * 42}, ("of 46 characters, and intacct takes 30", "Declare a shorter `number`.")),
        ({"line": LINE.replace("4000", "1100")}, ("1100 is an accounts receivable account",)),
    ],
)
def test_intacct(examples: Path, given: dict[str, str], words: tuple[str, ...]) -> None:
    text = planned(examples / "09-intacct", "JHC", **given)
    assert [word for word in words if word not in text] == []


def test_intacct_s_files_wait_for_a_folder(examples: Path) -> None:
    folder = examples / "09-intacct"
    project = folder / "reconciler.yaml"
    project.write_text(
        "".join(line for line in project.read_text().splitlines(True) if "attachments_folder" not in line)
    )
    (folder / "order.pdf").write_bytes(b"%PDF-1.4")
    text = planned(folder, "JHC", more=FILE)
    assert "For attachments: set `attachments_folder` on the connection." in text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"more": "    currency: EUR\n    exchange_rate: 1.1\n"},
            ("the customer is kept in USD, and accountsiq takes no document in EUR of it",),
        ),
        ({"line": LINE.replace("4000", "1100")}, ("1100 is an accounts receivable account",)),
        ({"more": FILE}, ("For attachments: set `attachments: true` on the connection.",)),
    ],
)
def test_accountsiq(examples: Path, given: dict[str, str], words: tuple[str, ...]) -> None:
    folder = examples / "10-accountsiq"
    (folder / "order.pdf").write_bytes(b"%PDF-1.4")
    text = planned(folder, "harbour", **given)
    assert [word for word in words if word not in text] == []

"""A project over the embedded ledger, and a way to run commands in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.main import main

PROJECT = """\
project: {id: 0b6f3c1e9d2a, name: acme-receivables}
connections:
  books: {provider: ledger, path: state/books.sqlite}
"""

MANIFEST = """\
customers:
  acme:
    name: Acme Corporation
    email: ap@acme.example
    currency: USD
invoices:
  INV-7452:
    customer: acme
    issue_date: 2026-11-10
    due_date: 2026-12-10
    lines:
      - {description: November services, account: "4000", quantity: 1, unit_price: 2373.45}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "RECONCILER_DEBUG", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "november.yaml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def run(project, capfd) -> Run:
    """Run a command on the project, in this process."""

    def command(*arguments: str) -> Ran:
        capfd.readouterr()
        code = main(["--chdir", str(project), *arguments])
        printed = capfd.readouterr()
        return Ran(code, printed.out, printed.err)

    return command


def edit(project: Path, old: str, new: str, file: str = "manifests/november.yaml") -> None:
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))

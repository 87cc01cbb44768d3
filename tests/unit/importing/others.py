"""Books made by others: a project with a ledger that people wrote to by hand, and what an import makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.apply.running import Surroundings
from reconciler.importing.model import ImportReport
from reconciler.kernel.clock import ManualClock
from reconciler.manifests.loading import load_declaration
from reconciler.plan.model import Plan
from reconciler.sandboxes.ledger.commands import Command, CreateRecord
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.workflows.applying import apply_now
from reconciler.workflows.importing import ImportRequest, import_books
from reconciler.workflows.planning import PlanRequest, plan
from reconciler.workflows.session import open_session
from reconciler.workflows.stating import export

PROJECT = "project: {{id: {id}, name: story}}\nconnections:\n  books: {{provider: ledger, path: {path}}}\n"


@dataclass
class Others:
    """One project folder and its books. Every method that reads the project opens a session of its own."""

    root: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC)))
    project: str = "0b6f3c1e9d2a"
    path: str = "state/books.sqlite"

    def __post_init__(self) -> None:
        (self.root / "manifests").mkdir(parents=True, exist_ok=True)
        (self.root / "state").mkdir(exist_ok=True)
        if not (self.root / "reconciler.yaml").exists():
            (self.root / "reconciler.yaml").write_text(PROJECT.format(id=self.project, path=self.path))

    # ---- what people write by hand ----

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        with Ledger(self.root / self.path, clock=self.clock) as ledger:
            yield ledger

    def accounts(self) -> dict[str, str]:
        """Ids by code or name: accounts, and the bank account."""
        with self.ledger() as ledger:
            rows = ledger.records(Selection(("account", "bank_account", "tax_rate", "payment_term", "item")))
            return {row.code or row.name or "": row.id for row in rows}

    def by_hand(self, kind: str, content: dict[str, Any], number: str | None = None, **more: Any) -> str:
        """Create one record in the books; its id."""
        return self.do(CreateRecord(kind, content, number=number, **more)).id

    def do(self, command: Command) -> Record:
        with self.ledger() as ledger:
            return ledger.one(command)

    # ---- what the project does ----

    def run_import(self, around: Surroundings | None = None, **options: Any) -> ImportReport:
        with open_session(self.root, self.clock) as session:
            return import_books(session, ImportRequest(**options), around)

    def plan(self) -> Plan:
        with open_session(self.root, self.clock) as session:
            return plan(session, load_declaration(session.project).declaration, PlanRequest())

    def apply(self, *allow: str) -> None:
        self._apply(PlanRequest(allows=allow, reason="because" if allow else ""))

    def apply_targets(self, *targets: str) -> None:
        self._apply(PlanRequest(targets=targets))

    def _apply(self, request: PlanRequest) -> None:
        with open_session(self.root, self.clock) as session:
            declaration = load_declaration(session.project).declaration
            applied = apply_now(session, declaration, request, lambda _: True)
            assert applied.report is not None
            assert applied.report.exit_code == 0, applied.report

    def declare(self, text: str, name: str = "all.yaml") -> None:
        (self.root / "manifests" / name).write_text(text)

    # ---- looking ----

    def files(self) -> dict[str, str]:
        """Every manifest, by its path under `manifests/`."""
        top = self.root / "manifests"
        return {str(path.relative_to(top)): path.read_text() for path in sorted(top.rglob("*")) if path.is_file()}

    def state(self) -> str:
        with open_session(self.root, self.clock) as session:
            return export(session.store)

    def names(self, kind: str) -> list[str]:
        with open_session(self.root, self.clock) as session:
            found = load_declaration(session.project).declaration.resources
            return [item.address.name for item in found if item.address.kind == kind]

    def lose_state(self) -> None:
        for path in (self.root / "state").iterdir():
            if not path.name.startswith("books.sqlite"):
                path.unlink() if path.is_file() else shutil.rmtree(path)

    def lose_manifests(self) -> None:
        shutil.rmtree(self.root / "manifests")
        (self.root / "manifests").mkdir()


def nothing_to_do(made: Plan) -> None:
    """The plan is empty: no change, nothing to record, no drift, nothing gone from the manifests."""
    found = [f"{change.action} {change.address}: {change.detail} {change.fields}" for change in made.changes]
    assert not found, found
    assert not made.has_work
    assert not made.drift, made.drift
    assert not made.gone, made.gone

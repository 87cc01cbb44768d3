"""Stories: what a user does to manifests and a clerk to the books, and what plan and apply make of it.

A story is a YAML file in `stories/`: no Python is needed to add one. Keys of a step:

    manifests: TEXT            the one manifest file from here on
    clerk: [OPERATION, …]      done in the books directly; `$NAME` stands for the ERP id of the document so numbered
    close: DATE                the books are closed through that day
    forget_state: true         the state is lost
    plan: {allow, reason, targets, refresh, expect, reasons, blocked, drift, gone, open, steps}
                               `expect`: `action address` of every change; `reasons`: [reason, detail] of each;
                               the other keys check only when given; `warnings`: the plan's, each whole
                               `refresh_only`, `list_unmanaged`: as the options; then `strangers`: a line each
    apply: {allow, reason, targets, expect, exit}
                               `expect`: step ids in order of the plan; applied, planned again: nothing left
                               (unless `leaves` says what is)
    books: {NUMBER: {phase, open, total}, …}
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ruamel.yaml import YAML

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ExitCode
from reconciler.manifests.loading import load_declaration
from reconciler.plan.freezing import thaw_operation
from reconciler.plan.model import CreditOutlook, Plan, Unmanaged
from reconciler.providers.protocol import CreditStanding, ExecuteRequest, Query
from reconciler.sandboxes.ledger.check import check as ledger_check
from reconciler.sandboxes.ledger.commands import ClosePeriod
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.workflows.applying import apply_now
from reconciler.workflows.crediting import with_credit
from reconciler.workflows.planning import PlanRequest, plan
from reconciler.workflows.session import Session, open_session

HERE = Path(__file__).parent / "stories"
DOCUMENTS = ("invoice", "credit_note", "payment")


class NoProgress:
    def record(self, key: str, stage: str, data: object) -> None: ...


class Story:
    """One project, played step by step."""

    def __init__(self, root: Path, settings: dict[str, Any]) -> None:
        self.root = root
        self.clock = ManualClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
        connection = {"provider": "ledger", "path": "state/books.sqlite", **settings}
        text = ", ".join(f"{key}: {value}" for key, value in connection.items())
        (root / "manifests").mkdir()
        (root / "reconciler.yaml").write_text(
            f"project: {{id: 0b6f3c1e9d2a, name: story}}\nconnections:\n  books: {{{text}}}\n"
        )

    def play(self, step: dict[str, Any]) -> None:
        for verb, argument in step.items():
            getattr(self, f"do_{verb}")(argument)

    def session(self) -> Any:
        return open_session(self.root, self.clock)

    # ---- what happens ----

    def do_manifests(self, text: str) -> None:
        (self.root / "manifests" / "all.yaml").write_text(text)

    def do_forget_state(self, _: bool) -> None:
        for path in (self.root / "state").glob("story.sqlite*"):
            path.unlink()

    def do_lose_marker_too(self, _: bool) -> None:
        books = self.root / "state" / "books.sqlite"
        kept = self.root / "kept.sqlite"
        shutil.move(books, kept)
        shutil.rmtree(self.root / "state")
        (self.root / "state").mkdir()
        shutil.move(kept, books)

    def do_clerk(self, operations: list[dict[str, Any]]) -> None:
        with self.session() as session:
            provider = session.provider("books")
            ids = {row.number: row.remote_id for row in self.rows(session) if row.number}
            ids |= {row.code: row.remote_id for row in provider.observe(Query(("customer", "account"))) if row.code}
            ids |= {row.name: row.remote_id for row in provider.observe(Query(("bank_account",))) if row.name}
            for at, data in enumerate(operations):
                number = data.pop("number", None)
                operation = thaw_operation(_with_ids(data, ids))
                key = f"clerk-{self.clock.monotonic()}-{at}"
                request = ExecuteRequest(key, operation, "", key, number)
                provider.execute(request, NoProgress())
                self.clock.advance(1)

    def do_close(self, day: str) -> None:
        with self.ledger() as books:
            books.one(ClosePeriod(through=date.fromisoformat(day)))

    # ---- what is checked ----

    def request(self, options: dict[str, Any]) -> PlanRequest:
        return PlanRequest(
            options.get("refresh", "all"),
            options.get("refresh_only", False),
            options.get("targets", ()),
            options.get("allow", ()),
            options.get("reason", "because" if options.get("allow") else ""),
            options.get("list_unmanaged", False),
        )

    def do_plan(self, options: dict[str, Any]) -> None:
        with self.session() as session:
            made = plan(session, load_declaration(session.project).declaration, self.request(options))
        check(made, options)

    def do_apply(self, options: dict[str, Any] | None) -> None:
        options = options or {}
        with self.session() as session, credit_foretold(session) as foretold:
            declaration = load_declaration(session.project).declaration
            applied = apply_now(session, declaration, self.request(options), lambda _: True)
            assert applied.report is not None
            assert not applied.report.findings, applied.report.findings
            bad = [result for result in applied.report.results if result.outcome not in ("done", "already done")]
            assert applied.report.exit_code == options.get("exit", ExitCode.OK), (bad, applied.plan.blocked)
            if applied.report.exit_code == ExitCode.OK:
                foretold.check()
            if "expect" in options:
                assert [step.id.removeprefix("books:") for step in applied.plan.steps] == options["expect"]
            for refresh in ("all", "planned", "never"):
                again = plan(session, declaration, PlanRequest(refresh))
                assert shown(again) == options.get("leaves", []), refresh

    def ledger(self) -> Ledger:
        return Ledger.existing(self.root / "state" / "books.sqlite", clock=self.clock)

    def do_books(self, expected: dict[str, dict[str, str]]) -> None:
        with self.ledger() as books:
            assert ledger_check(books) == []
        with self.session() as session:
            rows = {row.number: row for row in self.rows(session)}
            for number, wanted in expected.items():
                if wanted is None:
                    assert number not in rows
                    continue
                row = rows[number]
                found = {"phase": row.phase, **dict(row.computed)}
                assert {key: str(found.get(key)) for key in wanted} == {k: str(v) for k, v in wanted.items()}, (
                    number
                )

    def do_count(self, expected: dict[str, int]) -> None:
        with self.session() as session:
            rows = self.rows(session)
            assert {kind: sum(1 for row in rows if row.kind == kind) for kind in expected} == {
                kind: int(number) for kind, number in expected.items()
            }

    def rows(self, session: Session) -> list[Any]:
        return list(session.provider("books").observe(Query(DOCUMENTS)))


@dataclass
class Foretold:
    """What a plan said of the customers it makes owe more, and what they owed before."""

    session: Session
    outlooks: tuple[CreditOutlook, ...] = ()
    before: dict[str, CreditStanding] = field(default_factory=dict)

    def standings(self) -> dict[str, CreditStanding]:
        provider = self.session.provider("books")
        ids = [row.remote_id for row in provider.observe(Query(("customer",)))]
        return dict(provider.credit_standings(ids))

    def check(self) -> None:
        """Each owes as much more as the plan said, in the currency of its credit."""
        after = self.standings()
        for outlook in self.outlooks:
            if outlook.remote_id:
                now, then = after[outlook.remote_id], self.before[outlook.remote_id]
                assert now.balance - then.balance == outlook.moves.get(now.currency, 0), outlook


@contextmanager
def credit_foretold(session: Session) -> Iterator[Foretold]:
    found = Foretold(session)

    def kept(made: Plan, *more: Any) -> Plan:
        found.outlooks, found.before = made.credit, found.standings()
        return with_credit(made, *more)

    with mock.patch("reconciler.workflows.planning.with_credit", kept):
        yield found


def shown(made: Plan) -> list[str]:
    return [f"{change.action} {change.label_of('books')}" for change in made.changes]


def check(made: Plan, options: dict[str, Any]) -> None:
    if "expect" in options:
        assert shown(made) == options["expect"]
    if "reasons" in options:
        found = {change.label_of("books"): [str(change.reason), change.detail] for change in made.changes}
        assert found == options["reasons"]
    if "steps" in options:
        assert [step.id.removeprefix("books:") for step in made.steps] == options["steps"]
    if "blocked" in options:
        assert {change.label_of("books"): str(change.reason) for change in made.blocked} == options["blocked"]
    if "offers" in options:
        assert [str(offer.remedy) for change in made.blocked for offer in change.offers] == options["offers"]
    if "drift" in options:
        assert [f"{item.kind} {item.address.label('books')}" for item in made.drift] == options["drift"]
    if "gone" in options:
        assert [address.label("books") for address in made.gone] == options["gone"]
    if "neutral" in options:
        assert all(row.dimension != "open" for group in made.groups for row in group.proof) is options["neutral"]
    if "warnings" in options:
        assert list(made.warnings) == options["warnings"]
    if "strangers" in options:
        assert [_row(item) for item in made.unmanaged_documents] == options["strangers"]
    if "strange_masters" in options:
        assert {kind: str(count) for kind, count in made.unmanaged_masters.items()} == options["strange_masters"]
    if "unmanaged" in options:
        assert {kind: str(count) for kind, count in made.unmanaged.items()} == {
            kind: str(count) for kind, count in options["unmanaged"].items()
        }


def _row(item: Unmanaged) -> str:
    """`invoice INV-9 of initech, 2026-11-02, 100 of 100 USD open: adopt invoice.INV-9`."""
    end = f"adopt {item.address}" if item.address else item.why
    head = f"{item.kind} {item.number} of {item.customer}, {item.day}"
    return f"{head}, {item.open} of {item.total} {item.currency} open: {end}"


def _with_ids(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _with_ids(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_ids(item, ids) for item in value]
    if isinstance(value, str) and value.startswith("$"):
        return ids[value[1:]]
    return value


def stories() -> Iterator[Any]:
    for path in sorted(HERE.glob("*.yaml")):
        yield pytest.param(path, id=path.stem)


@pytest.mark.parametrize("path", list(stories()))
def test_story(path: Path, tmp_path: Path) -> None:
    story = YAML(typ="base").load(path.read_text())
    played = Story(tmp_path, story.get("connection", {}))
    for step in story["steps"]:
        played.play(_typed(step))


def _typed(value: Any) -> Any:
    """Texts as they are, but for true, false, null and whole numbers of keys that want them."""
    if isinstance(value, dict):
        return {key: int(item) if key in ("exit",) else _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return {"true": True, "false": False, "null": None}.get(value, value) if isinstance(value, str) else value

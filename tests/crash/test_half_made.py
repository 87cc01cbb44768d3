"""A payment whose draft was made and whose answer was lost is posted without its allocations: they are not
forgotten: the run says what is missing, and the next apply makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import ExitCode
from reconciler.manifests.loading import load_declaration
from reconciler.plan.model import Action, Plan
from reconciler.sandboxes.ledger.records import Selection
from reconciler.testing.faults import FaultKind, FaultSchedule
from reconciler.testing.provider import TestProvider, open_test_provider
from reconciler.testing.provider_switches import Switches
from reconciler.workflows.applying import Applied, apply_now
from reconciler.workflows.planning import PlanRequest
from reconciler.workflows.session import Session, open_session

PROJECT = """\
project: {id: 3c9a7b5e1d20, name: half-made}
connections:
  books: {provider: ledger-test, path: books.sqlite, resend_after_settle: true}
"""
MANIFEST = """\
customers:
  acme: {name: Acme Corporation, currency: USD}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-10-01
    due_date: 2026-10-31
    lines: [{description: Services, account: "4000", quantity: 1, unit_price: 100.00}]
payments:
  PMT-1:
    customer: acme
    received_on: 2026-10-10
    amount: 60.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 60.00}]
"""


@contextmanager
def opened(root: Path, provider: TestProvider) -> Iterator[Session]:
    with open_session(root, SystemClock()) as session:
        session._opened["books"] = provider
        yield session


def apply(session: Session) -> tuple[list[Action], Applied]:
    """What was to be approved, and what came of it."""
    shown: list[Action] = []

    def approve(plan: Plan) -> bool:
        shown.extend(change.action for change in plan.changes)
        return True

    applied = apply_now(session, load_declaration(session.project).declaration, PlanRequest(), approve)
    return shown, applied


@pytest.mark.parametrize("klass", ["A", "B", "C"])
def test_what_a_half_made_payment_was_to_settle_is_settled_by_the_next_apply(tmp_path: Path, klass: str) -> None:
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "all.yaml").write_text(MANIFEST)
    switches = Switches(deduplication=klass, two_stage=True)
    lost = FaultSchedule.of(("create", 3, FaultKind.LOST_RESPONSE))
    provider = open_test_provider(tmp_path / "books.sqlite", SystemClock(), switches, lost)
    with opened(tmp_path, provider) as session:
        _, first = apply(session)
        assert [number for _, number, _ in lost.struck] == [3]
        assert first.report is not None
        assert first.report.results[-1].outcome == "done"
        [finding] = first.report.findings
        assert (finding.what, finding.expected, finding.found) == ("allocated to INV-1", "60", "0")
        assert first.report.exit_code is ExitCode.ERROR
        [payment] = provider.port.records(Selection(("payment",)))
        assert (payment.phase, payment.allocations) == ("posted", ())
        shown, second = apply(session)
        assert shown == [Action.ALLOCATE]
        assert second.report is not None
        assert second.report.exit_code is ExitCode.OK
        [payment] = provider.port.records(Selection(("payment",)))
        assert [item.amount for item in payment.allocations] == ["60"]
        shown, _ = apply(session)
        assert shown == []

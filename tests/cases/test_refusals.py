"""What a plan must notice that no single manifest shows: other books, drafts that post past the limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kernel.errors import PolicyRefused, ReconcilerError
from reconciler.manifests.loading import load_declaration
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest, plan
from tests.cases.test_stories import Story

INVOICE = """
customers:
  acme: {name: Acme, currency: USD}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-10
    lines: [{description: work, account: "4000", quantity: 1, unit_price: 50000.00}]
"""
DRAFT = INVOICE.replace("issue_date", "state: draft\n    issue_date")


def test_other_books_behind_the_same_connection_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    story, other = Story(tmp_path / "a", {}), Story(tmp_path / "b", {})
    for one in (story, other):
        one.do_manifests(INVOICE)
        one.do_apply({})
    (other.root / "state" / "books.sqlite").replace(story.root / "state" / "books.sqlite")
    with story.session() as session, pytest.raises(ReconcilerError, match="leads to other books than before"):
        plan(session, load_declaration(session.project).declaration, PlanRequest())


def test_posting_a_draft_counts_against_the_limit(tmp_path: Path) -> None:
    story = Story(tmp_path, {})
    config = tmp_path / "reconciler.yaml"
    config.write_text(config.read_text() + "policies: {max_new_receivables: {USD: 100.00}}\n")
    story.do_manifests(DRAFT)
    story.do_apply({})
    story.do_manifests(INVOICE)
    with story.session() as session, pytest.raises(PolicyRefused):
        apply_now(session, load_declaration(session.project).declaration, PlanRequest(), lambda _: True)
    story.do_books({"INV-1": {"phase": "draft"}})

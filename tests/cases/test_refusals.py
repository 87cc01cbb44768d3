"""What a plan must notice that no single manifest shows: other books, drafts that post past the limit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import PolicyRefused, ReconcilerError
from reconciler.manifests.loading import load_declaration
from reconciler.providers.errors import Unavailable
from reconciler.providers.ledger import LedgerProvider
from reconciler.providers.ledger.capabilities import ledger_capabilities
from reconciler.workflows.applying import apply_now, apply_saved
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


LIMITED = INVOICE.replace("currency: USD", "currency: USD, credit_limit: 50000.00")
MORE = (
    LIMITED
    + """
  INV-2:
    customer: acme
    issue_date: 2026-11-10
    lines: [{description: work, account: "4000", quantity: 1, unit_price: 0.01}]
"""
)


def refusing(root: Path) -> Story:
    story = Story(root, {})
    config = root / "reconciler.yaml"
    config.write_text(config.read_text() + "policies: {credit_limit: refuse}\n")
    return story


def test_a_customer_over_its_credit_limit_is_refused_where_the_project_says_so(tmp_path: Path) -> None:
    story = refusing(tmp_path)
    story.do_manifests(LIMITED)
    story.do_apply({})
    story.do_manifests(MORE)
    with story.session() as session, pytest.raises(PolicyRefused, match=r"over its credit limit of 50,000\.00 USD"):
        apply_now(session, load_declaration(session.project).declaration, PlanRequest(), lambda _: True)
    story.do_count({"invoice": 1})


def test_a_saved_plan_is_held_against_what_is_owed_when_it_is_applied(tmp_path: Path) -> None:
    story = refusing(tmp_path)
    story.do_manifests(LIMITED.replace("50000.00}]", "20000.00}]"))
    with story.session() as session:
        saved = plan(session, load_declaration(session.project).declaration, PlanRequest("all"))
        assert not saved.warnings
    story.do_apply({})
    story.do_manifests(MORE.replace("50000.00}]", "20000.00}]").replace("0.01", "30000.00"))
    with story.session() as session:
        saved = plan(session, load_declaration(session.project).declaration, PlanRequest())
    assert not saved.warnings
    story.do_clerk([clerk_invoice("0.01")])
    with story.session() as session, pytest.raises(PolicyRefused, match=r"now 20,000\.01"):
        apply_saved(session, saved)
    (tmp_path / "reconciler.yaml").write_text((tmp_path / "reconciler.yaml").read_text().replace("refuse", "warn"))
    with story.session() as session:
        assert apply_saved(session, saved).exit_code == 0


def clerk_invoice(price: str) -> dict[str, Any]:
    line = {"description": "by hand", "account": "$4000", "quantity": "1", "unit_price": price}
    content = {"customer": "$acme", "issue_date": "2026-11-20", "currency": "USD", "lines": [line]}
    return {"verb": "create", "kind": "invoice", "content": content, "number": "H-1"}


def test_an_erp_that_does_not_say_is_a_warning_or_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(self: LedgerProvider, customers: object) -> Any:
        raise Unavailable("the credit desk is closed")

    story = refusing(tmp_path)
    story.do_manifests(LIMITED)
    story.do_apply({})
    story.do_manifests(MORE)
    monkeypatch.setattr(LedgerProvider, "credit_standings", silent)
    with story.session() as session, pytest.raises(ReconcilerError, match="cannot be asked what its customers may"):
        plan(session, load_declaration(session.project).declaration, PlanRequest())
    (tmp_path / "reconciler.yaml").write_text((tmp_path / "reconciler.yaml").read_text().replace("refuse", "warn"))
    with story.session() as session:
        made = plan(session, load_declaration(session.project).declaration, PlanRequest())
    assert made.warnings == (
        "books cannot be asked what its customers may owe, so that no credit limit is checked:"
        " the credit desk is closed",
    )


def test_an_erp_without_credit_control_is_told_where_the_project_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = replace(ledger_capabilities(), credit_control=False)
    monkeypatch.setattr(LedgerProvider, "capabilities", lambda self: plain)
    story = refusing(tmp_path)
    story.do_manifests(LIMITED)
    story.do_plan({"warnings": ["policies.credit_limit is not kept on books: it does not tell credit limits"]})

"""A correction that dies half-way: it is resumed as it was frozen, or abandoned; nothing is billed twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.apply.report import NoEvents
from reconciler.apply.running import Surroundings
from reconciler.kernel.errors import ExitCode
from reconciler.manifests.loading import load_declaration
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest, plan
from reconciler.workflows.recovering import RecoverRequest, recover
from tests.cases.test_stories import Story, shown

POSTED = """
customers:
  acme: {name: Acme, currency: USD}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-10
    lines: [{description: work, account: "4000", quantity: 1, unit_price: 100.00}]
payments:
  PMT-1:
    customer: acme
    received_on: 2026-11-15
    amount: 60.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 60.00}]
"""
CORRECTED = POSTED.replace('"4000"', '"4010"')
ALLOW = PlanRequest(allows=["credit_and_reissue:invoice.INV-1"], reason="wrong account")
STEPS = 5


class Crash(BaseException):
    """The process dies here."""


class DiesAfter(NoEvents):
    """Dies at the n-th of one kind of boundary."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.left = name, count

    def boundary(self, name: str, step_id: str = "") -> None:
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                raise Crash


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = Story(tmp_path, {})
    story.do_manifests(POSTED)
    story.do_apply({})
    story.do_manifests(CORRECTED)
    return story


def die(story: Story, events: DiesAfter) -> None:
    with story.session() as session:
        declaration = load_declaration(session.project).declaration
        with pytest.raises(Crash):
            apply_now(session, declaration, ALLOW, lambda _: True, Surroundings(events=events))
    story.clock.advance(600)


def planned(story: Story) -> list[str]:
    with story.session() as session:
        return shown(plan(session, load_declaration(session.project).declaration, PlanRequest()))


@pytest.mark.parametrize("boundary", ["intent_written", "after_send", "outcome_written"])
@pytest.mark.parametrize("count", range(1, STEPS + 1))
def test_a_correction_resumes_without_asking_again(story: Story, boundary: str, count: int) -> None:
    die(story, DiesAfter(boundary, count))
    story.do_apply({})
    story.do_books(
        {
            "INV-1": {"phase": "settled"},
            "INV-1-C1": {"phase": "settled", "total": "100"},
            "INV-1-R2": {"open": "40"},
            "PMT-1": {"open": "0"},
        }
    )
    story.do_count({"invoice": "2", "credit_note": "1", "payment": "1"})


def test_while_it_is_open_plans_emit_exactly_its_remaining_members(story: Story) -> None:
    die(story, DiesAfter("outcome_written", 2))
    changed = CORRECTED.replace("100.00}", "90.00}").replace("amount: 60.00}", "amount: 50.00}")
    story.do_manifests(changed)
    with story.session() as session:
        made = plan(session, load_declaration(session.project).declaration, PlanRequest())
    assert [step.id.removeprefix("books:") for step in made.steps] == [
        "invoice.INV-1/credit.1#allocate:invoice.INV-1",
        "invoice.INV-1/reissue.2#create",
        "payment.PMT-1#allocate:invoice.INV-1/reissue.2",
    ]
    assert made.groups[0].resumed


def test_an_abandoned_correction_leaves_a_reissue_to_be_created(story: Story) -> None:
    die(story, DiesAfter("outcome_written", 3))
    with story.session() as session:
        group = session.store.view().groups[0].id
        report = recover(session, RecoverRequest(abandon=group))
        assert report.exit_code == ExitCode.OK
    assert "create invoice.INV-1" in planned(story)
    story.do_apply({})
    story.do_books({"INV-1": {"phase": "settled"}, "INV-1-R2": {"open": "40"}, "PMT-1": {"open": "0"}})
    story.do_count({"invoice": "2", "credit_note": "1", "payment": "1"})

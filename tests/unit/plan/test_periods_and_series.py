"""Periods that are open, series that run by date, and what a provider says beforehand: all known at plan time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from reconciler.plan.making import make_plan
from reconciler.plan.model import Action, Plan, Reason
from reconciler.providers.capabilities import Numbering
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Company, DatedSeries, Normalized
from reconciler.resources.defaults import with_defaults
from tests.unit.plan.books import Books, at, capabilities, customer, invoice, verbs

YEARS = tuple((date(year, 1, 1), date(year, 12, 31)) for year in (2025, 2026, 2027))


def company(**more: Any) -> Company:
    return Company("co-1", "Acme Books", "USD", **more)


def dated(**last: date) -> Books:
    """Books whose invoices are numbered by date, one series a year; `last`: y2026=date(…)."""
    series = tuple(DatedSeries("invoice", first, end, last.get(f"y{first.year}")) for first, end in YEARS)
    return Books(
        company=company(dated_series=series),
        caps=capabilities(Numbering.ASSIGNED_IN_DATE_ORDER),
    ).with_acme()


def blocked(plan: Plan) -> list[tuple[str, Reason]]:
    return [(change.address.name, change.reason) for change in plan.changes if change.action is Action.BLOCKED]


def test_a_day_in_no_open_period_is_blocked_with_the_reason() -> None:
    open_ones = ((date(2026, 10, 1), date(2026, 10, 31)), (date(2026, 12, 1), date(2026, 12, 31)))
    books = Books(company=company(open_periods=open_ones)).with_acme()
    plan = books.plan(
        customer(),
        invoice("INV-1", issue_date="2026-10-31"),
        invoice("INV-2", issue_date="2026-11-01"),
        invoice("INV-3", issue_date="2026-12-01"),
        invoice("INV-4", issue_date="2027-01-01"),
    )
    assert blocked(plan) == [("INV-2", Reason.PERIOD_CLOSED), ("INV-4", Reason.PERIOD_CLOSED)]
    assert "does not have" in next(change.detail for change in plan.changes if change.action is Action.BLOCKED)


def test_no_open_period_at_all_blocks_everything_that_posts_and_no_draft() -> None:
    books = Books(company=company(open_periods=())).with_acme()
    plan = books.plan(customer(), invoice("INV-1"), invoice("INV-2", state="draft"))
    assert blocked(plan) == [("INV-1", Reason.PERIOD_CLOSED)]


def test_a_correction_is_dated_in_the_next_open_period() -> None:
    spans = ((date(2026, 11, 15), date(2026, 11, 20)), (date(2027, 1, 5), date(2027, 12, 31)))
    books = Books(company=company(open_periods=spans)).with_acme().with_invoice()
    lines = [{"description": "work", "account": "4010", "unit_price": "100.00"}]
    plan = books.plan(customer(), invoice(lines=lines), allow="credit_and_reissue:invoice.INV-1")
    dates = {step.operation.content["issue_date"] for step in plan.steps if isinstance(step.operation, Create)}
    assert dates == {date(2027, 1, 5)}


def test_what_is_in_a_closed_span_is_not_voided() -> None:
    books = Books(company=company(open_periods=((date(2026, 12, 1), date(2026, 12, 31)),))).with_acme()
    plan = books.with_invoice().plan(customer(), removed=[("invoice.INV-1", "void")])
    assert blocked(plan) == [("INV-1", Reason.POSTED_IMMUTABLE)]


def test_each_year_has_its_own_series_by_date() -> None:
    books = dated(y2026=date(2026, 11, 15), y2027=date(2027, 1, 10))
    plan = books.plan(
        customer(),
        invoice("INV-1", issue_date="2025-03-01"),
        invoice("INV-2", issue_date="2026-11-15"),
        invoice("INV-3", issue_date="2027-01-10"),
    )
    assert blocked(plan) == []
    early = books.plan(customer(), invoice("INV-2", issue_date="2026-11-14"))
    assert blocked(early) == [("INV-2", Reason.DATE_ORDER)]
    early = books.plan(customer(), invoice("INV-3", issue_date="2027-01-09"))
    assert blocked(early) == [("INV-3", Reason.DATE_ORDER)]


def test_a_kind_without_series_of_its_own_keeps_the_one_date() -> None:
    books = company(last_dates_in_series={"credit_note": date(2026, 5, 1)}, dated_series=())
    assert books.last_in_series("credit_note", date(2020, 1, 1)) == date(2026, 5, 1)
    assert books.last_in_series("invoice", date(2020, 1, 1)) is None


def test_what_a_provider_refuses_or_warns_of_is_in_the_plan() -> None:
    books = Books().with_acme()
    one, two = invoice("INV-1"), invoice("INV-2", price="200.00")
    inputs = books.inputs([customer(), one, two])
    contents = {item.address: with_defaults("invoice", item.address.name, item.content()) for item in (one, two)}
    normalized = {
        one.address: Normalized(contents[one.address], refused=("this ERP has no such thing",)),
        two.address: Normalized(contents[two.address], warnings=("the ERP will ask",)),
    }
    plan = make_plan(replace(inputs, normalized=normalized))
    assert blocked(plan) == [("INV-1", Reason.UNSUPPORTED)]
    made = next(change for change in plan.changes if change.address == at("invoice.INV-2"))
    assert made.action is Action.CREATE
    assert made.warnings == ("the ERP will ask",)


def draft_of(books: Books, issued: str) -> Books:
    """Books with a draft invoice, declared as one and dated as given."""
    content = {
        "customer": "C1",
        "issue_date": issued,
        "currency": "USD",
        "lines": [{"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": "100.00"}],
    }
    declared = invoice("INV-1", state="draft", issue_date=issued)
    books.bind(declared, "I-INV-1", content, phase="draft", total="100", net="100", tax="0", open="0")
    return books


def test_posting_a_draft_keeps_to_periods_and_series_too() -> None:
    plan = draft_of(dated(y2026=date(2026, 11, 15)), "2026-11-14").plan(
        customer(), invoice("INV-1", issue_date="2026-11-14")
    )
    assert blocked(plan) == [("INV-1", Reason.DATE_ORDER)]
    closed = Books(company=company(closed_through=date(2026, 11, 14))).with_acme()
    plan = draft_of(closed, "2026-11-14").plan(customer(), invoice("INV-1", issue_date="2026-11-14"))
    assert blocked(plan) == [("INV-1", Reason.PERIOD_CLOSED)]


def test_a_draft_that_is_dated_later_and_posted_is_judged_by_its_new_date() -> None:
    plan = draft_of(dated(y2026=date(2026, 11, 15)), "2026-11-14").plan(
        customer(), invoice("INV-1", issue_date="2026-11-16")
    )
    assert blocked(plan) == []
    assert verbs(plan) == ["invoice.INV-1#update", "invoice.INV-1#post"]

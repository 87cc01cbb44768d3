"""A plan on a terminal: as pinned in `golden/`, at three widths, with and without colour.

RECONCILER_UPDATE_GOLDEN=1 writes the pinned texts anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import re
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.plan.model import Action, Change, FieldChange, Options, Reason
from reconciler.render.plan_text import NO_CHANGES, plan_text, receivable_totals, summary
from reconciler.render.style import Style, cells
from reconciler.render.words import PHRASES, REASONS, SYMBOLS
from tests.unit.plan_file.strategies import plans
from tests.unit.sample_plans import (
    INVOICE,
    at,
    blocked_change,
    change,
    correction_plan,
    drift_plan,
    make_plan,
    mixed_plan,
)

GOLDEN = Path(__file__).parent / "golden"
PLANS = {"mixed": mixed_plan, "correction": correction_plan, "drift": drift_plan, "empty": make_plan}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", PLANS)
def test_plain_text_is_as_pinned(name, width):
    text = plan_text(PLANS[name](), Style(False, width))
    path = GOLDEN / f"{name}-{width}.txt"
    if os.environ.get("RECONCILER_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", PLANS)
def test_colour_adds_nothing_but_colour(name, width):
    plain = plan_text(PLANS[name](), Style(False, width))
    coloured = plan_text(PLANS[name](), Style(True, width))
    assert "\x1b" not in plain
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == plain


@pytest.mark.parametrize("width", [40, 57, 80])
@pytest.mark.parametrize("name", PLANS)
def test_no_line_is_wider_than_the_terminal(name, width):
    for line in plan_text(PLANS[name](), Style(False, width)).splitlines():
        assert cells(line) <= width or line.lstrip().startswith("--allow"), line


def test_flags_are_never_broken_because_they_are_copied():
    text = plan_text(mixed_plan(), Style(False, 40))
    assert '--allow credit_and_reissue:invoice.INV-7000 --reason "…"\n' in text


def test_the_summary_counts_every_verb():
    assert summary(mixed_plan()) == "Plan: 2 to create, 1 to update, 1 to allocate, 1 blocked."
    assert summary(correction_plan()) == "Plan: 1 to allocate, 1 to credit, 1 to reissue."
    assert summary(make_plan(blocked_change())) == "Plan: 1 blocked."


def test_receivables_are_summed_per_currency_without_what_is_blocked():
    plan = make_plan(
        change(
            "invoice.A", Action.CREATE, Reason.DECLARED, receivable={"USD": Decimal("10.05"), "JPY": Decimal(7)}
        ),
        change("invoice.B", Action.VOID, Reason.REMOVED, receivable={"USD": Decimal("-0.05")}),
        change("invoice.C", Action.BLOCKED, Reason.CONSENT_NEEDED, receivable={"USD": Decimal(99)}),
    )
    assert receivable_totals(plan) == {"JPY": Decimal(7), "USD": Decimal("10.00")}
    assert "Open receivables: +7 JPY, +10.00 USD." in plan_text(plan, Style())


def test_nothing_to_do_says_so():
    assert plan_text(make_plan(unchanged=3), Style()).endswith(f"{NO_CHANGES}\n3 resources compared.\n")


def test_only_blocked_says_that_nothing_can_be_applied():
    assert "Nothing of this plan can be applied." in plan_text(make_plan(blocked_change()), Style())


def test_a_blocked_change_names_phase_field_reason_place_hint_and_every_flag():
    text = plan_text(make_plan(blocked_change()), Style(False, 100))
    for expected in (
        "! invoice.INV-7000  is blocked: it is posted, and this cannot be edited there",
        "phase                posted",
        "reason               posted_immutable",
        "lines[0].unit_price  100.00 → 80.00",
        "declared at          manifests/november.yaml:12:3",
        '--allow credit:invoice.INV-7000 --reason "…"',
        "a credit note of 20.00 USD",
        '--allow credit_and_reissue:invoice.INV-7000 --reason "…"',
        "hint: Allow one of the remedies for this plan.",
    ):
        assert expected in text


def test_gone_and_unmanaged_are_noted():
    plan = make_plan(gone=(at("invoice.OLD"), at("customer.old")), unmanaged={"invoice": 1204, "payment": 2})
    text = plan_text(plan, Style(False, 200))
    assert "no longer declared, left as they are: invoice.OLD, customer.old." in text
    assert "declared by nobody: 1,204 invoice, 2 payment." in text


def test_warnings_stand_before_the_summary():
    plan = make_plan(warnings=("the quota would not last: 5,000 of 4,000 calls",))
    text = plan_text(plan, Style(False, 200))
    assert text.index("Warning: the quota would not last") < text.index(NO_CHANGES)


def test_refresh_only_shows_drift_alone():
    drifted = drift_plan()
    plan = make_plan(blocked_change(), drift=drifted.drift, options=Options(refresh_only=True))
    text = plan_text(plan, Style(False, 100))
    assert "email  ap@acme.example → billing@acme.example" in text
    assert "2 records drifted. Nothing is planned (--refresh-only)." in text
    assert "INV-7000" not in text
    assert "No drift." in plan_text(make_plan(options=Options(refresh_only=True)), Style())


def test_options_that_narrow_the_plan_are_told():
    plan = make_plan(options=Options(refresh="never", targets=(at("invoice.INV-1"),)))
    text = plan_text(plan, Style(False, 100))
    assert "Only invoice.INV-1 and what it needs (--target)" in text
    assert "Live values are not all fresh (--refresh=never)" in text


def test_text_from_outside_cannot_drive_the_terminal():
    evil = "\x1b]0;owned\x07\x1b[2J\u202eabc\nPlan: 0 to create."
    spoiled = change(
        "customer.acme",
        Action.UPDATE,
        Reason.CHANGED,
        detail=evil,
        fields=(FieldChange(evil, evil, evil),),
        warnings=(evil,),
        number=evil,
    )
    blocked = change("customer.b", Action.BLOCKED, Reason.VANISHED, detail=evil, hint=evil, phase=evil, source=evil)
    plan = make_plan(
        spoiled, blocked, project_name=evil, warnings=(evil,), unmanaged={evil: 1}, api_calls={evil: 2}
    )
    text = plan_text(plan, Style(False, 80))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert "\nPlan: 0 to create." not in text


def test_long_values_are_cut():
    note = change("customer.a", Action.UPDATE, Reason.CHANGED, fields=(FieldChange("memo", None, "x" * 5000),))
    text = plan_text(make_plan(note), Style(False, 80))
    assert len(text) < 1500
    assert "…" in text


def test_wide_characters_are_measured():
    plan = make_plan(change("customer.a", Action.CREATE, Reason.DECLARED, after={"name": "株式会社" * 20}))
    assert all(cells(line) <= 40 for line in plan_text(plan, Style(False, 40)).splitlines())


def test_every_action_has_a_symbol_and_a_phrase():
    assert set(SYMBOLS) == set(PHRASES) == set(Action)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans)
def test_any_plan_renders_at_any_width(plan):
    for width in (40, 100):
        text = plan_text(plan, Style(False, width))
        assert text.endswith("\n")
        assert "\x1b" not in text


def test_ten_thousand_changes_take_less_than_a_second():
    changes = tuple(
        Change(at(f"invoice.INV-{i:05}"), Action.CREATE, Reason.DECLARED, after=INVOICE) for i in range(10_000)
    )
    plan = make_plan(*changes)
    best = 99.0
    for _ in range(3):
        start = time.process_time()
        plan_text(plan, Style(True, 80))
        best = min(best, time.process_time() - start)
    assert best < 1


def test_every_reason_that_blocks_has_words():
    reasons = list(Reason)
    blocking = reasons[reasons.index(Reason.POSTED_IMMUTABLE) :]
    assert Reason.LOOKS_RENAMED in blocking
    assert [reason for reason in blocking if reason not in REASONS] == []

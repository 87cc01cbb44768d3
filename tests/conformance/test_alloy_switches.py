"""Alloy's bad habits, one at a time, by the sandbox's switches: in the end every document is there once.

A habit holds for the first apply of each of the suite's two desired states, and is then broken; at most four more
applies bring the books to what is declared. The listings are of the moment (see `test_alloy_cache` for their age).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.alloy_world import FRESH, QUICKBOOKS, AlloyWorld, sandbox
from tests.conformance.habits import known, lived_through

PAYMENTS = "POST /2024-03/one/accounting/payments"
INVOICES = "POST /2024-03/one/accounting/invoices"
HABITS = {
    "lost_response": {"lose_response": "every:2@/accounting/"},
    "half_response": {"half_response": "every:3"},
    "late_landing": {"late_landing": f"1@{INVOICES}", "late_landing_ms": "9000"},
    "late_landing_as_500": {"late_landing": f"1@{PAYMENTS}", "late_answer": "500", "late_landing_ms": "9000"},
    "500_after_commit": {"error_5xx_after_commit": "every:2@/accounting/", "error_status": "500"},
    "503_before": {"error_5xx_before": "2@/accounting/"},
    "html_error": {"html_error": "2@/accounting/"},
    "errors_of_reads": {"error_5xx_reads": "every:3"},
    "429_storm": {"rate_limit": "every:3"},
    "429_storm_on_payments": {"rate_limit": f"4@{PAYMENTS}", "retry_after_s": "7"},
    "page_drift": {"page_drift": "every:2"},
    "page_drift_twice": {"page_drift": "every:2", "page_drift_how": "twice"},
    "cut_before": {"cut_before": "every:4"},
    "cursor": {"paging": "cursor"},
    "pages": {"paging": "pages"},
    "lists_under_data": {"list_key": "data"},
    "older_timestamps": {"timestamps": "createdTimestamp"},
    "dates": {"payment_dates": "date"},
    "deleted_ones_are_gone": {"deleted": "gone"},
    "wrapped_answers": {"forward_reply": "wrapped"},
    "written_through": {"write_through": "1"},
}
QUICK = {"lost_response", "500_after_commit", "late_landing", "429_storm", "page_drift", "wrapped_answers"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlloyWorld]:
    settings = {**QUICKBOOKS, "settle_seconds": 30, "page_size": 3}
    with sandbox(tmp_path_factory.mktemp("world"), switches=FRESH, clock=ManualClock(), settings=settings) as made:
        assert isinstance(made, AlloyWorld)
        with known(made):
            yield made


@pytest.mark.parametrize(
    "habit", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in HABITS]
)
def test_every_document_is_there_once(world: AlloyWorld, tmp_path: Path, habit: str) -> None:
    more = {"resend_after_settle": "true"}
    project = SuiteProject(tmp_path / "project", world, more=more, clock=world.clock, thorough=False)
    try:
        lived_through(project, HABITS[habit], seconds=240, shows=False)
    finally:
        project.close()

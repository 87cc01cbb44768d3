"""AccountsIQ's bad habits, one at a time, by the sandbox's switches: in the end every document is there once.

A habit holds for the first apply of each of the suite's two desired states, and is then broken; at most four more
applies bring the books to what is declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.testing.suite_project import SuiteProject
from tests.conformance.accountsiq_world import AccountsIQWorld, sandbox
from tests.conformance.habits import known, lived_through

SETTINGS = {"settle_seconds": 30}
HABITS = {
    "lost_response": {"lose_response": "every:2"},
    "half_response": {"half_response": "every:3"},
    "late_landing": {"late_landing": "2", "late_landing_ms": "9000"},
    "late_landing_as_500": {"late_landing": "at:2", "late_answer": "500", "late_landing_ms": "9000"},
    "500_after_commit": {"error_5xx_after_commit": "every:2", "error_status": "500"},
    "500_before": {"error_5xx_before": "2", "error_status": "500"},
    "500_of_reads": {"error_5xx_reads": "every:3"},
    "html_error": {"html_error": "2"},
    "429_storm": {"rate_limit": "every:3"},
    "expired_now_and_then": {"expire_token": "every:3"},
    "tokens_of_a_minute": {"token_minutes": "1"},
    "page_drift": {"page_drift": "every:2", "page_size": "2"},
    "page_drift_twice": {"page_drift": "every:2", "page_drift_how": "twice", "page_size": "2"},
    "bulk_interrupted": {"bulk_interrupted": "2"},
    "vague_status": {"vague_status": "every:3"},
    "cut_before": {"cut_before": "every:4"},
    "allocation_lost": {"lose_response": "1@AllocateTransactions"},
    "unallocation_lost": {"lose_response": "1@UnallocateTransactions"},
    "everything_at_once": {"lose_response": "every:5", "expire_token": "every:4", "rate_limit": "every:6"},
}
QUICK = {"lost_response", "expired_now_and_then"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountsIQWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings=SETTINGS) as made:
        assert isinstance(made, AccountsIQWorld)
        with known(made):
            yield made


@pytest.mark.parametrize("guarded", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "habit", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in HABITS]
)
def test_every_document_is_there_once(world: AccountsIQWorld, tmp_path: Path, habit: str, *, guarded: bool) -> None:
    """`guarded`: by the operations that refuse a reference twice, and by the plain ones."""
    more = {"resend_after_settle": "true", "duplicate_check": str(guarded).lower()}
    project = SuiteProject(tmp_path / "project", world, more=more, clock=world.clock)
    lived_through(project, HABITS[habit], seconds=80, shows=False)

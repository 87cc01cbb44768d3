"""Intacct's bad habits, one at a time, by the sandbox's switches: in the end every document is there once.

A habit holds for the first apply of each of the suite's two desired states, and is then broken; at most four more
applies bring the books to what is declared. What differs from one company's configuration to the next holds
throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass, Verb
from reconciler.testing.suite_faults import scenario_for
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.habits import known, lived_through, problems, tried
from tests.conformance.intacct_world import IntacctWorld, sandbox

SETTINGS = {"settle_seconds": 30}
HABITS = {
    "lost_response": {"lose_response": "every:2"},
    "half_response": {"half_response": "every:2@create"},
    "late_landing": {"late_landing": "2@create", "late_landing_ms": "9000"},
    "late_landing_as_500": {"late_landing": "at:2@create", "late_answer": "500", "late_landing_ms": "9000"},
    "500_after_commit": {"error_5xx_after_commit": "every:2@create", "error_status": "500"},
    "503_before": {"error_5xx_before": "2"},
    "html_error": {"html_error": "2@create"},
    "stopped_midway": {"stop_midway": "2@create_invoice"},
    "a_result_is_missing": {"drop_result": "2@create"},
    "a_function_fails": {"function_fails": "2@create_invoice"},
    "429_storm": {"rate_limit": "every:3"},
    "rate_limit_in_words": {"rate_limit": "every:3", "rate_limit_how": "body"},
    "sessions_expire": {"expire_sessions": "every:3"},
    "short_sessions": {"session_minutes": "1"},
    "page_drift": {"page_drift": "every:2"},
    "cut_before": {"cut_before": "every:4"},
}
SLOW = set(HABITS) - {"stopped_midway", "a_result_is_missing", "sessions_expire"}
COMPANIES: Mapping[str, tuple[dict[str, str], dict[str, Any]]] = {
    "numbers_repeat": ({"duplicate_numbers": "allow"}, {}),
    "numbers_are_unique": ({}, {"unique_numbers": True}),
    "payments_list_advances": ({"payments_list_advances": "1"}, {}),
    "payments_name_their_currency": ({"payment_currency": "required"}, {}),
    "sessions_belong_to_a_pod": ({"pod": "na12"}, {}),
    "control_ids_answered_again": ({"repeated_control_id": "first_result", "lose_response": "every:3@create"}, {}),
    "without_query": ({}, {"query": False, "page_size": 2}),
    "small_pages_and_batches": ({}, {"page_size": 1, "batch_size": 2}),
}
QUICK_COMPANIES = {"without_query", "sessions_belong_to_a_pod"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IntacctWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings=SETTINGS) as made:
        assert isinstance(made, IntacctWorld)
        with known(made):
            yield made


def of(world: IntacctWorld, folder: Path, **more: object) -> SuiteProject:
    return SuiteProject(folder / "project", world, more={"resend_after_settle": "true", **more}, clock=world.clock)


def slowly(names: Mapping[str, object], slow: set[str]) -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name in slow else []) for name in names]


@pytest.mark.parametrize("habit", slowly(HABITS, SLOW))
def test_every_document_is_there_once(world: IntacctWorld, tmp_path: Path, habit: str) -> None:
    project = of(world, tmp_path, **({"page_size": 1} if "page_drift" in habit else {}))
    lived_through(project, HABITS[habit], seconds=80, shows=True)


@pytest.mark.parametrize("company", slowly(COMPANIES, set(COMPANIES) - QUICK_COMPANIES))
def test_companies_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, company: str) -> None:
    switches, settings = COMPANIES[company]
    with sandbox(tmp_path / "world", switches=switches, settings={**SETTINGS, **settings}) as made:
        assert isinstance(made, IntacctWorld)
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        project = of(made, tmp_path)
        scenario = scenario_for(project.capabilities())
        for phase in (0, 1):
            project.declare(scenario.manifests[phase])
            ended = None
            for _ in range(4):
                ended = tried(project)
                if ended is not None and ended.exit_code == ExitCode.OK:
                    break
                made.clock.sleep(80)
            assert ended is not None
            assert ended.exit_code == ExitCode.OK, ended
            assert problems(project, scenario.worth[phase]) == []
        project.close()


def test_unique_numbers_are_a_guarantee(world: IntacctWorld, tmp_path: Path) -> None:
    """What a number keeps out is sent again without waiting."""
    invoices = of(world, tmp_path, unique_numbers="true").capabilities().kind("invoice")
    assert invoices.verb(Verb.CREATE).deduplication is DeduplicationClass.B
    assert of(world, tmp_path / "other").capabilities().kind("invoice").verb(Verb.CREATE).deduplication == "C"

"""Codat's bad habits, one at a time, by the sandbox's switches: in the end every document is there once.

A habit holds for the first apply of each of the suite's two desired states, and is then broken; at most four more
applies bring the books to what is declared. What cannot be settled by looking stops with exit 3, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.kernel.errors import ExitCode
from reconciler.testing.suite_checks import Look, once
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.codat_world import EVERYTHING, CodatWorld, sandbox
from tests.conformance.habits import known, lived_through

SETTINGS = {**EVERYTHING, "settle_seconds": 30, "timed_out_settle_seconds": 60, "refresh_wait_seconds": 20}
HABITS = {
    "lost_response": {"lose_response": "every:2"},
    "half_response": {"half_response": "every:3@/push/"},
    "late_landing": {"late_landing": "2", "late_landing_ms": "9000"},
    "late_landing_as_500": {"late_landing": "at:2", "late_answer": "500", "late_landing_ms": "9000"},
    "500_after_commit": {"error_5xx_after_commit": "every:2", "error_status": "500"},
    "503_after_commit_on_a_payment": {"error_5xx_after_commit": "1@push/payments"},
    "500_replayed": {"error_5xx_before": "2@/push/", "error_status": "500", "replay_errors": "1"},
    "429_storm": {"rate_limit": "every:3"},
    "429_storm_on_pushes": {"rate_limit": "4@/push/", "retry_after_s": "7"},
    "page_drift": {"page_drift": "every:2"},
    "page_drift_twice": {"page_drift": "every:2", "page_drift_how": "twice"},
    "stale_reads": {"stale_reads_ms": "3000"},
    "push_fails": {"push_fails": "2"},
    "push_times_out_and_lands": {"push_times_out": "1", "timed_out_lands_ms": "5000"},
    "push_times_out_for_good": {"push_times_out": "1", "timed_out_lands_ms": "0"},
    "slow_pushes_and_pulls": {"push_ms": "45000", "pull_ms": "9000"},
    "pull_fails": {"pull_fails": "at:3"},
    "cut_before": {"cut_before": "every:4"},
}
WORST = (
    "lost_response",
    "late_landing",
    "500_after_commit",
    "500_replayed",
    "page_drift",
    "push_times_out_and_lands",
)
SLOW = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CodatWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings=SETTINGS) as made:
        assert isinstance(made, CodatWorld)
        with known(made):
            yield made


def of(world: CodatWorld, folder: Path, **more: object) -> SuiteProject:
    return SuiteProject(folder / "project", world, more={"resend_after_settle": "true", **more}, clock=world.clock)


@pytest.mark.parametrize(
    "habit", [habit if habit in WORST else pytest.param(habit, marks=SLOW) for habit in HABITS]
)
def test_every_document_is_there_once(world: CodatWorld, tmp_path: Path, habit: str) -> None:
    lived_through(of(world, tmp_path), HABITS[habit], seconds=40, shows="page_drift" not in habit)


def test_a_push_that_never_ends_stops_its_address_alone(world: CodatWorld, tmp_path: Path) -> None:
    """Exit 3 with the command that settles it; the other customer is made; nothing is pushed a second time."""
    project = of(world, tmp_path)
    project.declare("customers:\n  acme-<x>: {name: Acme <x>}\n  beta-<x>: {name: Beta <x>}\n")
    world.running.switches.set({"async_forever": "1@push/customers"})
    report = project.apply().report
    world.running.switches.set({"async_forever": ""})
    assert report is not None
    assert report.exit_code == ExitCode.UNKNOWN
    outcomes = sorted(str(item.outcome) for item in report.results)
    assert outcomes == [StepOutcome.DONE, StepOutcome.UNKNOWN]
    [stuck] = [item for item in report.results if item.outcome is StepOutcome.UNKNOWN]
    assert "recover" in stuck.command
    again = project.apply().report
    assert again is not None
    assert again.exit_code == ExitCode.UNKNOWN
    assert once(Look.at(project))[:-1] == []  # but for the outcome that is not settled
    project.declare(
        "customers:\n  acme-<x>: {name: Acme <x>}\n  beta-<x>: {name: Beta <x>}\n  gamma-<x>: {name: Gamma <x>}\n"
    )
    third = project.apply().report
    assert third is not None
    assert [str(item.outcome) for item in third.results if "gamma" in item.step_id] == [StepOutcome.DONE]


@pytest.mark.slow
@pytest.mark.parametrize("habit", ["lost_response", "late_landing", "500_after_commit", "push_times_out_and_lands"])
def test_where_the_erp_refuses_a_number_twice(tmp_path: Path, habit: str) -> None:
    """Class B for invoices: what may have landed is sent again, and the ERP keeps the second one out."""
    settings = {**SETTINGS, "unique_invoice_numbers": True}
    with (
        sandbox(tmp_path / "world", switches={"duplicate_numbers": "refuse"}, settings=settings) as made,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert isinstance(made, CodatWorld)
        for name, value in made.environment().items():
            patch.setenv(name, value)
        test_every_document_is_there_once(made, tmp_path, habit)

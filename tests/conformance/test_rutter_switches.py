"""Rutter's bad habits, one at a time, by the sandbox's switches: in the end every document is there once.

A habit holds for the first apply of each of the suite's two desired states, and is then broken; at most four more
applies bring the books to what is declared. What cannot be settled by looking stops with exit 3, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ExitCode
from reconciler.testing.suite_checks import Look, once
from reconciler.testing.suite_faults import scenario_for
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.habits import known, lived_through, problems, tried
from tests.conformance.rutter_world import RutterWorld, sandbox

SETTINGS = {"settle_seconds": 30, "sync_wait_seconds": 20}
HABITS = {
    "lost_response": {"lose_response": "every:2"},
    "half_response": {"half_response": "every:3@POST /versioned/accounting"},
    "late_landing": {"late_landing": "2@/accounting/", "late_landing_ms": "9000"},
    "late_landing_as_500": {"late_landing": "at:2@/accounting/", "late_answer": "500", "late_landing_ms": "9000"},
    "500_after_commit": {"error_5xx_after_commit": "every:2@/accounting/", "error_status": "500"},
    "503_after_commit_on_a_payment": {"error_5xx_after_commit": "1@invoice_payments"},
    "500_replayed": {"error_5xx_before": "2@/accounting/", "error_status": "500", "replay_errors": "1"},
    "html_error": {"html_error": "2@/accounting/"},
    "429_storm": {"rate_limit": "every:3"},
    "429_storm_on_writes": {"rate_limit": "3@POST /versioned/accounting", "retry_after_s": "7"},
    "452_on_writes": {"platform_limit": "2"},
    "450_without_fault": {"platform_refuses": "2"},
    "page_drift": {"page_drift": "every:2"},
    "page_drift_twice": {"page_drift": "every:2", "page_drift_how": "twice"},
    "stale_reads": {"stale_reads_ms": "3000"},
    "slow_jobs": {"slow_job": "every:2", "slow_job_ms": "9000"},
    "filter_ignored": {"ignore_filter": "1"},
    "filter_ignored_and_lost": {"ignore_filter": "1", "lose_response": "every:2@/accounting/"},
    "sync_stuck": {"sync_stuck": "1"},
    "cut_before": {"cut_before": "every:4"},
}
SLOW = {
    "half_response",
    "late_landing_as_500",
    "503_after_commit_on_a_payment",
    "html_error",
    "429_storm",
    "450_without_fault",
    "page_drift_twice",
    "filter_ignored",
    "sync_stuck",
    "cut_before",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RutterWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings=SETTINGS) as made:
        assert isinstance(made, RutterWorld)
        with known(made):
            yield made


def of(world: RutterWorld, folder: Path, **more: object) -> SuiteProject:
    return SuiteProject(folder / "project", world, more={"resend_after_settle": "true", **more}, clock=world.clock)


@pytest.mark.parametrize(
    "habit", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in HABITS]
)
def test_every_document_is_there_once(world: RutterWorld, tmp_path: Path, habit: str) -> None:
    project = of(world, tmp_path, **({"page_limit": 1} if "page_drift" in habit else {}))
    lived_through(project, HABITS[habit], seconds=80, shows=True)


def test_a_job_that_never_ends_stops_its_address_alone(world: RutterWorld, tmp_path: Path) -> None:
    """Exit 3 with the command that settles it, at every apply; nothing is sent a second time."""
    project = of(world, tmp_path)
    assert isinstance(world.clock, ManualClock)
    project.declare("customers:\n  acme-<x>: {name: Acme <x>}\n  beta-<x>: {name: Beta <x>}\n")
    world.running.switches.set({"async_forever": "1@/accounting/customers"})
    report = project.apply().report
    world.running.switches.set({"async_forever": ""})
    assert report is not None
    assert report.exit_code == ExitCode.UNKNOWN
    outcomes = sorted(str(item.outcome) for item in report.results)
    assert outcomes == [StepOutcome.DONE, StepOutcome.UNKNOWN]
    [stuck] = [item for item in report.results if item.outcome is StepOutcome.UNKNOWN]
    assert "recover" in stuck.command
    for _ in range(2):
        world.clock.advance(4000)
        again = project.apply().report
        assert again is not None
        assert again.exit_code == ExitCode.UNKNOWN
        assert project.sent == 0
    assert once(Look.at(project))[:-1] == []  # but for the outcome that is not settled


def test_without_syncs_the_cache_is_read_as_it_is(world: RutterWorld, tmp_path: Path) -> None:
    """What was paid is read from the payment, which is fresh; Rutter's own sync shows what the invoice is worth."""
    project = of(world, tmp_path, sync="false")
    scenario = scenario_for(project.capabilities())
    assert isinstance(world.clock, ManualClock)
    asked = sum(row.path.endswith("/incremental_sync") for row in world.running.log)
    for phase in (0, 1):
        project.declare(scenario.manifests[phase])
        tried(project)
        world.running.switches.set({"sync_period_ms": "1000"})
        world.clock.advance(5)
        report = project.apply().report
        assert report is not None
        assert report.exit_code == ExitCode.OK, report
        assert problems(project, scenario.worth[phase]) == []
    world.running.switches.set({"sync_period_ms": "0"})
    assert sum(row.path.endswith("/incremental_sync") for row in world.running.log) == asked

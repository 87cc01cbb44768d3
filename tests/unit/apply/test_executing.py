"""Executing a plan: order, holes, what state records, batches, rates, groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.state.history import *  # noqa: F403
from tests.unit.apply.world import (
    World,
    six_steps,
)


@pytest.mark.parametrize("klass", list(DeduplicationClass))
def test_a_plan_is_carried_out_once(tmp_path: Path, klass: DeduplicationClass):
    world = World(tmp_path, klass)
    confirm(world)
    report = world.apply(six_steps())
    assert [result.outcome for result in report.results] == [StepOutcome.DONE] * 6
    assert report.exit_code is ExitCode.OK
    assert report.findings == ()
    assert sorted(verb for verb, _ in world.erp.commits) == ["allocate"] * 2 + ["create"] * 4


def confirm(world: World) -> None:
    from reconciler.workflows.recovering import RecoverRequest

    world.recover(RecoverRequest(confirm_absent=True))

"""What the tests of a sandbox's bad habits share: a habit lived through, and what is wrong in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import pytest

from reconciler.apply.report import ApplyReport
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ExitCode, ReconcilerError
from reconciler.testing.suite_checks import Look, once, state_equals_live, unfinished, worth
from reconciler.testing.suite_faults import scenario_for
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World
from tests.conformance.sandboxed import SandboxWorld


def tried(project: SuiteProject) -> ApplyReport | None:
    """One apply; None when it could not even be planned, which it then says."""
    try:
        return project.apply().report
    except ReconcilerError:
        return None


def problems(project: SuiteProject, wanted: dict[str, str]) -> list[str]:
    look = Look.at(project)
    return [*unfinished(project.plan()), *state_equals_live(look), *once(look), *worth(look, wanted)]


@contextmanager
def known(world: World) -> Iterator[World]:
    """A world whose credentials are in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in world.environment().items():
            patch.setenv(name, value)
        yield world


def lived_through(project: SuiteProject, habit: Mapping[str, str], *, seconds: int, shows: bool) -> None:
    """A habit holds for the first apply of each of the suite's two desired states, and is then broken.

    At most four more applies, `seconds` apart, bring the books to what is declared. `shows`: whether the switches
    that count must have counted something.
    """
    world = cast(SandboxWorld, project.world)
    switches, clock = world.running.switches, world.clock
    assert isinstance(clock, ManualClock)
    scenario = scenario_for(project.capabilities())
    kept = {name: value for name, value in switches.values().items() if name in habit}
    for phase in (0, 1):
        project.declare(scenario.manifests[phase])
        switches.set(habit)
        before = dict(switches.hits())
        tried(project)
        after = dict(switches.hits())
        switches.set(kept)
        if shows and phase == 0 and any(name in after for name in habit):
            assert after != before, "the habit showed nowhere"
        ended = None
        for _ in range(4):
            clock.advance(seconds)
            ended = tried(project)
            if ended is not None and ended.exit_code == ExitCode.OK:
                break
        assert ended is not None
        assert ended.exit_code == ExitCode.OK, ended
        assert problems(project, scenario.worth[phase]) == []

"""What the tests of a sandbox's bad habits share: one apply that may fail, and what is wrong in the end."""

from __future__ import annotations

from reconciler.apply.report import ApplyReport
from reconciler.kernel.errors import ReconcilerError
from reconciler.testing.suite_checks import Look, once, state_equals_live, unfinished, worth
from reconciler.testing.suite_project import SuiteProject


def tried(project: SuiteProject) -> ApplyReport | None:
    """One apply; None when it could not even be planned, which it then says."""
    try:
        return project.apply().report
    except ReconcilerError:
        return None


def problems(project: SuiteProject, wanted: dict[str, str]) -> list[str]:
    look = Look.at(project)
    return [*unfinished(project.plan()), *state_equals_live(look), *once(look), *worth(look, wanted)]

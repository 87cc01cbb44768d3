"""Rutter's sandbox, through the suite that every provider passes; its requests, against the vendor's schemas.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and a
second process keep that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World
from tests.conformance.rutter_world import RutterWorld, in_real_time, of_xero, sandbox


class Rutter(ProviderSuite):
    """What the classes share: projects have the sandbox's clock."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_cases = frozenset({"bulk_of_two_hundred"})

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        assert isinstance(books, RutterWorld)
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=books.clock)
        yield project
        project.close()


class TestRutter(Rutter):
    """Every case, undisturbed."""

    __test__ = True
    world = sandbox

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; TestRutterUnderFaults plays faults in real time")

"""What the suites over sandboxes share: cases on the sandbox's clock, faults in real time, the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import pytest

from reconciler.kernel.clock import Clock
from reconciler.sandboxes.serving import Running
from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World

ALL = frozenset(case.name for case in CASES)
"""The names of all cases: those that a class does not play at each change are its `slow_cases`."""


class SandboxWorld(World, Protocol):
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    clock: Clock


class Contract(Protocol):
    """A vendor's schemas: why they are not to be had, and what of a sandbox's log does not fit them."""

    def unavailable(self) -> str: ...

    def breaches(self, running: Running) -> Sequence[str]: ...


class OnASandbox(ProviderSuite):
    """Projects have the sandbox's clock; one request is harmed per kind of fault, two kinds at each change."""

    __test__ = False
    thorough = False
    fault_sample = 1
    kill_sample = 1
    slow_faults = frozenset(ProxyFault) - {ProxyFault.CUT_AFTER, ProxyFault.UNAVAILABLE_BEFORE}

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        clock = cast(SandboxWorld, books).clock
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough, clock=clock)
        yield project
        project.close()


class OfCases(OnASandbox):
    """Cases, undisturbed; afterwards the contract: what was sent in them, against the vendor's schemas."""

    __test__ = False
    contract: ClassVar[Contract]

    @pytest.fixture(scope="class")
    @classmethod
    def faulty(cls) -> None:
        pytest.skip("these cases are on a clock of their own; faults are played in real time, in a class of theirs")

    def test_zz_every_request_is_one_of_the_vendors(self, books: World) -> None:
        if why := self.contract.unavailable():
            pytest.skip(why)
        found = self.contract.breaches(cast(SandboxWorld, books).running)
        assert not found, "\n".join(found[:20])


def only(cls: type, *names: str) -> None:
    """Leave out of a class the suite's cases that another class plays already."""
    for name in dir(cls):
        if name.startswith("test_") and not name.startswith(names):
            setattr(cls, name, None)


def slowly(cls: type, name: str) -> None:
    """Leave one of the suite's tests, which waits for a window to pass, to `pytest -m slow`."""
    test = getattr(cls, name)

    @wraps(test)
    def later(*args: Any, **named: Any) -> None:
        test(*args, **named)

    setattr(cls, name, pytest.mark.slow(later))

"""The conformance suite of providers. A provider's whole test:

    class TestMyErp(ProviderSuite):
        world = my_world            # (folder) -> context manager of a World: books that are there

A `World` (see `world.py`) says where the books are, what they call things, and how a colleague works in them by
hand. The cases are tables of desired states in `cases/`; each is planned and applied, then the plan must be empty,
state must equal live as a new connection sees it, and a second apply must write nothing. Skips come from the
provider's capabilities and the world's words alone, each with its reason. A case may be overridden only by a method
marked `@pytest.mark.xfail(reason="…")`. A world with an `endpoint` is also put behind a proxy that harms one
exchange at a time, and the command line is killed there (`fault_cases.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, ClassVar
from unittest import mock

import pytest

from reconciler.testing.cases import CASES
from reconciler.testing.fault_cases import FaultCases
from reconciler.testing.suite_cases import Case
from reconciler.testing.suite_playing import Player, cases_by_method
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.telling_cases import TellingCases
from reconciler.testing.world import World, WorldFactory

_NAMES = frozenset(case.name for case in CASES)


class ProviderSuite(FaultCases, TellingCases):
    """Everything a provider must do. Subclass it and name a world."""

    world: ClassVar[WorldFactory]
    thorough: ClassVar[bool] = True
    """Connect anew for every command, plan apart from applying and with every `--refresh`, too; False spares slow
    books most of the calls."""

    slow_cases: ClassVar[frozenset[str]] = frozenset()
    """Names of cases that run with `pytest -m slow` alone, where books are slow; of a check too: `killed`, say."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, value in vars(cls).items():
            if name.startswith("test_") and _is_case(cls, name) and not _expected_to_fail(value):
                raise TypeError(
                    f"{cls.__name__}.{name} overrides a case of the provider suite: "
                    'mark it @pytest.mark.xfail(reason="…") and say why the provider cannot do it'
                )
        for case in CASES:
            if case.name in cls.slow_cases and f"test_{case.name}" not in vars(cls):
                setattr(cls, f"test_{case.name}", pytest.mark.slow(_method(case, cls.__qualname__)))
        for name in cls.slow_cases - _NAMES:
            setattr(cls, f"test_{name}", pytest.mark.slow(_copied(getattr(cls, f"test_{name}"))))

    @pytest.fixture(scope="class")
    @classmethod
    def books(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
        """The world, once a class: every case has a project and names of its own."""
        factory = vars_of(cls, "world")
        with factory(tmp_path_factory.mktemp("world")) as world, mock.patch.dict(os.environ, world.environment()):
            yield world

    @pytest.fixture
    def project(self, books: World, tmp_path: Path) -> Iterator[SuiteProject]:
        project = SuiteProject(tmp_path / "project", books, thorough=self.thorough)
        yield project
        project.close()

    def test_limitations_of_the_world_are_stated(self, books: World) -> None:
        """What a colleague cannot be made to do here has a reason that can be read."""
        silent = [name for name, reason in books.hooks.lacking().items() if not reason.strip()]
        assert not silent, f"the world has no {', '.join(silent)}, and does not say why"


def vars_of(cls: type, name: str) -> Any:
    """A class's attribute as it was written, not bound to anything."""
    for one in cls.__mro__:
        if name in vars(one):
            value = vars(one)[name]
            return value.__func__ if isinstance(value, staticmethod) else value
    raise TypeError(f"{cls.__name__} names no {name}")


def _copied(check: Any) -> FunctionType:
    """A function like it, to be marked alone."""
    copy = FunctionType(check.__code__, check.__globals__, check.__name__, check.__defaults__, check.__closure__)
    copy.__doc__ = check.__doc__
    return copy


def _is_case(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__[1:])


def _expected_to_fail(method: Any) -> bool:
    """Marked xfail, with a reason in words."""
    marks = getattr(method, "pytestmark", [])
    return any(mark.name == "xfail" and str(mark.kwargs.get("reason", "")).strip() for mark in marks)


def _method(case: Case, owner: str = "ProviderSuite") -> Callable[..., None]:
    def test(self: ProviderSuite, project: SuiteProject) -> None:
        Player(project, case, project.capabilities()).play()

    test.__doc__ = case.about
    test.__name__, test.__qualname__ = f"test_{case.name}", f"{owner}.test_{case.name}"
    return test


for _name, _case in cases_by_method(CASES):
    _made = _method(_case)
    setattr(ProviderSuite, _name, pytest.mark.slow(_made) if _case.slow else _made)

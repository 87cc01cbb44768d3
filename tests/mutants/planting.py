"""Planting a bug: one small edit of one file in a copy of the package, and the tests that must notice it.

The tree itself is never touched. A bug whose place is gone is an error, not a pass; so is a copy that is not the
one the tests import, a selection that fails without the bug, or one that ends otherwise than by failing tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("reconciler", "tests", "examples")
TESTS_FAILED = 1
LONGEST = 600
PLAINLY = ("-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:xdist")


@dataclass(frozen=True, slots=True)
class Bug:
    """`old` becomes `new` in `file`, where it stands exactly once. `tests`: pytest node ids; `picked`: for `-k`.

    `fast`: its tests end in a few seconds.
    """

    name: str
    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    picked: str = ""
    fast: bool = False

    def planted_in(self, text: str) -> str:
        """The file's text with the bug. Raises LookupError when its place is not there exactly once."""
        count = text.count(self.old)
        if count != 1:
            raise LookupError(f"{self.name}: its place in {self.file} is there {count} times; plant it anew")
        return text.replace(self.old, self.new)


class Ending(StrEnum):
    CAUGHT = "caught"
    SURVIVED = "SURVIVED"
    BROKEN = "BROKEN"
    """The run says nothing of the bug: it ended otherwise than by failing tests."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one bug. `told`: the first failure, or why the run is broken."""

    bug: Bug
    ending: Ending
    seconds: float
    told: str


def copy_tree(folder: Path) -> Path:
    """A copy of what the tests need, to be spoilt."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite*", ".*"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run_tests(folder: Path, tests: Sequence[str], picked: str = "") -> tuple[int, str]:
    """pytest over the copy in `folder`: its exit code, and what it printed."""
    command = [sys.executable, "-P", "-m", "pytest", *PLAINLY]
    command += ["-k", picked] if picked else []
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    environment |= {
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder),
    }
    try:
        ran = subprocess.run(
            [*command, *tests],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return -1, f"not done after {LONGEST} s"
    return ran.returncode, ran.stdout + ran.stderr


def imported_from(folder: Path) -> Path:
    """Where tests in `folder` find the package."""
    code = "import reconciler; print(reconciler.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return Path(ran.stdout.strip())


def try_bug(bug: Bug, folder: Path) -> Verdict:
    """Plant one bug in a fresh copy and run the tests that must notice it."""
    began = time.monotonic()
    copy_tree(folder)
    place = folder / bug.file
    try:
        place.write_text(bug.planted_in(place.read_text(encoding="utf-8")), encoding="utf-8")
        code, output = run_tests(folder, bug.tests, bug.picked)
    except (LookupError, OSError) as error:
        code, output = -1, str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    ending = {0: Ending.SURVIVED, TESTS_FAILED: Ending.CAUGHT}.get(code, Ending.BROKEN)
    told = _failure(output) if ending is Ending.CAUGHT else "" if ending is Ending.SURVIVED else output[-1500:]
    return Verdict(bug, ending, time.monotonic() - began, told)


def _failure(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" ", 1)[1] if lines else ""


def unsound(bugs: Iterable[Bug], folder: Path) -> str:
    """Why the verdicts would prove nothing, or '': without a bug, every selection must pass over the copy."""
    if problem := misdirected(folder):
        return problem
    selections: dict[tuple[str, ...], list[str]] = {}
    for bug in bugs:
        selections.setdefault(bug.tests, []).append(bug.picked)
    for tests, picks in selections.items():
        picked = "" if "" in picks else " or ".join(f"({pick})" for pick in dict.fromkeys(picks))
        code, output = run_tests(folder, tests, picked)
        if code != 0:
            return f"without any bug, {' '.join(tests)} end with {code}:\n{output[-3000:]}"
    return ""


def misdirected(folder: Path) -> str:
    """Why tests in a copy would not see its bugs, or ''. Leaves the copy in `folder`."""
    copy_tree(folder)
    place = imported_from(folder)
    return "" if place.is_relative_to(folder) else f"the tests would import {place} instead of the copy"

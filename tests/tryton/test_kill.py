"""Kill -9 at random times while documents are applied to Tryton: none twice, none forgotten, then no changes.

And two applies at once, from two folders with one state: one waits or refuses.
"""

from __future__ import annotations

import random
import shutil
from decimal import Decimal

import pytest

from reconciler.kernel.errors import ExitCode
from tests.tryton import killing


def _survives(server, folder, seconds: Decimal, size: tuple[int, int] = killing.FEW) -> bool:
    killing.write_project(folder, server, size=size)
    killed = killing.run_and_kill(folder, seconds, "apply", "--auto-approve")
    said = []
    for _ in range(2):
        code, text = killing.run(folder, "apply", "--auto-approve")
        said.append(text)
        if code == ExitCode.OK:
            break
    code, text = killing.run(folder, "plan", "--detailed-exitcode")
    assert code == ExitCode.OK, f"killed after {seconds} s\n" + "\n".join([*said, text])
    assert killing.live(server) == killing.wanted(size), f"killed after {seconds} s"
    return killed


@pytest.mark.parametrize("seed", [1])
def test_killed_at_a_random_time(tryton, tmp_path, seed):
    seconds = Decimal(random.Random(seed).randint(2000, 6000)) / 1000
    assert _survives(tryton, tmp_path / "project", seconds)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 130))
def test_killed_at_any_time(tryton, tmp_path, seed):
    seconds = Decimal(random.Random(seed).randint(300, 30_000)) / 1000
    _survives(tryton, tmp_path / "project", seconds, killing.SIXTY)


def test_of_two_applies_at_once_one_waits_or_refuses(tryton, tmp_path):
    first, second, state = tmp_path / "first", tmp_path / "second", tmp_path / "shared" / "state.sqlite"
    state.parent.mkdir()
    killing.write_project(first, tryton, state=state)
    shutil.copytree(first, second)
    both = [killing.reconciler(folder, "apply", "--auto-approve") for folder in (first, second)]
    ends = [killing.ended(process) for process in both]
    codes = sorted(code for code, _ in ends)
    assert codes in ([ExitCode.OK, ExitCode.OK], [ExitCode.OK, ExitCode.LOCKED]), ends
    assert killing.live(tryton) == killing.wanted()
    code, text = killing.run(second, "plan", "--detailed-exitcode")
    assert code == ExitCode.OK, text

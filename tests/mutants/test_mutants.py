"""Planted bugs are caught: a few in every run, all of them in the slow one and by `python -m tests.mutants`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.__main__ import BUGS, hunt
from tests.mutants.planting import ROOT, Bug, Ending, misdirected, unsound


def escaped(bugs: Sequence[Bug], folder: Path) -> list[str]:
    told: list[str] = []
    verdicts = hunt(bugs, 2, folder, lambda verdict: None)
    for verdict in verdicts:
        if verdict.ending is not Ending.CAUGHT:
            told.append(f"{verdict.bug.name}: {verdict.ending}. {verdict.told}")
    return told


def test_every_bug_has_its_place_and_a_name_of_its_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 14
    for bug in BUGS:
        bug.planted_in((ROOT / bug.file).read_text(encoding="utf-8"))
        assert all((ROOT / test.split("::")[0]).exists() for test in bug.tests)


def test_a_place_that_is_gone_is_an_error() -> None:
    bug = Bug("x", "", "file.py", "old", "new", ())
    with pytest.raises(LookupError, match="there 0 times"):
        bug.planted_in("something else")
    with pytest.raises(LookupError, match="there 2 times"):
        bug.planted_in("old old")
    assert bug.planted_in("an old one") == "an new one"


def test_some_bugs_are_caught(tmp_path: Path) -> None:
    assert misdirected(tmp_path / "sound") == ""
    assert escaped([bug for bug in BUGS if bug.fast], tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_bug_is_caught(tmp_path: Path) -> None:
    assert unsound(BUGS, tmp_path / "sound") == ""
    assert escaped(BUGS, tmp_path) == []

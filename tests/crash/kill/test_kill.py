"""Kill -9 on the real program, anywhere: afterwards every document is there once, and nothing is left to do.

The books are behind a server that outlives the program. A sample here; `python -m tests.crash.kill` is the
whole campaign, with its table.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kill.__main__ import campaign
from tests.crash.kill.campaign import Kill, Undisturbed, World

BETWEEN_AT_LEAST = 50

SAMPLE = {
    ("A", "singly"): (
        [Kill.boundary("outcome_written", 9), Kill.server(4), Kill.writing(0.04)],
        [Kill.server(4), Kill.boundary("after_send", 2)],
    ),
    ("B", "batches"): (
        [Kill.server(3), Kill.boundary("intent_written", 2)],
        [Kill.boundary("before_send", 3), Kill.server(1)],
    ),
    ("C", "two stages"): (
        [Kill.boundary("stage:drafted", 2), Kill.server(6)],
        [Kill.server(3)],
    ),
    ("D", "singly"): ([Kill.server(6)],),
}


@pytest.mark.parametrize(("klass", "habit"), SAMPLE)
def test_killed_anywhere_each_document_is_there_once(
    tmp_path: Path, base: Undisturbed, klass: str, habit: str
) -> None:
    lives = SAMPLE[klass, habit]
    world = World(tmp_path / "site", klass, habit, lives, base.pictures, recover=klass in "BD")
    tally = world.live()
    assert not tally.violations, "\n".join(tally.violations)
    meant = [kill for kills in lives for kill in kills if kill.sort in ("boundary", "server")]
    assert tally.kills["boundary"] + tally.kills["server"] == len(meant)
    assert tally.before_answer >= tally.kills["server"] > 0


def test_class_c_without_its_settings_word_asks_instead(tmp_path: Path, base: Undisturbed) -> None:
    lives = ([Kill.boundary("before_send", 3)],)
    world = World(tmp_path / "site", "C", "singly", lives, base.pictures, resend=False)
    tally = world.live()
    assert tally.violations == []
    assert tally.by_hand > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("klass", ["A", "B", "C", "D"])
def test_the_whole_campaign(tmp_path: Path, klass: str) -> None:
    tally = campaign(klass, 120, jobs=2, seed=1, folder=tmp_path)
    assert tally.violations == []
    if klass != "D":
        assert tally.before_answer >= BETWEEN_AT_LEAST

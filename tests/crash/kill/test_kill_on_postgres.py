"""Kill -9 on the real program with its state in PostgreSQL: the same worlds, judged the same way."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.crash.kill.campaign import Kill, Undisturbed, World
from tests.postgres.fixtures import Database

VARIABLE = "TEST_CRASHES_STATE_URL"
STATE = f'state: {{backend: postgres, url: "${{env:{VARIABLE}}}"}}\n'

SAMPLE = {
    ("A", "singly"): (
        [Kill.boundary("state_uncommitted", 5), Kill.server(4), Kill.boundary("state_committed", 7)],
        [Kill.server(3), Kill.boundary("outcome_written", 2)],
    ),
    ("C", "two stages"): (
        [Kill.boundary("stage:drafted", 2), Kill.server(6), Kill.boundary("state_uncommitted", 6)],
        [Kill.server(3), Kill.boundary("state_committed", 3)],
    ),
    ("D", "singly"): ([Kill.boundary("before_send", 5), Kill.server(6)],),
}


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, base: Undisturbed, postgres: Database) -> None:
    monkeypatch.setenv(VARIABLE, postgres.url)


AT_EACH_CHANGE = ("A", "singly")


@pytest.mark.parametrize(
    ("klass", "habit"),
    [pytest.param(*at, marks=[] if at == AT_EACH_CHANGE else [pytest.mark.slow]) for at in SAMPLE],
)
def test_killed_anywhere_each_document_is_there_once(
    tmp_path: Path, base: Undisturbed, klass: str, habit: str
) -> None:
    lives = SAMPLE[klass, habit]
    world = World(tmp_path / "site", klass, habit, lives, base.pictures, recover=klass == "D", state=STATE)
    tally = world.live()
    assert tally.violations == []
    assert tally.kills["boundary"] + tally.kills["server"] == sum(map(len, lives))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_random_times(tmp_path: Path, base: Undisturbed, postgres: Database, seed: int) -> None:
    """Seconds after the start, and after the first write was committed: wherever that falls."""
    chance = random.Random(seed)
    for number in range(5):
        postgres.server.sql("DROP SCHEMA IF EXISTS reconciler_3c9a7b5e1d20 CASCADE", database=postgres.name)
        starts = [Kill.start(chance.uniform(0.3, 2.0)) for _ in range(2)]
        lives = (
            [*starts, Kill.writing(chance.uniform(0.0, 0.5))],
            [Kill.writing(chance.uniform(0.0, 0.3)), Kill.start(chance.uniform(0.3, 2.0))],
        )
        world = World(tmp_path / f"site-{number}", "A", "batches", lives, base.pictures, state=STATE)
        assert world.live().violations == []

"""Ctrl-C once and twice, SIGTERM, two applies at once, and dying where nothing is written to the books."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.testing.killing import Site, a_site
from reconciler.testing.killing_checks import picture, violations
from tests.crash.kill.campaign import APPLY, Undisturbed


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Class A, one document a request, each answer late enough to be in flight for a while."""
    with a_site(tmp_path / "site", "A", "singly", delay_ms=150) as made:
        yield made


def done(site: Site, base: Undisturbed) -> None:
    """One more apply does the rest, and nothing is left."""
    ran = site.run(*APPLY)
    assert ran.code == 0, ran.text
    assert site.run("plan", "--detailed-exitcode").code == 0
    assert violations(site, base.pictures[0]) == []


def signalled(site: Site, *signals: int, pause: float = 0.05) -> Callable[[subprocess.Popen[str]], int]:
    """Signals to a client that has had its first write committed."""

    def during(process: subprocess.Popen[str]) -> int:
        while process.poll() is None and not site.writes():
            time.sleep(0.005)
        for number in signals:
            process.send_signal(number)
            time.sleep(pause)
        return 0

    return during


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_once_it_finishes_what_is_in_flight(site: Site, base: Undisturbed, number: int) -> None:
    ran = site.run(*APPLY, during=signalled(site, number))
    assert ran.code == 8, ran.text
    assert "Stopping: what is in flight is finished first." in ran.err
    assert 0 < len(site.writes()) < base.writes[0]
    assert site.open_intents() == []
    with site.store() as store:
        assert store.lock_info() is None
        known = {row.remote_id for row in store.view().documents.values()}
    assert known == {record.id for record in site.records() if record.reference}
    done(site, base)


def test_asked_twice_it_stops_now_and_the_next_apply_settles(site: Site, base: Undisturbed) -> None:
    ran = site.run(*APPLY, during=signalled(site, signal.SIGINT, signal.SIGINT))
    assert ran.code == 130, ran.text
    assert "Stopping now." in ran.err
    assert site.open_intents() != []
    with site.store() as store:
        assert store.lock_info() is None
    done(site, base)


def test_a_second_apply_is_refused_while_the_first_works(site: Site, base: Undisturbed) -> None:
    refusals = []

    def during(process: subprocess.Popen[str]) -> int:
        while process.poll() is None and not site.writes():
            time.sleep(0.005)
        process.send_signal(signal.SIGSTOP)
        refusals.append(site.run(*APPLY))
        process.send_signal(signal.SIGCONT)
        return 0

    first = site.run(*APPLY, during=during)
    assert first.code == 0, first.text
    assert [ran.code for ran in refusals] == [6], refusals[0].text
    assert "the state is locked by" in refusals[0].err
    assert violations(site, base.pictures[0]) == []


def test_two_applies_started_together_write_everything_once(site: Site, base: Undisturbed) -> None:
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(ran.code for ran in pool.map(lambda _: site.run(*APPLY), range(2)))
    assert codes in ([0, 0], [0, 6])
    assert violations(site, base.pictures[0]) == []


def test_the_lock_of_a_killed_run_is_in_nobodys_way(site: Site, base: Undisturbed) -> None:
    assert site.run(*APPLY, kill_at="outcome_written:3").killed
    with site.store() as store:
        assert store.lock_info() is not None
    done(site, base)


def test_killed_while_planning_nothing_is_written(site: Site, base: Undisturbed) -> None:
    before = picture(site)
    for seconds in (0.5, 0.8, 1.0):
        site.run("plan", during=site.kill_after(seconds))
    planned = site.run("plan", "--detailed-exitcode")
    assert planned.code == 2, planned.text
    assert site.writes() == []
    assert picture(site) == before


def test_killed_while_the_state_is_made_it_is_made_again(site: Site, base: Undisturbed) -> None:
    passed = site.folder.parent / "points"
    assert site.run("plan", trace=passed).code == 0
    points = [line.split()[1] for line in passed.read_text().splitlines()]
    assert "state_uncommitted" in points
    for path in (site.folder / "state").iterdir():
        path.unlink()
    for number in range(1, len(points) + 1):
        site.run("plan", kill_at=f"*:{number}")
    assert site.run("plan", "--detailed-exitcode").code == 2
    with site.store() as store:
        assert store.meta().epoch == 1
    done(site, base)


def test_killed_while_the_state_is_migrated_it_is_migrated_again(site: Site, base: Undisturbed) -> None:
    ran = site.run(*APPLY)
    assert ran.code == 0, ran.text
    place = site.folder / "state" / "crashes.sqlite"
    with closing(sqlite3.connect(place, isolation_level=None)) as old:
        old.execute("ALTER TABLE correction_groups DROP COLUMN proof")
        old.execute("ALTER TABLE runs DROP COLUMN git_commit")
        old.execute("DROP INDEX intents_by_status")
        old.execute("UPDATE schema_version SET version = 1")
    deaths = sum(site.run("plan", kill_at=f"state_uncommitted:{number}").killed for number in (1, 1))
    assert deaths == 2
    migrated = site.run("plan", "--detailed-exitcode")
    assert migrated.code == 0, migrated.text
    assert "The state was migrated from schema 1 to 2" in " ".join(migrated.err.split())
    assert violations(site, base.pictures[0]) == []

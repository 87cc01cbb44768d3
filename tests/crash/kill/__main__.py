"""`python -m tests.crash.kill [--class A] [--kills N] [--jobs N] [--seed N]`: the full campaign, as a table."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reconciler.testing.killing_checks import Picture
from tests.crash.kill.campaign import SHARES, Kill, Tally, World, chains, schedule, undisturbed

CHAIN = 2
HEADINGS = (
    "class", "worlds", "kills", "at points", "by server", "random",
    "commit→response", "commit→recorded", "by hand", "applies", "violations",
)  # fmt: skip


def worlds_of(klass: str, habit: str, kills: int, folder: Path, seed: int) -> list[World]:
    """Worlds with so many kills in all."""
    base = undisturbed(folder / f"{klass}-{habit}-undisturbed", klass, habit)
    first, second = schedule(base, kills, random.Random(f"{seed}{klass}{habit}"))
    return _worlds(klass, habit, folder, base.pictures, chains(first, CHAIN), chains(second, CHAIN), "world")


def _worlds(
    klass: str,
    habit: str,
    folder: Path,
    pictures: tuple[Picture, Picture],
    first: list[list[Kill]],
    second: list[list[Kill]],
    name: str,
) -> list[World]:
    return [
        World(
            folder / f"{klass}-{habit}-{name}-{n}",
            klass,
            habit,
            (first[n] if n < len(first) else [], second[n] if n < len(second) else []),
            pictures,
            recover=n % 2 == 1,
        )
        for n in range(max(len(first), len(second)))
    ]


def missed(worlds: list[World], folder: Path) -> list[World]:
    """Kills that came after their run had ended, each once more and first in its life."""
    again: list[World] = []
    for habit in dict.fromkeys(world.habit for world in worlds):
        of_habit = [world for world in worlds if world.habit == habit]
        lost: tuple[list[list[Kill]], list[list[Kill]]] = ([], [])
        for world in of_habit:
            for phase, kill in world.unreached:
                if kill.sort != "start":
                    lost[phase].append([kill])
        again += _worlds(of_habit[0].klass, habit, folder, of_habit[0].wanted, *lost, "again")
    return again


def campaign(klass: str, kills: int, jobs: int, seed: int, folder: Path) -> Tally:
    """So many kills of one class, over every habit."""
    tally = Tally(klass)
    shares = {habit: kills * share // 20 for habit, share in SHARES.items()}
    with ThreadPoolExecutor(jobs) as pool:
        made = pool.map(lambda habit: worlds_of(klass, habit, shares[habit], folder, seed), shares)
        worlds = [world for some in made for world in some]
        for again in (False, True):
            batch = missed(worlds, folder) if again else worlds
            for done in pool.map(_lived, batch):
                tally.add(done)
    return tally


def _lived(world: World) -> Tally:
    try:
        tally = world.live()
    except Exception as error:  # a harness that fails is no proof of anything
        tally = Tally(world.klass, worlds=1, violations=[f"{world.folder}: {type(error).__name__}: {error}"])
    if not tally.violations:
        shutil.rmtree(world.folder, ignore_errors=True)
    return tally


def row(tally: Tally) -> tuple[str, ...]:
    kills = tally.kills
    return (
        tally.klass,
        str(tally.worlds),
        str(kills.total()),
        str(kills["boundary"]),
        str(kills["server"]),
        str(kills["start"] + kills["writing"]),
        str(tally.before_answer),
        str(tally.after_commit),
        str(tally.by_hand),
        ", ".join(f"{n}: {count}×" for n, count in sorted(tally.applies.items())),
        str(len(tally.violations)),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.kill", description=__doc__)
    parser.add_argument("--class", dest="classes", action="append", choices=list("ABCD"))
    parser.add_argument("--kills", type=int, default=120, help="per class")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    tallies = []
    for klass in options.classes or list("ABCD"):
        began = time.monotonic()
        tallies.append(campaign(klass, options.kills, options.jobs, options.seed, folder))
        print(f"class {klass}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        for line in tallies[-1].violations:
            print(line, file=sys.stderr, flush=True)
    rows = [HEADINGS, *map(row, tallies)]
    widths = [max(len(line[i]) for line in rows) for i in range(len(HEADINGS))]
    for line in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    bad = any(tally.violations for tally in tallies)
    if not bad:
        shutil.rmtree(folder, ignore_errors=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())

"""Killing campaigns: worlds, the kills of their lives, and what came of them.

A world is fresh books and a project that is applied, edited and applied again. Each of the two applies is killed
so often, then run until it is done; then books and state must be those of an undisturbed run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.kernel.canonical import parse_canonical
from reconciler.plan.freezing import thaw_step
from reconciler.providers.operations import Create
from reconciler.testing.killing import Ran, Site, a_site
from reconciler.testing.killing_checks import Picture, picture, violations
from reconciler.testing.killing_project import CONSENT, edit_project

APPLIES_ALLOWED = 2
DELAY_MS = 30
"""Between the server's commit and its answer, so that kills at random times find the gap."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One way to die: at a crash point (`NAME:N`), by the server after its n-th write, or after some seconds."""

    sort: str
    at: str

    @classmethod
    def boundary(cls, name: str, n: int = 1) -> Kill:
        return cls("boundary", f"{name}:{n}")

    @classmethod
    def server(cls, n: int) -> Kill:
        return cls("server", str(n))

    @classmethod
    def start(cls, seconds: float) -> Kill:
        return cls("start", f"{seconds:.3f}")

    @classmethod
    def writing(cls, seconds: float) -> Kill:
        return cls("writing", f"{seconds:.3f}")


@dataclass(slots=True)
class Tally:
    """What a class's kills came to. `after_commit`: after the ERP's commit, before the client had recorded it."""

    klass: str
    worlds: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    before_answer: int = 0
    after_commit: int = 0
    by_hand: int = 0
    applies: Counter[int] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.worlds += other.worlds
        self.kills += other.kills
        self.before_answer += other.before_answer
        self.after_commit += other.after_commit
        self.by_hand += other.by_hand
        self.applies += other.applies
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What the two applies leave when nobody dies, and the crash points they pass."""

    pictures: tuple[Picture, Picture]
    points: tuple[Counter[str], Counter[str]]
    writes: tuple[int, int]


APPLY = ("apply", "--auto-approve")
ARGUMENTS = (APPLY, (*APPLY, *CONSENT))


def undisturbed(folder: Path, klass: str, habit: str) -> Undisturbed:
    """One world without a kill."""
    pictures, points, writes = [], [], []
    with a_site(folder, klass, habit) as site:
        _before(site)
        for phase, arguments in enumerate(ARGUMENTS):
            if phase:
                edit_project(site.folder)
            trace = folder / f"points-{phase}"
            before = site.write_count()
            ran = site.run(*arguments, trace=trace)
            assert ran.code == 0, ran.text
            pictures.append(picture(site))
            assert not violations(site, pictures[-1])
            points.append(Counter(line.split()[1] for line in trace.read_text().splitlines()))
            writes.append(site.write_count() - before)
    return Undisturbed((pictures[0], pictures[1]), (points[0], points[1]), (writes[0], writes[1]))


def _before(site: Site) -> None:
    """Class D wants a person's word that nothing of a lost state is unknown, before it creates."""
    if site.klass == "D":
        ran = site.run("recover", "--confirm-absent")
        assert ran.code == 0, ran.text


@dataclass(slots=True)
class World:
    """One world's life: `lives` are the kills of its first apply, and of its second if it has one.

    `recover`: run `recover` before the applies that finish. `resend`: the connection's word for class C. `state`:
    the line of reconciler.yaml that says where the state is, if not in SQLite.
    """

    folder: Path
    klass: str
    habit: str
    lives: Sequence[Sequence[Kill]]
    wanted: tuple[Picture, Picture]
    recover: bool = False
    resend: bool = True
    state: str = ""
    unreached: list[tuple[int, Kill]] = field(default_factory=list)

    @property
    def asks(self) -> bool:
        """Whether an outcome that looking cannot tell is for a person to say."""
        return self.klass == "D" or (self.klass == "C" and not self.resend)

    def live(self) -> Tally:
        tally = Tally(self.klass, worlds=1)
        with a_site(
            self.folder, self.klass, self.habit, resend=self.resend, delay_ms=DELAY_MS, state=self.state
        ) as site:
            _before(site)
            for phase, (kills, arguments) in enumerate(zip(self.lives, ARGUMENTS, strict=False)):
                if phase:
                    edit_project(site.folder)
                for kill in kills:
                    if not self._die(site, kill, arguments, tally):
                        self.unreached.append((phase, kill))
                self._live_on(site, phase, arguments, tally)
        return tally

    def _die(self, site: Site, kill: Kill, arguments: Sequence[str], tally: Tally) -> bool:
        ran = self._struck(site, kill, arguments)
        if ran.code == 3 and self.asks:
            self._asked(site, ran, kill, tally)
            ran = self._struck(site, kill, arguments)
        if not ran.killed:
            if ran.code != 0:
                tally.violations.append(self._told(kill, f"unexpected end: {ran.text[-2000:]}"))
            return False
        tally.kills[kill.sort] += 1
        before_answer = any(write.between(ran.killed_ns) for write in site.writes(ran.pid))
        tally.before_answer += before_answer
        tally.after_commit += before_answer or unrecorded(site, ran.pid)
        return True

    def _asked(self, site: Site, ran: Ran, where: object, tally: Tally) -> None:
        """What exit 3 asks for is printed as commands; a person looks, and runs them."""
        if "--resolve" not in ran.out + ran.err:
            tally.violations.append(self._told(where, f"exit 3 without its command: {ran.text[-2000:]}"))
        site.settle_by_hand(ran)
        tally.by_hand += 1

    @staticmethod
    def _struck(site: Site, kill: Kill, arguments: Sequence[str]) -> Ran:
        if kill.sort == "boundary":
            return site.run(*arguments, kill_at=kill.at)
        if kill.sort == "server":
            site.client.faults(kill_at=[site.write_count() + int(kill.at)])
            try:
                return site.run(*arguments)
            finally:
                site.client.faults(kill_at=[])
        seconds = float(kill.at)
        return site.run(
            *arguments,
            during=site.kill_while_writing(seconds) if kill.sort == "writing" else site.kill_after(seconds),
        )

    def _live_on(self, site: Site, phase: int, arguments: Sequence[str], tally: Tally) -> None:
        """Recover first, if that is wanted; apply until it is done, and look at what is left."""
        if self.recover:
            ran = site.run("recover")
            if ran.code != 0 and not (ran.code == 3 and self.asks):
                tally.violations.append(self._told(phase, f"recover: {ran.text[-3000:]}"))
        applies = 0
        while applies <= APPLIES_ALLOWED:
            ran = site.run(*arguments)
            applies += 1
            if ran.code == 0:
                break
            if ran.code not in (3, 8):
                tally.violations.append(self._told(phase, f"unexpected end: {ran.text[-3000:]}"))
            if ran.code == 3 and self.asks:
                self._asked(site, ran, phase, tally)
        else:
            tally.violations.append(self._told(phase, f"never done: {ran.text[-3000:]}"))
            return
        tally.applies[applies] += 1
        if applies > APPLIES_ALLOWED:
            tally.violations.append(self._told(phase, f"{applies} applies were needed"))
        planned = site.run("plan", "--detailed-exitcode")
        if planned.code != 0:
            tally.violations.append(self._told(phase, f"the plan is not empty: {planned.text[-3000:]}"))
        tally.violations += [self._told(phase, line) for line in violations(site, self.wanted[phase])]

    def _told(self, where: object, what: str) -> str:
        return f"{self.klass}, {self.habit}, {self.lives}, {where}: {what} [{self.folder}]"


def unrecorded(site: Site, pid: int) -> bool:
    """Whether a create is in the books that the client did not live to record."""
    committed = {part for write in site.writes(pid) for part in write.what.split(",")}
    for row in site.open_intents():
        step = thaw_step(parse_canonical(row.step))
        if isinstance(step.operation, Create) and step.reference in committed:
            return True
    return False


# ---- schedules --------------------------------------------------------------------------------------------

SHARES = {"singly": 10, "batches": 5, "two stages": 3, "as documents": 1, "accepted": 1}
"""Of twenty kills."""


def spread(points: Counter[str], count: int) -> list[Kill]:
    """So many crash points: each name at its first passing, the rest spread evenly over all passings."""
    names = sorted(points)
    firsts = [Kill.boundary(name) for name in names]
    rest = [Kill.boundary(name, n) for name in names for n in range(2, points[name] + 1)]
    more = max(0, count - len(firsts))
    step = max(1, len(rest) // more) if more else 1
    return firsts[:count] + (rest[::step][:more] if more else [])


def schedule(base: Undisturbed, kills: int, chance: random.Random) -> tuple[list[Kill], list[Kill]]:
    """The kills of the first and of the second apply: half by the server, the rest at points and at random."""
    lists = []
    for phase, count in enumerate((kills - kills // 3, kills // 3)):
        server = [Kill.server(n % base.writes[phase] + 1) for n in range((count + 1) // 2)]
        boundary = spread(base.points[phase], (count - len(server)) * 2 // 3)
        rest = max(0, count - len(server) - len(boundary))
        timed = [
            Kill.writing(chance.uniform(0, 0.25)) if n % 3 else Kill.start(chance.uniform(0.1, 1.4))
            for n in range(rest)
        ]
        mixed = [*server, *boundary, *timed]
        chance.shuffle(mixed)
        lists.append(mixed)
    return lists[0], lists[1]


def chains(kills: Iterable[Kill], length: int) -> list[list[Kill]]:
    """Kills of one apply, so many after one another; those that come late in a run go first in their chain."""
    waiting = list(kills)
    return [
        sorted(waiting[start : start + length], key=lambda kill: -_lateness(kill))
        for start in range(0, len(waiting), length)
    ]


def _lateness(kill: Kill) -> int:
    return int(kill.at.rpartition(":")[2]) if kill.sort in ("boundary", "server") else 0

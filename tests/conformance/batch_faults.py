"""Batches that are harmed: killed between the books' commit and the answer, cut, late, lost.

Afterwards every document of the batch is settled, each is in the books once, none was sent twice that the books had
taken, and the plan is empty. A vendor joins with a world, and with what counts the documents in a request.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from reconciler.apply.report import StepOutcome
from reconciler.kernel.errors import ExitCode
from reconciler.providers.capabilities import DeduplicationClass, Verb
from reconciler.state.model import IntentStatus
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import payment, sales
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.suite_faults import FaultRun, Scenario, Undisturbed, behind_a_proxy
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import Hooks, Request, Vocabulary, World

MANY = (9, 5)
"""Invoices of the first apply, and of the second, which also pays."""
DONE_AND_UNANSWERED = (ProxyFault.CUT_AFTER, ProxyFault.LATE_ANSWER, ProxyFault.TRUNCATED, ProxyFault.ERROR_AFTER)
NOT_DONE_YET = (ProxyFault.CUT_BEFORE, ProxyFault.LATE_LANDING)

Sent = Callable[[bytes], Iterable[str]]
"""The amounts of the invoices that one request creates."""


@dataclass(frozen=True, slots=True)
class InBatches:
    """A world whose connection has more keys: batches of a few."""

    world: World
    more: Mapping[str, Any]

    @property
    def words(self) -> Vocabulary:
        return self.world.words

    @property
    def hooks(self) -> Hooks:
        return self.world.hooks

    @property
    def endpoint(self) -> str | None:
        return self.world.endpoint

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        return {**self.world.connection(endpoint), **self.more}

    def environment(self) -> Mapping[str, str]:
        return self.world.environment()

    def under_faults(self) -> Mapping[str, Any]:
        """A batch that lands late takes its time on a busy machine, and has landed by then all the same."""
        return {**self.world.under_faults(), "settle_seconds": 3}

    def is_write(self, request: Request) -> bool:
        return self.world.is_write(request)


def amounts(count: int) -> list[str]:
    """Amounts that tell invoices apart."""
    return [f"{101 + number}.00" for number in range(count)]


def scenario(size: tuple[int, int] = MANY, *, fields: str = "") -> Scenario:
    """A customer with invoices; then some more, and a payment of the first two. `fields`: of each line."""
    few, more = size
    totals = amounts(few + more)
    first, later = sales(*totals[:few]), sales(*totals)
    if fields:
        first, later = (text.replace("{description: ", f"{{{fields}, description: ") for text in (first, later))
    paid = payment("203.00", "INV-<x>-1 101.00", "INV-<x>-2 102.00")
    opened = {f"invoice.INV-<x>-{at}": f"{total} {total}" for at, total in enumerate(totals, 1)}
    after = {
        **opened,
        "invoice.INV-<x>-1": "101.00 0",
        "invoice.INV-<x>-2": "102.00 0",
        "payment.PMT-<x>": "203.00 0",
    }
    before = dict(list(opened.items())[:few])
    return Scenario((ACME + first, ACME + later + paid), (before, after))


@dataclass(slots=True)
class Batches:
    """Runs of the scenario, and what the books were sent in them."""

    run: FaultRun
    log: Any
    sent: Sent
    counts: Undisturbed
    size: tuple[int, int]

    def killed(self, at: int) -> list[str]:
        """By kill -9 of the command line, when the `at`-th write of each apply was done and not yet answered."""
        return self._once(partial(self.run.killed, at, self.counts), f"killed at write {at}")

    def struck(self, fault: ProxyFault, at: int) -> list[str]:
        """By harm to the `at`-th write of each apply.

        What lands late is on its way while the next apply looks; where the books refuse a second one, that may be
        sent, and is refused.
        """
        play = partial(self.run.struck, fault, at, self.counts, of_writes=True)
        if fault is ProxyFault.LATE_LANDING and all(one.enforced for one in self._creates()):
            return play()
        return self._once(play, f"{fault} at write {at}")

    def settled_by_the_next_apply(self, at: int, batch: int) -> list[str]:
        """Killed when the books had taken the `at`-th write, a batch: the next apply knows all its outcomes.

        It sends the books nothing that they have. One connection: no other batch is on its way.
        """
        project = self._alone()
        project.declare(self.run.scenario.manifests[0])
        before = max((row.number for row in self.log), default=0)
        assert self.run.dies(project, at)
        _, _, intents = project.state()
        unknown = {row.key for row in intents if row.status is IntentStatus.OPEN}
        taken = self._taken(before)
        self.run.proxy.arm()
        report = project.apply().report
        assert report is not None
        found = [] if len(unknown) == batch else [f"{len(unknown)} outcomes were open, not {batch}"]
        recovered = Counter(result.outcome for result in report.recovered)
        if recovered != {StepOutcome.DONE: batch} or report.exit_code != ExitCode.OK:
            found.append(f"recovered {dict(recovered)}, exit {report.exit_code}: {report.findings}")
        _, _, intents = project.state()
        found += [f"{row.key} is {row.status}" for row in intents if not row.status.settled]
        if twice := taken & (self._taken(before) - taken):
            found.append(f"sent again: {_words(twice)}")
        return [*found, *self.run.checked(project, 0)]

    def _alone(self) -> SuiteProject:
        world = self.run.world
        self.run.world = InBatches(world, {"connections": 1})
        try:
            return self.run.project()
        finally:
            self.run.world = world

    def _taken(self, before: int) -> Counter[Decimal]:
        rows = [row for row in self.log if row.number > before and row.status == 200]
        return Counter(Decimal(total) for row in rows for total in self.sent(row.body))

    def _creates(self) -> list[DeduplicationClass]:
        return [self.run.capabilities.kind(kind).verb(Verb.CREATE).deduplication for kind in ("invoice", "payment")]

    def _once(self, play: Callable[[], list[str]], what: str) -> list[str]:
        """The scenario, and then: each invoice was sent to the books in one request, and in no other."""
        before = max((row.number for row in self.log), default=0)
        problems = play()
        wanted = Counter(Decimal(total) for total in amounts(sum(self.size)))
        found = self._taken(before)
        if found != wanted:
            more, less = found - wanted, wanted - found
            problems.append(f"{what}: sent again: {_words(more)}; never sent: {_words(less)}")
        return problems


def _words(counted: Counter[Decimal]) -> str:
    return ", ".join(str(total) for total in sorted(counted)) or "none"


@contextmanager
def batches(
    world: World,
    folder: Path,
    log: Any,
    sent: Sent,
    *,
    size: tuple[int, int] = MANY,
    fields: str = "",
    **more: Any,
) -> Iterator[Batches]:
    """The scenario undisturbed once, to know its writes. `more`: keys of the connection that make batches small."""
    with behind_a_proxy(InBatches(world, more), folder) as run:
        run.scenario = scenario(size, fields=fields)
        counts = run.undisturbed()
        yield Batches(run, log, sent, counts, size)

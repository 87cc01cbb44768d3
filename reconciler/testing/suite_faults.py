"""The suite's scenario under faults: one exchange harmed, or the process killed; then applied until it is done.

Afterwards every document is in the books once, none is forgotten, the plan is empty and the money adds up. What an
ERP's guarantees do not allow to go on with is asked of a person, with the command that settles it.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from reconciler.apply.report import ApplyReport, StepOutcome, StepResult
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import parse_instant
from reconciler.kernel.errors import ExitCode, ReconcilerError
from reconciler.plan.freezing import thaw_step
from reconciler.providers.capabilities import AllocateAt, Capabilities, DeduplicationClass, Verb
from reconciler.providers.operations import Create
from reconciler.resources.kinds import Content
from reconciler.state.model import IntentRow
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import credit, payment, sales
from reconciler.testing.fault_proxy import FaultProxy, ProxyFault
from reconciler.testing.suite_checks import DOCUMENTS, Look, once, state_equals_live, unfinished, worth
from reconciler.testing.suite_project import SuiteProject
from reconciler.testing.world import World

APPLIES_ALLOWED = 4
"""After the one that was harmed."""
LONGEST_RUN = 180
LONGEST_WAIT = 90
"""Seconds for what was cut off to land or never to."""
COMMAND = re.compile(r"recover --resolve (\S+) --as created:ID\|absent")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Two desired states, and what the documents are worth after each."""

    manifests: tuple[str, str]
    worth: tuple[dict[str, str], dict[str, str]]


def scenario_for(capabilities: Capabilities) -> Scenario:
    """A customer, two invoices, a payment that settles one, a credit note applied to the other; then the rest of
    the payment is allocated, or paid anew where nothing can be allocated later."""
    bills = ACME + sales("100.00", "50.00")
    after = {"invoice.INV-<x>-1": "100 0", "invoice.INV-<x>-2": "50 50", "payment.PMT-<x>": "120 20"}
    notes = capabilities.kind("credit_note")
    if notes.can(Verb.CREATE) and notes.allocate:
        bills += credit("30.00", "INV-<x>-2 30.00")
        after |= {"credit_note.CN-<x>": "30 0", "invoice.INV-<x>-2": "50 20"}
    left = {"invoice.INV-<x>-2": f"50 {after['invoice.INV-<x>-2'].split()[1]}"}
    rest = int(left["invoice.INV-<x>-2"].split()[1]) - 20
    paid = payment("120.00", "INV-<x>-1 100.00")
    if capabilities.kind("payment").allocate & {AllocateAt.LATER, AllocateAt.LATER_AS_DOCUMENT}:
        more = payment("120.00", "INV-<x>-1 100.00", "INV-<x>-2 20.00")
        then = {**after, "payment.PMT-<x>": "120 0", "invoice.INV-<x>-2": f"50 {rest}"}
    else:
        more = paid + payment("20.00", "INV-<x>-2 20.00", name="PMT-<x>-2").removeprefix("payments:\n")
        then = {**after, "payment.PMT-<x>-2": "20 0", "invoice.INV-<x>-2": f"50 {rest}"}
    return Scenario((bills + paid, bills + more), (after, then))


@dataclass(slots=True)
class Undisturbed:
    """What the two applies cost when nothing goes wrong: requests, and writes among them."""

    requests: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class FaultRun:
    """A world behind a proxy, and the scenario played on it again and again, each time with names of its own."""

    world: World
    folder: Path
    proxy: FaultProxy
    scenario: Scenario
    capabilities: Capabilities
    projects: int = 0
    resends: bool = True
    """Whether the connection says `resend_after_settle: true`."""
    asked: int = 0
    """How often a person had to look."""
    strikes: Counter[ProxyFault] = field(default_factory=Counter)
    """How many exchanges were harmed."""

    def project(self) -> SuiteProject:
        self.projects += 1
        more = {**self.world.under_faults(), "resend_after_settle": "true" if self.resends else "false"}
        project = SuiteProject(self.folder / f"project-{self.projects}", self.world, self.proxy.url, more)
        project.begin()
        return project

    @property
    def classes(self) -> set[DeduplicationClass]:
        """The classes of what the scenario creates and allocates."""
        kinds = [self.capabilities.kind(kind) for kind in ("customer", *DOCUMENTS)]
        verbs = (Verb.CREATE, Verb.ALLOCATE)
        return {kind.verb(verb).deduplication for kind in kinds for verb in verbs if kind.can(verb)}

    @property
    def asks(self) -> bool:
        """Whether what looking cannot tell is for a person to say."""
        return DeduplicationClass.D in self.classes or (DeduplicationClass.C in self.classes and not self.resends)

    @property
    def settle(self) -> int:
        """Seconds after which nothing lands any more."""
        kinds = [self.capabilities.kind(kind) for kind in ("customer", *DOCUMENTS)]
        return max(kind.verb(verb).settle_seconds or 0 for kind in kinds for verb in kind.verbs)

    def excluded(self, fault: ProxyFault) -> str:
        """Why a fault would break what the ERP itself promises; '' where it may happen."""
        if all(one.enforced for one in self.classes):
            return ""
        if fault is ProxyFault.UNAVAILABLE_AFTER:
            return (
                "a 503 that was carried out breaks the promise of class C and D that 503 is refused before any work"
            )
        return ""

    # ---- playing --------------------------------------------------------------------------------------

    def undisturbed(self) -> Undisturbed:
        found = Undisturbed()
        project = self.project()
        for phase in (0, 1):
            project.declare(self.scenario.manifests[phase])
            self.proxy.arm()
            applied = project.apply()
            assert applied.report is not None
            assert applied.report.exit_code == ExitCode.OK, _words(applied.report)
            found.requests.append(self.proxy.watch.requests)
            found.writes.append(self.proxy.watch.writes)
            problems = self.checked(project, phase)
            assert not problems, "\n".join(problems)
        return found

    def struck(self, fault: ProxyFault, at: int, counts: Undisturbed, *, of_writes: bool = False) -> list[str]:
        """The scenario with the `at`-th request (or write) of each apply harmed; what is wrong afterwards."""
        project = self.project()
        for phase in (0, 1):
            project.declare(self.scenario.manifests[phase])
            if at <= (counts.writes if of_writes else counts.requests)[phase]:
                self.proxy.arm(fault, at, of_writes=of_writes)
                self._harmed(project)
                self.strikes[fault] += self.proxy.watch.struck
            problems = self._converged(project, phase)
            if problems:
                return [f"{fault} at request {at}, apply {phase + 1}: {line}" for line in problems]
        return []

    def killed(self, at: int, counts: Undisturbed) -> list[str]:
        """The scenario by the command line, killed when the `at`-th write of each apply was done, unanswered."""
        project = self.project()
        for phase in (0, 1):
            project.declare(self.scenario.manifests[phase])
            if at <= counts.writes[phase] and not self.dies(project, at):
                return [f"write {at} of apply {phase + 1} never came"]
            problems = self._converged(project, phase)
            if problems:
                return [f"killed at write {at}, apply {phase + 1}: {line}" for line in problems]
        return []

    def _harmed(self, project: SuiteProject) -> None:
        try:
            applied = project.apply()
        except ReconcilerError:
            return  # it said so, and wrote nothing that the state does not know of
        if applied.report is not None and applied.report.exit_code == ExitCode.UNKNOWN:
            commands = _commands(applied.report)
            assert all("recover" in command for command in commands), f"exit 3 without a command: {applied.report}"

    def dies(self, project: SuiteProject, at: int) -> bool:
        """Apply by the command line, killed when the `at`-th write was done, unanswered; False: it never came."""
        command = [sys.executable, "-m", "reconciler", "--chdir", str(project.folder), "apply", "--auto-approve"]
        self.proxy.arm()
        process = subprocess.Popen(
            command,
            env={**os.environ, **self.world.environment()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

        def kill(write: int) -> None:
            if write == at:
                process.kill()
                process.wait()

        self.proxy.on_write = kill
        try:
            process.communicate(timeout=LONGEST_RUN)
        finally:
            self.proxy.on_write = None
            process.kill()
            process.wait()
        return process.returncode == -9

    # ---- until it is done -----------------------------------------------------------------------------

    def _converged(self, project: SuiteProject, phase: int) -> list[str]:
        """Applied without faults until it is done; then what is wrong."""
        self.proxy.arm()
        report = None
        for _ in range(APPLIES_ALLOWED):
            report = project.apply().report
            assert report is not None
            if report.exit_code == ExitCode.OK:
                break
            if report.exit_code == ExitCode.UNKNOWN:
                self._ask(project, report)
        self.proxy.drain()
        if report is None or report.exit_code != ExitCode.OK:
            return [f"not done after {APPLIES_ALLOWED} more applies: {_words(report)}"]
        return self.checked(project, phase)

    def checked(self, project: SuiteProject, phase: int) -> list[str]:
        again = project.apply()
        problems = unfinished(again.plan)
        if project.sent or (again.report and again.report.exit_code != ExitCode.OK):
            problems.append(f"a further apply sent {project.sent} writes: {_words(again.report)}")
        look = Look.at(project)
        return [*problems, *state_equals_live(look), *once(look), *worth(look, self.scenario.worth[phase])]

    def _ask(self, project: SuiteProject, report: ApplyReport) -> None:
        """Wait until nothing can land any more; in class D a person looks, and says what she found."""
        keys = set(COMMAND.findall("\n".join(_commands(report))))
        assert keys or not self.asks, f"exit 3 without its command: {report}"
        self.proxy.drain()
        view, _, intents = project.state()
        last = max((parse_instant(row.not_after) for row in view.unsettled), default=project.clock.now())
        wait = (last - project.clock.now()).total_seconds() + self.settle + 1
        time.sleep(min(max(wait, 1), LONGEST_WAIT))
        if not self.asks:
            return
        for row in intents:
            if row.key in keys and not row.status.settled:
                self.asked += 1
                self._look(project, row)

    def _look(self, project: SuiteProject, row: IntentRow) -> None:
        """What a person sees in the books: a record of this customer and this amount that nobody has recorded."""
        step = thaw_step(parse_canonical(row.step))
        _, rows, _ = project.state()
        bound = {(one.kind, one.remote_id) for one in rows.values()}
        word = "absent"
        if isinstance(step.operation, Create):
            content = step.operation.content
            for place, one in project.live([step.operation.kind]).items():
                if place not in bound and _same(one.content(), content):
                    word = f"created:{one.remote_id}"
        for _ in range(20):
            try:
                project.recover(row.key, word)
                return
            except ReconcilerError as error:
                if "may still land until" not in str(error):
                    raise
                time.sleep(0.5)


def _same(stored: Content, asked: Content) -> bool:
    """Whether two contents look the same to a person: name or customer, amount, prices of the lines."""
    return _looks(stored) == _looks(asked)


def _looks(content: Content) -> list[object]:
    amounts = [content.get("amount"), *(line.get("unit_price") for line in content.get("lines", ()))]
    return [content.get("customer") or content.get("name"), *(Decimal(str(amount or 0)) for amount in amounts)]


def _commands(report: ApplyReport) -> list[str]:
    """What each outcome that is unknown says will settle it."""
    results: tuple[StepResult, ...] = (*report.results, *report.recovered)
    return [result.command for result in results if result.outcome is StepOutcome.UNKNOWN]


def _words(report: ApplyReport | None) -> str:
    if report is None:
        return "nothing was applied"
    results = [f"{item.step_id}: {item.outcome} {item.message}" for item in (*report.recovered, *report.results)]
    return "; ".join([f"exit {int(report.exit_code)}", *results, *(str(item) for item in report.findings)])


def positions(total: int, wanted: int, seed: str) -> list[int]:
    """All of `total` positions, or a sample that the seed decides: the same every time."""
    every = range(1, total + 1)
    return list(every) if wanted >= total else sorted(random.Random(seed).sample(every, wanted))


@contextmanager
def behind_a_proxy(world: World, folder: Path) -> Iterator[FaultRun]:
    """A world with a proxy before it; the provider is asked once what it can do."""
    assert world.endpoint is not None
    patience = int(world.under_faults().get("timeout_seconds", 1))
    with FaultProxy(world.endpoint, world.is_write, patience) as proxy:
        probe = SuiteProject(folder / "probe", world, more=world.under_faults())
        capabilities = probe.capabilities()
        run = FaultRun(world, folder, proxy, scenario_for(capabilities), capabilities)
        if not all(one.enforced for one in run.classes):
            proxy.oldest = run.settle
        yield run

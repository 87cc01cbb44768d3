"""Random plans in random worlds: every class, batches, workers, faults, late landings, stops and deaths.

Each seed is one world. While faults are on, anything may go wrong; then they are turned off. The invariants:
nothing is written twice, nothing is written that the plan does not hold, and with faults off the plan ends.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.apply.settings import ApplySettings
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.errors import ExitCode, PlanRefused
from reconciler.plan.model import Plan, Step
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.operations import Create
from reconciler.providers.protocol import ExecuteRequest
from reconciler.state.history import verify_history
from reconciler.workflows.recovering import RecoverRequest
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.test_crashing import created_as
from tests.unit.apply.world import (
    Crash,
    Dead,
    Watcher,
    World,
    allocation,
    customer,
    invoice,
    payment,
    plan_of,
)

FAULTS = [
    Fate.LOST_REQUEST, Fate.LOST_RESPONSE, Fate.LATE, Fate.REJECTED, Fate.STALE, Fate.UNAVAILABLE, Fate.ODD,
    Fate.ACCEPTED, Fate.LEFT_OUT, Fate.HALF, Fate.ACCEPTED_AND_REFUSED, Fate.FORGOT_ID,
]  # fmt: skip


def random_plan(dice: random.Random) -> Plan:
    """Customers, their invoices and payments, and what settles what."""
    steps: list[Step] = []
    for c in range(dice.randint(1, 3)):
        buyer = customer(f"c{c}")
        steps.append(buyer)
        bills = [invoice(f"I{c}-{n}", str(dice.randint(50, 500)), buyer) for n in range(dice.randint(0, 4))]
        steps.extend(bills)
        if bills:
            paid = payment(f"P{c}", "1000", buyer)
            steps.append(paid)
            steps.extend(allocation(paid, bill, str(dice.randint(1, 50))) for bill in dice.sample(bills, k=1))
    return plan_of(*steps)


class Life:
    """One world under one seed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.klass = self.dice.choice(list(DeduplicationClass))
        self.world = World(folder, self.klass, resend=self.dice.random() < 0.7)
        self.world.recover(RecoverRequest(confirm_absent=True))
        self.plan = random_plan(self.dice)
        self.habits: dict[str, object] = {
            "batch_size": self.dice.choice([1, 1, 3, 10]),
            "batch_atomic": self.dice.random() < 0.3,
            "concurrency": self.dice.choice([1, 1, 4]),
            "two_stage": self.dice.random() < 0.4,
            "tells": self.dice.random() < 0.5,
            "settle": self.dice.choice([0, 30, 100]),
            "late_by": 5,
            "lag": 0,
            "batch_searched": self.dice.random() < 0.5,
        }
        self.settings = ApplySettings(settle_patience=0, poll_deadline=20)

    def provider(self, *, faults: bool) -> FakeProvider:
        provider = FakeProvider(self.world.erp, **self.habits)  # type: ignore[arg-type]
        rate = self.dice.choice([0.1, 0.3, 0.6]) if faults else 0

        def fate(request: ExecuteRequest) -> Fate:
            if self.dice.random() >= rate:
                return Fate.FINE
            chosen = self.dice.choice(FAULTS)
            if chosen is Fate.HALF and not (
                isinstance(request.operation, Create) and request.number and provider.two_stage
            ):
                return Fate.LOST_RESPONSE
            if chosen is Fate.HALF and dict(request.stages):
                return Fate.FINE
            return chosen

        provider.fate = fate
        return provider

    def one_apply(self, *, faults: bool) -> bool:
        """One life of the process; whether the plan is finished."""
        watcher = Watcher(die_at=self.dice.randint(1, 60) if faults and self.dice.random() < 0.5 else 0)
        stop = StopSignal()
        if faults and self.dice.random() < 0.2:
            ends = self.dice.randint(3, 40)
            watcher.then = lambda name, step_id: stop.request_stop() if len(watcher.passed) == ends else None
        try:
            report = self.world.apply(
                self.plan, self.provider(faults=faults), watcher=watcher, stop=stop, settings=self.settings
            )
        except (Crash, Dead):
            return False
        except PlanRefused as refused:
            if "in full" not in refused.what:
                raise
            return True
        return report.exit_code is ExitCode.OK

    def settle_by_hand(self) -> None:
        self.world.erp.land_what_is_due()
        self.world.recover(None, self.provider(faults=False), settings=self.settings)
        for row in self.world.state().unsettled:
            found = created_as(self.world, row)
            word = f"created:{found}" if found else "absent"
            self.world.recover(RecoverRequest(row.key, word), self.provider(faults=False), settings=self.settings)

    def run(self) -> int:
        for _ in range(self.dice.randint(1, 4)):
            done = self.one_apply(faults=True)
            self.nothing_twice()
            self.world.clock.advance(self.dice.choice([61, 70, 500]))
            if done:
                break
        lives = 0
        while not self.one_apply(faults=False):
            lives += 1
            assert lives < 6
            self.world.clock.advance(500)
            self.settle_by_hand()
        return lives

    # ---- invariants -----------------------------------------------------------------------------------

    def nothing_twice(self) -> None:
        doubled = [commit for commit, count in Counter(self.world.erp.commits).items() if count > 1]
        assert not doubled
        planned = {step.reference for step in self.plan.steps}
        assert {mark for verb, mark in self.world.erp.commits if verb == "create"} <= planned

    def all_there(self) -> None:
        self.world.erp.land_what_is_due(everything=True)
        self.nothing_twice()
        state = self.world.state()
        creates = [step for step in self.plan.steps if isinstance(step.operation, Create)]
        assert len(self.world.erp.records) == len(creates)
        for step in creates:
            record = self.world.erp.records[state.documents[step.document_id].remote_id]
            assert record.phase in ("active", "posted")
            assert record.number == step.number
        for (source, target), amount in state.allocations.items():
            record = self.world.erp.records[state.documents[source].remote_id]
            settled = state.documents[target]
            assert record.allocations[settled.kind, settled.remote_id] == Decimal(amount)
        assert len(state.allocations) == len(self.plan.steps) - len(creates)
        assert not state.unsettled
        assert self.world.look(verify_history) == []


@pytest.mark.parametrize("block", range(6))
def test_random_worlds(block: int):
    worlds(range(block * 25, block * 25 + 25))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_many_random_worlds(block: int):
    worlds(range(10_000 + block * 200, 10_000 + block * 200 + 200))


def worlds(seeds: range) -> None:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    for seed in seeds:
        with TemporaryDirectory(dir=memory, prefix="reconciler-test-") as folder:
            life = Life(Path(folder), seed)
            try:
                life.run()
                life.all_there()
            except BaseException as error:
                error.add_note(f"seed {seed}: class {life.klass}, {life.habits}")
                raise


def test_the_same_seed_is_the_same_plan():
    assert random_plan(random.Random(7)) == random_plan(random.Random(7))
    assert replace(random_plan(random.Random(7)), head="x") != random_plan(random.Random(7))
    assert StepOutcome.DONE

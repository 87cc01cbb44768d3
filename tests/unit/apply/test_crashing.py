"""Dying at every boundary, in every class, with the request lost, the answer lost, or the landing late.

For each boundary an undisturbed run passes, the process dies there and leaves its lock behind. New lives follow,
the first while a late request is still under way. Each document must be there once, none forgotten, and the
state must know it. Where a class cannot know, it must say so, and a person who looks must be able to settle it.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.apply.report import ApplyReport, StepOutcome
from reconciler.kernel.errors import ExitCode, PlanRefused
from reconciler.plan.model import Plan
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.operations import Allocate, Create
from reconciler.state.history import verify_history
from reconciler.state.model import IntentRow
from reconciler.workflows.recovering import RecoverRequest
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.world import Crash, Dead, Watcher, World, correction, customer, invoice, plan_of, six_steps

A, B, C, D = DeduplicationClass
PLANS: dict[str, Callable[[], Plan]] = {"six steps": six_steps, "correction": correction}
LATE_BY = 90
HABITS: dict[str, dict[str, object]] = {
    "plain": {},
    "two stages": {"two_stage": True},
    "batches": {"batch_size": 3},
    "searched batches": {"batch_size": 3, "batch_searched": True},
    "accepted": {"fate": lambda request: Fate.ACCEPTED, "polls": 2},
}


def new_world(folder: Path, klass: DeduplicationClass, *, resend: bool = True) -> World:
    folder.mkdir()
    world = World(folder, klass, resend=resend)
    if klass is D:
        world.recover(RecoverRequest(confirm_absent=True))
    return world


def provider(world: World, habits: dict[str, object]) -> FakeProvider:
    return FakeProvider(world.erp, settle=100, **habits)  # type: ignore[arg-type]


def boundaries(folder: Path, klass: DeduplicationClass, plan: Plan, habits: dict[str, object]) -> list[str]:
    """What an undisturbed run passes."""
    world, watcher = new_world(folder, klass), Watcher()
    report = world.apply(plan, provider(world, habits), watcher=watcher)
    assert report.exit_code is ExitCode.OK
    all_there(world, plan)
    return watcher.names


def die(world: World, plan: Plan, at: int, habits: dict[str, object], *, late: bool) -> str:
    """One life that ends at the `at`-th boundary; returns its name."""
    watcher = Watcher(die_at=at)
    if late:

        def left_behind() -> None:
            request = world.erp.executed[-1]
            due = world.clock.now() + timedelta(seconds=LATE_BY)
            world.erp.late.append((due, lambda: world.erp.land(request) and None))

        watcher.left_behind = left_behind
    with pytest.raises((Crash, Dead)):
        world.apply(plan, provider(world, habits), watcher=watcher)
    return watcher.names[-1]


def live_on(world: World, plan: Plan, habits: dict[str, object]) -> int:
    """Lives until all is done; how many it took. The first one begins as soon as the lock has run out."""
    for life in range(1, 8):
        world.clock.advance(61 if life == 1 else 200)
        try:
            report = world.apply(plan, provider(world, habits))
        except PlanRefused as refused:
            if "in full" not in refused.what:
                raise
            return life
        if report.exit_code is ExitCode.OK:
            return life
        assert world.klass in (C, D), report
        assert report.exit_code is ExitCode.UNKNOWN
        settle_by_hand(world, report, habits)
    raise AssertionError("it never ended")


def settle_by_hand(world: World, report: ApplyReport, habits: dict[str, object]) -> None:
    """What a person does who is told to: looks into the books, and says what is there."""
    told = [row for row in report.recovered if row.outcome is StepOutcome.UNKNOWN and "--resolve" in row.command]
    if not told:
        return
    world.clock.advance(200)
    world.erp.land_what_is_due()
    world.recover(None, provider(world, habits))
    for row in world.state().unsettled:
        assert any(row.key in result.command for result in told)
        found = created_as(world, row)
        word = f"created:{found}" if found else "absent"
        world.recover(RecoverRequest(resolve=row.key, word=word), provider(world, habits))


def created_as(world: World, row: IntentRow) -> str | None:
    request = next((one for one in world.erp.executed if one.key == row.key), None)
    if request is None or not isinstance(request.operation, Create):
        return None
    landed = ("create", request.reference)
    if landed not in world.erp.commits:
        return None
    return f"{request.operation.kind}-{world.erp.commits.index(landed) + 1}"


def all_there(world: World, plan: Plan) -> None:
    """Every document is in the books once, and in the state under the id it has."""
    world.erp.land_what_is_due(everything=True)
    assert not [commit for commit, count in Counter(world.erp.commits).items() if count > 1]
    state = world.state()
    for step in plan.steps:
        row = state.documents[step.document_id]
        record = world.erp.records[row.remote_id]
        if isinstance(step.operation, Create):
            assert record.phase in ("active", "posted")
            assert record.kind == step.operation.kind
            assert step.address in state.bindings
        if isinstance(step.operation, Allocate):
            target = step.effect.target_document or ""
            assert Decimal(state.allocations[step.document_id, target]) == step.operation.amount
            settled = state.documents[target]
            assert record.allocations[settled.kind, settled.remote_id] == step.operation.amount
    assert len(world.erp.records) == sum(isinstance(step.operation, Create) for step in plan.steps)
    assert not state.unsettled
    assert not state.groups
    assert world.look(verify_history) == []


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: these tests make thousands of durable commits."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory, prefix="reconciler-test-") as made:
        yield Path(made)


COMMON = {"locked", "recovered", "checked", "intent_written", "before_send", "after_send", "outcome_written"}
COMMON |= {"erp: on the way in", "erp: on the way out", "run_finished", "unlocked"}
WITHIN = ("stage:", "erp:", "before_send", "after_send")


def every_death(
    folder: Path, plan: Plan, klass: DeduplicationClass, habit: str, *, late: bool, only: str = ""
) -> set[str]:
    """Die at every boundary (of those that begin with one of `only`), live on, check; returns where it died."""
    habits = HABITS[habit]
    passed = boundaries(folder / "undisturbed", klass, plan, habits)
    died: set[str] = set()
    for at, name in enumerate(passed, 1):
        if only and not name.startswith(WITHIN):
            continue
        world = new_world(folder / str(at), klass)
        died.add(die(world, plan, at, habits, late=late))
        lives = live_on(world, plan, habits)
        all_there(world, plan)
        if klass.enforced:
            assert lives == 1, f"died at {name}, the {at}th"
    return died


@pytest.mark.parametrize(
    ("name", "klass", "late"),
    [
        pytest.param(
            name,
            klass,
            late,
            id=f"{name}-{klass}-{'late' if late else 'lost'}",
            marks=[] if late == (name == "correction") else [pytest.mark.slow],
        )
        for name in PLANS
        for klass in DeduplicationClass
        for late in (False, True)
    ],
)
def test_dying_anywhere_doubles_nothing_and_forgets_nothing(
    folder: Path, name: str, klass: DeduplicationClass, late: bool
):
    assert every_death(folder, PLANS[name](), klass, "plain", late=late) >= COMMON


@pytest.mark.parametrize(
    ("klass", "late"),
    [
        pytest.param(
            klass,
            late,
            id=f"{klass}-{'late' if late else 'lost'}",
            marks=[] if late == (klass in (B, C)) else [pytest.mark.slow],
        )
        for klass in DeduplicationClass
        for late in (False, True)
    ],
)
def test_dying_between_the_calls_of_one_operation(folder: Path, klass: DeduplicationClass, late: bool):
    died = every_death(folder, six_steps(), klass, "two stages", late=late, only="within")
    assert {"stage:created", "erp: between the stages", "erp: after the post"} <= died


@pytest.mark.parametrize("late", [False, True], ids=["lost", "late"])
@pytest.mark.parametrize("klass", [A, B])
def test_dying_in_a_batch(folder: Path, klass: DeduplicationClass, late: bool):
    plan = plan_of(acme := customer("acme"), *(invoice(f"INV-{n}", str(n), acme) for n in range(1, 6)))
    assert every_death(folder, plan, klass, "batches", late=late) >= COMMON


@pytest.mark.parametrize("late", [False, True], ids=["lost", "late"])
def test_dying_in_a_batch_of_what_is_only_searched(folder: Path, late: bool):
    plan = plan_of(acme := customer("acme"), *(invoice(f"INV-{n}", str(n), acme) for n in range(1, 6)))
    assert every_death(folder, plan, C, "searched batches", late=late) >= COMMON


@pytest.mark.parametrize(
    "klass", [B, C, pytest.param(A, marks=pytest.mark.slow), pytest.param(D, marks=pytest.mark.slow)]
)
def test_dying_while_something_accepted_is_polled(folder: Path, klass: DeduplicationClass):
    """The handle is durable: the next life polls it, and nothing is sent twice."""
    died = every_death(folder, six_steps(), klass, "accepted", late=False)
    assert {"stage:accepted", "erp: polling"} <= died


@pytest.mark.parametrize(
    "klass", [A, D, pytest.param(B, marks=pytest.mark.slow), pytest.param(C, marks=pytest.mark.slow)]
)
def test_dying_again_while_recovering(folder: Path, klass: DeduplicationClass):
    """Every boundary of the life after each death between the books and the answer."""
    plan = six_steps()
    passed = boundaries(folder / "undisturbed", klass, plan, {})
    firsts = [at for at, name in enumerate(passed, 1) if name == "erp: on the way out"]
    pairs = 0
    for first in (firsts[1], firsts[4]):
        for second in range(1, 100):
            world = new_world(folder / f"{first}-{second}", klass)
            die(world, plan, first, {}, late=False)
            world.clock.advance(61)
            watcher = Watcher(die_at=second)
            try:
                world.apply(plan, provider(world, {}), watcher=watcher)
            except (Crash, Dead):
                pairs += 1
            else:
                break
            live_on(world, plan, {})
            all_there(world, plan)
    assert pairs >= 30


@pytest.mark.slow
@pytest.mark.parametrize("klass", list(DeduplicationClass))
@pytest.mark.parametrize("name", list(PLANS))
def test_dying_twice_anywhere(folder: Path, name: str, klass: DeduplicationClass):
    """Every pair of boundaries in two successive lives."""
    plan = PLANS[name]()
    passed = boundaries(folder / "undisturbed", klass, plan, {})
    for first in range(1, len(passed) + 1):
        for second in range(1, 100):
            world = new_world(folder / f"{first}-{second}", klass)
            die(world, plan, first, {}, late=True)
            world.clock.advance(61)
            try:
                world.apply(plan, provider(world, {}), watcher=Watcher(die_at=second))
            except (Crash, Dead):
                live_on(world, plan, {})
                all_there(world, plan)
                shutil.rmtree(world.folder)
            except PlanRefused:
                break
            else:
                break

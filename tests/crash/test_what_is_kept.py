"""What must be kept for a request to be settled rightly: its settle window, its stages, its handle; and the lock.

Each of these was a planted bug (`tests/mutants`) that nothing else noticed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.apply.books import open_books
from reconciler.apply.journal import Journal
from reconciler.apply.leasing import LeaseKeeper
from reconciler.apply.pacing import Pace
from reconciler.apply.report import NoEvents, StepOutcome
from reconciler.apply.sending import Sender
from reconciler.apply.settings import ApplySettings
from reconciler.apply.tasks import Task
from reconciler.kernel.errors import FenceLost
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.workflows.recovering import RecoverRequest
from reconciler.workflows.session import Session
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.world import Crash, Dead, Watcher, World, invoice, plan_of

A, B, C, D = DeduplicationClass
PLAN = plan_of(invoice("INV-1", "100", "customer-1"))


def world_of(folder: Path, klass: DeduplicationClass) -> World:
    world = World(folder, klass, resend=True)
    world.recover(RecoverRequest(confirm_absent=True))
    return world


def die(world: World, at: str, provider: FakeProvider) -> None:
    with pytest.raises((Crash, Dead)):
        world.apply(PLAN, provider, watcher=Watcher(die_in=at))
    world.clock.advance(61)


def test_absence_counts_only_when_the_settle_window_is_over(tmp_path: Path) -> None:
    world = world_of(tmp_path, C)
    world.apply(PLAN, FakeProvider(world.erp, fate=lambda request: Fate.LOST_REQUEST, settle=30))
    for seconds, outcome in ((20, StepOutcome.UNKNOWN), (20, StepOutcome.UNKNOWN), (20, StepOutcome.ABSENT)):
        world.clock.advance(seconds)
        [settled] = world.recover(None, FakeProvider(world.erp, settle=30)).recovered
        assert settled.outcome is outcome


def test_a_request_that_was_accepted_is_polled_again_by_the_next_run(tmp_path: Path) -> None:
    """In class D there is no other way to learn of it."""
    world = world_of(tmp_path, D)
    die(world, "stage:accepted", FakeProvider(world.erp, fate=lambda request: Fate.ACCEPTED, polls=3))
    [settled] = world.recover(None, FakeProvider(world.erp)).recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")
    assert len(world.erp.commits) == 1


def test_a_draft_that_only_its_own_request_can_finish_is_finished_by_its_stages(tmp_path: Path) -> None:
    world = world_of(tmp_path, A)
    habits = {"two_stage": True, "can_post": False}
    die(world, "stage:created", FakeProvider(world.erp, **habits))
    [settled] = world.recover(None, FakeProvider(world.erp, **habits)).recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")
    [record] = world.erp.records.values()
    assert record.phase == "posted"
    assert [dict(request.stages) for request in world.erp.executed] == [{}, {"created": {"id": "invoice-1"}}]


class LostLease(LeaseKeeper):
    """A keeper that has found out, in the background, that somebody else holds the lock."""

    def ensure(self, seconds: int) -> None:
        raise FenceLost("taken over")


def test_a_run_that_lost_its_lock_after_its_intent_was_written_sends_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)

    def send(session: Session) -> None:
        books = open_books({"books": session.provider("books")})["books"]
        keeper = LostLease(session.store.acquire(holder="it", command="apply", term_seconds=60), 60)
        journal = Journal(session.store, keeper, world.clock, run_id="run")
        pace = Pace(0, world.clock)
        sender = Sender(books, journal, keeper, pace, world.clock, NoEvents(), ApplySettings())
        with pytest.raises(FenceLost):
            sender.send([Task(PLAN.steps[0], books, "key", 1, "", deadline=world.clock.monotonic() + 5)])

    world.live(send, FakeProvider(world.erp), Watcher())
    assert world.erp.executed == []


def test_a_lease_is_renewed_in_time_or_the_run_ends(tmp_path: Path) -> None:
    world = World(tmp_path)

    def work(session: Session) -> None:
        keeper = LeaseKeeper(lease := session.store.acquire(holder="it", command="apply", term_seconds=60), 60)
        world.clock.advance(50)
        keeper.ensure(20)
        assert lease.remaining() == 60
        world.clock.advance(70)
        session.store.acquire(holder="other", command="apply", term_seconds=60)
        for _ in range(2):
            with pytest.raises(FenceLost):
                keeper.ensure(1)

    world.live(work, FakeProvider(world.erp), Watcher())

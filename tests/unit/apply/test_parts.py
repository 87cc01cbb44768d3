"""The engine's smaller parts, each alone: the ready queue, the pace, the judgement, the settings, the stop."""

from __future__ import annotations

import os
import random
import signal
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from reconciler.apply.judging import Verdict, judge, judge_sighting, same_document
from reconciler.apply.lanes import Inbox, Lane
from reconciler.apply.pacing import Pace
from reconciler.apply.scheduling import ReadyQueue
from reconciler.apply.settings import ApplySettings
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.clock import ManualClock
from reconciler.plan.model import Group, Step
from reconciler.providers.capabilities import Capabilities, KindCapabilities, Remedy
from reconciler.providers.operations import (
    Allocate,
    Attach,
    Create,
    Delete,
    Post,
    Reverse,
    Unallocate,
    Update,
    Void,
)
from reconciler.providers.protocol import Absent, Found, Inconclusive, LiveAllocation, Observed
from tests.unit.apply.world import address, customer, invoice, plan_of

NOW = ManualClock().now()


# ---- the ready queue ------------------------------------------------------------------------------------------


def named(name: str, *after: str, document: str = "") -> Step:
    step = customer(name)
    return replace(step, id=name, depends_on=after, document_id=document or name)


def test_what_waits_for_nothing_is_ready_in_plan_order():
    queue = ReadyQueue([named("a"), named("b", "a"), named("c")], ())
    assert [step.id for step in queue.take("books", 9)] == ["a", "c"]
    assert queue.take("books", 9) == []
    queue.succeed("a")
    assert [step.id for step in queue.take("books", 9)] == ["b"]


def test_connections_are_apart():
    other = replace(named("x"), address=replace(address("customer", "x"), connection="branch"))
    queue = ReadyQueue([named("a"), other], ())
    assert [step.id for step in queue.take("branch", 9)] == ["x"]


def test_what_is_done_already_is_not_handed_out():
    queue = ReadyQueue([named("a"), named("b", "a"), named("c", "b")], (), {"a", "b"})
    assert [step.id for step in queue.take("books", 9)] == ["c"]


def test_a_failure_holds_transitively_and_names_the_nearest_cause():
    queue = ReadyQueue([named("a"), named("b", "a"), named("c", "b"), named("d")], ())
    held = queue.fail("a")
    assert [(step.id, cause.id) for step, cause in held] == [("b", "a"), ("c", "b")]
    assert [step.id for step in queue.take("books", 9)] == ["d"]
    assert [step.id for step in queue.left()] == ["d"]


def test_a_diamond_waits_for_both_sides():
    queue = ReadyQueue([named("a"), named("b", "a"), named("c", "a"), named("d", "b", "c")], ())
    queue.take("books", 9)
    queue.succeed("a")
    assert [step.id for step in queue.take("books", 9)] == ["b", "c"]
    queue.succeed("b")
    assert queue.take("books", 9) == []
    queue.succeed("c")
    assert [step.id for step in queue.take("books", 9)] == ["d"]


def test_steps_on_one_document_go_one_at_a_time():
    steps = [named("a", document="d"), named("b", document="d"), named("c", document="d")]
    queue = ReadyQueue(steps, ())
    assert [step.id for step in queue.take("books", 9)] == ["a"]
    assert queue.fail("a") == []
    assert [step.id for step in queue.take("books", 9)] == ["b"]
    assert [step.id for step, _ in queue.fail("b", unknown=True)] == ["c"]


def test_members_of_a_group_follow_one_another():
    steps = [named("a"), named("b"), named("c")]
    group = Group("g", address("invoice", "X"), Remedy.CREDIT, "", ("a", "b", "c"))
    queue = ReadyQueue(steps, [group])
    assert [step.id for step in queue.take("books", 9)] == ["a"]
    assert [step.id for step, _ in queue.fail("a")] == ["b", "c"]


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_is_worked_off_in_order(seed: int):
    dice = random.Random(seed)
    steps: list[Step] = []
    for n in range(60):
        after = dice.sample([step.id for step in steps], k=min(len(steps), dice.randint(0, 3)))
        steps.append(named(f"s{n}", *after, document=f"d{dice.randint(0, 30)}"))
    queue = ReadyQueue(steps, ())
    by_id = {step.id: step for step in steps}
    done: list[str] = []
    ended: set[str] = set()
    under_way: list[Step] = []
    while True:
        under_way += queue.take("books", dice.randint(1, 4))
        if not under_way:
            break
        assert len({step.document_id for step in under_way}) == len(under_way)
        step = under_way.pop(dice.randrange(len(under_way)))
        assert set(by_id[step.id].depends_on) <= set(done)
        ended.add(step.id)
        if dice.random() < 0.85:
            done.append(step.id)
            queue.succeed(step.id)
        else:
            ended |= {held.id for held, _ in queue.fail(step.id, unknown=dice.random() < 0.5)}
    assert ended == set(by_id)
    assert queue.left() == []


# ---- pace -----------------------------------------------------------------------------------------------------


def test_no_more_than_the_rate_in_any_second():
    clock = ManualClock()
    pace = Pace(5, clock)
    times = []
    for _ in range(40):
        pace.take()
        times.append(clock.monotonic())
    assert all(times[n + 6] - times[n] >= 1 - 1e-9 for n in range(len(times) - 6))
    assert 6.5 <= times[-1] <= 8


def test_without_a_rate_nothing_waits():
    clock = ManualClock()
    pace = Pace(0, clock)
    for _ in range(100):
        pace.take()
    assert clock.monotonic() == 0


def test_held_back_everybody_waits():
    clock = ManualClock()
    pace = Pace(0, clock)
    pace.hold(30)
    pace.take()
    assert clock.monotonic() == 30


# ---- judging --------------------------------------------------------------------------------------------------


def live(kind: str, content: dict, phase: str = "posted", **more) -> Observed:
    return Observed(kind, f"{kind}-1", canonical_json(content), "f", phase, **more)


BILL = {
    "customer": "c1",
    "issue_date": date(2026, 11, 10),
    "currency": "USD",
    "lines": [{"account": "4000", "quantity": Decimal(1), "unit_price": Decimal("10.10"), "description": "x"}],
    "memo": "ours",
    "state": "posted",
}


def found_with(**changes) -> dict:
    return {key: value for key, value in {**BILL, **changes}.items() if key != "state" and value is not None}


def test_the_same_document_is_the_same():
    assert same_document(Create("invoice", BILL), live("invoice", found_with())) == ()


def test_memo_and_descriptions_do_not_make_another_document():
    line = {**BILL["lines"][0], "description": "y"}
    assert same_document(Create("invoice", BILL), live("invoice", found_with(memo="theirs", lines=[line]))) == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"customer": "c2"}, "customer: asked c1, found c2"),
        ({"currency": "EUR"}, "currency: asked USD, found EUR"),
        ({"issue_date": date(2026, 11, 11)}, "issue_date: asked 2026-11-10, found 2026-11-11"),
        ({"lines": []}, "lines"),
        ({"lines": [{**BILL["lines"][0], "unit_price": Decimal("10.11")}]}, "lines"),
        ({"lines": [{**BILL["lines"][0], "account": "4010"}]}, "lines"),
        ({"lines": BILL["lines"] * 2}, "lines"),
        ({"lines": [{**BILL["lines"][0], "quantity": Decimal(2)}]}, "lines"),
    ],
)
def test_what_makes_another_document(changes: dict, what: str):
    [difference] = same_document(Create("invoice", BILL), live("invoice", found_with(**changes)))
    assert difference.startswith(what)


def test_number_and_reference_count():
    observed = live("invoice", found_with(), number="INV-2", reference="INV-1~aaaabbbbccccdddd")
    differences = same_document(
        Create("invoice", BILL), observed, reference="INV-1~aaaabbbbccccddde", number="INV-1"
    )
    assert [text.partition(":")[0] for text in differences] == ["reference", "number"]
    assert (
        same_document(Create("invoice", BILL), observed, reference="OTHER~AAAABBBBCCCCDDDD", number="INV-2") == ()
    )


def test_another_kind_is_another_document():
    assert same_document(Create("invoice", BILL), live("payment", {})) == ("kind: asked invoice, found payment",)


def test_what_may_be_amended_when_posted_does_not_count():
    soft = KindCapabilities({}, frozenset(), amendable={"posted": frozenset({"issue_date"})})
    observed = live("invoice", found_with(issue_date=date(2027, 1, 1)))
    assert same_document(Create("invoice", BILL), observed, capabilities=soft) == ()


def test_an_unreadable_record_is_not_the_same():
    assert "cannot be read" in same_document(Create("invoice", BILL), live("invoice", {"nonsense": "1"}))[0]


MAIL = Update("customer", "1", {"email": "a@x.io"}, {"email": "b@x.io"})
SCAN = Attach("invoice", "1", "a.pdf", "a.pdf", "x")
CUT = Allocate("payment", "p", "invoice", "i1", Decimal(10), discount=Decimal(1))


@pytest.mark.parametrize(
    ("operation", "observed", "verdict"),
    [
        (Create("invoice", BILL), live("invoice", found_with()), Verdict.DONE),
        (Create("invoice", BILL), live("invoice", found_with(), "draft"), Verdict.DRAFT),
        (Create("invoice", {**BILL, "state": "draft"}), live("invoice", found_with(), "draft"), Verdict.DONE),
        (Create("invoice", BILL), live("invoice", found_with(), "void"), Verdict.OTHER),
        (MAIL, live("customer", {"email": "b@x.io"}), Verdict.DONE),
        (MAIL, live("customer", {"email": "a@x.io"}), Verdict.BEFORE),
        (MAIL, live("customer", {"email": "c@x.io"}), Verdict.OTHER),
        (Update("customer", "1", {"email": "a@x.io"}, {"email": None}), live("customer", {}), Verdict.DONE),
        (Post("invoice", "1"), live("invoice", {}, "settled"), Verdict.DONE),
        (Post("invoice", "1"), live("invoice", {}, "draft"), Verdict.BEFORE),
        (Post("invoice", "1"), live("invoice", {}, "void"), Verdict.OTHER),
        (Void("invoice", "1", "r"), live("invoice", {}, "void"), Verdict.DONE),
        (Void("invoice", "1", "r"), live("invoice", {}, "part_settled"), Verdict.BEFORE),
        (Void("invoice", "1", "r"), live("invoice", {}, "draft"), Verdict.OTHER),
        (Reverse("payment", "1", date(2026, 1, 1), "r"), live("payment", {}, "reversed"), Verdict.DONE),
        (Delete("invoice", "1"), live("invoice", {}, "draft"), Verdict.BEFORE),
        (Delete("invoice", "1"), live("invoice", {}, "posted"), Verdict.OTHER),
        (SCAN, live("invoice", {"attachments": [{"name": "a.pdf"}]}), Verdict.DONE),
        (SCAN, live("invoice", {}), Verdict.BEFORE),
    ],
)  # fmt: skip
def test_verdicts(operation, observed: Observed, verdict: Verdict):
    assert judge(operation, observed).verdict is verdict


def allocated(amount: str, discount: str = "0") -> Observed:
    made = LiveAllocation("invoice", "i1", Decimal(amount), None, Decimal(discount))
    other = LiveAllocation("invoice", "i2", Decimal(999))
    return replace(live("payment", {}), allocations=(made, other))


@pytest.mark.parametrize(
    ("operation", "observed", "verdict"),
    [
        (Allocate("payment", "p", "invoice", "i1", Decimal(10)), allocated("10"), Verdict.DONE),
        (Allocate("payment", "p", "invoice", "i1", Decimal(10)), live("payment", {}), Verdict.BEFORE),
        (Allocate("payment", "p", "invoice", "i1", Decimal(10), Decimal(4)), allocated("4"), Verdict.BEFORE),
        (Allocate("payment", "p", "invoice", "i1", Decimal(10)), allocated("20"), Verdict.OTHER),
        (CUT, allocated("10", "1"), Verdict.DONE),
        (CUT, allocated("10"), Verdict.OTHER),
        (Unallocate("payment", "p", "invoice", "i1", Decimal(10)), live("payment", {}), Verdict.DONE),
        (Unallocate("payment", "p", "invoice", "i1", Decimal(10)), allocated("10"), Verdict.BEFORE),
        (Unallocate("payment", "p", "invoice", "i1", Decimal(10), Decimal(3)), allocated("3"), Verdict.DONE),
    ],
)  # fmt: skip
def test_allocations_are_judged_by_their_absolute_amount(operation, observed: Observed, verdict: Verdict):
    assert judge(operation, observed).verdict is verdict


def test_what_a_look_that_finds_nothing_means():
    update = Update("customer", "1", {}, {"email": "a@x.io"})
    assert judge_sighting(Create("invoice", BILL), Absent(NOW)).verdict is Verdict.BEFORE
    assert judge_sighting(Delete("invoice", "1"), Absent(NOW)).verdict is Verdict.DONE
    assert judge_sighting(update, Absent(NOW)).verdict is Verdict.UNCLEAR
    assert judge_sighting(update, Inconclusive("why")).text == "why"
    assert judge_sighting(Create("invoice", BILL), Found(live("invoice", found_with()))).verdict is Verdict.DONE


# ---- settings, stop, lanes ------------------------------------------------------------------------------------


def test_the_lock_outlasts_the_slowest_request():
    settings = ApplySettings()
    slow = Capabilities("x", {}, request_timeout=600)
    assert settings.term([slow]) >= 2 * (settings.window(slow) + settings.reach(slow))
    assert settings.term([]) == settings.lease_term
    quick = Capabilities("x", {}, request_timeout=1)
    assert settings.window(quick) + settings.reach(quick) == 3


def test_pauses_grow_and_are_bounded():
    settings = ApplySettings()
    assert [settings.pause(n, None) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert settings.pause(1, 7) == 7
    assert settings.pause(1, 9999) == settings.longest_pause


def test_ctrl_c_once_asks_and_without_a_listener_interrupts():
    stop = StopSignal()
    woken: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    with stop.on_interrupt():
        stop.wakes(lambda: woken.append(1))
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.stopping
        assert not stop.at_once
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.at_once
        assert woken == [1, 1]
        stop.wakes(None)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_lane_reports_what_its_jobs_return_or_raise():
    inbox: Inbox = Inbox()
    lane = Lane("books", 2, inbox)
    lane.submit(lambda: 42)
    lane.submit(lambda: 1 // 0)
    assert lane.free == 0
    results = [inbox.get(), inbox.get()]
    for _ in results:
        lane.returned()
    lane.close(wait=True)
    assert {result.result for result in results if result and result.error is None} == {42}
    assert [type(result.error) for result in results if result and result.error] == [ZeroDivisionError]
    assert lane.free == 2


def test_plans_for_tests_are_in_dependency_order():
    acme = customer("acme")
    plan = plan_of(acme, invoice("INV-1", "1", acme))
    assert plan.steps[1].depends_on == (acme.id,)

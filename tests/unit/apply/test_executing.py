"""Executing a plan: order, holes, side by side, batches, rates, groups, bookkeeping, stopping, losing the lock."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.apply.report import ApplyReport
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import instant_text
from reconciler.kernel.errors import ExitCode, FenceLost, PlanRefused, PolicyRefused, StateLocked
from reconciler.plan.freezing import thaw_members
from reconciler.plan.model import (
    Action,
    Bookkeeping,
    BookkeepingKind,
    Change,
    Effect,
    Movement,
    Plan,
    Reason,
    Step,
)
from reconciler.project import Policies
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.providers.operations import Create, Delete, Reverse, Void
from reconciler.providers.protocol import ExecuteRequest
from reconciler.state.history import verify_history
from reconciler.state.model import GroupStatus, IntentStatus
from reconciler.workflows.recovering import RecoverRequest
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.world import (
    Crash,
    Dead,
    Watcher,
    World,
    address,
    correction,
    customer,
    document,
    invoice,
    plan_of,
    six_steps,
)

A, B, C, D = DeduplicationClass


def outcomes(report: ApplyReport) -> list[str]:
    return [str(result.outcome) for result in report.results]


def fated(by_number: dict[str, Fate]):
    return lambda request: by_number.get(request.number or "", Fate.FINE)


def invoices(count: int) -> Plan:
    return plan_of(*(invoice(f"INV-{n}", str(n + 1), "customer-1") for n in range(count)))


# ---- order and holes ------------------------------------------------------------------------------------------


def test_holes_are_filled_with_what_earlier_steps_gave(tmp_path: Path):
    world = World(tmp_path)
    assert outcomes(world.apply(six_steps())) == ["done"] * 6
    records = world.erp.records
    assert {record.content["customer"] for record in records.values() if record.kind != "customer"} == {
        "customer-1"
    }
    assert records["payment-4"].allocations == {("invoice", "invoice-2"): 100, ("invoice", "invoice-3"): 20}
    state = world.state()
    paid = document("payment", "PMT-1")
    assert state.allocations == {
        (paid, document("invoice", "INV-1")): "100",
        (paid, document("invoice", "INV-2")): "20",
    }
    assert parse_canonical(state.bindings[address("payment", "PMT-1")].declared) == {"with": "INV-2"}
    assert state.documents[paid].revision == "3"


def test_a_failed_step_holds_its_dependents_alone(tmp_path: Path):
    world = World(tmp_path)
    report = world.apply(six_steps(), FakeProvider(world.erp, fate=fated({"INV-1": Fate.REJECTED})))
    assert outcomes(report) == ["done", "rejected", "done", "done", "held", "done"]
    assert report.results[4].message == "waits for books:invoice.INV-1#create, which is rejected"
    assert report.exit_code is ExitCode.INCOMPLETE
    assert outcomes(world.apply(six_steps())) == [
        "already done", "done", "already done", "already done", "done", "already done",
    ]  # fmt: skip


def test_a_later_step_on_a_document_of_unknown_outcome_is_held(tmp_path: Path):
    world = World(tmp_path, C)
    lost = FakeProvider(
        world.erp, fate=lambda r: Fate.LOST_REQUEST if r.operation.verb == "allocate" else Fate.FINE
    )
    report = world.apply(six_steps(), lost)
    assert outcomes(report) == ["done"] * 4 + ["unknown", "held"]
    assert report.exit_code is ExitCode.UNKNOWN


def test_everything_after_an_unsent_customer_is_held_transitively(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, fate=lambda request: Fate.REJECTED)
    assert outcomes(world.apply(six_steps(), provider)) == ["rejected"] + ["held"] * 5
    assert len(world.erp.executed) == 1


def test_a_series_goes_one_at_a_time_in_order_and_a_failure_holds_the_later_ones(tmp_path: Path):
    world = World(tmp_path)
    steps: list[Step] = []
    for n in range(5):
        after = [steps[-1].id] if steps else []
        steps.append(invoice(f"INV-{n}", "1", "customer-1", series="books:invoice", after=after))
    provider = FakeProvider(world.erp, fate=fated({"INV-2": Fate.REJECTED}), concurrency=4)
    assert outcomes(world.apply(plan_of(*steps), provider)) == ["done", "done", "rejected", "held", "held"]
    assert [request.number for request in world.erp.executed] == ["INV-0", "INV-1", "INV-2"]


def test_an_unknown_of_an_earlier_run_holds_its_document_and_nothing_else(tmp_path: Path):
    world = World(tmp_path, C)
    lost = FakeProvider(world.erp, fate=fated({"INV-1": Fate.LOST_REQUEST}))
    world.apply(six_steps(), lost)
    report = world.apply(six_steps())
    assert outcomes(report) == ["already done", "unknown", "already done", "already done", "held", "already done"]
    assert "--resolve" in report.results[1].command
    assert report.exit_code is ExitCode.UNKNOWN


# ---- side by side ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, C])
def test_many_workers_do_each_step_once(tmp_path: Path, klass: DeduplicationClass):
    world = World(tmp_path, klass)
    report = world.apply(invoices(60), FakeProvider(world.erp, concurrency=8))
    assert outcomes(report) == ["done"] * 60
    assert len(world.erp.commits) == len(set(world.erp.commits)) == 60
    assert world.look(verify_history) == []


def test_no_more_are_under_way_than_the_connection_allows(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, concurrency=3)
    under_way, most, lock = [0], [0], threading.Lock()
    execute = provider.execute

    def counting(request, progress):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        try:
            return execute(request, progress)
        finally:
            with lock:
                under_way[0] -= 1

    provider.execute = counting  # type: ignore[method-assign]
    world.apply(invoices(40), provider)
    assert 1 <= most[0] <= 3


def test_intents_are_durable_before_anything_is_sent(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, concurrency=4)
    seen: list[bool] = []

    def fate(request: ExecuteRequest) -> Fate:
        seen.append(request.key in {row.key for row in world.state().unsettled})
        return Fate.FINE

    provider.fate = fate
    world.apply(invoices(12), provider)
    assert seen == [True] * 12


@pytest.mark.parametrize(("klass", "shared"), [(A, True), (B, True), (C, False), (D, False)])
def test_only_what_the_erp_keeps_unique_shares_a_commit(tmp_path: Path, klass: DeduplicationClass, shared: bool):
    world = World(tmp_path, klass)
    world.recover(RecoverRequest(confirm_absent=True))
    open_at_once: list[int] = []
    provider = FakeProvider(world.erp, concurrency=1)

    def then(name: str, step_id: str) -> None:
        if name == "intent_written":
            open_at_once.append(len(world.state().unsettled))

    provider.batch_size = 4
    world.apply(invoices(8), provider, watcher=Watcher(then=then))
    assert max(open_at_once) == (4 if shared else 1)


def test_the_rate_is_kept(tmp_path: Path):
    world = World(tmp_path)
    before = world.clock.monotonic()
    world.apply(invoices(21), FakeProvider(world.erp, requests_per_second=2))
    assert world.clock.monotonic() - before >= 20


def test_a_request_not_started_in_time_is_journalled_anew(tmp_path: Path):
    """What waits too long after its intent is not sent under it: the intent is made young again first."""
    world = World(tmp_path)
    slow = [30, 30]

    def then(name: str, step_id: str) -> None:
        if name == "intent_written" and slow:
            world.clock.advance(slow.pop())

    def fate(request: ExecuteRequest) -> Fate:
        [row] = world.state().unsettled
        assert row.not_after > instant_text(world.clock.now())
        return Fate.FINE

    watcher = Watcher(then=then)
    report = world.apply(invoices(1), FakeProvider(world.erp, fate=fate), watcher=watcher)
    assert outcomes(report) == ["done"]
    assert watcher.names.count("intent_written") == 3
    assert watcher.names.count("before_send") == len(world.erp.executed) == 1


# ---- batches --------------------------------------------------------------------------------------------------


def test_ready_steps_go_together(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, batch_size=10)
    assert outcomes(world.apply(invoices(25), provider)) == ["done"] * 25
    assert provider.batches == [10, 10, 5]


@pytest.mark.parametrize("klass", [C, D])
def test_what_nothing_keeps_unique_goes_singly(tmp_path: Path, klass: DeduplicationClass):
    world = World(tmp_path, klass)
    world.recover(RecoverRequest(confirm_absent=True))
    provider = FakeProvider(world.erp, batch_size=10)
    assert outcomes(world.apply(invoices(5), provider)) == ["done"] * 5
    assert provider.batches == []


def test_what_is_searched_goes_together_where_the_connection_says_so(tmp_path: Path):
    world = World(tmp_path, C)
    provider = FakeProvider(world.erp, batch_size=10, batch_searched=True)
    assert outcomes(world.apply(invoices(12), provider)) == ["done"] * 12
    assert provider.batches == [10, 2]


def test_what_leaves_no_mark_goes_singly_even_there(tmp_path: Path):
    world = World(tmp_path, D)
    world.recover(RecoverRequest(confirm_absent=True))
    provider = FakeProvider(world.erp, batch_size=10, batch_searched=True)
    assert outcomes(world.apply(invoices(3), provider)) == ["done"] * 3
    assert provider.batches == []


def test_a_member_of_a_searched_batch_that_is_in_doubt_is_looked_for_and_not_sent_again(tmp_path: Path):
    world = World(tmp_path, C)
    fates = {"INV-0": Fate.LOST_RESPONSE, "INV-1": Fate.LEFT_OUT, "INV-2": Fate.REJECTED}
    provider = FakeProvider(world.erp, batch_size=6, batch_searched=True, fate=fated(fates))
    assert outcomes(world.apply(invoices(4), provider)) == ["done", "done", "rejected", "done"]
    assert len(world.erp.commits) == 3
    assert provider.batches == [4]


def test_each_member_of_a_batch_has_its_own_end(tmp_path: Path):
    world = World(tmp_path)
    fates = {
        "INV-0": Fate.REJECTED,
        "INV-1": Fate.LOST_RESPONSE,
        "INV-2": Fate.LEFT_OUT,
        "INV-3": Fate.STALE,
        "INV-4": Fate.ACCEPTED,
    }
    report = world.apply(invoices(6), FakeProvider(world.erp, batch_size=6, fate=fated(fates)))
    assert outcomes(report) == ["rejected", "done", "done", "conflict", "done", "done"]
    assert len(world.erp.records) == 4


def test_a_member_missing_from_the_answer_that_did_not_land_is_sent_again(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, batch_size=3)
    batch = provider.execute_batch

    def forgetful(requests, progress):
        provider.execute_batch = batch  # type: ignore[method-assign]
        return dict(batch(requests[1:], progress))

    provider.execute_batch = forgetful  # type: ignore[method-assign]
    assert outcomes(world.apply(invoices(3), provider)) == ["done"] * 3
    assert len(world.erp.commits) == 3


def test_after_an_all_or_nothing_rejection_members_go_singly(tmp_path: Path):
    world = World(tmp_path)
    bad = invoice("INV-X", "1", "customer-1", memo="refuse this")
    plan = plan_of(*invoices(3).steps, bad)
    provider = FakeProvider(world.erp, batch_size=4, batch_atomic=True)
    assert outcomes(world.apply(plan, provider)) == ["done"] * 3 + ["rejected"]
    assert provider.batches == [4]
    assert len(world.erp.executed) == 8


def test_a_batch_that_fails_whole_is_looked_up_member_by_member(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, batch_size=3)
    batch = provider.execute_batch

    def cut(requests, progress):
        provider.execute_batch = batch  # type: ignore[method-assign]
        batch(requests[:2], progress)
        raise ConnectionError("reset")

    provider.execute_batch = cut  # type: ignore[method-assign]
    assert outcomes(world.apply(invoices(3), provider)) == ["done"] * 3
    assert len(world.erp.commits) == 3


# ---- groups ---------------------------------------------------------------------------------------------------


def test_a_group_is_opened_with_its_first_intent_and_done_with_its_last(tmp_path: Path):
    world = World(tmp_path)
    progress: list[tuple[str, int]] = []

    def then(name: str, step_id: str) -> None:
        if name in ("intent_written", "outcome_written"):
            progress.extend(
                (f"{name} {step_id.partition('.')[2]}", row.next_member) for row in world.state().groups
            )

    world.apply(correction(), watcher=Watcher(then=then))
    assert progress == [
        ("intent_written INV-1/credit.1#create", 0),
        ("outcome_written INV-1/credit.1#create", 1),
        ("intent_written INV-1#allocate:INV-1/", 1),
        ("outcome_written INV-1#allocate:INV-1/", 2),
        ("intent_written INV-1/reissue.2#create", 2),
    ]
    state = world.state()
    assert state.groups == ()
    binding = state.bindings[address("invoice", "INV-1")]
    assert (binding.generation, binding.document_id) == (2, document("invoice", "INV-1", "reissue.2"))
    assert {row.label for row in state.documents.values() if row.address == binding.address} == {
        "", "credit.1", "reissue.2",
    }  # fmt: skip


def test_a_failed_member_leaves_the_group_open_with_what_is_left(tmp_path: Path):
    world = World(tmp_path)
    report = world.apply(correction(), FakeProvider(world.erp, fate=fated({"INV-1-R2": Fate.REJECTED})))
    assert outcomes(report) == ["done"] * 4 + ["rejected"]
    [group] = world.state().groups
    assert (group.next_member, group.status) == (2, GroupStatus.OPEN)
    members = thaw_members(group.members)
    assert members == [step for step in correction().steps if step.group]
    assert members[group.next_member].label == "reissue.2"


def test_members_follow_one_another_even_if_they_do_not_say_so(tmp_path: Path):
    world = World(tmp_path)
    plan = correction()
    loose = [
        replace(step, depends_on=step.depends_on[:0]) if step.label == "reissue.2" else step for step in plan.steps
    ]
    loose = [replace(step, holes=()) if step.label == "reissue.2" else step for step in loose]
    report = world.apply(
        replace(plan, steps=tuple(loose)), FakeProvider(world.erp, fate=fated({"CN-1": Fate.REJECTED}))
    )
    assert outcomes(report) == ["done", "done", "rejected", "held", "held"]


def test_a_resumed_group_goes_on_where_it_stopped(tmp_path: Path):
    world = World(tmp_path)
    plan = correction()
    world.apply(plan, FakeProvider(world.erp, fate=fated({"INV-1-R2": Fate.REJECTED})))
    [last] = [step for step in plan.steps if step.label == "reissue.2"]
    content = {**last.operation.content, "customer": "customer-1"}
    left = replace(last, operation=Create("invoice", content), holes=(), depends_on=())
    group = replace(plan.groups[0], steps=(left.id,), resumed=True)
    rest = plan_of(left, groups=(group,), footprint=())
    assert outcomes(world.apply(rest, digest="e" * 64)) == ["done"]
    assert world.state().groups == ()


def test_an_abandoned_group_is_closed_and_told(tmp_path: Path):
    world = World(tmp_path)
    world.apply(correction(), FakeProvider(world.erp, fate=fated({"INV-1-R2": Fate.REJECTED})))
    world.recover(RecoverRequest(abandon="g1"))
    assert world.state().groups == ()
    entries = [parse_canonical(row.entry) for row in world.look(lambda store: list(store.history()))]
    assert entries[-1]["event"] == "abandoned"
    assert entries[-1]["done"] == 2


# ---- other operations -----------------------------------------------------------------------------------------


def on(step: Step, operation, key: str, **effect) -> Step:
    return replace(
        step,
        id=f"{step.address}#{operation.verb}",
        operation=operation,
        operation_key=key,
        effect=Effect(**effect),
        holes=(),
        depends_on=(),
    )


def test_void_and_reverse_record_the_phase_and_drop_what_was_settled(tmp_path: Path):
    world = World(tmp_path)
    plan = six_steps()
    world.apply(plan)
    paid = on(plan.steps[3], Reverse("payment", "payment-4", "2026-11-30", "bounced"), "reverse@3", generation=2)
    gone = on(plan.steps[1], Void("invoice", "invoice-2", "never issued"), "void@1")
    report = world.apply(plan_of(paid, gone, footprint=()), digest="e" * 64)
    assert outcomes(report) == ["done", "done"]
    state = world.state()
    assert state.allocations == {}
    assert state.documents[plan.steps[3].document_id].phase == "reversed"
    assert state.documents[plan.steps[1].document_id].phase == "void"
    assert state.bindings[address("payment", "PMT-1")].generation == 2


def test_a_discarded_draft_is_forgotten_and_may_be_declared_again(tmp_path: Path):
    world = World(tmp_path)
    draft = invoice("INV-1", "1", "customer-1")
    draft = replace(draft, operation=Create("invoice", {**draft.operation.content, "state": "draft"}))
    world.apply(plan_of(draft))
    discard = on(draft, Delete("invoice", "invoice-1"), "delete@1")
    assert outcomes(world.apply(plan_of(discard, footprint=()), digest="e" * 64)) == ["done"]
    assert world.state().bindings == {}
    assert world.erp.records == {}
    assert outcomes(world.apply(plan_of(draft), digest="f" * 64)) == ["done"]
    assert [request.attempt for request in world.erp.executed if request.operation.verb == "create"] == [1, 2]


def test_a_lost_answer_to_a_delete_is_seen_done(tmp_path: Path):
    world = World(tmp_path)
    draft = invoice("INV-1", "1", "customer-1")
    draft = replace(draft, operation=Create("invoice", {**draft.operation.content, "state": "draft"}))
    world.apply(plan_of(draft))
    discard = plan_of(on(draft, Delete("invoice", "invoice-1"), "delete@1"), footprint=())
    provider = FakeProvider(world.erp, fate=lambda request: Fate.LOST_RESPONSE)
    assert outcomes(world.apply(discard, provider, digest="e" * 64)) == ["done"]
    assert world.state().bindings == {}


# ---- bookkeeping ----------------------------------------------------------------------------------------------


def test_bookkeeping_is_one_commit_before_the_first_step(tmp_path: Path):
    world = World(tmp_path)
    world.apply(plan_of(customer("acme"), customer("old")))
    theirs = invoice("INV-9", "9", "customer-1")
    world.erp.land(ExecuteRequest("k", theirs.operation, theirs.document_id, "", "INV-9"))
    items = (
        Bookkeeping(BookkeepingKind.MOVE, address("customer", "acme"), destination=address("customer", "acme-inc")),
        Bookkeeping(BookkeepingKind.FORGET, address("customer", "old")),
        Bookkeeping(
            BookkeepingKind.ADOPT, theirs.address, document_id=theirs.document_id, remote_id="invoice-3",
            number="INV-9", declared='{"a":"b"}', declared_digest="y",
            allocations=((document("invoice", "X"), Decimal(4)),),
        ),
        Bookkeeping(BookkeepingKind.NOTE, address("customer", "acme-inc"), declared='{"n":"1"}'),
    )  # fmt: skip
    plan = plan_of(customer("new"), bookkeeping=items)
    report = world.apply(plan, digest="e" * 64)
    assert (report.bookkeeping, outcomes(report)) == (4, ["done"])
    state = world.state()
    assert set(state.bindings) == {address("customer", "acme-inc"), address("customer", "new"), theirs.address}
    assert state.bindings[address("customer", "acme-inc")].declared == '{"n":"1"}'
    adopted = state.documents[theirs.document_id]
    assert (adopted.remote_id, adopted.number) == ("invoice-3", "INV-9")
    assert adopted.fingerprint == world.erp.observed(world.erp.records["invoice-3"]).fingerprint
    assert state.allocations == {(theirs.document_id, document("invoice", "X")): "4"}
    assert len(world.erp.executed) == 3


def test_an_interrupted_plan_does_not_keep_its_books_twice(tmp_path: Path):
    world = World(tmp_path)
    world.apply(plan_of(customer("acme")))
    move = Bookkeeping(BookkeepingKind.MOVE, address("customer", "acme"), destination=address("customer", "inc"))
    plan = plan_of(customer("new"), bookkeeping=(move,))
    rows = replace(plan, footprint=(*plan.footprint, bound_row(world, "acme")))
    with pytest.raises((Crash, Dead)):
        world.apply(rows, digest="e" * 64, watcher=Watcher(die_in="intent_written"))
    world.clock.advance(100)
    report = world.apply(rows, digest="e" * 64)
    assert (report.bookkeeping, outcomes(report)) == (0, ["done"])
    assert set(world.state().bindings) == {address("customer", "inc"), address("customer", "new")}


def bound_row(world: World, name: str):
    from reconciler.plan.model import FootprintRow

    row = world.state().documents[document("customer", name)]
    revision = world.state().bindings[row.address].revision
    return FootprintRow(row.address, "", row.kind, row.remote_id, revision, row.fingerprint)


# ---- stopping and the lock ------------------------------------------------------------------------------------


def test_asked_once_it_finishes_what_is_under_way_and_starts_nothing(tmp_path: Path):
    world = World(tmp_path)
    stop = StopSignal()

    def fate(request: ExecuteRequest) -> Fate:
        if request.number == "INV-3":
            stop.request_stop()
        return Fate.FINE

    report = world.apply(invoices(8), FakeProvider(world.erp, fate=fate), stop=stop)
    assert outcomes(report) == ["done"] * 4 + ["not started"] * 4
    assert report.stopped
    assert report.exit_code is ExitCode.INCOMPLETE
    state = world.state()
    assert len(state.documents) == 4
    assert not state.unsettled
    assert [run.status for run in world.look(lambda store: store.runs())] == ["stopped"]
    assert outcomes(world.apply(invoices(8))) == ["already done"] * 4 + ["done"] * 4


def test_asked_while_waiting_to_try_again_the_intent_is_closed(tmp_path: Path):
    world = World(tmp_path)
    stop = StopSignal()

    def fate(request: ExecuteRequest) -> Fate:
        stop.request_stop()
        return Fate.UNAVAILABLE

    report = world.apply(invoices(1), FakeProvider(world.erp, fate=fate), stop=stop)
    assert outcomes(report) == ["not started"]
    assert not world.state().unsettled
    assert outcomes(world.apply(invoices(1))) == ["done"]


def test_asked_twice_it_drops_everything_and_recovery_finds_it(tmp_path: Path):
    world = World(tmp_path)
    stop = StopSignal()

    def fate(request: ExecuteRequest) -> Fate:
        stop.request_stop()
        stop.request_stop()
        return Fate.FINE

    with pytest.raises(KeyboardInterrupt):
        world.apply(invoices(3), FakeProvider(world.erp, fate=fate), stop=stop)
    assert world.look(lambda store: store.lock_info()) is None
    assert outcomes(world.apply(invoices(3))) == ["already done", "done", "done"]
    assert len(world.erp.commits) == 3


def test_a_second_run_finds_the_lock_held(tmp_path: Path):
    world = World(tmp_path)
    refused: list[StateLocked] = []

    def fate(request: ExecuteRequest) -> Fate:
        with pytest.raises(StateLocked) as caught:
            world.apply(invoices(1), digest="e" * 64)
        refused.append(caught.value)
        return Fate.FINE

    assert outcomes(world.apply(invoices(1), FakeProvider(world.erp, fate=fate))) == ["done"]
    assert refused[0].exit_code is ExitCode.LOCKED


def test_a_lock_that_was_taken_over_stops_the_run_before_it_sends(tmp_path: Path):
    world = World(tmp_path)

    def then(name: str, step_id: str) -> None:
        if name == "intent_written" and step_id.endswith("INV-2#create"):
            world.clock.advance(1000)
            assert outcomes(world.apply(plan_of(customer("other")), digest="e" * 64)) == ["done"]

    with pytest.raises(FenceLost):
        world.apply(invoices(6), watcher=Watcher(then=then))
    assert [number for _, number in world.erp.commits if "INV" in number][-1].startswith("INV-1")
    sent = [request.number for request in world.erp.executed if request.number]
    assert sent == ["INV-0", "INV-1"]
    assert outcomes(world.apply(invoices(6)))[-3:] == ["done"] * 3
    assert len(set(world.erp.commits)) == len(world.erp.commits) == 7


def test_the_lock_is_renewed_while_the_run_works(tmp_path: Path):
    world = World(tmp_path)

    def fate(request: ExecuteRequest) -> Fate:
        world.clock.advance(20)
        return Fate.FINE

    assert outcomes(world.apply(invoices(12), FakeProvider(world.erp, fate=fate))) == ["done"] * 12


def test_a_plan_with_nothing_but_blocked_changes_is_incomplete(tmp_path: Path):
    world = World(tmp_path)
    blocked = Change(address("invoice", "X"), Action.BLOCKED, Reason.CONSENT_NEEDED)
    report = world.apply(plan_of(changes=(blocked,)))
    assert (report.blocked, report.exit_code) == (1, ExitCode.INCOMPLETE)


def test_the_threshold_is_enforced_before_anything_is_sent(tmp_path: Path):
    world = World(tmp_path, policies=Policies({"USD": Decimal(5)}))
    change = Change(address("invoice", "INV-0"), Action.CREATE, Reason.DECLARED, receivable={"USD": Decimal(6)})
    with pytest.raises(PolicyRefused):
        world.apply(replace(invoices(1), changes=(change,)))
    assert world.erp.executed == []
    assert world.look(lambda store: store.lock_info()) is None


# ---- verification ---------------------------------------------------------------------------------------------


def test_what_the_erp_changed_while_writing_is_found(tmp_path: Path):
    world = World(tmp_path)
    land = world.erp.land

    def meddling(request: ExecuteRequest, **how: bool):
        done = land(request, **how)
        world.erp.records[done.remote_id].content["lines"] = [
            {"account": "4000", "quantity": Decimal(1), "unit_price": Decimal(99)}
        ]
        return done

    world.erp.land = meddling  # type: ignore[method-assign]
    report = world.apply(plan_of(invoice("INV-1", "100", "customer-1")))
    assert outcomes(report) == ["done"]
    found = {(finding.what, finding.expected, finding.found) for finding in report.findings}
    assert ("total", "100", "99") in found
    assert any(what == "lines" for what, _, _ in found)
    assert report.exit_code is ExitCode.ERROR


def test_a_correction_must_move_what_its_proof_says(tmp_path: Path):
    world = World(tmp_path)
    plan = correction()
    first = plan_of(*plan.steps[:2])
    world.apply(first, digest="a" * 64)
    rest = corrected(world, plan, Decimal(-20))
    assert world.apply(rest, digest="b" * 64).findings == ()


def test_a_proof_that_does_not_hold_is_found(tmp_path: Path):
    world = World(tmp_path)
    plan = correction()
    world.apply(plan_of(*plan.steps[:2]), digest="a" * 64)
    [finding] = world.apply(corrected(world, plan, Decimal(0)), digest="b" * 64).findings
    assert (finding.what, finding.expected, finding.found) == (
        "open receivables moved by the correction g1", "0", "-20",
    )  # fmt: skip


def corrected(world: World, plan: Plan, delta: Decimal) -> Plan:
    """The correction alone, with the invoice's balance in its footprint."""
    from reconciler.plan.model import FootprintRow

    group = replace(plan.groups[0], proof=(Movement("open", "", "2026-11", "USD", delta),) if delta else ())
    wrong = plan.steps[1]
    row = world.state().documents[wrong.document_id]
    footprint = (FootprintRow(wrong.address, "", "invoice", row.remote_id, 1, row.fingerprint, "100"),)
    ids = {plan.steps[0].id: "customer-1", wrong.id: row.remote_id}
    steps = []
    for step in plan.steps[2:]:
        from reconciler.providers.operations import with_holes_filled

        filled = {hole.place: ids[hole.step] for hole in step.holes if hole.step in ids}
        steps.append(
            replace(
                step,
                operation=with_holes_filled(step.operation, filled),
                holes=tuple(hole for hole in step.holes if hole.step not in ids),
                depends_on=tuple(one for one in step.depends_on if one not in ids),
            )
        )
    return plan_of(*steps, groups=(group,), footprint=footprint)


def test_what_cannot_be_read_again_is_said(tmp_path: Path):
    world = World(tmp_path)
    provider = FakeProvider(world.erp, tells=True)
    observe = provider.observe

    def down(query):
        from reconciler.providers.errors import Unavailable

        raise Unavailable("maintenance") if query.ids else AssertionError

    provider.observe = down  # type: ignore[method-assign]
    report = world.apply(invoices(2), provider)
    provider.observe = observe  # type: ignore[method-assign]
    assert outcomes(report) == ["done", "done"]
    [finding] = report.findings
    assert finding.found == "maintenance"


def test_a_finished_plan_is_refused(tmp_path: Path):
    world = World(tmp_path)
    world.apply(invoices(2))
    with pytest.raises(PlanRefused, match="applied in full already"):
        world.apply(invoices(2))
    assert [row.status for row in world.look(lambda store: store.intents())] == [IntentStatus.DONE] * 2

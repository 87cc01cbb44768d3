"""What an answer means, in each class: every kind of answer, and what state, history and exit code say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.apply.report import ApplyReport, StepOutcome
from reconciler.apply.settings import ApplySettings
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.errors import ExitCode
from reconciler.plan.model import Plan
from reconciler.providers.capabilities import Capabilities, DeduplicationClass, Verb, VerbSupport
from reconciler.providers.errors import Indeterminate
from reconciler.providers.operations import Create, Unallocate, Update
from reconciler.providers.protocol import PUTS_BACK, Accepted, Done, ExecuteRequest, Progress
from reconciler.state.model import IntentRow, IntentStatus
from reconciler.workflows.recovering import RecoverRequest
from tests.unit.apply.erp import FakeProvider, Fate, Record
from tests.unit.apply.world import SETTINGS, World, allocation, customer, document, invoice, payment, plan_of

A, B, C, D = DeduplicationClass


def one_invoice() -> Plan:
    return plan_of(invoice("INV-1", "100", "customer-1"))


def after_one_another(*fates: Fate) -> Callable[[ExecuteRequest], Fate]:
    """The fates of successive requests; then all is fine."""
    left = list(fates)
    return lambda request: left.pop(0) if left else Fate.FINE


def world_of(tmp_path: Path, klass: DeduplicationClass, *, resend: bool = False) -> World:
    world = World(tmp_path, klass, resend=resend)
    world.recover(RecoverRequest(confirm_absent=True))
    return world


def apply(world: World, fates: Iterable[Fate], plan: Plan | None = None, **habits: object) -> ApplyReport:
    provider = FakeProvider(world.erp, fate=after_one_another(*fates), **habits)  # type: ignore[arg-type]
    return world.apply(plan or one_invoice(), provider)


def intents(world: World) -> list[IntentRow]:
    return list(world.look(lambda store: store.intents()))


def only(report: ApplyReport):
    assert len(report.results) == 1
    return report.results[0]


# ---- done -----------------------------------------------------------------------------------------------------


def test_done_is_recorded_with_what_the_books_say(tmp_path: Path):
    world = world_of(tmp_path, A)
    result = only(apply(world, []))
    assert (result.outcome, result.remote_id, result.number) == (StepOutcome.DONE, "invoice-1", "INV-1")
    state = world.state()
    row = state.documents[document("invoice", "INV-1")]
    live = world.erp.observed(world.erp.records["invoice-1"])
    assert (row.remote_id, row.fingerprint, row.phase) == ("invoice-1", live.fingerprint, "posted")
    [binding] = state.bindings.values()
    assert (binding.document_id, binding.generation, binding.revision, binding.declared) == (
        row.document_id,
        1,
        1,
        "{}",
    )
    bodies = world.look(lambda store: store.document_bodies([row.document_id]))
    assert bodies[row.document_id].body == live.body
    assert parse_canonical(bodies[row.document_id].computed)["open"] == "100"
    [intent] = intents(world)
    assert (intent.status, intent.attempt) == (IntentStatus.DONE, 1)
    assert parse_canonical(intent.outcome) == {"id": "invoice-1", "number": "INV-1", "revision": "1"}


def test_the_history_names_every_erp_id(tmp_path: Path):
    world = world_of(tmp_path, A)
    apply(world, [])
    entries = [parse_canonical(row.entry) for row in world.look(lambda store: list(store.history()))]
    [steps] = [entry for entry in entries if entry.get("event") == "steps"]
    [fact] = steps["steps"]
    [intent] = intents(world)
    assert (fact["key"], fact["remote_id"], fact["step"]) == (intent.key, "invoice-1", "books:invoice.INV-1#create")
    events = [entry["event"] for entry in entries if entry.get("plan") == "d" * 64]
    assert events == ["run_started", "steps", "run_finished"]


def test_what_the_provider_tells_is_not_read_again(tmp_path: Path):
    world = world_of(tmp_path, A)
    told = FakeProvider(world.erp, tells=True)
    world.apply(one_invoice(), told)
    world_2 = world_of(tmp_path / "2", A) if (tmp_path / "2").mkdir() is None else world
    silent = FakeProvider(world_2.erp)
    world_2.apply(one_invoice(), silent)
    assert silent.made == told.made + 1


def test_a_create_without_an_id_in_the_answer_is_unknown_and_found_by_recovery(tmp_path: Path):
    world = world_of(tmp_path, A)
    result = only(apply(world, [Fate.FORGOT_ID]))
    assert result.outcome is StepOutcome.UNKNOWN
    [settled] = world.recover().recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")


def test_another_records_id_in_the_answer_is_not_believed(tmp_path: Path):
    world = world_of(tmp_path, A)
    plan = plan_of(invoice("INV-0", "5", "customer-1"), invoice("INV-1", "5", "customer-1"))
    report = apply(world, [Fate.FINE, Fate.OTHERS_ID], plan)
    assert report.results[1].outcome is StepOutcome.UNKNOWN
    assert "another record" in report.results[1].message
    [settled] = world.recover().recovered
    assert settled.remote_id == "invoice-2"


# ---- refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, B, C, D])
def test_a_rejection_is_final_for_its_attempt_alone(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    report = apply(world, [Fate.REJECTED])
    assert only(report).outcome is StepOutcome.REJECTED
    assert only(report).message == "no such thing (E7)"
    assert report.exit_code is ExitCode.INCOMPLETE
    assert not world.state().unsettled
    assert only(apply(world, [])).outcome is StepOutcome.DONE
    first, second = intents(world)
    assert (first.status, first.attempt, second.attempt) == (IntentStatus.REJECTED, 1, 2)
    assert first.key != second.key


@pytest.mark.parametrize("klass", [A, B])
def test_a_rejection_after_a_lost_request_settles_nothing(tmp_path: Path, klass: DeduplicationClass):
    """The first request may land yet: the second one's refusal says nothing about it."""
    world = world_of(tmp_path, klass)
    report = apply(world, [Fate.LATE, Fate.REJECTED], settle=30)
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert report.exit_code is ExitCode.UNKNOWN
    world.clock.advance(60)
    [settled] = world.recover().recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")
    assert len(world.erp.commits) == 1


def test_a_rejection_after_an_answer_was_lost_finds_what_landed(tmp_path: Path):
    world = world_of(tmp_path, A)
    provider = FakeProvider(world.erp, fate=after_one_another(Fate.LOST_RESPONSE, Fate.REJECTED))
    lookup = provider.lookup
    answers = [
        lambda probes: lookup(probes),
        lambda probes: [_nothing(world)] * len(probes),
        lookup,
        lookup,
        lookup,
    ]
    provider.lookup = lambda probes: answers.pop(0)(probes)  # type: ignore[method-assign]
    assert only(world.apply(one_invoice(), provider)).outcome is StepOutcome.DONE
    assert [request.key for request in world.erp.executed] == [world.erp.executed[0].key] * 2


def _nothing(world: World):
    from reconciler.providers.protocol import Absent

    return Absent(world.clock.now())


def test_stale_means_nothing_happened_and_plan_again(tmp_path: Path):
    world = world_of(tmp_path, A)
    report = apply(world, [Fate.STALE])
    assert only(report).outcome is StepOutcome.CONFLICT
    assert "plan again" in only(report).message
    [intent] = intents(world)
    assert intent.status is IntentStatus.ABSENT
    assert world.state().attempts == {(intent.document_id, "create"): 2}
    assert report.exit_code is ExitCode.INCOMPLETE


# ---- unavailable ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, B, C, D])
def test_unavailable_is_tried_again_with_the_same_key(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    before = world.clock.monotonic()
    assert only(apply(world, [Fate.UNAVAILABLE] * 2)).outcome is StepOutcome.DONE
    assert len({request.key for request in world.erp.executed}) == 1
    assert world.clock.monotonic() - before == 1 + 2
    assert len(intents(world)) == 1


def test_what_the_erp_asked_to_wait_is_waited(tmp_path: Path):
    world = world_of(tmp_path, A)
    before = world.clock.monotonic()
    apply(world, [Fate.UNAVAILABLE], retry_after=45)
    assert world.clock.monotonic() - before == 45


def test_unavailable_for_good_is_not_sent_and_not_unknown(tmp_path: Path):
    world = world_of(tmp_path, D)
    report = apply(world, [Fate.UNAVAILABLE] * 99)
    assert only(report).outcome is StepOutcome.UNAVAILABLE
    assert report.exit_code is ExitCode.INCOMPLETE
    assert len(world.erp.executed) == 1 + SETTINGS.retries
    assert not world.state().unsettled
    assert only(apply(world, [])).outcome is StepOutcome.DONE


def test_unavailable_after_a_lost_request_stays_unknown(tmp_path: Path):
    world = world_of(tmp_path, A)
    report = apply(world, [Fate.LATE, *[Fate.UNAVAILABLE] * 99], late_by=1000)
    assert only(report).outcome is StepOutcome.UNKNOWN
    [row] = world.state().unsettled
    assert row.status is IntentStatus.UNKNOWN


# ---- already there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, B, C])
def test_what_is_there_with_our_content_is_recorded_not_sent(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    step = one_invoice().steps[0]
    world.erp.land(request_of(step))
    result = only(apply(world, []))
    assert (result.outcome, result.remote_id) == (StepOutcome.ALREADY_DONE, "invoice-1")
    assert world.erp.executed == []
    assert world.state().documents[step.document_id].remote_id == "invoice-1"
    [intent] = intents(world)
    assert intent.status is IntentStatus.DONE


def request_of(step, **changes) -> ExecuteRequest:
    operation = step.operation
    if changes:
        operation = Create(operation.kind, {**operation.content, **changes})
    return ExecuteRequest("k", operation, step.document_id, step.reference, step.number)


@pytest.mark.parametrize("klass", [A, B, C])
def test_what_is_there_with_other_content_is_a_conflict(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    step = one_invoice().steps[0]
    world.erp.land(request_of(step, customer="customer-9"))
    report = apply(world, [])
    assert only(report).outcome is StepOutcome.CONFLICT
    assert "customer: asked customer-1, found customer-9" in only(report).message
    assert world.erp.executed == []
    assert world.state().documents == {}


def test_a_document_of_the_same_number_that_is_not_ours_is_a_conflict(tmp_path: Path):
    world = world_of(tmp_path, B)
    step = one_invoice().steps[0]
    world.erp.land(request_of(step))
    world.erp.records["invoice-1"].reference = "their own words"
    result = only(apply(world, []))
    assert result.outcome is StepOutcome.CONFLICT
    assert "reference: asked" in result.message


def test_a_void_document_of_ours_is_a_conflict(tmp_path: Path):
    world = world_of(tmp_path, A)
    world.erp.land(request_of(one_invoice().steps[0]))
    world.erp.records["invoice-1"].phase = "void"
    assert "it is void" in only(apply(world, [])).message


def test_already_exists_is_looked_up(tmp_path: Path):
    """The look before the send saw nothing; the send is refused because ours landed meanwhile."""
    world = world_of(tmp_path, A)
    step = one_invoice().steps[0]

    def fate(request: ExecuteRequest) -> Fate:
        world.erp.land(request_of(step))
        return Fate.FINE

    result = only(world.apply(one_invoice(), FakeProvider(world.erp, fate=fate)))
    assert (result.outcome, result.remote_id) == (StepOutcome.DONE, "invoice-1")


def test_already_exists_as_something_else_is_a_conflict(tmp_path: Path):
    world = world_of(tmp_path, A)
    step = one_invoice().steps[0]

    def fate(request: ExecuteRequest) -> Fate:
        world.erp.land(request_of(step, currency="EUR"))
        return Fate.FINE

    result = only(world.apply(one_invoice(), FakeProvider(world.erp, fate=fate)))
    assert result.outcome is StepOutcome.CONFLICT
    assert "currency: asked USD, found EUR" in result.message
    assert [row.status for row in intents(world)] == [IntentStatus.CONFLICT]


def test_already_exists_and_not_to_be_found_is_unknown(tmp_path: Path):
    world = world_of(tmp_path, A)
    report = apply(world, [Fate.EXISTS])
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert only(report).command == "reconciler recover"


# ---- looks that do not tell -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("klass", "outcome"), [(A, "done"), (B, "done"), (C, "unavailable"), (D, "done")])
def test_an_inconclusive_look_stops_only_what_nothing_else_protects(
    tmp_path: Path, klass: DeduplicationClass, outcome: str
):
    world = world_of(tmp_path, klass)
    result = only(apply(world, [], inconclusive=True))
    assert result.outcome == outcome
    if klass is C:
        assert "the index is being rebuilt" in result.message
        assert world.erp.executed == []
        assert not world.state().unsettled


def test_every_create_is_looked_up_first_and_together(tmp_path: Path):
    world = world_of(tmp_path, A)
    provider = FakeProvider(world.erp)
    world.apply(plan_of(*(invoice(f"INV-{n}", "1", "customer-1") for n in range(30))), provider)
    assert [len(probes) for probes in provider.looked] == [30]
    blind = world_of(tmp_path / "d", D) if (tmp_path / "d").mkdir() is None else world
    provider = FakeProvider(blind.erp)
    blind.apply(one_invoice(), provider)
    assert provider.looked == []


# ---- in doubt -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", [Fate.LOST_RESPONSE, Fate.ODD])
@pytest.mark.parametrize("klass", [A, B, C])
def test_a_lost_answer_is_settled_by_looking_at_once(tmp_path: Path, klass: DeduplicationClass, fate: Fate):
    world = world_of(tmp_path, klass)
    result = only(apply(world, [fate]))
    assert (result.outcome, result.remote_id) == (StepOutcome.DONE, "invoice-1")
    assert len(world.erp.executed) == len(world.erp.commits) == 1


@pytest.mark.parametrize("klass", [A, B])
def test_a_lost_request_is_sent_again_where_the_erp_enforces_uniqueness(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    assert only(apply(world, [Fate.LOST_REQUEST, Fate.LOST_REQUEST])).outcome is StepOutcome.DONE
    assert len({request.key for request in world.erp.executed}) == 1
    assert len(world.erp.executed) == 3
    [intent] = intents(world)
    assert intent.attempt == 1


@pytest.mark.parametrize("klass", [A, B])
def test_a_late_landing_meets_the_resend_and_there_is_one(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    assert only(apply(world, [Fate.LATE], late_by=5)).outcome is StepOutcome.DONE
    world.erp.land_what_is_due(everything=True)
    assert len(world.erp.records) == len(world.erp.commits) == 1


@pytest.mark.parametrize("klass", [A, B])
def test_after_two_resends_it_stays_unknown(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    report = apply(world, [Fate.LOST_REQUEST] * 9)
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert only(report).command == "reconciler recover"
    assert len(world.erp.executed) == 3
    [settled] = world.recover().recovered
    assert settled.outcome is StepOutcome.ABSENT
    assert only(apply(world, [])).outcome is StepOutcome.DONE
    assert len({request.key for request in world.erp.executed}) == 1


def test_class_c_is_left_to_recovery_and_its_settle_window(tmp_path: Path):
    world = world_of(tmp_path, C, resend=True)
    report = apply(world, [Fate.LATE], late_by=20, settle=30)
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert only(report).command == "reconciler recover"
    assert len(world.erp.executed) == 1
    [still] = world.recover(None, FakeProvider(world.erp, settle=30)).recovered
    assert still.outcome is StepOutcome.UNKNOWN
    assert "may land until" in still.message
    world.clock.advance(25)
    [settled] = world.recover(None, FakeProvider(world.erp, settle=30)).recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")


def test_class_c_is_sent_again_only_after_a_proven_absence(tmp_path: Path):
    world = world_of(tmp_path, C, resend=True)
    apply(world, [Fate.LOST_REQUEST], settle=30)
    world.clock.advance(100)
    lagging = FakeProvider(world.erp, settle=30, lag=90)
    [unproven] = world.recover(None, lagging).recovered
    assert unproven.outcome is StepOutcome.UNKNOWN
    [proven] = world.recover(None, FakeProvider(world.erp, settle=30)).recovered
    assert proven.outcome is StepOutcome.ABSENT
    assert only(apply(world, [])).outcome is StepOutcome.DONE
    assert [request.attempt for request in world.erp.executed] == [1, 2]


def test_class_c_is_never_sent_again_without_the_settings_word(tmp_path: Path):
    world = world_of(tmp_path, C, resend=False)
    [unknown] = apply(world, [Fate.LOST_REQUEST]).results
    [row] = world.state().unsettled
    assert unknown.command == f"reconciler recover --resolve {row.key} --as created:ID|absent"
    world.clock.advance(10_000)
    [still] = world.recover().recovered
    assert still.outcome is StepOutcome.UNKNOWN
    again = apply(world, [])
    assert again.exit_code is ExitCode.UNKNOWN
    assert only(again).outcome is StepOutcome.UNKNOWN
    assert len(world.erp.executed) == 1


def test_an_unbounded_window_proves_nothing(tmp_path: Path):
    world = world_of(tmp_path, C, resend=True)
    provider = FakeProvider(world.erp, fate=after_one_another(Fate.LOST_REQUEST), settle=None)
    assert "--resolve" in only(world.apply(one_invoice(), provider)).command
    world.clock.advance(1_000_000)
    [still] = world.recover(None, FakeProvider(world.erp, settle=None)).recovered
    assert still.outcome is StepOutcome.UNKNOWN


def test_class_d_is_never_settled_by_itself(tmp_path: Path):
    world = world_of(tmp_path, D, resend=True)
    report = apply(world, [Fate.LOST_RESPONSE])
    assert report.exit_code is ExitCode.UNKNOWN
    [row] = world.state().unsettled
    assert only(report).command == f"reconciler recover --resolve {row.key} --as created:ID|absent"
    world.clock.advance(10_000)
    assert only(apply(world, [])).outcome is StepOutcome.UNKNOWN
    assert len(world.erp.commits) == 1


def test_class_d_waits_for_a_word_in_a_new_epoch(tmp_path: Path):
    world = World(tmp_path, D)
    report = world.apply(one_invoice())
    assert only(report).outcome is StepOutcome.HELD
    assert only(report).command == "reconciler recover --confirm-absent"
    assert world.erp.executed == []
    world.recover(RecoverRequest(confirm_absent=True))
    assert only(world.apply(one_invoice())).outcome is StepOutcome.DONE


def test_an_odd_error_is_told_by_its_type_alone(tmp_path: Path):
    world = world_of(tmp_path, D)
    result = only(apply(world, [Fate.ODD]))
    assert "ZeroDivisionError" in result.message
    [row] = world.state().unsettled
    assert "SECRET" not in result.message + row.outcome


# ---- accepted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, B, C, D])
def test_what_is_accepted_is_polled_to_its_end(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    assert only(apply(world, [Fate.ACCEPTED], polls=5)).outcome is StepOutcome.DONE
    assert world.clock.monotonic() == 5
    [intent] = intents(world)
    stages = world.look(lambda store: store.stages(intent.key))
    assert [(stage, dict(data)) for stage, data in stages] == [("accepted", {"handle": "push-1"})]


def test_what_is_accepted_and_refused_is_rejected(tmp_path: Path):
    world = world_of(tmp_path, C)
    assert only(apply(world, [Fate.ACCEPTED_AND_REFUSED])).outcome is StepOutcome.REJECTED


def test_what_never_ends_is_unknown_and_recovery_polls_on(tmp_path: Path):
    world = world_of(tmp_path, D)
    settings = ApplySettings(poll_deadline=10, settle_patience=0)
    provider = FakeProvider(world.erp, fate=after_one_another(Fate.ACCEPTED), polls=50)
    result = only(world.apply(one_invoice(), provider, settings=settings))
    assert result.outcome is StepOutcome.UNKNOWN
    assert "not finished in time" in result.message
    [settled] = world.recover().recovered
    assert (settled.outcome, settled.remote_id) == (StepOutcome.DONE, "invoice-1")


# ---- half-way -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("klass", [A, B, C])
def test_a_draft_left_half_way_is_finished_at_once(tmp_path: Path, klass: DeduplicationClass):
    world = world_of(tmp_path, klass)
    assert only(apply(world, [Fate.HALF], two_stage=True)).outcome is StepOutcome.DONE
    [record] = world.erp.records.values()
    assert record.phase == "posted"


@pytest.mark.parametrize("klass", [A, B, C, D])
def test_what_was_created_before_the_erp_was_unavailable_is_not_created_again(
    tmp_path: Path, klass: DeduplicationClass
):
    world = world_of(tmp_path, klass)
    assert only(apply(world, [Fate.HALF_BUSY] * 2, two_stage=True)).outcome is StepOutcome.DONE
    [record] = world.erp.records.values()
    assert record.phase == "posted"


@pytest.mark.parametrize("klass", [A, B, C])
def test_what_was_created_before_the_erp_was_unavailable_for_good_is_finished_by_the_next_run(
    tmp_path: Path, klass: DeduplicationClass
):
    world = world_of(tmp_path, klass)
    report = apply(world, [Fate.HALF_BUSY] * 99, two_stage=True)
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert "begun" in only(report).message
    [row] = world.state().unsettled
    assert row.status is IntentStatus.UNKNOWN
    [settled] = world.recover(provider=FakeProvider(world.erp, two_stage=True)).recovered
    assert settled.outcome is StepOutcome.DONE
    [record] = world.erp.records.values()
    assert record.phase == "posted"


def test_a_draft_of_ours_found_before_the_send_is_posted_not_created(tmp_path: Path):
    world = world_of(tmp_path, C)
    world.erp.land(request_of(one_invoice().steps[0]), draft=True)
    result = only(apply(world, []))
    assert (result.outcome, result.remote_id) == (StepOutcome.DONE, "invoice-1")
    assert [request.operation.verb for request in world.erp.executed] == ["post"]
    assert world.state().documents[document("invoice", "INV-1")].phase == "posted"


def test_a_draft_that_cannot_be_posted_is_a_conflict(tmp_path: Path):
    world = world_of(tmp_path, C)
    world.erp.land(request_of(one_invoice().steps[0]), draft=True)
    assert "is a draft" in only(apply(world, [], can_post=False)).message


def test_a_draft_that_a_create_goes_on_with_is_no_conflict(tmp_path: Path):
    world = world_of(tmp_path, C)
    world.erp.land(request_of(one_invoice().steps[0]), draft=True)
    apply(world, [], can_post=False, resumes=True)
    assert [request.operation.verb for request in world.erp.executed] == ["create"]


# ---- other operations -----------------------------------------------------------------------------------------


def update(step, name: str, before: str, after: str):
    from dataclasses import replace

    return replace(
        step,
        id=f"{step.address}#update",
        operation=Update("customer", "customer-1", {"email": before}, {"email": after}),
        operation_key="update@1",
        revision="1",
    )


def test_an_update_after_a_lost_answer_is_found_done(tmp_path: Path):
    world = world_of(tmp_path, A)
    acme = customer("acme")
    world.apply(plan_of(acme), digest="a" * 64)
    changed = plan_of(update(acme, "acme", "acme@x.example", "ap@acme.example"), footprint=())
    result = only(apply(world, [Fate.LOST_RESPONSE], changed))
    assert result.outcome is StepOutcome.DONE
    assert world.erp.records["customer-1"].content["email"] == "ap@acme.example"
    row = world.state().documents[acme.document_id]
    assert (row.revision, row.remote_id) == ("2", "customer-1")


def test_an_update_that_was_overtaken_is_a_conflict(tmp_path: Path):
    world = world_of(tmp_path, A)
    acme = customer("acme")
    world.apply(plan_of(acme), digest="a" * 64)
    changed = plan_of(update(acme, "acme", "acme@x.example", "ap@acme.example"), footprint=())
    apply(world, [Fate.LOST_REQUEST] * 9, changed)
    world.erp.records["customer-1"].content["email"] = "clerk@acme.example"
    [settled] = world.recover().recovered
    assert settled.outcome is StepOutcome.CONFLICT
    assert "email: asked ap@acme.example, found clerk@acme.example" in settled.message


def test_a_payment_of_another_amount_is_never_taken_for_ours(tmp_path: Path):
    world = world_of(tmp_path, C)
    acme = customer("acme")
    step = payment("PMT-1", "120", acme)
    content = {**step.operation.content, "customer": "customer-1", "amount": Decimal(121)}
    world.apply(plan_of(acme), digest="a" * 64)
    world.erp.land(ExecuteRequest("k", Create("payment", content), step.document_id, step.reference, "PMT-1"))
    plan = plan_of(acme, step, footprint=())
    report = world.apply(plan)
    assert [result.outcome for result in report.results] == [StepOutcome.ALREADY_DONE, StepOutcome.CONFLICT]
    assert "amount: asked 120, found 121" in report.results[1].message


@dataclass
class TakesAllOff(FakeProvider):
    """Its books take off all that a payment settles; what else it settled is put back by a second call."""

    cut: bool = False
    stage: str = PUTS_BACK

    def capabilities(self) -> Capabilities:
        found = super().capabilities()
        kind = found.kind("payment")
        adding = VerbSupport(deduplication=C, settle_seconds=self.settle)
        return replace(
            found, kinds={**found.kinds, "payment": replace(kind, verbs={**kind.verbs, Verb.UNALLOCATE: adding})}
        )

    def execute(self, request: ExecuteRequest, progress: Progress) -> Done | Accepted:
        operation = request.operation
        if not isinstance(operation, Unallocate):
            return super().execute(request, progress)
        self.erp.executed.append(request)
        settled = self.erp.records[operation.source_id].allocations
        if not request.stages:
            rest = {target: str(amount) for (_, target), amount in settled.items() if target != operation.target_id}
            progress.record(request.key, self.stage, rest)
            settled.clear()
        if self.cut:
            raise Indeterminate("cut")
        for target, amount in dict(request.stages)[self.stage].items():
            settled["invoice", target] = Decimal(amount)
        return Done(operation.source_id)


def unallocating(world: World) -> tuple[Plan, Record]:
    """A payment that settles two invoices, and the plan that takes the first one's share off."""
    acme = customer("acme")
    bills = [invoice(name, "50", acme) for name in ("INV-1", "INV-2")]
    money = payment("PMT-1", "100", acme)
    world.apply(plan_of(acme, *bills, money, *(allocation(money, bill, "50") for bill in bills)), digest="a" * 64)
    record = next(one for one in world.erp.records.values() if one.kind == "payment")
    [(_, gone), _] = record.allocations
    base = allocation(money, bills[0], "0")
    step = replace(
        base,
        id=base.id.replace("#allocate", "#unallocate"),
        operation=Unallocate("payment", record.id, "invoice", gone, Decimal(50)),
        operation_key=base.operation_key.replace("allocate", "unallocate"),
        holes=(),
        depends_on=(),
    )
    return plan_of(step, footprint=()), record


def test_what_went_off_with_an_allocation_is_put_back_by_the_next_run(tmp_path: Path):
    """The allocation itself is off: that alone does not say that the rest was put back."""
    world = world_of(tmp_path, C)
    plan, record = unallocating(world)
    kept = list(record.allocations)[1]
    report = world.apply(plan, TakesAllOff(world.erp, cut=True))
    assert only(report).outcome is StepOutcome.UNKNOWN
    assert record.allocations == {}
    whole = TakesAllOff(world.erp)
    [early] = world.recover(provider=whole).recovered
    assert (early.outcome, whole.erp.executed[-1].stages) == (StepOutcome.UNKNOWN, ())
    world.clock.advance(200)
    [settled] = world.recover(provider=whole).recovered
    assert settled.outcome is StepOutcome.DONE
    assert record.allocations == {kept: Decimal(50)}
    assert not world.state().unsettled


def test_an_allocation_that_is_off_is_done_whatever_else_was_recorded(tmp_path: Path):
    world = world_of(tmp_path, C)
    plan, _ = unallocating(world)
    assert only(world.apply(plan, TakesAllOff(world.erp, cut=True, stage="asked"))).outcome is StepOutcome.DONE

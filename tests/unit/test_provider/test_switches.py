"""Every switch of the test provider does what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.capabilities import AllocateAt, DeduplicationClass, Numbering, Remedy, Verb
from reconciler.providers.errors import AlreadyExists, Indeterminate, Rejected
from reconciler.providers.operations import Post, Unallocate, Update, Void
from reconciler.providers.protocol import Absent, Accepted, Done, Found, Inconclusive, Query
from reconciler.providers.registry import load_provider
from reconciler.testing.faults import SimulatedCrash
from reconciler.testing.provider import TestProvider, TestProviderFactory, open_test_provider
from reconciler.testing.provider_switches import LedgerTestSettings, Switches
from tests.unit.ledger.requests import NOV_10, Asker, Stages, probe, request

Maker = Callable[..., Asker]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Maker]:
    made: list[TestProvider] = []

    def maker(**switches: Any) -> Asker:
        """A provider with these switches; in D and behind lags its masters are made before they count."""
        provider = open_test_provider(tmp_path / f"{len(made)}.sqlite", ManualClock(), Switches(**switches))
        made.append(provider)
        late, provider.switches = provider.switches, Switches(numbering=provider.switches.numbering)
        asker = Asker.of(provider)
        provider.switches = late
        return asker

    yield maker
    for provider in made:
        assert provider.port.report("check", {}) == []
        provider.close()


def provider_of(asker: Asker) -> TestProvider:
    assert isinstance(asker.provider, TestProvider)
    return asker.provider


def wait(asker: Asker, seconds: int) -> None:
    provider_of(asker).clock.sleep(seconds)


def test_it_is_found_by_name_and_opened_from_settings(tmp_path: Path) -> None:
    factory = load_provider("ledger-test")
    assert isinstance(factory, TestProviderFactory)
    settings = factory.settings.model_validate(
        {
            "path": "b",
            "switches": {"deduplication": "C", "settle_seconds": "unbounded", "fault_per_mille": {"rejected": "5"}},
        }
    )
    assert isinstance(settings, LedgerTestSettings)
    provider = factory.open(settings, tmp_path, ManualClock())
    support = provider.capabilities().kind("invoice").verb(Verb.CREATE)
    assert (support.deduplication, support.settle_seconds) == (DeduplicationClass.C, None)
    provider.close()
    other = factory.settings.model_validate({"path": "b", "switches": {"deduplication": "A"}})
    with pytest.raises(ReconcilerError, match="another deduplication class"):
        factory.open(other, tmp_path, ManualClock())


def test_impossible_switches_are_refused() -> None:
    for bad in ({"two_stage": True, "asynchronous_seconds": 1}, {"colour": 1}, {"lag_seconds": -1}):
        with pytest.raises(ValidationError):
            Switches.model_validate(bad)


# ---- deduplication ----


@pytest.mark.parametrize("name", ["A", "B"])
@pytest.mark.parametrize("numbering", ["ours_accepted", "assigned"])
def test_in_a_and_b_a_second_create_is_refused(make: Maker, name: str, numbering: str) -> None:
    asker = make(deduplication=name, numbering=numbering)
    asked = asker.invoice("one", number="INV-1" if numbering == "ours_accepted" else None)
    asker.done(asked)
    with pytest.raises(AlreadyExists):
        asker.execute(asked)
    assert len(asker.invoices()) == 1
    assert isinstance(asker.provider.lookup([probe(asked)])[0], Found)


def test_in_b_it_is_the_number_that_is_unique(make: Maker) -> None:
    asker = make(deduplication="B")
    asker.done(asker.invoice("one", number="INV-1"))
    asker.done(asker.invoice("one", number="INV-2"))
    with pytest.raises(AlreadyExists):
        asker.execute(asker.invoice("two", number="INV-1"))


def test_in_c_a_second_create_makes_a_second_document_and_both_are_found(make: Maker) -> None:
    asker = make(deduplication="C")
    asked = asker.invoice("one", number="INV-1")
    asker.done(asked)
    assert isinstance(asker.provider.lookup([probe(asked)])[0], Found)
    asker.done(asked)
    assert [row.reference for row in asker.invoices()] == [asked.reference] * 2
    [answer] = asker.provider.lookup([probe(asked)])
    assert isinstance(answer, Inconclusive)
    assert "several records" in answer.reason


def test_in_d_nothing_of_ours_is_kept_or_found(make: Maker) -> None:
    asker = make(deduplication="D")
    asked = asker.invoice("one", number="INV-1")
    done = asker.done(asked)
    asker.done(asked)
    assert [row.reference for row in asker.invoices()] == [None, None]
    update = request(Update("invoice", done.remote_id, {}, {"memo": "x"}), "u")
    create, other = asker.provider.lookup([probe(asked), probe(update)])
    assert isinstance(create, Inconclusive)
    assert isinstance(other, Found)


@pytest.mark.parametrize("name", ["A", "B", "C", "D"])
def test_capabilities_say_the_class_of_creates_alone(make: Maker, name: str) -> None:
    kind = make(deduplication=name, settle_seconds=90).provider.capabilities().kind("payment")
    assert kind.verb(Verb.CREATE).deduplication == name
    assert kind.verb(Verb.ALLOCATE).deduplication is DeduplicationClass.A
    assert kind.verb(Verb.UPDATE).settle_seconds == 90


def test_the_promised_window_covers_what_lands_late(make: Maker) -> None:
    for switches, window in (
        ({"settle_seconds": 5}, 5),
        ({"settle_seconds": 5, "asynchronous_seconds": 20}, 20),
        ({"fault_per_mille": {"late_landing": 1}, "fault_seconds": 44}, 44),
        ({"settle_seconds": None, "asynchronous_seconds": 20}, None),
    ):
        kind = make(**switches).provider.capabilities().kind("invoice")
        assert kind.verb(Verb.CREATE).settle_seconds == window


# ---- numbering ----


def test_assigned_numbers_come_from_a_series_and_none_may_be_given(make: Maker) -> None:
    asker = make(numbering="assigned")
    assert asker.provider.capabilities().kind("invoice").numbering is Numbering.ASSIGNED
    assert [asker.done(asker.invoice(name)).number for name in ("one", "two")] == ["INV-000001", "INV-000002"]
    with pytest.raises(Rejected):
        asker.execute(asker.invoice("three", number="INV-3"))


def test_numbers_in_date_order_refuse_an_earlier_day(make: Maker) -> None:
    asker = make(numbering="assigned_in_date_order")
    asker.done(asker.invoice("one", issue_date=date(2026, 11, 20)))
    with pytest.raises(Rejected) as caught:
        asker.execute(asker.invoice("two", issue_date=date(2026, 11, 19)))
    assert caught.value.code == "date-order"
    assert asker.provider.company().last_dates_in_series == {"invoice": date(2026, 11, 20)}
    assert asker.done(asker.invoice("three", issue_date=date(2026, 11, 20))).number == "INV-000002"
    draft = asker.done(asker.invoice("four", issue_date=NOV_10, state="draft"))
    assert draft.number is None
    with pytest.raises(Rejected):
        asker.execute(request(Post("invoice", draft.remote_id), "p"))


def test_a_required_number_is_required(make: Maker) -> None:
    asker = make(numbering="ours_required")
    with pytest.raises(Rejected, match="number is required"):
        asker.execute(asker.invoice("one"))
    assert asker.done(asker.invoice("one", number="X-1")).number == "X-1"


# ---- asynchronous ----


def test_an_accepted_write_lands_after_its_time(make: Maker) -> None:
    asker = make(asynchronous_seconds=20)
    accepted = asker.execute(asker.invoice("one"))
    assert isinstance(accepted, Accepted)
    assert isinstance(asker.provider.poll(accepted.handle), Accepted)
    assert asker.invoices() == []
    wait(asker, 20)
    done = asker.provider.poll(accepted.handle)
    assert isinstance(done, Done)
    assert [row.remote_id for row in asker.invoices()] == [done.remote_id]
    assert asker.provider.poll(accepted.handle) == done


def test_an_accepted_write_lands_when_it_was_polled_often_enough(make: Maker) -> None:
    asker = make(asynchronous_seconds=10_000, asynchronous_polls=2)
    accepted = asker.execute(asker.invoice("one"))
    assert isinstance(asker.provider.poll(accepted.handle), Accepted)
    assert isinstance(asker.provider.poll(accepted.handle), Done)


def test_an_accepted_write_may_be_refused_later(make: Maker) -> None:
    asker = make(asynchronous_seconds=1)
    accepted = asker.execute(asker.invoice("one", currency="EUR"))
    wait(asker, 1)
    with pytest.raises(Rejected, match="exchange_rate"):
        asker.provider.poll(accepted.handle)


def test_an_unknown_handle_settles_nothing(make: Maker) -> None:
    with pytest.raises(Indeterminate):
        make().provider.poll("nothing")


def test_accepted_members_of_a_batch(make: Maker) -> None:
    asker = make(asynchronous_seconds=5)
    outcomes = asker.provider.execute_batch([asker.invoice("one"), asker.invoice("two")], asker.stages)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes.values())
    wait(asker, 5)
    assert len(asker.invoices()) == 2


# ---- lagging ----


def test_readings_show_the_books_as_they_were_and_say_so(make: Maker) -> None:
    asker = make(lag_seconds=30)
    wait(asker, 60)
    asked = asker.invoice("one")
    done = asker.done(asked)
    clock = provider_of(asker).clock
    assert asker.invoices() == []
    assert asker.provider.lookup([probe(asked)]) == [Absent(clock.now() - timedelta(seconds=30))]
    wait(asker, 30)
    assert [row.remote_id for row in asker.invoices()] == [done.remote_id]
    asker.done(request(Update("invoice", done.remote_id, {}, {"memo": "x"}), "u"))
    [found] = asker.provider.lookup([probe(asked)])
    assert isinstance(found, Found)
    assert "memo" not in found.observed.content()
    assert found.as_of == clock.now() - timedelta(seconds=30)
    wait(asker, 30)
    [found] = asker.provider.lookup([probe(asked)])
    assert isinstance(found, Found)
    assert found.observed.content()["memo"] == "x"


def test_a_discarded_draft_is_still_seen_for_a_while(make: Maker) -> None:
    from reconciler.providers.operations import Delete

    asker = make()
    draft = asker.done(asker.invoice("one", state="draft"))
    wait(asker, 60)
    provider_of(asker).switches.lag_seconds = 10
    asker.done(request(Delete("invoice", draft.remote_id), "d"))
    assert len(asker.invoices()) == 1
    wait(asker, 10)
    assert asker.invoices() == []


# ---- the rest ----


def test_lookups_can_be_inconclusive(make: Maker) -> None:
    asker = make()
    asked = asker.invoice("one")
    asker.done(asked)
    provider_of(asker).switches.lookups_inconclusive = True
    assert isinstance(asker.provider.lookup([probe(asked)])[0], Inconclusive)
    provider_of(asker).switches.lookups_inconclusive = False
    assert isinstance(asker.provider.lookup([probe(asked)])[0], Found)


def test_an_atomic_batch_is_refused_whole(make: Maker) -> None:
    asker = make(batch_atomic=True, batch_size=10)
    capabilities = asker.provider.capabilities()
    assert (capabilities.batch_size, capabilities.batch_atomic) == (10, True)
    members = [asker.invoice("one"), asker.invoice("two", currency="EUR"), asker.invoice("three")]
    outcomes = asker.provider.execute_batch(members, asker.stages)
    assert [type(outcomes[member.key]) for member in members] == [Rejected] * 3
    assert asker.invoices() == []
    good = asker.provider.execute_batch([members[0], members[2]], asker.stages)
    assert all(isinstance(outcome, Done) for outcome in good.values())


def test_allocations_as_documents_add_up_and_have_the_connections_class(make: Maker) -> None:
    for name in ("A", "B", "C", "D"):
        asker = make(deduplication=name, allocate="as_document")
        kind = asker.provider.capabilities().kind("payment")
        assert kind.allocate == {AllocateAt.LATER_AS_DOCUMENT, AllocateAt.AT_CREATE}
        assert kind.verb(Verb.ALLOCATE).deduplication == name
        invoice, payment = asker.done(asker.invoice("one")), asker.done(asker.payment("pay"))
        asked = asker.allocation(payment.remote_id, invoice.remote_id, "30")
        asker.done(asked)
        if name in ("A", "B"):
            with pytest.raises(AlreadyExists):
                asker.execute(asked)
        else:
            asker.done(asked)
        [found] = asker.provider.lookup([probe(asked)])
        assert isinstance(found, Found)
        [allocation] = found.observed.allocations
        assert allocation.amount == Decimal(30 if name in ("A", "B") else 60)
        raised = asker.allocation(payment.remote_id, invoice.remote_id, "80", str(allocation.amount))
        asker.done(raised)
        [row] = asker.provider.observe(Query(("payment",)))
        assert [item.amount for item in row.allocations] == [Decimal(80)]


def test_an_allocation_taken_off_frees_its_reference(make: Maker) -> None:
    asker = make(allocate="as_document")
    invoice, payment = asker.done(asker.invoice("one")), asker.done(asker.payment("pay"))
    asked = asker.allocation(payment.remote_id, invoice.remote_id, "30")
    asker.done(asked)
    off = Unallocate("payment", payment.remote_id, "invoice", invoice.remote_id, Decimal(30))
    asker.done(request(off, "pay"))
    observed = asker.done(asked).observed
    assert observed is not None
    assert [item.amount for item in observed.allocations] == [Decimal(30)]


def test_allocating_at_create_can_be_taken_away(make: Maker) -> None:
    asker = make(allocate_at_create=False)
    assert asker.provider.capabilities().kind("payment").allocate == {AllocateAt.LATER}
    invoice = asker.done(asker.invoice("one"))
    with pytest.raises(Rejected):
        asker.execute(asker.payment("pay", allocations=[{"invoice": invoice.remote_id, "amount": Decimal(1)}]))


def test_voids_and_unallocations_can_be_taken_away(make: Maker) -> None:
    asker = make(can_void=False, can_unallocate=False)
    capabilities = asker.provider.capabilities()
    assert not capabilities.kind("invoice").can(Verb.VOID)
    assert Remedy.VOID not in capabilities.kind("invoice").remedies
    assert not capabilities.kind("payment").can(Verb.UNALLOCATE)
    assert Remedy.UNALLOCATE not in capabilities.kind("payment").remedies
    invoice = asker.done(asker.invoice("one"))
    with pytest.raises(Rejected):
        asker.execute(request(Void("invoice", invoice.remote_id, "x"), "v"))
    with pytest.raises(Rejected):
        asker.execute(request(Unallocate("payment", "pay-1", "invoice", "inv-1", Decimal(1)), "u"))


# ---- two stages ----


def test_a_document_is_drafted_then_posted(make: Maker) -> None:
    asker = make(two_stage=True)
    assert asker.provider.capabilities().batch_size == 1
    invoice = asker.done(asker.invoice("one", number="INV-1"))
    assert invoice.observed is not None
    assert invoice.observed.phase == "posted"
    [(key, stage, data)] = asker.stages.recorded
    assert (key, stage, data) == ("key-one", "drafted", {"remote_id": invoice.remote_id})
    allocations = [{"invoice": invoice.remote_id, "amount": Decimal(100)}]
    paid = asker.done(asker.payment("pay", allocations=allocations))
    assert paid.observed is not None
    assert paid.observed.phase == "settled"
    assert asker.done(asker.invoice("draft", state="draft")).observed.phase == "draft"  # type: ignore[union-attr]


def test_a_crash_between_the_stages_leaves_a_draft_with_our_reference(make: Maker) -> None:
    asker = make(two_stage=True)
    asked = asker.invoice("one", number="INV-1")
    asker.stages.crash = SimulatedCrash("here")
    with pytest.raises(SimulatedCrash):
        asker.execute(asked)
    [found] = asker.provider.lookup([probe(asked)])
    assert isinstance(found, Found)
    assert (found.observed.phase, found.observed.reference) == ("draft", asked.reference)
    asker.stages.crash = None
    with pytest.raises(AlreadyExists):
        asker.execute(asked)
    assert asker.done(request(Post("invoice", found.observed.remote_id), "p")).observed.phase == "posted"  # type: ignore[union-attr]


def test_a_resumed_request_finishes_from_its_stages(make: Maker) -> None:
    asker = make(two_stage=True)
    asked = asker.invoice("one", number="INV-1")
    stages = Stages()
    asker.provider.execute(asked, stages)
    recorded = tuple((stage, data) for _, stage, data in stages.recorded)
    resumed = request(asked.operation, "one", number="INV-1", stages=recorded)
    done = asker.provider.execute(resumed, stages)
    assert isinstance(done, Done)
    assert len(asker.invoices()) == 1
    assert len(stages.recorded) == 1

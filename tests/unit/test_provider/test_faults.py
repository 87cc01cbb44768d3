"""Every fault does what it says, and schedules are deterministic."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.providers.errors import AlreadyExists, Indeterminate, Rejected, Unavailable
from reconciler.providers.protocol import Absent, Accepted, Done, ExecuteRequest, Found, Inconclusive
from reconciler.sandboxes.ledger.process import start_server
from reconciler.testing.faults import APPLICABLE, Fault, FaultKind, FaultSchedule, SimulatedCrash, faults_off
from reconciler.testing.provider import TestProvider, TestProviderFactory, open_test_provider
from tests.unit.ledger.requests import Asker, probe


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    provider = open_test_provider(tmp_path / "b.sqlite", ManualClock(), schedule=faults_off())
    yield Asker.of(provider)
    assert provider.port.report("check", {}) == []
    provider.close()


def strike(asker: Asker, *faults: tuple[str, Fault | FaultKind]) -> TestProvider:
    """Let each fault strike the next call of its name."""
    provider = asker.provider
    assert isinstance(provider, TestProvider)
    seen: dict[str, int] = {}
    listed = []
    for call, fault in faults:
        seen[call] = seen.get(call, provider._counts[call]) + 1
        listed.append((call, seen[call], fault))
    provider.schedule = FaultSchedule.of(*listed)
    return provider


@pytest.mark.parametrize(
    ("kind", "error", "made"),
    [
        (FaultKind.LOST_REQUEST, Indeterminate, 0),
        (FaultKind.LOST_RESPONSE, Indeterminate, 1),
        (FaultKind.REJECTED, Rejected, 0),
        (FaultKind.UNAVAILABLE, Unavailable, 0),
        (FaultKind.CRASH_BEFORE, SimulatedCrash, 0),
        (FaultKind.CRASH_AFTER, SimulatedCrash, 1),
    ],
)
@pytest.mark.parametrize("batched", [False, True])
def test_a_struck_write(
    asker: Asker, kind: FaultKind, error: type[BaseException], made: int, batched: bool
) -> None:
    strike(asker, ("batch" if batched else "create", kind))
    asked = asker.invoice("one")
    if not batched:
        with pytest.raises(error):
            asker.execute(asked)
    elif kind is FaultKind.REJECTED:
        assert isinstance(asker.provider.execute_batch([asked], asker.stages)["key-one"], Rejected)
    else:
        with pytest.raises(error):
            asker.provider.execute_batch([asked], asker.stages)
    assert len(asker.invoices()) == made
    if made:
        assert isinstance(asker.provider.lookup([probe(asked)])[0], Found)
    else:
        asker.done(asked)


@pytest.mark.parametrize("batched", [False, True])
def test_a_request_lands_late_even_if_its_sender_is_gone(asker: Asker, batched: bool) -> None:
    provider = strike(asker, ("batch" if batched else "create", Fault(FaultKind.LATE_LANDING, 45)))
    asked = asker.invoice("one")
    with pytest.raises(Indeterminate):
        asker.provider.execute_batch([asked], asker.stages) if batched else asker.execute(asked)
    assert isinstance(provider.lookup([probe(asked)])[0], Absent)
    path = provider.port.path  # type: ignore[attr-defined]
    provider.clock.sleep(45)
    other = open_test_provider(path, provider.clock)
    [found] = other.lookup([probe(asked)])
    other.close()
    assert isinstance(found, Found)


def test_a_late_landing_after_a_resend_is_refused_in_class_a(asker: Asker) -> None:
    provider = strike(asker, ("create", Fault(FaultKind.LATE_LANDING, 45)))
    asked = asker.invoice("one")
    with pytest.raises(Indeterminate):
        asker.execute(asked)
    asker.done(asked)
    provider.clock.sleep(60)
    assert provider.land() == 1
    assert len(asker.invoices()) == 1


def test_a_struck_write_may_be_accepted(asker: Asker) -> None:
    strike(asker, ("create", Fault(FaultKind.ACCEPTED, 1000)))
    accepted = asker.execute(asker.invoice("one"))
    assert isinstance(accepted, Accepted)
    assert isinstance(asker.provider.poll(accepted.handle), Done)


def test_members_of_a_batch_are_struck_apart(asker: Asker) -> None:
    provider = strike(
        asker,
        ("create", FaultKind.LOST_REQUEST),
        ("create", FaultKind.LOST_RESPONSE),
        ("create", FaultKind.MISSING),
        ("create", FaultKind.REJECTED),
        ("create", FaultKind.UNAVAILABLE),
        ("create", Fault(FaultKind.LATE_LANDING, 9)),
        ("create", FaultKind.ACCEPTED),
    )
    members = [asker.invoice(str(n)) for n in range(8)]
    outcomes = asker.provider.execute_batch(members, asker.stages)
    types = [type(outcomes.get(member.key)) for member in members]
    assert types == [Indeterminate, Indeterminate, type(None), Rejected, Unavailable, Indeterminate, Accepted, Done]
    found = asker.provider.lookup([probe(member) for member in members])
    there = [isinstance(answer, Found) for answer in found]
    # what was accepted lands at once, its time being none
    assert there == [False, True, True, False, False, False, True, True]
    provider.clock.sleep(9)
    assert isinstance(asker.provider.lookup([probe(members[5])])[0], Found)


def test_struck_looks_and_polls(asker: Asker) -> None:
    asked = asker.invoice("one")
    provider = asker.provider
    assert isinstance(provider, TestProvider)
    provider.clock.sleep(60)
    asker.done(asked)
    strike(
        asker,
        ("lookup", FaultKind.INCONCLUSIVE),
        ("lookup", Fault(FaultKind.LAGGING, 30)),
        ("lookup", FaultKind.UNAVAILABLE),
        ("observe", Fault(FaultKind.LAGGING, 30)),
        ("observe", FaultKind.UNAVAILABLE),
        ("poll", FaultKind.UNAVAILABLE),
    )
    assert isinstance(provider.lookup([probe(asked)])[0], Inconclusive)
    assert isinstance(provider.lookup([probe(asked)])[0], Absent)
    with pytest.raises(Unavailable):
        provider.lookup([probe(asked)])
    assert isinstance(provider.lookup([probe(asked)])[0], Found)
    assert asker.invoices() == []
    with pytest.raises(Unavailable):
        asker.invoices()
    assert len(asker.invoices()) == 1
    with pytest.raises(Unavailable):
        provider.poll("any")


def test_faults_strike_what_is_behind_a_server_too(tmp_path: Path) -> None:
    factory = TestProviderFactory()
    with start_server(tmp_path / "b.sqlite", "--deduplication", "C", "--keep-versions", token="") as server:
        settings: Any = factory.settings.model_validate(
            {"endpoint": server.url, "switches": {"deduplication": "C", "asynchronous_seconds": 0}}
        )
        provider = factory.open(settings, tmp_path, ManualClock())
        provider.switches.asynchronous_seconds = None
        asker = Asker.of(provider)
        strike(asker, ("create", Fault(FaultKind.LATE_LANDING, 0)))
        asked = asker.invoice("one", number="1")
        with pytest.raises(Indeterminate):
            asker.execute(asked)
        assert isinstance(provider.lookup([probe(asked)])[0], Found)
        asker.done(asked)
        assert len(asker.invoices()) == 2
        provider.switches.asynchronous_seconds = 0
        accepted = asker.execute(asker.invoice("two", number="2"))
        assert isinstance(provider.poll(accepted.handle), Done)
        provider.close()


# ---- schedules ----


def requests(count: int) -> list[ExecuteRequest]:
    return [ExecuteRequest(f"k{n}", None, "d", "r") for n in range(count)]  # type: ignore[arg-type]


def test_a_seeded_schedule_is_the_same_in_any_order() -> None:
    def decisions(order: list[ExecuteRequest], seed: int) -> dict[str, Fault | None]:
        schedule = FaultSchedule.seeded(seed, {"lost_request": 200, "rejected": 200}, seconds=7)
        return {asked.key: schedule.decide("create", asked, n) for n, asked in enumerate(order)}

    forward, backward = decisions(requests(200), 1), decisions(requests(200)[::-1], 1)
    assert forward == backward
    assert decisions(requests(200), 2) != forward
    struck = [fault for fault in forward.values() if fault]
    assert 40 < len(struck) < 120
    assert {fault.kind for fault in struck} == {FaultKind.LOST_REQUEST, FaultKind.REJECTED}
    assert {fault.seconds for fault in struck} == {7}


def test_a_request_struck_once_is_not_struck_for_ever() -> None:
    schedule = FaultSchedule.seeded(3, {"unavailable": 500})
    [asked] = requests(1)
    answers = [schedule.decide("create", asked, n) for n in range(60)]
    assert None in answers
    assert any(answers)


def test_only_fitting_faults_are_drawn_and_all_can_be_switched_off() -> None:
    schedule = FaultSchedule.seeded(1, {"inconclusive": 1000})
    assert schedule.decide("create", requests(1)[0], 1) is None
    assert schedule.decide("lookup", [], 1) == Fault(FaultKind.INCONCLUSIVE, 30)
    assert schedule.struck == [("lookup", 1, Fault(FaultKind.INCONCLUSIVE, 30))]
    schedule.on = False
    assert schedule.decide("lookup", [], 2) is None
    assert FaultKind.ACCEPTED not in APPLICABLE["batch"]


def test_a_listed_fault_strikes_its_call_alone() -> None:
    schedule = FaultSchedule.of(("post", 2, FaultKind.REJECTED))
    assert [schedule.decide("post", None, n) for n in (1, 2, 3)] == [None, Fault(FaultKind.REJECTED), None]
    assert schedule.decide("create", None, 2) is None


def test_duplicates_are_told_apart_from_faults(asker: Asker) -> None:
    asked = asker.invoice("one")
    asker.done(asked)
    with pytest.raises(AlreadyExists):
        asker.execute(asked)

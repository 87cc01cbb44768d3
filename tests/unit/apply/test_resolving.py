"""A person's word: believed where nothing contradicts it, refused with the reason where something does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.errors import ExitCode, InvalidInput, ReconcilerError
from reconciler.providers.capabilities import DeduplicationClass
from reconciler.state.history import verify_history
from reconciler.state.model import IntentRow, IntentStatus
from reconciler.workflows.recovering import RecoverRequest
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.world import World, correction, customer, invoice, payment, plan_of

D = DeduplicationClass.D


def in_doubt(tmp_path: Path, fate: Fate = Fate.LOST_RESPONSE) -> tuple[World, IntentRow]:
    """A class D invoice whose outcome is unknown, long enough ago."""
    world = World(tmp_path, D)
    world.recover(RecoverRequest(confirm_absent=True))
    world.apply(plan_of(invoice("INV-1", "100", "customer-1")), FakeProvider(world.erp, fate=lambda request: fate))
    world.clock.advance(1000)
    [row] = world.state().unsettled
    return world, row


def test_created_under_its_id(tmp_path: Path):
    world, row = in_doubt(tmp_path)
    report = world.recover(RecoverRequest(row.key, "created:invoice-1"))
    assert [(result.outcome, result.remote_id) for result in report.recovered] == [(StepOutcome.DONE, "invoice-1")]
    assert report.exit_code is ExitCode.OK
    state = world.state()
    assert state.documents[row.document_id].remote_id == "invoice-1"
    assert row.address in state.bindings
    entries = [parse_canonical(entry.entry) for entry in world.look(lambda store: list(store.history()))]
    assert entries[-1]["event"] == "settled"
    assert (entries[-1]["by"], entries[-1]["word"]) == ("resolve", "created:invoice-1")
    assert world.look(verify_history) == []


def test_absent_lets_it_be_sent_again_under_a_new_key(tmp_path: Path):
    world, row = in_doubt(tmp_path, Fate.LOST_REQUEST)
    [result] = world.recover(RecoverRequest(row.key, "absent")).recovered
    assert result.outcome is StepOutcome.ABSENT
    [done] = world.apply(plan_of(invoice("INV-1", "100", "customer-1"))).results
    assert done.outcome is StepOutcome.DONE
    assert world.erp.executed[0].key != world.erp.executed[1].key


def test_absent_is_not_believed_while_it_may_still_land(tmp_path: Path):
    world = World(tmp_path, D)
    world.recover(RecoverRequest(confirm_absent=True))
    world.apply(
        plan_of(invoice("INV-1", "1", "customer-1")), FakeProvider(world.erp, fate=lambda r: Fate.LOST_REQUEST)
    )
    [row] = world.state().unsettled
    with pytest.raises(ReconcilerError, match="may still land until"):
        world.recover(RecoverRequest(row.key, "absent"))
    assert world.state().unsettled[0].status is IntentStatus.UNKNOWN


def test_an_id_that_is_not_there(tmp_path: Path):
    world, row = in_doubt(tmp_path)
    with pytest.raises(ReconcilerError, match="there is no invoice invoice-99"):
        world.recover(RecoverRequest(row.key, "created:invoice-99"))


def test_an_id_of_something_else(tmp_path: Path):
    world, row = in_doubt(tmp_path)
    world.erp.records["invoice-1"].content["customer"] = "customer-2"
    with pytest.raises(ReconcilerError, match="is not what books:invoice") as caught:
        world.recover(RecoverRequest(row.key, "created:invoice-1"))
    assert caught.value.why == "customer: asked customer-1, found customer-2"
    assert world.state().documents == {}


def test_an_id_that_is_bound_already(tmp_path: Path):
    world, row = in_doubt(tmp_path)
    world.apply(plan_of(invoice("INV-2", "100", "customer-1")), digest="b" * 64)
    with pytest.raises(ReconcilerError, match="already bound to books:invoice"):
        world.recover(RecoverRequest(row.key, "created:invoice-2"))


def test_a_key_or_word_that_means_nothing(tmp_path: Path):
    world, row = in_doubt(tmp_path)
    with pytest.raises(InvalidInput, match="no unsettled outcome") as caught:
        world.recover(RecoverRequest(row.key[:-1] + "?", "absent"))
    assert row.key in caught.value.why
    assert row.key in caught.value.hint
    with pytest.raises(InvalidInput, match="neither created:ID nor absent"):
        world.recover(RecoverRequest(row.key, "gone"))
    with pytest.raises(InvalidInput, match="go together"):
        world.recover(RecoverRequest(row.key, ""))


def test_absent_is_refused_when_it_can_be_seen(tmp_path: Path):
    world = World(tmp_path, DeduplicationClass.C)
    acme = customer("acme")
    late = FakeProvider(world.erp, fate=lambda r: Fate.LATE if r.number else Fate.FINE, late_by=60)
    world.apply(plan_of(acme, payment("PMT-1", "120", acme)), late)
    [row] = world.state().unsettled
    world.clock.advance(1000)
    with pytest.raises(ReconcilerError, match="is in the ERP as payment-2"):
        world.recover(RecoverRequest(row.key, "absent"))
    [settled] = world.recover().recovered
    assert settled.outcome is StepOutcome.DONE
    assert world.erp.records["payment-2"].content["amount"] == Decimal(120)


def test_a_group_with_an_unknown_member_is_not_abandoned(tmp_path: Path):
    world = World(tmp_path, DeduplicationClass.C)
    lost = FakeProvider(world.erp, fate=lambda r: Fate.LOST_REQUEST if r.number == "CN-1" else Fate.FINE)
    world.apply(correction(), lost)
    with pytest.raises(ReconcilerError, match="not known"):
        world.recover(RecoverRequest(abandon="g1"))
    with pytest.raises(InvalidInput, match="no correction under way"):
        world.recover(RecoverRequest(abandon="g2"))
    [group] = world.state().groups
    assert group.id == "g1"


def test_recovering_with_nothing_to_recover_says_so(tmp_path: Path):
    world = World(tmp_path)
    report = world.recover()
    assert report.recovered == ()
    assert report.exit_code is ExitCode.OK

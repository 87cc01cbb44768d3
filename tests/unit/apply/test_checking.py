"""A saved plan applies exactly or is refused, saying what moved."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.kernel.errors import ExitCode, PlanRefused
from reconciler.plan.model import CompanyRow, FootprintRow, Plan
from reconciler.providers.operations import Update
from tests.unit.apply.erp import FakeProvider, Fate
from tests.unit.apply.world import (
    World,
    address,
    allocation,
    customer,
    document,
    invoice,
    payment,
    plan_of,
    six_steps,
)


def row(world: World, kind: str, name: str, *, opened: str = "") -> FootprintRow:
    """What a plan made now would rest on."""
    state = world.state()
    document_row = state.documents[document(kind, name)]
    live = world.erp.observed(world.erp.records[document_row.remote_id])
    revision = state.bindings[address(kind, name)].revision
    return FootprintRow(address(kind, name), "", kind, live.remote_id, revision, live.fingerprint, opened)


def begun(tmp_path: Path) -> World:
    """Customer, invoice and payment are there."""
    world = World(tmp_path)
    acme = customer("acme")
    world.apply(plan_of(acme, invoice("INV-1", "100", acme), payment("PMT-1", "120", acme)), digest="a" * 64)
    return world


def later(world: World, *rows: FootprintRow) -> Plan:
    """A later plan that rests on `rows`."""
    return plan_of(customer("globex"), footprint=rows)


def refused(world: World, plan: Plan, provider: FakeProvider | None = None) -> PlanRefused:
    before = list(world.erp.commits)
    with pytest.raises(PlanRefused) as caught:
        world.apply(plan, provider, digest="b" * 64)
    assert world.erp.commits == before
    assert caught.value.exit_code is ExitCode.PLAN_REFUSED
    assert world.look(lambda store: store.lock_info()) is None
    return caught.value


def test_nothing_moved_applies(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "customer", "acme"), row(world, "invoice", "INV-1", opened="100"))
    assert world.apply(plan, digest="b" * 64).exit_code is ExitCode.OK


def test_another_project(tmp_path: Path):
    world = begun(tmp_path)
    found = refused(world, replace(later(world), project="ffffffffffff"))
    assert found.what == "the plan is of another project"
    assert found.why == "it is of ffffffffffff, this is 0b6f3c1e9d2a"


def test_another_company(tmp_path: Path):
    world = begun(tmp_path)
    world.erp.company_id = "globex-books"
    found = refused(world, later(world))
    assert "another company" in found.what
    assert "acme-books" in found.why
    assert "globex-books" in found.why


def test_a_connection_that_is_not_configured(tmp_path: Path):
    world = begun(tmp_path)
    plan = replace(later(world), companies=(CompanyRow("branch", "fake", "x", "X"),))
    assert "'branch'" in refused(world, plan).what


def test_another_state(tmp_path: Path):
    world = begun(tmp_path)
    assert "another state" in refused(world, replace(later(world), lineage="elsewhere")).what
    own = replace(later(world), lineage=world.lineage())
    assert world.apply(own, digest="b" * 64).exit_code is ExitCode.OK


def test_a_history_this_state_does_not_have(tmp_path: Path):
    world = begun(tmp_path)
    assert "another history" in refused(world, replace(later(world), head="0" * 64)).what
    head = world.look(lambda store: store.meta().head)
    assert world.apply(replace(later(world), head=head), digest="b" * 64).exit_code is ExitCode.OK


def test_a_clerk_changed_what_the_plan_rests_on(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "customer", "acme"))
    world.erp.records["customer-1"].content["email"] = "clerk@acme.example"
    found = refused(world, plan)
    assert found.why == "customer.acme: the customer customer-1 was changed in the ERP (it is active now)"
    assert "reconciler plan" in found.hint


def test_it_is_no_longer_there(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "invoice", "INV-1"))
    del world.erp.records["invoice-2"]
    assert refused(world, plan).why == "invoice.INV-1: the invoice invoice-2 is no longer in the ERP"


def test_its_balance_moved(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "invoice", "INV-1", opened="100"))
    world.erp.records["payment-3"].allocations["invoice", "invoice-2"] = Decimal(60)
    assert refused(world, plan).why == "invoice.INV-1: its open balance was 100 and is 40"


def test_a_balance_that_does_not_matter_may_move(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "invoice", "INV-1"))
    world.erp.records["payment-3"].allocations["invoice", "invoice-2"] = Decimal(60)
    assert world.apply(plan, digest="b" * 64).exit_code is ExitCode.OK


def test_another_run_wrote_what_the_plan_rests_on(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "customer", "acme"))
    step = customer("acme")
    change = replace(
        step,
        id="x",
        operation=Update("customer", "customer-1", {"email": "acme@x.example"}, {"email": "new@acme.example"}),
        operation_key="update@1",
    )
    world.apply(plan_of(change, footprint=()), digest="c" * 64)
    assert (
        refused(world, plan).why
        == "customer.acme: what this project recorded of it has changed since the plan was made"
    )


def test_something_the_plan_creates_is_bound_by_now(tmp_path: Path):
    world = begun(tmp_path)
    plan = plan_of(customer("globex"))
    world.apply(plan_of(replace(customer("globex"), id="other")), digest="c" * 64)
    assert refused(world, plan).why == "customer.globex: it is bound now, and was not when the plan was made"


def test_everything_that_moved_is_named_in_order(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "customer", "acme"), row(world, "invoice", "INV-1", opened="100"))
    world.erp.records["customer-1"].phase = "archived"
    world.erp.records["payment-3"].allocations["invoice", "invoice-2"] = Decimal(1)
    lines = refused(world, plan).why.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["customer.acme", "invoice.INV-1"]


def test_another_merge_elsewhere_does_not_stale_it(tmp_path: Path):
    world = begun(tmp_path)
    plan = later(world, row(world, "customer", "acme"))
    world.apply(plan_of(customer("elsewhere")), digest="c" * 64)
    assert world.apply(plan, digest="b" * 64).exit_code is ExitCode.OK


def test_an_interrupted_plan_goes_on_over_what_it_moved_itself(tmp_path: Path):
    """Its own allocation has moved the invoice's balance and the payment's binding: that is no staleness."""
    world = begun(tmp_path)
    acme = customer("acme")
    one, paid = invoice("INV-1", "100", acme), payment("PMT-1", "120", acme)
    step = allocation(paid, one, "60")
    filled = replace(
        step,
        operation=replace(step.operation, source_id="payment-3", target_id="invoice-2"),
        holes=(),
        depends_on=(),
    )
    rows = (row(world, "payment", "PMT-1", opened="120"), row(world, "invoice", "INV-1", opened="100"))
    plan = plan_of(filled, customer("globex"), footprint=rows)
    first = FakeProvider(world.erp, fate=lambda r: Fate.REJECTED if r.operation.verb == "create" else Fate.FINE)
    assert [str(r.outcome) for r in world.apply(plan, first, digest="b" * 64).results] == ["done", "rejected"]
    again = world.apply(plan, digest="b" * 64)
    assert [str(r.outcome) for r in again.results] == ["already done", "done"]


def test_an_interrupted_plan_is_refused_when_somebody_else_moved_what_it_wrote(tmp_path: Path):
    world = World(tmp_path)
    plan = six_steps()
    refuse = FakeProvider(world.erp, fate=lambda r: Fate.REJECTED if r.number == "INV-2" else Fate.FINE)
    world.apply(plan, refuse, digest="b" * 64)
    written = FootprintRow(address("customer", "acme"), "", "customer", "customer-1", 0, "as planned")
    watched = replace(plan, footprint=(*plan.footprint, written))
    world.erp.records["customer-1"].content["email"] = "clerk@acme.example"
    with pytest.raises(PlanRefused, match="stale"):
        world.apply(watched, digest="b" * 64)


def test_the_same_steps_under_another_digest_are_another_plan(tmp_path: Path):
    world = World(tmp_path)
    plan = plan_of(customer("acme"))
    world.apply(plan, digest="b" * 64)
    with pytest.raises(PlanRefused, match="stale"):
        world.apply(plan, digest="c" * 64)
    with pytest.raises(PlanRefused, match="in full"):
        world.apply(plan, digest="b" * 64)

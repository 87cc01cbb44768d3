"""Alloy's cache of twelve hours, and its payments that nothing marks as ours: what is lost, and who settles it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.report import ApplyReport, StepOutcome
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ExitCode, ReconcilerError
from reconciler.plan.model import Reason
from reconciler.sandboxes.ledger.records import Selection
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import payment, sales
from reconciler.testing.suite_checks import Look, state_equals_live, unfinished, worth
from reconciler.testing.suite_faults import scenario_for
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.alloy_contract import breaches, unavailable
from tests.conformance.alloy_world import NETSUITE, QUICKBOOKS, AlloyWorld, sandbox

HALF_A_DAY = 12 * 3600
PLAIN: dict[str, Any] = {"platform": "none"}
COMMAND = "recover --resolve"


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AlloyWorld]:
    """A sandbox as it is by itself, polled every twelve hours; `param`: the connection's settings."""
    settings = getattr(request, "param", PLAIN)
    platform = settings["platform"]
    switches = {"platform": "quickbooks" if platform == "none" else platform}
    with sandbox(tmp_path / "world", switches=switches, clock=ManualClock(), settings=settings) as made:
        assert isinstance(made, AlloyWorld)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in made.environment().items():
                patch.setenv(name, value)
            yield made


@pytest.fixture
def project(world: AlloyWorld, tmp_path: Path) -> SuiteProject:
    made = SuiteProject(tmp_path / "project", world, clock=world.clock)
    made.begin()
    return made


def applied(project: SuiteProject) -> ApplyReport:
    report = project.apply().report
    assert report is not None
    return report


def counted(world: AlloyWorld) -> Counter[str]:
    """What is in the books, by kind, as the ERP itself has it."""
    world.running.settle()
    records = world.running.books.ledger.records(Selection(("customer", "invoice", "payment")))
    return Counter(record.kind for record in records)


def advance(world: AlloyWorld, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    world.clock.advance(seconds)


over = pytest.mark.parametrize("world", [QUICKBOOKS, NETSUITE], indirect=True, ids=["quickbooks", "netsuite"])


@over
def test_what_was_just_written_is_seen(world: AlloyWorld, project: SuiteProject) -> None:
    """No listing shows it before the next poll: the next plan is empty all the same, and after the poll too."""
    scenario = scenario_for(project.capabilities())
    for phase in (0, 1):
        project.declare(scenario.manifests[phase])
        assert applied(project).exit_code == ExitCode.OK
        for hours in (0, 13):
            advance(world, hours * 3600)
            for refresh in ("all", "planned", "never"):
                assert unfinished(project.plan(refresh=refresh)) == []
            look = Look.at(project)
            assert [*state_equals_live(look), *worth(look, scenario.worth[phase])] == []
    assert counted(world) == Counter(customer=1, invoice=2, payment=1)


@over
def test_its_requests_are_as_the_documents_show(world: AlloyWorld, project: SuiteProject) -> None:
    if reason := unavailable():
        pytest.skip(reason)
    scenario = scenario_for(project.capabilities())
    address = (
        "{type: billing, line1: 213 Example Ave, city: New York, region: NY, postal_code: '10012', country: US}"
    )
    whole = (
        'customers:\n  acme-<x>: {name: Acme <x>, email: ap@acme.example, phones: ["12345678901"], currency: USD,\n'
        f"    addresses: [{address}]}}\n"
    )
    item = "items:\n  support-<x>: {name: Support <x>, income_account: <income>}\n"
    for manifest in (*scenario.manifests, scenario.manifests[1].replace(ACME, whole + item)):
        project.declare(manifest)
        assert applied(project).exit_code == ExitCode.OK
    assert breaches(world.running) == []


def test_a_lost_answer_to_an_invoice_waits_for_the_next_poll(world: AlloyWorld, project: SuiteProject) -> None:
    """Not listed is not absent: exit 3 until the cache was polled, then it is found; nothing is sent again."""
    project.declare(ACME + sales("100.00"))
    world.running.switches.set({"lose_response": "1@accounting/invoices"})
    assert applied(project).exit_code == ExitCode.UNKNOWN
    advance(world, 600)
    report = applied(project)
    assert report.exit_code == ExitCode.UNKNOWN
    assert all("recover" in item.command for item in report.recovered)
    assert counted(world)["invoice"] == 1
    advance(world, HALF_A_DAY)
    report = applied(project)
    assert report.exit_code == ExitCode.OK, report
    assert counted(world)["invoice"] == 1
    assert unfinished(project.plan()) == []


def test_an_invoice_that_never_arrived(world: AlloyWorld, tmp_path: Path) -> None:
    """With `resend_after_settle` it is sent again, but only once a poll has shown that it is not there."""
    project = SuiteProject(tmp_path / "resending", world, more={"resend_after_settle": "true"}, clock=world.clock)
    project.begin()
    project.declare(ACME + sales("100.00"))
    world.running.switches.set({"cut_before": "1@POST /2024-03/one/accounting/invoices"})
    assert applied(project).exit_code == ExitCode.UNKNOWN
    advance(world, 3600)
    assert applied(project).exit_code == ExitCode.UNKNOWN
    assert counted(world)["invoice"] == 0
    advance(world, HALF_A_DAY)
    assert applied(project).exit_code == ExitCode.OK
    assert counted(world)["invoice"] == 1


@pytest.mark.parametrize("world", [QUICKBOOKS], indirect=True, ids=["quickbooks"])
def test_what_quickbooks_has_and_alloy_does_not_list_yet(world: AlloyWorld, project: SuiteProject) -> None:
    """The ERP itself is asked: it is there, so nothing is sent; it is bound when Alloy has an id for it."""
    project.declare(ACME + sales("100.00") + payment("60.00", "INV-<x>-1 60.00"))
    world.running.switches.set({"lose_response": "1@accounting/payments"})
    assert applied(project).exit_code == ExitCode.UNKNOWN
    advance(world, 600)
    report = applied(project)
    assert "QuickBooks has the payment" in report.recovered[0].message
    assert counted(world)["payment"] == 1
    advance(world, HALF_A_DAY)
    assert applied(project).exit_code == ExitCode.OK
    look = Look.at(project)
    assert worth(look, {"invoice.INV-<x>-1": "100 40", "payment.PMT-<x>": "60 0"}) == []
    assert counted(world)["payment"] == 1


# ---- class D ----


def test_a_payment_without_an_answer_is_a_persons_to_settle(world: AlloyWorld, project: SuiteProject) -> None:
    """Exit 3, and the command. Nothing is ever sent again; other addresses go on; `created:ID` settles it."""
    project.declare(ACME + payment("100.00"))
    world.running.switches.set({"lose_response": "1@accounting/payments"})
    report = applied(project)
    assert report.exit_code == ExitCode.UNKNOWN
    [stuck] = [item for item in report.results if item.outcome is StepOutcome.UNKNOWN]
    assert COMMAND in stuck.command
    assert "created:ID|absent" in stuck.command
    for hours in (0, 13, 100):
        advance(world, hours * 3600)
        project.declare(ACME + payment("100.00") + sales("50.00"))
        again = applied(project)
        assert again.exit_code == ExitCode.UNKNOWN
        assert counted(world)["payment"] == 1
    assert counted(world)["invoice"] == 1, "what does not depend on it was done"
    key = stuck.command.split()[3]
    with pytest.raises(ReconcilerError, match="there is no payment"):
        project.recover(key, "created:nothing")
    assert project.recover(key, f"created:{listed_payment(world)}").exit_code == ExitCode.OK
    assert applied(project).exit_code == ExitCode.OK
    assert unfinished(project.plan()) == []
    assert counted(world)["payment"] == 1


def test_a_payment_that_never_arrived(world: AlloyWorld, project: SuiteProject) -> None:
    """A person who has looked says `absent`; then it is sent, once."""
    project.declare(ACME + payment("100.00"))
    world.running.switches.set({"cut_before": "1@POST /2024-03/one/accounting/payments"})
    report = applied(project)
    assert report.exit_code == ExitCode.UNKNOWN
    [stuck] = [item for item in report.results if item.outcome is StepOutcome.UNKNOWN]
    key = stuck.command.split()[3]
    with pytest.raises(ReconcilerError, match="may still land"):
        project.recover(key, "absent")
    advance(world, 3600)
    assert applied(project).exit_code == ExitCode.UNKNOWN
    assert counted(world)["payment"] == 0
    project.recover(key, "absent")
    assert applied(project).exit_code == ExitCode.OK
    assert counted(world)["payment"] == 1


def test_an_allocation_is_blocked_and_says_what_to_do(world: AlloyWorld, project: SuiteProject) -> None:
    """Not dropped: the payment is not posted without it."""
    project.declare(ACME + sales("100.00") + payment("100.00", "INV-<x>-1 100.00"))
    planned = project.plan()
    [blocked] = planned.blocked
    assert blocked.reason is Reason.UNSUPPORTED
    assert "platform" in blocked.detail
    assert "Allocate it in the ERP" in blocked.detail
    applied(project)
    assert counted(world)["payment"] == 0


def test_credit_notes_are_blocked_with_a_reason(world: AlloyWorld, project: SuiteProject) -> None:
    project.declare(
        ACME + "credit_notes:\n  CN-<x>:\n    customer: acme-<x>\n    issue_date: <today>\n"
        "    lines: [{description: Returned, account: <income>, quantity: 1, unit_price: 5.00}]\n"
    )
    [blocked] = project.plan().blocked
    assert "no credit notes: issue it in the ERP" in blocked.detail


def listed_payment(world: AlloyWorld) -> str:
    """The id that Alloy gives the only payment, as a person would look it up."""
    found = [item for item in world.running.log if item.method == "POST" and item.path.endswith("/payments")]
    assert len(found) == 1
    import httpx

    answer = httpx.get(
        f"{world.running.url}/2024-03/one/accounting/payments",
        params={"credentialId": world.running.connection["credential_id"]},
        headers={"Authorization": f"Bearer {world.running.connection['api_key']}"},
    )
    [row] = answer.json()["payments"]
    return str(row["id"])

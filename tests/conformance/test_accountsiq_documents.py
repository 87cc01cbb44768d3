"""What AccountsIQ has that others have not, from the manifest to its books: item invoices, BI codes, customers in
another currency, files, limits, and a batch in which one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.apply.report import StepOutcome
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ExitCode
from reconciler.plan.model import Action, Plan
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import payment, sales
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.accountsiq_contract import breaches, unavailable
from tests.conformance.accountsiq_world import AccountsIQWorld, sandbox
from tests.conformance.habits import problems, tried

BOLTS = """\
invoices:
  INV-<x>:
    customer: acme-<x>
    issue_date: <today>
    memo: "Bolts & nuts"
    lines:
      - {item: BOLT, description: Bolts, quantity: 4, unit_price: 2.50, taxes: [STANDARD]}
"""
HABITS = {"departmental_accounts": "4010", "wsdl": "2027"}
"""An account that wants a department; and customers have fields that this project has never heard of."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccountsIQWorld]:
    settings = {"settle_seconds": 30, "attachments": True, "discounts": True}
    with sandbox(tmp_path_factory.mktemp("world"), switches=HABITS, settings=settings) as made:
        assert isinstance(made, AccountsIQWorld)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in made.environment().items():
                patch.setenv(name, value)
            yield made


@pytest.fixture
def project(world: AccountsIQWorld, tmp_path: Path) -> Iterator[SuiteProject]:
    made = SuiteProject(tmp_path / "project", world, clock=world.clock, thorough=False)
    yield made
    made.close()


def applied(project: SuiteProject, manifest: str) -> Plan:
    """Declare and apply: everything is done, and then there is nothing left to do."""
    project.declare(manifest)
    made = project.apply()
    assert made.report is not None
    assert made.report.exit_code == ExitCode.OK, [
        *made.report.results,
        *((change.address, change.detail) for change in made.plan.blocked),
    ]
    assert project.apply().plan.steps == ()
    return made.plan


def asked(world: AccountsIQWorld, operation: str) -> int:
    """How many requests there have been for an operation."""
    return sum(item.headers.get("soapaction", "").endswith(f'/{operation}"') for item in world.running.log)


def test_an_invoice_of_items_is_saved_posted_and_paid(project: SuiteProject) -> None:
    applied(project, ACME + BOLTS + payment("12.00", "INV-<x> 12.00"))
    assert problems(project, {"invoice.INV-<x>": "12 0", "payment.PMT-<x>": "12 0"}) == []
    (row,) = [row for row in project.state()[1].values() if row.kind == "invoice"]
    assert row.remote_id.startswith("I")


@pytest.mark.parametrize(
    "operation",
    [
        "SaveInvoiceGetBackInvoiceID",
        pytest.param("PostInvoiceGetBackTransactionID", marks=pytest.mark.slow),
    ],
)
def test_a_lost_answer_between_save_and_post_leaves_one_document(
    project: SuiteProject, world: AccountsIQWorld, operation: str
) -> None:
    assert isinstance(world.clock, ManualClock)
    project.declare(ACME + BOLTS)
    world.running.switches.set({"lose_response": f"1@{operation}"})
    tried(project)
    world.running.switches.set({"lose_response": ""})
    for _ in range(3):
        world.clock.advance(80)
        tried(project)
    assert problems(project, {"invoice.INV-<x>": "12 12"}) == []


def test_an_item_invoice_is_credited_by_an_item_credit_note(project: SuiteProject) -> None:
    applied(project, ACME + BOLTS)
    project.declare(ACME + BOLTS.replace("quantity: 4", "quantity: 3"))
    made = project.apply(allow=("credit:invoice.INV-<x>",))
    assert made.report is not None
    assert made.report.exit_code == ExitCode.OK, made.report
    assert problems(project, {"invoice.INV-<x>": "12 9", "invoice.INV-<x>/credit.1": "3 0"}) == []


def test_a_lines_dimensions_are_one_departments(project: SuiteProject) -> None:
    """The department is made first; the line names it, and is read back as its codes."""
    tracked = """\
tracking_sets:
  NS-<x>: {name: Northern sales, tracking: {Department: sales, Region: north}}
invoices:
  INV-<x>:
    customer: acme-<x>
    issue_date: <today>
    tracking: {Department: Sales}
    lines:
      - {description: A, account: <other>, quantity: 1, unit_price: 10.00, tracking: {Region: NORTH}}
"""
    made = applied(project, ACME + tracked)
    assert any(step.address.kind == "tracking_set" for step in made.steps)
    row = next(
        row
        for row in project.live({"invoice"}).values()
        if row.content()["customer"].endswith(project.mark.upper())
    )
    assert row.content()["lines"][0]["tracking"] == {"1": "Sales", "2": "North"}


def test_one_refused_in_a_batch_holds_no_other(project: SuiteProject) -> None:
    """An account that wants a department refuses its own row alone."""
    many = sales("10.00", "20.00", "30.00").replace(
        "account: <income>, quantity: 1, unit_price: 20.00", "account: <other>, quantity: 1, unit_price: 20.00"
    )
    project.declare(ACME + many)
    made = project.apply()
    assert made.report is not None
    ended = {
        item.step_id.partition("#")[0].rpartition("-")[2]: item
        for item in made.report.results
        if "invoice" in item.step_id
    }
    assert ended["2"].outcome is StepOutcome.REJECTED
    assert "DEPARTMENT" in ended["2"].message
    assert {ended["1"].outcome, ended["3"].outcome} == {StepOutcome.DONE}


def test_a_customer_in_another_currency_is_billed_and_pays_in_it(project: SuiteProject) -> None:
    abroad = ACME.replace("}", ", currency: EUR}")
    bill = sales("100.00").replace("    lines:", "    currency: EUR\n    exchange_rate: 1.10\n    lines:")
    paid = payment("40.00", "INV-<x>-1 40.00", fields="currency: EUR\nexchange_rate: 1.10")
    paid = paid.replace("<bank>", "<foreign_bank>")
    applied(project, abroad + bill + paid)
    assert problems(project, {"invoice.INV-<x>-1": "100 60", "payment.PMT-<x>": "40 0"}) == []


def test_a_document_in_another_currency_than_its_customers_is_blocked(project: SuiteProject) -> None:
    applied(project, ACME)
    foreign = sales("100.00").replace("    lines:", "    currency: EUR\n    exchange_rate: 1.10\n    lines:")
    project.declare(ACME + foreign)
    (change,) = (one for one in project.plan().changes if one.action is Action.BLOCKED)
    assert change.detail == "the customer is kept in USD, and accountsiq takes no document in EUR of it"


def test_fields_newer_than_this_project_survive_its_updates(project: SuiteProject, world: AccountsIQWorld) -> None:
    applied(project, ACME)
    code = f"ACME-{project.mark.upper()}"
    world.colleague.set_field(code, "NextFlag", "true")
    applied(project, ACME.replace("name: Acme <x>", "name: Acme <x> Ltd, credit_limit: 10.00"))
    assert "<NextFlag>true</NextFlag>" in world.colleague.customer(code)


def test_a_discount_closes_what_a_payment_left_open(project: SuiteProject) -> None:
    paid = payment("98.00", "INV-<x>-1 98.00, discount: 2.00")
    applied(project, ACME + sales("100.00", "5.00") + paid)
    assert problems(project, {"invoice.INV-<x>-1": "100 0", "payment.PMT-<x>": "98 0"}) == []


ATTACHED = sales("10.00").replace(
    "    lines:", "    attachments: [{name: offer.pdf, path: files/offer.pdf}]\n    lines:"
)


@pytest.fixture
def filed(project: SuiteProject) -> SuiteProject:
    (project.folder / "files").mkdir()
    for name in ("offer.pdf", "offer.png"):
        (project.folder / "files" / name).write_bytes(b"%PDF-1.4 offer")
    return project


def files_in_the_books(project: SuiteProject) -> list[list[str]]:
    mine = [row for row in project.live({"invoice"}).values() if project.mark.upper() in row.content()["customer"]]
    return [[item["name"] for item in row.content().get("attachments", [])] for row in mine]


def test_files_are_attached_once_and_only_kinds_that_are_taken(filed: SuiteProject, world: AccountsIQWorld) -> None:
    before = asked(world, "AttachDocument")
    applied(filed, ACME + ATTACHED)
    assert files_in_the_books(filed) == [["offer.pdf"]]
    applied(filed, ACME + ATTACHED.replace("    lines:", "    due_date: <later>\n    lines:"))
    assert asked(world, "AttachDocument") == before + 1
    filed.declare(ACME + ATTACHED.replace("offer.pdf", "offer.png"))
    assert any("no CSV, Excel or PDF file" in change.detail for change in filed.plan().blocked)


@pytest.mark.parametrize("habit", ["cut_before", pytest.param("lose_response", marks=pytest.mark.slow)])
def test_a_file_that_was_not_attached_is_attached_by_the_next_apply(
    filed: SuiteProject, world: AccountsIQWorld, habit: str
) -> None:
    """The document is there, its answer came; what was lost is the file's."""
    filed.declare(ACME + ATTACHED)
    world.running.switches.set({habit: "1@AttachDocument"})
    tried(filed)
    world.running.switches.set({habit: ""})
    applied(filed, ACME + ATTACHED)
    assert files_in_the_books(filed) == [["offer.pdf"]]


def test_a_change_of_what_has_files_leaves_them_alone(filed: SuiteProject) -> None:
    applied(filed, ACME + ATTACHED)
    filed.declare(ACME + ATTACHED.replace("unit_price: 10.00", "unit_price: 8.00"))
    made = filed.apply(allow=("credit:invoice.INV-<x>-1",))
    assert made.report is not None
    assert made.report.exit_code == ExitCode.OK, made.report
    assert [step.operation.verb for step in made.plan.steps] == ["create", "allocate"]


def test_a_plan_warns_of_a_credit_limit_that_is_passed(project: SuiteProject) -> None:
    limited = ACME.replace("}", ", credit_limit: 50.00}")
    applied(project, limited + sales("40.00"))
    project.declare(limited + sales("40.00", "20.00"))
    said = str(project.plan().warnings)
    assert "credit limit" in said, said


def test_a_print_is_to_be_had(project: SuiteProject) -> None:
    applied(project, ACME + sales("10.00"))
    (row,) = [row for row in project.state()[1].values() if row.kind == "invoice"]
    with project.fresh() as provider:
        printed = provider.document("invoice", row.remote_id)
    assert printed.content.startswith(b"%PDF")


def test_a_run_longer_than_a_token_goes_on(project: SuiteProject, world: AccountsIQWorld) -> None:
    assert isinstance(world.clock, ManualClock)
    applied(project, ACME + sales("10.00"))
    before = asked(world, "Login")
    world.clock.advance(25 * 60)
    applied(project, ACME + sales("10.00", "11.00"))
    assert asked(world, "Login") == before + 1


def test_zz_every_request_is_one_of_the_vendors(world: AccountsIQWorld) -> None:
    if unavailable():
        pytest.skip(unavailable())
    invented = ("NextText", "NextFlag")  # the fields that nobody has heard of
    found = [one for one in breaches(world.running) if not any(name in one for name in invented)]
    assert not found, "\n".join(found[:20])

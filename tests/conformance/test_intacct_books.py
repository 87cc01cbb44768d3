"""What Intacct has and others have not: contacts of a customer's own, dimensions, offset accounts, supporting
documents, reversals of advances, what others did in ways of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.providers.errors import Rejected
from reconciler.providers.operations import Create
from reconciler.providers.protocol import ExecuteRequest, Observed, Query
from reconciler.testing.cases.invoicing import invoice, sale
from reconciler.testing.cases.masters import ACME
from reconciler.testing.cases.settling import credit, payment, sales
from reconciler.testing.suite_cases import Blocked, Case, Desired
from reconciler.testing.suite_playing import Player
from reconciler.testing.suite_project import SuiteProject
from tests.conformance.intacct_contract import breaches, unavailable
from tests.conformance.intacct_world import TODAY, Colleague, IntacctWorld, sandbox

SETTINGS = {"attachments_folder": "ours", "amend_posted": ["memo", "po_number"]}
SEED = {
    "tracking_categories": {
        "Department": {"values": ["Sales", "Support"]},
        "Region": {"values": ["North"]},
        "Class": {"values": ["Retail"]},
    }
}
_EVERYONE = """\
customers:
  acme-<x>:
    name: Acme <x>
    email: office@acme.example
    phones: ["+12025550143", "+12025550144"]
    tax_number: 12-3456789
    credit_limit: 1000.00
    hold: false
    payment_terms: <terms>
    receivable_account: "1100"
    addresses:
      - {type: billing, line1: 1 Road, line2: Floor 2, city: Rome, region: RM, postal_code: "00118", country: IT}
      - {type: delivery, line1: 2 Dock, city: Ostia}
    contacts:
      - {role: primary, name: Front Desk, email: desk@acme.example}
      - {role: bill_to, email: ap@acme.example, phone: "+12025550145"}
      - {role: ship_to, name: Warehouse}
"""
_FEWER = """\
customers:
  acme-<x>:
    name: Acme <x>
    credit_limit: null
    payment_terms: null
    addresses:
      - {type: billing, line1: 9 Street, city: Milan}
    contacts:
      - {role: ship_to, name: Warehouse}
"""
_LINE = "description: Advice, account: <income>, quantity: 1, unit_price: 80.00"
_FILES = "attachments: [{name: order.pdf, path: order.pdf}]"
_MORE_FILES = "attachments: [{name: order.pdf, path: order.pdf}, {name: terms.txt, path: terms.txt}]"

CASES = (
    Case(
        "a_customer_with_contacts_of_its_own",
        "Every field there is; then most of it taken off again.",
        (
            Desired(_EVERYONE, verbs=("create",)),
            Desired(_EVERYONE.replace("name: Acme <x>", "name: Acme Renamed <x>"), verbs=("update",)),
            Desired(_FEWER, verbs=("update",)),
            Desired(_EVERYONE),
        ),
    ),
    Case(
        "dimensions_by_name",
        "A header's and a line's dimensions, by the names of their values.",
        (
            Desired(
                ACME
                + invoice(
                    f"{_LINE}, tracking: {{Department: Support, Class: Retail}}\n{_LINE}",
                    "tracking: {Department: Sales, Location: North}",
                )
            ),
            Blocked(
                ACME + sale("1.00", name="INV-<x>-9").replace("quantity", "tracking: {Colour: Red}, quantity"),
                {"invoice.INV-<x>-9": "reference_unresolved"},
            ),
        ),
    ),
    Case(
        "an_offset_account_and_a_posting_date",
        "Where the receivable is booked, and when.",
        (Desired(ACME + sale("10.00", 'receivable_account: "1100"\nposting_date: <today>')),),
    ),
    Case(
        "files_with_an_invoice",
        "A file goes with the invoice, another after it; the words of the invoice may change meanwhile.",
        (
            Desired(ACME + sale("10.00", _FILES)),
            Desired(ACME + sale("10.00", f"{_MORE_FILES}\nmemo: With its terms\npo_number: PO-1")),
        ),
    ),
    Case(
        "a_reversed_advance",
        "An advance that was applied twice is reversed and entered anew, to the day.",
        (
            Desired(ACME + sales("100.00", "50.00") + payment("200.00", "INV-<x>-1 100.00")),
            Desired(ACME + sales("100.00", "50.00") + payment("200.00", "INV-<x>-1 100.00", "INV-<x>-2 50.00")),
            Desired(
                ACME + sales("100.00", "50.00") + payment("190.00", "INV-<x>-1 100.00", "INV-<x>-2 50.00"),
                allow=("reverse_and_reissue:payment.PMT-<x>",),
                worth={
                    "invoice.INV-<x>-1": "100 0",
                    "payment.PMT-<x>": "200 0",
                    "payment.PMT-<x>/reissue.2": "190 40",
                },
            ),
        ),
    ),
    Case(
        "money_in_another_currency",
        "An advance and a payment at a stated rate.",
        (
            Desired(
                ACME
                + sale("100.00", "currency: <foreign>\nexchange_rate: <rate>")
                + payment("100.00", "INV-<x> 100.00", fields="currency: <foreign>\nexchange_rate: <rate>").replace(
                    "<bank>", "<foreign_bank>"
                ),
                worth={"invoice.INV-<x>": "100 0"},
            ),
        ),
    ),
    Case(
        "days_and_methods",
        "When it was paid and when it was received, and how.",
        (
            Desired(
                ACME + payment("10.00", fields="paid_on: <today>\nmethod: check\nreference: '4711'\nmemo: Thanks")
            ),
        ),
    ),
    Case(
        "a_credit_memo_over_several_invoices",
        "One is applied to two, each by a payment without cash.",
        (
            Desired(
                ACME + sales("100.00", "50.00") + credit("120.00", "INV-<x>-1 100.00", "INV-<x>-2 20.00"),
                worth={"credit_note.CN-<x>": "120 0", "invoice.INV-<x>-2": "50 30"},
            ),
        ),
    ),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IntacctWorld]:
    with sandbox(tmp_path_factory.mktemp("world"), settings=SETTINGS, seed=SEED) as made:
        assert isinstance(made, IntacctWorld)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in made.environment().items():
                patch.setenv(name, value)
            yield made


@pytest.fixture
def project(world: IntacctWorld, tmp_path: Path) -> Iterator[SuiteProject]:
    made = SuiteProject(tmp_path / "project", world, thorough=False, clock=world.clock)
    (tmp_path / "project" / "order.pdf").write_bytes(b"%PDF-1.4 order")
    (tmp_path / "project" / "terms.txt").write_text("Terms")
    yield made
    made.close()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_it_is_so(project: SuiteProject, case: Case) -> None:
    Player(project, case, project.capabilities()).play()


def test_what_others_do_in_ways_of_their_own_is_read(world: IntacctWorld, project: SuiteProject) -> None:
    """A negative invoice is a credit note, too much money an overpayment; a debit memo is none of ours."""
    colleague = world.colleague
    project.declare(ACME)
    project.apply()
    customer = f"acme-{project.mark}"
    bill = colleague.post_invoice(customer, Decimal(100))
    negative = adjusted(colleague, customer, "create_invoice", "NEG", "-25")
    adjusted(colleague, customer, "create_aradjustment", "DM", "12")
    paid = colleague.ask(
        f"<create><ARPYMT><FINANCIALENTITY>operating</FINANCIALENTITY><PAYMENTMETHOD>Cash</PAYMENTMETHOD>"
        f"<CUSTOMERID>{customer}</CUSTOMERID><RECEIPTDATE>{TODAY:%m/%d/%Y}</RECEIPTDATE><CURRENCY>USD</CURRENCY>"
        f"<OVERPAYMENTAMOUNT>30</OVERPAYMENTAMOUNT><ARPYMTDETAILS><ARPYMTDETAIL><RECORDKEY>{bill}</RECORDKEY>"
        "<TRX_PAYMENTAMOUNT>40</TRX_PAYMENTAMOUNT></ARPYMTDETAIL></ARPYMTDETAILS></ARPYMT></create>"
    ).findtext(".//RECORDNO")
    seen = observed(project, customer)
    assert {(one.kind, one.remote_id): (one.computed["total"], one.computed["open"]) for one in seen} == {
        ("invoice", bill): ("100", "60"),
        ("credit_note", f"ARINVOICE-{negative}"): ("25", "25"),
        ("payment", f"ARPYMT-{paid}"): ("70", "30"),
    }
    for one in seen:
        assert observed(project, customer, one) == [one]


def adjusted(colleague: Colleague, customer: str, function: str, number: str, amount: str) -> str:
    day = f"<year>{TODAY.year}</year><month>{TODAY.month}</month><day>{TODAY.day}</day>"
    due = f"<datedue>{day}</datedue>" if function == "create_invoice" else ""
    named = "invoiceno" if function == "create_invoice" else "adjustmentno"
    items = "invoiceitems" if function == "create_invoice" else "aradjustmentitems"
    made = colleague.ask(
        f"<{function}><customerid>{customer}</customerid><datecreated>{day}</datecreated>{due}"
        f"<{named}>{number}-{customer}</{named}><{items}><lineitem><glaccountno>4000</glaccountno>"
        f"<amount>{amount}</amount></lineitem></{items}></{function}>"
    )
    return made.findtext("key") or ""


def observed(project: SuiteProject, customer: str, one: Observed | None = None) -> list[Observed]:
    """Documents of a customer, or one of them by its id."""
    kinds = ("invoice", "credit_note", "payment") if one is None else (one.kind,)
    with project.fresh() as provider:
        rows = list(provider.observe(Query(kinds, ids=() if one is None else (one.remote_id,))))
    return [row for row in rows if row.content().get("customer") == customer]


def test_a_number_that_is_taken_is_not_given_to_another(world: IntacctWorld, project: SuiteProject) -> None:
    project.declare(ACME)
    project.apply()
    adjusted(world.colleague, f"acme-{project.mark}", "create_invoice", "TAKEN", "5")
    number = f"TAKEN-acme-{project.mark}"
    project.declare(ACME + sale("7.00", name=number))
    plan: Any = project.plan()
    assert not plan.steps
    assert [str(change.reason) for change in plan.changes if str(change.action) == "blocked"] == [
        "exists_unmanaged"
    ]


def test_a_customer_that_intacct_refuses_leaves_no_contact_behind(
    world: IntacctWorld, project: SuiteProject
) -> None:
    """Both are made in one transaction."""
    code = f"lost-{project.mark}"
    contacts = [{"role": "primary", "name": "Front Desk"}, {"role": "ship_to", "name": "Warehouse"}]
    content = {"name": "Lost", "code": code, "payment_terms": "None such", "contacts": contacts}
    with project.fresh() as provider, pytest.raises(Rejected, match="None such"):
        provider.execute(ExecuteRequest("a" * 32, Create("customer", content), "document", "~reference"), Unused())
    found = world.colleague.ask(
        "<readByQuery><object>CONTACT</object><fields>CONTACTNAME</fields>"
        f"<query>CONTACTNAME like '{code}%'</query></readByQuery>"
    )
    assert found.find("data").get("totalcount") == "0"  # type: ignore[union-attr]
    sent = list(world.running.log)[-2]
    assert sent.body.count(b"<function") == 3
    assert b'transaction="true"' in sent.body


class Unused:
    """Nothing is recorded between the calls of one operation."""

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        raise AssertionError(stage)


def test_zz_every_request_is_one_of_the_vendors(world: IntacctWorld) -> None:
    if unavailable():
        pytest.skip(unavailable())
    found = breaches(world.running)
    assert not found, "\n".join(found[:20])

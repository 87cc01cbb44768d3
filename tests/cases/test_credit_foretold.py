"""What a plan says a customer will owe is what the books say afterwards: random months of billing and paying."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.manifests.loading import load_declaration
from reconciler.workflows.applying import apply_now
from reconciler.workflows.planning import PlanRequest
from tests.cases.test_stories import Story, credit_foretold

CUSTOMERS = ("acme", "globex")
CENT = Decimal("0.01")


class Months:
    """A growing manifest, and what is open of its invoices as declared so far."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.documents: dict[str, dict[str, Any]] = {"invoices": {}, "payments": {}, "credit_notes": {}}
        self.open: dict[str, Decimal] = {}
        self.allow: list[str] = []

    def amount(self, most: Decimal = Decimal(900)) -> Decimal:
        return min(most, Decimal(self.dice.randint(100, 90_000)) * CENT)

    def month(self, number: int) -> None:
        self.allow = []
        for customer in CUSTOMERS:
            if self.dice.random() < 0.4:
                self.correct(customer)
            for at in range(self.dice.randint(1, 3)):
                self.bill(customer, f"{customer}-{number}-{at}")
            if self.dice.random() < 0.7:
                self.pay(customer, f"P-{customer}-{number}")
            if self.dice.random() < 0.5:
                self.credit(customer, f"C-{customer}-{number}")

    def bill(self, customer: str, name: str) -> None:
        price = self.amount()
        self.documents["invoices"][name] = {
            "customer": customer,
            "issue_date": "2026-11-10",
            "lines": [{"description": "work", "account": "4000", "quantity": "1", "unit_price": str(price)}],
        }
        self.open[name] = price

    def settled(self, customer: str, source: str) -> tuple[Decimal, list[dict[str, Any]]]:
        """Some of what is open: what the source gives, and its allocations."""
        given, parts = Decimal(0), []
        for name, opened in self.open.items():
            if self.documents["invoices"][name]["customer"] == customer and opened > 1 and self.dice.random() < 0.5:
                part: dict[str, Any] = {"invoice": name}
                amount = self.amount(opened)
                rest = opened - amount
                if source == "payment" and rest > 0 and self.dice.random() < 0.4:
                    part["discount"] = str(min(rest, CENT * 7))
                    self.open[name] -= min(rest, CENT * 7)
                part["amount"] = str(amount)
                self.open[name] -= amount
                given += amount
                parts.append(part)
        return given, parts

    def pay(self, customer: str, name: str) -> None:
        given, parts = self.settled(customer, "payment")
        self.documents["payments"][name] = {
            "customer": customer,
            "received_on": "2026-11-15",
            "amount": str(given + self.dice.choice([Decimal(0), Decimal(12)]) + CENT),
            "bank_account": "operating",
            "allocations": parts,
        }

    def credit(self, customer: str, name: str) -> None:
        given, parts = self.settled(customer, "credit_note")
        line = {"description": "back", "account": "4000", "quantity": "1", "unit_price": str(given + CENT)}
        self.documents["credit_notes"][name] = {
            "customer": customer,
            "issue_date": "2026-11-16",
            "lines": [line],
            "allocations": parts,
        }

    def correct(self, customer: str) -> None:
        """An untouched invoice's price goes up, down, or to another account."""
        invoices = self.documents["invoices"]
        mine = [n for n, i in invoices.items() if i["customer"] == customer and self.open[n] == self.price(n)]
        if not mine:
            return
        name = self.dice.choice(mine)
        line = invoices[name]["lines"][0]
        remedy = self.dice.choice(["supplement", "credit", "credit_and_reissue"])
        factor = {"supplement": Decimal(2), "credit": Decimal("0.5"), "credit_and_reissue": Decimal("1.5")}[remedy]
        price = (self.price(name) * factor).quantize(CENT)
        if remedy == "credit_and_reissue":
            line["account"] = "4010" if line["account"] == "4000" else "4000"
        line["unit_price"] = str(price)
        self.open[name] = price
        self.allow.append(f"{remedy}:invoice.{name}")

    def price(self, name: str) -> Decimal:
        return Decimal(self.documents["invoices"][name]["lines"][0]["unit_price"])

    def manifest(self) -> str:
        customers = {name: {"name": name, "currency": "USD"} for name in CUSTOMERS}
        return json.dumps({"customers": customers, **{k: v for k, v in self.documents.items() if v}})


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
)
def test_what_is_foretold_is_what_is_owed(seed: int, tmp_path: Path) -> None:
    story, months = Story(tmp_path, {}), Months(seed)
    checked = corrected = 0
    for number in range(6):
        months.month(number)
        story.do_manifests(months.manifest())
        request = PlanRequest(allows=months.allow, reason="the month's end" if months.allow else "")
        with story.session() as session, credit_foretold(session) as foretold:
            applied = apply_now(session, load_declaration(session.project).declaration, request, lambda _: True)
            assert applied.report is not None
            assert applied.report.exit_code in (ExitCode.OK, ExitCode.INCOMPLETE), applied.report
            foretold.check()
            checked += sum(1 for outlook in foretold.outlooks if outlook.remote_id)
            corrected += len(applied.plan.groups)
    assert checked >= 8
    assert corrected >= 2

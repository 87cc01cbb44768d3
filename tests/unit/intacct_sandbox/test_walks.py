"""Anything in any order: whatever is asked, the books stay sound and every object tells the same story of them."""

from __future__ import annotations

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from reconciler.sandboxes.ledger.check import check
from tests.unit.intacct_sandbox.caller import Caller, adjustment, advance, day, gateway, invoice, payment

CREDITS = {
    "ADJUSTMENTKEY": ("TRX_ADJUSTMENTAMOUNT", "ARADJUSTMENT"),
    "ADVANCEKEY": ("TRX_POSTEDADVANCEAMOUNT", "ARADVANCE"),
    "NEGATIVEINVOICEKEY": ("TRX_NEGATIVEINVOICEAMOUNT", "ARINVOICE"),
    "OVERPAYMENTKEY": ("TRX_POSTEDOVERPAYMENTAMOUNT", "ARPYMT"),
}
AMOUNTS = ["TRX_PAYMENTAMOUNT", *(tag for tag, _ in CREDITS.values())]


class Walk:
    """A client that knows some record numbers and asks for whatever comes to its mind."""

    def __init__(self, caller: Caller, chance: random.Random) -> None:
        self.caller = caller
        self.chance = chance
        self.keys: dict[str, list[str]] = defaultdict(list)
        self.count = 0

    def amount(self, most: int = 12_000) -> str:
        return str(Decimal(self.chance.randrange(1, most)) / 100)

    def key(self, name: str) -> str:
        return self.chance.choice(self.keys[name] or ["1"])

    def detail(self) -> str:
        target = f"<RECORDKEY>{self.key('ARINVOICE')}</RECORDKEY>"
        if self.chance.random() < 0.2:
            target = f"<POSADJKEY>{self.key('ARADJUSTMENT')}</POSADJKEY>"
        if self.chance.random() < 0.5:
            return f"{target}<TRX_PAYMENTAMOUNT>{self.amount(2_500)}</TRX_PAYMENTAMOUNT>"
        name = self.chance.choice(list(CREDITS))
        tag, wanted = CREDITS[name]
        return f"{target}<{name}>{self.key(wanted)}</{name}><{tag}>{self.amount(2_500)}</{tag}>"

    def function(self) -> tuple[str, str]:
        """What to ask, and what a record number in the answer is of."""
        self.count += 1
        number = f"N-{self.count}"
        reversed_on = day("datereversed", "2026-11-20")
        match self.chance.randrange(10):
            case 0 | 1 | 2:
                signed = self.amount() if self.chance.random() < 0.8 else f"-{self.amount()}"
                return invoice(number, signed), "ARINVOICE"
            case 3:
                signed = self.amount() if self.chance.random() < 0.3 else f"-{self.amount()}"
                return adjustment(number, signed), "ARADJUSTMENT"
            case 4:
                return advance(self.amount(), self.chance.choice(["2300", "1100"])), "ARADVANCE"
            case 5 | 6 | 7:
                details = [self.detail() for _ in range(self.chance.randrange(1, 4))]
                over = (
                    f"<OVERPAYMENTAMOUNT>{self.amount()}</OVERPAYMENTAMOUNT>" if self.chance.random() < 0.2 else ""
                )
                return payment(*details, number=number, header=over), "ARPYMT"
            case 8:
                key = self.key(self.chance.choice(["ARPYMT", "ARADVANCE"]))
                return f'<reverse_arpayment key="{key}">{reversed_on}</reverse_arpayment>', ""
            case _:
                return f'<reverse_invoice key="{self.key("ARINVOICE")}">{reversed_on}</reverse_invoice>', ""

    def step(self) -> None:
        asked = [self.function() for _ in range(self.chance.randrange(1, 6))]
        together = self.chance.random() < 0.2
        found = self.caller.ask(*(function for function, _ in asked), transaction=together)
        if together and any(outcome.status != "success" for outcome in found):
            assert sorted(outcome.status for outcome in found).count("failure") == 1
            return
        for outcome, (_, name) in zip(found, asked, strict=True):
            if name and outcome.status == "success":
                self.keys[name].append(outcome.key or outcome.recordno)

    def same_story(self) -> None:
        """What details say was applied is what documents say was paid, of the target and of the source."""
        paid: dict[str, Decimal] = defaultdict(Decimal)
        used: dict[str, Decimal] = defaultdict(Decimal)
        fields = ("STATE", "PAYMENTKEY", "RECORDKEY", "POSADJKEY", *CREDITS, *AMOUNTS)
        for row in self.caller.values("ARPYMTDETAIL", *fields):
            detail = dict(zip(fields, row, strict=True))
            if detail["STATE"] != "C":
                continue
            for source, tag in (("PAYMENTKEY", AMOUNTS[0]), *((name, tag) for name, (tag, _) in CREDITS.items())):
                part = Decimal(detail[tag] or 0)
                paid[detail["RECORDKEY"] or detail["POSADJKEY"]] += part
                used[detail[source]] += part
        for name in ("ARINVOICE", "ARADJUSTMENT", "ARADVANCE", "ARPYMT"):
            for key, state, entered, due in self.caller.values(
                name, "RECORDNO", "STATE", "TRX_TOTALENTERED", "TRX_TOTALDUE"
            ):
                if state not in ("Reversed", "V"):
                    assert abs(Decimal(entered) - Decimal(due)) == paid[key] + used[key], (name, key)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_the_books_stay_sound(seed: int) -> None:
    with gateway() as caller:
        caller.customer()
        walk = Walk(caller, random.Random(seed))
        for _ in range(25 if seed == 1 else 60):
            walk.step()
        walk.same_story()
        assert check(caller.running.books.ledger) == []
        assert min(len(walk.keys[name]) for name in ("ARINVOICE", "ARADJUSTMENT", "ARADVANCE", "ARPYMT")) > 1


def test_many_at_once_carry_a_control_id_out_once() -> None:
    with gateway() as caller:
        caller.customer()
        bodies = [
            caller.body(f'<function controlid="a">{invoice("I-1")}</function>', unique=True) for _ in range(8)
        ]
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(caller.send, bodies))
        assert sum(b"<key>" in answer.content for answer in answers) == 1
        assert caller.values("ARINVOICE", "RECORDID") == [("I-1",)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda at: caller.invoice(f"J-{at}"), range(12)))
        assert len(caller.values("ARINVOICE", "RECORDID")) == 13
        assert check(caller.running.books.ledger) == []

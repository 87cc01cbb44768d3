"""Random bookkeeping in three currencies: after every step the invariants hold, and a model agrees."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from reconciler.kernel.money import quantum
from reconciler.sandboxes.ledger.commands import (
    ClosePeriod,
    CreateRecord,
    DiscardDraft,
    JournalLine,
    PostDraft,
    PostJournal,
    ReversePayment,
    SetAllocation,
    UpdateRecord,
    VoidDocument,
)
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

CURRENCIES = ("USD", "JPY", "KWD")
START = date(2026, 1, 1)
RATES = st.sampled_from(
    [Decimal("0.0067"), Decimal("0.0071234"), Decimal("1.37"), Decimal("3.2551"), Decimal("0.9")]
)
DAYS = st.integers(0, 300).map(lambda n: START + timedelta(days=n))
_EXPECTED = {
    RefusalCode.PERIOD_CLOSED,
    RefusalCode.OVER_ALLOCATED,
    RefusalCode.WRONG_PHASE,
    RefusalCode.ALLOCATED,
    RefusalCode.MISMATCH,
    RefusalCode.STALE,
}


class Bookkeeping(RuleBasedStateMachine):
    documents: Bundle[Record] = Bundle("documents")
    drafts: Bundle[Record] = Bundle("drafts")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.ledger = Ledger(Path(self._folder.name) / "books.sqlite")
        self.posted: dict[str, str] = {}
        self.made: dict[str, Record] = {}
        self.settled: dict[tuple[str, str], Decimal] = {}

    def teardown(self) -> None:
        self.ledger.close()
        self._folder.cleanup()

    @initialize()
    def masters(self) -> None:
        self.accounts = {record.code: record.id for record in self.ledger.records(Selection(("account",)))}
        [self.bank] = [record.id for record in self.ledger.records(Selection(("bank_account",)))]
        self.customers = [
            self.ledger.one(CreateRecord("customer", {"name": name, "code": name})).id for name in ("one", "two")
        ]
        content = {"name": "Sales tax", "code": "T", "rate": Decimal("8.875"), "account": self.accounts["2200"]}
        self.tax = self.ledger.one(CreateRecord("tax_rate", content)).id
        for currency in CURRENCIES:
            for kind, day, units, rate in (
                ("invoice", 10, 250_075, "1.37"),
                ("invoice", 20, 99_999, "0.9"),
                ("credit_note", 30, 33_333, "3.2551"),
            ):
                self.post_document(kind=kind, customer=0, currency=currency, rate=Decimal(rate), units=[units],
                    day=START + timedelta(days=day), taxed=False, prices="exclusive")  # fmt: skip
            for remainder, units in (("on_account", 150_001), ("advance", 222_222)):
                self.post_payment(0, currency, Decimal("1.4142"), START + timedelta(days=40), units, remainder)

    def amount(self, units: int, currency: str) -> Decimal:
        return quantum(currency) * units

    def money(self, currency: str, rate: Decimal) -> dict[str, Any]:
        return {"currency": currency} | ({} if currency == "USD" else {"exchange_rate": rate})

    def attempt(self, command: Any) -> Record | None:
        answer = self.ledger.run([command])[0]
        if isinstance(answer, Refusal):
            assert answer.code in _EXPECTED, answer.message
            event(f"{command.verb} refused: {answer.code}")
            return None
        event(f"{command.verb} done")
        return answer

    def keep(self, record: Record | None) -> Any:
        if record is None:
            return multiple()
        self.posted[record.id] = record.body
        self.made[record.id] = record
        return record

    @rule(
        target=documents,
        kind=st.sampled_from(["invoice", "invoice", "credit_note"]),
        customer=st.integers(0, 1),
        currency=st.sampled_from(CURRENCIES),
        rate=RATES,
        day=DAYS,
        units=st.lists(st.integers(0, 999_999), min_size=1, max_size=3),
        taxed=st.booleans(),
        prices=st.sampled_from(["exclusive", "inclusive", "untaxed"]),
    )
    def post_document(
        self,
        kind: str,
        customer: int,
        currency: str,
        rate: Decimal,
        day: date,
        units: list[int],
        taxed: bool,
        prices: str,
    ) -> Any:
        return self.keep(
            self.attempt(self.document(kind, customer, currency, rate, day, units, taxed, prices, "posted"))
        )

    def document(
        self,
        kind: str,
        customer: int,
        currency: str,
        rate: Decimal,
        day: date,
        units: list[int],
        taxed: bool,
        prices: str,
        state: Any,
    ) -> CreateRecord:
        lines = [
            {
                "account": self.accounts["4000" if at % 2 == 0 else "4010"],
                "quantity": Decimal("1"),
                "unit_price": self.amount(n, currency),
                **({"taxes": [self.tax]} if taxed else {}),
            }
            for at, n in enumerate(units)
        ]
        content = {
            "customer": self.customers[customer],
            "issue_date": day,
            "prices": prices,
            "lines": lines,
            **self.money(currency, rate),
        }
        return CreateRecord(kind, content, state=state)

    @rule(
        target=documents,
        customer=st.integers(0, 1),
        currency=st.sampled_from(CURRENCIES),
        rate=RATES,
        day=DAYS,
        units=st.integers(1, 2_000_000),
        remainder=st.sampled_from(["on_account", "advance"]),
    )
    def post_payment(
        self, customer: int, currency: str, rate: Decimal, day: date, units: int, remainder: str
    ) -> Any:
        content = {
            "customer": self.customers[customer],
            "received_on": day,
            "amount": self.amount(units, currency),
            "bank_account": self.bank,
            "remainder": remainder,
            **self.money(currency, rate),
        }
        return self.keep(self.attempt(CreateRecord("payment", content)))

    @rule(
        target=drafts,
        currency=st.sampled_from(CURRENCIES),
        rate=RATES,
        day=DAYS,
        units=st.lists(st.integers(0, 999_999), min_size=1, max_size=2),
    )
    def draft(self, currency: str, rate: Decimal, day: date, units: list[int]) -> Any:
        made = self.attempt(self.document("invoice", 0, currency, rate, day, units, True, "exclusive", "draft"))
        assert made is not None
        return made

    @rule(target=documents, draft=consumes(drafts))
    def post_draft(self, draft: Record) -> Any:
        return self.keep(self.attempt(PostDraft(draft.kind, draft.id)))

    @rule(draft=consumes(drafts))
    def discard(self, draft: Record) -> None:
        self.attempt(DiscardDraft(draft.kind, draft.id))
        assert self.ledger.record(draft.kind, draft.id) is None

    def partner(self, source: Record, choice: int) -> Record | None:
        """A document that `source` could settle: same customer and currency, another kind."""
        kinds = {"payment": ("invoice", "invoice", "credit_note"), "credit_note": ("invoice",)}.get(source.kind, ())
        body = source_facts(source)
        fitting = [
            record
            for kind in kinds
            for record in self.made.values()
            if record.kind == kind and source_facts(record) == body and record.id != source.id
        ]
        return fitting[choice % len(fitting)] if fitting else None

    @rule(at=st.integers(0, 200), choice=st.integers(0, 50), share=st.integers(1, 120), discount=st.integers(0, 10))
    def allocate(self, at: int, choice: int, share: int, discount: int) -> None:
        sources = [record for record in self.made.values() if record.kind != "invoice"]
        source = sources[at % len(sources)]
        settled = self.partner(source, choice)
        if settled is None:
            return
        currency = source_facts(source)[1]
        smaller = min(Decimal(source.computed["total"]), Decimal(settled.computed["total"]))
        units = int(smaller / quantum(currency)) * share // 100
        before = self.settled.get((source.id, settled.id), Decimal(0))
        less = self.amount(units * discount // 100, currency) if settled.kind == "invoice" else Decimal(0)
        command = SetAllocation(
            source.kind, source.id, settled.kind, settled.id, self.amount(units, currency), before, None, less
        )
        if self.attempt(command) is not None:
            self.settled[source.id, settled.id] = self.amount(units, currency)

    @rule(at=st.integers(0, 200), choice=st.integers(0, 50))
    def allocate_in_full(self, at: int, choice: int) -> None:
        self.allocate(at, choice, 100, 0)

    @rule(source=documents, other=documents)
    def allocate_what_does_not_belong(self, source: Record, other: Record) -> None:
        if source_facts(source) == source_facts(other):
            return
        command = SetAllocation(source.kind, source.id, other.kind, other.id, Decimal(1), Decimal(0))
        assert isinstance(self.ledger.run([command])[0], Refusal)

    @rule(choice=st.integers(0, 50), keep=st.integers(0, 2))
    def unallocate(self, choice: int, keep: int) -> None:
        standing = sorted(pair for pair, amount in self.settled.items() if amount)
        if not standing:
            return
        source, settled = standing[choice % len(standing)]
        before = self.settled[source, settled]
        left = before if keep == 1 else Decimal(0)
        kind, other = KIND_OF[source[:3]], KIND_OF[settled[:3]]
        command = SetAllocation(kind, source, other, settled, left, before, keep_extras=True)
        if self.attempt(command) is not None:
            self.settled[source, settled] = left

    @rule(document=documents)
    def void(self, document: Record) -> None:
        self.attempt(VoidDocument(document.kind, document.id, "wrong"))

    @rule(document=documents, day=DAYS)
    def reverse(self, document: Record, day: date) -> None:
        if document.kind == "payment" and self.attempt(ReversePayment(document.id, day, "bounced")) is not None:
            for pair in self.settled:
                if pair[0] == document.id:
                    self.settled[pair] = Decimal(0)

    @rule(document=documents, memo=st.text("abc", min_size=1, max_size=5))
    def amend(self, document: Record, memo: str) -> None:
        live = self.ledger.record(document.kind, document.id)
        assert live is not None
        changed = self.attempt(UpdateRecord(document.kind, document.id, {}, {"memo": memo}, str(live.revision)))
        if changed is not None:
            self.posted[document.id] = changed.body

    @rule(document=documents, field=st.sampled_from(["lines", "customer", "currency", "date"]))
    def tamper(self, document: Record, field: str) -> None:
        after: dict[str, Any] = {
            "lines": {"lines": [{"account": self.accounts["4000"], "unit_price": Decimal(1)}]},
            "customer": {"customer": "cus-999999"},
            "currency": {"currency": "EUR"},
            "date": {"received_on" if document.kind == "payment" else "issue_date": date(2030, 1, 1)},
        }[field]
        if document.kind == "payment" and field == "lines":
            return
        answer = self.ledger.run([UpdateRecord(document.kind, document.id, {}, after)])[0]
        assert isinstance(answer, Refusal)
        assert answer.code in (RefusalCode.POSTED_IMMUTABLE, RefusalCode.WRONG_PHASE)

    @rule(day=DAYS)
    def close(self, day: date) -> None:
        self.attempt(ClosePeriod(min(day, START + timedelta(days=120))))

    @rule(units=st.integers(1, 10_000), day=DAYS)
    def journal(self, units: int, day: date) -> None:
        amount = self.amount(units, "USD")
        lines = [JournalLine(self.accounts["6100"], amount), JournalLine(self.accounts["1200"], -amount)]
        self.attempt(PostJournal(day, lines, "charges"))

    @invariant()
    def books_hold(self) -> None:
        assert self.ledger.report("check", {}) == []

    @invariant()
    def debits_equal_credits(self) -> None:
        rows = self.ledger.report("trial_balance", {})
        assert sum(row.debit for row in rows) == sum(row.credit for row in rows)

    @invariant()
    def nothing_posted_changes(self) -> None:
        live = {
            record.id: record for record in self.ledger.records(Selection(("invoice", "credit_note", "payment")))
        }
        for id_text, body in self.posted.items():
            assert live[id_text].body == body
        made = {
            (record.id, allocation.target_id): Decimal(allocation.amount)
            for record in live.values()
            for allocation in record.allocations
        }
        assert made == {pair: amount for pair, amount in self.settled.items() if amount}


KIND_OF = {"inv": "invoice", "crn": "credit_note", "pay": "payment"}


def source_facts(record: Record) -> tuple[str, str]:
    content = json.loads(record.body)
    return content["customer"], content["currency"]


_COMMON: dict[str, Any] = {"stateful_step_count": 40, "deadline": None, "suppress_health_check": list(HealthCheck)}

TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(max_examples=25, **_COMMON)


@pytest.mark.slow
class TestMuchBookkeeping(Bookkeeping.TestCase):  # type: ignore[misc]
    settings = settings(max_examples=1000, **_COMMON)

"""Whatever books people make: an import declares them, and a plan has nothing to do; a second changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.apply.running import Surroundings
from reconciler.importing.model import Why
from reconciler.sandboxes.ledger.check import check as ledger_check
from reconciler.sandboxes.ledger.commands import CreateRecord, DiscardDraft, ReversePayment, VoidDocument
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import Refusal
from tests.unit.importing.others import Others

NAMES = ("Acme", "acme", "NO", "012", "Müller & Söhne", "株式会社", "a: b", "1e3", "null", "-", "x" * 70, " y")
TEXTS = ("work", "two\nlines", "Tax: 10 %", "# not a comment", '"quoted"', "2026-11-10", "[x]", "\ttab", "é\u00a0é")
NUMBERS = ("INV-1", "inv-1", "INV/2026/1", "7", "1e5", "N 1", "ü", "x" * 60, None, None, None)
DAYS = tuple(date(2026, month, day) for month, day in ((9, 30), (10, 1), (11, 2), (11, 2), (11, 20)))
PRICES = ("10.05", "0.333", "100", "7.777", "1234.5")
TAGS = (None, None, None, "theirs~abcdabcdabcdabcd")


@dataclass
class Clerks:
    """People who write to the books as chance has it; what the books refuse was never done."""

    draw: Any
    ledger: Ledger
    ids: dict[str, str] = field(default_factory=dict)
    made: dict[str, list[Record]] = field(default_factory=dict)

    def pick(self, values: Any) -> Any:
        return self.draw(st.sampled_from(list(values)))

    def maybe(self, **fields: Any) -> dict[str, Any]:
        return {key: value for key, value in fields.items() if self.draw(st.booleans())}

    def make(self, kind: str, content: dict[str, Any], **more: Any) -> Record | None:
        try:
            record = self.ledger.one(CreateRecord(kind, content, **more))
        except Refusal:
            return None
        self.made.setdefault(kind, []).append(record)
        return record

    def masters(self) -> None:
        rows = self.ledger.records(Selection(("account", "bank_account")))
        self.ids = {row.code or row.name or "": row.id for row in rows}
        self.make("tax_rate", {"code": "vat", "rate": "10", "account": self.ids["2200"]})
        self.make("tax_rate", {"code": "VAT 20", "rate": "20", "account": self.ids["2200"]})
        self.make("payment_term", {"name": "net 30", "days": 30})
        self.make("item", {"name": "Widget", "unit_price": "5", "income_account": self.ids["4000"]})
        euros = {"name": "euros", "account": self.ids["1200"], "currency": "EUR"}
        self.make("bank_account", euros)
        for _ in range(self.draw(st.integers(1, 4))):
            more = self.maybe(code=self.pick(NAMES)[:60], currency=self.pick(("USD", "EUR")), email="a@b.example")
            self.make("customer", {"name": self.pick(NAMES), **more}, reference=self.pick(TAGS[1:]))

    def header(self) -> dict[str, Any]:
        customers = self.made.get("customer") or [self.make("customer", {"name": "Last resort"})]
        customer = self.pick(customers)
        currency = self.pick(("USD", "EUR"))
        rate = {"exchange_rate": self.pick(("1.1", "0.98765"))} if currency == "EUR" else {}
        return {"customer": customer.id, "currency": currency, **rate}

    def lines(self) -> list[dict[str, Any]]:
        found = []
        for _ in range(self.draw(st.integers(1, 3))):
            line: dict[str, Any] = {
                "account": self.ids[self.pick(("4000", "4010"))],
                "unit_price": self.pick(PRICES),
            }
            line |= self.maybe(description=self.pick(TEXTS), quantity=self.pick(("2", "1.5", "0.01", "1")))
            line |= self.maybe(taxes=[self.pick(self.made["tax_rate"]).id], discount={"percent": "10"})
            if "taxes" in line and self.draw(st.integers(0, 3)) == 0:
                line["tax_amount"] = self.pick(("0", "1.23"))
            if self.draw(st.integers(0, 3)) == 0:
                line["item"] = self.made["item"][0].id
            found.append(line)
        return found

    def document(self, kind: str) -> None:
        state = "draft" if self.draw(st.integers(0, 5)) == 0 else "posted"
        prices = self.maybe(prices=self.pick(("exclusive", "inclusive")))
        content = {**self.header(), **prices, "issue_date": self.pick(DAYS), "lines": self.lines()}
        content |= self.maybe(memo=self.pick(TEXTS))
        if kind == "invoice":
            content |= self.maybe(due_date=date(2026, 12, 1), po_number=self.pick(TEXTS), terms=self._terms())
        elif self.draw(st.booleans()):
            content["original"] = {"invoice": self._invoice()} if self._invoice() else None
        record = self.make(kind, content, number=self.pick(NUMBERS), state=state, reference=self._tag())
        if record is not None and kind == "credit_note" and state == "posted":
            self._settle(record, content)

    def _terms(self) -> str:
        return self.made["payment_term"][0].id

    def _tag(self) -> str | None:
        tag = self.pick(TAGS)
        return f"{len(self.made.get('invoice', ()))}{tag}" if tag else None

    def _invoice(self) -> str | None:
        return self.made["invoice"][0].id if self.made.get("invoice") else None

    def payment(self) -> None:
        content = {**self.header(), "received_on": self.pick(DAYS), "amount": self.pick(("50", "100", "11.06"))}
        bank = "operating" if content["currency"] == "USD" else "euros"
        content["bank_account"] = next(
            row.id for row in self.ledger.records(Selection(("bank_account",))) if row.name == bank
        )
        content |= self.maybe(reference=self.pick(TEXTS[2:5]), method="wire", memo=self.pick(TEXTS))
        record = self.make("payment", content, number=self.pick(NUMBERS), reference=self._tag())
        if record is not None:
            self._settle(record, content)

    def _settle(self, source: Record, content: dict[str, Any]) -> None:
        from reconciler.sandboxes.ledger.commands import SetAllocation

        for target in self.made.get("invoice", ()):
            if not self.draw(st.booleans()):
                continue
            extras = self.maybe(discount=Decimal("0.5"), date=date(2026, 11, 21))
            if source.kind == "payment" and self.draw(st.integers(0, 3)) == 0:
                extras["write_off"] = {"amount": Decimal("0.1"), "account": self.ids["6200"], "reason": "cents"}
            amount = Decimal(self.pick(("5", "10", "0.07")))
            try:
                self.ledger.one(SetAllocation(source.kind, source.id, "invoice", target.id, amount, **extras))
            except Refusal:
                continue

    def end(self) -> None:
        kind = self.pick(("invoice", "payment"))
        if not self.made.get(kind):
            return
        record = self.pick(self.made[kind])
        command: Any = VoidDocument("invoice", record.id, "mistake")
        if kind == "payment":
            command = ReversePayment(record.id, date(2026, 11, 21), "bounced")
        elif record.phase == "draft":
            command = DiscardDraft("invoice", record.id)
        try:
            self.ledger.one(command)
        except Refusal:
            return

    def work(self, *acts: str) -> None:
        for _ in range(self.draw(st.integers(1, 14))):
            act = self.pick(("invoice", "invoice", "credit_note", "payment", "payment", *acts))
            if act == "payment":
                self.payment()
            elif act == "end":
                self.end()
            else:
                self.document(act)


@contextmanager
def some_folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="import-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


class Killed(BaseException):
    """The process died here."""


@dataclass
class DiesAt:
    """Events of a run that ends at the n-th boundary whose name begins so."""

    name: str
    left: int

    def boundary(self, name: str, step_id: str = "") -> None:
        if name.startswith(self.name):
            if self.left == 0:
                raise Killed
            self.left -= 1

    def progress(self, done: int, total: int, text: str) -> None: ...


def imported(others: Others, **options: Any) -> None:
    report = others.run_import(**options)
    allowed = {Why.ENDED, Why.ANOTHER_PROJECT, Why.REFERS}
    strange = [item for item in report.left_out if item.why not in allowed and item.kind != "tax_rate"]
    assert all("tax comes to" in item.detail for item in strange), strange  # where a rate is declared that says so
    foreign = bool(strange) or any(item.why is Why.ANOTHER_PROJECT for item in report.left_out)
    refers = [item for item in report.left_out if item.why is Why.REFERS]
    assert foreign or not refers, refers
    assert report.tie_out.ties, report.tie_out
    made = others.plan()
    made_of_others = [item for item in made.drift if "not by us" not in item.detail]
    assert not made.changes, [(change.address, change.detail, change.fields) for change in made.changes]
    assert not made.has_work
    assert not made_of_others
    assert foreign or not made.drift or options, made.drift


OPTIONS = st.sampled_from(
    [{}, {}, {"open_only": True}, {"since": "2026-11-02"}, {"kinds": ["payments"]}, {"kinds": ["all"]}]
)


def play(data: Any) -> None:
    with some_folder() as root:
        others = Others(root)
        with others.ledger() as ledger:
            clerks = Clerks(data.draw, ledger)
            clerks.masters()
            clerks.work("end")
            assert ledger_check(ledger) == []
        options = data.draw(OPTIONS)
        crash = data.draw(
            st.sampled_from([None, None, ("file_written", 0), ("file_written", 1), ("files_written", 0)])
        )
        if crash is not None:
            try:
                others.run_import(Surroundings(command="import", events=DiesAt(*crash)), **options)
            except Killed:
                others.clock.advance(600)
        imported(others, **options)
        files, state = others.files(), others.state()
        imported(others, **options)
        assert (others.files(), others.state()) == (files, state)
        others.lose_state()
        if data.draw(st.booleans()):
            others.lose_manifests()
        imported(others, **options)
        assert others.files() == files
        with others.ledger() as ledger:
            again = Clerks(data.draw, ledger, dict(clerks.ids), {kind: list(v) for kind, v in clerks.made.items()})
            again.work()
        imported(others)
        others.lose_state()
        others.lose_manifests()
        imported(others)
        nobody = others.files()
        others.lose_state()
        imported(others)
        assert others.files() == nobody


@given(st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_books_are_imported(data: Any) -> None:
    play(data)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_books_are_imported_at_length(data: Any) -> None:
    play(data)

"""Books for tests: a ledger in a temporary file, and short ways to say what to write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.commands import CreateRecord, SetAllocation
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.settings import BooksSettings

NOV_10 = date(2026, 11, 10)
NOV_15 = date(2026, 11, 15)


def d(text: str) -> Decimal:
    return Decimal(text)


@dataclass
class TestBooks:
    """A ledger with one customer and one bank account."""

    __test__ = False

    ledger: Ledger
    clock: ManualClock
    accounts: dict[str, str]
    bank: str
    customer: str

    @classmethod
    def open(cls, path: Path, settings: BooksSettings | None = None) -> TestBooks:
        clock = ManualClock()
        ledger = Ledger(path, clock=clock, settings=settings)
        accounts = {record.code or "": record.id for record in ledger.records(Selection(("account",)))}
        [bank] = [record.id for record in ledger.records(Selection(("bank_account",)))]
        acme = ledger.one(CreateRecord("customer", {"name": "Acme", "code": "acme"}, "acme~1"))
        return cls(ledger, clock, accounts, bank, acme.id)

    def line(self, price: str = "100", account: str = "4000", **more: Any) -> dict[str, Any]:
        return {"description": "x", "account": self.accounts[account], "unit_price": d(price), **more}

    def invoice_content(self, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {
            "customer": self.customer,
            "issue_date": NOV_10,
            "due_date": date(2026, 12, 10),
            "lines": list(lines) or [self.line()],
            **fields,
        }

    def invoice(
        self, *lines: dict[str, Any], number: str | None = None, state: Any = "posted", **fields: Any
    ) -> Record:
        content = self.invoice_content(*lines, **fields)
        return self.ledger.one(CreateRecord("invoice", content, None, number, state))

    def credit(
        self, *lines: dict[str, Any], number: str | None = None, state: Any = "posted", **fields: Any
    ) -> Record:
        content = {"customer": self.customer, "issue_date": NOV_10, "lines": list(lines) or [self.line()], **fields}
        return self.ledger.one(CreateRecord("credit_note", content, None, number, state))

    def payment(self, amount: str = "100", *, number: str | None = None, **fields: Any) -> Record:
        content = {
            "customer": self.customer,
            "received_on": NOV_15,
            "amount": d(amount),
            "bank_account": self.bank,
            **fields,
        }
        return self.ledger.one(CreateRecord("payment", content, None, number))

    def allocate(self, source: Record, target: Record, amount: str, before: str = "0", **more: Any) -> Record:
        return self.ledger.one(
            SetAllocation(source.kind, source.id, target.kind, target.id, d(amount), d(before), **more)
        )

    def again(self, record: Record) -> Record:
        found = self.ledger.record(record.kind, record.id)
        assert found is not None
        return found

    def open_of(self, record: Record) -> Decimal:
        return Decimal(self.again(record).computed["open"])

    def balance(self, code: str) -> Decimal:
        """An account's balance in base currency, debits positive."""
        for row in self.ledger.report("trial_balance", {}):
            if row.code == code:
                return Decimal(row.debit - row.credit)
        return Decimal(0)

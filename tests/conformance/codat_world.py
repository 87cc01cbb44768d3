"""Codat's sandbox as a world, and a colleague who works in the books behind it, not through Codat.

The sandbox is written from Codat's documents and shares no code with the provider. Every request the provider sends
is kept, for the contract with the vendor's schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.kernel.clock import Clock, ManualClock, SystemClock
from reconciler.sandboxes.ledger.commands import ClosePeriod, Command, CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.serving import Running, start
from reconciler.testing.world import Foreign, Hooks, Request, Tax, Vocabulary, World

KEY = "CODAT_WORLD_KEY"
TODAY = date.today()
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="operating",
    currency="USD",
    taxes=(Tax("REDUCED", Decimal(10)), Tax("STANDARD", Decimal(20))),
    foreign=Foreign("EUR", Decimal("1.10")),
    odd_currencies=(Foreign("JPY", Decimal("0.0065")), Foreign("KWD", Decimal("3.25"))),
    foreign_bank="euros",
    write_off_account="6200",
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)
_SEED: Mapping[str, Any] = {
    "bank_accounts": {"euros": {"name": "euros", "account": "1200", "currency": "EUR"}},
    "tax_rates": {
        "REDUCED": {"name": "Reduced", "rate": "10", "account": "2200"},
        "STANDARD": {"name": "Standard", "rate": "20", "account": "2200"},
    },
}


@dataclass(slots=True)
class Bookkeeper:
    """A colleague in the ERP itself."""

    running: Running
    count: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            missing={"close_period": "Codat does not tell which periods are closed"},
        )

    def post_invoice(self, customer: str, amount: Decimal) -> str:
        line = {"description": "By hand", "account": self.id_of("account", "4000"), "quantity": Decimal(1)}
        content = {"customer": customer, "issue_date": TODAY, "lines": [{**line, "unit_price": amount}]}
        return self.do(CreateRecord("invoice", content, number=self.number("HAND"))).id

    def post_payment(self, customer: str, amount: Decimal, invoice: str | None) -> str:
        bank = self.id_of("bank_account", "operating")
        content: dict[str, Any] = {
            "customer": customer,
            "received_on": TODAY,
            "amount": amount,
            "bank_account": bank,
        }
        if invoice:
            content["allocations"] = [{"invoice": invoice, "amount": amount}]
        return self.do(CreateRecord("payment", content)).id

    def edit_customer(self, customer: str, name: str) -> None:
        row = self.ledger.record("customer", customer)
        assert row is not None
        self.do(UpdateRecord("customer", customer, {"name": row.name}, {"name": name}))

    def close_period(self, day: date) -> None:
        self.do(ClosePeriod(through=day))

    @property
    def ledger(self) -> Any:
        self.running.settle()
        return self.running.books.ledger

    def number(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}-{self.count}"

    def id_of(self, kind: str, name: str) -> str:
        return next(row.id for row in self.ledger.records(Selection((kind,))) if name in (row.code, row.name))

    def do(self, command: Command) -> Record:
        made = self.ledger.one(command)
        assert isinstance(made, Record), made
        return made


@dataclass(slots=True)
class CodatWorld:
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    hooks: Hooks
    clock: Clock
    settings: Mapping[str, Any]
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str | None:
        return self.running.url

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        presents = self.running.connection
        return {
            "provider": "codat",
            "endpoint": endpoint or self.running.url,
            "api_key": "${env:" + KEY + "}",
            "company_id": presents["company_id"],
            "connection_id": presents["connection_id"],
            **self.settings,
        }

    def environment(self) -> Mapping[str, str]:
        return {KEY: str(self.running.connection["api_key"])}

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1, "settle_seconds": 1, "timed_out_settle_seconds": 1, "refresh_wait_seconds": 5}

    def is_write(self, request: Request) -> bool:
        return "/push/" in request.path and request.method in ("POST", "PUT", "DELETE")


EVERYTHING = {"void_invoices": True, "amend_posted": ["memo", "due_date"], "attachments": False}


@contextmanager
def sandbox(
    folder: Path,
    *,
    switches: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    settings: Mapping[str, Any] = EVERYTHING,
) -> Iterator[World]:
    """A sandbox in this process, on a clock that moves when it is slept on."""
    clock = clock or ManualClock()
    more = {"daily_quota": "1000000", "per_minute": "0", "concurrent": "100", **(switches or {})}
    with start("codat", switches=more, seed=_SEED, clock=clock) as running:
        yield CodatWorld(running, Bookkeeper(running).hooks(), clock, settings)


@contextmanager
def in_real_time(folder: Path, *, settings: Mapping[str, Any] = EVERYTHING) -> Iterator[World]:
    """The same on the machine's clock, with pushes and refreshes that take no time to speak of."""
    quick = {**settings, "poll_seconds": "0.05", "push_wait_seconds": 5}
    with sandbox(folder, switches={"push_ms": "20", "pull_ms": "20"}, clock=SystemClock(), settings=quick) as world:
        yield world

"""The embedded ledger as a world: served over HTTP, or in a file of this process; with a colleague beside us."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from reconciler.providers.ledger.client import LedgerClient
from reconciler.sandboxes.ledger.commands import ClosePeriod, Command, CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.process import start_server
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.testing.world import Foreign, Hooks, Request, Tax, Vocabulary, World

TODAY = date.today()
TOKEN = "LEDGER_WORLD_TOKEN"
CATEGORY = "Region of the world"
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="operating",
    currency="USD",
    taxes=(Tax("vat-10", Decimal(10)), Tax("vat-20", Decimal(20))),
    foreign=Foreign("EUR", Decimal("1.10")),
    odd_currencies=(Foreign("JPY", Decimal("0.0065")), Foreign("KWD", Decimal("3.25"))),
    foreign_bank="euros",
    terms="net-30",
    write_off_account="6200",
    category=CATEGORY,
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)


@dataclass(slots=True)
class Clerk:
    """A colleague, at the books' own counter."""

    port: LedgerPort
    numbered: bool = True
    count: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            close_period=self.close_period,
            add_tracking_value=self.add_tracking_value,
        )

    def furnish(self) -> None:
        """Taxes, terms and a second bank account, made before anybody else came."""
        vat: dict[str, Any] = {"account": self.id_of("account", "2200")}
        for name, rate in (("vat-10", 10), ("vat-20", 20)):
            self.do(CreateRecord("tax_rate", {"code": name, "name": name, "rate": Decimal(rate), **vat}))
        self.do(CreateRecord("payment_term", {"name": "net-30", "days": 30}))
        bank = {"name": "euros", "account": self.id_of("account", "1200"), "currency": "EUR"}
        self.do(CreateRecord("bank_account", bank))
        self.do(CreateRecord("tracking_category", {"name": CATEGORY, "values": ["None of these"]}))

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
        return self.do(CreateRecord("payment", content, number=self.number("CASH"))).id

    def edit_customer(self, customer: str, name: str) -> None:
        row = next(iter(self.port.records(Selection(("customer",), (customer,)))))
        self.do(UpdateRecord("customer", customer, {"name": row.name}, {"name": name}))

    def close_period(self, day: date) -> None:
        self.do(ClosePeriod(through=day))

    def add_tracking_value(self, value: str) -> None:
        row = next(row for row in self.port.records(Selection(("tracking_category",))) if row.name == CATEGORY)
        values = json.loads(row.body)["values"]
        self.do(UpdateRecord("tracking_category", row.id, {"values": values}, {"values": [*values, value]}))

    def number(self, prefix: str) -> str | None:
        """A number of her own, where the books take one."""
        if not self.numbered:
            return None
        self.count += 1
        return f"{prefix}-{self.count}"

    def id_of(self, kind: str, name: str) -> str:
        return next(row.id for row in self.port.records(Selection((kind,))) if name in (row.code, row.name))

    def do(self, command: Command) -> Record:
        answer = self.port.run([command])[0]
        assert isinstance(answer, Record), answer
        return answer


@dataclass(slots=True)
class LedgerWorld:
    """`endpoint` None: the books are the file `path` of this process."""

    endpoint: str | None
    hooks: Hooks
    token: str = ""
    path: Path | None = None
    words: Vocabulary = WORDS
    settings: Mapping[str, Any] = field(default_factory=dict)

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        if self.path is not None:
            return {"provider": "ledger", "path": str(self.path), **self.settings}
        token = "${env:" + TOKEN + "}"
        return {"provider": "ledger", "endpoint": endpoint or self.endpoint, "token": token, **self.settings}

    def environment(self) -> Mapping[str, str]:
        return {TOKEN: self.token} if self.token else {}

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1}

    def is_write(self, request: Request) -> bool:
        return request.path in ("/run", "/push")


@contextmanager
def served(folder: Path) -> Iterator[World]:
    """The ledger as a server of its own."""
    with start_server(folder / "books.sqlite", "--keep-versions") as server:
        client = LedgerClient(server.url, server.token)
        clerk = Clerk(client)
        clerk.furnish()
        try:
            yield LedgerWorld(server.url, clerk.hooks(), server.token)
        finally:
            client.close()


@contextmanager
def in_process(folder: Path) -> Iterator[World]:
    """The ledger in a file, opened by this process."""
    path = folder / "books.sqlite"
    with Ledger(path) as ledger:
        clerk = Clerk(ledger)
        clerk.furnish()
        yield LedgerWorld(None, clerk.hooks(), path=path)


__all__ = ["LedgerWorld", "in_process", "served"]

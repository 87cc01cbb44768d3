"""Rutter's sandbox as a world, and a colleague who works in the books behind it, not through Rutter.

The sandbox is written from Rutter's documents and shares no code with the provider. Every request the provider
sends is kept, for the contract with the vendor's schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from reconciler.kernel.clock import Clock, ManualClock, SystemClock
from reconciler.sandboxes.ledger.commands import Command, CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.serving import Running, start
from reconciler.testing.world import Foreign, Hooks, Request, Tax, Vocabulary, World

CLIENT, SECRET, TOKEN = "RUTTER_WORLD_CLIENT", "RUTTER_WORLD_SECRET", "RUTTER_WORLD_TOKEN"
TODAY = date.today()
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="Bank",
    currency="USD",
    taxes=(Tax("REDUCED", Decimal(10)), Tax("STANDARD", Decimal(20))),
    foreign=Foreign("EUR", Decimal("1.10")),
    odd_currencies=(Foreign("JPY", Decimal("0.0067")),),
    foreign_bank="Euros",
    terms="Net 30",
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)
SEED: Mapping[str, Any] = {
    "accounts": {"1210": {"name": "Euros", "code": "1210", "type": "bank", "currency": "EUR"}},
    "bank_accounts": {"euros": {"name": "euros", "account": "1210", "currency": "EUR"}},
    "tax_rates": {
        "REDUCED": {"name": "Reduced rate", "rate": "10", "account": "2200"},
        "STANDARD": {"name": "Standard rate", "rate": "20", "account": "2200"},
    },
    "payment_terms": {"Net 30": {"days": 30}},
}


@dataclass(slots=True)
class Bookkeeper:
    """A colleague in the platform itself. Ids are Rutter's: the sandbox is asked which record they name."""

    running: Running
    client: httpx.Client
    clock: Clock
    count: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            missing={"close_period": "the sandbox tells no closing date"},
        )

    def post_invoice(self, customer: str, amount: Decimal) -> str:
        line = {"description": "By hand", "account": self.id_of("account", "4000"), "quantity": Decimal(1)}
        content = {
            "customer": self.behind("customers", customer),
            "issue_date": TODAY,
            "lines": [{**line, "unit_price": amount}],
        }
        self.count += 1
        number = f"HAND-{self.count}"
        self.do(CreateRecord("invoice", content, number=number))
        return self.shown("invoices", "document_number", number)

    def post_payment(self, customer: str, amount: Decimal, invoice: str | None) -> str:
        self.count += 1
        content: dict[str, Any] = {
            "customer": self.behind("customers", customer),
            "received_on": TODAY,
            "amount": amount,
            "bank_account": self.id_of("bank_account", "operating"),
            "reference": f"BY-HAND-{self.count}",
        }
        if invoice:
            content["allocations"] = [{"invoice": self.behind("invoices", invoice), "amount": amount}]
        self.do(CreateRecord("payment", content))
        return self.shown("invoice_payments", "reference", content["reference"])

    def edit_customer(self, customer: str, name: str) -> None:
        id_ = self.behind("customers", customer)
        row = self.running.books.ledger.record("customer", id_)
        assert row is not None
        self.do(UpdateRecord("customer", id_, {"name": row.name}, {"name": name}))

    # ---- the platform's own ids, and Rutter's ----

    def behind(self, resource: str, id_: str) -> str:
        """The ledger's id of a record: the sandbox's `platform_id` is the number in it."""
        row = next(row for row in self.listed(resource) if row["id"] == id_)
        kind = {"customers": "customer", "invoices": "invoice"}[resource]
        rows = self.running.books.ledger.records(Selection((kind,)))
        return next(one.id for one in rows if one.id.rpartition("-")[2] == row["platform_id"])

    def shown(self, resource: str, name: str, value: str) -> str:
        """Rutter's id of a record, once it has synced."""
        self.client.post("/connections/incremental_sync", json={})
        for _ in range(100):
            found = [row["id"] for row in self.listed(resource) if row[name] == value]
            if found:
                return str(found[0])
            self.clock.sleep(0.1)
        raise AssertionError(f"no {name} {value} in {resource}")

    def listed(self, resource: str) -> list[dict[str, Any]]:
        answer = self.client.get(f"/accounting/{resource}", params={"limit": 500})
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()[resource]
        return rows

    def id_of(self, kind: str, name: str) -> str:
        rows = self.running.books.ledger.records(Selection((kind,)))
        return next(row.id for row in rows if name in (row.code, row.name))

    def do(self, command: Command) -> Record:
        made = self.running.books.ledger.one(command)
        assert isinstance(made, Record), made
        return made


@dataclass(slots=True)
class RutterWorld:
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    hooks: Hooks
    clock: Clock
    settings: Mapping[str, Any]
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str | None:
        return f"{self.running.url}/versioned"

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        return {
            "provider": "rutter",
            "endpoint": endpoint or self.endpoint,
            "client_id": "${env:" + CLIENT + "}",
            "client_secret": "${env:" + SECRET + "}",
            "access_token": "${env:" + TOKEN + "}",
            "poll_ms": 50,
            **self.settings,
        }

    def environment(self) -> Mapping[str, str]:
        presents = self.running.connection
        return {
            CLIENT: str(presents["client_id"]),
            SECRET: str(presents["client_secret"]),
            TOKEN: str(presents["access_token"]),
        }

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1, "settle_seconds": 1, "sync_wait_seconds": 5}

    def is_write(self, request: Request) -> bool:
        return "/accounting/" in request.path and request.method in ("POST", "PATCH", "DELETE")


@contextmanager
def sandbox(
    folder: Path,
    *,
    switches: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[World]:
    """A sandbox in this process, on a clock that moves when it is slept on."""
    clock = clock or ManualClock()
    more = {"per_10s": "0", **(switches or {})}
    with start("rutter", switches=more, seed=SEED, clock=clock) as running:
        presents = running.connection
        with httpx.Client(
            base_url=f"{running.url}/versioned",
            auth=(str(presents["client_id"]), str(presents["client_secret"])),
            headers={"X-Rutter-Version": "2024-08-31"},
            params={"access_token": str(presents["access_token"])},
        ) as client:
            hooks = Bookkeeper(running, client, clock).hooks()
            yield RutterWorld(running, hooks, clock, settings or {})


@contextmanager
def in_real_time(folder: Path) -> Iterator[World]:
    """The same on the machine's clock, with syncs that take no time to speak of."""
    with sandbox(folder, switches={"sync_ms": "20"}, clock=SystemClock()) as world:
        yield world


@contextmanager
def of_xero(folder: Path) -> Iterator[World]:
    """A platform that takes drafts, numbers of credit memos, and no reference of payments."""
    with sandbox(folder, switches={"platform": "XERO"}) as world:
        yield world


@contextmanager
def of_intacct(folder: Path) -> Iterator[World]:
    """A platform that assigns numbers, ignores filters and voids nothing."""
    with sandbox(folder, switches={"platform": "SAGE_INTACCT"}) as world:
        yield world

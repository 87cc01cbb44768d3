"""A real Tryton as a world, and a colleague who works in it over RPC as its own client would.

She shares no code with our provider: what the two misunderstand alike would not be found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reconciler.sandboxes.tryton import TrytonMissing, TrytonServer
from reconciler.sandboxes.tryton.books import BANK as BANK_ACCOUNT
from reconciler.sandboxes.tryton.books import BANK_JOURNAL, GOODS, RECEIVABLE, SERVICES
from reconciler.sandboxes.tryton.packages import installed_versions
from reconciler.sandboxes.tryton.rpc import TrytonRpc
from reconciler.testing.world import Foreign, Hooks, Request, Tax, Vocabulary, World

PASSWORD = "TRYTON_WORLD_PASSWORD"
TODAY = date.today()
WORDS = Vocabulary(
    income=GOODS,
    other_income=SERVICES,
    bank="Bank",
    currency="USD",
    taxes=(Tax("Sales tax 10%", Decimal(10)), Tax("Sales tax 20%", Decimal(20))),
    foreign=Foreign("EUR", Decimal("1.25")),
    foreign_bank="Bank",
    terms="Net 30",
    write_off_account="5.2.3",
    account_fields={"type": "income", "code": "4.9.<x>"},
    today=TODAY,
    closable=date(2024, 1, 10),
)
READS = ("search", "read", "search_read", "search_count", "default_get", "fields_get", "get_preferences", "login")


@dataclass(slots=True)
class Accountant:
    """A colleague in Tryton's client."""

    rpc: TrytonRpc

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            close_period=self.close_period,
        )

    def post_invoice(self, customer: str, amount: Decimal) -> str:
        party = int(customer)
        addresses = self.rpc.search("party.address", [["party", "=", party]])
        if not addresses:
            addresses = self.rpc.create("party.address", {"party": party})
        line = {
            "type": "line",
            "account": self.account(GOODS),
            "quantity": 1,
            "unit_price": amount,
            "description": "By hand",
        }
        (invoice,) = self.rpc.create(
            "account.invoice",
            {
                "type": "out",
                "company": self.rpc.context["company"],
                "party": party,
                "invoice_address": addresses[0],
                "currency": self.one("currency.currency", [["code", "=", "USD"]]),
                "account": self.account(RECEIVABLE),
                "journal": self.one("account.journal", [["type", "=", "revenue"]]),
                "invoice_date": TODAY,
                "lines": [["create", [line]]],
            },
        )
        self.rpc.model("account.invoice", "post", [invoice])
        return str(invoice)

    def post_payment(self, customer: str, amount: Decimal, invoice: str | None) -> str:
        party = int(customer)
        receivable = self.account(RECEIVABLE)
        (move,) = self.rpc.create(
            "account.move",
            {
                "company": self.rpc.context["company"],
                "journal": self.one("account.journal", [["code", "=", BANK_JOURNAL]]),
                "period": self.one("account.period", [["start_date", "<=", TODAY], ["end_date", ">=", TODAY]]),
                "date": TODAY,
                "lines": [
                    [
                        "create",
                        [
                            {"account": self.account(BANK_ACCOUNT), "debit": amount, "credit": Decimal(0)},
                            {"account": receivable, "debit": Decimal(0), "credit": amount, "party": party},
                        ],
                    ]
                ],
            },
        )
        self.rpc.model("account.move", "post", [move])
        if invoice:
            line = self.one("account.move.line", [["move", "=", move], ["account", "=", receivable]])
            self.rpc.model("account.invoice", "write", [int(invoice)], {"payment_lines": [["add", [line]]]})
        return str(move)

    def edit_customer(self, customer: str, name: str) -> None:
        self.rpc.model("party.party", "write", [int(customer)], {"name": name})

    def close_period(self, day: date) -> None:
        periods = self.rpc.search("account.period", [["start_date", "<=", day], ["state", "=", "open"]])
        self.rpc.model("account.period", "close", periods)

    def account(self, code: str) -> int:
        return self.one("account.account", [["code", "=", code]])

    def one(self, model: str, domain: list[Any]) -> int:
        return self.rpc.search(model, domain)[0]


@dataclass(slots=True)
class TrytonWorld:
    """A running server."""

    server: TrytonServer
    hooks: Hooks
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str:
        return self.server.url

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        return {
            "provider": "tryton",
            "endpoint": endpoint or self.server.url,
            "database": self.server.database,
            "user": self.server.user,
            "password": "${env:" + PASSWORD + "}",
        }

    def environment(self) -> Mapping[str, str]:
        return {PASSWORD: self.server.password}

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 5, "settle_seconds": 2}

    def is_write(self, request: Request) -> bool:
        """All but what is known to read: logging in, searching, reading."""
        try:
            method = str(json.loads(request.body)["method"])
        except (ValueError, KeyError, TypeError):
            return request.method != "GET"
        return method.rpartition(".")[2] not in READS


@contextmanager
def tryton_world(folder: Path) -> Iterator[World]:
    """A Tryton of its own, with fresh books; skips where trytond is not installed."""
    try:
        installed_versions()
    except TrytonMissing as error:
        pytest.skip(str(error))
    with TrytonServer.start(folder) as server, server.rpc() as rpc:
        yield TrytonWorld(server, Accountant(rpc).hooks())

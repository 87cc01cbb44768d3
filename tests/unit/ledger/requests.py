"""Short ways to ask a provider for something in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from reconciler.providers.operations import Allocate, Create, Operation
from reconciler.providers.protocol import Done, ExecuteRequest, Probe, Provider, Query

NOV_10 = date(2026, 11, 10)
NOV_15 = date(2026, 11, 15)


@dataclass
class Stages:
    """A `Progress` that remembers, and crashes where it is told to."""

    recorded: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    crash: BaseException | None = None

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        if self.crash is not None:
            raise self.crash
        self.recorded.append((key, stage, data))


def tagged(name: str) -> str:
    return f"{name}~{'a' * 16}"


def request(operation: Operation, name: str, *, number: str | None = None, **more: Any) -> ExecuteRequest:
    return ExecuteRequest(f"key-{name}", operation, f"doc-{name}", tagged(name), number, **more)


def probe(asked: ExecuteRequest) -> Probe:
    return Probe(asked.key, asked.operation, asked.document_id, asked.reference, asked.number)


@dataclass
class Asker:
    """A provider with a customer in its books."""

    provider: Provider
    stages: Stages = field(default_factory=Stages)
    accounts: dict[str, str] = field(default_factory=dict)
    bank: str = ""
    customer: str = ""

    @classmethod
    def of(cls, provider: Provider) -> Asker:
        asker = cls(provider)
        for row in provider.observe(Query(("account", "bank_account"))):
            if row.kind == "account":
                asker.accounts[row.code or ""] = row.remote_id
            else:
                asker.bank = row.remote_id
        asker.customer = asker.done(request(Create("customer", {"name": "Acme", "code": "acme"}), "acme")).remote_id
        return asker

    def execute(self, asked: ExecuteRequest) -> Any:
        return self.provider.execute(asked, self.stages)

    def done(self, asked: ExecuteRequest) -> Done:
        outcome = self.execute(asked)
        assert isinstance(outcome, Done)
        return outcome

    def invoice(self, name: str, *, price: str = "100", number: str | None = None, **fields: Any) -> ExecuteRequest:
        line = {
            "description": "x",
            "account": self.accounts["4000"],
            "quantity": Decimal(1),
            "unit_price": Decimal(price),
        }
        content = {"customer": self.customer, "issue_date": NOV_10, "state": "posted", "lines": [line], **fields}
        return request(Create("invoice", content), name, number=number)

    def payment(self, name: str, amount: str = "100", **fields: Any) -> ExecuteRequest:
        content = {
            "customer": self.customer,
            "received_on": NOV_15,
            "amount": Decimal(amount),
            "bank_account": self.bank,
            "state": "posted",
            **fields,
        }
        return request(Create("payment", content), name)

    def allocation(
        self, source: str, target: str, amount: str, before: str = "0", name: str = "pay"
    ) -> ExecuteRequest:
        return request(Allocate("payment", source, "invoice", target, Decimal(amount), Decimal(before)), name)

    def invoices(self) -> list[Any]:
        return list(self.provider.observe(Query(("invoice",))))

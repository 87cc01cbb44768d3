"""A clerk of ours at a real Tryton: the provider, requests under keys of their own, and the usual documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.identity import reference_for
from reconciler.providers.operations import Create, Operation
from reconciler.providers.protocol import Done, ExecuteRequest, Observed, Probe, Query
from reconciler.providers.tryton import TrytonProvider, TrytonProviderFactory
from reconciler.providers.tryton.settings import TrytonSettings
from reconciler.sandboxes.tryton import TrytonServer

_NUMBERS = count(1)
TODAY = date(2026, 11, 20)


def connected(server: TrytonServer, root: Path, **settings: Any) -> TrytonProvider:
    """The provider on a server's books."""
    made = TrytonSettings.model_validate(
        {
            "endpoint": server.url,
            "database": server.database,
            "user": server.user,
            "password": server.password,
            **settings,
        }
    )
    return TrytonProviderFactory().open(made, root, SystemClock())


@dataclass
class Stages:
    """`Progress` that remembers, and may stop the run after a stage as a crash would."""

    recorded: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    stop_after: str = ""

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        self.recorded.append((key, stage, dict(data)))
        if stage == self.stop_after:
            raise Stopped(stage)

    def of(self, key: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
        return tuple((stage, data) for one, stage, data in self.recorded if one == key)


class Stopped(Exception):
    """The program ended here."""


class Clerk:
    """Does things by the provider, each under a request key of its own."""

    def __init__(self, provider: TrytonProvider) -> None:
        self.provider = provider
        self.stages = Stages()
        self.ids = {
            kind: {row.code or row.name: row.remote_id for row in provider.observe(Query((kind,)))}
            for kind in ("tax_rate", "payment_term", "bank_account")
        }
        accounts = provider.observe(Query(("account",)))
        self.accounts = {row.code: row.remote_id for row in accounts if row.code and row.phase == "active"}

    def request(self, operation: Operation, reference: str = "", **more: Any) -> ExecuteRequest:
        return ExecuteRequest(f"key-{next(_NUMBERS)}", operation, "document", reference, **more)

    def do(self, operation: Operation, reference: str = "", **more: Any) -> Observed:
        """Carry it out; the record as it then is."""
        done = self.provider.execute(self.request(operation, reference, **more), self.stages)
        assert isinstance(done, Done)
        assert done.observed is not None
        return done.observed

    def live(self, kind: str, remote_id: str) -> Observed:
        return next(iter(self.provider.observe(Query((kind,), ids=(remote_id,)))))

    # ---- what is usual ----

    def customer(self, name: str = "Acme", **more: Any) -> str:
        code = f"c{next(_NUMBERS)}"
        address = {"type": "billing", "line1": "213 Example Ave", "city": "New York", "postal_code": "10012"}
        content = {"name": name, "code": code, "addresses": [address], **more}
        return self.do(Create("customer", content)).remote_id

    def line(self, price: str = "100.00", quantity: str = "1", *taxes: str, **more: Any) -> dict[str, Any]:
        return {
            "description": "work",
            "account": self.accounts["4.1.2"],
            "quantity": Decimal(quantity),
            "unit_price": Decimal(price),
            "taxes": [self.ids["tax_rate"][name] for name in taxes],
            **more,
        }

    def content(self, customer: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "customer": customer,
            "issue_date": TODAY,
            "currency": "USD",
            "state": "posted",
            "lines": list(lines) or [self.line()],
            **more,
        }

    def new(self, kind: str, content: Mapping[str, Any]) -> tuple[Create, str]:
        """A create and the reference it carries."""
        number = next(_NUMBERS)
        return Create(kind, dict(content)), reference_for(
            "0b6f3c1e9d2a", f"{number:012d}".translate(_TAG), f"D{number}"
        )

    def make(self, kind: str, content: Mapping[str, Any], **more: Any) -> Observed:
        operation, reference = self.new(kind, content)
        return self.do(operation, reference, **more)

    def invoice(self, customer: str, amount: str = "100.00", **more: Any) -> Observed:
        return self.make("invoice", self.content(customer, self.line(amount), **more))

    def credit_note(self, customer: str, amount: str = "100.00", **more: Any) -> Observed:
        return self.make("credit_note", self.content(customer, self.line(amount), **more))

    def payment_content(self, customer: str, amount: str, **allocations: str) -> dict[str, Any]:
        """`allocations`: `i12="60.00"` settles so much of invoice 12."""
        return {
            "customer": customer,
            "received_on": TODAY,
            "amount": Decimal(amount),
            "currency": "USD",
            "bank_account": self.ids["bank_account"]["1.1.5"],
            "state": "posted",
            "allocations": [{"invoice": name[1:], "amount": Decimal(part)} for name, part in allocations.items()],
        }

    def payment(self, customer: str, amount: str, **allocations: str) -> Observed:
        return self.make("payment", self.payment_content(customer, amount, **allocations))

    def probe(self, operation: Operation, reference: str = "") -> Probe:
        return Probe("key", operation, "document", reference)


_TAG = str.maketrans("0123456789", "abcdefghij")


def settled(observed: Observed) -> dict[str, str]:
    """What a source settles, by target id."""
    return {item.target_id: f"{item.amount:.2f}" for item in observed.allocations}

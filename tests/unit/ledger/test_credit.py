"""What the ledger says that customers owe and may owe."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from reconciler.kernel.clock import ManualClock
from reconciler.providers.errors import Rejected
from reconciler.providers.ledger import LedgerProviderFactory
from reconciler.providers.operations import Create, Update
from reconciler.providers.protocol import CreditStanding
from reconciler.sandboxes.ledger.process import start_server
from tests.unit.ledger.requests import Asker, request

FACTORY = LedgerProviderFactory()
D = Decimal


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    clock = ManualClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    provider = FACTORY.open(FACTORY.settings(path="books.sqlite"), tmp_path, clock)
    yield Asker.of(provider)
    provider.close()


def standing(asker: Asker, customer: str = "") -> CreditStanding:
    customer = customer or asker.customer
    return asker.provider.credit_standings([customer])[customer]


def limit(asker: Asker, before: str | None, after: str | None, **more: object) -> None:
    old = {} if before is None else {"credit_limit": D(before)}
    fields = {"credit_limit": D(after) if after is not None else None, **more}
    asker.done(request(Update("customer", asker.customer, old, fields), f"limit-{after}"))


def test_without_anything_there_is_nothing_and_no_limit(asker: Asker) -> None:
    assert standing(asker) == CreditStanding("USD", D(0), None, D(0), False)


def test_credits_and_cash_on_account_are_taken_off(asker: Asker) -> None:
    bill = asker.done(asker.invoice("one", price="250")).remote_id
    asker.done(asker.payment("part", "100", allocations=[{"invoice": bill, "amount": D(60)}]))
    limit(asker, None, "1000.5", hold=True)
    assert standing(asker) == CreditStanding("USD", D(150), D("1000.5"), D(250 - 60), True)


def test_overdue_is_what_is_past_its_day(asker: Asker) -> None:
    asker.done(asker.invoice("late", price="70", due_date=date(2026, 11, 21)))
    asker.done(asker.invoice("today", price="30", due_date=date(2026, 11, 22)))
    asker.done(asker.invoice("drafted", price="500", state="draft"))
    assert standing(asker).overdue == 70
    assert standing(asker).balance == 100


def test_another_currencys_items_are_not_in_it(asker: Asker) -> None:
    asker.done(asker.invoice("one", price="250"))
    asker.done(asker.invoice("two", price="40", currency="EUR", exchange_rate=D("1.1")))
    assert standing(asker).balance == 250
    made = asker.done(
        request(Create("customer", {"name": "Euro", "currency": "EUR", "credit_limit": D(5)}), "euro")
    )
    assert standing(asker, made.remote_id) == CreditStanding("EUR", D(0), D(5), D(0), False)


def test_many_are_told_in_one_call_and_strangers_left_out(asker: Asker) -> None:
    before = asker.provider.calls()
    found = asker.provider.credit_standings([asker.customer, "cus-999999"])
    assert list(found) == [asker.customer]
    assert asker.provider.calls() == before + 1
    with pytest.raises(Rejected):
        asker.provider.credit_standings(["nonsense"])


def test_a_served_ledger_tells_the_same(asker: Asker, tmp_path: Path) -> None:
    asker.done(asker.invoice("one", price="250.25", due_date=date(2099, 1, 1)))
    limit(asker, None, "99.5")
    with start_server(tmp_path / "books.sqlite") as server:
        settings = FACTORY.settings(endpoint=server.url, token=SecretStr(server.token))
        there = FACTORY.open(settings, tmp_path, ManualClock())
        try:
            assert there.credit_standings([asker.customer]) == asker.provider.credit_standings([asker.customer])
            with pytest.raises(Rejected, match="is not the id of a customer"):
                there.credit_standings(["nonsense"])
        finally:
            there.close()
    assert standing(asker) == CreditStanding("USD", D("250.25"), D("99.5"), D(0), False)

"""The books that somebody else kept hold what an import has to cope with."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from reconciler.sandboxes.tryton.books import BANK_JOURNAL, RECEIVABLE
from reconciler.sandboxes.tryton.rpc import TrytonRpc
from tests.tryton.other_books import INVOICES, PAYMENTS


@pytest.mark.slow  # making them takes minutes where they are not kept yet; 24 invoices are imported at each change
@pytest.mark.timeout(900)  # the same, on a busy machine
def test_they_have_of_everything(tryton_of_others):
    with tryton_of_others.rpc() as rpc:
        invoices = rpc.read(
            "account.invoice", [], "state", "currency.code", "total_amount", "party.name", "reference"
        )
        receipts = receivable_lines(rpc, ["move.journal.code", "=", BANK_JOURNAL], ["credit", ">", Decimal(0)])
        partly = rpc.search("account.invoice", [["state", "=", "posted"], ["payment_lines", "!=", None]])
        loose = [row for row in receipts if not row["reconciliation"] and not row["invoice_payment"]]
    states = Counter(row["state"] for row in invoices)
    assert len(invoices) >= INVOICES
    assert states["draft"] >= 1
    assert states["cancelled"] >= 1
    assert states["paid"] > 100
    assert states["posted"] > 100
    assert len(receipts) >= PAYMENTS
    assert len(partly) == 20
    assert len(loose) > 30
    assert {row["currency."]["code"] for row in invoices} == {"USD", "EUR"}
    assert any(row["total_amount"] < 0 and row["state"] == "posted" for row in invoices)
    assert any(row["party."]["name"] == "Acme Worldwide (formerly Acme)" for row in invoices)
    references = Counter(row["reference"] for row in invoices)
    assert references[None] > 10
    assert max(count for name, count in references.items() if name) > 1


def receivable_lines(rpc: TrytonRpc, *domain: list[object]) -> list[dict[str, object]]:
    wanted = [["account.code", "=", RECEIVABLE], *domain]
    return rpc.read("account.move.line", wanted, "credit", "reconciliation", "invoice_payment")

"""Reports: what they add up to, as of a day, and after money has moved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from reconciler.sandboxes.ledger.commands import ReversePayment, VoidDocument
from reconciler.sandboxes.ledger.refusal import Refusal
from tests.unit.ledger.books import NOV_10, TestBooks, d


def test_the_trial_balance_is_of_a_day(books: TestBooks) -> None:
    books.invoice()
    books.payment("100")
    assert [row.code for row in books.ledger.report("trial_balance", {"as_of": "2026-11-12"})] == ["1100", "4000"]
    rows = books.ledger.report("trial_balance", {})
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows) == d("100")


def test_aging_counts_days_past_due_and_forgets_what_was_settled_only_later(books: TestBooks) -> None:
    for days, amount in ((0, "1"), (1, "2"), (30, "4"), (31, "8"), (60, "16"), (61, "32"), (90, "64"), (91, "128")):
        due = date.fromordinal(date(2027, 3, 31).toordinal() - days)
        books.invoice(books.line(amount), issue_date=date(2026, 12, 1), due_date=due)
    [row] = books.ledger.report("aging", {"as_of": "2027-03-31"})
    assert row.buckets == (d("1.00"), d("6.00"), d("24.00"), d("96.00"), d("128.00"))
    invoice = books.invoice(books.line("50"), due_date=date(2026, 11, 20))
    payment = books.payment("80")
    books.allocate(payment, invoice, "50", date=date(2027, 4, 10))
    [before] = books.ledger.report("aging", {"as_of": "2027-04-09"})
    [after] = books.ledger.report("aging", {"as_of": "2027-04-10"})
    assert (before.unapplied, after.unapplied) == (d("80.00"), d("30.00"))
    assert before.total == after.total
    assert before.buckets[4] - after.buckets[4] == d("50.00")


def test_aging_leaves_out_what_is_void_or_reversed_by_then(books: TestBooks) -> None:
    invoice = books.invoice()
    payment = books.payment("40")
    books.ledger.one(ReversePayment(payment.id, date(2026, 12, 1), "nsf"))
    [row] = books.ledger.report("aging", {"as_of": "2026-11-30"})
    assert row.unapplied == d("40.00")
    [row] = books.ledger.report("aging", {"as_of": "2026-12-01"})
    assert row.unapplied == 0
    books.ledger.one(VoidDocument("invoice", invoice.id))
    assert books.ledger.report("aging", {"as_of": "2026-12-31"}) == []


def test_open_items_tie_out_to_the_control_account_per_currency(books: TestBooks) -> None:
    books.invoice()
    foreign = books.invoice(books.line("500"), currency="JPY", exchange_rate=d("0.0067"))
    payment = books.payment("200", currency="JPY", exchange_rate=d("0.0071"))
    books.allocate(payment, foreign, "150")
    rows = {row.currency: row for row in books.ledger.report("tie_out", {})}
    assert {currency: row.open_items for currency, row in rows.items()} == {"JPY": Decimal(300), "USD": d("100.00")}
    assert all(row.difference == row.base_difference == 0 for row in rows.values())


def test_the_journal_of_a_document_and_of_a_period(books: TestBooks) -> None:
    first = books.invoice(number="INV-1")
    books.payment("10")
    lines = books.ledger.report("journal", {"document": first.id})
    assert [(row.account, row.debit, row.credit) for row in lines] == [
        ("1100", d("100.00"), d("0.00")),
        ("4000", d("0.00"), d("100.00")),
    ]
    assert {row.number for row in lines} == {"INV-1"}
    assert {row.kind for row in books.ledger.report("journal", {"until": NOV_10})} == {"invoice"}
    assert books.ledger.report("journal", {"since": "2027-01-01"}) == []


def test_documents_by_customer_and_openness(books: TestBooks) -> None:
    invoice = books.invoice()
    books.payment("100", allocations=[{"invoice": invoice.id, "amount": d("100")}])
    books.invoice(books.line("7"), number="INV-7")
    assert len(books.ledger.report("documents", {})) == 3
    [row] = books.ledger.report("documents", {"open_only": True, "customer": "acme"})
    assert (row.number, row.open, row.phase) == ("INV-7", d("7.00"), "posted")
    assert books.ledger.report("documents", {"customer": "nobody"}) == []


def test_unknown_reports_and_arguments_are_refused(books: TestBooks) -> None:
    for name, arguments in (("weather", {}), ("aging", {"colour": "red"}), ("aging", {"as_of": "soon"})):
        with pytest.raises(Refusal):
            books.ledger.report(name, arguments)

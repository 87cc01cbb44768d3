"""Allocations: absolute, bounded, exact across rates; discounts, write-offs, netting, advances."""

from __future__ import annotations

from datetime import date

import pytest

from reconciler.sandboxes.ledger.commands import ClosePeriod, CreateRecord, PostDraft, SetAllocation, VoidDocument
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from tests.unit.ledger.books import NOV_10, NOV_15, TestBooks, d


def test_a_payment_settles_at_create_and_later_and_keeps_its_remainder(books: TestBooks) -> None:
    first, second = books.invoice(), books.invoice()
    payment = books.payment("150", allocations=[{"invoice": first.id, "amount": d("100")}])
    assert (payment.phase, payment.computed["open"]) == ("part_settled", "50")
    assert books.again(first).phase == "settled"
    after = books.allocate(payment, second, "50")
    assert after.phase == "settled"
    assert {(a.target_id, a.amount) for a in after.allocations} == {(first.id, "100"), (second.id, "50")}
    assert books.again(second).phase == "part_settled"


def test_allocating_is_absolute_and_repeating_it_changes_nothing(books: TestBooks) -> None:
    invoice, payment = books.invoice(), books.payment("100")
    books.allocate(payment, invoice, "30")
    books.allocate(payment, invoice, "30")
    books.allocate(payment, invoice, "70", before="30")
    assert books.open_of(invoice) == d("30")
    with pytest.raises(Refusal) as caught:
        books.allocate(payment, invoice, "80", before="30")
    assert caught.value.code is RefusalCode.STALE
    books.allocate(payment, invoice, "0", before="70")
    assert (books.open_of(invoice), books.open_of(payment)) == (d("100"), d("100"))
    assert books.again(payment).allocations == ()


def test_settling_and_allocating_move_neither_revision_nor_fingerprint(books: TestBooks) -> None:
    invoice, payment = books.invoice(), books.payment("100")
    books.allocate(payment, invoice, "100")
    assert books.again(invoice).fingerprint == invoice.fingerprint
    assert books.again(invoice).revision == invoice.revision
    assert books.again(payment).fingerprint == payment.fingerprint


@pytest.mark.parametrize(("amount", "target_total"), [("101", "200"), ("60", "50")])
def test_more_than_is_open_on_either_side_is_refused(books: TestBooks, amount: str, target_total: str) -> None:
    invoice, payment = books.invoice(books.line(target_total)), books.payment("100")
    with pytest.raises(Refusal) as caught:
        books.allocate(payment, invoice, amount)
    assert caught.value.code is RefusalCode.OVER_ALLOCATED
    assert books.open_of(payment) == d("100")


def test_a_discount_and_a_write_off_close_the_rest(books: TestBooks) -> None:
    invoice = books.invoice(books.line("100"))
    write_off = {"amount": d("1"), "account": books.accounts["6200"], "reason": "small"}
    allocation = {"invoice": invoice.id, "amount": d("97"), "discount": d("2"), "write_off": write_off}
    payment = books.payment("97", allocations=[allocation])
    assert payment.computed["open"] == "0"
    assert books.open_of(invoice) == 0
    assert (books.balance("4900"), books.balance("6200"), books.balance("1100")) == (d("2"), d("1"), 0)
    undone = SetAllocation("payment", payment.id, "invoice", invoice.id, d("0"), d("97"), keep_extras=True)
    books.ledger.one(undone)
    assert (books.balance("4900"), books.balance("6200"), books.open_of(invoice)) == (0, 0, d("100"))


def test_lowering_an_allocation_keeps_its_discount(books: TestBooks) -> None:
    invoice, payment = books.invoice(), books.payment("90")
    books.allocate(payment, invoice, "90", discount=d("2"))
    lower = SetAllocation("payment", payment.id, "invoice", invoice.id, d("50"), d("90"), keep_extras=True)
    [allocation] = books.ledger.one(lower).allocations
    assert (allocation.amount, allocation.discount) == ("50", "2")


@pytest.mark.parametrize(("paid_at", "gain"), [("1.20", "-10"), ("1.05", "5")])
def test_settling_across_rates_posts_the_difference(books: TestBooks, paid_at: str, gain: str) -> None:
    invoice = books.invoice(books.line("100"), currency="EUR", exchange_rate=d("1.10"))
    payment = books.payment("100", currency="EUR", exchange_rate=d(paid_at))
    books.allocate(payment, invoice, "100")
    assert books.balance("7000") == d(gain)
    assert books.balance("1100") == 0
    books.allocate(payment, invoice, "0", before="100")
    assert books.balance("7000") == 0


def test_part_settlements_release_the_whole_carrying_amount_in_the_end(books: TestBooks) -> None:
    invoice = books.invoice(books.line("0.999"), currency="KWD", exchange_rate=d("3.2551"))
    for _ in range(3):
        payment = books.payment("0.333", currency="KWD", exchange_rate=d("3.3333"))
        books.allocate(payment, invoice, "0.333")
    assert books.again(invoice).phase == "settled"
    assert books.balance("1100") == 0


def test_a_credit_note_settles_invoices_and_joins_a_payments_cash(books: TestBooks) -> None:
    first, second = books.invoice(), books.invoice()
    credit = books.credit(books.line("30"), allocations=[{"invoice": first.id, "amount": d("10")}])
    assert credit.computed["open"] == "20"
    payment = books.payment(
        "80",
        allocations=[
            {"invoice": second.id, "amount": d("100")},
            {"credit_note": credit.id, "amount": d("20")},
        ],
    )
    assert payment.computed["open"] == "0"
    assert books.again(credit).phase == "settled"
    assert books.again(second).phase == "settled"
    with pytest.raises(Refusal):
        books.allocate(payment, credit, "0", before="20")


def test_an_advance_waits_on_its_own_account_until_it_is_allocated(books: TestBooks) -> None:
    payment = books.payment("100", remainder="advance")
    assert (books.balance("2300"), books.balance("1100")) == (d("-100"), 0)
    invoice = books.invoice(books.line("60"))
    books.allocate(payment, invoice, "60")
    assert (books.balance("2300"), books.balance("1100")) == (d("-40"), 0)


def test_remainder_refuse_means_all_of_it_is_allocated(books: TestBooks) -> None:
    invoice = books.invoice()
    part = [{"invoice": invoice.id, "amount": d("90")}]
    with pytest.raises(Refusal, match="would stay on account"):
        books.payment("100", remainder="refuse", allocations=part)
    assert books.open_of(invoice) == d("100")
    whole = [{"invoice": invoice.id, "amount": d("100")}]
    assert books.payment("100", remainder="refuse", allocations=whole).phase == "settled"


def test_only_what_belongs_together_is_joined(books: TestBooks) -> None:
    invoice, payment = books.invoice(), books.payment("10")
    other = books.ledger.one(CreateRecord("customer", {"name": "Other", "code": "o"}))
    content = {**books.invoice_content(), "customer": other.id}
    theirs = books.ledger.one(CreateRecord("invoice", content))
    foreign = books.invoice(currency="EUR", exchange_rate=d("1.1"))
    draft = books.invoice(state="draft")
    elsewhere = books.invoice(entity="north")
    for target, code in (
        (theirs, RefusalCode.MISMATCH),
        (foreign, RefusalCode.MISMATCH),
        (elsewhere, RefusalCode.MISMATCH),
        (draft, RefusalCode.WRONG_PHASE),
    ):
        with pytest.raises(Refusal) as caught:
            books.allocate(payment, target, "1")
        assert caught.value.code is code
    with pytest.raises(Refusal):
        books.allocate(invoice, payment, "1")
    books.ledger.one(VoidDocument("invoice", invoice.id))
    with pytest.raises(Refusal):
        books.allocate(payment, invoice, "1")


def test_allocation_dates_follow_the_documents_and_the_locks(books: TestBooks) -> None:
    invoice, payment = books.invoice(), books.payment("10")
    with pytest.raises(Refusal, match="precede"):
        books.allocate(payment, invoice, "1", date=NOV_10)
    [allocation] = books.allocate(payment, invoice, "1").allocations
    assert allocation.date == NOV_15.isoformat()
    books.ledger.run([ClosePeriod(date(2026, 11, 30))])
    later = books.allocate(payment, invoice, "2", before="1")
    assert later.allocations[0].date == "2026-12-01"
    with pytest.raises(Refusal) as caught:
        books.allocate(payment, invoice, "3", before="2", date=date(2026, 11, 20))
    assert caught.value.code is RefusalCode.PERIOD_CLOSED


def test_a_draft_payment_allocates_when_it_is_posted(books: TestBooks) -> None:
    invoice = books.invoice()
    content = {"customer": books.customer, "received_on": NOV_15, "amount": d("100"), "bank_account": books.bank}
    draft = books.ledger.one(CreateRecord("payment", content, "r", "P", "draft"))
    post = PostDraft("payment", draft.id, "1", [{"invoice": invoice.id, "amount": d("100")}])
    assert books.ledger.one(post).phase == "settled"
    assert books.ledger.one(PostDraft("payment", draft.id, "", post.allocations)).phase == "settled"
    with pytest.raises(Refusal, match="a draft settles nothing"):
        books.ledger.one(CreateRecord("payment", {**content, "allocations": post.allocations}, "s", "Q", "draft"))

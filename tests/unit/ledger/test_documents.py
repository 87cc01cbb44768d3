"""Posting, drafting, amending, voiding: what the ledger does and what it refuses."""

from __future__ import annotations

import json
import sqlite3
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reconciler.kernel.canonical import parse_canonical
from reconciler.sandboxes.ledger.check import check
from reconciler.sandboxes.ledger.commands import (
    AttachFile,
    ClosePeriod,
    Command,
    CreateRecord,
    DiscardDraft,
    JournalLine,
    PostDraft,
    PostJournal,
    ReversePayment,
    UpdateRecord,
    VoidDocument,
    command_from,
    command_json,
)
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from tests.unit.ledger.books import NOV_10, NOV_15, TestBooks, d


def refused(books: TestBooks, command: Command) -> Refusal:
    answer = books.ledger.run([command])[0]
    assert isinstance(answer, Refusal)
    return answer


def test_a_posted_invoice_debits_receivables_and_credits_income_and_tax(books: TestBooks) -> None:
    tax = books.ledger.one(
        CreateRecord("tax_rate", {"code": "NY", "rate": d("8.875"), "account": books.accounts["2200"]})
    )
    made = books.invoice(books.line("100.00", taxes=[tax.id]), books.line("50.50", "4010"))
    assert made.phase == "posted"
    assert dict(made.computed) == {"total": "159.38", "open": "159.38", "net": "150.5", "tax": "8.88"}
    assert [books.balance(code) for code in ("1100", "4000", "4010", "2200")] == [
        d("159.38"),
        d("-100"),
        d("-50.5"),
        d("-8.88"),
    ]


def test_a_body_is_what_was_given_and_what_the_ledger_worked_out(books: TestBooks) -> None:
    terms = books.ledger.one(CreateRecord("payment_term", {"name": "n30", "days": 30, "end_of_month": True}))
    content = books.invoice_content(terms=terms.id, memo="  hello ", po_number=None, number="X")
    del content["due_date"]
    made = books.ledger.one(CreateRecord("invoice", content, None, "INV-1"))
    body = json.loads(made.body)
    assert body["due_date"] == "2026-12-31"
    assert body["currency"] == "USD"
    assert body["memo"] == "hello"
    assert not {"number", "state", "po_number", "allocations"} & set(body)
    assert made.number == "INV-1"


def test_inclusive_prices_contain_their_tax(books: TestBooks) -> None:
    tax = books.ledger.one(CreateRecord("tax_rate", {"code": "V", "rate": d("20")}))
    made = books.invoice(books.line("120", taxes=[tax.id]), prices="inclusive")
    assert (made.computed["net"], made.computed["tax"]) == ("100", "20")


def test_a_stated_tax_amount_is_posted_as_given(books: TestBooks) -> None:
    tax = books.ledger.one(CreateRecord("tax_rate", {"code": "V", "rate": d("20")}))
    made = books.invoice(books.line("100", taxes=[tax.id], tax_amount=d("19.99")))
    assert made.computed["tax"] == "19.99"
    assert books.balance("2200") == d("-19.99")


def test_a_line_may_take_its_account_from_its_item(books: TestBooks) -> None:
    item = books.ledger.one(
        CreateRecord("item", {"name": "Hours", "code": "H", "income_account": books.accounts["4010"]})
    )
    books.invoice({"item": item.id, "quantity": d("2"), "unit_price": d("10")})
    assert books.balance("4010") == d("-20")


def test_foreign_documents_balance_in_base_whatever_rounding_leaves_over(books: TestBooks) -> None:
    lines = [books.line("0.333"), books.line("0.333", "4010"), books.line("0.335", "4010")]
    books.invoice(*lines, currency="KWD", exchange_rate=d("3.2551"))
    total = sum(books.balance(code) for code in ("1100", "4000", "4010"))
    assert total == 0
    assert books.balance("1100") == d("3.26")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"customer": "cus-999"}, RefusalCode.UNKNOWN_REFERENCE, "no customer cus-999"),
        ({"customer": "inv-1"}, RefusalCode.UNKNOWN_REFERENCE, "not the id of a customer"),
        ({"lines": []}, RefusalCode.INVALID, "no lines"),
        ({"currency": "EUR"}, RefusalCode.RATE_MISSING, "exchange_rate"),
        ({"exchange_rate": Decimal(2)}, RefusalCode.INVALID, "base currency"),
        ({"colour": "red"}, RefusalCode.INVALID, "colour"),
        ({"lines": [{"account": "acc-1", "unit_price": Decimal(1)}]}, RefusalCode.INVALID, "control account"),
        ({"lines": [{"unit_price": Decimal(1)}]}, RefusalCode.INVALID, "neither an item nor an account"),
        ({"lines": [{"account": "acc-7"}]}, RefusalCode.INVALID, "unit_price"),
        ({"lines": [{"account": "acc-7", "unit_price": Decimal(-1)}]}, RefusalCode.INVALID, "negative"),
        (
            {"lines": [{"account": "acc-7", "unit_price": Decimal(10**14) * 10}]},
            RefusalCode.INVALID,
            "too large",
        ),
    ],
)
def test_what_cannot_be_posted_is_refused(
    books: TestBooks, change: dict[str, Any], code: RefusalCode, words: str
) -> None:
    refusal = refused(books, CreateRecord("invoice", {**books.invoice_content(), **change}))
    assert refusal.code is code
    assert words in refusal.message


def test_nothing_posts_into_a_closed_period_but_memos_may_still_change(books: TestBooks) -> None:
    made = books.invoice()
    books.ledger.run([ClosePeriod(date(2026, 11, 30))])
    late = refused(books, CreateRecord("invoice", books.invoice_content()))
    assert late.code is RefusalCode.PERIOD_CLOSED
    assert refused(books, VoidDocument("invoice", made.id)).code is RefusalCode.PERIOD_CLOSED
    changed = books.ledger.one(UpdateRecord("invoice", made.id, {}, {"memo": "late"}, "1"))
    assert json.loads(changed.body)["memo"] == "late"
    assert books.ledger.books().closed_through == date(2026, 11, 30)
    dated = books.invoice_content(posting_date=date(2026, 12, 1))
    assert not isinstance(books.ledger.run([CreateRecord("invoice", dated)])[0], Refusal)
    assert books.ledger.run([ClosePeriod(None)])


def test_the_general_ledger_locks_apart(books: TestBooks) -> None:
    books.ledger.run([ClosePeriod(date(2026, 11, 30), "ar")])
    lines = [JournalLine(books.accounts["6100"], d("5")), JournalLine(books.accounts["1200"], d("-5"))]
    books.ledger.run([PostJournal(NOV_10, lines)])
    assert books.balance("6100") == d("5")
    books.ledger.run([ClosePeriod(date(2026, 11, 30), "gl")])
    assert refused(books, PostJournal(NOV_10, lines)).code is RefusalCode.PERIOD_CLOSED


def test_manual_journals_balance_and_stay_off_control_accounts(books: TestBooks) -> None:
    one = JournalLine(books.accounts["6100"], d("5"))
    assert refused(books, PostJournal(NOV_10, [one])).code is RefusalCode.UNBALANCED
    control = [one, JournalLine(books.accounts["1100"], d("-5"))]
    assert "control account" in refused(books, PostJournal(NOV_10, control)).message


def test_posted_is_immutable(books: TestBooks) -> None:
    made = books.invoice(number="INV-1")
    for after in (
        {"lines": [books.line("1")]},
        {"issue_date": NOV_15},
        {"customer": "cus-99"},
        {"currency": "EUR"},
        {"memo": "fine", "prices": "inclusive"},
    ):
        refusal = refused(books, UpdateRecord("invoice", made.id, {}, after))
        assert refusal.code is RefusalCode.POSTED_IMMUTABLE
        assert "is posted" in refusal.message
    assert refused(books, DiscardDraft("invoice", made.id)).code is RefusalCode.WRONG_PHASE
    assert books.again(made) == made


def test_the_file_itself_refuses_to_change_what_is_posted(books: TestBooks) -> None:
    made = books.invoice()
    db = sqlite3.connect(books.ledger.path, isolation_level=None)
    try:
        for statement in (
            "UPDATE records SET total = 1 WHERE kind = 'invoice'",
            "UPDATE records SET state = 'draft' WHERE kind = 'invoice'",
            "DELETE FROM records WHERE kind = 'invoice'",
            "UPDATE lines SET base = 0",
            "DELETE FROM entries",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(statement)
    finally:
        db.close()
    assert books.again(made) == made


def test_the_check_sees_a_changed_body(tmp_path: Any) -> None:
    books = TestBooks.open(tmp_path / "b.sqlite")
    made = books.invoice()
    db = sqlite3.connect(books.ledger.path, isolation_level=None)
    db.execute("UPDATE records SET body = replace(body, '\"100\"', '\"900\"') WHERE kind = 'invoice'")
    db.close()
    findings = books.ledger.report("check", {})
    books.ledger.close()
    assert any(made.id in finding and "what was posted has changed" in finding for finding in findings)


def test_an_update_is_done_once_and_stale_when_the_record_moved(books: TestBooks) -> None:
    made = books.invoice()
    first = UpdateRecord("invoice", made.id, {}, {"memo": "a"}, "1")
    assert books.ledger.one(first).revision == 2
    assert books.ledger.one(first).revision == 2
    other = UpdateRecord("invoice", made.id, {}, {"memo": "b"}, "1")
    assert refused(books, other).code is RefusalCode.STALE
    by_value = UpdateRecord("invoice", made.id, {"memo": "z"}, {"memo": "b"})
    assert refused(books, by_value).code is RefusalCode.STALE
    cleared = books.ledger.one(UpdateRecord("invoice", made.id, {"memo": "a"}, {"memo": None}))
    assert "memo" not in json.loads(cleared.body)


def test_a_draft_can_change_be_posted_and_be_discarded(books: TestBooks) -> None:
    draft = books.invoice(number="INV-1", state="draft")
    assert (draft.phase, draft.computed["open"], draft.computed["total"]) == ("draft", "0", "100")
    assert books.balance("1100") == 0
    changed = books.ledger.one(UpdateRecord("invoice", draft.id, {}, {"lines": [books.line("70")]}, "1"))
    assert changed.computed["total"] == "70"
    posted = books.ledger.one(PostDraft("invoice", draft.id, "2"))
    assert (posted.phase, posted.number) == ("posted", "INV-1")
    assert books.ledger.one(PostDraft("invoice", draft.id)) == posted
    other = books.invoice(state="draft", number="INV-2")
    books.ledger.run([DiscardDraft("invoice", other.id)])
    assert books.ledger.record("invoice", other.id) is None
    assert not isinstance(books.ledger.run([DiscardDraft("invoice", other.id)])[0], Refusal)
    assert books.invoice(number="INV-2").number == "INV-2"


def test_a_void_leaves_a_trace_and_no_balance(books: TestBooks) -> None:
    made = books.invoice(number="INV-1")
    void = VoidDocument("invoice", made.id, "twice")
    assert books.ledger.one(void).phase == "void"
    assert books.ledger.one(void).phase == "void"
    assert books.balance("1100") == 0
    kinds = [row.kind for row in books.ledger.report("journal", {"document": made.id})]
    assert kinds == ["invoice", "invoice", "void", "void"]
    taken = refused(books, CreateRecord("invoice", books.invoice_content(), None, "INV-1"))
    assert taken.code is RefusalCode.DUPLICATE_NUMBER
    assert refused(books, UpdateRecord("invoice", made.id, {}, {"memo": "x"})).code is RefusalCode.WRONG_PHASE


def test_a_void_may_be_of_a_later_day_than_the_document(books: TestBooks) -> None:
    made = books.invoice(number="INV-1")
    books.ledger.run([ClosePeriod(date(2026, 11, 30))])
    early = VoidDocument("invoice", made.id, date=date(2026, 1, 1))
    assert refused(books, early).code is RefusalCode.MISMATCH
    later = command_from(parse_canonical(command_json(VoidDocument("invoice", made.id, date=date(2026, 12, 5)))))
    assert books.ledger.one(later).phase == "void"
    days = {row.kind: row.date for row in books.ledger.report("journal", {"document": made.id})}
    assert str(days["void"]) == "2026-12-05"
    assert books.balance("1100") == 0
    assert check(books.ledger) == []


def test_what_is_allocated_is_not_voided(books: TestBooks) -> None:
    made = books.invoice()
    books.payment("40", allocations=[{"invoice": made.id, "amount": d("40")}])
    assert refused(books, VoidDocument("invoice", made.id)).code is RefusalCode.ALLOCATED


def test_a_reversed_payment_lets_its_allocations_fall_away(books: TestBooks) -> None:
    made = books.invoice()
    payment = books.payment("100", allocations=[{"invoice": made.id, "amount": d("100")}])
    assert books.again(made).phase == "settled"
    reverse = ReversePayment(payment.id, date(2026, 11, 20), "nsf")
    assert books.ledger.one(reverse).phase == "reversed"
    assert books.ledger.one(reverse).phase == "reversed"
    assert books.open_of(made) == d("100")
    assert books.balance("1200") == 0
    early = books.payment("10")
    assert refused(books, ReversePayment(early.id, NOV_10, "x")).code is RefusalCode.MISMATCH


def test_numbers_and_references_are_taken_once(books: TestBooks) -> None:
    content = books.invoice_content()
    books.ledger.one(CreateRecord("invoice", content, "ref-1", "INV-1"))
    same_number = refused(books, CreateRecord("invoice", content, "ref-2", "INV-1"))
    assert same_number.code is RefusalCode.DUPLICATE_NUMBER
    same_reference = refused(books, CreateRecord("invoice", content, "ref-1", "INV-2"))
    assert same_reference.code is RefusalCode.DUPLICATE_REFERENCE
    same_code = refused(books, CreateRecord("customer", {"name": "Other", "code": "acme"}))
    assert same_code.code is RefusalCode.DUPLICATE_CODE


def test_a_number_is_assigned_when_none_is_given_and_never_a_taken_one(books: TestBooks) -> None:
    books.invoice(number="INV-000002")
    assert [books.invoice().number for _ in range(2)] == ["INV-000001", "INV-000003"]


def test_attachments_are_kept_by_name_and_digest(books: TestBooks) -> None:
    made = books.invoice()
    attach = AttachFile("invoice", made.id, "scan.pdf", "files/scan.pdf", "aa")
    for _ in range(2):
        kept = books.ledger.one(attach)
    assert json.loads(kept.body)["attachments"] == [{"name": "scan.pdf", "path": "files/scan.pdf"}]
    other = AttachFile("invoice", made.id, "scan.pdf", "files/other.pdf", "bb")
    assert refused(books, other).code.duplicate


def test_a_credit_note_names_an_original_of_the_same_customer(books: TestBooks) -> None:
    made = books.invoice()
    other = books.ledger.one(CreateRecord("customer", {"name": "Other", "code": "o"}))
    assert books.credit(books.line("10"), original={"invoice": made.id}).computed["open"] == "10"
    content = {
        "customer": other.id,
        "issue_date": NOV_10,
        "lines": [books.line("10")],
        "original": {"invoice": made.id},
    }
    assert refused(books, CreateRecord("credit_note", content)).code is RefusalCode.MISMATCH


def test_a_batch_is_one_commit_in_which_each_member_speaks_for_itself(books: TestBooks) -> None:
    good, bad = books.invoice_content(), books.invoice_content(customer="cus-77")
    commands = [CreateRecord("invoice", good), CreateRecord("invoice", bad), CreateRecord("invoice", good)]
    answers = books.ledger.run(commands)
    assert [isinstance(answer, Refusal) for answer in answers] == [False, True, False]
    answers = books.ledger.run(commands, atomic=True)
    assert [answer.code for answer in answers if isinstance(answer, Refusal)] == [
        RefusalCode.BATCH_REFUSED,
        RefusalCode.UNKNOWN_REFERENCE,
        RefusalCode.BATCH_REFUSED,
    ]
    assert len(books.ledger.report("documents", {})) == 2

"""Master data: created, updated, and what cannot change once something is posted to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord, UpdateRecord
from reconciler.sandboxes.ledger.records import Selection
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode
from tests.unit.ledger.books import TestBooks, d


def refused(books: TestBooks, command: Any) -> Refusal:
    answer = books.ledger.run([command])[0]
    assert isinstance(answer, Refusal)
    return answer


def test_new_books_have_a_chart_and_a_bank_account(books: TestBooks) -> None:
    codes = {record.code for record in books.ledger.records(Selection(("account",)))}
    assert {"1100", "1200", "1290", "2200", "2300", "2400", "4000", "4010", "4900", "6100", "6200", "7000"} <= codes
    [bank] = books.ledger.records(Selection(("bank_account",)))
    assert (bank.code, bank.name) == ("operating", "operating")
    assert json.loads(bank.body)["account"] == books.accounts["1200"]


def test_a_customer_is_updated_field_by_field(books: TestBooks) -> None:
    addresses = [{"type": "billing", "line1": " 1 High St ", "country": "US"}]
    made = books.ledger.one(
        UpdateRecord("customer", books.customer, {}, {"email": "ap@acme.example", "addresses": addresses}, "1")
    )
    body = json.loads(made.body)
    assert body["email"] == "ap@acme.example"
    assert body["addresses"] == [{"type": "billing", "line1": "1 High St", "country": "US"}]
    cleared = books.ledger.one(UpdateRecord("customer", books.customer, {}, {"email": None}, "2"))
    assert "email" not in json.loads(cleared.body)
    assert cleared.fingerprint != made.fingerprint


def test_an_archived_record_is_of_no_use_to_new_documents(books: TestBooks) -> None:
    archived = books.ledger.one(UpdateRecord("customer", books.customer, {}, {"status": "archived"}, "1"))
    assert archived.phase == "archived"
    assert refused(books, CreateRecord("invoice", books.invoice_content())).code is RefusalCode.ARCHIVED
    books.ledger.one(UpdateRecord("customer", books.customer, {}, {"status": "active"}, "2"))
    assert books.invoice().phase == "posted"


def test_what_was_posted_to_keeps_its_nature(books: TestBooks) -> None:
    tax = books.ledger.one(CreateRecord("tax_rate", {"code": "V", "rate": d("20")}))
    books.ledger.one(UpdateRecord("customer", books.customer, {}, {"currency": "USD"}))
    books.invoice(books.line(taxes=[tax.id]))
    for command in (
        UpdateRecord("account", books.accounts["4000"], {}, {"type": "liability"}),
        UpdateRecord("customer", books.customer, {}, {"currency": "EUR"}),
        UpdateRecord("tax_rate", tax.id, {}, {"rate": d("21")}),
    ):
        assert refused(books, command).code is RefusalCode.POSTED_IMMUTABLE
    renamed = books.ledger.one(UpdateRecord("account", books.accounts["4000"], {}, {"name": "Revenue"}))
    assert renamed.name == "Revenue"


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("account", {"name": "No code", "type": "income"}, "needs a code"),
        ("account", {"code": "1", "name": "x", "type": "nonsense"}, "type"),
        ("account", {"code": "1", "name": "x", "type": "income", "parent": "acc-999"}, "no account"),
        ("bank_account", {"name": "b", "account": "acc-7"}, "type bank"),
        ("customer", {"name": "c", "receivable_account": "acc-2"}, "accounts_receivable"),
        ("customer", {"code": "c"}, "name"),
        ("tax_rate", {"code": "R", "rate": d("21"), "treatment": "reverse_charge"}, "rate must be 0"),
        ("item", {"name": "i", "income_account": "acc-1"}, "control account"),
        ("item", {"name": "i", "tracking": {"trk-9": "x"}}, "no tracking category"),
        ("payment_term", {"name": "t"}, "days"),
        ("gadget", {"name": "t"}, "keep no gadget"),
    ],
)
def test_bad_masters_are_refused(books: TestBooks, kind: str, content: dict[str, Any], words: str) -> None:
    assert words in refused(books, CreateRecord(kind, content)).message


def test_tracking_takes_only_known_values(books: TestBooks) -> None:
    where = books.ledger.one(CreateRecord("tracking_category", {"name": "region", "values": ["north", "south"]}))
    books.invoice(books.line(tracking={where.id: "north"}))
    [row] = [row for row in books.ledger.report("journal", {}) if row.account == "4000"]
    assert json.loads(row.tracking) == {where.id: "north"}
    wrong = books.invoice_content(tracking={where.id: "east"})
    assert refused(books, CreateRecord("invoice", wrong)).code is RefusalCode.UNKNOWN_REFERENCE


def test_an_account_is_not_its_own_ancestor(books: TestBooks) -> None:
    child = {"code": "4001", "name": "x", "type": "income", "parent": books.accounts["4000"]}
    made = books.ledger.one(CreateRecord("account", child))
    loop = UpdateRecord("account", books.accounts["4000"], {}, {"parent": made.id})
    assert "its own parent" in refused(books, loop).message

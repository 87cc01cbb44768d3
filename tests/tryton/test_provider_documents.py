"""Invoices and credit notes on a real Tryton: every operation, and what a crash leaves between its calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.providers.errors import AlreadyExists, Rejected, Stale
from reconciler.providers.operations import Allocate, Create, Delete, Post, Unallocate, Update, Void
from reconciler.providers.protocol import Absent, Done, Found, Inconclusive, Query
from reconciler.sandboxes.tryton import TrytonServer
from tests.tryton.clerk import TODAY, Clerk, Stages, Stopped, connected, settled

TEN, TWENTY = "Sales tax 10%", "Sales tax 20%"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def clerk(tryton_of_module: TrytonServer, root: Path) -> Iterator[Clerk]:
    provider = connected(tryton_of_module, root)
    yield Clerk(provider)
    provider.close()


@pytest.fixture(scope="module")
def acme(clerk: Clerk) -> str:
    return clerk.customer()


def test_an_invoice_is_posted_and_read_back_as_it_was_sent(clerk: Clerk, acme: str) -> None:
    lines = [clerk.line("19.99", "3", TEN), clerk.line("0.3333", "1.5", TEN, TWENTY), clerk.line("10.00")]
    term = clerk.ids["payment_term"]["Net 30"]
    sent = clerk.content(acme, *lines, terms=term, po_number="PO 77", memo="with thanks")
    found = clerk.make("invoice", sent)
    assert (found.phase, found.number is not None, found.reference is not None) == ("posted", True, True)
    body = found.content()
    assert body["po_number"] == "PO 77"
    assert body["memo"] == "with thanks"
    assert (body["terms"], body["due_date"]) == (term, "2026-12-20")
    assert [line["unit_price"] for line in body["lines"]] == ["19.99", "0.3333", "10"]
    assert [line["quantity"] for line in body["lines"]] == ["3", "1.5", "1"]
    assert [len(line.get("taxes", ())) for line in body["lines"]] == [1, 2, 0]
    # 59.97 + 0.50 + 10.00; per tax and document, half to even: (59.97 + 0.50) x 10 % = 6.05, 0.50 x 20 % = 0.10
    assert dict(found.computed) == {"net": "70.47", "tax": "6.15", "total": "76.62", "open": "76.62"}
    assert sum(Decimal(line.get("tax_amount", "0")) for line in body["lines"]) == Decimal("6.15")


def test_a_stated_tax_is_posted_as_given(clerk: Clerk, acme: str) -> None:
    line = clerk.line("33.33", "1", TEN, tax_amount=Decimal("3.34"))
    found = clerk.make("invoice", clerk.content(acme, line))
    assert found.computed["tax"] == "3.34"
    assert found.content()["lines"][0]["tax_amount"] == "3.34"
    note = clerk.make("credit_note", clerk.content(acme, line))
    assert (note.computed["tax"], note.computed["total"]) == ("3.34", "36.67")


def test_a_due_date_of_its_own_needs_no_terms_and_may_be_moved_later(clerk: Clerk, acme: str) -> None:
    found = clerk.invoice(acme, due_date=date(2026, 12, 24))
    assert found.content()["due_date"] == "2026-12-24"
    moved = clerk.do(
        Update("invoice", found.remote_id, {"due_date": date(2026, 12, 24)}, {"due_date": date(2026, 12, 31)})
    )
    assert moved.content()["due_date"] == "2026-12-31"
    with pytest.raises(Rejected):
        clerk.do(Update("invoice", found.remote_id, {"memo": None}, {"memo": "too late"}))
    note = clerk.credit_note(acme, "100.00")
    clerk.do(Allocate("credit_note", note.remote_id, "invoice", found.remote_id, Decimal("100.00")))
    with pytest.raises(Rejected, match="settled"):
        clerk.do(Update("invoice", found.remote_id, {}, {"due_date": date(2027, 1, 15)}))


def test_a_deduction_and_a_quantity_that_is_no_binary_fraction(clerk: Clerk, acme: str) -> None:
    found = clerk.make("invoice", clerk.content(acme, clerk.line("10.00", "0.1"), clerk.line("-0.25", "3")))
    assert found.computed["total"] == "0.25"
    assert [(line["quantity"], line["unit_price"]) for line in found.content()["lines"]] == [
        ("0.1", "10"),
        ("3", "-0.25"),
    ]
    too_long = clerk.line("1.00", "1.0000000000000001")
    with pytest.raises(Rejected, match="digits"):
        clerk.make("invoice", clerk.content(acme, too_long))


def test_a_draft_is_changed_posted_or_discarded(clerk: Clerk, acme: str) -> None:
    draft = clerk.invoice(acme, state="draft")
    assert (draft.phase, draft.number, draft.computed["open"]) == ("draft", None, "0")
    other = clerk.customer("Other")
    lines = [clerk.line("7.00", "2", TEN)]
    changes = {"customer": other, "lines": lines, "memo": "m", "po_number": "PO-1", "due_date": date(2026, 12, 1)}
    changed = clerk.do(Update("invoice", draft.remote_id, {}, changes), revision=draft.revision)
    body = changed.content()
    assert (body["customer"], body["memo"], body["po_number"], body["due_date"]) == (
        other,
        "m",
        "PO-1",
        "2026-12-01",
    )
    assert (changed.computed["total"], changed.reference) == ("15.4", draft.reference)
    with pytest.raises(Stale):
        clerk.do(Update("invoice", draft.remote_id, {}, {"memo": "late"}), revision=draft.revision)
    posted = clerk.do(Post("invoice", draft.remote_id), revision=changed.revision)
    assert posted.phase == "posted"
    with pytest.raises(Rejected):
        clerk.do(Post("invoice", draft.remote_id))
    discarded = clerk.invoice(acme, state="draft")
    clerk.provider.execute(clerk.request(Delete("invoice", discarded.remote_id)), clerk.stages)
    assert not list(clerk.provider.observe(Query(("invoice",), ids=(discarded.remote_id,))))
    with pytest.raises(Rejected):
        clerk.provider.execute(clerk.request(Delete("invoice", draft.remote_id)), clerk.stages)


def test_a_validated_draft_of_a_colleague_is_changed_and_posted(clerk: Clerk, acme: str) -> None:
    draft = clerk.invoice(acme, state="draft")
    tryton = clerk.provider._opened().tryton
    tryton.write("account.invoice", "validate_invoice", [int(draft.remote_id)])
    assert clerk.live("invoice", draft.remote_id).phase == "draft"
    changed = clerk.do(Update("invoice", draft.remote_id, {}, {"memo": "seen"}))
    assert (changed.phase, changed.content()["memo"]) == ("draft", "seen")
    assert clerk.do(Post("invoice", draft.remote_id)).phase == "posted"


def test_what_tryton_refuses_to_post_leaves_no_draft(clerk: Clerk, acme: str) -> None:
    operation, reference = clerk.new("invoice", clerk.content(acme, issue_date=date(2019, 1, 1)))
    with pytest.raises(Rejected, match="period"):
        clerk.do(operation, reference)
    assert isinstance(clerk.provider.lookup([clerk.probe(operation, reference)])[0], Absent)


def test_numbers_run_strictly_by_date_within_a_year_only(clerk: Clerk, acme: str) -> None:
    latest = clerk.invoice(acme, issue_date=date(2025, 6, 15), due_date=date(2027, 1, 1))
    company = clerk.provider.company()
    assert company.last_in_series("invoice", date(2025, 12, 31)) == date(2025, 6, 15)
    assert company.last_in_series("invoice", TODAY) == TODAY
    assert company.last_in_series("credit_note", date(2025, 1, 1)) is None
    with pytest.raises(Rejected, match="date"):
        clerk.invoice(acme, issue_date=date(2025, 6, 14), due_date=date(2027, 1, 1))
    assert clerk.credit_note(acme, issue_date=date(2025, 6, 14)).phase == "posted"
    assert latest.number is not None


def test_a_warning_is_confirmed_only_where_the_connection_says_so(
    clerk: Clerk, acme: str, tryton_of_module: TrytonServer, root: Path
) -> None:
    past = clerk.content(acme, due_date=date(2026, 11, 1))
    operation, reference = clerk.new("invoice", past)
    with pytest.raises(Rejected, match=r"confirm_warnings: \[invoice_payment_term\]"):
        clerk.do(operation, reference)
    bold = Clerk(connected(tryton_of_module, root, confirm_warnings=["invoice_payment_term"]))
    assert bold.do(operation, reference).content()["due_date"] == "2026-11-01"
    bold.provider.close()


def test_a_create_that_stopped_after_its_draft_is_found_and_only_posted(clerk: Clerk, acme: str) -> None:
    operation, reference = clerk.new("invoice", clerk.content(acme))
    request = clerk.request(operation, reference)
    stages = Stages(stop_after="created")
    with pytest.raises(Stopped):
        clerk.provider.execute(request, stages)
    sighting = clerk.provider.lookup([clerk.probe(operation, reference)])[0]
    assert isinstance(sighting, Found)
    assert sighting.observed.phase == "draft"
    again = replace(request, stages=stages.of(request.key), attempt=1)
    for _ in range(2):  # the second time it was posted, and its word was lost
        done = clerk.provider.execute(again, Stages())
        assert isinstance(done, Done)
        assert done.observed is not None
        assert (done.remote_id, done.observed.phase) == (sighting.observed.remote_id, "posted")
    assert len(list(clerk.provider.observe(Query(("invoice",), references=(reference,))))) == 1


def test_a_create_whose_recorded_draft_was_discarded_is_made_again(clerk: Clerk, acme: str) -> None:
    operation, reference = clerk.new("invoice", clerk.content(acme))
    request = clerk.request(operation, reference)
    stages = Stages(stop_after="created")
    with pytest.raises(Stopped):
        clerk.provider.execute(request, stages)
    draft = stages.recorded[0][2]["remote_id"]
    clerk.provider.execute(clerk.request(Delete("invoice", draft)), stages)
    done = clerk.provider.execute(replace(request, stages=stages.of(request.key)), Stages())
    assert isinstance(done, Done)
    assert done.remote_id != draft


def test_two_with_one_reference_are_inconclusive(clerk: Clerk, acme: str) -> None:
    operation, reference = clerk.new("invoice", clerk.content(acme, state="draft"))
    clerk.do(operation, reference)
    twin = replace(operation, content={**operation.content, "po_number": "PO 5"})
    clerk.do(twin, reference)
    found = clerk.provider.lookup([clerk.probe(operation, reference)])[0]
    assert isinstance(found, Inconclusive)


def test_many_are_made_and_posted_in_two_calls_with_numbers_by_date(clerk: Clerk, acme: str) -> None:
    days = [date(2026, 11, 22), date(2026, 11, 21), date(2026, 11, 22)]
    made = [clerk.new("invoice", clerk.content(acme, issue_date=day)) for day in days]
    requests = [clerk.request(operation, reference) for operation, reference in made]
    before = clerk.provider.calls()
    outcomes = clerk.provider.execute_batch(requests, clerk.stages)
    assert clerk.provider.calls() - before < 10
    done = [outcomes[request.key] for request in requests]
    numbers = [one.number for one in done if isinstance(one, Done)]
    assert len(numbers) == 3
    assert numbers[1] == min(number for number in numbers if number)


def test_one_that_tryton_refuses_does_not_hold_the_others_of_a_batch(clerk: Clerk, acme: str) -> None:
    good = clerk.new("invoice", clerk.content(acme, issue_date=date(2026, 11, 22)))
    bad = clerk.new("invoice", clerk.content(acme, issue_date=date(2019, 1, 1)))
    ugly = clerk.new("invoice", clerk.content("999999", issue_date=date(2026, 11, 22)))
    requests = [clerk.request(operation, reference) for operation, reference in (bad, good, ugly)]
    outcomes = clerk.provider.execute_batch(requests, clerk.stages)
    assert [type(outcomes[request.key]) for request in requests] == [Rejected, Done, Rejected]
    found = clerk.provider.lookup([clerk.probe(*one) for one in (bad, good, ugly)])
    assert [type(one) for one in found] == [Absent, Found, Absent]


def test_a_credit_note_names_its_original_and_is_applied_in_parts(clerk: Clerk, acme: str) -> None:
    day = date(2026, 11, 22)
    first, second = (clerk.invoice(acme, amount, issue_date=day) for amount in ("100.00", "50.00"))
    note = clerk.credit_note(
        acme, "80.00", issue_date=day, original={"invoice": first.remote_id}, reason="broken", memo="sorry"
    )
    body = note.content()
    assert (body["original"], body["reason"], body["memo"]) == ({"invoice": first.remote_id}, "broken", "sorry")
    assert (note.phase, note.computed["total"], note.computed["open"]) == ("posted", "80", "80")
    for target, amount, left in ((first, "30.00", "50"), (second, "50.00", "0")):
        note = clerk.do(Allocate("credit_note", note.remote_id, "invoice", target.remote_id, Decimal(amount)))
        assert note.computed["open"] == left
    assert settled(note) == {first.remote_id: "30.00", second.remote_id: "50.00"}
    assert note.phase == "settled"
    assert clerk.live("invoice", first.remote_id).computed["open"] == "70"
    assert clerk.live("invoice", second.remote_id).phase == "settled"
    note = clerk.do(
        Unallocate("credit_note", note.remote_id, "invoice", second.remote_id, Decimal("50.00"), Decimal("20.00"))
    )
    assert settled(note) == {first.remote_id: "30.00", second.remote_id: "20.00"}
    assert clerk.live("invoice", second.remote_id).computed["open"] == "30"


def test_the_credit_wizard_of_a_colleague_reads_as_applied_in_full(clerk: Clerk, acme: str) -> None:
    invoice = clerk.invoice(acme, issue_date=date(2026, 11, 22))
    tryton = clerk.provider._opened().tryton
    form = {"start": {"with_refund": True, "with_refund_allowed": True, "invoice_date": date(2026, 11, 22)}}
    tryton.wizard("account.invoice.credit", "credit", form, model="account.invoice", ids=[int(invoice.remote_id)])
    live = clerk.live("invoice", invoice.remote_id)
    assert (live.phase, live.computed["open"]) == ("settled", "0")
    notes = [
        row
        for row in clerk.provider.observe(Query(("credit_note",)))
        if row.content().get("original") == {"invoice": invoice.remote_id}
    ]
    assert [(row.phase, settled(row)) for row in notes] == [("settled", {invoice.remote_id: "100.00"})]


def test_void_is_refused_unless_the_company_cancels_invoices(clerk: Clerk, acme: str) -> None:
    invoice = clerk.invoice(acme, issue_date=date(2026, 11, 22))
    with pytest.raises(Rejected):
        clerk.do(Void("invoice", invoice.remote_id, "never sent"))
    opened = clerk.provider._opened()
    opened.tryton.write("company.company", "write", [opened.directory.company], {"cancel_invoice_out": True})
    assert not clerk.provider.capabilities().kind("invoice").remedies & {"void"}
    clerk.provider.company()
    assert clerk.provider.capabilities().kind("invoice").remedies & {"void"}
    assert clerk.do(Void("invoice", invoice.remote_id, "never sent")).phase == "void"
    opened.tryton.write("company.company", "write", [opened.directory.company], {"cancel_invoice_out": False})


def test_files_go_with_the_document(clerk: Clerk, acme: str, root: Path) -> None:
    (root / "scan.pdf").write_bytes(b"%PDF-1.4 a scan")
    files = [{"name": "scan", "path": "scan.pdf"}]
    invoice = clerk.invoice(acme, issue_date=date(2026, 11, 22), attachments=files)
    assert invoice.content()["attachments"] == files
    without = clerk.do(Update("invoice", invoice.remote_id, {"attachments": files}, {"attachments": []}))
    assert "attachments" not in without.content()
    with pytest.raises(Rejected, match="cannot be read"):
        clerk.invoice(acme, issue_date=date(2026, 11, 22), attachments=[{"name": "x", "path": "none.pdf"}])
    with pytest.raises(Rejected, match="outside"):
        clerk.invoice(acme, issue_date=date(2026, 11, 22), attachments=[{"name": "x", "path": "../../etc/hosts"}])


def test_a_second_customer_of_one_code_is_known_as_such(clerk: Clerk) -> None:
    content = {"name": "One", "code": "only-once"}
    made = clerk.do(Create("customer", content))
    with pytest.raises(AlreadyExists):
        clerk.do(Create("customer", {"name": "Two", "code": "only-once"}))
    found = clerk.provider.lookup([clerk.probe(Create("customer", content))])[0]
    assert isinstance(found, Found)
    assert found.observed.remote_id == made.remote_id


def test_many_customers_are_made_in_one_call_and_one_that_is_refused_alone(clerk: Clerk) -> None:
    contents = [{"name": f"Many {at}", "code": f"many-{at}"} for at in range(5)]
    requests = [clerk.request(Create("customer", content)) for content in contents]
    before = clerk.provider.calls()
    outcomes = clerk.provider.execute_batch(requests, clerk.stages)
    assert clerk.provider.calls() - before == 2
    assert all(isinstance(outcome, Done) and outcome.observed is not None for outcome in outcomes.values())
    again = [
        clerk.request(Create("customer", content)) for content in (contents[0], {"name": "N", "code": "new-1"})
    ]
    outcomes = clerk.provider.execute_batch(again, clerk.stages)
    assert [type(outcomes[request.key]) for request in again] == [AlreadyExists, Done]

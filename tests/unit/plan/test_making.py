"""What `make_plan` decides, on books built by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

from reconciler.kernel.canonical import canonical_json
from reconciler.plan.comparing import align, changed_fields
from reconciler.plan.model import Action, Plan, Reason
from reconciler.plan.representation import to_document
from reconciler.providers.capabilities import DeduplicationClass, Numbering, Verb, VerbSupport
from reconciler.providers.operations import Allocate, Create, Update
from reconciler.providers.protocol import Company
from reconciler.resources.kinds import KINDS
from tests.unit.plan.books import (
    ALL_VERBS,
    Books,
    actions,
    at,
    capabilities,
    customer,
    invoice,
    payment,
    resource,
    verbs,
)


def only(plan: Plan, action: Action):
    found = [change for change in plan.changes if change.action is action]
    assert len(found) == 1, actions(plan)
    return found[0]


def test_a_first_plan_creates_in_dependency_order_with_holes() -> None:
    plan = Books().plan(payment(allocations={"INV-1": "60.00"}), invoice(), customer())
    assert actions(plan) == ["create customer.acme", "create invoice.INV-1", "create payment.PMT-1"]
    assert verbs(plan) == ["customer.acme#create", "invoice.INV-1#create", "payment.PMT-1#create"]
    made = plan.steps[1]
    assert isinstance(made.operation, Create)
    assert made.operation.content["customer"] == "(known after apply)"
    assert [(hole.place, hole.step) for hole in made.holes] == [
        (("content", "customer"), "books:customer.acme#create")
    ]
    assert made.operation.content["lines"][0]["account"] == "acc-4000"
    paid = plan.steps[2]
    assert isinstance(paid.operation, Create)
    assert paid.depends_on == ("books:customer.acme#create", "books:invoice.INV-1#create")
    assert paid.operation.content["allocations"] == [{"invoice": "(known after apply)", "amount": Decimal("60.00")}]
    assert dict(plan.changes[1].receivable) == {"USD": Decimal("100.00")}
    assert plan.complete
    assert plan.has_work


def test_nothing_changed_is_an_empty_plan() -> None:
    books = Books().with_acme().with_invoice(paid="60.00").with_payment(INV_1="60.00")
    plan = books.plan(customer(), invoice(), payment(allocations={"INV-1": "60.00"}))
    assert not plan.has_changes
    assert plan.unchanged == 3
    assert plan.drift == ()


def test_a_declared_file_that_is_not_there_is_attached_though_all_is_as_recorded() -> None:
    """Where files come after their document, a run may have ended between the two."""
    declared = invoice(attachments=[{"name": "order.pdf", "path": "files/order.pdf"}])
    bare = {
        "customer": "C1",
        "issue_date": "2026-11-10",
        "currency": "USD",
        "lines": [{"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": "100.00"}],
    }
    amounts = {"phase": "posted", "total": "100.00", "net": "100.00", "tax": "0", "open": "100.00"}
    lacking = Books().with_acme()
    lacking.bind(declared, "I-INV-1", bare, **amounts)
    (step,) = lacking.plan(customer(), declared).steps
    assert isinstance(step.operation, Update)
    assert set(step.operation.after) == {"attachments"}
    there = Books().with_acme()
    there.bind(
        declared, "I-INV-1", {**bare, "attachments": [{"name": "order.pdf", "path": "order.pdf"}]}, **amounts
    )
    assert not there.plan(customer(), declared).has_changes


def test_the_plan_is_the_same_whatever_the_order_of_the_inputs() -> None:
    def build(seed: int) -> str:
        shuffle = random.Random(seed)
        books = Books().with_acme().with_invoice("INV-1").with_invoice("INV-2")
        for table in (books.rows, books.bindings, books.documents, *books.rows.values()):
            items = list(table.items())
            shuffle.shuffle(items)
            table.clear()
            table.update(items)
        resources = [customer(email="x@y.example"), invoice("INV-1", "90.00"), invoice("INV-2"), invoice("INV-3")]
        shuffle.shuffle(resources)
        return canonical_json(to_document(books.plan(*resources, allow="credit:invoice.INV-1")))

    assert len({build(seed) for seed in range(6)}) == 1


def test_a_changed_email_is_an_update() -> None:
    plan = Books().with_acme().plan(customer(email="ap@acme.example"))
    change = only(plan, Action.UPDATE)
    assert [(f.path, f.before, f.after) for f in change.fields] == [("email", None, "ap@acme.example")]
    operation = plan.steps[0].operation
    assert isinstance(operation, Update)
    assert operation.after == {"email": "ap@acme.example"}


def test_an_immutable_master_field_is_blocked() -> None:
    change = only(Books().with_acme().plan(customer(currency="EUR")), Action.BLOCKED)
    assert change.reason is Reason.IMMUTABLE_FIELD
    assert "currency" in change.detail


def test_a_posted_amount_is_refused_and_every_fitting_remedy_is_offered() -> None:
    books = Books().with_acme().with_invoice()
    up = only(books.plan(customer(), invoice(price="120.00")), Action.BLOCKED)
    assert up.reason is Reason.POSTED_IMMUTABLE
    assert "lines of a posted invoice" in up.detail
    assert [str(offer.remedy) for offer in up.offers] == ["supplement", "credit_and_reissue"]
    assert up.offers[0].flag == '--allow supplement:invoice.INV-1 --reason "…"'
    down = only(books.plan(customer(), invoice(price="80.00")), Action.BLOCKED)
    assert [str(offer.remedy) for offer in down.offers] == ["credit", "credit_and_reissue"]
    soft = only(
        books.plan(
            customer(), invoice(lines=[{"description": "other words", "account": "4000", "unit_price": "100.00"}])
        ),
        Action.BLOCKED,
    )
    assert [str(offer.remedy) for offer in soft.offers] == ["note", "credit_and_reissue"]


def test_on_change_restricts_what_may_be_consented_to() -> None:
    books = Books().with_acme().with_invoice()
    plan = books.plan(customer(), invoice(price="80.00", on_change=()), allow="credit:invoice.INV-1")
    change = only(plan, Action.BLOCKED)
    assert change.offers == ()
    assert "on_change" in change.detail


def test_a_decrease_is_credited_with_consent() -> None:
    books = Books().with_acme().with_invoice()
    plan = books.plan(customer(), invoice(price="80.00"), allow="credit:invoice.INV-1", reason="price agreed")
    assert actions(plan) == ["credit invoice.INV-1/credit.1"]
    assert verbs(plan) == ["invoice.INV-1/credit.1#create", "invoice.INV-1/credit.1#allocate:invoice.INV-1"]
    made, applied = plan.steps
    assert isinstance(made.operation, Create)
    assert made.operation.kind == "credit_note"
    assert made.number == "INV-1-C1"
    assert made.operation.content["lines"][0]["unit_price"] == Decimal("20.00")
    assert made.operation.content["original"] == {"invoice": "I-INV-1"}
    assert isinstance(applied.operation, Allocate)
    assert applied.operation.amount == Decimal("20.00")
    assert applied.depends_on == (made.id,)
    group = plan.groups[0]
    assert group.reason == "price agreed"
    assert {(row.dimension, row.key, row.amount) for row in group.proof} == {
        ("open", "", Decimal("-20.00")),
        ("revenue", "4000", Decimal("-20.00")),
    }


def test_an_increase_is_supplemented() -> None:
    plan = (
        Books()
        .with_acme()
        .with_invoice()
        .plan(customer(), invoice(price="130.00"), allow="supplement:invoice.INV-1")
    )
    assert verbs(plan) == ["invoice.INV-1/supplement.1#create"]
    operation = plan.steps[0].operation
    assert isinstance(operation, Create)
    assert operation.content["lines"][0]["unit_price"] == Decimal("30.00")


def test_a_moved_account_is_credited_and_reissued_around_our_payment() -> None:
    books = Books().with_acme().with_invoice(paid="60.00").with_payment(amount="60.00", INV_1="60.00")
    lines = [{"description": "work", "account": "4010", "unit_price": "100.00"}]
    plan = books.plan(
        customer(),
        invoice(lines=lines),
        payment(amount="60.00", allocations={"INV-1": "60.00"}),
        allow="credit_and_reissue:invoice.INV-1",
    )
    assert verbs(plan) == [
        "payment.PMT-1#unallocate:invoice.INV-1",
        "invoice.INV-1/credit.1#create",
        "invoice.INV-1/credit.1#allocate:invoice.INV-1",
        "invoice.INV-1/reissue.2#create",
        "payment.PMT-1#allocate:invoice.INV-1/reissue.2",
    ]
    assert plan.steps[3].number == "INV-1-R2"
    assert plan.steps[1].effect.generation == 2
    assert plan.steps[3].effect.declared is not None
    assert [step.group for step in plan.steps] == [plan.groups[0].id] * 5
    proof = {(row.dimension, row.key): row.amount for row in plan.groups[0].proof}
    assert proof == {("revenue", "4000"): Decimal("-100.00"), ("revenue", "4010"): Decimal("100.00")}


def test_where_unallocating_is_impossible_the_credit_settles_the_reissue() -> None:
    no_unallocate = {**ALL_VERBS}
    del no_unallocate[Verb.UNALLOCATE]
    books = Books(capabilities(verbs=no_unallocate)).with_acme().with_invoice(paid="60.00")
    books.with_payment(amount="60.00", INV_1="60.00")
    lines = [{"description": "work", "account": "4010", "unit_price": "100.00"}]
    plan = books.plan(
        customer(),
        invoice(lines=lines),
        payment(amount="60.00", allocations={"INV-1": "60.00"}),
        allow="credit_and_reissue:invoice.INV-1",
    )
    assert verbs(plan) == [
        "invoice.INV-1/credit.1#create",
        "invoice.INV-1/credit.1#allocate:invoice.INV-1",
        "invoice.INV-1/reissue.2#create",
        "invoice.INV-1/credit.1#allocate:invoice.INV-1/reissue.2",
    ]
    applied = [step.operation.amount for step in plan.steps if isinstance(step.operation, Allocate)]
    assert applied == [Decimal("40.00"), Decimal("60.00")]


def test_a_credit_says_where_it_goes() -> None:
    for paid, words in (("0", "applied to what is still open"), ("60.00", "applied to what is still open")):
        books = Books().with_acme().with_invoice("INV-1", "100.00", paid=paid)
        [change] = books.plan(customer(), invoice("INV-1", "80.00")).changes
        assert words in next(offer.effect for offer in change.offers if offer.remedy == "credit")
    books = Books().with_acme().with_invoice("INV-1", "100.00", paid="100.00")
    [change] = books.plan(customer(), invoice("INV-1", "80.00")).changes
    [offer] = change.offers
    assert (str(offer.remedy), offer.effect) == (
        "credit",
        "a credit note for the decrease, left on the customer's account: nothing of the invoice is open",
    )


def test_a_settled_invoice_is_never_reissued() -> None:
    books = Books().with_acme().with_invoice(paid="100.00").with_payment(INV_1="100.00")
    lines = [{"description": "work", "account": "4010", "unit_price": "100.00"}]
    change = only(
        books.plan(
            customer(),
            invoice(lines=lines),
            payment(allocations={"INV-1": "100.00"}),
            allow="credit_and_reissue:invoice.INV-1",
        ),
        Action.BLOCKED,
    )
    assert change.offers == ()
    assert "settled" in change.detail


def test_a_decrease_over_the_open_balance_cannot_be_credited() -> None:
    books = Books().with_acme().with_invoice(paid="60.00").with_payment(amount="60.00", INV_1="60.00")
    plan = books.plan(customer(), invoice(price="30.00"), payment(amount="60.00", allocations={"INV-1": "60.00"}))
    change = next(item for item in plan.changes if item.address == at("invoice.INV-1"))
    assert [str(offer.remedy) for offer in change.offers] == ["credit_and_reissue"]
    assert "more than the 40 still open" in change.detail


def test_adding_an_allocation_allocates_and_taking_one_off_needs_consent() -> None:
    books = (
        Books().with_acme().with_invoice("INV-1", paid="60.00").with_invoice("INV-2").with_payment(INV_1="60.00")
    )
    declared = [customer(), invoice("INV-1"), invoice("INV-2")]
    plan = books.plan(*declared, payment(allocations={"INV-1": "60.00", "INV-2": "40.00"}))
    assert actions(plan) == ["allocate payment.PMT-1"]
    assert verbs(plan) == ["payment.PMT-1#allocate:invoice.INV-2"]
    over = only(books.plan(*declared, payment(allocations={"INV-1": "60.00", "INV-2": "41.00"})), Action.BLOCKED)
    assert over.reason is Reason.OVER_ALLOCATION
    refused = only(books.plan(*declared, payment(allocations={"INV-2": "40.00"})), Action.BLOCKED)
    assert refused.reason is Reason.CONSENT_NEEDED
    moved = books.plan(*declared, payment(allocations={"INV-2": "40.00"}), allow="unallocate:payment.PMT-1")
    assert verbs(moved) == ["payment.PMT-1#unallocate:invoice.INV-1", "payment.PMT-1#allocate:invoice.INV-2"]


def test_allocating_to_a_new_invoice_waits_for_it() -> None:
    books = Books().with_acme().with_invoice("INV-1", paid="60.00").with_payment(INV_1="60.00")
    declared = [customer(), invoice("INV-1"), invoice("INV-2")]
    plan = books.plan(*declared, payment(allocations={"INV-1": "60.00", "INV-2": "40.00"}))
    assert verbs(plan) == ["invoice.INV-2#create", "payment.PMT-1#allocate:invoice.INV-2"]
    created, allocated = plan.steps
    assert allocated.depends_on == (created.id,)
    assert [(hole.place, hole.step) for hole in allocated.holes] == [(("target_id",), created.id)]


def test_an_allocation_by_somebody_else_is_drift_and_stays() -> None:
    books = Books().with_acme().with_invoice("INV-1", paid="60.00").with_payment(INV_1="60.00")
    books.allocations.clear()
    plan = books.plan(customer(), invoice(), payment(allocations={}))
    assert not plan.has_work
    assert [item.kind for item in plan.drift] == ["allocation"]


def test_a_rename_touches_state_alone() -> None:
    books = Books().with_acme().with_invoice()
    plan = books.plan(
        resource("customer.acme-corp", name="Acme", currency="USD"),
        invoice(customer="acme-corp"),
        moved=[("customer.acme", "customer.acme-corp")],
    )
    assert actions(plan) == ["move customer.acme-corp"]
    assert not plan.steps


def test_gone_is_reported_and_not_a_change() -> None:
    plan = Books().with_acme().with_invoice().plan(customer())
    assert plan.gone == (at("invoice.INV-1"),)
    assert not plan.has_changes


def test_removed_credits_voids_or_forgets() -> None:
    books = Books().with_acme().with_invoice()
    credited = books.plan(customer(), removed=[("invoice.INV-1", "credit")])
    assert verbs(credited) == ["invoice.INV-1/credit.1#create", "invoice.INV-1/credit.1#allocate:invoice.INV-1"]
    voided = books.plan(customer(), removed=[("invoice.INV-1", "void")])
    assert verbs(voided) == ["invoice.INV-1#void"]
    forgotten = books.plan(customer(), removed=[("invoice.INV-1", "forget")])
    assert actions(forgotten) == ["forget invoice.INV-1"]
    assert not forgotten.steps
    closed = (
        Books(company=Company("co-1", "x", "USD", closed_through=date(2026, 11, 15))).with_acme().with_invoice()
    )
    assert (
        only(closed.plan(customer(), removed=[("invoice.INV-1", "void")]), Action.BLOCKED).reason
        is Reason.POSTED_IMMUTABLE
    )


def test_corrections_of_a_closed_period_are_dated_in_the_open_one_and_noted() -> None:
    books = Books(company=Company("co-1", "x", "USD", closed_through=date(2026, 11, 30))).with_acme().with_invoice()
    lines = [{"description": "work", "account": "4010", "unit_price": "100.00"}]
    plan = books.plan(customer(), invoice(lines=lines), allow="credit_and_reissue:invoice.INV-1")
    dates = [step.operation.content["issue_date"] for step in plan.steps if isinstance(step.operation, Create)]
    assert dates == [date(2026, 12, 1), date(2026, 12, 1)]
    assert '"_noted":{"issue_date":"2026-12-01"}' in (plan.steps[-1].effect.declared or "")


def test_what_carries_our_tag_is_bound_again() -> None:
    books = Books().with_acme().with_invoice(paid="60.00").with_payment(INV_1="60.00")
    books.bindings.clear()
    books.documents.clear()
    books.allocations.clear()
    plan = books.plan(customer(), invoice(), payment(allocations={"INV-1": "60.00"}))
    assert actions(plan) == ["adopt customer.acme", "adopt invoice.INV-1", "adopt payment.PMT-1"]
    assert not plan.steps
    assert [item.allocations for item in plan.bookkeeping][-1] != ()


def test_a_document_with_our_tag_and_other_content_is_a_conflict() -> None:
    books = Books().with_acme().with_invoice()
    del books.bindings[at("invoice.INV-1")]
    books.documents = {key: row for key, row in books.documents.items() if row.kind != "invoice"}
    change = only(books.plan(customer(), invoice(price="99.00")), Action.BLOCKED)
    assert change.reason is Reason.CONTENT_CONFLICT
    assert [field.path for field in change.fields] == ["lines[0].unit_price"]


def test_after_a_lost_state_a_document_waits_for_its_customer_and_is_no_conflict() -> None:
    books = Books().with_acme().with_invoice()
    books.bindings, books.documents = {}, {}
    books.rows["customer"] = {
        id_: replace(row, reference=None, code="ACME", name="ACME") for id_, row in books.rows["customer"].items()
    }
    plan = books.plan(customer(code="ACME"), invoice())
    reasons = {str(change.address): change.reason for change in plan.changes}
    assert reasons["books:customer.acme"] is Reason.EXISTS_UNMANAGED
    assert reasons["books:invoice.INV-1"] is Reason.REFERENCE_BLOCKED
    assert plan.steps == ()


def test_an_unmanaged_document_is_adopted_only_on_request_and_only_when_equal() -> None:
    books = Books().with_acme()
    content = {
        "customer": "C1",
        "issue_date": "2026-11-10",
        "currency": "USD",
        "lines": [{"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": "100.00"}],
    }
    books.live("invoice", "I9", content, number="INV-1", total="100", open="100")
    assert only(books.plan(customer(), invoice()), Action.BLOCKED).reason is Reason.EXISTS_UNMANAGED
    plan = books.plan(customer(), invoice(), adopt=["invoice.INV-1"])
    assert only(plan, Action.ADOPT).remote_id == "I9"
    other = only(books.plan(customer(), invoice(price="70.00"), adopt=["invoice.INV-1"]), Action.BLOCKED)
    assert other.reason is Reason.CONTENT_CONFLICT
    books.live(
        "invoice", "I9", content, number="INV-1", reference="INV-1~aaaabbbbccccdddd", total="100", open="100"
    )
    foreign = only(books.plan(customer(), invoice(), adopt=["invoice.INV-1"]), Action.BLOCKED)
    assert foreign.reason is Reason.FOREIGN_DOCUMENT


def test_what_a_request_under_way_may_have_made_is_nobodys_stray() -> None:
    books = Books().with_acme()
    (step,) = books.plan(customer(), invoice()).steps
    content = {"customer": "C1", "issue_date": "2026-11-10", "currency": "USD", "lines": []}
    books.live("invoice", "I9", content, number="INV-1", reference=step.reference, total="100", open="100")
    assert books.plan(customer()).unmanaged == {"books:invoice": 1}
    books.unsettled = (
        SimpleNamespace(address=step.address, document_id=step.document_id, may_be_resent=False),  # type: ignore[assignment]
    )
    assert books.plan(customer()).unmanaged == {}


def test_two_live_documents_under_one_tag_are_reported_not_chosen_from() -> None:
    books = Books().with_acme().with_invoice()
    row = books.rows["invoice"]["I-INV-1"]
    books.rows["invoice"]["I-twin"] = replace(row, remote_id="I-twin")
    del books.bindings[at("invoice.INV-1")]
    books.documents = {key: item for key, item in books.documents.items() if item.kind != "invoice"}
    change = only(books.plan(customer(), invoice()), Action.BLOCKED)
    assert "more than once" in change.detail


def test_blocked_things_hold_what_refers_to_them_and_nothing_else() -> None:
    plan = Books().plan(
        customer(),
        resource("customer.bad", name="Bad", payment_terms="nope"),
        invoice(),
        invoice("INV-2", customer="bad"),
    )
    assert actions(plan) == [
        "create customer.acme",
        "blocked customer.bad",
        "create invoice.INV-1",
        "blocked invoice.INV-2",
    ]
    assert plan.changes[1].reason is Reason.REFERENCE_UNRESOLVED
    assert plan.changes[3].reason is Reason.REFERENCE_BLOCKED
    assert not plan.complete


def test_target_takes_what_it_needs_along() -> None:
    plan = Books().plan(customer(), customer("other"), invoice(), invoice("INV-2"), targets=["invoice.INV-1"])
    assert actions(plan) == ["create customer.acme", "create invoice.INV-1"]


def test_closed_periods_totals_and_numbers_are_checked_before_anything_is_sent() -> None:
    closed = Books(company=Company("co-1", "x", "USD", closed_through=date(2026, 11, 10))).with_acme()
    assert only(closed.plan(customer(), invoice()), Action.BLOCKED).reason is Reason.PERIOD_CLOSED
    wrong = only(Books().with_acme().plan(customer(), invoice(expect_total="99.00")), Action.BLOCKED)
    assert wrong.reason is Reason.TOTAL_MISMATCH
    assigned = Books(capabilities(Numbering.ASSIGNED)).with_acme()
    assert only(assigned.plan(customer(), invoice(number="X")), Action.BLOCKED).reason is Reason.UNSUPPORTED
    assert assigned.plan(customer(), invoice()).steps[0].number is None


def test_strictly_dated_series_run_in_date_order_and_a_left_out_one_holds_the_later() -> None:
    books = Books(capabilities(Numbering.ASSIGNED_IN_DATE_ORDER)).with_acme()
    plan = books.plan(
        customer(),
        invoice("A", issue_date="2026-11-12"),
        invoice("B", issue_date="2026-11-11"),
        invoice("C", issue_date="2026-11-11"),
    )
    assert verbs(plan) == ["invoice.B#create", "invoice.C#create", "invoice.A#create"]
    assert plan.steps[2].depends_on == ("books:invoice.C#create",)
    held = books.plan(
        customer(),
        invoice("A", issue_date="2026-11-12"),
        invoice("B", issue_date="2026-11-11", expect_total="1.00"),
    )
    assert actions(held) == ["blocked invoice.A", "blocked invoice.B"]
    assert held.changes[0].reason is Reason.DATE_ORDER


def test_class_d_creates_wait_in_an_unconfirmed_epoch() -> None:
    verbs_d = {**ALL_VERBS, Verb.CREATE: VerbSupport(deduplication=DeduplicationClass.D)}
    books = Books(capabilities(verbs=verbs_d), unconfirmed=True)
    change = only(books.plan(customer()), Action.BLOCKED)
    assert change.reason is Reason.UNCONFIRMED_EPOCH
    assert "recover --confirm-absent" in change.hint


def test_a_void_or_vanished_document_is_drift_and_blocks() -> None:
    books = Books().with_acme().with_invoice()
    del books.rows["invoice"]["I-INV-1"]
    plan = books.plan(customer(), invoice())
    assert only(plan, Action.BLOCKED).reason is Reason.VANISHED
    assert plan.drift[0].kind == "vanished"


def test_drift_of_an_amendable_field_is_listed_and_put_back() -> None:
    declared = customer(email="ap@acme.example")
    books = Books()
    books.bind(declared, "C1", {"name": "Acme", "currency": "USD", "code": "acme", "email": "ap@acme.example"})
    books.live(
        "customer",
        "C1",
        {"name": "Acme", "currency": "USD", "code": "acme", "email": "other@x.example"},
        code="acme",
        reference=books.rows["customer"]["C1"].reference,
    )
    plan = books.plan(declared)
    assert plan.drift[0].fields[0].after == "other@x.example"
    assert only(plan, Action.UPDATE).reason is Reason.DRIFTED


def test_where_a_file_was_read_from_is_no_change_where_the_erp_keeps_its_name_alone() -> None:
    kind = KINDS["invoice"]
    declared = {"attachments": [{"name": "order.pdf", "path": "files/order.pdf"}]}
    live, wanted = align(kind, {"attachments": [{"name": "order.pdf", "path": "order.pdf"}]}, declared)
    assert changed_fields(live, wanted) == []
    for other in ({"name": "order.pdf", "path": "elsewhere/order.pdf"}, {"name": "other.pdf", "path": "other.pdf"}):
        live, wanted = align(kind, {"attachments": [other]}, declared)
        assert changed_fields(live, wanted) == ["attachments"]

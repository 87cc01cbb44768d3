"""What a plan makes customers owe, held against what credit control says of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from reconciler.plan.credit import customers_to_ask, with_standings
from reconciler.plan.model import Plan
from reconciler.plan_file import plan_text
from reconciler.providers.protocol import CreditStanding
from tests.unit.plan.books import Books, actions, capabilities, customer, invoice, payment, resource

D = Decimal
LINE = {"description": "work", "account": "4000", "quantity": "1"}


def controlled() -> Books:
    return Books(caps=replace(capabilities(), credit_control=True)).with_acme()


def standing(balance: str = "0", limit: str | None = None, **more: Any) -> CreditStanding:
    currency = more.pop("currency", "USD")
    return CreditStanding(currency, D(balance), None if limit is None else D(limit), **more)


def judged(plan: Plan, *found: CreditStanding, **others: CreditStanding) -> Plan:
    """With the standing of acme, and of other customers by id."""
    return with_standings(plan, {"books": {**({"C1": found[0]} if found else {}), **others}})


def test_nobody_is_asked_about_where_credit_is_not_controlled() -> None:
    plan = Books().with_acme().plan(customer(), invoice("INV-1"))
    assert plan.credit == ()
    assert customers_to_ask(plan) == {}


def test_only_who_is_made_to_owe_more_is_asked_about() -> None:
    books = controlled().with_invoice("INV-0", paid="0")
    paid = books.plan(customer(), invoice("INV-0"), payment("PMT-1", "60.00", {"INV-0": "60.00"}))
    assert paid.credit == ()
    assert customers_to_ask(books.plan(customer(), invoice("INV-0"), invoice("INV-1"))) == {"books": ("C1",)}
    drafted = books.plan(customer(), invoice("INV-0"), invoice("INV-2", state="draft"))
    assert drafted.credit == ()


def test_over_the_limit_is_a_warning_with_amounts_and_what_raises_it() -> None:
    plan = judged(controlled().plan(customer(), invoice("INV-1", "350.00")), standing("900", "1000"))
    assert plan.warnings == (
        "customer.acme would owe 1,250.00 USD, over its credit limit of 1,000.00 USD (now 900.00):"
        " 350.00 more by invoice.INV-1",
    )
    [outlook] = plan.credit
    assert (outlook.after, outlook.over, outlook.balance) == (D(1250), True, D(900))


def test_at_the_limit_is_not_over_and_a_cent_more_is() -> None:
    for price, over in (("100.00", False), ("100.01", True)):
        plan = judged(controlled().plan(customer(), invoice("INV-1", price)), standing("900", "1000"))
        assert [outlook.over for outlook in plan.credit] == [over]
        assert bool(plan.warnings) is over


def test_a_limit_of_nothing_is_a_limit_and_none_is_none() -> None:
    plan = controlled().plan(customer(), invoice("INV-1"))
    assert judged(plan, standing("0", "0")).credit[0].over
    assert judged(plan, standing("0", None)).credit == ()
    assert judged(plan).credit == ()


def test_overdue_is_told_with_it() -> None:
    plan = judged(controlled().plan(customer(), invoice()), standing("950", "1000", overdue=D("12.5")))
    assert "(now 950.00, 12.50 USD of it overdue)" in plan.warnings[0]


def test_payments_of_the_same_plan_count_whatever_they_settle() -> None:
    books = controlled().with_invoice("INV-0", "500.00")
    new, old = invoice("INV-1", "350.00"), invoice("INV-0", "500.00")
    covered = books.plan(customer(), old, new, payment("PMT-1", "250.00", {"INV-0": "250.00"}))
    assert judged(covered, standing("900", "1000")).warnings == ()
    assert judged(covered, standing("900", "1000")).credit[0].after == D(1000)
    on_account = books.plan(customer(), old, new, payment("PMT-1", "249.99"))
    assert judged(on_account, standing("900", "1000")).warnings == (
        "customer.acme would owe 1,000.01 USD, over its credit limit of 1,000.00 USD (now 900.00):"
        " 350.00 more by invoice.INV-1, less 249.99 that this plan settles or credits",
    )


def amending(*fields: str) -> Books:
    """Books whose ERP lets posted invoices be amended."""
    caps = replace(capabilities(), credit_control=True)
    posted = {phase: frozenset({*fields, "memo"}) for phase in ("draft", "posted", "part_settled")}
    kinds = dict(caps.kinds) | {"invoice": replace(caps.kind("invoice"), amendable=posted)}
    return Books(caps=replace(caps, kinds=kinds)).with_acme().with_invoice("INV-1", "100.00")


def test_a_posted_invoice_that_the_erp_amends_raises_by_its_difference() -> None:
    books = amending("lines")
    dearer = books.plan(customer(), invoice("INV-1", "130.00"))
    assert [(change.action, change.receivable) for change in dearer.changes] == [("update", {"USD": D(30)})]
    assert judged(dearer, standing("1000", "1000")).credit[0].after == D(1030)
    cheaper = books.plan(customer(), invoice("INV-1", "30.00"))
    assert [(change.receivable, cheaper.credit) for change in cheaper.changes] == [({"USD": D(-70)}, ())]
    reworded = books.plan(customer(), invoice("INV-1", "100.00", memo="other"))
    assert [change.receivable for change in reworded.changes] == [{}]


def test_what_is_blocked_pays_nothing() -> None:
    books = controlled().with_invoice("INV-0", "100.00")
    over_allocated = payment("PMT-1", "500.00", {"INV-0": "500.00"})
    plan = books.plan(customer(), invoice("INV-0"), invoice("INV-1", "350.00"), over_allocated)
    assert "blocked payment.PMT-1" in actions(plan)
    assert judged(plan, standing("900", "1000")).credit[0].after == D(1250)


def test_a_correction_raises_by_its_difference() -> None:
    books = controlled().with_invoice("INV-1", "100.00")
    moved = invoice("INV-1", lines=[{**LINE, "account": "4010", "unit_price": "100.00"}])
    assert books.plan(customer(), moved, allow="credit_and_reissue:invoice.INV-1").credit == ()
    dearer = invoice("INV-1", lines=[{**LINE, "account": "4010", "unit_price": "130.00"}])
    plan = judged(
        books.plan(customer(), dearer, allow="credit_and_reissue:invoice.INV-1"), standing("1000", "1000")
    )
    [outlook] = plan.credit
    assert (outlook.raises["USD"].amount, outlook.after) == (D(30), D(1030))
    assert "30.00 more by invoice.INV-1" in plan.warnings[0]


def test_another_currency_is_not_compared_and_that_is_said() -> None:
    euros = invoice("INV-2", "80.00", currency="EUR", exchange_rate="1.1")
    plan = controlled().plan(customer(), invoice("INV-1", "50.00"), euros)
    plan = judged(plan, standing("900", "1000"))
    assert plan.warnings == (
        "customer.acme would owe 80.00 EUR more by invoice.INV-2, which is not compared with its credit limit of"
        " 1,000.00 USD: the currency is another",
    )
    assert (plan.credit[0].after, plan.credit[0].over) == (D(950), False)
    foreign = judged(controlled().plan(customer(), invoice("INV-1")), standing("900", "10", currency="EUR"))
    assert not foreign.credit[0].over
    assert len(foreign.warnings) == 1


def test_a_customer_on_hold_is_warned_of_without_any_limit() -> None:
    plan = judged(controlled().plan(customer(), invoice("INV-1")), standing("0", None, on_hold=True))
    assert plan.warnings == ("customer.acme is on hold, and would owe 100.00 USD more by invoice.INV-1",)


def test_the_limit_that_the_plan_sets_counts() -> None:
    books = controlled()
    raised = books.plan(customer(credit_limit="5000.00"), invoice("INV-1", "350.00"))
    assert judged(raised, standing("900", "1000")).warnings == ()
    lowered = books.plan(customer(credit_limit="10.00"), invoice("INV-1", "350.00"))
    assert "over its credit limit of 10.00 USD" in judged(lowered, standing("900", "1000")).warnings[0]
    stopped = books.plan(customer(hold="true"), invoice("INV-1"))
    assert "is on hold" in judged(stopped, standing("0", None)).warnings[0]


def test_a_customer_that_is_new_is_judged_by_what_is_declared() -> None:
    new = resource("customer.zeta", name="Zeta", currency="EUR", credit_limit="100.00")
    bill = invoice("INV-1", "120.00", customer="zeta", currency="EUR", exchange_rate="1.1")
    plan = controlled().plan(customer(), new, bill)
    assert customers_to_ask(plan) == {}
    assert judged(plan).warnings == (
        "customer.zeta would owe 120.00 EUR, over its credit limit of 100.00 EUR (now 0.00):"
        " 120.00 more by invoice.INV-1",
    )
    unlimited = resource("customer.zeta", name="Zeta", currency="EUR")
    assert judged(controlled().plan(customer(), unlimited, bill)).credit == ()


def test_a_customer_nobody_declares_is_named_as_the_erp_does() -> None:
    books = controlled()
    books.live("customer", "C9", {"name": "Initech", "currency": "USD", "code": "INI"}, code="INI")
    plan = with_standings(
        books.plan(customer(), invoice("INV-1", customer="INI")), {"books": {"C9": standing("1", "1")}}
    )
    assert plan.warnings[0].startswith("customer INI would owe 101.00 USD")


def test_many_reasons_are_counted() -> None:
    plan = controlled().plan(customer(), *(invoice(f"INV-{n:02}", "10.00") for n in range(14)))
    [outlook] = judged(plan, standing("0", "1")).credit
    assert (len(outlook.raises["USD"].by), outlook.raises["USD"].more) == (10, 4)
    [warning] = judged(plan, standing("0", "1")).warnings
    assert warning.endswith("140.00 more by invoice.INV-00, invoice.INV-01, invoice.INV-02 and 11 more")


def test_many_customers_are_counted() -> None:
    books = controlled()
    for n in range(60):
        books.live("customer", f"D{n}", {"name": f"N{n}", "currency": "USD", "code": f"n{n:02}"}, code=f"n{n:02}")
    bills = (invoice(f"INV-{n:02}", customer=f"n{n:02}") for n in range(60))
    plan = books.plan(*bills)
    plan = judged(plan, **{f"D{n}": standing("0", "1") for n in range(60)})
    assert len(plan.credit) == 60
    assert len(plan.warnings) == 51
    assert plan.warnings[-1] == "10 more customers are over their credit limit, on hold or not compared"


def test_the_plan_file_shows_it() -> None:
    plan = judged(controlled().plan(customer(), invoice("INV-1", "350.00")), standing("900", "1000"))
    assert (
        '"credit":[{"balance":"900","connection":"books","currency":"USD","customer":"customer.acme",'
        '"limit":"1000","moves":{"USD":"350"},"raises":{"USD":{"amount":"350","by":["invoice.INV-1"]}},'
        '"remote_id":"C1"}]'
    ) in plan_text(plan)

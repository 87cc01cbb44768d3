"""The credit limit as a policy: warn, or refuse."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from reconciler.kernel.errors import PolicyRefused
from reconciler.plan.model import CreditOutlook, CreditRaise, Plan
from reconciler.policy.credit import violations
from reconciler.policy.enforcing import enforce, policy_digest
from reconciler.project import Policies
from tests.unit.sample_plans import make_plan

D = Decimal


def outlook(customer: str = "customer.acme", **more: Any) -> CreditOutlook:
    raised = {"raises": {"USD": CreditRaise(D(350), ("invoice.INV-1",))}, "moves": {"USD": D(350)}}
    return CreditOutlook("books", customer, "USD", D(900), **{**raised, "limit": D(1000), **more})


def planned(*outlooks: CreditOutlook) -> Plan:
    return replace(make_plan(), credit=outlooks)


def test_warning_is_what_goes_without_saying():
    enforce(planned(outlook(), outlook("customer.b", on_hold=True)), Policies())


def test_over_the_limit_is_refused_with_exit_code_4():
    with pytest.raises(PolicyRefused) as caught:
        enforce(planned(outlook()), Policies(credit_limit="refuse"))
    assert caught.value.exit_code == 4
    assert caught.value.what == "the plan is refused by policies.credit_limit"
    assert caught.value.why.startswith(
        "customer.acme would owe 1,250.00 USD, over its credit limit of 1,000.00 USD"
    )


def test_a_hold_is_refused_too():
    with pytest.raises(PolicyRefused, match=r"customer\.acme is on hold"):
        enforce(planned(outlook(limit=None, on_hold=True)), Policies(credit_limit="refuse"))


def test_what_stays_within_or_cannot_be_compared_is_not_refused():
    within = outlook(limit=D(1250))
    foreign = outlook(raises={"EUR": CreditRaise(D(9999))}, moves={"EUR": D(9999)})
    enforce(planned(within, foreign), Policies(credit_limit="refuse"))
    assert foreign.not_compared == {"EUR": D(9999)}


def test_many_are_counted():
    plan = planned(*(outlook(f"customer.c{n:02}") for n in range(14)))
    assert len(violations(plan)) == 14
    with pytest.raises(PolicyRefused, match=r"customer\.c09 .*; and 4 more"):
        enforce(plan, Policies(credit_limit="refuse"))


def test_the_digest_follows_the_policies():
    one = policy_digest(Policies({"USD": D("1.0")}))
    assert one == policy_digest(Policies({"USD": D("1.00")}, "warn"))
    assert (
        len(
            {
                one,
                *(policy_digest(p) for p in (Policies(), Policies({"USD": D(2)}), Policies(credit_limit="refuse"))),
            }
        )
        == 4
    )

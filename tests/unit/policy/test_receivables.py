"""The threshold on new receivables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.kernel.errors import PolicyRefused
from reconciler.plan.model import Action, Reason
from reconciler.policy.receivables import enforce, new_receivables, violations
from tests.unit.sample_plans import change, correction_plan, make_plan


def creating(name: str, **amounts: str):
    receivable = {currency: Decimal(amount) for currency, amount in amounts.items()}
    return change(f"invoice.{name}", Action.CREATE, Reason.DECLARED, receivable=receivable)


def test_increases_are_summed_per_currency():
    plan = make_plan(creating("A", USD="100.10"), creating("B", USD="50", EUR="7"), creating("C", USD="-40"))
    assert new_receivables(plan) == {"EUR": Decimal(7), "USD": Decimal("150.10")}


def test_what_is_blocked_counts_for_nothing():
    blocked = change("invoice.A", Action.BLOCKED, Reason.CONSENT_NEEDED, receivable={"USD": Decimal(9)})
    assert new_receivables(make_plan(blocked)) == {}


def test_a_correction_counts_its_reissue_in_full():
    assert new_receivables(correction_plan()) == {"USD": Decimal("2300.00")}


def test_at_the_limit_is_allowed_and_a_cent_over_is_not():
    limits = {"USD": Decimal("100.00")}
    enforce(make_plan(creating("A", USD="100.00")), limits)
    with pytest.raises(PolicyRefused) as caught:
        enforce(make_plan(creating("A", USD="100.01")), limits)
    assert caught.value.exit_code == 4
    assert caught.value.why == "new receivables of 100.01 USD are over the limit of 100.00 USD"


def test_currencies_without_a_limit_are_free():
    assert violations(make_plan(creating("A", EUR="1000000")), {"USD": Decimal(1)}) == ()


def test_every_violation_is_named():
    plan = make_plan(creating("A", EUR="10", USD="2000"))
    with pytest.raises(PolicyRefused, match=r"10.00 EUR .* 2,000.00 USD"):
        enforce(plan, {"USD": Decimal(1), "EUR": Decimal(1)})

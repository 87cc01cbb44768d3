"""Intacct's sandbox, through the suite that every provider passes; its requests, against the vendor's schema.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and
a second process keep that.
"""

from __future__ import annotations

from tests.conformance import intacct_contract
from tests.conformance.intacct_world import in_real_time, of_advances, sandbox
from tests.conformance.sandboxed import ALL, OfCases, OnASandbox, only, slowly

QUICK = {
    "customer_email_set_changed_and_cleared",
    "invoice_with_fractions",
    "invoice_on_terms",
    "invoice_drafted_edited_posted",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "removed_voided",
    "adopted_by_id",
    "state_lost",
    "drift_of_a_payment",
    "closed_period",
}
OF_ADVANCES = {"allocation_lowered_with_consent", "change_of_a_part_paid_invoice_reissued"}


class TestIntacct(OfCases):
    """Payments made with their invoices where they are allocated whole, else advances."""

    __test__ = True
    contract = intacct_contract
    world = sandbox
    slow_cases = ALL - QUICK


class TestIntacctOfAdvances(OfCases):
    """Every payment an advance, every allocation a payment of its own; words of posted invoices may change."""

    __test__ = True
    contract = intacct_contract
    world = of_advances
    slow_cases = ALL - OF_ADVANCES


class TestIntacctUnderFaults(OnASandbox):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick."""

    __test__ = True
    world = in_real_time


only(TestIntacctUnderFaults, "test_under_faults", "test_asked", "test_killed")
slowly(TestIntacctUnderFaults, "test_asked_where_nothing_may_be_sent_again")

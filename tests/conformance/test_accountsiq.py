"""AccountsIQ's sandbox, through the suite that every provider passes; its requests, against the vendor's samples.

The cases run on a clock that moves when it is slept on. The runs under faults are in real time, because a proxy and
a second process keep that.
"""

from __future__ import annotations

from tests.conformance import accountsiq_contract
from tests.conformance.accountsiq_world import in_real_time, of_api_2, sandbox
from tests.conformance.sandboxed import ALL, OfCases, OnASandbox, only

QUICK = {
    "customer_addresses",
    "invoice_with_several_lines_and_rounding",
    "invoice_due_date",
    "payment_on_account_allocated_later",
    "allocation_lowered_with_consent",
    "credit_note_applied_later",
    "change_credited_with_tax",
    "state_lost",
    "drift_of_a_payment",
    "closed_period",
    "odd_text_in_a_memo",
    "tracking_set_declared",
}
ON_API_2 = {"invoice_with_tax", "payment_in_part", "credit_note_applied_at_once"}


class TestAccountsIQ(OfCases):
    """By API 1.1, with everything that the services of 2026 have."""

    __test__ = True
    contract = accountsiq_contract
    world = sandbox
    slow_cases = ALL - QUICK


class TestAccountsIQOfApi2(OfCases):
    """By API 2.0, by the plain operations, and with the other answers to what the documents leave open."""

    __test__ = True
    contract = accountsiq_contract
    world = of_api_2
    slow_cases = ALL - ON_API_2


class TestAccountsIQUnderFaults(OnASandbox):
    """One exchange harmed at a time, and the process killed: in real time."""

    __test__ = True
    world = in_real_time


only(TestAccountsIQUnderFaults, "test_under_faults", "test_killed")

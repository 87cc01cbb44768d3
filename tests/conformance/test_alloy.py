"""Alloy against the provider suite, on its sandbox.

With QuickBooks behind, everything that Alloy can do works. The listings are of the moment here, so that the suite
sees all that is in the books; what their age of twelve hours means is in `test_alloy_cache`. At each change run the
cases that Alloy decides, and a few faults; the rest runs with `pytest -m slow`.
"""

from __future__ import annotations

from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.alloy_world import over_netsuite, sandbox

QUICK = {
    "customer_created_and_updated",
    "customer_addresses",
    "customer_archived_and_back",
    "account_created_and_renamed",
    "invoice_with_several_lines_and_rounding",
    "invoice_in_a_foreign_currency",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "allocation_lowered_with_consent",
    "payment_in_a_foreign_currency",
    "change_refused_without_consent",
    "change_supplemented",
    "removed_voided",
    "adopted_by_id",
    "state_lost",
    "odd_text_on_a_line",
    "long_text_in_a_memo",
    "over_allocation_of_an_invoice",
    "renamed",
}
ALL = frozenset(case.name for case in CASES)
ASKED = "asked_where_nothing_may_be_sent_again"
FAULTS = {ProxyFault.CUT_AFTER, ProxyFault.TRUNCATED, ProxyFault.UNAVAILABLE_BEFORE}


class TestAlloy(ProviderSuite):
    world = sandbox
    thorough = False
    slow_cases = ALL - QUICK
    slow_faults = frozenset(ProxyFault) - FAULTS
    fault_sample = 1
    kill_sample = 1


class TestAlloyOverNetSuite(ProviderSuite):
    """What differs with NetSuite behind: how a payment is told to settle, and what keeps a second one out."""

    world = over_netsuite
    thorough = False
    slow_cases = ALL - {"payment_for_many", "allocation_lowered_with_consent"} | {ASKED}
    slow_faults = frozenset(ProxyFault) - {ProxyFault.CUT_AFTER}
    fault_sample = 1
    kill_sample = 1

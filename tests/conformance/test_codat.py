"""Codat's sandbox, through the suite that every provider passes; its requests, against the vendor's schemas.

The cases run on a clock that moves when it is slept on: pushes and refreshes take the time they take there. The
runs under faults are in real time, because a proxy and a second process keep that.
"""

from __future__ import annotations

from reconciler.testing.fault_proxy import ProxyFault
from tests.conformance import codat_contract
from tests.conformance.codat_world import in_real_time, sandbox
from tests.conformance.sandboxed import OfCases, OnASandbox, only

THE_WORST = frozenset(
    {ProxyFault.CUT_AFTER, ProxyFault.LATE_LANDING, ProxyFault.ERROR_AFTER, ProxyFault.STALE_READ}
)


class TestCodat(OfCases):
    """Every case, undisturbed."""

    __test__ = True
    contract = codat_contract
    world = sandbox
    slow_cases = frozenset(
        {
            "bulk_of_two_hundred",
            "change_noted",
            "change_of_a_paid_invoice_credited",
            "change_twice",
            "credit_note_and_payment_together",
            "customer_archived_and_back",
            "documents_of_others",
            "gone_from_the_manifests",
            "invoice_with_three_decimals",
            "invoice_without_decimals",
            "long_text_in_a_memo",
            "odd_text_in_a_memo",
            "over_allocation_of_a_payment",
            "renamed",
            "unknown_account",
        }
    )


class TestCodatUnderFaults(OnASandbox):
    """One exchange harmed at a time, and the process killed: in real time, on a sandbox that is quick.

    By default the worst: the books did it, or will do it, and we were not told; or what we are told is old.
    """

    __test__ = True
    world = in_real_time
    slow_faults = frozenset(ProxyFault) - THE_WORST


only(TestCodatUnderFaults, "test_under_faults", "test_killed")

"""A real Tryton, through the suite that every provider passes.

Each state costs Tryton seconds: at each change run the cases that books like these decide, and the fault that has
doubled most; the rest runs with `pytest -m slow`. Masters and allocations are seen in detail in tests/tryton.
"""

from __future__ import annotations

from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.tryton_world import tryton_world

QUICK = {
    "customer_billing_address",
    "invoice_with_several_lines_and_rounding",
    "invoice_in_a_foreign_currency",
    "invoice_drafted_edited_posted",
    "payment_for_many",
    "payment_on_account_allocated_later",
    "payment_reversed_and_entered_again",
    "credit_note_applied_later",
    "change_refused_without_consent",
    "change_credited_with_tax",
    "adopted_by_id",
    "state_lost",
    "drift_of_a_payment",
    "documents_of_others",
    "over_allocation_of_an_invoice",
    "odd_text_on_a_line",
    "closed_period",
}
FAULTS = {ProxyFault.CUT_AFTER}


class TestTryton(ProviderSuite):
    world = tryton_world
    thorough = False
    slow_cases = frozenset(case.name for case in CASES) - QUICK
    slow_faults = frozenset(ProxyFault) - FAULTS
    fault_sample = 1
    kill_sample = 1

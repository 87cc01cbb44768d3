"""A real Tryton, through the suite that every provider passes.

Each state costs Tryton seconds: at each change run the cases that books like these decide, and the fault that has
doubled most; the rest runs with `pytest -m slow`. Masters, documents and allocations are seen one by one in
tests/tryton, and kills in its test_kill.
"""

from __future__ import annotations

from reconciler.testing.cases import CASES
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.tryton_world import tryton_world

QUICK = {
    "invoice_with_several_lines_and_rounding",
    "payment_on_account_allocated_later",
    "payment_reversed_and_entered_again",
    "credit_note_applied_later",
    "change_credited_with_tax",
    "state_lost",
    "drift_of_a_payment",
    "closed_period",
}
FAULTS = {ProxyFault.CUT_AFTER}


class TestTryton(ProviderSuite):
    world = tryton_world
    thorough = False
    slow_cases = frozenset(case.name for case in CASES) - QUICK | {
        "killed",
        "asked_where_nothing_may_be_sent_again",
    }
    slow_faults = frozenset(ProxyFault) - FAULTS
    fault_sample = 1
    kill_sample = 1

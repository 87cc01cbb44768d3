"""An ERP that keeps combinations of tracking values as records, by the test provider's switch: the cases of sets.

Everything else, faults included, is as with the other switches, and waits for `-m slow`.
"""

from __future__ import annotations

from functools import partial

from reconciler.testing.cases import CASES
from reconciler.testing.cases.tracking import SETS
from reconciler.testing.fault_proxy import ProxyFault
from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.test_ledger_test_provider import of_class

PLAYED = {"tracking_on_lines", "change_credited_and_reissued", *(case.name for case in SETS)}


class TestTrackingSets(ProviderSuite):
    world = partial(of_class, klass="A", tracking_sets="true")
    slow_cases = frozenset(case.name for case in CASES if case.name not in PLAYED) | {"killed"}
    slow_faults = frozenset(ProxyFault)
    fault_sample = 1
    kill_sample = 1

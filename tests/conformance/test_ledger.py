"""The embedded ledger, through the suite that every provider passes: served over HTTP, and in this process."""

from __future__ import annotations

from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.ledger_world import in_process, served


class TestServedLedger(ProviderSuite):
    world = served
    fault_sample = 3


class TestLedgerInProcess(ProviderSuite):
    world = in_process

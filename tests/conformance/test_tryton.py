"""A real Tryton, through the suite that every provider passes."""

from __future__ import annotations

from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.tryton_world import tryton_world


class TestTryton(ProviderSuite):
    world = tryton_world
    thorough = False
    fault_sample = 1
    kill_sample = 1

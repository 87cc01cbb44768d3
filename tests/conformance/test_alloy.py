"""Alloy against the provider suite, on its sandbox."""

from __future__ import annotations

from reconciler.testing.provider_suite import ProviderSuite
from tests.conformance.alloy_world import sandbox


class TestAlloyOverQuickBooks(ProviderSuite):
    """With QuickBooks behind, everything that Alloy can do works."""

    world = sandbox

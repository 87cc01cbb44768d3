"""The provider `alloy`: an ERP behind Alloy's unified accounting API. Lists are a cache, reads by id are not.

`AlloyProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.alloy.provider import AlloyProvider, AlloyProviderFactory

__all__ = ["AlloyProvider", "AlloyProviderFactory"]

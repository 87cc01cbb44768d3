"""The provider `tryton`: a Tryton 8 server over JSON-RPC.

`TrytonProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.tryton.provider import TrytonProvider, TrytonProviderFactory

__all__ = ["TrytonProvider", "TrytonProviderFactory"]

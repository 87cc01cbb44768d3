"""The provider `ledger`: the embedded double-entry ledger, in this process or served by another.

`LedgerProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.ledger.provider import LedgerProvider, LedgerProviderFactory

__all__ = ["LedgerProvider", "LedgerProviderFactory"]

"""The provider `accountsiq`: one entity's books behind AccountsIQ's integration API, 1.1 or 2.0, over SOAP.

`AccountsIQProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.accountsiq.provider import AccountsIQProvider, AccountsIQProviderFactory

__all__ = ["AccountsIQProvider", "AccountsIQProviderFactory"]

"""The provider `intacct`: Sage Intacct, through its XML gateway.

A request is an envelope of functions; batches go out as one, and each function has an outcome of its own.
"""

from __future__ import annotations

from reconciler.providers.intacct.provider import IntacctProviderFactory

__all__ = ["IntacctProviderFactory"]

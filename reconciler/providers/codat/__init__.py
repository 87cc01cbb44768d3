"""The provider `codat`: an ERP behind Codat's Accounting API. Writes are pushes, reads are a cache.

`CodatProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.codat.provider import CodatProvider, CodatProviderFactory

__all__ = ["CodatProvider", "CodatProviderFactory"]

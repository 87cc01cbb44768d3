"""The provider `rutter`: an accounting platform behind Rutter's Accounting API, version 2024-08-31.

`RutterProviderFactory` is what the entry point names; it is imported only when a connection is opened.
"""

from __future__ import annotations

from reconciler.providers.rutter.provider import RutterProvider, RutterProviderFactory

__all__ = ["RutterProvider", "RutterProviderFactory"]

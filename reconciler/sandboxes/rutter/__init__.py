"""A sandbox of Rutter's accounting API, version 2024-08-31, written from the vendor's documents.

Over one double-entry ledger: `SANDBOX` is what `reconciler sandbox serve rutter` starts. Not here: anything of
our provider's; they share no code.
"""

from reconciler.sandboxes.rutter.sandbox import SWITCHES, RutterSandbox

SANDBOX = RutterSandbox()

__all__ = ["SANDBOX", "SWITCHES", "RutterSandbox"]

"""A sandbox of Codat's Accounting API, receivables: written from the vendor's documents, over the ledger.

Pushes are asynchronous, reads come from a cache that only a refresh moves. Not here: payables, banking, webhooks,
and whatever our provider knows of Codat: the two share no code.
"""

from reconciler.sandboxes.codat.sandbox import CodatSandbox

SANDBOX = CodatSandbox()

__all__ = ["SANDBOX"]

"""A sandbox of Alloy's Unified Accounting API, receivables: written from the vendor's documents, over the ledger.

Writes are synchronous, without any idempotency key; lists are a cache that is polled every few hours; payments
settle nothing unless fields of the ERP behind say so. Not here: payables, webhooks, and whatever our provider
knows of Alloy: the two share no code.
"""

from reconciler.sandboxes.alloy.sandbox import AlloySandbox

SANDBOX = AlloySandbox()

__all__ = ["SANDBOX"]

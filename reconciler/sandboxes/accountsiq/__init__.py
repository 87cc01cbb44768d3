"""A sandbox of AccountsIQ's SOAP services 1.1 and 2.0, receivables: written from the vendor's documents.

Not here: payables, stock beyond a list, reports, and whatever our provider knows of AccountsIQ: the two share no
code. Where the documents are silent a switch has every shape.
"""

from reconciler.sandboxes.accountsiq.sandbox import AccountsIqSandbox

SANDBOX = AccountsIqSandbox()

__all__ = ["SANDBOX"]

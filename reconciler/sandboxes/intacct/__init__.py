"""A sandbox of Sage Intacct's XML gateway: one path, many functions in a request, a company's books behind it.

Written from the vendor's documents. Where they are silent there is a switch, or the choice stands in the module
that makes it. It shares no code with the provider.
"""

from reconciler.sandboxes.intacct.sandbox import IntacctSandbox

SANDBOX = IntacctSandbox()

__all__ = ["SANDBOX", "IntacctSandbox"]

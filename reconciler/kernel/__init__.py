"""Values every layer shares: addresses, money, time, diagnostics, errors, digests.

Nothing here knows a manifest, a plan or an ERP.
"""

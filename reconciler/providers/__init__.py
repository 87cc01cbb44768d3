"""The provider kit: what a provider is asked, may answer, and says it can do; and one package per ERP.

No module of the core imports a provider: they are found by name through entry points (`registry`).
"""

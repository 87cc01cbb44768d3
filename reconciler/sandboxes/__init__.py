"""Simulated ERPs: one strict double-entry ledger, and wire formats over it. Nothing here plans or applies."""

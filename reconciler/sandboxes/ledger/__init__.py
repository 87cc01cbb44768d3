"""The embedded ledger: double-entry accounts receivable in one SQLite file.

It is an ERP of its own: it knows nothing of plans, state or providers. `engine.Ledger` is its face,
`commands` what it can be told to do, `server` the same over HTTP. Not here: anything about purchasing,
stock or payroll.
"""

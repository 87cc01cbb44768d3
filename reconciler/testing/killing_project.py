"""A project for crash tests: every kind, allocations, a draft; then an edit with a correction. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

HABITS: Mapping[str, str] = MappingProxyType(
    {
        "singly": "batch_size: 1",
        "batches": "batch_size: 4",
        "two stages": "two_stage: true",
        "accepted": "batch_size: 1, asynchronous_seconds: 0",
        "as documents": "batch_size: 1, allocate: as_document",
    }
)
"""How the ERP behaves, as switches of the test provider."""

_PROJECT = """\
project: {{id: 3c9a7b5e1d20, name: crashes}}
connections:
  books:
    provider: ledger-test
    endpoint: {endpoint}
    {resend}
    switches: {{deduplication: {klass}, request_timeout: 1, settle_seconds: {settle}, {habit}}}
"""

_MASTERS = """\
accounts:
  "4020": {name: Training, type: income}
tax_rates:
  vat: {rate: 10, account: "2200"}
tracking_categories:
  department: {values: [North, South]}
payment_terms:
  net-30: {days: 30}
bank_accounts:
  second: {name: Second account, account: "1200"}
items:
  support: {name: Support, unit_price: 120.00, income_account: "4010"}
customers:
  acme: {name: Acme Corporation, email: ap@acme.example, currency: USD, payment_terms: net-30}
  globex: {name: Globex Limited, email: payables@globex.example, currency: USD}
"""

_DOCUMENTS = """\
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-10-01
    due_date: 2026-10-31
    lines: [{description: Services, account: "4000", quantity: 1, unit_price: 100.00, taxes: [vat]}]
  INV-2:
    customer: acme
    issue_date: 2026-10-02
    due_date: 2026-11-01
    lines:
      - {description: Support, item: support, account: "4010", quantity: 2, unit_price: 120.00,
         tracking: {department: North}}
  INV-3:
    customer: globex
    issue_date: 2026-10-03
    due_date: 2026-11-02
    lines: [{description: Training, account: "4020", quantity: 3, unit_price: 33.33, taxes: [vat]}]
  INV-4:
    customer: globex
    issue_date: 2026-10-04
    due_date: 2026-11-03
    state: draft
    lines: [{description: Later, account: "4000", quantity: 1, unit_price: 50.00}]
credit_notes:
  CN-1:
    customer: globex
    issue_date: 2026-10-05
    original: {invoice: INV-3}
    reason: One day less
    lines: [{description: Training, account: "4020", quantity: 1, unit_price: 33.33, taxes: [vat]}]
    allocations: [{invoice: INV-3, amount: 36.66}]
payments:
  PMT-1:
    customer: acme
    received_on: 2026-10-10
    amount: 60.00
    bank_account: operating
    allocations: [{invoice: INV-1, amount: 60.00}]
  PMT-2:
    customer: acme
    received_on: 2026-10-11
    amount: 300.00
    bank_account: second
    allocations: [{invoice: INV-2, amount: 140.00}]
  PMT-3: {customer: globex, received_on: 2026-10-12, amount: 12.50, bank_account: operating}
"""

_EDITS = (
    ("ap@acme.example", "accounts@acme.example"),
    ('account: "4000", quantity: 1, unit_price: 100.00', 'account: "4010", quantity: 1, unit_price: 100.00'),
    ("    state: draft\n", ""),
    ("amount: 140.00}]", "amount: 140.00}, {invoice: INV-5, amount: 25.00}]"),
    (
        "credit_notes:\n",
        "  INV-5:\n    customer: acme\n    issue_date: 2026-10-20\n    due_date: 2026-11-19\n    lines:\n"
        '      - {description: More, account: "4000", quantity: 1, unit_price: 25.00}\ncredit_notes:\n',
    ),
)

CONSENT = ("--allow", "credit_and_reissue:invoice.INV-1", "--reason", "posted to the wrong account")
"""What the edited project's apply needs."""


def write_project(
    folder: Path, endpoint: str, klass: str, habit: str, *, resend: bool = True, state: str = ""
) -> None:
    """`reconciler.yaml` and the first manifests; `habit` is one of HABITS, `state` its line of that name."""
    manifests = folder / "manifests"
    manifests.mkdir(parents=True)
    text = _PROJECT.format(
        endpoint=endpoint,
        klass=klass,
        habit=HABITS[habit],
        settle=1 if klass == "C" else 0,
        resend="resend_after_settle: true" if klass == "C" and resend else "",
    )
    (folder / "reconciler.yaml").write_text(text + state, encoding="utf-8")
    (manifests / "masters.yaml").write_text(_MASTERS, encoding="utf-8")
    (manifests / "documents.yaml").write_text(_DOCUMENTS, encoding="utf-8")


def edit_project(folder: Path) -> None:
    """An address of mail, a wrong account on an invoice part paid, a draft posted, one more invoice, allocated."""
    for name in ("masters.yaml", "documents.yaml"):
        path = folder / "manifests" / name
        text = path.read_text(encoding="utf-8")
        for old, new in _EDITS:
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

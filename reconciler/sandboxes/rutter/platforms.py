"""What the accounting software behind the connection can do, where the documents say it.

Endpoints: `x-supported-platforms` of the vendor's document of 2023-03-14 (that of 2024-08-31 is not held, so
this table counts only with the switch `endpoints=2023`). Fields and statuses: descriptions of 2024-08-31.
"""

from __future__ import annotations

from dataclasses import dataclass

_NS, _QB, _XE, _IN = "NETSUITE", "QUICKBOOKS", "XERO", "SAGE_INTACCT"
NAMES = (_QB, _NS, _XE, _IN)
_ALL = frozenset(NAMES)

ENDPOINTS_2023: dict[str, frozenset[str]] = {
    "GET accounts": _ALL,
    "POST accounts": _ALL,
    "GET classes": _ALL,
    "GET company_info": _ALL,
    "GET customers": _ALL,
    "POST customers": _ALL,
    "PATCH customers": frozenset({_QB}),
    "GET departments": frozenset({_NS, _QB, _IN}),
    "POST invoice_credit_applications": _ALL,
    "GET invoice_credit_memos": _ALL,
    "POST invoice_credit_memos": _ALL,
    "DELETE invoice_credit_memos": frozenset({_NS}),
    "GET invoice_payments": _ALL,
    "POST invoice_payments": _ALL,
    "PATCH invoice_payments": frozenset({_NS, _QB, _XE}),
    "GET invoices": _ALL,
    "POST invoices": _ALL,
    "PATCH invoices": frozenset({_NS, _QB, _XE}),
    "GET attachments": frozenset({_NS, _QB, _XE}),
    "POST attachments": frozenset({_NS, _QB}),
    "GET items": _ALL,
    "POST items": frozenset({_QB, _IN}),
    "GET locations": frozenset({_NS, _IN}),
    "GET payment_terms": frozenset({_NS, _QB}),
    "GET subsidiaries": frozenset({_NS}),
    "GET tax_rates": _ALL,
}


@dataclass(frozen=True, slots=True)
class Platform:
    """One accounting software as Rutter's documents describe it."""

    name: str
    invoice_number: bool
    credit_memo_number: bool
    payment_reference: bool
    prepayments: bool
    statuses: bool
    void_looks_paid: bool
    filters: bool

    @classmethod
    def of(cls, name: str) -> Platform:
        """`statuses`: documents may be made as drafts and moved between statuses, not only be voided."""
        return cls(
            name=name,
            invoice_number=name in (_NS, _QB, _XE),
            credit_memo_number=name == _XE,
            payment_reference=name in (_NS, _QB),
            prepayments=name in (_NS, _QB),
            statuses=name == _XE,
            void_looks_paid=name == _NS,
            filters=name != _IN,
        )

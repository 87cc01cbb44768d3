"""What Rutter's documents say that each accounting platform takes, as data. What they do not say is not assumed.

Source: the field notes of Rutter's specification of 2024-08-31 and its help centre. A connection may say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """`filters`: list endpoints honour `filter`; where they do not it is ignored, not refused.

    `invoice_numbers`, `credit_numbers`: a `document_number` of ours is taken on a create. `references`: payments
    have a `reference`. `drafts`: documents can be made as drafts. `voids`: `status: void` is taken.
    """

    name: str
    filters: bool = True
    invoice_numbers: bool = True
    credit_numbers: bool = False
    references: bool = True
    drafts: bool = False
    voids: bool = True


QUICKBOOKS = Platform("QUICKBOOKS")
_KNOWN = (
    QUICKBOOKS,
    Platform("QUICKBOOKS_DESKTOP", credit_numbers=True),
    Platform("NETSUITE"),
    Platform("XERO", credit_numbers=True, references=False, drafts=True),
    Platform("ZOHO_BOOKS", voids=False),
    Platform("SAGE_INTACCT", filters=False, invoice_numbers=False, references=False, voids=False),
    Platform("SAGE_INTACCT_V2", filters=False, invoice_numbers=False, references=False, voids=False),
    Platform("SAGE_BUSINESS_CLOUD", filters=False, invoice_numbers=False, references=False, voids=False),
)
PLATFORMS = {platform.name: platform for platform in _KNOWN}


def platform_named(name: str) -> Platform:
    """A platform by Rutter's name, in any case; one that is not known takes the least."""
    found = PLATFORMS.get(name.upper())
    return found or Platform(name.upper(), invoice_numbers=False, references=False, voids=False)

"""What an ERP behind Alloy tells and takes of payments in its own words, where Alloy's common model is silent.

Sources: QuickBooks Online's v3 types (Payment: PaymentRefNum of at most 21 characters, Line[].LinkedTxn),
NetSuite's REST record API (customerPayment: externalId, apply). Business Central is not among them: its API takes
one invoice with a payment's journal line, and does not tell of a posted payment what it was applied to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from reconciler.providers.capabilities import DeduplicationClass


@dataclass(frozen=True, slots=True)
class NativePayment:
    """A payment by the ERP's own id; `settled`: invoice's own id → amount; `raw` as the ERP has it."""

    id: str
    reference: str | None
    memo: str | None
    settled: Mapping[str, Decimal] = field(default_factory=dict)
    revision: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Native(Protocol):
    """The ERP behind. Reads are of the moment, not of Alloy's cache."""

    name: str
    reference_length: int
    payments: DeduplicationClass
    """What keeps a second payment with one reference out."""

    def fields(self, reference: str, memo: str | None, settled: Mapping[str, Decimal]) -> dict[str, Any]:
        """`remoteFields` of a new payment that settles invoices, by their own ids."""
        ...

    def read(self, ids: Collection[str]) -> dict[str, NativePayment]:
        """Payments by their own ids. Raises ProviderError."""
        ...

    def find(self, kind: str, keys: Collection[str]) -> dict[str, list[str]] | None:
        """Own ids of what bears each key: a payment our reference, an invoice its number, a customer its name.

        None where this kind cannot be searched for. Raises ProviderError.
        """
        ...

    def settle(self, payment: NativePayment, settled: Mapping[str, Decimal]) -> None:
        """Make a payment settle just these. Raises ProviderError."""
        ...

"""The registry of kinds: names, content types, references, identities of list items. Data, no behaviour.

A path is a tuple of keys; `*` stands for every item of a list, `{}` for every key of a mapping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from reconciler.resources import customer, documents, reference_data

Path = tuple[str, ...]
Content = dict[str, Any]
"""A kind's content: typed by the TypedDict of its kind; treated as immutable once made."""


@dataclass(frozen=True)
class Kind:
    """What the rest of the tool needs to know of a kind.

    `references` maps paths to the singular kinds that may be named there; `identities` the key that tells
    a list's items apart; `amounts` the paths whose decimals the document's currency limits.
    """

    name: str
    plural: str
    content_type: Any
    is_document: bool = False
    code_field: str = "code"
    references: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    identities: tuple[tuple[Path, str], ...] = ()
    amounts: tuple[Path, ...] = ()
    never_sent: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def adapter(self) -> TypeAdapter[Content]:
        return TypeAdapter(self.content_type)

    @property
    def has_allocations(self) -> bool:
        return self.name in ("payment", "credit_note")


_LINE_REFERENCES: tuple[tuple[Path, tuple[str, ...]], ...] = (
    (("lines", "*", "item"), ("item",)),
    (("lines", "*", "account"), ("account",)),
    (("lines", "*", "taxes", "*"), ("tax_rate",)),
    (("lines", "*", "tracking", "{}"), ("tracking_category",)),
    (("tracking", "{}"), ("tracking_category",)),
)
_ALLOCATION_REFERENCES: tuple[tuple[Path, tuple[str, ...]], ...] = (
    (("allocations", "*", "invoice"), ("invoice",)),
    (("allocations", "*", "credit_note"), ("credit_note",)),
    (("allocations", "*", "write_off", "account"), ("account",)),
)
_ALLOCATION_AMOUNTS: tuple[Path, ...] = (
    ("allocations", "*", "amount"),
    ("allocations", "*", "discount"),
    ("allocations", "*", "write_off", "amount"),
)
_LINE_AMOUNTS: tuple[Path, ...] = (
    ("expect_total",),
    ("lines", "*", "tax_amount"),
    ("lines", "*", "discount", "amount"),
)

_KINDS = (
    Kind("account", "accounts", reference_data.Account, references=((("parent",), ("account",)),)),
    Kind("tax_rate", "tax_rates", reference_data.TaxRate, references=((("account",), ("account",)),)),
    Kind("tracking_category", "tracking_categories", reference_data.TrackingCategory, code_field="name"),
    Kind(
        "tracking_set",
        "tracking_sets",
        reference_data.TrackingSet,
        references=((("tracking", "{}"), ("tracking_category",)),),
    ),
    Kind("payment_term", "payment_terms", reference_data.PaymentTerm, code_field="name"),
    Kind(
        "bank_account",
        "bank_accounts",
        reference_data.BankAccount,
        code_field="name",
        references=((("account",), ("account",)),),
    ),
    Kind(
        "item",
        "items",
        reference_data.Item,
        references=(
            (("income_account",), ("account",)),
            (("taxes", "*"), ("tax_rate",)),
            (("tracking", "{}"), ("tracking_category",)),
        ),
    ),
    Kind(
        "customer",
        "customers",
        customer.Customer,
        references=(
            (("payment_terms",), ("payment_term",)),
            (("receivable_account",), ("account",)),
            (("default_tax",), ("tax_rate",)),
        ),
        identities=((("addresses",), "type"), (("contacts",), "role")),
        amounts=(("credit_limit",),),
    ),
    Kind(
        "invoice",
        "invoices",
        documents.Invoice,
        is_document=True,
        code_field="number",
        references=(
            (("customer",), ("customer",)),
            (("terms",), ("payment_term",)),
            (("receivable_account",), ("account",)),
            *_LINE_REFERENCES,
        ),
        identities=((("lines",), "id"), (("attachments",), "name")),
        amounts=_LINE_AMOUNTS,
        never_sent=frozenset({"expect_total", "reissue_number"}),
    ),
    Kind(
        "credit_note",
        "credit_notes",
        documents.CreditNote,
        is_document=True,
        code_field="number",
        references=(
            (("customer",), ("customer",)),
            (("receivable_account",), ("account",)),
            (("original", "invoice"), ("invoice",)),
            *_LINE_REFERENCES,
            *_ALLOCATION_REFERENCES,
        ),
        identities=((("lines",), "id"), (("attachments",), "name")),
        amounts=(*_LINE_AMOUNTS, *_ALLOCATION_AMOUNTS),
        never_sent=frozenset({"expect_total"}),
    ),
    Kind(
        "payment",
        "payments",
        documents.Payment,
        is_document=True,
        code_field="number",
        references=(
            (("customer",), ("customer",)),
            (("bank_account",), ("bank_account",)),
            (("advance_account",), ("account",)),
            *_ALLOCATION_REFERENCES,
        ),
        identities=((("attachments",), "name"),),
        amounts=(("amount",), *_ALLOCATION_AMOUNTS),
    ),
)

KINDS: MappingProxyType[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""By singular name, in the order in which kinds depend on one another."""
PLURALS: MappingProxyType[str, Kind] = MappingProxyType({kind.plural: kind for kind in _KINDS})


@lru_cache(maxsize=64)
def rank(kind: str) -> int:
    """The kind's place in dependency order."""
    return list(KINDS).index(kind)

"""The objects of the API: their path, their names in bodies, events and syncs, and what lists filter on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TIMES: Mapping[str, str] = {"created_at": "date", "updated_at": "date", "last_synced_at": "date"}


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One object. `path` is also the key of its lists, `wrapper` of a single one.

    `filterable`: fields that the documents call so, with their kind (text or date). `parameter`: the deprecated
    query parameter of its list.
    """

    path: str
    wrapper: str
    sync_name: str
    kind: str
    filterable: Mapping[str, str] = field(default_factory=dict)
    parameter: str = ""

    @property
    def event_name(self) -> str:
        return self.sync_name.upper()


_TYPES = (
    ObjectType("accounts", "account", "account", "account", {"account_type": "text"}, "account_type"),
    ObjectType(
        "customers", "customer", "accounting_customer", "customer", {"customer_name": "text"}, "customer_name"
    ),
    ObjectType("items", "item", "items", "item", {"code": "text", "name": "text"}, "name"),
    ObjectType("tax_rates", "tax_rate", "tax_rates", "tax_rate"),
    ObjectType("classes", "class", "class", "tracking_category"),
    ObjectType("departments", "department", "department", "tracking_category"),
    ObjectType("locations", "location", "location", "tracking_category"),
    ObjectType("payment_terms", "payment_term", "payment_term", "payment_term"),
    ObjectType("payment_methods", "payment_method", "payment_method", ""),
    ObjectType("subsidiaries", "subsidiary", "subsidiary", ""),
    ObjectType("company_info", "company_info", "company_info", ""),
    ObjectType(
        "invoices",
        "invoice",
        "invoice",
        "invoice",
        {"customer_id": "text", "due_date": "date", "status": "text", "document_number": "text"},
        "document_number",
    ),
    ObjectType("invoice_payments", "invoice_payment", "invoice_payment", "payment", {"reference": "text"}),
    ObjectType(
        "invoice_credit_memos",
        "invoice_credit_memo",
        "invoice_credit_memo",
        "credit_note",
        {"document_number": "text"},
    ),
)
TYPES: dict[str, ObjectType] = {one.path: one for one in _TYPES}
"""By path."""
DIMENSIONS = {"classes": "class_category", "departments": "department_category", "locations": "location_category"}
"""Objects that are values of one of the books' tracking categories, and the switch that names it."""

"""Every data type as the accounting software has it now: what a refresh fetches, and what a push answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.sandboxes.codat import masters
from reconciler.sandboxes.codat.documents import Documents
from reconciler.sandboxes.codat.erp import View
from reconciler.sandboxes.codat.settlements import Payments
from reconciler.sandboxes.serving.books import Books

DATA_TYPES = (
    "bankAccounts",
    "chartOfAccounts",
    "company",
    "creditNotes",
    "customers",
    "invoices",
    "items",
    "paymentMethods",
    "payments",
    "taxRates",
    "trackingCategories",
)
"""What this accounting software supports."""

_MASTERS = {
    "chartOfAccounts": ("account", masters.account_model),
    "bankAccounts": ("bank_account", masters.bank_account_model),
    "customers": ("customer", masters.customer_model),
    "items": ("item", masters.item_model),
    "taxRates": ("tax_rate", masters.tax_rate_model),
}
KINDS = {
    "chartOfAccounts": "account",
    "bankAccounts": "bank_account",
    "customers": "customer",
    "items": "item",
    "invoices": "invoice",
    "creditNotes": "credit_note",
    "payments": "payment",
}
"""The ledger's kind behind a data type that can be pushed."""


@dataclass(frozen=True, slots=True)
class Live:
    """One record as it is now, and when it was last changed there (an instant's text, or empty)."""

    model: dict[str, Any]
    changed: str = ""


def live_records(books: Books, data_type: str, stale_ms: int = 0) -> dict[str, Live]:
    """Every record of a data type (not `company`), by id, oldest first; as they were so long ago."""
    view = View(books, stale_ms)
    if data_type == "trackingCategories":
        return {
            str(model["id"]): Live(model, view.changed[record.id])
            for record, content in view.records("tracking_category")
            for model in masters.tracking_models(view, record, content)
        }
    if data_type == "paymentMethods":
        return {model["id"]: Live(model) for model in masters.payment_method_models()}
    if data_type in _MASTERS:
        kind, model_of = _MASTERS[data_type]
        made = [(model_of(view, record, content), record) for record, content in view.records(kind)]
        return {model["id"]: Live(model, view.changed[record.id]) for model, record in made}
    payments = Payments(view)
    if data_type == "payments":
        return {own: Live(model, payments.changed[own]) for own, model in payments.models.items()}
    documents = Documents(view, payments.settlings)
    kind, document_of = {
        "invoices": ("invoice", documents.invoice),
        "creditNotes": ("credit_note", documents.credit_note),
    }[data_type]
    return {
        record.id: Live(document_of(record, content), view.changed[record.id])
        for record, content in view.records(kind)
    }

"""Checks what is sent against the vendor's request models: wrapper, response mode, every field."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from reconciler.sandboxes.rutter import bodies
from reconciler.sandboxes.rutter.words import MODES_TEXT, Problem
from reconciler.sandboxes.serving.shapes import Finding, check

MODELS: dict[str, Any] = {
    "POST accounts": bodies.CreateAccount,
    "PATCH accounts": bodies.UpdateAccount,
    "POST customers": bodies.CreateCustomer,
    "PATCH customers": bodies.UpdateCustomer,
    "POST items": bodies.CreateItem,
    "PATCH items": bodies.UpdateItem,
    "POST tax_rates": bodies.CreateTaxRate,
    "POST classes": bodies.CreateValue,
    "POST departments": bodies.CreateValue,
    "POST payment_terms": bodies.CreateTerm,
    "POST invoices": bodies.CreateInvoice,
    "PATCH invoices": bodies.UpdateInvoice,
    "POST invoice_payments": bodies.CreatePayment,
    "PATCH invoice_payments": bodies.UpdatePayment,
    "POST invoice_credit_memos": bodies.CreateMemo,
    "PATCH invoice_credit_memos": bodies.UpdateMemo,
    "POST invoice_credit_applications": bodies.Application,
    "POST unapply": bodies.Unapplication,
    "POST incremental_sync": bodies.SyncRequest,
    "POST backfill": bodies.BackfillRequest,
}
"""The model of each write, by method and object."""
MODES = ("prefer_sync", "async")


@lru_cache(maxsize=64)
def _adapter(operation: str) -> TypeAdapter[Any]:
    return TypeAdapter(MODELS[operation])


def checked(operation: str, wrapper: str, body: Any, *, unknown_fields: bool = False) -> tuple[dict[str, Any], str]:
    """The typed content of a write's body and its response mode. `unknown_fields`: dropped instead of refused.

    Raises Problem with every finding.
    """
    mode = envelope_mode(body, {wrapper}, unknown_fields=unknown_fields)
    if not isinstance(body.get(wrapper), dict):
        raise Problem(400, f"Invalid request body: {wrapper}: Required")
    return checked_content(operation, body[wrapper], wrapper, unknown_fields=unknown_fields), mode


def envelope_mode(body: Any, allowed: set[str], *, unknown_fields: bool = False) -> str:
    """The response mode of a body that may have `allowed` keys beside it. Raises Problem."""
    if not isinstance(body, dict):
        raise Problem(400, "Invalid request body: Expected an object")
    strange = sorted(set(body) - allowed - {"response_mode"})
    if strange and not unknown_fields:
        raise Problem(400, f"Invalid request body: Unrecognized key(s): {', '.join(strange)}")
    mode = body.get("response_mode", "prefer_sync")
    if mode not in MODES:
        raise Problem(400, MODES_TEXT)
    return str(mode)


def checked_content(operation: str, content: Any, wrapper: str, *, unknown_fields: bool = False) -> dict[str, Any]:
    """The typed content of a write. Raises Problem with every finding."""
    typed, findings = check(_adapter(operation), content)
    if unknown_fields and findings and all(finding.kind == "unknown" for finding in findings):
        for finding in findings:
            _drop(content, finding.place.split("."))
        typed, findings = check(_adapter(operation), content)
    if findings:
        raise Problem(400, "Invalid request body: " + "; ".join(_words(wrapper, finding) for finding in findings))
    return dict(typed)


def _drop(content: Any, place: list[str]) -> None:
    for step in place[:-1]:
        content = content[int(step)] if isinstance(content, list) else content[step]
    del content[place[-1]]


def _words(wrapper: str, finding: Finding) -> str:
    text = {"missing": "Required", "unknown": "Unrecognized key"}.get(finding.kind, finding.text)
    place = f"{wrapper}.{finding.place}" if wrapper and finding.place else wrapper or finding.place
    return f"{place}: {text}"

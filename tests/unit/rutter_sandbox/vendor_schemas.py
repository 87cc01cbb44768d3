"""Checks messages against the vendor's own schemas of 2024-08-31, where they are beside the repository."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[3].parent / "shared" / "specs" / "rutter" / "accounting-2024-08-31.ar.schemas.json"
ABSENT = "the vendor's schemas are not beside this repository (../shared/specs/rutter)"

OBJECTS = {
    "accounts": "Account",
    "customers": "AccountingCustomer",
    "items": "AccountingItem",
    "tax_rates": "TaxRate",
    "classes": "Class",
    "departments": "Department",
    "locations": "Location",
    "payment_terms": "PaymentTerm",
    "payment_methods": "PaymentMethod",
    "subsidiaries": "Subsidiary",
    "company_info": "CompanyInfo20240430",
    "invoices": "Invoice",
    "invoice_payments": "InvoicePayment",
    "invoice_credit_memos": "InvoiceCreditMemo",
}
_REQUESTS = {
    "accounts": "Account",
    "customers": "AccountingCustomer",
    "items": "Item",
    "tax_rates": "TaxRate",
    "invoices": "Invoice",
    "invoice_payments": "InvoicePayment",
    "invoice_credit_memos": "InvoiceCreditMemo",
    "invoice_credit_applications": "InvoiceCreditApplication",
    "unapply": "InvoiceCreditUnapplication",
}


def available() -> bool:
    return FILE.is_file()


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = _nulls(json.loads(FILE.read_text(encoding="utf-8"))["schemas"])
    return found


def _nulls(value: Any) -> Any:
    """Where the generated file has the text "null" among an enumeration's values, null is meant."""
    if isinstance(value, list):
        return [_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _nulls(item) for key, item in value.items()}
    if isinstance(made.get("enum"), list) and "null" in made["enum"]:
        made["enum"] = [None if item == "null" else item for item in made["enum"]]
        made["type"] = ["string", "null"]
    return made


@lru_cache(maxsize=128)
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(_schemas()[name])


def _against(name: str, value: Any) -> list[str]:
    if name not in _schemas():
        return [f"there is no schema {name}"]
    errors = sorted(_validator(name).iter_errors(value), key=lambda error: list(error.absolute_path))
    return [f"{name} {'.'.join(str(step) for step in one.absolute_path)}: {one.message[:200]}" for one in errors]


def problems_of(response: httpx.Response) -> list[str]:
    """What the vendor's schema says against an answer of JSON."""
    body, method = response.json(), response.request.method
    if response.status_code >= 400:
        return _error_problems(body)
    path = response.request.url.path.removeprefix("/versioned")
    if isinstance(body, dict) and "async_response" in body:
        return _against("AsyncResponsePayload", body)
    if path.startswith("/accounting/"):
        return _object_problems(method, path.removeprefix("/accounting/").split("/"), body)
    others = {
        "/connections": "ListConnectionsResponse",
        "/connections/status": "GetConnectionStatusResponse",
        "/connections/access_token": "GetAccessTokenConnectionResponse",
        "/connections/incremental_sync": "CreateConnectionIncrementalSyncResponse",
        "/connections/backfill": "CreateConnectionBackfillResponse",
        "/item/public_token/exchange": "ExchangeTokenResponse",
        "/events": "ListEventResponse",
    }
    if re.match(r"/jobs/[^/]+\Z", path):
        return _against("AsynchronousJob", body)
    if method == "DELETE" and re.match(r"/connections/[^/]+\Z", path):
        return _against("DeleteConnectionResponse", body)
    return _against(others[path], body) if path in others else [f"no schema for {path}"]


def _error_problems(body: Any) -> list[str]:
    """Errors are in the documents' text only: four keys."""
    wanted = {"error_type", "error_code", "error_message", "error_metadata"}
    if not isinstance(body, dict) or set(body) != wanted:
        return [f"an error has other keys: {body}"]
    return [] if body["error_metadata"]["source"] in ("rutter", "platform") else ["error_metadata.source"]


def _object_problems(method: str, steps: list[str], body: Any) -> list[str]:
    path = steps[0]
    if "attachments" in steps:
        return _attachment_problems(body)
    if steps[-1] == "pdf":
        return [] if set(body) == {"invoice"} and set(body["invoice"]) == {"pdf_link"} else ["pdf_link"]
    if path == "invoice_credit_applications":
        named = "InvoiceCreditUnapplication" if steps[-1] == "unapply" else "InvoiceCreditApplication"
        return _against(f"{named}Response", body)
    if method == "DELETE":
        deleted = {"items": "Item", "payment_terms": "PaymentTerm"}.get(path, OBJECTS[path])
        return _against(f"AsyncDelete{deleted}Response", body)
    if method in ("POST", "PATCH"):
        if path == "payment_terms":
            return _against("PaymentTermResponse", body)
        return _against(f"{OBJECTS[path]}Response", body)
    if len(steps) == 2 or path == "company_info":
        name = f"{OBJECTS[path]}ResponseWithConnection"
        if name in _schemas():
            return _against(name, body)
        [wrapper] = set(body) - {"connection"}
        return _against(OBJECTS[path], body[wrapper]) + _against("Connection", body["connection"])
    name = f"List{OBJECTS[path]}ResponseWithConnection"
    if name in _schemas():
        return _against(name, body)
    assert set(body) == {path, "next_cursor", "connection"}
    return [problem for one in body[path] for problem in _against(OBJECTS[path], one)]


def _attachment_problems(body: Any) -> list[str]:
    if "attachments" in body:
        return [problem for one in body["attachments"] for problem in _against("Attachment", one)]
    return _against("PostAttachmentResponse", body)


def request_problems(request: httpx.Request) -> list[str]:
    """What the vendor's schema says against a request's JSON body; none where there is no schema of it."""
    steps = request.url.path.removeprefix("/versioned").strip("/").split("/")
    if steps == ["connections", "backfill"]:
        return _against("CreateConnectionBackfillBody", json.loads(request.content))
    if steps[:1] == ["connections"]:
        return _against("CreateConnectionIncrementalSyncRequest", json.loads(request.content))
    name = _REQUESTS.get("unapply" if steps[-1] == "unapply" else steps[1])
    if name is None or request.method not in ("POST", "PATCH"):
        return []
    verb = "Update" if request.method == "PATCH" else "Create"
    return _against(f"Create{verb}{name}Request", json.loads(request.content))

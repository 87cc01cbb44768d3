"""The request models, held against the vendor's schemas: fields, required ones, samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from reconciler.sandboxes.rutter.requests import MODELS, checked
from reconciler.sandboxes.serving import exact
from tests.unit.rutter_sandbox import vendor_schemas

SCHEMAS = {
    "POST accounts": "CreateAccount",
    "PATCH accounts": "UpdateAccount",
    "POST customers": "CreateAccountingCustomer",
    "PATCH customers": "UpdateAccountingCustomer",
    "POST items": "CreateItem",
    "PATCH items": "UpdateItem",
    "POST tax_rates": "CreateTaxRate",
    "POST invoices": "CreateInvoice",
    "PATCH invoices": "UpdateInvoice",
    "POST invoice_payments": "CreateInvoicePayment",
    "PATCH invoice_payments": "UpdateInvoicePayment",
    "POST invoice_credit_memos": "CreateInvoiceCreditMemo",
    "PATCH invoice_credit_memos": "UpdateInvoiceCreditMemo",
    "POST invoice_credit_applications": "CreateInvoiceCreditApplication",
    "POST unapply": "CreateInvoiceCreditUnapplication",
    "POST incremental_sync": "CreateConnectionIncrementalSyncRequest",
    "POST backfill": "CreateConnectionBackfillBody",
}
SAMPLES = {
    "POST accounts": "post_accounting_accounts_req_CreateCreateAccountRequest_Example.json",
    "POST customers": "post_accounting_customers_req_CreateCreateAccountingCustomerRequest_Example.json",
    "POST items": "post_accounting_items_req_CreateCreateItemRequest_Example.json",
    "POST invoices": "post_accounting_invoices_req_CreateCreateInvoiceRequest_Example.json",
    "PATCH invoices": "patch_accounting_invoices_id_req_CreateUpdateInvoiceRequest_Example.json",
    "POST invoice_payments": "post_accounting_invoice_payments_req_CreateCreateInvoicePaymentRequest_Example.json",
    "PATCH invoice_payments": (
        "patch_accounting_invoice_payments_id_req_CreateUpdateInvoicePaymentRequest_Example.json"
    ),
    "POST invoice_credit_memos": (
        "post_accounting_invoice_credit_memos_req_CreateCreateInvoiceCreditMemoRequest_Example.json"
    ),
    "POST invoice_credit_applications": (
        "post_accounting_invoice_credit_applications_req_CreateCreateInvoiceCreditApplicationRequest_Example.json"
    ),
}
needs_schemas = pytest.mark.skipif(not vendor_schemas.available(), reason=vendor_schemas.ABSENT)
Shape = dict[str, Any]


def shape_of(schema: Any, definitions: Any) -> Any:
    """The names of an object's fields with a star at the required ones, all the way down; None for a scalar."""
    if "$ref" in schema:
        return shape_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    for choice in schema.get("anyOf", ()):
        if (found := shape_of(choice, definitions)) is not None:
            return found
    if schema.get("type") == "array":
        return shape_of(schema["items"], definitions)
    if "properties" not in schema:
        return None
    required = schema.get("required", ())
    return {
        f"{name}{'*' if name in required else ''}": shape_of(one, definitions)
        for name, one in sorted(schema["properties"].items())
    }


@needs_schemas
@pytest.mark.parametrize("operation", SCHEMAS)
def test_a_model_has_the_fields_of_the_vendors_schema(operation: str):
    ours = TypeAdapter(MODELS[operation]).json_schema()
    theirs = json.loads(vendor_schemas.FILE.read_text(encoding="utf-8"))["schemas"][SCHEMAS[operation]]
    assert shape_of(ours, ours.get("$defs", {})) == shape_of(theirs, {})


@needs_schemas
@pytest.mark.parametrize("operation", SAMPLES)
def test_the_vendors_samples_are_taken(operation: str):
    folder = Path(vendor_schemas.FILE).parent / "samples"
    body = exact.read((folder / SAMPLES[operation]).read_bytes())
    [wrapper] = set(body) - {"response_mode"}
    content, mode = checked(operation, wrapper, body)
    assert set(content) == set(body[wrapper])
    assert mode == body.get("response_mode", "prefer_sync")

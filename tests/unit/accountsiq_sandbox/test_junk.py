"""Requests of every operation filled with sense and nonsense: answered in band, never by a fault of ours."""

from __future__ import annotations

import random
from typing import Any

import pytest

from reconciler.sandboxes.accountsiq.catalogue import TYPES
from reconciler.sandboxes.accountsiq.notation import Field
from reconciler.sandboxes.accountsiq.operations import OPERATIONS
from tests.unit.accountsiq_sandbox import vendor_schema
from tests.unit.accountsiq_sandbox.client import Caller

ODD = {
    "int": ["0", "-1", "2147483647", "10021", "100021", "100022", "1020"],
    "short": ["0", "-1", "32767"],
    "long": ["0", "-9"],
    "decimal": ["0", "-1", "100", "0.001", "79228162514264337593543950335", "1.23456789012345", "120"],
    "double": ["0", "-1", "1e-5", "1E5", "0.2"],
    "boolean": ["true", "false", "0"],
    "dateTime": ["2026-11-10T00:00:00", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59.9999999-14:00"],
    "base64Binary": ["", "aGVsbG8="],
    "string": ["", "ACME", "x" * 600, "\u202etxet", "\u0085", "4000", "STANDARD", "1200", "INV-1", "a|b", "é", "1"],
}
SOUND = {
    "CustomerCode": ["ACME"], "GLAccountCode": ["4000"], "TaxCode": ["STANDARD", "ZERO"], "ExchangeRate": ["1"],
    "BankExchangeRate": ["1"], "BankAccountCode": ["1200"], "InvoiceDate": ["2026-11-10T00:00:00"],
    "PaymentDate": ["2026-11-10T00:00:00"], "CreditNoteDate": ["2026-11-10T00:00:00"], "NetAmount": ["10", "0.005"],
    "TransactionDate": ["2026-11-10T00:00:00"], "ExternalReference": ["INV-1", "R"], "TaxRate": ["0.2", "0"],
    "Description": ["d"], "DepartmentID": [""], "AccountID": ["1020"], "CurrencyCode": ["USD"], "Ledger": ["Sales"],
    "CheckReference": ["P"], "InvoiceNumber": [""], "InvoicedQuantity": ["1", "3.33"], "StockItemID": [""],
    "invoiceID": ["10023", "10024", "10025"], "creditNoteID": ["10023", "10024", "10025"], "DiscountRate": ["0"],
}  # fmt: skip


def filled(field: Field, chance: random.Random) -> Any:
    if field.name in SOUND and not field.array and chance.random() < 0.97:
        return chance.choice(SOUND[field.name])
    if chance.random() < 0.02:
        return None
    if field.array:
        return [{field.item.name: filled(field.item, chance)} for _ in range(chance.choice([0, 1, 2]))]
    if field.type in TYPES.shapes:
        return {one.name: filled(one, chance) for one in TYPES.shapes[field.type] if chance.random() > 0.005}
    return chance.choice(TYPES.enumerations.get(field.type) or ODD[field.type])


@pytest.mark.parametrize("rounds", [2, pytest.param(60, marks=pytest.mark.slow)], ids=["a few", "many"])
def test_nothing_that_can_be_sent_breaks_the_sandbox(caller: Caller, rounds: int) -> None:
    caller.customer()
    caller.invoice("INV-1")
    caller.receipt("P-1", "50")
    chance = random.Random(7)
    for number in range(rounds * len(OPERATIONS)):
        name, operation = list(OPERATIONS.items())[number % len(OPERATIONS)]
        values = {field.name: filled(field, chance) for field in operation.inputs}
        response = caller.raw(caller.envelope(name, {"token": caller.token, **values}), name)
        if response.status_code == 500:
            assert "Server was unable to read request" in response.text, (name, values)
        else:
            assert response.status_code == 200
            assert not vendor_schema.available() or vendor_schema.problems(response.content) == [], (name, values)

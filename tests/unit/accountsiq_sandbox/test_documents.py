"""Batch documents, receipts and allocations: what they come to, and the vendor's reasons to refuse them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.accountsiq_sandbox.client import Caller


def test_an_invoice_is_in_the_ledger_at_once_with_the_callers_tax(caller: Caller) -> None:
    caller.customer()
    made = caller.invoice("INV-1", caller.line("100", "0.2", "19.99"), caller.line("0.01", "0", None))
    [found] = caller.found("INV-1")
    assert (found["TransactionType"], found["TransactionID"]) == ("SI", str(made))
    assert (found["ControlAmount"], found["OutstandingAmount"]) == ("120.0000", "120.0000")
    assert [line["Amount"] for line in found["LineDetails"]] == [
        "120.0000", "-100.0000", "-19.9900", "-0.0100", "0.0000",
    ]  # fmt: skip
    lines = caller.do("GetTransaction", transactionID=made)["Lines"]
    assert sum(Decimal(line["BCAmount"]) for line in lines) == 0


def test_a_plain_create_may_be_repeated_and_makes_another_one(caller: Caller) -> None:
    caller.customer()
    first, second = caller.invoice("INV-1"), caller.invoice("INV-1")
    assert first != second
    assert len(caller.found("inv-1")) == 2


DOCUMENT_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"CustomerCode": "acme"}, "ACCOUNT_CODE_MUST_BE_UPPER_CASE"),
    ({"CustomerCode": "NOBODY"}, "CUSTOMER_CODE_DOES_NOT_EXIST"),
    ({"ExternalReference": "X" * 51}, "INVOICE_EXTERNAL_REFERENCE_IS_TOO_LONG"),
    ({"ExternalReference": None}, "INVOICE_EXTERNAL_REFERENCE_IS_NULL"),
    ({"Description": None}, "TRANSACTION_LINE_DESCRIPTION_IS_NULL"),
    ({"Lines": []}, "TRANSACTION_LINE_COUNT_IS_INVALID"),
    ({"ExchangeRate": "0"}, "CURRENCY_CANNOT_HAVE_ZERO_EXCHANGE_RATE"),
    ({"ExchangeRate": "1.1"}, "CURRENCYHISTORY_EXCHANGE_RATE_IS_INVALID"),
    ({"InvoiceDate": "1999-01-01T00:00:00"}, "DATE_IS_OUT_OF_RANGE"),
]
LINE_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"GLAccountCode": "4999"}, "GLACCOUNT_CODE_DOES_NOT_EXIST"),
    ({"GLAccountCode": "1100"}, "GLACCOUNT_IS_NOT_POSTING_OR_DOES_NOT_EXIST"),
    ({"TaxCode": "standard"}, "TAX_CODE_IS_NOT_UPPERCASE"),
    ({"TaxCode": ""}, "TAX_CODE_IS_EMPTY"),
    ({"TaxRate": "20"}, "TAX_RATE_IS_MORE_THAN_100_PERCENT"),
    ({"NetAmount": "-1"}, "TRANSACTION_LINE_DEBIT_CANNOT_BE_NEGATIVE"),
    ({"DepartmentID": "NONE"}, "DEPARTMENT_ID_DOES_NOT_EXIST"),
]


def test_what_an_invoice_is_refused_for(caller: Caller) -> None:
    caller.customer()
    caller.checks = False  # texts that are nil
    name = "CreateBatchSalesInvoiceGetBackTransactionID"
    for change, code in DOCUMENT_REFUSALS:
        answer = caller.ask(name, inv=caller.batch("INV-1", **change))
        assert (answer[f"{name}Result"]["ErrorCode"], answer["transactionID"]) == (code, "-1")
    for change, code in LINE_REFUSALS:
        inv = caller.batch("INV-1", caller.line(**change))
        assert caller.refused("CreateBatchSalesInvoice", inv=inv) == code
    assert caller.found("INV-1") == []


def test_receipts_settle_invoices_by_allocations_that_add_up(caller: Caller) -> None:
    caller.customer()
    invoice, receipt = caller.invoice("INV-1"), caller.receipt("PMT-1", "150")
    assert caller.allocate(invoice, receipt, "50", "A1")["Status"] == "Success"
    assert caller.allocate(receipt, invoice, "50", "A2")["Status"] == "Success"
    [shown] = caller.do("GetAllocationsByTransactionId", transactionId=invoice)
    assert [entry["AllocationAmount"] for entry in shown["AllocationEntries"]] == ["50.0000", "50.0000"]
    assert caller.found("INV-1")[0]["OutstandingAmount"] == "20.0000"
    assert caller.found("PMT-1")[0]["OutstandingAmount"] == "-50.0000"
    too_much = caller.allocate(invoice, receipt, "20.01")
    assert too_much["ErrorCode"] == "TRANSACTION_CANNOT_ALLOCATE_MORE_THAN_OUTSTANSING_AMOUNT"
    assert (
        caller.allocate(invoice, invoice, "1")["ErrorCode"] == "TRANSACTION_CANNOT_BE_ALLOCATED_INCOMPATIBLE_TYPES"
    )
    rows = caller.do("UnallocateTransactions", transactionIDs=[receipt])
    assert [row["Status"] for row in rows] == ["Success"]
    assert caller.found("INV-1")[0]["OutstandingAmount"] == "120.0000"

"""Item documents, the combined call, journals, files: each as a caller sees it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.accountsiq_sandbox.client import Caller


def item_line(quantity: str = "3", price: str = "33.333", **more: Any) -> dict[str, Any]:
    line = {
        "InvoiceItemID": "0", "InvoiceID": "0", "OrderItemID": None, "StockItemDescription": "Hours",
        "InvoicedQuantity": quantity, "DeliveredQuantity": "0", "StockItemCost": "0", "StockItemPrice": price,
        "DiscountRate": "0", "ActualPrice": "0", "TaxCode": "STANDARD", "TaxRate": "0", "NetAmount": "0",
        "TaxAmount": "0", "GrossAmount": "0", "CreationDate": "2026-11-10T00:00:00", "AdditionalCost": "false",
        "GLAccountCode": "4000", "DeliveryItemID": None, **more,
    }  # fmt: skip
    return {"InvoiceLine": line}


def draft(shell: dict[str, Any], reference: str = "ITEM-1", *lines: dict[str, Any]) -> dict[str, Any]:
    """A shell, filled: `ExternalReference` stands after `InvoiceNumber`, which is left out."""
    made: dict[str, Any] = {}
    for name, value in shell.items():
        if name == "CreationDate":
            made["ExternalReference"] = reference
        made[name] = list(lines) or [item_line()] if name == "Lines" else value
    return {**made, "InvoiceDate": "2026-11-10T00:00:00"}


def test_an_item_invoice_is_saved_then_posted_once(caller: Caller) -> None:
    caller.customer()
    shell = caller.do("GetNewSalesInvoice", customerCode="ACME")
    made = caller.do("SaveInvoiceGetBackInvoiceID", invoice=draft(shell), create="true")
    own = made["invoiceID"]
    saved = caller.do("GetInvoice", invoiceID=own)
    assert (saved["Status"], saved["NetAmount"], saved["TaxAmount"]) == ("Processed", "100.0000", "20.0000")
    assert caller.found("ITEM-1") == []
    assert [
        one["InvoiceID"] for one in caller.do("GetInvoicesByExternalReference", externalReference="ITEM-1")
    ] == [own]
    posted = caller.do("PostInvoiceGetBackTransactionID", invoiceID=own)["transactionID"]
    [known] = caller.found("ITEM-1")
    assert (known["TransactionID"], known["InvoiceID"], known["IsBatchInvoiceOrNote"]) == (posted, own, "false")
    assert posted != own
    assert (
        caller.refused("PostInvoiceGetBackTransactionID", invoiceID=own) == "INVALID_STATE_FAILED_TO_POST_INVOICE"
    )
    assert caller.do("GetTransactionByInvoiceID", invoiceID=own)["Lines"][0]["TransactionID"] == posted


def test_a_saved_invoice_is_changed_by_who_read_it_last(caller: Caller) -> None:
    caller.customer()
    shell = caller.do("GetNewSalesInvoice", customerCode="ACME")
    own = caller.do("SaveInvoiceGetBackInvoiceID", invoice=draft(shell), create="true")["invoiceID"]
    read = caller.do("GetInvoice", invoiceID=own)
    lines = [{"InvoiceLine": {**read["Lines"][0], "InvoicedQuantity": "6"}}]
    changed = {**read, "Lines": lines}
    caller.do("SaveInvoiceGetBackInvoiceID", invoice=changed, create="false")
    assert caller.do("GetInvoice", invoiceID=own)["NetAmount"] == "200.0000"
    assert caller.refused("SaveInvoiceGetBackInvoiceID", invoice=changed, create="false") == "OUTDATED_RECORD"


def test_a_saved_credit_note_is_posted_and_settles(caller: Caller) -> None:
    caller.customer()
    invoice = caller.invoice("INV-1")
    shell = caller.do("GetNewSalesCreditNote", customerCode="ACME")
    note = draft(shell, "CN-1", item_line("1", "50"))
    own = caller.do("SaveCreditNoteGetBackCreditNoteID", creditNote=note, create="true")["creditNoteID"]
    posted = caller.do("PostCreditNoteGetBackTransactionID", creditNoteID=own)["transactionID"]
    assert caller.allocate(invoice, int(posted), "60")["Status"] == "Success"
    assert caller.found("CN-1")[0]["OutstandingAmount"] == "0.0000"


def test_expected_amounts_are_checked_before_an_invoice_is_saved(caller: Caller) -> None:
    caller.customer()
    invoice = draft(caller.do("GetNewSalesInvoice", customerCode="ACME"))
    operation = "SaveInvoiceWithAmountCheckGetBackInvoiceID"
    code = caller.refused(operation, invoice=invoice, create="true", grossBaseCurrencyAmount="119.99")
    assert code == "EXPECTED_POSTING_VALUES_DO_NOT_MATCH_ACTUAL_CALCULATED_VALUES"
    assert not caller.do("GetInvoicesByExternalReference", externalReference="ITEM-1")
    caller.do(operation, invoice=invoice, create="true", grossBaseCurrencyAmount="120")


def combined(caller: Caller, amount: str = "120", check: str = "true", **more: Any) -> dict[str, Any]:
    receipt = {"CustomerCode": "ACME", "CheckReference": "PMT-1", "PaymentAmount": amount,
               "BankAccountCode": "1200", "LodgmentNumber": "", "PaymentDate": "2026-11-15T00:00:00",
               "ExchangeRate": "1", "BankExchangeRate": "1", "Description": "", "DepartmentID": ""}  # fmt: skip
    return {"PerformExternalReferenceDuplicateCheckOnInvoice": check,
            "PerformExternalReferenceDuplicateCheckOnReceipt": check, "BatchInvoice": caller.batch("INV-1"),
            "Receipt": receipt, "PerformAllocation": "true", "AllocationDate": None, "AllocationAmount": amount,
            "AllocationReference": "A", "ClientUniqueReference": "mine", "EnforceCreditLimit": "false",
            **more}  # fmt: skip


def test_post_pay_and_allocate_is_all_or_nothing_and_minds_repetitions(caller: Caller) -> None:
    caller.customer()
    too_much = combined(caller, "120.01")
    code = caller.refused("PostPayAndAllocateSalesInvoice", query=too_much)
    assert code == "TRANSACTION_CANNOT_ALLOCATE_MORE_THAN_OUTSTANSING_AMOUNT"
    assert caller.found("INV-1") == caller.found("PMT-1") == []
    done = caller.do("PostPayAndAllocateSalesInvoice", query=combined(caller))
    assert done["ClientUniqueReference"] == "mine"
    assert caller.found("INV-1")[0]["OutstandingAmount"] == "0.0000"
    assert caller.found("INV-1")[0]["TransactionID"] == done["InvoiceTransactionID"]
    again = caller.refused("PostPayAndAllocateSalesInvoice", query=combined(caller))
    assert again == "INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS"
    caller.do("PostPayAndAllocateSalesInvoice", query=combined(caller, check="false"))
    assert len(caller.found("INV-1")) == 2
    [entries] = caller.do("GetAllocationsByTransactionId", transactionId=done["InvoiceTransactionID"])
    assert entries["AllocationEntries"][0]["AllocatedToTransactionID"] == done["ReceiptTransactionID"]


def test_the_plural_does_each_by_itself(caller: Caller) -> None:
    caller.customer()
    row = "WSPostPayAndAllocateSalesInvoiceQuery"
    alone = {name: value for name, value in combined(caller).items() if name != "Receipt"} | {
        "PerformAllocation": "0"
    }
    answer = caller.ask("PostPayAndAllocateSalesInvoices", queries=[{row: alone}, {row: alone}])
    result = answer["PostPayAndAllocateSalesInvoicesResult"]
    assert result["Status"] == "Failure"
    assert [one["Status"] for one in result["Result"]] == ["Success", "Failure"]
    assert result["Result"][0]["Result"]["ReceiptTransactionID"] is None
    assert len(caller.found("INV-1")) == 1


def test_a_credit_limit_is_enforced_where_it_is_asked_for(caller: Caller) -> None:
    caller.customer(CreditLimit="200")
    alone = {name: value for name, value in combined(caller, check="0").items() if name != "Receipt"}
    alone |= {"PerformAllocation": "0", "EnforceCreditLimit": "true"}
    caller.do("PostPayAndAllocateSalesInvoice", query=alone)
    assert caller.refused("PostPayAndAllocateSalesInvoice", query=alone) == "INVALID_STATE_FAILED_TO_CREATE_INVOICE"
    account = caller.do("GetCustomer", customerCode="ACME")["AccountID"]
    asked = {"edt": "2026-11-30T00:00:00", "accountIDs": [account]}
    [balance] = caller.do("GetAccountBalanceInformation", **asked)
    assert (balance["Balance"], balance["CreditLeft"]) == ("120.0000", "80.0000")


def test_bulk_rows_have_their_own_status(caller: Caller) -> None:
    caller.customer()
    rows = [{"BatchSalesInvoice": caller.batch(name, code=code)} for name, code in (("I-1", "ACME"), ("I-2", "NO"))]
    answer = caller.ask("CreateBatchSalesInvoiceBulkGetBackTransactionIDs", invoices=rows)
    result = answer["CreateBatchSalesInvoiceBulkGetBackTransactionIDsResult"]
    assert [row["ErrorCode"] for row in result["Result"]] == ["SUCCESS", "CUSTOMER_CODE_DOES_NOT_EXIST"]
    assert answer["transactionIDs"][1] == "-1"
    assert caller.found("I-1")[0]["TransactionID"] == answer["transactionIDs"][0]


def test_a_discount_is_a_transaction_of_its_own(caller: Caller) -> None:
    caller.customer()
    invoice, receipt = caller.invoice("INV-1"), caller.receipt("PMT-1", "115")
    asked = {"transactionID_1": invoice, "transactionID_2": receipt, "allocationReference": "A",
             "allocationAmount": "115", "allocationDate": "2026-11-16T00:00:00"}  # fmt: skip
    over = caller.refused("AllocateTransactionsWithDiscount", **asked, discountAmount="5.01")
    assert over.startswith("INVALID_STATE_TRANSACTION_OUSTANDING_AMOUNT")
    caller.do("AllocateTransactionsWithDiscount", **asked, discountAmount="5")
    assert caller.found("INV-1")[0]["OutstandingAmount"] == "0.0000"
    [shown] = caller.do("GetAllocationsByTransactionId", transactionId=invoice)
    assert [one["AllocatedToTransactionType"] for one in shown["AllocationEntries"]] == ["SR", "DS"]
    caller.do("UnallocateTransactions", transactionIDs=[invoice])
    assert caller.found("INV-1")[0]["OutstandingAmount"] == "120.0000"


def test_journals_balance_and_post_to_customers(caller: Caller) -> None:
    caller.customer()

    def line(account: str, debit: str, credit: str) -> dict[str, Any]:
        return {"GeneralJournalLine": {"GLAccountCode": account, "Description": "x", "DepartmentID": "",
                "Debit": debit, "Credit": credit, "Amount": "0", "VatReturnID": "0", "TaxRpt": "0", "Reconc": "0",
                "Reversed": "0"}}  # fmt: skip

    journal = {"InternalReference": "", "ExternalReference": "GJ-1", "TransactionDate": "2026-11-10T00:00:00"}
    operation = "CreateGeneralJournalGetBackTransactionID"
    uneven = {**journal, "Lines": [line("4000", "5", "0"), line("2400", "0", "4")]}
    assert caller.refused(operation, journal=uneven) == "TRANSACTION_DOES_NOT_BALANCE"
    caller.do(operation, journal={**journal, "Lines": [line("4000", "5", "0"), line("2400", "0", "5")]})
    assert caller.found("GJ-1")[0]["TransactionType"] == "GD"
    refund = {"AccountCode": "ACME", "ExchangeRate": "1", "ExternalReference": "SD-1", "JournalNumber": "1",
              "TransactionDate": "2026-11-10T00:00:00", "Lines": [{"WSLedgerJournalLine": {
                  "GLAccountCode": "6200", "Description": "", "Amount": "7", "DepartmentID": "",
                  "BankExchangeRate": None}}]}  # fmt: skip
    caller.do("PostSalesDebitJournalGetBackTransactionID", journal=refund)
    assert caller.found("SD-1")[0]["TransactionType"] == "SD"
    assert caller.found("SD-1")[0]["ControlAmount"] == "7.0000"


def test_files_are_attached_to_transactions_and_invoices_printed(caller: Caller) -> None:
    caller.customer()
    own = caller.invoice("INV-1")
    content = base64.b64encode(b"%PDF-1.4").decode()

    def document(name: str, master: object) -> dict[str, Any]:
        header = {"MasterType": "Transaction", "MasterID": master, "Filename": name, "DocumentID": "0"}
        return {"Header": header, "Content": {"Content": content, "Comments": ""}}

    caller.do("AttachDocument", document=document("order.pdf", own))
    assert caller.refused("AttachDocument", document=document("../x", own)) == "DOCUMENT_NAME_IS_INVALID"
    assert caller.refused("AttachDocument", document=document("x", -1)) == "DOCUMENT_MASTER_ID_MUST_BE_POSITIVE"
    assert caller.found("INV-1")[0]["NumberOfAttachments"] == "1"
    [header] = caller.do("GetAttachedDocumentList", masterType="Transaction", masterID=own)
    found = caller.do("GetDocument", masterType="Transaction", masterID=own, documentID=header["DocumentID"])
    assert found["Content"]["Content"] == content
    paper = base64.b64decode(caller.do("GetInvoicePDFByTransactionID", transactionID=own))
    assert paper.startswith(b"%PDF")
    assert b"INV-1" in paper


@pytest.mark.parametrize("caller", [{"departmental_accounts": "4010"}], indirect=True)
def test_departments_stand_for_analysis_codes(caller: Caller) -> None:
    caller.customer()
    codes = {f"analysisCode{place}": "" for place in range(1, 7)}
    asked = {"id": "SUP-N", "description": "Support North", **codes, "analysisCode1": "Support"}
    caller.do("CreateDepartment", **asked)
    assert caller.refused("CreateDepartment", **asked) == "DEPARTMENT_ID_ALREADY_IN_USE"
    wrong = {**asked, "id": "X", "analysisCode2": "East"}
    assert caller.refused("CreateDepartment", **wrong) == "DIMENSION_CODE_NOT_FOUND_IN_DIMENSION"
    caller.do(
        "AddAnalysisCode", groupID="2", analysisCode={"Code": "East", "Description": "The East"}, create="true"
    )
    caller.do("CreateDepartment", **wrong)
    found = caller.do("GetDepartmentsByAnalysisCode", query={"a2Filter": [{"string": "East"}]})
    assert [one["DepartmentID"] for one in found] == ["X"]
    bare = caller.batch("INV-1", caller.line(GLAccountCode="4010"))
    assert caller.refused("CreateBatchSalesInvoice", inv=bare) == "GLACCOUNT_NO_DEPARTMENT_IS_DEPARTMENTAL"
    caller.invoice("INV-1", caller.line(GLAccountCode="4010", DepartmentID="SUP-N"))
    assert caller.found("INV-1")[0]["LineDetails"][1]["DepartmentID"] == "SUP-N"
    assert len(caller.found("INV-1", DepartmentIDsFilter=[{"string": "SUP-N"}])) == 1
    assert caller.found("INV-1", DepartmentIDsFilter=[{"string": "X"}]) == []

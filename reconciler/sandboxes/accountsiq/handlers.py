"""Which method carries out which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.sandboxes.accountsiq.allocating import Allocations
from reconciler.sandboxes.accountsiq.attachments import Attachments
from reconciler.sandboxes.accountsiq.batch import Batch
from reconciler.sandboxes.accountsiq.combined import Combined
from reconciler.sandboxes.accountsiq.customers import Customers
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.dimensions import Dimensions
from reconciler.sandboxes.accountsiq.items import Items
from reconciler.sandboxes.accountsiq.journals import Journals
from reconciler.sandboxes.accountsiq.lists import Lists
from reconciler.sandboxes.accountsiq.outcomes import Done
from reconciler.sandboxes.accountsiq.receipts import Receipts
from reconciler.sandboxes.accountsiq.statements import Statements
from reconciler.sandboxes.accountsiq.stock import Stock
from reconciler.sandboxes.accountsiq.transactions import Transactions
from reconciler.sandboxes.accountsiq.view import View

Run = Callable[[Values], Done]


def handlers(view: View) -> Mapping[str, Run]:
    """By the operation's name."""
    return {
        **_masters(view),
        **_lists(view),
        **_documents(view),
        **_items(view),
        **_others(view),
        **_settling(view),
    }


def _masters(view: View) -> dict[str, Run]:
    customers, dimensions, statements = Customers(view), Dimensions(view), Statements(view)
    return {
        "GetNewCustomerFromDefaults": customers.new,
        "GetCustomer": customers.one,
        "GetCustomerList": customers.all,
        "GetActiveCustomerList": customers.active,
        "GetCustomersBy": customers.by,
        "UpdateCustomer": customers.update,
        "UpdateCustomerGetbackCustomerCode": customers.update_get_code,
        "DeleteCustomerByCode": customers.delete_by_code,
        "DeleteCustomerById": customers.delete_by_id,
        "GetCustomersStatement": statements.statement,
        "GetAccountBalanceInformation": statements.balances,
        "GetCustomerBalanceInformation": statements.balances_by_code,
        "GetDepartmentList": dimensions.all,
        "GetDepartmentById": dimensions.one,
        "GetDepartmentsByAnalysisCode": dimensions.by_codes,
        "GetDepartmentsBy": dimensions.changed,
        "CreateDepartment": dimensions.create,
        "UpdateDepartment": dimensions.update,
        "UpdateDepartmentDimensionSetup": dimensions.set_up,
        "GetAnalysisDimensionSetup": dimensions.setup,
        "AddAnalysisCode": dimensions.add_code,
    }


def _lists(view: View) -> dict[str, Run]:
    lists = Lists(view)
    return {
        "GetGLAccountList": lists.gl_accounts,
        "GetChartOfAccounts": lists.chart,
        "GetTaxCodeList": lists.taxes,
        "GetCreditTermList": lists.terms,
        "GetBankList": lists.banks,
        "GetCurrencies": lists.currencies,
        "GetCurrencyExchangeRate": lists.exchange_rate,
        "GetPeriodList": lists.periods,
        "GetCompanyInformation": lists.company,
        "GetUserInformation": lists.user,
        "GetInterCompanyConnectionList": lists.intercompany,
    }


def _documents(view: View) -> dict[str, Run]:
    batch, receipts = Batch(view), Receipts(view)
    return {
        "GetNewBatchSalesInvoice": batch.new_invoice,
        "GetNewBatchSalesCreditNote": batch.new_credit_note,
        "CreateBatchSalesInvoice": batch.create_invoice,
        "CreateBatchSalesInvoiceGetBackTransactionID": batch.create_invoice,
        "CreateBatchSalesInvoiceBulk": batch.create_invoices,
        "CreateBatchSalesInvoiceBulkGetBackTransactionIDs": batch.create_invoices,
        "CreateBatchSalesCreditNote": batch.create_credit_note,
        "CreateBatchSalesCreditNoteGetBackTransactionID": batch.create_credit_note,
        "CreateBatchSalesCreditNoteBulk": batch.create_credit_notes,
        "CreateBatchSalesCreditNoteBulkGetBackTransactionIDs": batch.create_credit_notes,
        "SaveSalesReceipt": receipts.save,
        "SaveSalesReceiptGetBackTransactionID": receipts.save,
    }


def _settling(view: View) -> dict[str, Run]:
    allocations, transactions = Allocations(view), Transactions(view)
    return {
        "AllocateTransactions": allocations.allocate,
        "AllocateTransactionsWithDiscount": allocations.allocate_with_discount,
        "UnallocateTransactions": allocations.unallocate,
        "GetAllocationsByTransactionId": allocations.by_transaction,
        "GetAllocationsForTransactionsCreatedBetween": allocations.created_between,
        "GetTransaction": transactions.one,
        "GetTransactionByInvoiceID": transactions.by_invoice,
        "GetTransactionDueDate": transactions.due_date,
        "SetTransactionDueDate": transactions.set_due_date,
        "DisputeTransactions": transactions.dispute,
        "GetTransactionsBy": transactions.by,
        "GetCountTransactionsBy": transactions.count,
        "GetTransactionsModifiedBy": transactions.modified,
        "GetTransactionsByExternalReference": transactions.by_reference,
    }


def _items(view: View) -> dict[str, Run]:
    items = Items(view)
    return {
        "GetNewSalesInvoice": items.new_invoice,
        "GetNewSalesInvoices": items.new_invoices,
        "GetNewSalesCreditNote": items.new_credit_note,
        "GetNewSalesCreditNotes": items.new_credit_notes,
        "GetInvoice": items.book.invoice,
        "GetInvoicesBy": items.book.invoices_by,
        "GetInvoicesByCustomerCode": items.book.invoices_by_customer,
        "GetInvoicesByExternalReference": items.book.invoices_by_reference,
        "GetCreditNote": items.book.credit_note,
        "GetCreditNotesByCustomerCode": items.book.credit_notes_by_customer,
        "GetCreditNotesByExternalReference": items.book.credit_notes_by_reference,
        "SaveInvoice": items.save_invoice,
        "SaveInvoiceGetBackInvoiceID": items.save_invoice,
        "SaveInvoiceWithAmountCheckGetBackInvoiceID": items.save_checked,
        "SaveInvoiceWithPostingAmountCheckGetBackInvoiceID": items.save_posting_checked,
        "CreateInvoicesGetBackInvoiceIDs": items.create_invoices,
        "PostInvoice": items.post_invoice,
        "PostInvoiceGetBackTransactionID": items.post_invoice,
        "PostInvoicesGetBackTransactionIDs": items.post_invoices,
        "SaveCreditNote": items.save_credit_note,
        "SaveCreditNoteGetBackCreditNoteID": items.save_credit_note,
        "CreateCreditNotesGetBackCreditNoteIDs": items.create_credit_notes,
        "PostCreditNote": items.post_credit_note,
        "PostCreditNoteGetBackTransactionID": items.post_credit_note,
        "PostCreditNotesGetBackTransactionIDs": items.post_credit_notes,
    }


def _others(view: View) -> dict[str, Run]:
    combined, journals, attachments, stock = Combined(view), Journals(view), Attachments(view), Stock(view)
    return {
        "PostPayAndAllocateSalesInvoice": combined.one,
        "PostPayAndAllocateSalesInvoices": combined.many,
        "CreateGeneralJournal": journals.general,
        "CreateGeneralJournalGetBackTransactionID": journals.general,
        "PostSalesDebitJournal": journals.debit,
        "PostSalesDebitJournalGetBackTransactionID": journals.debit,
        "PostSalesCreditJournal": journals.credit,
        "PostSalesCreditJournalGetBackTransactionID": journals.credit,
        "AttachDocument": attachments.attach,
        "GetAttachedDocumentList": attachments.all,
        "GetDocument": attachments.one,
        "GetInvoicePDFByTransactionID": attachments.invoice_pdf,
        "GetInvoicePDFByTransactionIDAndReportStyleName": attachments.invoice_pdf,
        "GetSalesReceiptPDFByTransactionID": attachments.receipt_pdf,
        "GetStockItemList": stock.all,
        "GetActiveStockItemList": stock.active,
        "GetStockItem": stock.one,
        "GetNewStockItemFromDefaults": stock.new,
        "SaveStockItem": stock.save,
    }

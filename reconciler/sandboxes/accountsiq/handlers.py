"""Which method carries out which operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.sandboxes.accountsiq.allocating import Allocations
from reconciler.sandboxes.accountsiq.batch import Batch
from reconciler.sandboxes.accountsiq.customers import Customers
from reconciler.sandboxes.accountsiq.decoding import Values
from reconciler.sandboxes.accountsiq.dimensions import Dimensions
from reconciler.sandboxes.accountsiq.lists import Lists
from reconciler.sandboxes.accountsiq.outcomes import Done
from reconciler.sandboxes.accountsiq.receipts import Receipts
from reconciler.sandboxes.accountsiq.statements import Statements
from reconciler.sandboxes.accountsiq.transactions import Transactions
from reconciler.sandboxes.accountsiq.view import View

Run = Callable[[Values], Done]


def handlers(view: View) -> Mapping[str, Run]:
    """By the operation's name."""
    return {
        **_masters(view),
        **_lists(view),
        **_documents(view),
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

"""The operations: what each takes after its token, what it answers, and whether it only reads."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.sandboxes.accountsiq.notation import Field, Shape, fields


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `result`: the type of `Result` in the envelope, None where there is only a status.

    `bare`: the result element is that type itself. `outs`: out parameters, beside the result element.
    """

    name: str
    inputs: Shape
    result: Field | None
    outs: Shape
    reads: bool
    bare: bool = False
    token: bool = True


_READS = """
GetNewCustomerFromDefaults > Customer
GetCustomer customerCode > Customer
GetCustomerList > Customer[]
GetActiveCustomerList > Customer[]
GetCustomersBy query:WSCustomerQuery > Customer[]
GetCustomersStatement upTo:dateTime customerCodes:string[] showZeros:boolean > CustomerStatement[]
GetAccountBalanceInformation edt:dateTime accountIDs:int[] > AccountBalanceInformation[]
GetCustomerBalanceInformation edt:dateTime customerCodes:string[] > AccountBalanceInformation[]
GetNewBatchSalesInvoice customerCode > BatchSalesInvoice
GetNewBatchSalesCreditNote customerCode > BatchSalesCreditNote
GetNewSalesInvoice customerCode > Invoice
GetNewSalesInvoices customerCodes:string[] > Invoice[]
GetNewSalesCreditNote customerCode > CreditNote
GetNewSalesCreditNotes customerCodes:string[] > CreditNote[]
GetInvoice invoiceID:int > Invoice
GetInvoicesBy query:InvoiceQuery > Invoice[]
GetInvoicesByCustomerCode customerCode > Invoice[]
GetInvoicesByExternalReference externalReference > Invoice[]
GetCreditNote creditNoteID:int > CreditNote
GetCreditNotesByCustomerCode customerCode > CreditNote[]
GetCreditNotesByExternalReference externalReference > CreditNote[]
GetTransaction transactionID:int > Transaction
GetTransactionByInvoiceID invoiceID:int > Transaction
GetTransactionDueDate transactionId:int > dateTime?
GetTransactionsBy query:WSTransactionQuery > WSTransactionSummary[]
GetCountTransactionsBy query:WSTransactionQuery > WSTransactionsCount
GetTransactionsModifiedBy query:WSTransactionQuery > WSChangedTransactionSummary[]
GetTransactionsByExternalReference query:WSTransactionsByExternalReferenceQuery > WSTransactionSummary[]
GetAllocationsByTransactionId transactionId > WSAllocationTransactionDTO[]
GetAllocationsForTransactionsCreatedBetween query:WSAllocationQuery > WSAllocationTransactionDTO[]
GetGLAccountList > string[][]
GetChartOfAccounts > WSChartOfAccountLine[]
GetTaxCodeList > Tax[]
GetCreditTermList > CreditTerm[]
GetBankList > Bank[]
GetCurrencies > WSCurrency[]
GetCurrencyExchangeRate currencyCode > decimal
GetPeriodList > WSFinancialPeriodDTO[]
GetCompanyInformation > WSCompanyInformation
GetUserInformation > WSUserInformation
GetInterCompanyConnectionList > WSInterCompanyConnection[]
GetDepartmentList > Department[]
GetDepartmentById departmentId > Department
GetDepartmentsByAnalysisCode query:WSDepartmentQuery > Department[]
GetDepartmentsBy query:WSDepartmentChangesQuery > Department[]
GetAnalysisDimensionSetup > WSAnalysisDimension[]
GetAttachedDocumentList masterType:DocumentMasterType masterID > WSDocumentHeader[]
GetDocument masterType:DocumentMasterType masterID documentID:int > WSDocument
GetInvoicePDFByTransactionID transactionID:int > base64Binary
GetInvoicePDFByTransactionIDAndReportStyleName transactionID:int reportStyleName > base64Binary
GetSalesReceiptPDFByTransactionID transactionID:int > base64Binary
GetStockItemList > StockItem[]
GetActiveStockItemList > StockItem[]
GetStockItem stockItemID > StockItem
GetNewStockItemFromDefaults stockItemID > StockItem
"""
_WRITES = """
UpdateCustomer customer:Customer create:boolean > boolean
UpdateCustomerGetbackCustomerCode customer:Customer create:boolean > string
DeleteCustomerByCode customerCode >
DeleteCustomerById customerId >
CreateBatchSalesInvoice inv:BatchSalesInvoice > string
CreateBatchSalesInvoiceGetBackTransactionID inv:BatchSalesInvoice > string ; transactionID:int
CreateBatchSalesInvoiceBulk invoices:BatchSalesInvoice[] > WSResultStatus[]
CreateBatchSalesInvoiceBulkGetBackTransactionIDs invoices:BatchSalesInvoice[] > WSResultStatus[] \
; transactionIDs:int[]
CreateBatchSalesCreditNote creditNote:BatchSalesCreditNote > string
CreateBatchSalesCreditNoteGetBackTransactionID creditNote:BatchSalesCreditNote > string ; transactionID:int
CreateBatchSalesCreditNoteBulk creditNotes:BatchSalesCreditNote[] > WSResultStatus[]
CreateBatchSalesCreditNoteBulkGetBackTransactionIDs creditNotes:BatchSalesCreditNote[] > WSResultStatus[] \
; transactionIDs:int[]
SaveInvoice invoice:Invoice create:boolean >
SaveInvoiceGetBackInvoiceID invoice:Invoice create:boolean > ; invoiceID:int
SaveInvoiceWithAmountCheckGetBackInvoiceID invoice:Invoice create:boolean grossBaseCurrencyAmount:decimal > \
; invoiceID:int
SaveInvoiceWithPostingAmountCheckGetBackInvoiceID invoice:Invoice create:boolean foreignCurrencyNetTotal:decimal \
foreignCurrencyTaxTotal:decimal > WSPostingAmountCheckResult
CreateInvoicesGetBackInvoiceIDs invoices:Invoice[] > WSResultStatus[] ; invoiceIDs:int[]
PostInvoice invoiceID:int >
PostInvoiceGetBackTransactionID invoiceID:int > ; transactionID:int
PostInvoicesGetBackTransactionIDs invoiceIDs:int[] = WSResultStatus[] ; transactionIDs:int[]
SaveCreditNote creditNote:CreditNote create:boolean >
SaveCreditNoteGetBackCreditNoteID creditNote:CreditNote create:boolean > ; creditNoteID:int
CreateCreditNotesGetBackCreditNoteIDs creditNotes:CreditNote[] > WSResultStatus[] ; creditNoteIDs:int[]
PostCreditNote creditNoteID:int >
PostCreditNoteGetBackTransactionID creditNoteID:int > ; transactionID:int
PostCreditNotesGetBackTransactionIDs creditNoteIDs:int[] = WSResultStatus[] ; transactionIDs:int[]
SaveSalesReceipt salesReceipt:SalesReceipt > boolean
SaveSalesReceiptGetBackTransactionID salesReceipt:SalesReceipt > ; transactionID:int
AllocateTransactions transactionID_1:int transactionID_2:int allocationReference allocationAmount:decimal \
allocationDate:dateTime >
AllocateTransactionsWithDiscount transactionID_1:int transactionID_2:int allocationReference \
allocationAmount:decimal allocationDate:dateTime discountAmount:decimal >
UnallocateTransactions transactionIDs:int[] > WSResultStatus[]
PostPayAndAllocateSalesInvoice query:WSPostPayAndAllocateSalesInvoiceQuery > WSPostPayAndAllocateSalesInvoiceResult
PostPayAndAllocateSalesInvoices queries:WSPostPayAndAllocateSalesInvoiceQuery[] \
> WSResult2OfWSPostPayAndAllocateSalesInvoiceResult[]
CreateGeneralJournal journal:GeneralJournal >
CreateGeneralJournalGetBackTransactionID journal:GeneralJournal > ; transactionID:int
PostSalesDebitJournal journal:WSLedgerJournal >
PostSalesDebitJournalGetBackTransactionID journal:WSLedgerJournal > ; transactionID:int
PostSalesCreditJournal journal:WSLedgerJournal >
PostSalesCreditJournalGetBackTransactionID journal:WSLedgerJournal > ; transactionID:int
CreateDepartment id description analysisCode1 analysisCode2 analysisCode3 analysisCode4 analysisCode5 \
analysisCode6 >
UpdateDepartment departmentID newDescription active:boolean >
UpdateDepartmentDimensionSetup departmentID a1 a2 a3 a4 a5 a6 >
AddAnalysisCode groupID analysisCode:WSAnalysisDimensionCode create:boolean >
AttachDocument document:WSDocument >
SetTransactionDueDate transactionId:int dueDate:dateTime >
DisputeTransactions transactionIDs:int[] disputed:boolean > WSResultStatus[]
SaveStockItem stockItem:StockItem create:boolean >
"""


def _operation(line: str, reads: bool) -> Operation:
    asked, mark, answered = line.partition(" = ")
    if not mark:
        asked, _, answered = line.partition(" >")
    name, *inputs = asked.split()
    result, _, outs = answered.partition(";")
    [kept] = fields(f"Result:{result.strip()}") if result.strip() else (None,)
    return Operation(name, fields(" ".join(inputs)), kept, fields(outs), reads, bare=bool(mark))


def _table(text: str, reads: bool) -> dict[str, Operation]:
    lines = (line.strip() for line in text.strip().splitlines())
    return {made.name: made for made in (_operation(line, reads) for line in lines)}


OPERATIONS = _table(_READS, reads=True) | _table(_WRITES, reads=False)
"""What both endpoints have. In 1.1 each takes `token` first."""


def _door(name: str, inputs: str, result: str, *, bare: bool = False) -> Operation:
    """An operation that needs no token yet."""
    return Operation(name, fields(inputs), fields(result)[0], (), reads=True, bare=bare, token=False)


LOGIN = _door("Login", "companyID partnerKey userKey", "Result", bare=True)
TOKEN_GET = _door("TokenGet", "clientId clientSecret", "Result:OAuthTokens")
TOKEN_REFRESH = _door("TokenRefresh", "clientId clientSecret refreshToken", "Result:OAuthTokens")
OPERATIONS_1_1 = OPERATIONS | {LOGIN.name: LOGIN}
OPERATIONS_2_0 = OPERATIONS | {TOKEN_GET.name: TOKEN_GET, TOKEN_REFRESH.name: TOKEN_REFRESH}

"""The service's types, receivables: every element in its order, as the vendor's samples and WSDL have them."""

from __future__ import annotations

from reconciler.sandboxes.accountsiq.notation import Types, fields

NAMESPACE = "http://www.visorsoftware.com/visor/accountsiq/dashboard/Integration/"

_STATUS = "Status:ResultStatus ErrorCode ErrorMessage HasExpired:boolean"
_ACCOUNT = (
    "AccountID:int ExternalApproverID:int? LedgerType:LedgerType Code CountryCode Name GroupID DefaultTaxCode"
    " AreaID BankAccountCode CountryID CreditTermID CurrencyCode PaymentMethodID AuthorUserID ShipViaID"
    " CreationDate:dateTime Address1 Address2 City County_State Country PostCode DeliveryName DeliveryAddress1"
    " DeliveryAddress2 DeliveryCity DeliveryCounty_State DeliveryCountry DeliveryPostCode DeliveryContact"
    " DeliveryPhone DeliveryFax Phone Fax Email WebAddress Contact VATRegistrationNumber VATExemptReference"
    " DiscountRate:decimal UseAccountTaxCode:boolean DefaultGLAccountCode ControlGLAccountCode IsActive:boolean"
    " Hold:short HeadOfficeAccountID:int? Notes NextText++ NextFlag:boolean++ UseHeadOffice:boolean"
    " IsHeadOffice:boolean CreditLimit:decimal"
    " RegionID PriorityID DeliveryRouteID PriceCategoryID PriceListID DepartmentID InternationalBankAccountNumber"
    " BankSortCode BankCode BankSwiftCode AccountReferralID MobilePhone IsFranchise:boolean ContractorTaxCode"
    " RowVersionNumber EDICentralID EPaymentReference SalesRepresentativeID:long?"
)
_INVOICE_BASE = (
    "InvoiceID:int AccountID:int AreaID CurrencyCode CurrrencyCode AccountTaxCode PaymentMethodID ShipmentViaID"
    " InvoiceNumber ExternalReference CreationDate:dateTime InvoiceDate:dateTime ExternalApproverID:int?"
    " DeliveryDate:dateTime Status:InvoiceStatus AccountName AccountAddress1 AccountAddress2 City County_State"
    " Country PostCode DeliveryAccountName DeliveryAccountAddress1 DeliveryAccountAddress2 DeliveryCity"
    " DeliveryCounty_State DeliveryCountry DeliveryPostCode Contact AuthorUserID Phone Notes DiscountRate:decimal"
    " ForCollection:boolean ExchangeRate:decimal UseAccountTaxCode:boolean OrderID:int? OrderNumber DepartmentID"
    " Hold:short Ledger:LedgerType RowVersionNumber Lines:InvoiceLine[] IsPrinted:boolean AccountBranchID:int?"
    " OrderDate:dateTime? ExcludeFromPrinting:boolean Type:InvoiceType SalesRepresentativeID:long? LockUser"
    " NetAmount:decimal TaxAmount:decimal GrossAmount:decimal BCNetAmount:decimal BCTaxAmount:decimal"
    " BCGrossAmount:decimal ForecastedPaymentDate:dateTime?+ TaxAdjustmentAmount:decimal+"
    " BCTaxAdjustmentAmount:decimal+ LastModifiedUTC:dateTime?+ DueDate:dateTime?+"
)
_INVOICE_NAMES = " ApprovalStatusName AuthorUserName ExternalApproverName AccountCode"
_BATCH_LINE = "GLAccountCode TaxCode Description DepartmentID NetAmount:decimal TaxRate:double TaxAmount:decimal?"
_RECEIPT = (
    "CustomerCode CheckReference PaymentAmount:decimal BankAccountCode LodgmentNumber PaymentDate:dateTime"
    " ExchangeRate:decimal BankExchangeRate:decimal Description DepartmentID"
)
_SUMMARY = (
    "AccountID:int AccountCode Ledger:LedgerType TransactionType TransactionID:int IsBatchInvoiceOrNote:boolean"
    " InvoiceID:int InternalNumber ExternalReference ControlAmount:decimal OutstandingAmount:decimal"
    " ControlBCAmount:decimal TransactionDate:dateTime FinancialYear:int PeriodNumber:int PeriodName"
    " CreationDate:dateTime LineDetails:WSTransactionDetail[] CurrencyCode PeriodDate:dateTime CreatedBy"
    " AccountName TransactionBankGLAccountNumber"
)
_TRANSACTION_FILTERS = (
    "TypesFilter:string[] AccountIDsFilter:int[] TransactionIDsFilter:int[] DepartmentIDsFilter:string[]"
)
_CHECKER = "IdLength:int CodeLength:int DescriptionLength:int AuthorLength:int"

_SHAPES = {
    "WSResultStatus": _STATUS,
    "Customer": _ACCOUNT,
    "WSCustomerQuery": "Emails:string[] FromLastModifiedDateInUTC:dateTime Skip:int+",
    "CustomerState": (
        "From0To30DaysBalanceBucket:decimal From30To60DaysBalanceBucket:decimal"
        " From60To90DaysBalanceBucket:decimal From90To120DaysBalanceBucket:decimal"
        " From120DaysPlusBalanceBucket:decimal FutureBalanceBucket:decimal CurrentBalance:decimal"
        " CurrentDate:dateTime CustomerCode"
    ),
    "TransactionState": (
        "TransactionReference:int Type InternalNumber ExternalReference Amount:decimal OutstandingAmount:decimal"
        " TransactionDate:dateTime Description DueDate:dateTime+"
    ),
    "CustomerStatement": "CustomerState:CustomerState TransactionList:TransactionState[]",
    "AccountBalanceInformation": (
        "AccountID:int AccountCode AccountType Balance:decimal CreditLimit:decimal CreditLeft:decimal"
        " OverCreditLimitBalance:decimal CurrencyCode"
    ),
    "BatchSalesInvoiceLine": _BATCH_LINE,
    "BatchSalesCreditNoteLine": _BATCH_LINE,
    "BatchSalesInvoice": (
        "CustomerCode InvoiceDate:dateTime ExternalReference Description Lines:BatchSalesInvoiceLine[]"
        " ExchangeRate:decimal DueDate:dateTime?+"
    ),
    "BatchSalesCreditNote": (
        "ExchangeRate:decimal CustomerCode CreditNoteDate:dateTime ExternalReference Description"
        " Lines:BatchSalesCreditNoteLine[]"
    ),
    "InvoiceLine": (
        "InvoiceItemID:int InvoiceID:int OrderItemID:int? StockItemID StockItemDescription InvoicedQuantity:decimal"
        " DeliveredQuantity:decimal StockItemCost:decimal StockItemPrice:decimal DiscountRate:decimal"
        " ActualPrice:decimal TaxCode TaxRate:decimal NetAmount:decimal TaxAmount:decimal GrossAmount:decimal"
        " LocationID SublocationID CreationDate:dateTime Notes Notes2 AdditionalCost:boolean GLAccountCode"
        " OpeningStockGLAccountCode DeliveryItemID:int? DepartmentID RowVersionNumber ProjectNumber"
    ),
    "Invoice": _INVOICE_BASE + _INVOICE_NAMES,
    "CreditNote": _INVOICE_BASE,
    "InvoiceQuery": (
        "FromDate:dateTime ToDate:dateTime FromCreationDate:dateTime ToCreationDate:dateTime Skip:int"
        " TypesFilter:string[] AccountIDsFilter:int[] DepartmentIDsFilter:string[] InvoiceIDsFilter:int[] Status"
        " InvoiceNumbersFilter:string[] ReverseOrderBy:boolean OrderBy Limit:int FromLastModifiedDateInUTC:dateTime"
    ),
    "WSPostingAmountCheckResult": "Success:boolean InvoiceID:int ActualNetTotal:decimal ActualTaxTotal:decimal",
    "SalesReceipt": _RECEIPT,
    "WSPostPayAndAllocateSalesInvoiceQuery": (
        "PerformExternalReferenceDuplicateCheckOnInvoice:boolean"
        " PerformExternalReferenceDuplicateCheckOnReceipt:boolean BatchInvoice:BatchSalesInvoice"
        " Receipt:SalesReceipt PerformAllocation:boolean AllocationDate:dateTime? AllocationAmount:decimal"
        " AllocationReference ClientUniqueReference EnforceCreditLimit:boolean"
    ),
    "WSPostPayAndAllocateSalesInvoiceResult": (
        "InvoiceTransactionID:int? ReceiptTransactionID:int? ClientUniqueReference"
    ),
    "WSResult2OfWSPostPayAndAllocateSalesInvoiceResult": (
        f"{_STATUS} Result:WSPostPayAndAllocateSalesInvoiceResult"
    ),
    "WSAllocationEntryDTO": (
        "AllocatedToTransactionID:int AllocatedToTransactionType AllocatedToInternalNumber"
        " AllocatedToExternalReference AllocationAmount:decimal AllocationDate:dateTime AllocationId:int"
        " AllocationUserId AllocationCreationDate:dateTime AllocatedToTransactionDate:dateTime+"
        " AllocationNumber:int+"
    ),
    "WSAllocationTransactionDTO": (
        "TransactionID:int TransactionType InternalNumber ExternalReference"
        " AllocationEntries:WSAllocationEntryDTO[] AccountID:int? AccountCode"
    ),
    "WSAllocationQuery": "FromCreationDate:dateTime ToCreationDate:dateTime Skip:int",
    "WSTransactionsByExternalReferenceQuery": (
        f"ExternalReference FromDate:dateTime ToDate:dateTime {_TRANSACTION_FILTERS}"
    ),
    "WSTransactionQuery": (
        "FromDate:dateTime ToDate:dateTime FromCreationDate:dateTime ToCreationDate:dateTime Skip:int"
        f" {_TRANSACTION_FILTERS} FromPeriodDate:dateTime? ToPeriodDate:dateTime? FromDueDate:dateTime?+"
        " ToDueDate:dateTime?+ ExcludeReconciliationInformation:boolean"
    ),
    "WSTransactionDetail": (
        "GLAccountCode IsControlLine:boolean IsTaxLine:boolean IsStockLine:boolean Amount:decimal BCAmount:decimal"
        " TaxID DepartmentID CurrencyCode IsReconciled:boolean Description TransactionDate:dateTime?"
        " PeriodDate:dateTime? DueDate:dateTime?+ ExchangeRate:decimal"
    ),
    "WSTransactionSummary": (
        f"{_SUMMARY} IsReversed:boolean+ IsInDispute:boolean+ NumberOfAttachments:int+ DueDate:dateTime?+"
    ),
    "WSChangedTransactionSummary": f"{_SUMMARY} Status:ChangeStatus",
    "WSTransactionLinesCount": "TransactionID:int LinesCount:int",
    "WSTransactionsCount": "TransactionsCount:int TransactionLinesCount:WSTransactionLinesCount[]",
    "TransactionLine": (
        "TransactionLineID:int TransactionID:int AccountID:int? BankID:int? CurrencyCode TaxCode AuthorUserID"
        " TransactionGroupNumber:int GLAccountCode TransactionLineType Description GlAccountName DepartmentName"
        " InternalNumber ExternalReference IsInDispute:boolean CreationDate:dateTime TransactionDate:dateTime"
        " DueDate:dateTime?+ PeriodDate:dateTime Amount:decimal AllocatedAmount:decimal BCAmount:decimal"
        " ExchangeRate:decimal Reconciled:boolean BankstatementID:int? PeriodID:int InvoiceID:int?"
        " AllocationNumber:int? DepartmentID BroadType:BroadType IsReversed:boolean ReasonID:int?"
        " SupplierBatchPaymentID:int? VatReturnID:int? SupplierBatchPaymentDiscountedAmount:decimal"
        " SupplierBatchPaymentAllocatedAmount:decimal LodgmentNumber RowVersionNumber IsBankLine:boolean"
        " IsAccountControlLine:boolean"
    ),
    "Transaction": "Lines:TransactionLine[] TransactionType:TransactionType DueDate:dateTime?+",
    "GeneralJournalLine": (
        "GLAccountCode Description DepartmentID Debit:decimal Credit:decimal Amount:decimal VatReturnID:int"
        " TaxRpt:boolean Reconc:boolean Reversed:boolean"
    ),
    "GeneralJournal": "InternalReference ExternalReference TransactionDate:dateTime Lines:GeneralJournalLine[]",
    "WSLedgerJournalLine": "GLAccountCode Description Amount:decimal DepartmentID BankExchangeRate:decimal?",
    "WSLedgerJournal": (
        "AccountCode ExchangeRate:decimal ExternalReference JournalNumber TransactionDate:dateTime"
        " Lines:WSLedgerJournalLine[]"
    ),
    "WSChartOfAccountLine": (
        "Code Description AccountType DefaultTaxID GLCategoryID GLSubCategoryID GLCategory GLSubCategory"
        " DepartmentID IsDepartmental:boolean BalanceSheetType GLCategoryTypeID GLCategoryTypeDescription"
        " IsActive:boolean CurrencyCode GLGroupID GLGroup"
    ),
    "TaxChecker": _CHECKER,
    "Tax": (
        "ID Code Description RowVersionNumber Rate:decimal EuropeanCommunitySales:boolean"
        " EuropeanCommunityPurchases:boolean EUTrade:boolean ReverseCharge:boolean IsGoods:boolean"
        " PartialReclaim:boolean PartialReclaimRate:decimal IsDefault:boolean IsTaxExclude:boolean"
        " IsStandardRate:boolean GrossThreshold:decimal NetThreshold:decimal TaxTypeId:int SalesTaxInclude:boolean"
        " PurchasesTaxInclude:boolean DebitGlAccno CreditGlAccno WithHoldingTaxGLAccount IsWithHoldingTax:boolean"
        " Is1099Code:boolean Checker:TaxChecker"
    ),
    "CreditTermChecker": f"{_CHECKER} CreditDayLength:int",
    "CreditTerm": (
        "ID Code Description RowVersionNumber CreditDays:int EndOfMonth:boolean Checker:CreditTermChecker"
    ),
    "Bank": (
        "GroupOnlinePaymentDuringReconciliation:boolean Address1 Address2 City County CountryState BankID:int Code"
        " BankAccountCode Name CurrencyCode OverdraftLimit:decimal InternationalBankAccountNumber SortCode"
        " SwiftCode OnlineUserID OnlineBankType:OnlineBankType Phone Fax RowVersionNumber"
    ),
    "WSCurrency": (
        "CurrencyID:int CurrencyCode IsBaseCurrency:boolean ExchangeRate:decimal Symbol Units"
        " LastModifiedDate:dateTime Description"
    ),
    "WSFinancialPeriodDTO": " ".join(
        f"{mark}PeriodID:int {mark}PeriodNumber:int {mark}PeriodName {mark}FinancialYear:int"
        f" {mark}StartDate:dateTime {mark}EndDate:dateTime {mark}SalesLedgerClosed:boolean"
        f" {mark}PurchasesLedgerClosed:boolean {mark}GeneralLedgerClosed:boolean {mark}FinancialYearClosed:boolean"
        for mark in ("_", "")
    ),
    "WSAddress": "Line1 Line2 City County PostZipCode CountryState",
    "WSContactInformation": "LandlineNumber MobileNumber FaxNumber EmailAddress WebSite",
    "WSAutoNumberingSettings": (
        "UseAutoSalesQuoteNumbering:boolean CurrentSalesQuoteNumber UseAutoSalesOrderNumbering:boolean"
        " CurrentSalesOrderNumber UseAutoSalesInvoiceNumbering:boolean CurrentSalesInvoiceNumber"
        " UseAutoSalesCreditNoteNumbering:boolean CurrentSalesCreditNoteNumber"
        " UseAutoPurchaseOrderNumbering:boolean CurrentPurchaseOrderNumber"
    ),
    "WSPrecisionSettings": "PricePrecisionDecimals:int QuantityPrecisionDecimals:int",
    "WSApprovalSettings": (
        "IsPurchaseApprovalEnabled:boolean IsPurchaseBatchPaymentApprovalEnabled:boolean ApprovalType:ApprovalType"
    ),
    "WSCompanyInformation": (
        "CompanyName LocaleName BaseCurrencyCode Address:WSAddress ContactInformation:WSContactInformation"
        " AutoNumberingSettings:WSAutoNumberingSettings PrecisionSettings:WSPrecisionSettings"
        " ApprovalSettings:WSApprovalSettings TaxRegistrationNumber RegistrationNumber EDIIdentifier"
        " IsConsolidationCompany:boolean"
    ),
    "WSUserInformation": "Email FullName",
    "Department": (
        "DepartmentID Description AnalysisCode1 AnalysisCode2 AnalysisCode3 AnalysisCode4 AnalysisCode5"
        " AnalysisCode6 IsActive:boolean"
    ),
    "WSDepartmentQuery": (
        "a1Filter:string[] a2Filter:string[] a3Filter:string[] a4Filter:string[] a5Filter:string[]"
        " a6Filter:string[]"
    ),
    "WSDepartmentChangesQuery": "FromLastModifiedDateInUTC:dateTime",
    "WSAnalysisDimensionCode": "Code Description",
    "WSAnalysisDimension": "Code Description DimensionCodes:WSAnalysisDimensionCode[]",
    "WSInterCompanyConnectionSide": (
        "EntityID EntityName EntityBaseCurrencyCode AccountID:int AccountCode AccountName AccountCurrencyCode"
    ),
    "WSInterCompanyConnection": "Local:WSInterCompanyConnectionSide Remote:WSInterCompanyConnectionSide",
    "WSDocumentHeader": "MasterType:DocumentMasterType MasterID Filename DocumentID:int",
    "WSDocumentContent": "Content:base64Binary Comments",
    "WSDocument": "Header:WSDocumentHeader Content:WSDocumentContent",
    "StockItem": (
        "StockItemID Description SalesDescription ItemGroupID ItemTypeID ItemSubgroupID DefaultLocationID"
        " DefaultSublocationID TaxCode ItemPrice:decimal UpdateOnHand:boolean OpeningStockGLAccountCode"
        " ClosingStockGLAccountCode DefaultSalesGLAccountCode DefaultPurchasesGLAccountCode"
        " OpeningWorkInProgressGLAccountCode ClosingWorkInProgressGLAccountCode Active:boolean ReOrderLevel:decimal"
        " ItemPrice2:decimal ItemPrice3:decimal ItemPrice4:decimal ItemPrice5:decimal ItemPrice6:decimal"
        " ItemPrice7:decimal ItemPrice8:decimal UseMarginWarning:boolean Margin:decimal UniversalResourceNumber"
        " RowVersionNumber Weight:decimal"
    ),
    "OAuthTokens": "AccessToken RefreshToken",
}

TYPES = Types(
    {name: fields(text) for name, text in _SHAPES.items()},
    {
        "ResultStatus": ("Success", "Failure", "NotCreated", "Created", "Conflicted", "Unknown", "InProgress"),
        "LedgerType": ("Sales", "Purchases", "General"),
        "InvoiceStatus": ("Processed", "Posted", "Cancelled"),
        "InvoiceType": ("Invoice", "Note", "Other"),
        "OnlineBankType": ("None",),
        "ApprovalType": ("None",),
        "BroadType": ("None",),
        "ChangeStatus": ("Created", "Updated", "Deleted"),
        "DocumentMasterType": ("Transaction", "Invoice", "Customer"),
        "TransactionType": (
            "Unknown", "SalesInvoice", "SalesCreditNote", "SalesReceipt", "SalesRefund", "SalesDebitJournal",
            "SalesCreditJournal", "SalesDiscount", "GeneralJournal",
        ),
    },
)  # fmt: skip
"""Values beyond those in the samples (of MasterType, BroadType, TransactionType) are guesses."""

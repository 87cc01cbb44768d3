"""Records that are sent back as they came: a customer, an invoice. Fields newer than this are kept, in their place.

The vendor's server reads elements in a fixed order, and takes what is missing for a default: so a record is
retrieved whole, some of its fields are changed, and all of it goes back with its RowVersionNumber. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from xml.etree.ElementTree import Element

from reconciler.providers.accountsiq.envelope import NS, Row, node

_CUSTOMER = """
AccountID ExternalApproverID LedgerType Code CountryCode Name GroupID DefaultTaxCode AreaID
BankAccountCode CountryID CreditTermID CurrencyCode PaymentMethodID AuthorUserID ShipViaID
CreationDate Address1 Address2 City County_State Country PostCode DeliveryName DeliveryAddress1
DeliveryAddress2 DeliveryCity DeliveryCounty_State DeliveryCountry DeliveryPostCode DeliveryContact
DeliveryPhone DeliveryFax Phone Fax Email WebAddress Contact VATRegistrationNumber
VATExemptReference DiscountRate UseAccountTaxCode DefaultGLAccountCode ControlGLAccountCode IsActive
Hold HeadOfficeAccountID Notes UseHeadOffice IsHeadOffice CreditLimit RegionID PriorityID
DeliveryRouteID PriceCategoryID PriceListID DepartmentID InternationalBankAccountNumber BankSortCode
BankCode BankSwiftCode AccountReferralID MobilePhone IsFranchise ContractorTaxCode RowVersionNumber
EDICentralID EPaymentReference SalesRepresentativeID
"""
CUSTOMER = tuple(_CUSTOMER.split())
"""Fields of a customer, in their order."""
_INVOICE = """
InvoiceID AccountID AreaID CurrencyCode CurrrencyCode AccountTaxCode PaymentMethodID ShipmentViaID
InvoiceNumber ExternalReference CreationDate InvoiceDate ExternalApproverID DeliveryDate Status
AccountName AccountAddress1 AccountAddress2 City County_State Country PostCode DeliveryAccountName
DeliveryAccountAddress1 DeliveryAccountAddress2 DeliveryCity DeliveryCounty_State DeliveryCountry
DeliveryPostCode Contact AuthorUserID Phone Notes DiscountRate ForCollection ExchangeRate
UseAccountTaxCode OrderID OrderNumber DepartmentID Hold Ledger RowVersionNumber Lines IsPrinted
AccountBranchID OrderDate ExcludeFromPrinting Type SalesRepresentativeID LockUser NetAmount
TaxAmount GrossAmount BCNetAmount BCTaxAmount BCGrossAmount ForecastedPaymentDate
TaxAdjustmentAmount BCTaxAdjustmentAmount LastModifiedUTC DueDate ApprovalStatusName AuthorUserName
ExternalApproverName AccountCode
"""
INVOICE = tuple(_INVOICE.split())
"""Fields of an item invoice or item credit note, in their order; the misspelt one is the vendor's."""


class Record:
    """One record, retrieved whole and about to go back as an element called `name`."""

    def __init__(self, name: str, retrieved: Row, order: Sequence[str]) -> None:
        self.element = node(name, *(deepcopy(child) for child in retrieved.element))
        self._place = {f"{{{NS}}}{field}": at for at, field in enumerate(order)}

    @property
    def row(self) -> Row:
        return Row(self.element)

    def put(self, name: str, value: str) -> None:
        """Set a field's text, in its place."""
        self.replace(node(name, value))

    def replace(self, made: Element) -> None:
        """Put an element in the place of the one of its name."""
        for at, child in enumerate(self.element):
            if child.tag == made.tag:
                self.element[at] = made
                return
        self.element.insert(self._where(made.tag), made)

    def clear(self, name: str) -> None:
        """No value: the element goes."""
        found = self.element.find(f"{{{NS}}}{name}")
        if found is not None:
            self.element.remove(found)

    def _where(self, tag: str) -> int:
        """Before the first known field that comes later, else after the last known one."""
        mine = self._place[tag]
        last = 0
        for at, child in enumerate(self.element):
            place = self._place.get(child.tag)
            if place is not None and place > mine:
                return at
            if place is not None:
                last = at + 1
        return last

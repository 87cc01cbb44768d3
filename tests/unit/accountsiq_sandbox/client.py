"""A caller of the sandbox, written for its tests alone: envelopes of what it is given, in the order it is given."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.serving import Running
from tests.unit.accountsiq_sandbox import vendor_schema

NS = "http://www.visorsoftware.com/visor/accountsiq/dashboard/Integration/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
NIL = {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}
NOTHING = object()
"""A field that is there as an empty element."""
CUSTOMER = """
AccountID ExternalApproverID LedgerType Code CountryCode Name GroupID DefaultTaxCode AreaID BankAccountCode
CountryID CreditTermID CurrencyCode PaymentMethodID AuthorUserID ShipViaID CreationDate Address1 Address2 City
County_State Country PostCode DeliveryName DeliveryAddress1 DeliveryAddress2 DeliveryCity DeliveryCounty_State
DeliveryCountry DeliveryPostCode DeliveryContact DeliveryPhone DeliveryFax Phone Fax Email WebAddress Contact
VATRegistrationNumber VATExemptReference DiscountRate UseAccountTaxCode DefaultGLAccountCode
ControlGLAccountCode IsActive Hold HeadOfficeAccountID Notes UseHeadOffice IsHeadOffice CreditLimit RegionID
PriorityID DeliveryRouteID PriceCategoryID PriceListID DepartmentID InternationalBankAccountNumber
BankSortCode BankCode BankSwiftCode AccountReferralID MobilePhone IsFranchise ContractorTaxCode
RowVersionNumber EDICentralID EPaymentReference SalesRepresentativeID
"""
PATH = "/system/dashboard/integration/integration_{}.asmx"


def put(parent: ET.Element, name: str, value: Any) -> None:
    """`value`: a text, None (nil), a mapping, a list of mappings by their one key, or NOTHING."""
    child = ET.SubElement(parent, f"{{{NS}}}{name}")
    if value is None:
        child.attrib |= NIL
    elif isinstance(value, dict):
        for key, item in value.items():
            put(child, key, item)
    elif isinstance(value, list):
        for item in value:
            [(key, inner)] = item.items() if isinstance(item, dict) else [("int", item)]
            put(child, key, inner)
    elif value is not NOTHING:
        child.text = str(value)


def plain(item: ET.Element) -> Any:
    """An element as texts, mappings and lists; None when it is nil."""
    if item.attrib == NIL:
        return None
    if not len(item):
        return item.text or ""
    names = [child.tag.rpartition("}")[2] for child in item]
    if (len(names) > 1 and len(set(names)) == 1) or names[0] in LISTED:
        return [plain(child) for child in item]
    return dict(zip(names, map(plain, item), strict=True))


LISTED = {
    "Customer", "WSTransactionSummary", "WSTransactionDetail", "TransactionLine", "WSAllocationTransactionDTO",
    "WSAllocationEntryDTO", "WSResultStatus", "int", "string", "ArrayOfString", "Department", "Invoice",
    "CreditNote", "InvoiceLine", "CustomerStatement", "TransactionState", "AccountBalanceInformation",
    "WSDocumentHeader", "WSAnalysisDimension", "WSAnalysisDimensionCode",
    "WSResult2OfWSPostPayAndAllocateSalesInvoiceResult",
    "WSInterCompanyConnection", "WSChangedTransactionSummary", "WSTransactionLinesCount", "StockItem",
}  # fmt: skip


class Caller:
    """Requests to one running sandbox, by API 1.1 unless another is asked for."""

    def __init__(self, running: Running, clock: ManualClock) -> None:
        self.running = running
        self.clock = clock
        self.own = running.connection
        self.http = httpx.Client(base_url=running.url)
        self.token = ""
        self.checks = True  # off where a test sends what no schema allows

    def login(self) -> str:
        keys = {"companyID": "company", "partnerKey": "partner_key", "userKey": "user_key"}
        body = self.send("Login", {name: self.own[key] for name, key in keys.items()})
        self.token = str(body["LoginResult"])
        return self.token

    def raw(self, body: bytes, action: str | None = None, api: str = "1_1", **headers: str) -> httpx.Response:
        headers = {"Content-Type": "text/xml; charset=utf-8", **headers}
        if action is not None:
            headers["SOAPAction"] = f'"{NS}{action}"'
        return self.http.post(PATH.format(api), content=body, headers=headers)

    def envelope(self, operation: str, values: dict[str, Any], header: dict[str, Any] | None = None) -> bytes:
        root = ET.Element(f"{{{SOAP}}}Envelope")
        if header is not None:
            put(ET.SubElement(root, f"{{{SOAP}}}Header"), "AiqSoapHeader", header)
        put(ET.SubElement(root, f"{{{SOAP}}}Body"), operation, values)
        return ET.tostring(root)

    def send(self, operation: str, values: dict[str, Any], api: str = "1_1", header: Any = None) -> Any:
        """The response element's children."""
        request = self.envelope(operation, values, header)
        response = self.raw(request, operation, api)
        assert response.status_code == 200, response.text
        if not vendor_schema.available() or self.running.switches.text("wsdl") == "2027":
            pass
        elif self.running.switches.text("wsdl") == "2024":
            assert vendor_schema.beyond_sample(operation, response.content) == []
        else:
            assert vendor_schema.problems(response.content) == []
            assert api != "1_1" or not self.checks or vendor_schema.problems(request) == []
        return self.body(response)

    @staticmethod
    def body(response: httpx.Response) -> Any:
        found = ET.fromstring(response.content).find(f"{{{SOAP}}}Body")
        assert found is not None
        return plain(found[0])

    def ask(self, operation: str, **values: Any) -> Any:
        """The response of a call with our token."""
        return self.send(operation, {"token": self.token, **values})

    def do(self, operation: str, **values: Any) -> Any:
        """What a call answers in `Result` (or the whole response, when it has out parameters); it succeeds."""
        body = self.ask(operation, **values)
        result = body[f"{operation}Result"]
        assert result["Status"] in ("Success", "Created"), result
        return body if len(body) > 1 else result.get("Result")

    def refused(self, operation: str, **values: Any) -> str:
        """The error code of a call that fails."""
        result = self.ask(operation, **values)[f"{operation}Result"]
        assert result["Status"] not in ("Success", "Created"), result
        return str(result["ErrorCode"])

    def fault(self, body: bytes, action: str | None = None, **headers: str) -> str:
        """The text of a SOAP fault."""
        response = self.raw(body, action, **headers)
        assert response.status_code == 500, response.text
        found = ET.fromstring(response.content).find(".//faultstring")
        assert found is not None
        return found.text or ""

    # ---- often ----

    def customer(self, code: str = "ACME", **changes: Any) -> str:
        """A new customer's code."""
        shell = self.do("GetNewCustomerFromDefaults")
        given = {**shell, "Code": code, "Name": code.title(), **changes}
        self.do("UpdateCustomer", customer=self.placed(given), create="true")
        return code

    @staticmethod
    def placed(values: dict[str, Any]) -> dict[str, Any]:
        """A customer's fields in the order of the vendor's sample."""
        return {name: values[name] for name in CUSTOMER.split() if name in values}

    def line(self, net: str = "100", rate: str = "0.2", tax: Any = None, **more: Any) -> dict[str, Any]:
        line = {"GLAccountCode": "4000", "TaxCode": "STANDARD", "Description": "Services", "DepartmentID": ""}
        return {"BatchSalesInvoiceLine": {**line, "NetAmount": net, "TaxRate": rate, "TaxAmount": tax, **more}}

    def batch(self, reference: str, *lines: dict[str, Any], code: str = "ACME", **more: Any) -> dict[str, Any]:
        made = {"CustomerCode": code, "InvoiceDate": "2026-11-10T00:00:00", "ExternalReference": reference,
                "Description": "Invoice", "Lines": list(lines) or [self.line()], "ExchangeRate": "1"}  # fmt: skip
        return {**made, **more}

    def invoice(self, reference: str, *lines: dict[str, Any], **more: Any) -> int:
        """The transaction's id of a new batch invoice."""
        made = self.do("CreateBatchSalesInvoiceGetBackTransactionID", inv=self.batch(reference, *lines, **more))
        return int(made["transactionID"])

    def receipt(self, reference: str, amount: str, code: str = "ACME", **more: Any) -> int:
        made = {"CustomerCode": code, "CheckReference": reference, "PaymentAmount": amount,
                "BankAccountCode": "1200", "LodgmentNumber": "", "PaymentDate": "2026-11-15T00:00:00",
                "ExchangeRate": "1", "BankExchangeRate": "1", "Description": "Payment",
                "DepartmentID": ""}  # fmt: skip
        answer = self.do("SaveSalesReceiptGetBackTransactionID", salesReceipt={**made, **more})
        return int(answer["transactionID"])

    def allocate(self, one: int, other: int, amount: str, reference: str = "A") -> Any:
        return self.ask(
            "AllocateTransactions", transactionID_1=one, transactionID_2=other, allocationReference=reference,
            allocationAmount=amount, allocationDate="2026-11-16T00:00:00",
        )["AllocateTransactionsResult"]  # fmt: skip

    def found(self, reference: str, **filters: Any) -> list[Any]:
        """Transactions with an external reference."""
        query = {"ExternalReference": reference, "FromDate": "0001-01-01T00:00:00", "ToDate": "0001-01-01T00:00:00"}
        return self.do("GetTransactionsByExternalReference", query={**query, **filters}) or []

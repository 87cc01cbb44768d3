"""The contracts with the vendors' schemas take what the vendors' own samples show, and refuse what they must."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from tests.conformance import accountsiq_contract, intacct_contract

SAMPLES = intacct_contract.SCHEMA.parents[2] / "samples"
intacct_absent = pytest.mark.skipif(bool(intacct_contract.unavailable()), reason=intacct_contract.unavailable())
accountsiq_absent = pytest.mark.skipif(
    bool(accountsiq_contract.unavailable()), reason=accountsiq_contract.unavailable()
)

REQUEST = """<?xml version="1.0" encoding="UTF-8"?>
<request><control><senderid>s</senderid><password>***</password><controlid>c</controlid><uniqueid>{unique}</uniqueid>
<dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace></control>
<operation transaction="false"><authentication>{who}</authentication><content>{functions}</content></operation>
</request>"""
SESSION = "<sessionid>***</sessionid>"
LOGIN = "<login><userid>u</userid><companyid>c</companyid><password>***</password></login>"
DAY = "<year>2026</year><month>11</month><day>22</day>"
LINE = "<lineitem><glaccountno>4000</glaccountno><amount>10.00</amount><memo>m</memo></lineitem>"
INVOICE = (
    f"<create_invoice><customerid>C</customerid><datecreated>{DAY}</datecreated><datedue>{DAY}</datedue>"
    f"<invoiceno>I</invoiceno><invoiceitems>{LINE}</invoiceitems></create_invoice>"
)
PAYMENT = (
    "<create><ARPYMT><FINANCIALENTITY>B</FINANCIALENTITY><PAYMENTMETHOD>EFT</PAYMENTMETHOD><CUSTOMERID>C</CUSTOMERID>"
    "<RECEIPTDATE>11/22/2026</RECEIPTDATE><CURRENCY>USD</CURRENCY><ARPYMTDETAILS><ARPYMTDETAIL>"
    "<RECORDKEY>1</RECORDKEY><TRX_PAYMENTAMOUNT>10.00</TRX_PAYMENTAMOUNT></ARPYMTDETAIL></ARPYMTDETAILS></ARPYMT>"
    "</create>"
)
QUERY = (
    "<query><object>ARINVOICE</object><select><field>RECORDNO</field></select><filter><and><in><field>RECORDID</field>"
    "<value>1</value><value>2</value></in><isnotnull><field>STATE</field></isnotnull></and></filter>"
    "<orderby><order><field>RECORDNO</field><ascending/></order></orderby><pagesize>2000</pagesize>"
    "<offset>0</offset></query>"
)


def function(call: str, number: int = 1) -> str:
    return f'<function controlid="f{number}">{call}</function>'


def found(*calls: str, unique: str = "true", who: str = SESSION) -> list[str]:
    functions = "".join(function(call, number) for number, call in enumerate(calls))
    return intacct_contract.problems(REQUEST.format(unique=unique, who=who, functions=functions).encode())


@intacct_absent
@pytest.mark.parametrize(
    "call",
    [
        INVOICE,
        PAYMENT,
        QUERY,
        "<lookup><object>ARINVOICE</object></lookup>",
        "<retrievepdf><ARINVOICE><RECORDNO>1</RECORDNO></ARINVOICE></retrievepdf>",
        f'<reverse_invoice key="1"><datereversed>{DAY}</datereversed></reverse_invoice>',
        "<readMore><resultId>x</resultId></readMore>",
    ],
    ids=range(7),
)
def test_intacct_takes_what_the_documents_describe(call):
    assert found(call) == []


@intacct_absent
def test_intacct_takes_the_vendors_samples_of_receivables():
    """But for two with everything that there is, which are out of order by the vendor's own schema."""
    refused = set()
    taken = 0
    for path in sorted(SAMPLES.glob("*.xml")):
        for element in etree.parse(str(path)).iter("function"):
            if intacct_contract.function_problems(element):
                refused.add(path.name.rpartition("_")[2])
            taken += 1
    assert taken > 15
    assert refused == {"ArAdjustmentCreateTest.2.xml", "InvoiceCreateTest.2.xml"}


@intacct_absent
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            re.sub(r"<datedue>.*</datedue>(<invoiceno>I</invoiceno>)", rf"\1<datedue>{DAY}</datedue>", INVOICE),
            "datedue",
        ),
        (re.sub(r"<datedue>.*</datedue>", "", INVOICE), "neither datedue nor termname"),
        (INVOICE.replace("10.00", "10.001"), "rounded"),
        (INVOICE.replace("10.00", "1E+1"), "rounded"),
        (INVOICE.replace("<invoiceitems>", "<currency>USD</currency><invoiceitems>"), "invoiceitems"),
        (INVOICE.replace("<memo>m</memo>", "<note>m</note>"), "note"),
        (PAYMENT.replace("11/22/2026", "2026-11-22"), "mm/dd/yyyy"),
        (PAYMENT.replace("10.00", "-10.00"), "positive amount"),
        (PAYMENT.replace("<RECORDKEY>1</RECORDKEY>", ""), "exactly one target"),
        (PAYMENT.replace("FINANCIALENTITY", "BANK"), "no field BANK"),
        (PAYMENT.replace("ARPYMT>", "arpymt>"), "upper-case"),
        (QUERY.replace("2000", "2001"), "pagesize"),
        (QUERY.replace("<isnotnull><field>STATE</field></isnotnull>", ""), "and"),
        (re.sub(r"<orderby>.*</orderby>", "", QUERY), "no order"),
        ("<inquire/>", "inquire"),
        (f"{INVOICE}{INVOICE}", "function"),
    ],
    ids=range(16),
)
def test_intacct_refuses_what_the_gateway_would(call, words):
    assert any(words in line for line in found(call)), found(call)


@intacct_absent
def test_intacct_of_a_whole_request():
    session = "<getAPISession/>"
    assert found(session, who=LOGIN) == []
    assert found(INVOICE, INVOICE) == []
    assert "mixed" in found(session, INVOICE)[0]
    assert "password" in found(INVOICE, who=LOGIN)[0]
    assert "uniqueid" in found(INVOICE, unique="false")[0]
    twice = REQUEST.format(unique="true", who=SESSION, functions=function(INVOICE) * 2)
    assert "same controlid" in intacct_contract.problems(twice.encode())[0]
    assert intacct_contract.problems(b"<request>")[0].startswith("no XML")


# ---- AccountsIQ --------------------------------------------------------------------------------------

ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns="{namespace}"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{header}<s:Body>{call}</s:Body></s:Envelope>"""
HEADER = "<s:Header><AiqSoapHeader><Entity>E</Entity><AccessToken>***</AccessToken></AiqSoapHeader></s:Header>"
TOKEN = "<token>***</token>"
BATCH_LINE = (
    "<BatchSalesInvoiceLine><GLAccountCode>4000</GLAccountCode><TaxCode>T1</TaxCode><Description>d</Description>"
    "<DepartmentID>N</DepartmentID><NetAmount>10.00</NetAmount><TaxRate>0.21</TaxRate><TaxAmount>2.10</TaxAmount>"
    "</BatchSalesInvoiceLine>"
)
BATCH = (
    f"<CreateBatchSalesInvoiceGetBackTransactionID>{TOKEN}<inv><CustomerCode>C</CustomerCode>"
    "<InvoiceDate>2026-11-22T00:00:00</InvoiceDate><ExternalReference>r</ExternalReference>"
    f"<Description>m</Description><Lines>{BATCH_LINE}</Lines><ExchangeRate>1</ExchangeRate></inv>"
    "</CreateBatchSalesInvoiceGetBackTransactionID>"
)


def said(call: str, header: str = "", namespace: str = accountsiq_contract.NAMESPACE) -> list[str]:
    envelope = ENVELOPE.format(namespace=namespace, header=header, call=call)
    return accountsiq_contract.problems(envelope.encode())[1]


@accountsiq_absent
def test_accountsiq_takes_the_vendors_samples():
    paths = sorted(accountsiq_contract.SAMPLES.glob("*.request.xml"))
    assert len(paths) > 40
    for path in paths:
        operation, found_there = accountsiq_contract.problems(path.read_bytes())
        assert operation == path.name.removesuffix(".request.xml")
        assert set(found_there) <= {"TaxRate is no fraction"}, "the samples' numbers are random"


@accountsiq_absent
@pytest.mark.parametrize(
    ("call", "header"),
    [
        (BATCH, ""),
        (BATCH.replace(TOKEN, ""), HEADER),
        (BATCH.replace("<DepartmentID>N</DepartmentID>", ""), ""),
        (BATCH.replace("<TaxAmount>2.10</TaxAmount>", '<TaxAmount xsi:nil="true"/>'), ""),
        (BATCH.replace("</Lines>", f"{BATCH_LINE}</Lines>"), ""),
        ("<Login><companyID>c</companyID><partnerKey>p</partnerKey><userKey>u</userKey></Login>", ""),
        ("<TokenGet><clientId>c</clientId><clientSecret>s</clientSecret></TokenGet>", ""),
        (f"<GetInvoice>{TOKEN}<invoiceID>1</invoiceID></GetInvoice>", ""),
    ],
    ids=range(8),
)
def test_accountsiq_takes_what_the_samples_show(call, header):
    assert said(call, header) == []


@accountsiq_absent
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (BATCH.replace(TOKEN, ""), "the token is not the first"),
        (BATCH.replace("NetAmount", "netAmount"), "is in no sample"),
        (
            BATCH.replace("<CustomerCode>C</CustomerCode>", "").replace(
                "</inv>", "<CustomerCode>C</CustomerCode></inv>"
            ),
            "out of order",
        ),
        (BATCH.replace("2026-11-22T00:00:00", "22/11/2026"), "InvoiceDate"),
        (BATCH.replace("10.00", "1E+1"), "NetAmount"),
        (BATCH.replace("10.00", ""), "NetAmount"),
        (BATCH.replace("0.21", "21"), "no fraction"),
        (BATCH.replace("<ExchangeRate>1</ExchangeRate>", ""), "ExchangeRate"),
        (BATCH.replace("<TaxAmount>2.10</TaxAmount>", "<TaxAmount/>"), "TaxAmount"),
        (BATCH.replace("<TaxAmount>", '<TaxAmount xsi:nil="true">'), "nil"),
        (
            f"<Login>{TOKEN}<companyID>c</companyID><partnerKey>p</partnerKey><userKey>u</userKey></Login>",
            "a token",
        ),
        (f"<MakeInvoice>{TOKEN}</MakeInvoice>", "no WSDL has this operation"),
    ],
    ids=range(12),
)
def test_accountsiq_refuses_what_would_be_dropped_or_misread(call, words):
    assert any(words in line for line in said(call)), said(call)


@accountsiq_absent
def test_accountsiq_of_a_whole_envelope():
    assert "another namespace" in said(BATCH, namespace="urn:x")[0]
    assert "beside the header" in said(BATCH, HEADER)[0]
    assert accountsiq_contract.problems(b"<a/>") == ("", ["no envelope of SOAP 1.1 with one operation"])
    assert accountsiq_contract.problems(b"<a>")[1][0].startswith("no XML")

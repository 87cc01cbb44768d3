"""The provider's requests against Intacct's own request schema, as the sandbox recorded them.

The schema is of 2019: functions that the vendor added since, and what its documents say of objects that the schema
takes as they come, are in a supplement of our own. The schema is not part of this repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

from reconciler.sandboxes.serving import Running

SCHEMA = Path(__file__).parents[2].parent / "shared" / "specs" / "intacct" / "schema" / "v3.0" / "api.xsd"
_XS = "{http://www.w3.org/2001/XMLSchema}"

_LATER = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:complexType name="queried">
    <xs:choice minOccurs="0">
      <xs:element name="and" type="joined"/>
      <xs:element name="or" type="joined"/>
      <xs:group ref="comparison"/>
    </xs:choice>
  </xs:complexType>
  <xs:complexType name="joined">
    <xs:choice minOccurs="2" maxOccurs="unbounded">
      <xs:element name="and" type="joined"/>
      <xs:element name="or" type="joined"/>
      <xs:group ref="comparison"/>
    </xs:choice>
  </xs:complexType>
  <xs:group name="comparison">
    <xs:choice>
      <xs:element name="equalto" type="with-one-value"/>
      <xs:element name="notequalto" type="with-one-value"/>
      <xs:element name="lessthan" type="with-one-value"/>
      <xs:element name="lessthanorequalto" type="with-one-value"/>
      <xs:element name="greaterthan" type="with-one-value"/>
      <xs:element name="greaterthanorequalto" type="with-one-value"/>
      <xs:element name="like" type="with-one-value"/>
      <xs:element name="notlike" type="with-one-value"/>
      <xs:element name="between" type="with-two-values"/>
      <xs:element name="in" type="with-values"/>
      <xs:element name="notin" type="with-values"/>
      <xs:element name="isnull" type="of-a-field"/>
      <xs:element name="isnotnull" type="of-a-field"/>
    </xs:choice>
  </xs:group>
  <xs:complexType name="of-a-field">
    <xs:sequence><xs:element name="field" type="xs:string"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="with-one-value">
    <xs:sequence>
      <xs:element name="field" type="xs:string"/>
      <xs:element name="value" type="xs:string"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="with-two-values">
    <xs:sequence>
      <xs:element name="field" type="xs:string"/>
      <xs:element name="value" type="xs:string" minOccurs="2" maxOccurs="2"/>
    </xs:sequence>
  </xs:complexType>
  <xs:complexType name="with-values">
    <xs:sequence>
      <xs:element name="field" type="xs:string"/>
      <xs:element name="value" type="xs:string" maxOccurs="1000"/>
    </xs:sequence>
  </xs:complexType>
  <xs:simpleType name="page-of-a-query">
    <xs:restriction base="xs:positiveInteger"><xs:maxInclusive value="2000"/></xs:restriction>
  </xs:simpleType>
  <xs:element name="query">
    <xs:complexType>
      <xs:all>
        <xs:element name="object" type="xs:string"/>
        <xs:element name="select">
          <xs:complexType>
            <xs:choice maxOccurs="unbounded">
              <xs:element name="field" type="xs:string"/>
              <xs:element name="count" type="xs:string"/>
              <xs:element name="sum" type="xs:string"/>
              <xs:element name="avg" type="xs:string"/>
              <xs:element name="min" type="xs:string"/>
              <xs:element name="max" type="xs:string"/>
            </xs:choice>
          </xs:complexType>
        </xs:element>
        <xs:element name="filter" type="queried" minOccurs="0"/>
        <xs:element name="orderby" minOccurs="0">
          <xs:complexType>
            <xs:sequence>
              <xs:element name="order" maxOccurs="unbounded">
                <xs:complexType>
                  <xs:sequence>
                    <xs:element name="field" type="xs:string"/>
                    <xs:choice minOccurs="0">
                      <xs:element name="ascending"/>
                      <xs:element name="descending"/>
                    </xs:choice>
                  </xs:sequence>
                </xs:complexType>
              </xs:element>
            </xs:sequence>
          </xs:complexType>
        </xs:element>
        <xs:element name="options" minOccurs="0">
          <xs:complexType>
            <xs:all>
              <xs:element name="caseinsensitive" type="xs:boolean" minOccurs="0"/>
              <xs:element name="showprivate" type="xs:boolean" minOccurs="0"/>
              <xs:element name="returnformat" type="xs:string" minOccurs="0"/>
            </xs:all>
          </xs:complexType>
        </xs:element>
        <xs:element name="pagesize" type="page-of-a-query" minOccurs="0"/>
        <xs:element name="offset" type="xs:nonNegativeInteger" minOccurs="0"/>
        <xs:element name="docparid" type="xs:string" minOccurs="0"/>
      </xs:all>
    </xs:complexType>
  </xs:element>
  <xs:element name="lookup">
    <xs:complexType>
      <xs:all>
        <xs:element name="object" type="xs:string"/>
        <xs:element name="docparid" type="xs:string" minOccurs="0"/>
      </xs:all>
    </xs:complexType>
  </xs:element>
  <xs:element name="retrievepdf">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="ARINVOICE">
          <xs:complexType>
            <xs:sequence><xs:element name="RECORDNO" type="xs:positiveInteger"/></xs:sequence>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
  <xs:element name="taxsolutionid" type="xs:string"/>
  <xs:element name="taxentries">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="taxentry" maxOccurs="unbounded">
          <xs:complexType>
            <xs:sequence>
              <xs:element name="detailid" type="xs:string"/>
              <xs:element name="trx_tax" type="xs:decimal" minOccurs="0"/>
            </xs:sequence>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
</xs:schema>
"""
_NO_FUNCTIONS = {"taxsolutionid", "taxentries"}
"""What the vendor's documents describe and its schema of 2019 has not."""

_REQUIRED = {
    "CUSTOMER": {"CUSTOMERID", "NAME", "DISPLAYCONTACT"},
    "ARPYMT": {"PAYMENTMETHOD", "RECEIPTDATE", "CUSTOMERID", "ARPYMTDETAILS"},
    "ARADVANCE": {"CUSTOMERID", "PAYMENTMETHOD", "PAYMENTDATE", "RECEIPTDATE", "ARADVANCEITEMS"},
    "GLACCOUNT": {"ACCOUNTNO", "TITLE"},
    "DEPARTMENT": {"DEPARTMENTID", "TITLE"},
    "LOCATION": {"LOCATIONID", "NAME"},
    "CLASS": {"CLASSID", "NAME"},
}
"""What a `create` must have, by object."""

_ONE_OF = {
    "ARPYMT": ("FINANCIALENTITY", "UNDEPOSITEDACCOUNTNO", "PRBATCH"),
    "ARADVANCE": ("FINANCIALENTITY", "UNDEPOSITEDACCOUNTNO", "PRBATCH", "PRBATCHKEY"),
}

_FIELDS = {
    "ARPYMT": """FINANCIALENTITY PAYMENTMETHOD CUSTOMERID PAYERNAME DOCNUMBER DESCRIPTION EXCH_RATE_TYPE_ID
        EXCHANGE_RATE RECEIPTDATE PAYMENTDATE AMOUNTOPAY AMOUNTTOPAY TRX_AMOUNTTOPAY PRBATCH WHENPAID CURRENCY
        BASECURR UNDEPOSITEDACCOUNTNO OVERPAYMENTAMOUNT OVERPAYMENTLOCATIONID OVERPAYMENTDEPARTMENTID
        BILLTOPAYTONAME ACTION ARPYMTDETAILS SUPDOCID""",
    "ARPYMTDETAIL": """RECORDKEY ENTRYKEY POSADJKEY POSADJENTRYKEY TRX_PAYMENTAMOUNT ADJUSTMENTKEY
        ADJUSTMENTENTRYKEY TRX_ADJUSTMENTAMOUNT INLINEKEY INLINEENTRYKEY TRX_INLINEAMOUNT ADVANCEKEY
        ADVANCEENTRYKEY TRX_POSTEDADVANCEAMOUNT OVERPAYMENTKEY OVERPAYMENTENTRYKEY TRX_POSTEDOVERPAYMENTAMOUNT
        NEGATIVEINVOICEKEY NEGATIVEINVOICEENTRYKEY TRX_NEGATIVEINVOICEAMOUNT TRX_TOTALDISCOUNTTOAPPLY
        DISCOUNTDATE""",
    "ARADVANCE": """CUSTOMERID PAYMENTMETHOD PAYMENTDATE RECEIPTDATE FINANCIALENTITY UNDEPOSITEDACCOUNTNO PRBATCH
        PRBATCHKEY DOCNUMBER DESCRIPTION CURRENCY BASECURR EXCH_RATE_DATE EXCH_RATE_TYPE_ID EXCHANGE_RATE SUPDOCID
        ACTION ARADVANCEITEMS""",
    "ARADVANCEITEM": """ACCOUNTNO ACCOUNTLABEL TRX_AMOUNT ENTRYDESCRIPTION LOCATIONID DEPARTMENTID PROJECTID
        CUSTOMERID VENDORID EMPLOYEEID ITEMID CLASSID CONTRACTID WAREHOUSEID""",
    "CUSTOMER": """RECORDNO CUSTOMERID NAME DISPLAYCONTACT STATUS ONETIME HIDEDISPLAYCONTACT CUSTTYPE CUSTREPID
        PARENTID GLGROUP TERRITORYID SUPDOCID TERMNAME OFFSETGLACCOUNTNO ARACCOUNT SHIPPINGMETHOD RESALENO TAXID
        CREDITLIMIT ONHOLD DELIVERY_OPTIONS CUSTMESSAGEID COMMENTS CURRENCY ADVBILLBY ADVBILLBYTYPE
        ARINVOICEPRINTTEMPLATEID OEQUOTEPRINTTEMPLATEID OEORDERPRINTTEMPLATEID OELISTPRINTTEMPLATEID
        OEINVOICEPRINTTEMPLATEID OEADJPRINTTEMPLATEID OEOTHERPRINTTEMPLATEID CONTACTINFO BILLTO SHIPTO
        CONTACT_LIST_INFO CUSTOMERCONTACTS CUSTOMERENTITYCONTACTS OBJECTRESTRICTION RESTRICTEDLOCATIONS
        RESTRICTEDDEPARTMENTS CUSTOMEREMAILTEMPLATES""",
    "DISPLAYCONTACT": """PRINTAS CONTACTNAME COMPANYNAME TAXABLE TAXGROUP PREFIX FIRSTNAME LASTNAME INITIAL PHONE1
        PHONE2 CELLPHONE PAGER FAX EMAIL1 EMAIL2 URL1 URL2 MAILADDRESS""",
    "MAILADDRESS": "ADDRESS1 ADDRESS2 ADDRESS3 CITY STATE ZIP COUNTRY ISOCOUNTRYCODE COUNTRYCODE",
}
"""Fields that the documents name, by element."""

_DATES = {"RECEIPTDATE", "PAYMENTDATE", "WHENPAID", "EXCH_RATE_DATE", "DISCOUNTDATE", "WHENCREATED", "WHENDUE"}
_DATE = re.compile(r"(0[1-9]|1[0-2])/(0[1-9]|[12]\d|3[01])/\d{4}")
_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")
_SIGNED = re.compile(r"-?\d+(\.\d{1,2})?")
_WRITES = re.compile(r"(create|update|delete|reverse|apply)(_|$)")
_TARGETS = ("RECORDKEY", "POSADJKEY")
_CREDITS = ("ADJUSTMENTKEY", "INLINEKEY", "ADVANCEKEY", "OVERPAYMENTKEY", "NEGATIVEINVOICEKEY")
LONGEST_CONTROL_ID = 256


def unavailable() -> str:
    """Why the contract cannot be checked here; '' where it can."""
    return "" if SCHEMA.is_file() else "the vendor's schema is not beside this repository (../shared/specs/intacct)"


def breaches(running: Running) -> list[str]:
    """What schema and documents say against the requests that a sandbox was sent; each once."""
    found: dict[str, None] = {}
    for item in running.log:
        if item.path.startswith("/__sandbox__"):
            continue
        for problem in problems(item.body):
            found[f"{item.label or item.path}: {problem}"] = None
        if item.headers.get("content-type", "").split(";")[0] not in ("application/xml", "x-intacct-xml-request"):
            found[f"{item.path}: sent as {item.headers.get('content-type')}"] = None
    return list(found)


def problems(body: bytes) -> list[str]:
    """Of one request."""
    try:
        request = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as error:
        return [f"no XML: {error}"]
    schema = _schema()
    schema.validate(request)
    said = [f"{error.path}: {error.message}" for error in schema.error_log]
    return [re.sub(r"\[\d+\]", "", line) for line in said] + list(_documented(request))


def function_problems(function: Any) -> list[str]:
    """Of one `function` element alone."""
    schema = _schema()
    schema.validate(function)
    return [str(error.message) for error in schema.error_log]


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    root = etree.parse(str(SCHEMA), _parser()).getroot()
    later = etree.fromstring(_LATER)
    names = [element.get("name") for element in later if element.tag == f"{_XS}element"]
    names = [name for name in names if name not in _NO_FUNCTIONS]
    root.extend(list(later))
    functions = _within(root, "function", f"{_XS}choice")
    for name in names:
        functions.append(_reference(name, optional=False))
    _within(root, "control", f"{_XS}sequence").append(
        etree.Element(f"{_XS}element", name="showadditionalerrorinfo", minOccurs="0", type="xs:boolean")
    )
    for name, last in (("create_invoice", "invoiceitems"), ("create_aradjustment", "aradjustmentitems")):
        items = _within(root, name, f"{_XS}sequence").find(f"{_XS}element[@ref='{last}']")
        items.addprevious(_reference("taxsolutionid", optional=True))
    _within(root, "lineitem", f"{_XS}sequence").append(_reference("taxentries", optional=True))
    return etree.XMLSchema(root)


def _within(root: Any, name: str, tag: str) -> Any:
    return next(one for one in root if one.get("name") == name).find(f"{_XS}complexType/{tag}")


def _reference(name: str, *, optional: bool) -> Any:
    return etree.Element(f"{_XS}element", ref=name, **({"minOccurs": "0"} if optional else {}))


# ---- what the documents say beside the schema --------------------------------------------------------


def _documented(request: Any) -> Iterator[str]:
    functions = request.findall("operation/content/function")
    ids = [function.get("controlid", "") for function in functions]
    if len(set(ids)) < len(ids):
        yield "two functions of a request have the same controlid"
    if any(not 1 <= len(one) <= LONGEST_CONTROL_ID for one in ids):
        yield "a controlid is empty or too long"
    names = [function[0].tag for function in functions if len(function)]
    if "getAPISession" in names and len(names) > 1:
        yield "getAPISession is mixed with other functions"
    if request.find("operation/authentication/login") is not None and names != ["getAPISession"]:
        yield "a user's password is sent with something else than getAPISession"
    if request.findtext("control/dtdversion") != "3.0":
        yield "dtdversion is not 3.0"
    if any(_WRITES.match(name) for name in names) and request.findtext("control/uniqueid") != "true":
        yield "a write without uniqueid"
    for function in functions:
        if len(function):
            yield from _of_function(function[0])


def _of_function(call: Any) -> Iterator[str]:
    if call.tag in ("create", "update"):
        for record in call:
            yield from _of_object(record, new=call.tag == "create")
    elif call.tag == "create_invoice":
        if call.find("datedue") is None and call.find("termname") is None:
            yield "create_invoice has neither datedue nor termname"
        yield from _legacy_amounts(call)
    elif call.tag == "create_aradjustment":
        yield from _legacy_amounts(call)
    elif call.tag == "query" and call.find("orderby") is None:
        yield "a query has no order: its pages may leave rows out"


def _legacy_amounts(call: Any) -> Iterator[str]:
    for amount in call.iter("amount"):
        if not _SIGNED.fullmatch(amount.text or ""):
            yield f"{call.tag} has an amount that would be rounded or is none"
    for number in call.iter("exchrate"):
        if not re.fullmatch(r"\d+(\.\d+)?", number.text or ""):
            yield f"{call.tag} has a rate that is no decimal"


def _of_object(record: Any, *, new: bool) -> Iterator[str]:
    name = record.tag
    present = {child.tag for child in record}
    if name != name.upper() or any(tag != tag.upper() for tag in present):
        yield f"{name} or a field of it is not upper-case"
    if new and (missing := _REQUIRED.get(name, set()) - present):
        yield f"{name} is created without {', '.join(sorted(missing))}"
    if new and name in _ONE_OF and len(present & set(_ONE_OF[name])) != 1:
        yield f"{name} is created without exactly one of {', '.join(_ONE_OF[name])}"
    if not new and not present & {"RECORDNO", f"{name}ID", "ACCOUNTNO", "NAME"}:
        yield f"{name} is updated without saying which"
    for element in record.iter():
        yield from _of_element(element)


def _of_element(element: Any) -> Iterator[str]:
    known = _FIELDS.get(element.tag)
    if known is not None:
        for child in element:
            if child.tag not in known.split():
                yield f"{element.tag} has no field {child.tag}"
    text = element.text or ""
    if element.tag in _DATES and text and not _DATE.fullmatch(text):
        yield f"{element.tag} is no mm/dd/yyyy"
    if element.tag.endswith("AMOUNT") and not _AMOUNT.fullmatch(text):
        yield f"{element.tag} is no positive amount of two decimals"
    if element.tag == "ARPYMTDETAIL":
        present = {child.tag for child in element}
        if len(present & set(_TARGETS)) != 1:
            yield "a payment's detail does not have exactly one target"
        if len(present & set(_CREDITS)) > 1:
            yield "a payment's detail applies more than one credit"

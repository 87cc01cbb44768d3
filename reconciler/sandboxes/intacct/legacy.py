"""The legacy reads, get and get_list: rows with the tags and the order of the vendor's response documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from reconciler.sandboxes.intacct.querying import Test, comparison, likeness, query_failed, whole
from reconciler.sandboxes.intacct.tables import Books, Document, Table
from reconciler.sandboxes.intacct.words import Result, fault
from reconciler.sandboxes.serving.xml import element, written

MOST = 1000
_SHAPES: Mapping[str, tuple[str, str]] = {
    "invoice": (
        "ARINVOICE",
        "key=RECORDNO customerid=CUSTOMERID datecreated=WHENCREATED dateposted=WHENPOSTED datedue=WHENDUE"
        " datepaid=WHENPAID termname=TERMNAME batchkey=PRBATCHKEY invoiceno=RECORDID ponumber=DOCNUMBER"
        " totalamount=TOTALENTERED totalpaid=TOTALPAID totaldue=TOTALDUE description=DESCRIPTION"
        " trx_totalamount=TRX_TOTALENTERED trx_totalpaid=TRX_TOTALPAID trx_totaldue=TRX_TOTALDUE basecurr=BASECURR"
        " currency=CURRENCY billto/contactname=BILLTO.CONTACTNAME shipto/contactname=SHIPTO.CONTACTNAME"
        " whenmodified=WHENMODIFIED state=STATE supdocid=SUPDOCID",
    ),
    "aradjustment": (
        "ARADJUSTMENT",
        "key=RECORDNO customerid=CUSTOMERID datecreated=WHENCREATED dateposted=WHENPOSTED datepaid=WHENPAID"
        " batchkey=PRBATCHKEY adjustmentno=RECORDID invoiceno=DOCNUMBER description=DESCRIPTION"
        " totalamount=TOTALENTERED totalpaid=TOTALPAID totaldue=TOTALDUE totalselected=TOTALSELECTED"
        " whenmodified=WHENMODIFIED state=STATE basecurr=BASECURR currency=CURRENCY"
        " trx_totalamount=TRX_TOTALENTERED trx_totalpaid=TRX_TOTALPAID"
        " trx_totaldue=TRX_TOTALDUE trx_totalselected=TRX_TOTALSELECTED",
    ),
    "arpayment": (
        "ARPYMT",
        "customerid=CUSTOMERID paymentamount=TRX_TOTALENTERED paymentapplied=TRX_TOTALPAID"
        " paymentunapplied=TRX_TOTALDUE batchkey=PRBATCHKEY refid=DOCNUMBER state=STATE datereceived=RECEIPTDATE"
        " key=RECORDNO batchtitle=PRBATCH paymentmethod=PAYMENTMETHOD undepglaccountno=UNDEPOSITEDACCOUNTNO"
        " whenmodified=WHENMODIFIED",
    ),
    "customer": (
        "CUSTOMER",
        "customerid=CUSTOMERID name=NAME parentid=PARENTID termname=TERMNAME custrepid=CUSTREPID"
        " shippingmethod=SHIPPINGMETHOD custtype=CUSTTYPE taxid=TAXID creditlimit=CREDITLIMIT totaldue=TOTALDUE"
        " territoryid=TERRITORYID resaleno=RESALENO glaccountno=ARACCOUNT glgroup=GLGROUP comments=COMMENTS"
        " whenmodified=WHENMODIFIED status=STATUS currency=CURRENCY billto/contactname=BILLTO.CONTACTNAME"
        " shipto/contactname=SHIPTO.CONTACTNAME contactinfo/contactname=DISPLAYCONTACT.CONTACTNAME"
        " supdocid=SUPDOCID",
    ),
    "contact": (
        "CONTACT",
        "contactname=CONTACTNAME printas=PRINTAS taxable=TAXABLE companyname=COMPANYNAME taxgroup=TAXGROUP"
        " prefix=PREFIX firstname=FIRSTNAME lastname=LASTNAME initial=INITIAL phone1=PHONE1 phone2=PHONE2"
        " cellphone=CELLPHONE pager=PAGER fax=FAX email1=EMAIL1 email2=EMAIL2 url1=URL1 url2=URL2 status=STATUS"
        " mailaddress/address1=MAILADDRESS.ADDRESS1 mailaddress/address2=MAILADDRESS.ADDRESS2"
        " mailaddress/city=MAILADDRESS.CITY mailaddress/state=MAILADDRESS.STATE mailaddress/zip=MAILADDRESS.ZIP"
        " mailaddress/country=MAILADDRESS.COUNTRY mailaddress/isocountrycode=MAILADDRESS.ISOCOUNTRYCODE",
    ),
    "glaccount": (
        "GLACCOUNT",
        "glaccountno=ACCOUNTNO title=TITLE normalbalance=NORMALBALANCE accounttype=ACCOUNTTYPE"
        " closingtype=CLOSINGTYPE whenmodified=WHENMODIFIED status=STATUS requiredept=REQUIREDEPT"
        " requireloc=REQUIRELOC requireclass=REQUIRECLASS taxable=TAXABLE alternativeaccount=ALTERNATIVEACCOUNT",
    ),
    "bankaccount": (
        "CHECKINGACCOUNT",
        "bankaccountid=BANKACCOUNTID bankaccountno=BANKACCOUNTNO glaccountno=GLACCOUNTNO bankname=BANKNAME"
        " routingno=ROUTINGNO branchid=BRANCHID bankaccounttype=BANKACCOUNTTYPE status=STATUS currency=CURRENCY",
    ),
    "department": (
        "DEPARTMENT",
        "departmentid=DEPARTMENTID title=TITLE parentid=PARENTID whenmodified=WHENMODIFIED status=STATUS",
    ),
    "location": (
        "LOCATION",
        "locationid=LOCATIONID name=NAME parentid=PARENTID whenmodified=WHENMODIFIED status=STATUS",
    ),
    "class": (
        "CLASS",
        "key=RECORDNO classid=CLASSID name=NAME description=DESCRIPTION parentid=PARENTID"
        " whenmodified=WHENMODIFIED status=STATUS",
    ),
    "arterm": ("ARTERM", "name=NAME description=DESCRIPTION status=STATUS due/daysforward=DUEDATE"),
    "taxdetail": (
        "TAXDETAIL",
        "detailid=DETAILID description=DESCRIPTION taxtype=TAXTYPE value=VALUE glaccountno=GLACCOUNT status=STATUS",
    ),
    "icitem": (
        "ITEM",
        "itemid=ITEMID itemname=NAME extdescription=EXTENDED_DESCRIPTION glgroupname=GLGROUP taxable=TAXABLE"
        " itemtype=ITEMTYPE whenmodified=WHENMODIFIED status=STATUS",
    ),
    "company_info": ("COMPANY", "title=TITLE name=NAME"),
}
"""get's and get_list's objects: the table behind each, and its tags in order with the fields that fill them."""
_LINES = (
    "line_num=LINE_NO glaccountno=ACCOUNTNO offsetglaccountno=OFFSETGLACCOUNTNO amount=AMOUNT memo=ENTRYDESCRIPTION"
    " locationid=LOCATIONID departmentid=DEPARTMENTID key=RECORDNO totalpaid=TOTALPAID totaldue=TOTALDUE"
    " trx_amount=TRX_AMOUNT trx_totalpaid=TRX_TOTALPAID trx_totaldue=TRX_TOTALDUE currency=CURRENCY"
)
_ITEMS = {"invoice": "invoiceitems", "aradjustment": "aradjustmentitems"}


@dataclass(frozen=True, slots=True)
class Shape:
    """One object of the legacy reads."""

    name: str
    table: Table
    tags: Sequence[tuple[str, str]]

    def field(self, tag: str) -> str:
        """The field behind a tag; a field's own name is taken too. Raises Fault."""
        wanted = tag.strip()
        for own, field in self.tags:
            if own.rpartition("/")[2] == wanted.lower():
                return field
        if wanted.upper() in self.table.fields:
            return wanted.upper()
        raise query_failed(f"Invalid field {wanted[:60]} for object {self.name}")


class Legacy:
    """One operation's legacy reads. `table` gives an object's table, `books` the records."""

    def __init__(self, table: Callable[[str], Table], books: Callable[[], Books]) -> None:
        self._table = table
        self._books = books

    def _shape(self, name: str) -> Shape:
        if name not in _SHAPES:
            raise query_failed(f"Object definition {name[:60]} not found")
        object_, tags = _SHAPES[name]
        table = self._table(object_)
        pairs = _pairs(tags)
        return Shape(name, table, self._company_pairs(pairs) if name == "company_info" else pairs)

    def _company_pairs(self, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The documents name two elements; companies are known to tell their currency, too."""
        if self._books().company.switches.text("company_currency") == "told":
            return [*pairs, ("companyid", "COMPANYID"), ("basecurr", "BASECURR")]
        return pairs

    def get_list(self, call: Element) -> Result:
        shape = self._shape(call.get("object", ""))
        test = _filter(shape, call.find("filter"))
        rows = [row for row in self._books().rows(shape.table) if test is None or test(row)]
        for sort in reversed(call.findall("sorts/sortfield")):
            get = shape.table.fields[shape.field(sort.text or "")].get
            rows.sort(key=get, reverse=sort.get("order") == "desc")
        start = whole(call.get("start"), "start", 0)
        listed = rows[start : start + whole(call.get("maxitems"), "maxitems", MOST)]
        last = str(max(start + len(listed) - 1, 0))
        heading = element("listtype", shape.name, start=str(start), end=last, total=str(len(rows)))
        return Result(listtype=heading, data=element("data", *(self._row(shape, row, call) for row in listed)))

    def get(self, call: Element) -> Result:
        shape = self._shape(call.get("object", ""))
        key = call.get("key", "").strip()
        fields = [shape.table.fields[name] for name in ("RECORDNO", shape.table.key)]
        found = [row for row in self._books().rows(shape.table) if _is(row, key, call, [f.get for f in fields])]
        if not found:
            raise fault(f"Cannot find {shape.name} with key '{key[:60]}'.")
        heading = element("listtype", shape.name)
        return Result(listtype=heading, data=element("data", self._row(shape, found[0], call)))

    def _row(self, shape: Shape, row: Any, call: Element) -> Element:
        asked = {(item.text or "").strip().lower() for item in call.iterfind("fields/field")}
        made = _filled(shape.name, shape.table, shape.tags, row, asked)
        items = _ITEMS.get(shape.name)
        if items and (not asked or items in asked):
            lines = self._table(f"{shape.table.name}ITEM")
            made.append(
                element(items, *(_filled("lineitem", lines, _pairs(_LINES), line, set()) for line in row.lines))
            )
        return made


def _pairs(tags: str) -> list[tuple[str, str]]:
    return [(tag, field) for tag, _, field in (word.partition("=") for word in tags.split())]


def _is(row: Any, key: str, call: Element, gets: Sequence[Callable[[Any], str]]) -> bool:
    if call.get("externalkey") == "true":
        return isinstance(row, Document) and row.record.reference == key
    return key in [get(row) for get in gets]


def _filled(tag: str, table: Table, tags: Sequence[tuple[str, str]], row: Any, asked: set[str]) -> Element:
    made = Element(tag)
    for path, name in tags:
        outer, _, inner = path.rpartition("/")
        if asked and inner not in asked and outer not in asked:
            continue
        parent = made
        if outer:
            found = made.find(outer)
            if found is None:
                found = element(outer)
                made.append(found)
            parent = found
        field = table.fields[name]
        parent.append(_value(inner, field.get(row), dated=field.kind == "date"))
    return made


def _value(tag: str, text: str, *, dated: bool) -> Element:
    if not dated:
        return element(tag, written(text))
    if not text:
        return element(tag)
    day = datetime.strptime(text, "%m/%d/%Y")
    parts = (("year", f"{day.year}"), ("month", f"{day.month:02d}"), ("day", f"{day.day:02d}"))
    return element(tag, *(element(name, part) for name, part in parts))


def _filter(shape: Shape, item: Element | None) -> Test | None:
    if item is None:
        return None
    tests = [_condition(shape, child) for child in item]
    return lambda row: all(test(row) for test in tests)


def _condition(shape: Shape, item: Element) -> Test:
    if item.tag == "logical":
        tests = [_condition(shape, child) for child in item]
        if item.get("logical_operator") == "or":
            return lambda row: any(test(row) for test in tests)
        return lambda row: all(test(row) for test in tests)
    field = shape.table.fields[shape.field(item.findtext("field") or "")]
    sign = (item.findtext("operator") or "").strip().lower()
    value = (item.findtext("value") or "").strip()
    if sign == "like":
        return likeness(field, value, True)
    if sign not in ("=", "!=", "<", "<=", ">", ">="):
        raise query_failed(f"Invalid operator '{sign[:20]}'")
    return comparison(field, sign, value)

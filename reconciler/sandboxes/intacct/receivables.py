"""Invoices and adjustments as objects to read, with their lines and the taxes of lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from reconciler.sandboxes.intacct.company import Held
from reconciler.sandboxes.intacct.lists import ADDRESS_FIELDS, CONTACT_FIELDS, contact_row, display_name
from reconciler.sandboxes.intacct.tables import (
    Books,
    Document,
    Field,
    Line,
    Table,
    code_of,
    day,
    name_of,
    num,
    said,
)

ZERO = Decimal(0)


def _docnumber(document: Document) -> str:
    extra = document.held.extra
    return str(document.content.get("po_number") or extra.get("docnumber") or extra.get("po_number") or "")


def _receivable(number_name: str) -> dict[str, Field]:
    """What invoices and adjustments have in common."""
    return {
        "RECORDNO": num(lambda d: d.held.recordno),
        "RECORDTYPE": said(lambda d: "ri" if number_name == "invoice" else "ra"),
        "RECORDID": said(lambda d: d.record.number),
        "STATE": said(lambda d: d.state),
        "RAWSTATE": said(lambda d: d.raw_state),
        "ENTITY": said(lambda d: f"C{code_of(d.customer)}"),
        "CUSTOMERID": said(lambda d: code_of(d.customer)),
        "CUSTOMERNAME": said(lambda d: name_of(d.customer)),
        "CONTACTTAXGROUP": said(lambda d: ""),
        "DOCNUMBER": said(_docnumber),
        "DESCRIPTION": said(lambda d: d.content.get("memo")),
        "WHENCREATED": day(lambda d: d.content["issue_date"]),
        "WHENPOSTED": day(lambda d: d.posted_on),
        "WHENPAID": day(lambda d: d.paid_on),
        "BASECURR": said(lambda d: d.books.company.base),
        "CURRENCY": said(lambda d: d.content["currency"]),
        "EXCH_RATE_DATE": day(lambda d: d.content["issue_date"] if d.rate != 1 else None),
        "EXCH_RATE_TYPE_ID": said(lambda d: ""),
        "EXCHANGE_RATE": num(lambda d: d.rate),
        "TOTALENTERED": num(lambda d: d.base(d.total)),
        "TOTALSELECTED": num(lambda d: ZERO),
        "TOTALPAID": num(lambda d: d.base(d.paid)),
        "TOTALDUE": num(lambda d: d.base(d.due)),
        "TRX_TOTALENTERED": num(lambda d: d.total),
        "TRX_TOTALSELECTED": num(lambda d: ZERO),
        "TRX_TOTALPAID": num(lambda d: d.paid),
        "TRX_TOTALDUE": num(lambda d: d.due),
        "PRBATCH": said(lambda d: ""),
        "PRBATCHKEY": num(lambda d: ""),
        "MODULEKEY": said(lambda d: "4.AR"),
        "SYSTEMGENERATED": said(lambda d: "F"),
        "AUWHENCREATED": Field(lambda d: d.time(0), "time"),
        "WHENMODIFIED": Field(lambda d: d.time(1), "time"),
        "CREATEDBY": num(lambda d: "1"),
        "MODIFIEDBY": num(lambda d: "1"),
        "SUPDOCID": said(lambda d: d.held.extra.get("supdocid")),
        "MEGAENTITYKEY": num(lambda d: ""),
        "MEGAENTITYID": said(lambda d: d.entity),
        "MEGAENTITYNAME": said(lambda d: d.entity),
    }  # fmt: skip


def _contact_part(head: str, part: str) -> Field:
    """A part of the contact an invoice is billed or sent to: its own, the customer's, or the customer itself."""

    def get(document: Document) -> str:
        customer = document.customer
        named = document.held.extra.get(head.lower())
        if not named and customer is not None:
            named = customer.extra.get(head.lower()) or display_name(customer)
        return contact_row(document.books, str(named)).get(part, "") if named else ""

    return said(get)


_INVOICE = {
    **_receivable("invoice"),
    "TERMNAME": said(
        lambda d: name_of(d.books.terms.get(d.content.get("terms") or d.held.extra.get("terms") or ""))
    ),
    "WHENDUE": day(lambda d: d.content.get("due_date") or d.held.extra.get("due_date")),
    "DUE_IN_DAYS": num(lambda d: ""),
    "TAXSOLUTIONID": said(lambda d: ""),
    "BILLTOPAYTOCONTACTNAME": _contact_part("BILLTO", "CONTACTNAME"),
    "SHIPTORETURNTOCONTACTNAME": _contact_part("SHIPTO", "CONTACTNAME"),
    **{
        f"{head}.{part}": _contact_part(head, part)
        for head in ("CONTACT", "BILLTO", "SHIPTO")
        for part in (*CONTACT_FIELDS, *(f"MAILADDRESS.{name}" for name in ADDRESS_FIELDS), "VISIBLE")
    },
}


def _line_fields() -> dict[str, Field]:
    return {
        "RECORDNO": num(lambda n: n.recordno),
        "RECORDKEY": num(lambda n: n.document.held.recordno),
        "LINE_NO": num(lambda n: str(n.place + 1)),
        "LINEITEM": said(lambda n: "T"),
        "ACCOUNTKEY": num(lambda n: n.account.recordno if n.account else ""),
        "ACCOUNTNO": said(lambda n: code_of(n.account)),
        "ACCOUNTTITLE": said(lambda n: name_of(n.account)),
        "OFFSETGLACCOUNTNO": said(
            lambda n: code_of(n.document.books.accounts.get(n.document.content.get("receivable_account") or ""))
        ),
        "AMOUNT": num(lambda n: n.document.base(n.net)),
        "TRX_AMOUNT": num(lambda n: n.net),
        "ENTRYDESCRIPTION": said(lambda n: n.content.get("description")),
        "DEPARTMENTID": said(lambda n: n.dimension("DEPARTMENT")),
        "DEPARTMENTNAME": said(lambda n: n.dimension("DEPARTMENT")),
        "LOCATIONID": said(lambda n: n.dimension("LOCATION")),
        "LOCATIONNAME": said(lambda n: n.dimension("LOCATION")),
        "CLASSID": said(lambda n: n.dimension("CLASS")),
        "CLASSNAME": said(lambda n: n.dimension("CLASS")),
        "ITEMID": said(lambda n: code_of(n.item)),
        "ITEMNAME": said(lambda n: name_of(n.item)),
        "CUSTOMERID": said(lambda n: code_of(n.document.customer)),
        "CURRENCY": said(lambda n: n.document.content["currency"]),
        "BASECURR": said(lambda n: n.document.books.company.base),
        "EXCHANGE_RATE": num(lambda n: n.document.rate),
        "TOTALPAID": num(lambda n: n.document.base(n.paid)),
        "TRX_TOTALPAID": num(lambda n: n.paid),
        "TOTALDUE": num(lambda n: n.document.base(n.net + n.tax - n.paid)),
        "TRX_TOTALDUE": num(lambda n: n.net + n.tax - n.paid),
        "PARENTENTRY": num(lambda n: ""),
        "STATE": said(lambda n: n.document.state),
        "WHENMODIFIED": Field(lambda n: n.document.time(1), "time"),
    }


def _lines(name: str) -> Callable[[Books], list[Line]]:
    return lambda books: [line for document in books.documents(name) for line in document.lines]


@dataclass(frozen=True)
class TaxEntry:
    """The tax of one detail on one line."""

    line: Line
    place: int
    rate: Held
    tax: Decimal


def _tax_entries(name: str) -> Callable[[Books], list[TaxEntry]]:
    def rows(books: Books) -> list[TaxEntry]:
        found = []
        for line in _lines(name)(books):
            rates = [books.rates[own] for own in line.content.get("taxes") or ()]
            left = line.tax
            for place, rate in enumerate(rates):
                last = place == len(rates) - 1
                tax = left if last else (line.net * Decimal(rate.content["rate"]) / 100).quantize(Decimal("0.01"))
                left -= tax
                found.append(TaxEntry(line, place, rate, tax))
        return found

    return rows


_TAX_ENTRY = {
    "RECORDNO": num(lambda t: f"{t.line.recordno}{t.place + 1}"),
    "RECORDKEY": num(lambda t: t.line.document.held.recordno),
    "PARENTENTRY": num(lambda t: t.line.recordno),
    "DETAILID": said(lambda t: code_of(t.rate)),
    "TAXRATE": num(lambda t: t.rate.content["rate"]),
    "TAX": num(lambda t: t.line.document.base(t.tax)),
    "TRX_TAX": num(lambda t: t.tax),
}

RECEIVABLE_TABLES = (
    Table("ARINVOICE", _INVOICE, lambda books: books.documents("ARINVOICE")),
    Table("ARADJUSTMENT", _receivable("adjustment"), lambda books: books.documents("ARADJUSTMENT")),
    Table("ARINVOICEITEM", _line_fields(), _lines("ARINVOICE")),
    Table("ARADJUSTMENTITEM", _line_fields(), _lines("ARADJUSTMENT")),
    Table("ARINVOICETAXENTRIES", _TAX_ENTRY, _tax_entries("ARINVOICE")),
    Table("ARADJUSTMENTTAXENTRIES", _TAX_ENTRY, _tax_entries("ARADJUSTMENT")),
)

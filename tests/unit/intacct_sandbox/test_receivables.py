"""Invoices and adjustments: created, amended, reversed, deleted, printed; what is refused."""

from __future__ import annotations

import base64
from datetime import date

import pytest

from reconciler.sandboxes.ledger.commands import ClosePeriod
from tests.unit.intacct_sandbox.caller import Caller, adjustment, day, invoice, payment, pays

TAXED = "<taxentries><taxentry><detailid>STANDARD</detailid></taxentry></taxentries>"


def one(caller: Caller, name: str, *fields: str) -> tuple[str, ...]:
    [found] = caller.values(name, *fields)
    return found


def test_an_invoice_is_read_as_it_was_written(books: Caller) -> None:
    header = "<ponumber>PO 1</ponumber><description>For work &amp; more</description>"
    line = f"<memo>Days</memo><departmentid>Sales</departmentid><itemid>WIDGET</itemid>{TAXED}"
    key = books.done(invoice("I-1", "100.005", header=header, line=line)).key
    fields = [
        "RECORDNO",
        "RECORDID",
        "STATE",
        "CUSTOMERID",
        "CUSTOMERNAME",
        "DOCNUMBER",
        "DESCRIPTION",
        "WHENCREATED",
        "WHENDUE",
        "CURRENCY",
        "TRX_TOTALENTERED",
        "TRX_TOTALDUE",
        "TRX_TOTALPAID",
    ]
    assert one(books, "ARINVOICE", *fields) == (
        key, "I-1", "Posted", "C1", "Acme C1", "PO 1", "For work & more", "11/01/2026", "12/01/2026", "USD",
        "120.01", "120.01", "0",
    )  # fmt: skip
    lines = one(
        books,
        "ARINVOICEITEM",
        "RECORDKEY",
        "LINE_NO",
        "ACCOUNTNO",
        "TRX_AMOUNT",
        "ENTRYDESCRIPTION",
        "DEPARTMENTID",
        "ITEMID",
    )
    assert lines == (key, "1", "4000", "100.01", "Days", "Sales", "WIDGET")
    assert one(books, "ARINVOICETAXENTRIES", "RECORDKEY", "DETAILID", "TRX_TAX") == (key, "STANDARD", "20")


def test_terms_say_when_it_is_due(books: Caller) -> None:
    by_term = invoice("I-1").replace(day("datedue", "2026-12-01"), "<termname>Net 30</termname>")
    books.done(by_term)
    assert one(books, "ARINVOICE", "TERMNAME", "WHENDUE") == ("Net 30", "12/01/2026")
    neither = invoice("I-2").replace(day("datedue", "2026-12-01"), "")
    assert books.one(neither).errors[0][1] == "Either the due date or the term is required."


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("<glaccountno>4000", "<glaccountno>9999"), "The GL account '9999' is invalid"),
        (("<glaccountno>4000", "<glaccountno>1100"), "control account"),
        (("<amount>100", "<amount>1O0"), "is not a valid number"),
        (("<month>11", "<month>13"), "Invalid date"),
        (("</amount>", "</amount><departmentid>None</departmentid>"), "Invalid Department 'None' selected"),
        (("</amount>", "</amount><itemid>None</itemid>"), "The item 'None' is invalid"),
        (("<invoiceno>I-1</invoiceno>", "<action>Post</action><invoiceno>I-1</invoiceno>"), "Invalid action"),
        (("<invoiceno>", "<termname>Net 99</termname><invoiceno>"), ""),
        (("</invoiceno>", "</invoiceno><billto><contactname>No</contactname></billto>"), "Invalid contact 'No'"),
        (("<invoiceitems>", "<supdocid>none</supdocid><invoiceitems>"), "Invalid attachment 'none'"),
        (("<invoiceitems>", "<currency>XXQ</currency><exchrate>1</exchrate><invoiceitems>"), "Invalid currency"),
        (
            ("<invoiceitems>", "<currency>EUR</currency><exchrate>0</exchrate><invoiceitems>"),
            "Invalid exchange rate",
        ),
    ],
)
def test_what_is_wrong_is_told(books: Caller, change: tuple[str, str], part: str) -> None:
    found = books.send(books.body(invoice("I-1").replace(*change, 1))).text
    assert "<status>failure</status>" in found
    assert part in found.replace("&amp;", "&")
    assert books.values("ARINVOICE", "RECORDNO") == []


def test_an_inactive_customer_is_refused(books: Caller) -> None:
    books.done("<update><CUSTOMER><CUSTOMERID>C1</CUSTOMERID><STATUS>inactive</STATUS></CUSTOMER></update>")
    assert books.one(invoice("I-1")).status == "failure"


def test_currencies(books: Caller) -> None:
    books.done(invoice("I-1", money="<currency>EUR</currency><exchratetype/>"))
    books.done(invoice("I-2", money="<basecurr>USD</basecurr><currency>EUR</currency><exchrate>1.2</exchrate>"))
    fields = ("CURRENCY", "BASECURR", "EXCHANGE_RATE", "TRX_TOTALDUE", "TOTALDUE")
    assert books.values("ARINVOICE", *fields) == [
        ("EUR", "USD", "1.1", "100", "110"),
        ("EUR", "USD", "1.2", "100", "120"),
    ]


def test_an_offset_account_is_the_receivable(books: Caller) -> None:
    books.done(
        "<create><GLACCOUNT><ACCOUNTNO>1150</ACCOUNTNO><TITLE>Other debtors</TITLE>"
        "<ALTERNATIVEACCOUNT>Receivables account</ALTERNATIVEACCOUNT></GLACCOUNT></create>"
    )
    offset = "<glaccountno>4000</glaccountno><offsetglaccountno>{}</offsetglaccountno>"
    plain = "<glaccountno>4000</glaccountno>"
    books.done(invoice("I-1").replace(plain, offset.format("1150")))
    assert one(books, "ARINVOICEITEM", "OFFSETGLACCOUNTNO") == ("1150",)
    wrong = books.one(invoice("I-2").replace(plain, offset.format("2300")))
    assert "not a receivables account" in wrong.errors[0][1]


def test_a_negative_invoice_and_adjustments_are_credits(books: Caller) -> None:
    books.invoice("I-1", "-40")
    books.credit("A-1", "-30")
    books.credit("A-2", "25")
    assert books.values("ARINVOICE", "RECORDID", "TRX_TOTALDUE", "WHENDUE") == [("I-1", "-40", "12/01/2026")]
    assert books.values("ARADJUSTMENT", "RECORDID", "TRX_TOTALDUE") == [("A-1", "-30"), ("A-2", "25")]
    kinds = [record.kind for record in books.running.books.records("invoice", "credit_note")]
    assert kinds == ["invoice", "credit_note", "credit_note"]


@pytest.mark.parametrize("caller", [{"duplicate_numbers": "allow"}], indirect=True)
def test_numbers_may_repeat_where_the_company_allows_it(books: Caller) -> None:
    books.invoice("I-1")
    books.invoice("I-1")
    assert books.values("ARINVOICE", "RECORDID") == [("I-1",), ("I-1",)]


def test_closed_books(books: Caller) -> None:
    books.running.books.ledger.one(ClosePeriod(date(2026, 11, 15)))
    assert "The books are closed" in books.one(invoice("I-1")).errors[0][1]
    books.done(invoice("I-2", issued="2026-11-16"))
    closed = books.done("<get_closedbooksdate/>").data.find("closedbooksdate")
    assert closed is not None
    assert [part.text for part in closed] == ["2026", "11", "15"]


def test_a_draft_is_changed_submitted_and_deleted(books: Caller) -> None:
    draft = invoice("I-1").replace("<invoiceno>", "<action>Draft</action><invoiceno>")
    key = books.done(draft).key
    assert one(books, "ARINVOICE", "STATE", "TRX_TOTALDUE") == ("Draft", "0")
    items = (
        '<updateinvoiceitems><updatelineitem line_num="1"><amount>80</amount></updatelineitem></updateinvoiceitems>'
    )
    books.done(
        f'<update_invoice key="{key}"><action>Submit</action><description>now</description>{items}</update_invoice>'
    )
    assert one(books, "ARINVOICE", "RECORDNO", "STATE", "TRX_TOTALDUE", "DESCRIPTION") == (
        key,
        "Posted",
        "80",
        "now",
    )
    other = books.done(draft.replace("I-1", "I-2")).key
    books.done(f"<delete><object>ARINVOICE</object><keys>{other}</keys></delete>")
    assert len(books.values("ARINVOICE", "RECORDNO")) == 1


def test_what_is_posted_keeps_its_figures(books: Caller) -> None:
    key = books.invoice("I-1")
    books.done(
        f'<update_invoice key="{key}">{day("datedue", "2027-01-31")}<ponumber>PO</ponumber></update_invoice>'
    )
    assert one(books, "ARINVOICE", "WHENDUE", "DOCNUMBER") == ("01/31/2027", "PO")
    items = (
        '<updateinvoiceitems><updatelineitem line_num="1"><amount>80</amount></updatelineitem></updateinvoiceitems>'
    )
    assert "is posted" in books.one(f'<update_invoice key="{key}">{items}</update_invoice>').errors[0][1]


def test_an_external_id_addresses_it(books: Caller) -> None:
    books.done(invoice("I-1", header="<externalid>X-7</externalid>"))
    books.done('<update_invoice key="X-7" externalkey="true"><description>found</description></update_invoice>')
    assert one(books, "ARINVOICE", "DESCRIPTION") == ("found",)
    assert "Cannot find" in books.one('<delete_invoice key="X-8" externalkey="true"/>').errors[0][1]


def test_reversing(books: Caller) -> None:
    key = books.invoice("I-1")
    reverse = f'<reverse_invoice key="{key}">{day("datereversed", "2026-11-05")}</reverse_invoice>'
    paid = books.done(payment(pays(key, "10"))).recordno
    assert "Reverse the payments first." in books.send(books.body(reverse)).text
    books.done(f'<reverse_arpayment key="{paid}">{day("datereversed", "2026-11-04")}</reverse_arpayment>')
    early = reverse.replace("<day>05", "<day>01").replace("<month>11", "<month>10")
    assert books.one(early).status == "failure"
    assert books.done(reverse).key == ""
    assert one(books, "ARINVOICE", "STATE", "TRX_TOTALDUE") == ("Reversed", "0")
    assert "already reversed" in books.one(reverse).errors[0][1]
    assert books.one(invoice("I-1")).status == "failure"


def test_deleting_what_is_unpaid(books: Caller) -> None:
    key = books.credit("A-1", "-30")
    books.done(f'<delete_aradjustment key="{key}"/>')
    assert books.values("ARADJUSTMENT", "RECORDNO") == []
    books.done(adjustment("A-1", "-20"))


def test_it_is_printed(books: Caller) -> None:
    key = books.invoice("I-1")
    found = books.done(f"<retrievepdf><ARINVOICE><RECORDNO>{key}</RECORDNO></ARINVOICE></retrievepdf>")
    assert base64.b64decode(found.data.findtext("arinvoice/pdfdata") or "").startswith(b"%PDF")


@pytest.mark.parametrize("caller", [{"entities": "E100 E200"}], indirect=True)
def test_a_company_of_several_entities(books: Caller) -> None:
    assert "Location is required" in books.one(invoice("I-1")).errors[0][1]
    for entity, number in (("E100", "I-1"), ("E200", "I-2")):
        books.done(invoice(number, line=f"<locationid>{entity}</locationid>"))
    api = books.done("<getAPISession><locationid>E200</locationid></getAPISession>").data.find("api")
    assert api is not None
    session = api.findtext("sessionid") or ""
    query = "<query><object>ARINVOICE</object><select><field>RECORDID</field></select></query>"
    assert books.done(query, session=session).rows == [{"RECORDID": "I-2"}]
    assert len(books.done(query).rows) == 2
    books.done(invoice("I-3"), session=session)
    assert books.values("ARINVOICE", "RECORDID", "MEGAENTITYID")[-1] == ("I-3", "E200")


@pytest.mark.parametrize("caller", [{"custom_fields": "OUR_REF"}], indirect=True)
def test_custom_fields(books: Caller) -> None:
    custom = (
        "<customfields><customfield><customfieldname>{}</customfieldname><customfieldvalue>x-1</customfieldvalue>"
        "</customfield></customfields>"
    )
    books.done(invoice("I-1", header=custom.format("OUR_REF")))
    assert books.one(invoice("I-2", header=custom.format("OTHER"))).status == "failure"
    where = "<equalto><field>OUR_REF</field><value>x-1</value></equalto>"
    assert books.values("ARINVOICE", "RECORDID", where=where) == [("I-1",)]


def test_aging(books: Caller) -> None:
    books.invoice("I-1")
    found = books.done(f"<get_araging>{day('asofdate', '2026-12-05')}<showdetails>true</showdetails></get_araging>")
    assert found.data.findtext("araging/customerid") == "C1"
    assert found.data.findtext("araging/aging/totalamount") == "100"
    assert found.data.findtext("araging/aging/agingdetails/agingdetail/invoiceno") == "I-1"

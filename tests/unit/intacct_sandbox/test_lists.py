"""Customers, contacts, lists and attachments: created, changed, read back; what is refused."""

from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord
from tests.unit.intacct_sandbox.caller import Caller, gateway, invoice

FULL = """<create><CUSTOMER><CUSTOMERID>C9</CUSTOMERID><NAME>Nine</NAME><DISPLAYCONTACT><PRINTAS>Nine Ltd</PRINTAS>
<PHONE1>12</PHONE1><EMAIL1>a@nine.example</EMAIL1><MAILADDRESS><ADDRESS1>1 High St</ADDRESS1><CITY>Leeds</CITY>
<ZIP>LS1</ZIP><COUNTRYCODE>GB</COUNTRYCODE></MAILADDRESS></DISPLAYCONTACT><TERMNAME>Net 30</TERMNAME>
<TAXID>GB1</TAXID><CREDITLIMIT>1000.50</CREDITLIMIT><ONHOLD>false</ONHOLD><CURRENCY>EUR</CURRENCY>
<COMMENTS>x</COMMENTS><DELIVERY_OPTIONS>Print#~#E-Mail</DELIVERY_OPTIONS></CUSTOMER></create>"""


def test_a_customer_is_read_as_it_was_written(caller: Caller) -> None:
    caller.done(FULL)
    fields = (
        "CUSTOMERID", "NAME", "STATUS", "ENTITY", "TERMNAME", "TAXID", "CREDITLIMIT", "CURRENCY", "COMMENTS",
        "DELIVERY_OPTIONS", "DISPLAYCONTACT.CONTACTNAME", "DISPLAYCONTACT.EMAIL1",
        "DISPLAYCONTACT.MAILADDRESS.CITY",
    )  # fmt: skip
    assert caller.values("CUSTOMER", *fields) == [
        (
            "C9", "Nine", "active", "CC9", "Net 30", "GB1", "1000.5", "EUR", "x", "Print#~#E-Mail",
            "Nine(CC9)", "a@nine.example", "Leeds",
        )
    ]  # fmt: skip
    assert caller.values("CONTACT", "CONTACTNAME", "PRINTAS") == [("Nine(CC9)", "Nine Ltd")]


def test_what_is_absent_stays_and_what_is_empty_goes(caller: Caller) -> None:
    caller.done(FULL)
    change = "<TAXID></TAXID><CREDITLIMIT/><NAME>Ten</NAME><DISPLAYCONTACT/>"
    caller.done(f"<update><CUSTOMER><CUSTOMERID>C9</CUSTOMERID>{change}</CUSTOMER></update>")
    fields = ("NAME", "TAXID", "CREDITLIMIT", "TERMNAME", "DISPLAYCONTACT.EMAIL1")
    assert caller.values("CUSTOMER", *fields) == [("Ten", "", "", "Net 30", "a@nine.example")]
    address = "<MAILADDRESS><CITY>York</CITY></MAILADDRESS>"
    contact = f"<DISPLAYCONTACT><EMAIL1>b@nine.example</EMAIL1>{address}</DISPLAYCONTACT>"
    [(recordno,)] = caller.values("CUSTOMER", "RECORDNO")
    caller.done(f"<update><CUSTOMER><RECORDNO>{recordno}</RECORDNO>{contact}</CUSTOMER></update>")
    fields = (
        "DISPLAYCONTACT.EMAIL1",
        "DISPLAYCONTACT.PHONE1",
        "DISPLAYCONTACT.MAILADDRESS.CITY",
        "DISPLAYCONTACT.MAILADDRESS.ZIP",
    )
    assert caller.values("CUSTOMER", *fields) == [("b@nine.example", "12", "York", "LS1")]


def test_contacts_are_referred_to_by_name(caller: Caller) -> None:
    caller.customer()
    billto = "<BILLTO><CONTACTNAME>Books</CONTACTNAME></BILLTO>"
    refer = f"<update><CUSTOMER><CUSTOMERID>C1</CUSTOMERID>{billto}</CUSTOMER></update>"
    assert "Invalid contact 'Books'" in caller.one(refer).errors[0][1]
    fields = "<CONTACTNAME>Books</CONTACTNAME><PRINTAS>The books</PRINTAS><EMAIL1>ap@x.example</EMAIL1>"
    contact = f"<CONTACT>{fields}</CONTACT>"
    caller.done(f"<create>{contact}</create>")
    assert caller.one(f"<create>{contact}</create>").errors[0][0] == "BL34000061"
    caller.done(refer)
    assert caller.values("CUSTOMER", "BILLTO.CONTACTNAME", "BILLTO.EMAIL1") == [("Books", "ap@x.example")]
    caller.done(
        "<update><CONTACT><CONTACTNAME>Books</CONTACTNAME><EMAIL1>new@x.example</EMAIL1></CONTACT></update>"
    )
    assert caller.values("CUSTOMER", "BILLTO.EMAIL1") == [("new@x.example",)]
    caller.done(refer.replace("Books", ""))
    assert caller.values("CUSTOMER", "BILLTO.CONTACTNAME") == [("",)]


def test_contacts_by_category(caller: Caller) -> None:
    caller.customer()
    caller.done("<create><CONTACT><CONTACTNAME>A</CONTACTNAME><PRINTAS>A</PRINTAS></CONTACT></create>")
    change = "<update><CUSTOMER><CUSTOMERID>C1</CUSTOMERID>{}</CUSTOMER></update>"
    member = (
        "<CUSTOMERCONTACTS><CATEGORYNAME>{}</CATEGORYNAME><CONTACT><NAME>{}</NAME></CONTACT></CUSTOMERCONTACTS>"
    )
    twice = member.format("Orders", "A") + member.format("Orders", "A") + member.format("Billing", "A")
    caller.done(change.format(twice))
    fields = ("CUSTOMERID", "CATEGORYNAME", "CONTACT.NAME")
    assert caller.values("CUSTOMERCONTACTS", *fields) == [("C1", "Orders", "A"), ("C1", "Billing", "A")]
    assert "Invalid contact 'B'" in caller.one(change.format(member.format("Orders", "B"))).errors[0][1]
    caller.done(change.format("<CUSTOMERCONTACTS/>"))
    assert caller.values("CUSTOMERCONTACTS", *fields) == []


def test_an_account_may_want_a_dimension(caller: Caller) -> None:
    caller.customer()
    change = "<update><GLACCOUNT><ACCOUNTNO>4000</ACCOUNTNO><REQUIREDEPT>{}</REQUIREDEPT></GLACCOUNT></update>"
    caller.done(change.format("true"))
    assert ("4000", "true") in caller.values("GLACCOUNT", "ACCOUNTNO", "REQUIREDEPT")
    assert "Department is required for account 4000." in caller.one(invoice("I-1")).errors[0][1]
    caller.done(invoice("I-1", line="<departmentid>Sales</departmentid>"))
    caller.done(
        "<update><DEPARTMENT><DEPARTMENTID>Sales</DEPARTMENTID><STATUS>inactive</STATUS></DEPARTMENT></update>"
    )
    refused = caller.one(invoice("I-2", line="<departmentid>Sales</departmentid>"))
    assert "Invalid Department 'Sales' selected" in refused.errors[0][1]
    caller.done(change.format("false"))
    caller.running.switches.set({"smart_rule": "1@create_invoice"})
    assert "the rule of the company" in caller.one(invoice("I-2")).errors[0][1]
    caller.done(invoice("I-2"))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("<NAME>Nine</NAME>", ""), "Missing required field: NAME"),
        (("<CUSTOMERID>C9</CUSTOMERID>", ""), "Missing required field: CUSTOMERID"),
        (("<PRINTAS>Nine Ltd</PRINTAS>", ""), "DISPLAYCONTACT.PRINTAS"),
        (("Net 30", "Net 99"), "The term 'Net 99' is invalid"),
        (("1000.50", "lots"), "is not a valid number"),
        (("EUR", "XXQ"), "Invalid currency"),
        (("<ONHOLD>false", "<ONHOLD>maybe"), "neither true nor false"),
        (("COMMENTS>", "REMARKS>"), "Invalid field 'REMARKS' for object CUSTOMER"),
        (("PHONE1>", "PHONE9>"), "Invalid field 'PHONE9' for object CONTACT"),
        (("<ONHOLD>", "<STATUS>asleep</STATUS><ONHOLD>"), "Invalid status"),
    ],
)
def test_customers_that_are_refused(caller: Caller, change: tuple[str, str], part: str) -> None:
    found = caller.one(FULL.replace(*change))
    assert part in found.errors[0][1]
    assert caller.values("CUSTOMER", "CUSTOMERID") == []


def test_a_customer_without_transactions_can_go(caller: Caller) -> None:
    key = caller.customer()
    caller.done(f"<delete><object>CUSTOMER</object><keys>{key}</keys></delete>")
    assert caller.values("CUSTOMER", "CUSTOMERID") == []
    key = caller.customer()
    caller.invoice("I-1")
    assert "it has transactions" in caller.one('<delete_customer customerid="C1"/>').errors[0][1]
    caller.done(f"<update><CUSTOMER><RECORDNO>{key}</RECORDNO><STATUS>inactive</STATUS></CUSTOMER></update>")
    assert caller.values("CUSTOMER", "STATUS", "TOTALDUE") == [("inactive", "100")]


@pytest.mark.parametrize("caller", [{"customer_sequence": "1"}], indirect=True)
def test_customers_may_be_numbered(caller: Caller) -> None:
    made = caller.done(FULL.replace("<CUSTOMERID>C9</CUSTOMERID>", ""))
    assert made.rows == [{"RECORDNO": made.recordno, "CUSTOMERID": "CUST-00001"}]


def test_legacy_customers(caller: Caller) -> None:
    legacy = (
        '<create_customer ignoreduplicates="{}"><customerid>L1</customerid><name>Legacy</name>'
        "<termname>Net 30</termname><status>active</status>"
        "<contactinfo><contact><contactname>Leg</contactname><printas>Leg Ltd</printas>"
        "<mailaddress><city>Hull</city></mailaddress></contact></contactinfo></create_customer>"
    )
    assert caller.done(legacy.format("false")).key
    assert caller.one(legacy.format("false")).status == "failure"
    caller.done(legacy.format("true"))
    caller.done('<update_customer customerid="L1"><name>Renamed</name></update_customer>')
    fields = ("NAME", "TERMNAME", "DISPLAYCONTACT.CONTACTNAME", "DISPLAYCONTACT.MAILADDRESS.CITY")
    assert caller.values("CUSTOMER", *fields) == [("Renamed", "Net 30", "Leg", "Hull")]
    caller.done('<update_contact contactname="Leg"><printas>New</printas></update_contact>')
    assert caller.values("CONTACT", "PRINTAS") == [("New",)]


def test_lists_are_made_and_used(caller: Caller) -> None:
    caller.customer()
    caller.done(
        "<create>"
        "<GLACCOUNT><ACCOUNTNO>4777</ACCOUNTNO><TITLE>Fees</TITLE><ACCOUNTTYPE>incomestatement</ACCOUNTTYPE>"
        "<NORMALBALANCE>credit</NORMALBALANCE></GLACCOUNT>"
        "<DEPARTMENT><DEPARTMENTID>D9</DEPARTMENTID><TITLE>Ninth</TITLE></DEPARTMENT>"
        "<CLASS><CLASSID>K1</CLASSID><NAME>First</NAME></CLASS>"
        "<ITEM><ITEMID>GADGET</ITEMID><NAME>Gadget</NAME><BASEPRICE>5</BASEPRICE></ITEM>"
        "<ARTERM><NAME>Net 7</NAME><DUEDATE>7</DUEDATE></ARTERM>"
        "<CHECKINGACCOUNT><BANKACCOUNTID>BOA</BANKACCOUNTID><GLACCOUNTNO>1200</GLACCOUNTNO><BANKNAME>Bank</BANKNAME>"
        "</CHECKINGACCOUNT>"
        "<TAXDETAIL><DETAILID>T5</DETAILID><VALUE>5</VALUE></TAXDETAIL></create>"
    )
    line = "<departmentid>D9</departmentid><itemid>GADGET</itemid><classid>K1</classid>"
    caller.done(invoice("I-1", line=line).replace("4000", "4777"))
    fields = ("ACCOUNTNO", "DEPARTMENTID", "CLASSID", "ITEMID")
    assert caller.values("ARINVOICEITEM", *fields) == [("4777", "D9", "K1", "GADGET")]
    caller.done("<update><DEPARTMENT><DEPARTMENTID>D9</DEPARTMENTID><TITLE>Nine</TITLE></DEPARTMENT></update>")
    caller.done("<update><GLACCOUNT><ACCOUNTNO>4777</ACCOUNTNO><TITLE>Charges</TITLE></GLACCOUNT></update>")
    caller.done("<update><ITEM><ITEMID>GADGET</ITEMID><STATUS>inactive</STATUS></ITEM></update>")
    assert ("D9", "Nine") in caller.values("DEPARTMENT", "DEPARTMENTID", "TITLE")
    assert ("4777", "Charges") in caller.values("GLACCOUNT", "ACCOUNTNO", "TITLE")
    assert caller.values("CHECKINGACCOUNT", "BANKACCOUNTID", "BANKNAME")[-1] == ("BOA", "Bank")
    twice = "<create><GLACCOUNT><ACCOUNTNO>4777</ACCOUNTNO><TITLE>x</TITLE></GLACCOUNT></create>"
    error = caller.one(twice).element.find("errormessage/error")
    assert error is not None
    assert error.findtext("description") == "Duplicate account number"
    assert (
        caller.one(
            "<create><DEPARTMENT><DEPARTMENTID>D9</DEPARTMENTID><TITLE>x</TITLE></DEPARTMENT></create>"
        ).status
        == "failure"
    )


def test_legacy_lists(caller: Caller) -> None:
    functions = [
        "<create_glaccount><glaccountno>4888</glaccountno><title>T</title><normalbalance>credit</normalbalance>"
        "<accounttype>incomestatement</accounttype></create_glaccount>",
        "<create_department><departmentid>D1</departmentid><title>One</title></create_department>",
        "<create_class><classid>K1</classid><name>One</name></create_class>",
        "<create_location><locationid>L1</locationid><name>One</name></create_location>",
        "<create_arterm><name>Net 9</name><due><dueday>9</dueday></due></create_arterm>",
        "<create_item><itemid>X</itemid><name>X</name><itemtype>Non-Inventory</itemtype></create_item>",
        "<create_contact><contactname>K</contactname><printas>K</printas></create_contact>",
    ]
    assert [outcome.status for outcome in caller.ask(*functions)] == ["success"] * len(functions)
    assert ("Net 9", "9") in caller.values("ARTERM", "NAME", "DUEDATE")


def test_attachments(caller: Caller) -> None:
    caller.customer()
    data = base64.b64encode(b"a file").decode()
    file = (
        "<attachments><attachment><attachmentname>scan</attachmentname><attachmenttype>pdf</attachmenttype>"
        f"<attachmentdata>{data}</attachmentdata></attachment></attachments>"
    )
    create = (
        "<create_supdoc><supdocid>S1</supdocid><supdocname>Scan</supdocname><supdocfoldername>F</supdocfoldername>"
        f"{file}</create_supdoc>"
    )
    assert "Create the folder first" in caller.send(caller.body(create)).text
    caller.done("<create_supdocfolder><supdocfoldername>F</supdocfoldername></create_supdocfolder>")
    assert caller.done(create).key == "1"
    assert caller.one(create).errors[0][0] == "BL34000061"
    caller.done(f"<update_supdoc><supdocid>S1</supdocid>{file}</update_supdoc>")
    caller.done(invoice("I-1", header="<supdocid>S1</supdocid>"))
    assert caller.values("ARINVOICE", "SUPDOCID") == [("S1",)]
    found = caller.done('<get object="supdoc" key="S1"/>').data
    texts = [item.text for item in found.iter("attachmentdata")]
    assert [base64.b64decode(text or "") for text in texts] == [b"a file", b"a file"]
    assert caller.done('<get_list object="supdoc"/>').data.findtext("supdoc/supdocid") == "S1"
    assert caller.one('<delete_supdocfolder key="F"/>').status == "failure"
    assert caller.one(create.replace("S1", "S2").replace(data, "!!")).errors[0][1].endswith("is not base64.")
    caller.done('<delete_supdoc key="S1"/>')
    caller.done('<delete_supdocfolder key="F"/>')


def test_what_others_wrote_in_the_ledger_is_shown(caller: Caller) -> None:
    ledger = caller.running.books.ledger
    customer = ledger.one(CreateRecord("customer", {"name": "By hand", "code": "H1", "email": "h@x.example"}))
    account = next(row for row in caller.running.books.records("account") if row.code == "4000")
    line = {"account": account.id, "quantity": Decimal(3), "unit_price": Decimal("1.5"), "description": "By hand"}
    content = {"customer": customer.id, "issue_date": date(2026, 11, 1), "lines": [line]}
    ledger.one(CreateRecord("invoice", content))
    assert caller.values("CUSTOMER", "CUSTOMERID", "DISPLAYCONTACT.EMAIL1") == [("H1", "h@x.example")]
    assert caller.values("ARINVOICE", "CUSTOMERID", "TRX_TOTALDUE", "STATE") == [("H1", "4.5", "Posted")]
    assert caller.values("ARINVOICEITEM", "TRX_AMOUNT") == [("4.5",)]


def test_books_survive_their_server(tmp_path: Path) -> None:
    store = tmp_path / "books.sqlite"
    with gateway(store) as caller:
        caller.customer()
        caller.done(f'<function controlid="once">{invoice("I-1")}</function>', unique=True)
    with gateway(store) as caller:
        assert caller.values("CUSTOMER", "CUSTOMERID", "DISPLAYCONTACT.PRINTAS") == [("C1", "Acme")]
        assert (
            caller.one(f'<function controlid="once">{invoice("I-2")}</function>', unique=True).status == "failure"
        )

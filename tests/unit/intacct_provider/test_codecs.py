"""Calls as Intacct's schema has them, and records read back as they were declared."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element, tostring

import pytest

from reconciler.providers.errors import Rejected, Unavailable
from reconciler.providers.intacct.codec_customers import (
    customer_fields,
    customer_from,
    display_contact,
    own_contacts,
    references,
)
from reconciler.providers.intacct.codec_invoices import (
    Books,
    create_adjustment,
    create_invoice,
    credit_from,
    invoice_from,
    is_credit,
    update_invoice,
)
from reconciler.providers.intacct.codec_masters import account_body, account_from, bank_from, tax_from, term_from
from reconciler.providers.intacct.codec_payments import (
    Application,
    Cash,
    allocations_of,
    applied_from,
    method_word,
    money_parts,
    payment_from,
)
from reconciler.providers.intacct.envelope import Function, Request, Sender, session_element
from reconciler.providers.intacct.wire import amount_of, day_of, element, leaf
from reconciler.providers.protocol import LiveAllocation
from tests.conformance.intacct_contract import problems, unavailable

REFERENCE = "~aaaabbbbccccdddd"
DAY = date(2026, 11, 10)
LINE = {"account": "4000", "description": "Services", "quantity": Decimal(1), "unit_price": Decimal("2373.45")}
DIMENSIONS = {("department", "Sales"): "D1", ("location", "Main"): "L1", ("class", "Retail"): "C1"}


def books(**more: object) -> Books:
    return Books(
        "USD",
        lambda category, value: DIMENSIONS.get((category, value)),
        **more,  # type: ignore[arg-type]
    )


def name_of(category: str, id_: str) -> str | None:
    return next((value for (one, value), known in DIMENSIONS.items() if (one, known) == (category, id_)), None)


def fits(*calls: Element) -> Element:
    """The first call, once the vendor's schema has accepted them all, where it is to be had."""
    functions = [Function(f"f{at}", call) for at, call in enumerate(calls)]
    body = Request("c", functions, unique=True).body(Sender("s", "p"), session_element("x"))
    if not unavailable():
        assert problems(body) == []
    return calls[0]


def plain(made: Element | None) -> str:
    return "" if made is None else tostring(made, encoding="unicode")


# ---- invoices ----


def test_an_invoice_has_its_elements_in_the_order_of_the_schema():
    content = {
        "customer": "ACME",
        "issue_date": DAY,
        "posting_date": DAY,
        "due_date": date(2026, 12, 10),
        "terms": "N30",
        "po_number": "PO-1",
        "memo": "November",
        "currency": "EUR",
        "exchange_rate": Decimal("1.10"),
        "receivable_account": "1100",
        "lines": [
            {**LINE, "tracking": {"class": "Retail", "department": "Sales", "location": "Main"}, "item": "I1"}
        ],
    }
    call = fits(create_invoice(content, books(), reference=REFERENCE, number="INV-1", supdoc="S1"))
    assert [one.tag for one in call] == [
        "customerid",
        "datecreated",
        "dateposted",
        "datedue",
        "termname",
        "action",
        "invoiceno",
        "ponumber",
        "description",
        "basecurr",
        "currency",
        "exchrate",
        "supdocid",
        "invoiceitems",
    ]
    assert [one.tag for one in call.find("invoiceitems/lineitem")] == [
        "glaccountno",
        "offsetglaccountno",
        "amount",
        "memo",
        "locationid",
        "departmentid",
        "itemid",
        "classid",
    ]
    assert [one.text for one in call.find("datecreated")] == ["2026", "11", "10"]
    assert call.findtext("description") == f"November\n{REFERENCE}"


def test_an_invoice_in_the_base_currency_says_none_and_is_due_at_once_without_terms():
    call = fits(
        create_invoice(
            {"customer": "A", "issue_date": DAY, "lines": [LINE]}, books(), reference=REFERENCE, number=None
        )
    )
    assert call.find("currency") is None
    assert call.find("invoiceno") is None
    assert call.findtext("datedue/day") == "10"
    with_term = create_invoice(
        {"customer": "A", "issue_date": DAY, "lines": [LINE]},
        books(default_term="N30"),
        reference=REFERENCE,
        number=None,
    )
    assert with_term.findtext("termname") == "N30"
    assert with_term.find("datedue") is None


def test_a_foreign_invoice_without_a_rate_takes_the_daily_one():
    content = {"customer": "A", "issue_date": DAY, "currency": "EUR", "lines": [LINE]}
    call = fits(create_invoice(content, books(), reference=REFERENCE, number="1"))
    assert call.find("exchratetype") is not None
    assert call.find("exchrate") is None


def test_quantity_price_and_discount_come_to_one_amount():
    line = {
        **LINE,
        "quantity": Decimal("2.25"),
        "unit_price": Decimal("33.333"),
        "discount": {"percent": Decimal(10)},
    }
    call = create_invoice({"customer": "A", "issue_date": DAY, "lines": [line]}, books(), reference="r", number="1")
    assert call.findtext(".//amount") == "67.5"


def test_a_value_that_a_dimension_does_not_have_is_refused():
    content = {"customer": "A", "issue_date": DAY, "lines": [{**LINE, "tracking": {"class": "None such"}}]}
    with pytest.raises(Rejected, match="None such"):
        create_invoice(content, books(), reference=REFERENCE, number="1")


def test_a_credit_note_is_an_adjustment_of_negative_amounts():
    content = {"customer": "A", "issue_date": DAY, "lines": [LINE], "memo": "Returned"}
    call = fits(create_adjustment(content, books(), reference=REFERENCE, number="CN-1"))
    assert call.findtext("adjustmentno") == "CN-1"
    assert call.findtext(".//amount") == "-2373.45"


def test_a_draft_is_said_anew_line_by_line_and_loses_none():
    content = {
        "customer": "A",
        "issue_date": DAY,
        "lines": [LINE, {**LINE, "unit_price": Decimal(5)}],
        "state": "draft",
    }
    assert create_invoice(content, books(), reference="r", number="1").findtext("action") == "Draft"
    after = {"lines": content["lines"], "memo": "New", "po_number": None}
    call = fits(update_invoice("7", after, books(), reference=REFERENCE, whole=content, lines_there=1))
    assert [(one.tag, one.get("line_num")) for one in call.find("updateinvoiceitems")] == [
        ("updatelineitem", "1"),
        ("lineitem", None),
    ]
    assert call.find("ponumber") is not None
    assert call.findtext("ponumber") == ""
    with pytest.raises(Rejected, match="takes no line off"):
        update_invoice("7", after, books(), whole=content, lines_there=3)


HEADER = {
    "RECORDNO": "101",
    "RECORDID": "INV-1",
    "STATE": "Partially Paid",
    "CUSTOMERID": "ACME",
    "DESCRIPTION": f"November\n{REFERENCE}",
    "WHENCREATED": "11/10/2026",
    "WHENDUE": "12/10/2026",
    "CURRENCY": "USD",
    "BASECURR": "USD",
    "TRX_TOTALENTERED": "2373.45",
    "TRX_TOTALDUE": "2000",
    "DOCNUMBER": "PO-1",
}
READ_LINE = {
    "RECORDNO": "5",
    "RECORDKEY": "101",
    "LINE_NO": "1",
    "ACCOUNTNO": "4000",
    "TRX_AMOUNT": "2373.45",
    "ENTRYDESCRIPTION": "Services",
    "DEPARTMENTID": "D1",
}


def test_an_invoice_is_read_back_as_it_was_declared():
    found = invoice_from(HEADER, [READ_LINE], name_of, "USD", [])
    assert (found.remote_id, found.number, found.reference, found.phase) == (
        "101",
        "INV-1",
        REFERENCE,
        "part_settled",
    )
    assert found.content() == {
        "customer": "ACME",
        "issue_date": "2026-11-10",
        "due_date": "2026-12-10",
        "currency": "USD",
        "memo": "November",
        "po_number": "PO-1",
        "lines": [
            {
                "account": "4000",
                "description": "Services",
                "quantity": "1",
                "unit_price": "2373.45",
                "tracking": {"department": "Sales"},
            }
        ],
    }
    assert found.computed == {"total": "2373.45", "net": "2373.45", "tax": "0", "open": "2000"}


@pytest.mark.parametrize(
    ("state", "due", "phase"),
    [
        ("Posted", "2373.45", "posted"),
        ("Paid", "0", "settled"),
        ("Draft", "2373.45", "draft"),
        ("Submitted", "2373.45", "pending_approval"),
        ("Reversed", "0", "reversed"),
        ("", "1", "part_settled"),
    ],
)
def test_phases(state: str, due: str, phase: str):
    found = invoice_from({**HEADER, "STATE": state, "TRX_TOTALDUE": due}, [READ_LINE], name_of, "USD", [])
    assert found.phase == phase


def test_a_fingerprint_does_not_move_with_the_balance():
    first = invoice_from(HEADER, [READ_LINE], name_of, "USD", [])
    paid = invoice_from({**HEADER, "STATE": "Paid", "TRX_TOTALDUE": "0"}, [READ_LINE], name_of, "USD", [])
    assert first.fingerprint == paid.fingerprint


def test_a_credit_memo_is_read_with_positive_amounts():
    row = {**HEADER, "STATE": "Posted", "TRX_TOTALENTERED": "-30", "TRX_TOTALDUE": "-10"}
    assert is_credit(row)
    assert not is_credit(HEADER)
    settled = (LiveAllocation("invoice", "101", Decimal(20)),)
    found = credit_from(row, [{**READ_LINE, "TRX_AMOUNT": "-30"}], name_of, "USD", settled)
    assert (found.computed["total"], found.computed["open"]) == ("30", "10")
    assert found.content()["lines"][0]["unit_price"] == "30"
    assert (found.phase, found.allocations) == ("part_settled", settled)


# ---- payments ----

MONEY = {
    "customer": "ACME",
    "received_on": DAY,
    "amount": Decimal("3000.00"),
    "bank_account": "BOA",
    "method": "check",
    "reference": "4711",
    "memo": "Thanks",
}


def test_money_on_account_is_an_advance():
    call = fits(Cash(MONEY, "USD", "bank_transfer", REFERENCE).advance("2300"))
    advance = call.find("ARADVANCE")
    assert advance.findtext("PAYMENTMETHOD") == "Printed Check"
    assert advance.findtext("RECEIPTDATE") == advance.findtext("PAYMENTDATE") == "11/10/2026"
    assert advance.findtext("DOCNUMBER") == "4711"
    assert advance.findtext("DESCRIPTION") == f"Thanks\n{REFERENCE}"
    assert advance.findtext("ARADVANCEITEMS/ARADVANCEITEM/TRX_AMOUNT") == "3000"


def test_money_for_documents_is_a_payment():
    content = {**MONEY, "allocations": [{"invoice": "101", "amount": Decimal(90), "discount": Decimal(10)}]}
    call = fits(Cash(content, "USD", "bank_transfer", REFERENCE).payment())
    (detail,) = call.findall(".//ARPYMTDETAIL")
    assert [(one.tag, one.text) for one in detail] == [
        ("RECORDKEY", "101"),
        ("TRX_PAYMENTAMOUNT", "90"),
        ("TRX_TOTALDISCOUNTTOAPPLY", "10"),
    ]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        (("ARADVANCE", "78"), ["RECORDKEY", "ADVANCEKEY", "TRX_POSTEDADVANCEAMOUNT"]),
        (("ARADJUSTMENT", "79"), ["RECORDKEY", "ADJUSTMENTKEY", "TRX_ADJUSTMENTAMOUNT"]),
    ],
)
def test_a_credit_is_applied_by_a_payment_without_cash(source: tuple[str, str], names: list[str]):
    made = Application(source, "ACME", "BOA", "cash", "USD", DAY, REFERENCE, [("101", Decimal("15.50"))])
    (detail,) = fits(made.element()).findall(".//ARPYMTDETAIL")
    assert [one.tag for one in detail] == names


DETAILS = [
    {"PAYMENTKEY": "9", "RECORDKEY": "101", "TRX_PAYMENTAMOUNT": "60", "TRX_DISCOUNTAMOUNT": "2", "STATE": "C"},
    {"PAYMENTKEY": "9", "RECORDKEY": "102", "TRX_PAYMENTAMOUNT": "40", "STATE": "C"},
    {"PAYMENTKEY": "10", "RECORDKEY": "101", "ADVANCEKEY": "78", "TRX_POSTEDADVANCEAMOUNT": "15"},
    {"PAYMENTKEY": "11", "RECORDKEY": "101", "ADVANCEKEY": "78", "TRX_POSTEDADVANCEAMOUNT": "5"},
    {"PAYMENTKEY": "12", "RECORDKEY": "102", "ADJUSTMENTKEY": "79", "TRX_ADJUSTMENTAMOUNT": "7"},
    {"PAYMENTKEY": "13", "POSADJKEY": "5", "TRX_PAYMENTAMOUNT": "1"},
]


def test_what_a_payment_applies_belongs_to_what_it_applies():
    applied = applied_from(DETAILS, frozenset({"11"}))
    assert [(item.target_id, item.amount, item.discount) for item in allocations_of(("ARPYMT", "9"), applied)] == [
        ("101", Decimal(60), Decimal(2)),
        ("102", Decimal(40), Decimal(0)),
    ]
    assert [item.amount for item in allocations_of(("ARADVANCE", "78"), applied)] == [Decimal(15)]
    assert [item.amount for item in allocations_of(("ARADJUSTMENT", "79"), applied)] == [Decimal(7)]


def test_an_advance_and_a_payment_are_payments_and_an_application_is_none():
    applied = applied_from(DETAILS, frozenset())
    row = {"CUSTOMERID": "ACME", "RECEIPTDATE": "11/10/2026", "FINANCIALENTITY": "BOA", "PAYMENTMETHOD": "EFT"}
    advance = payment_from("ARADVANCE", {**row, "RECORDNO": "78", "TRX_TOTALENTERED": "50"}, applied, "USD")
    assert advance is not None
    assert (advance.remote_id, advance.phase, advance.computed["open"]) == ("ARADVANCE-78", "part_settled", "30")
    assert advance.content()["method"] == "bank_transfer"
    payment = payment_from("ARPYMT", {**row, "RECORDNO": "9", "TRX_TOTALENTERED": "100"}, applied, "USD")
    assert payment is not None
    assert (payment.phase, payment.computed["total"]) == ("settled", "100")
    assert payment_from("ARPYMT", {**row, "RECORDNO": "10", "TRX_TOTALENTERED": "15"}, applied, "USD") is None
    gone = payment_from(
        "ARPYMT", {**row, "RECORDNO": "9", "STATE": "Reversed"}, applied_from(DETAILS, frozenset("9")), "USD"
    )
    assert gone is not None
    assert (gone.phase, gone.allocations, gone.computed["total"]) == ("reversed", (), "100")


def test_ids_and_methods():
    assert money_parts("ARPYMT-9") == ("ARPYMT", "9")
    assert money_parts("9") == money_parts("OTHER-9") == ("", "")
    assert [method_word(one) for one in ("EFT", "Printed Check", "cheque", "Credit Card", "barter")] == [
        "bank_transfer",
        "check",
        "check",
        "credit_card",
        None,
    ]


# ---- masters ----

CUSTOMER = {
    "name": "Acme",
    "email": "ap@acme.example",
    "phones": ["1"],
    "credit_limit": Decimal("1000.00"),
    "payment_terms": "N30",
    "addresses": [
        {"type": "billing", "line1": "1 Road", "city": "Rome", "country": "IT"},
        {"type": "delivery", "line1": "2 Dock"},
    ],
    "contacts": [{"role": "bill_to", "name": "Desk", "email": "desk@acme.example"}],
}


def new_customer(content: dict[str, object]) -> tuple[Element, list[Element]]:
    wanted = own_contacts("ACME", content)
    made = element(
        "CUSTOMER",
        leaf("CUSTOMERID", "ACME"),
        *customer_fields(content, new=True),
        display_contact(content, new=True),
        *references(wanted, new=True),
    )
    return made, list(wanted.contacts.values())


def test_a_customer_and_its_contacts():
    made, contacts = new_customer(CUSTOMER)
    fits(element("create", made), *(element("create", one) for one in contacts))
    assert [one.findtext("CONTACTNAME") for one in contacts] == ["ACME bill to", "ACME ship to"]
    assert contacts[0].findtext("MAILADDRESS/CITY") == "Rome"
    assert contacts[1].findtext("PRINTAS") == "Acme"
    assert made.findtext("BILLTO/CONTACTNAME") == "ACME bill to"
    assert made.findtext("DISPLAYCONTACT/MAILADDRESS/ISOCOUNTRYCODE") == "IT"
    assert made.find("CONTACTINFO") is None


def test_a_change_clears_what_is_none_and_leaves_what_is_not_said():
    made = display_contact({"email": None, "phones": []}, new=False)
    assert plain(made) == "<DISPLAYCONTACT><EMAIL1 /><PHONE1 /><PHONE2 /></DISPLAYCONTACT>"
    assert display_contact({"hold": True}, new=False) is None
    fields = [one for one in customer_fields({"payment_terms": None, "hold": True}, new=False) if one is not None]
    assert [(one.tag, one.text) for one in fields] == [("TERMNAME", None), ("ONHOLD", "true")]
    dropped = references(own_contacts("ACME", {"name": "Acme"}), new=False)
    assert [plain(one) for one in dropped] == [
        f"<{place}><CONTACTNAME /></{place}>" for place in ("CONTACTINFO", "BILLTO", "SHIPTO")
    ]


def test_a_customer_is_read_back_with_its_contacts():
    row = {
        "CUSTOMERID": "ACME",
        "NAME": "Acme",
        "STATUS": "active",
        "CREDITLIMIT": "1000",
        "ONHOLD": "false",
        "TERMNAME": "N30",
        "DISPLAYCONTACT.CONTACTNAME": "Acme(CACME)",
        "DISPLAYCONTACT.EMAIL1": "ap@acme.example",
        "DISPLAYCONTACT.PHONE1": "1",
        "BILLTO.CONTACTNAME": "ACME bill to",
        "SHIPTO.CONTACTNAME": "ACME ship to",
        "CONTACTINFO.CONTACTNAME": "Acme(CACME)",
    }
    contacts = {
        "ACME bill to": {
            "PRINTAS": "Desk",
            "EMAIL1": "desk@acme.example",
            "MAILADDRESS.ADDRESS1": "1 Road",
            "MAILADDRESS.CITY": "Rome",
            "MAILADDRESS.COUNTRYCODE": "IT",
        },
        "ACME ship to": {"PRINTAS": "Acme", "MAILADDRESS.ADDRESS1": "2 Dock"},
    }
    found = customer_from(row, contacts)
    assert (found.remote_id, found.code, found.phase) == ("ACME", "ACME", "active")
    content = found.content()
    assert content["addresses"] == CUSTOMER["addresses"]
    assert content["contacts"] == CUSTOMER["contacts"]
    assert (content["credit_limit"], content["payment_terms"], content["hold"]) == ("1000", "N30", False)


def test_accounts_banks_and_terms():
    made = fits(element("create", account_body({"name": "Advice", "code": "4020", "type": "income"})))
    assert made.findtext("GLACCOUNT/CLOSINGTYPE") == "closing account"
    row = {one.tag: one.text or "" for one in made.find("GLACCOUNT")}
    assert account_from(row).content() == {"name": "Advice", "code": "4020", "type": "income", "status": "active"}
    bank = bank_from({"BANKACCOUNTID": "BOA", "GLACCOUNTNO": "1200"}, "USD")
    assert bank.content() == {"name": "BOA", "account": "1200", "currency": "USD"}
    tax = tax_from({"DETAILID": "VAT", "VALUE": "20"})
    assert tax.content() == {"name": "VAT", "code": "VAT", "rate": "20"}
    term = term_from({"NAME": "N30", "DUEDATE": "30", "DUEFROM": "of the month of invoice/bill date"})
    assert term.content() == {"name": "N30", "days": 30}


def test_scalars():
    assert day_of("11/10/2026") == day_of("2026-11-10") == day_of("11/10/2026 08:00:00") == DAY
    assert day_of("13/45/2026") is day_of("") is None
    assert amount_of("6400") == Decimal(6400)
    assert amount_of("") is amount_of(None) is None


@pytest.mark.parametrize("text", ["1,234.50", "NaN", "1_000", "\u0663", "12 USD", "1e5", "x", "-", "."])
def test_what_is_no_number_does_not_count_as_nothing(text: str):
    with pytest.raises(Unavailable, match="where a number should be"):
        amount_of(text)


@pytest.mark.parametrize(
    ("make", "price"), [(create_invoice, "-5"), (create_adjustment, "0"), (create_adjustment, "-5")]
)
def test_a_document_of_the_other_kinds_sign_is_not_made(make: Any, price: str):
    content = {"customer": "A", "issue_date": DAY, "lines": [{**LINE, "unit_price": Decimal(price)}]}
    with pytest.raises(Rejected):
        make(content, books(), reference=REFERENCE, number="1")

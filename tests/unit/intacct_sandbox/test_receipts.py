"""Advances and payments: with cash, with every kind of credit, over-applied, reversed, drafted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from reconciler.sandboxes.ledger.commands import CreateRecord, SetAllocation
from tests.unit.intacct_sandbox.caller import Caller, advance, day, invoice, payment, pays

RATES = "<EXCHANGE_RATE>1</EXCHANGE_RATE><EXCH_RATE_TYPE_ID>Intacct Daily Rate</EXCH_RATE_TYPE_ID>"


def due(caller: Caller, name: str = "ARINVOICE") -> list[tuple[str, ...]]:
    return caller.values(name, "STATE", "TRX_TOTALPAID", "TRX_TOTALDUE")


def uses(target: str, name: str, source: str, tag: str, amount: str) -> str:
    return f"<RECORDKEY>{target}</RECORDKEY><{name}>{source}</{name}><{tag}>{amount}</{tag}>"


def test_cash_pays_several_invoices(books: Caller) -> None:
    first, second = books.invoice("I-1"), books.invoice("I-2")
    key = books.done(payment(pays(first, "100"), pays(second, "30.50"), header="<CURRENCY>USD</CURRENCY>")).recordno
    assert due(books) == [("Paid", "100", "0"), ("Partially Paid", "30.5", "69.5")]
    fields = (
        "RECORDNO",
        "RECORDID",
        "DOCNUMBER",
        "FINANCIALENTITY",
        "PAYMENTMETHOD",
        "STATE",
        "RECEIPTDATE",
        "TRX_TOTALENTERED",
        "TRX_TOTALDUE",
    )
    assert books.values("ARPYMT", *fields) == [
        (key, "PAY-000001", "P-1", "operating", "EFT", "C", "11/03/2026", "130.5", "0")
    ]
    assert books.values("ARPYMTDETAIL", "PAYMENTKEY", "RECORDKEY", "TRX_PAYMENTAMOUNT") == [
        (key, first, "100"),
        (key, second, "30.5"),
    ]
    assert books.values("ARINVOICE", "WHENPAID") == [("11/03/2026",), ("",)]


def test_lines_are_paid_in_their_order(books: Caller) -> None:
    lines = "".join(
        f"<lineitem><glaccountno>4000</glaccountno><amount>{amount}</amount></lineitem>" for amount in (40, 60)
    )
    key = books.done(invoice("I-1", lines=lines)).key
    books.done(payment(pays(key, "50")))
    assert books.values("ARINVOICEITEM", "TRX_AMOUNT", "TRX_TOTALPAID", "TRX_TOTALDUE") == [
        ("40", "40", "0"),
        ("60", "10", "50"),
    ]


def test_every_kind_of_credit(books: Caller) -> None:
    target = books.invoice("I-1", "500")
    credit, negative, held = books.credit("A-1", "-30"), books.invoice("I-2", "-40"), books.advance("50")
    over = books.done(payment(pays(target, "100"), header="<OVERPAYMENTAMOUNT>25</OVERPAYMENTAMOUNT>")).recordno
    assert books.values("ARPYMT", "TRX_TOTALENTERED", "TRX_TOTALDUE") == [("125", "25")]
    found = books.done(
        payment(
            pays(target, "10"),
            uses(target, "ADJUSTMENTKEY", credit, "TRX_ADJUSTMENTAMOUNT", "30"),
            uses(target, "ADVANCEKEY", held, "TRX_POSTEDADVANCEAMOUNT", "20"),
            uses(target, "ADVANCEKEY", held, "TRX_POSTEDADVANCEAMOUNT", "15"),
            uses(target, "NEGATIVEINVOICEKEY", negative, "TRX_NEGATIVEINVOICEAMOUNT", "40"),
            uses(target, "OVERPAYMENTKEY", over, "TRX_POSTEDOVERPAYMENTAMOUNT", "25"),
            number="P-2",
        )
    )
    assert books.values("ARINVOICE", "RECORDID", "TRX_TOTALDUE") == [("I-1", "260"), ("I-2", "0")]
    assert books.values("ARADJUSTMENT", "STATE", "TRX_TOTALDUE") == [("Paid", "0")]
    assert books.values("ARADVANCE", "STATE", "TRX_TOTALDUE") == [("Partially Paid", "15")]
    where = f"<equalto><field>PAYMENTKEY</field><value>{found.recordno}</value></equalto>"
    assert len(books.values("ARPYMTDETAIL", "RECORDKEY", where=where)) == 6
    books.done(f'<reverse_arpayment key="{found.recordno}">{day("datereversed", "2026-11-10")}</reverse_arpayment>')
    assert books.values("ARINVOICE", "RECORDID", "TRX_TOTALDUE") == [("I-1", "400"), ("I-2", "-40")]
    assert books.values("ARADVANCE", "TRX_TOTALDUE") == [("50",)]
    assert books.values("ARPYMT", "STATE", "TRX_TOTALDUE") == [("C", "25"), ("V", "0")]


def test_credits_alone_move_no_money(books: Caller) -> None:
    target, held = books.invoice("I-1"), books.advance("50")
    key = books.done(payment(uses(target, "ADVANCEKEY", held, "TRX_POSTEDADVANCEAMOUNT", "50"))).recordno
    assert int(key) > 1_000_000_000
    assert due(books) == [("Partially Paid", "50", "50")]
    assert books.values("ARPYMT", "RECORDNO", "DOCNUMBER", "TRX_TOTALENTERED", "STATE") == [(key, "P-1", "0", "C")]
    reverse = '<reverse_arpayment key="{}">' + day("datereversed", "2026-11-10") + "</reverse_arpayment>"
    refused = books.one(reverse.format(held))
    assert "is applied by payment" in refused.errors[0][1]
    books.done(reverse.format(key))
    assert "already reversed" in books.one(reverse.format(key)).errors[0][1]
    assert due(books) == [("Posted", "0", "100")]
    books.done(reverse.format(held))
    assert books.values("ARADVANCE", "STATE", "TRX_TOTALDUE") == [("Reversed", "0")]


@pytest.mark.parametrize("over", ["cash", "credit", "advance"])
def test_over_application_is_refused_and_nothing_of_it_happens(books: Caller, over: str) -> None:
    target, credit, held = books.invoice("I-1"), books.credit("A-1", "-30"), books.advance("50")
    details = {
        "cash": [pays(target, "60"), pays(target, "41")],
        "credit": [pays(target, "10"), uses(target, "ADJUSTMENTKEY", credit, "TRX_ADJUSTMENTAMOUNT", "31")],
        "advance": [
            uses(target, "ADJUSTMENTKEY", credit, "TRX_ADJUSTMENTAMOUNT", "30"),
            uses(target, "ADVANCEKEY", held, "TRX_POSTEDADVANCEAMOUNT", "50.01"),
        ],
    }[over]
    found = books.one(payment(*details))
    assert "exceeds the amount due" in found.errors[0][1]
    assert due(books) == [("Posted", "0", "100")]
    assert books.values("ARPYMT", "RECORDNO") == []
    assert books.values("ARADJUSTMENT", "TRX_TOTALDUE") == [("-30",)]


@pytest.mark.parametrize(
    ("details", "part"),
    [
        ("<RECORDKEY>{i}</RECORDKEY>", "has an amount"),
        ("<TRX_PAYMENTAMOUNT>1</TRX_PAYMENTAMOUNT>", "exactly one of RECORDKEY and POSADJKEY"),
        ("<RECORDKEY>{i}</RECORDKEY><TRX_PAYMENTAMOUNT>-1</TRX_PAYMENTAMOUNT>", "greater than zero"),
        ("<RECORDKEY>999</RECORDKEY><TRX_PAYMENTAMOUNT>1</TRX_PAYMENTAMOUNT>", "does not exist"),
        ("<POSADJKEY>{i}</POSADJKEY><TRX_PAYMENTAMOUNT>1</TRX_PAYMENTAMOUNT>", "does not exist"),
        (
            "<RECORDKEY>{i}</RECORDKEY><ADVANCEKEY>{a}</ADVANCEKEY><ADJUSTMENTKEY>1</ADJUSTMENTKEY>",
            "one type of credit",
        ),
        ("<RECORDKEY>{i}</RECORDKEY><ADVANCEKEY>{a}</ADVANCEKEY>", "is not a valid number"),
        ("<RECORDKEY>{i}</RECORDKEY><AMOUNT>1</AMOUNT>", "Invalid field 'AMOUNT'"),
        ("<RECORDKEY>{o}</RECORDKEY><TRX_PAYMENTAMOUNT>1</TRX_PAYMENTAMOUNT>", "another customer's"),
    ],
)
def test_details_that_make_no_sense(books: Caller, details: str, part: str) -> None:
    books.customer("C2")
    keys = {"i": books.invoice("I-1"), "o": books.invoice("I-2", customer="C2"), "a": books.advance()}
    found = books.one(payment(details.format(**keys)))
    assert part in found.errors[0][1]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("<PAYMENTMETHOD>EFT", "<PAYMENTMETHOD>Barter"), "Invalid payment method"),
        (("<FINANCIALENTITY>operating", "<FINANCIALENTITY>BOA"), "The financial account 'BOA' is invalid"),
        (("<FINANCIALENTITY>operating</FINANCIALENTITY>", ""), "FINANCIALENTITY or UNDEPOSITEDACCOUNTNO"),
        (("11/03/2026", "3 Nov"), "Invalid date format"),
        (("<CUSTOMERID>C1", "<CUSTOMERID>C9"), "The customer 'C9' is invalid"),
        (("<DOCNUMBER>", f"{RATES}<DOCNUMBER>"), "not both"),
        (("<DOCNUMBER>", "<MYSTERY>1</MYSTERY><DOCNUMBER>"), "Invalid field 'MYSTERY'"),
    ],
)  # fmt: skip
def test_headers_that_are_wrong(books: Caller, change: tuple[str, str], part: str) -> None:
    found = books.one(payment(pays(books.invoice("I-1"), "1")).replace(*change, 1))
    assert part in f"{found.errors[0][1]} {found.element.findtext('errormessage/error/correction')}"


def test_undeposited_funds_and_a_discount(books: Caller) -> None:
    target = books.invoice("I-1")
    detail = pays(target, "98") + "<TRX_TOTALDISCOUNTTOAPPLY>2</TRX_TOTALDISCOUNTTOAPPLY>"
    asked = payment(detail).replace(
        "<FINANCIALENTITY>operating</FINANCIALENTITY>", "<UNDEPOSITEDACCOUNTNO>1290</UNDEPOSITEDACCOUNTNO>"
    )
    books.done(asked)
    assert due(books) == [("Paid", "100", "0")]
    assert books.values("ARPYMT", "UNDEPOSITEDACCOUNTNO", "FINANCIALENTITY") == [("1290", "")]
    assert books.values("ARPYMTDETAIL", "TRX_DISCOUNTAMOUNT") == [("2",)]


def test_an_advance_is_owed_until_it_is_applied(books: Caller) -> None:
    books.advance("50", "2300")
    books.advance("20", "1100")
    remainders = [record.body for record in books.running.books.records("payment")]
    assert ['"remainder":"advance"' in body for body in remainders] == [True, False]
    assert books.values("ARADVANCE", "RECORDTYPE", "TRX_TOTALDUE", "RECORDID") == [
        ("rr", "50", "PAY-000001"),
        ("rr", "20", "PAY-000002"),
    ]
    assert "is invalid" in books.one(advance("5", "9999")).errors[0][1]
    assert books.values("ARPYMT", "RECORDNO") == []
    books.running.switches.set({"payments_list_advances": "1"})
    assert books.values("ARPYMT", "RECORDTYPE") == [("rr",), ("rr",)]


def test_an_inline_credit_is_taken_off_already(books: Caller) -> None:
    lines = "".join(
        f"<lineitem><glaccountno>4000</glaccountno><amount>{amount}</amount></lineitem>" for amount in (100, -10)
    )
    key = books.done(invoice("I-1", lines=lines)).key
    inline = f"<RECORDKEY>{key}</RECORDKEY><INLINEKEY>{key}</INLINEKEY><TRX_INLINEAMOUNT>{{}}</TRX_INLINEAMOUNT>"
    assert books.one(payment(pays(key, "90"), inline.format("11"))).status == "failure"
    books.done(payment(pays(key, "90"), inline.format("10")))
    assert due(books) == [("Paid", "90", "0")]


def test_a_debit_memo_is_paid(books: Caller) -> None:
    key = books.credit("A-1", "25")
    books.done(payment(f"<POSADJKEY>{key}</POSADJKEY><TRX_PAYMENTAMOUNT>25</TRX_PAYMENTAMOUNT>"))
    assert due(books, "ARADJUSTMENT") == [("Paid", "25", "0")]


def test_a_draft_payment(books: Caller) -> None:
    target = books.invoice("I-1")
    key = books.done(payment(pays(target, "60"), header="<ACTION>Draft</ACTION>")).recordno
    assert books.values("ARPYMT", "STATE") == [("D",)]
    assert due(books) == [("Posted", "0", "100")]
    books.done(f"<update><ARPYMT><RECORDNO>{key}</RECORDNO><ACTION>Submit</ACTION></ARPYMT></update>")
    assert due(books) == [("Partially Paid", "60", "40")]
    assert "Only drafts" in books.one(f'<delete_arpayment key="{key}"/>').errors[0][1]
    other = books.done(payment(pays(target, "1"), header="<ACTION>Draft</ACTION>")).recordno
    books.done(f"<delete><object>ARPYMT</object><keys>{other}</keys></delete>")
    assert len(books.values("ARPYMT", "RECORDNO")) == 1


def test_legacy_payments(books: Caller) -> None:
    target = books.invoice("I-1")
    item = f"<arpaymentitem><invoicekey>{target}</invoicekey><amount>40</amount></arpaymentitem>"
    legacy = (
        "<create_arpayment><customerid>C1</customerid><paymentamount>{}</paymentamount><bankaccountid>operating"
        f"</bankaccountid>{day('datereceived', '2026-11-02')}<paymentmethod>Cash</paymentmethod>{{}}"
        "</create_arpayment>"
    )
    books.done(legacy.format("40", item))
    held = books.done(legacy.format("50", "")).key
    apply = (
        f"<apply_arpayment><arpaymentkey>{held}</arpaymentkey>{day('paymentdate', '2026-11-04')}<arpaymentitems>"
        f"{item}</arpaymentitems></apply_arpayment>"
    )
    books.done(apply)
    assert due(books) == [("Partially Paid", "80", "20")]
    assert due(books, "ARADVANCE") == [("Partially Paid", "40", "10")]
    assert "exceeds" in books.one(apply).errors[0][1]
    assert "exceeds the payment" in books.one(legacy.format("30", item)).errors[0][1]


def test_what_a_colleague_applied_is_shown(books: Caller) -> None:
    target, held, credit = books.invoice("I-1"), books.advance("50"), books.credit("A-1", "-30")
    ledger = books.running.books.ledger
    ledger.one(SetAllocation("payment", f"pay-{held}", "invoice", f"inv-{target}", Decimal(50)))
    ledger.one(SetAllocation("credit_note", f"crn-{credit}", "invoice", f"inv-{target}", Decimal(30)))
    found = books.values(
        "ARPYMTDETAIL",
        "RECORDKEY",
        "ADVANCEKEY",
        "ADJUSTMENTKEY",
        "TRX_POSTEDADVANCEAMOUNT",
        "TRX_ADJUSTMENTAMOUNT",
    )
    assert sorted(found) == sorted([(target, held, "", "50", ""), (target, "", credit, "", "30")])


def test_others_payments_stay_what_they_were_made_as(books: Caller) -> None:
    target = books.invoice("I-1")
    ledger = books.running.books.ledger
    [bank] = books.running.books.records("bank_account")
    customer = books.running.books.records("customer")[0].id
    content = {
        "customer": customer,
        "received_on": date(2026, 11, 2),
        "amount": Decimal(20),
        "bank_account": bank.id,
    }
    paid = {"allocations": [{"invoice": f"inv-{target}", "amount": Decimal(5)}]}
    ledger.one(CreateRecord("payment", content | paid))
    own = ledger.one(CreateRecord("payment", content)).id.partition("-")[2]
    assert len(books.values("ARPYMT", "RECORDNO")) == 1
    assert books.values("ARADVANCE", "RECORDNO") == [(own,)]
    books.done(payment(uses(target, "ADVANCEKEY", own, "TRX_POSTEDADVANCEAMOUNT", "20")))
    assert books.values("ARADVANCE", "RECORDNO", "TRX_TOTALDUE") == [(own, "0")]
    [(key, _)] = [row for row in books.values("ARPYMT", "RECORDNO", "TRX_TOTALDUE") if row[1] == "15"]
    assert books.values("ARPYMTDETAIL", "PAYMENTKEY", "TRX_PAYMENTAMOUNT")[0] == (key, "5")

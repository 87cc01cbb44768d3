"""What is read: query's filters, orders, pages, aggregates; readByQuery and readMore; lookup; the legacy reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.intacct_sandbox.caller import Caller, day, gateway, invoice


@pytest.fixture(scope="module")
def full() -> Iterator[Caller]:
    """Seven invoices of two customers, one of them in euros, one a draft. Tests only read."""
    with gateway() as caller:
        caller.customer("C1")
        caller.customer("C2")
        for at in range(1, 6):
            issued = f"2026-11-{at:02d}"
            caller.done(
                invoice(f"I-{at}", str(at * 100), issued=issued, header=f"<description>No {at}</description>")
            )
        caller.done(invoice("i-6", "600", customer="C2", money="<currency>EUR</currency><exchratetype/>"))
        caller.done(
            invoice("I_7", "700", customer="C2").replace("<invoiceno>", "<action>Draft</action><invoiceno>")
        )
        yield caller


def found(caller: Caller, where: str, more: str = "") -> str:
    return " ".join(number for (number,) in caller.values("ARINVOICE", "RECORDID", where=where, more=more))


def filtered(tag: str, name: str, *values: str) -> str:
    return f"<{tag}><field>{name}</field>{''.join(f'<value>{value}</value>' for value in values)}</{tag}>"


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (filtered("equalto", "RECORDID", "I-2"), "I-2"),
        (filtered("equalto", "RECORDID", "i-2"), ""),
        ("", "I-1 I-2 I-3 I-4 I-5 i-6 I_7"),
        (filtered("notequalto", "CUSTOMERID", "C1"), "i-6 I_7"),
        (filtered("lessthan", "TRX_TOTALENTERED", "200"), "I-1"),
        (filtered("lessthanorequalto", "TRX_TOTALENTERED", "200.00"), "I-1 I-2"),
        (filtered("greaterthan", "WHENCREATED", "11/03/2026"), "I-4 I-5"),
        (filtered("greaterthanorequalto", "WHENCREATED", "11/04/2026"), "I-4 I-5"),
        (filtered("between", "WHENCREATED", "11/02/2026", "11/03/2026"), "I-2 I-3"),
        (filtered("in", "RECORDID", "I-1", "I-5", "none"), "I-1 I-5"),
        (filtered("notin", "RECORDID", "I-1", "I-2", "I-3", "I-4"), "I-5 i-6 I_7"),
        (filtered("like", "RECORDID", "I-%"), "I-1 I-2 I-3 I-4 I-5"),
        (filtered("like", "RECORDID", "I__"), "I-1 I-2 I-3 I-4 I-5 I_7"),
        (filtered("like", "RECORDID", "I\\__"), "I_7"),
        (filtered("notlike", "RECORDID", "I%"), "i-6"),
        (filtered("isnull", "DESCRIPTION"), "i-6 I_7"),
        (filtered("isnotnull", "DESCRIPTION"), "I-1 I-2 I-3 I-4 I-5"),
        (f"<and>{filtered('equalto', 'CUSTOMERID', 'C2')}{filtered('equalto', 'STATE', 'Draft')}</and>", "I_7"),
        (f"<or>{filtered('equalto', 'RECORDID', 'I-1')}{filtered('equalto', 'CURRENCY', 'EUR')}</or>", "I-1 i-6"),
        (filtered("greaterthanorequalto", "WHENMODIFIED", "11/22/2026 12:00:01"), ""),
    ],
)
def test_filters(full: Caller, where: str, numbers: str) -> None:
    assert found(full, where) == numbers


def test_case_may_be_ignored(full: Caller) -> None:
    ignored = "<options><caseinsensitive>true</caseinsensitive></options>"
    assert found(full, filtered("equalto", "RECORDID", "I-6"), ignored) == "i-6"


def query(select: str, more: str = "") -> str:
    return f"<query><object>ARINVOICE</object><select>{select}</select>{more}</query>"


def test_pages_and_orders(full: Caller) -> None:
    orders = [f"<order><field>{field}</field><descending/></order>" for field in ("CUSTOMERID", "TRX_TOTALENTERED")]
    order = f"<orderby>{''.join(orders)}</orderby>"
    asked = query("<field>RECORDID</field>", f"{order}<pagesize>3</pagesize><offset>{{}}</offset>")
    first, last = full.done(asked.format(0)), full.done(asked.format(6))
    assert [row["RECORDID"] for row in first.rows] == ["I_7", "i-6", "I-5"]
    assert first.data.attrib == {
        "listtype": "ARINVOICE", "totalcount": "7", "offset": "0", "count": "3", "numremaining": "4",
    }  # fmt: skip
    assert [row["RECORDID"] for row in last.rows] == ["I-1"]
    assert full.done(asked.format(70)).rows == []


def test_aggregates(full: Caller) -> None:
    [row] = full.done(query("<count>RECORDNO</count><sum>TRX_TOTALENTERED</sum><max>WHENCREATED</max>")).rows
    assert row == {"COUNT.RECORDNO": "7", "SUM.TRX_TOTALENTERED": "2800", "MAX.WHENCREATED": "11/05/2026"}
    rows = full.done(query("<field>CUSTOMERID</field><avg>TRX_TOTALENTERED</avg>")).rows
    assert rows == [
        {"CUSTOMERID": "C1", "AVG.TRX_TOTALENTERED": "300"},
        {"CUSTOMERID": "C2", "AVG.TRX_TOTALENTERED": "650"},
    ]


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (query("<field>NOPE</field>"), "Invalid field NOPE"),
        (query("<field>*</field>"), "all fields is not supported"),
        (query("<field>RECORDNO</field>", "<pagesize>2001</pagesize>"), "between 1 and 2000"),
        (query("<field>RECORDNO</field>", "<pagesize>ten</pagesize>"), "not a whole number"),
        (
            query("<field>RECORDNO</field>", f"<filter>{filtered('lessthan', 'WHENDUE', 'soon')}</filter>"),
            "not a date",
        ),
        (query("<sum>RECORDID</sum>"), "needs a field of numbers"),
        (
            "<query><object>NOPE</object><select><field>A</field></select></query>",
            "Object definition NOPE not found",
        ),
        (query("<field>RECORDNO</field>", "<options><returnformat>csv</returnformat></options>"), "xml only"),
    ],
)
def test_queries_that_fail(full: Caller, asked: str, part: str) -> None:
    outcome = full.one(asked)
    assert outcome.errors[0][0] == "Query Failed"
    assert part in outcome.errors[0][1]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("RECORDID = 'I-2'", "I-2"),
        ("CUSTOMERID = 'C2' AND STATE = 'Draft'", "I_7"),
        ("RECORDID = 'I-1' or RECORDID = 'I-2' and CUSTOMERID = 'C9'", "I-1"),
        ("(RECORDID = 'I-1' OR RECORDID = 'I-2') AND TRX_TOTALENTERED > 100", "I-2"),
        ("TRX_TOTALENTERED &gt;= 600 and TRX_TOTALENTERED &lt; 700", "i-6"),
        ("RECORDID in ('I-1', 'I-3')", "I-1 I-3"),
        ("RECORDID NOT IN ('I-1','I-2','I-3','I-4','I-5')", "i-6 I_7"),
        ("RECORDID like 'I-%' AND DESCRIPTION IS NOT NULL AND WHENCREATED &lt; '11/02/2026'", "I-1"),
        ("DESCRIPTION IS NULL", "i-6 I_7"),
        ("DESCRIPTION = 'it\\'s'", ""),
        ("", "I-1 I-2 I-3 I-4 I-5 i-6 I_7"),
    ],
)
def test_conditions_as_text(full: Caller, where: str, numbers: str) -> None:
    asked = f"<readByQuery><object>ARINVOICE</object><query>{where}</query><fields>RECORDID</fields></readByQuery>"
    assert " ".join(row["RECORDID"] for row in full.done(asked).rows) == numbers


@pytest.mark.parametrize(
    "where",
    [
        "RECORDID",
        "RECORDID =",
        "NOPE = 1",
        "(RECORDID = 'a'",
        "RECORDID = 'a",
        "= 'a'",
        "A ; B",
        "RECORDID = 'a' RECORDID",
        "RECORDID IN 'a'",
        "((" * 60,
    ],
)
def test_conditions_that_are_none(full: Caller, where: str) -> None:
    asked = f"<readByQuery><object>ARINVOICE</object><query>{where}</query></readByQuery>"
    assert full.one(asked).errors[0][0] == "Query Failed"


def test_reading_on(full: Caller) -> None:
    asked = (
        "<readByQuery><object>ARINVOICE</object><query></query><fields>RECORDID</fields><pagesize>3</pagesize>"
        "</readByQuery>"
    )
    page = full.done(asked).data
    seen = [row.findtext("RECORDID") for row in page]
    assert (page.get("listtype"), page.get("totalcount"), page.get("numremaining")) == ("arinvoice", "7", "4")
    assert {row.tag for row in page} == {"arinvoice"}
    more = f"<readMore><resultId>{page.get('resultId')}</resultId></readMore>"
    for left in ("1", "0"):
        page = full.done(more).data
        assert page.get("numremaining") == left
        seen += [row.findtext("RECORDID") for row in page]
    assert len(set(seen)) == 7
    assert full.one(more).status == "failure"
    empty = full.done(asked.replace("<query></query>", "<query>RECORDID = 'x'</query>")).data
    assert (empty.get("count"), empty.get("totalcount"), empty.get("resultId")) == ("0", "0", "")


def test_reading_by_keys(full: Caller) -> None:
    [first, *_] = full.values("ARINVOICE", "RECORDNO")
    data = full.done(f"<read><object>ARINVOICE</object><keys>{first[0]},999</keys></read>").data
    assert (data.get("listtype"), data.get("count")) == ("ARINVOICE", "1")
    assert len(data[0]) > 30
    named = full.done("<readByName><object>CUSTOMER</object><keys>C2</keys><fields>NAME</fields></readByName>")
    assert named.rows == [{"NAME": "Acme C2"}]
    wrong = full.one("<read><object>ARINVOICE</object><keys>1</keys><fields>RECORDNO,x</fields></read>")
    assert wrong.errors == [("Invalid fields list x", "")]


def test_what_objects_have(full: Caller) -> None:
    described = full.done("<lookup><object>ARINVOICE</object></lookup>").data[0]
    ids = [field.findtext("ID") for field in described.iterfind("Fields/Field")]
    assert {"RECORDNO", "RECORDID", "TRX_TOTALDUE"} <= set(ids)
    states = [field for field in described.iterfind("Fields/Field") if field.findtext("ID") == "STATE"]
    assert "Paid" in [value.text for value in states[0].iterfind("VALIDVALUES/VALIDVALUE")]
    assert full.done("<inspect><object>CUSTOMER</object></inspect>").data.findtext("Type/Fields/Field/Name")
    types = full.done("<inspect><object>*</object></inspect>").data
    assert "ARPYMT" in [item.text for item in types]


def test_legacy_reads(full: Caller) -> None:
    terms = full.done('<get_list object="arterm"/>')
    heading = terms.element.find("listtype")
    assert heading is not None
    assert (heading.text, heading.get("total")) == ("arterm", "1")
    assert terms.data.findtext("arterm/name") == "Net 30"
    assert terms.data.findtext("arterm/due/daysforward") == "30"
    assert full.done('<get object="customer" key="C1"/>').data.findtext("customer/name") == "Acme C1"
    assert full.one('<get object="customer" key="C9"/>').status == "failure"
    assert full.one('<get object="artransactiondef" key="1"/>').errors[0][0] == "Query Failed"


def test_legacy_invoices_are_as_the_response_documents_have_them(full: Caller) -> None:
    expression = "<expression><field>{}</field><operator>{}</operator><value>{}</value></expression>"
    like = f"<filter>{expression.format('invoiceno', 'like', 'I-%')}</filter>"
    listed = full.done(f'<get_list object="invoice" start="1" maxitems="2">{like}</get_list>')
    heading = listed.element.find("listtype")
    assert heading is not None
    assert heading.attrib == {"start": "1", "end": "2", "total": "5"}
    first = listed.data[0]
    assert [child.tag for child in first][:6] == [
        "key",
        "customerid",
        "datecreated",
        "dateposted",
        "datedue",
        "datepaid",
    ]
    assert [part.text for part in first.find("datecreated") or ()] == ["2026", "11", "02"]
    assert (first.findtext("invoiceno"), first.findtext("trx_totaldue")) == ("I-2", "200")
    assert first.findtext("invoiceitems/lineitem/glaccountno") == "4000"
    either = expression.format("invoiceno", "=", "I-1") + expression.format("totaldue", ">=", "600")
    either = f'<filter><logical logical_operator="or">{either}</logical></filter>'
    ask = f'<get_list object="invoice">{either}<sorts><sortfield order="desc">invoiceno</sortfield></sorts>'
    found = full.done(f"{ask}<fields><field>invoiceno</field></fields></get_list>").data
    assert [[(child.tag, child.text) for child in row] for row in found] == [
        [("invoiceno", "i-6")],
        [("invoiceno", "I-1")],
    ]
    wrong = f"<filter>{expression.format('nonsense', '=', '1')}</filter>"
    assert full.one(f'<get_list object="invoice">{wrong}</get_list>').status == "failure"


def test_a_company_may_keep_its_currency_to_itself(full: Caller) -> None:
    ask = '<get_list object="company_info"/>'
    assert full.done(ask).data.findtext("company_info/basecurr") == "USD"
    full.running.switches.set({"company_currency": "untold"})
    assert [child.tag for child in full.done(ask).data[0]] == ["title", "name"]


@pytest.mark.parametrize("order", ["", "<orderby><order><field>RECORDNO</field><ascending/></order></orderby>"])
def test_rows_move_between_pages(full: Caller, order: str) -> None:
    full.running.switches.set({"page_drift": "1"})
    asked = query("<field>RECORDID</field>", f"{order}<pagesize>3</pagesize><offset>{{}}</offset>")
    seen = [row["RECORDID"] for at in (0, 3, 6) for row in full.done(asked.format(at)).rows]
    assert "I-4" not in seen


def test_every_list_can_be_read(full: Caller) -> None:
    assert full.values("DEPARTMENT", "DEPARTMENTID", "TITLE") == [("Sales", "Sales"), ("Support", "Support")]
    assert full.values("LOCATION", "LOCATIONID") == [("North",)]
    assert full.values("CHECKINGACCOUNT", "BANKACCOUNTID", "GLACCOUNTNO") == [("operating", "1200")]
    assert ("4000", "Sales", "incomestatement", "credit") in full.values(
        "GLACCOUNT", "ACCOUNTNO", "TITLE", "ACCOUNTTYPE", "NORMALBALANCE"
    )
    assert full.values("TAXDETAIL", "DETAILID", "VALUE") == [("STANDARD", "20"), ("ZERO", "0")]
    assert full.values("ARTERM", "NAME", "DUEDATE") == [("Net 30", "30")]
    assert full.values("ITEM", "ITEMID", "BASEPRICE", "INCOMEACCTKEY") == [("WIDGET", "10", "4000")]
    assert full.values("COMPANY", "BASECURR") == [("USD",)]
    assert full.values("CLASS", "CLASSID") == []
    assert full.done("<getDimensions/>").data.findtext("dimensions/dimension/objectName") == "DEPARTMENT"
    assert full.done("<get_closedbooksdate/>").data.findtext("closedbooksdate/year") == ""
    assert (
        full.done(f"<get_araging>{day('asofdate', '2027-05-01')}</get_araging>").data.findtext("araging/customerid")
        == "C1"
    )

"""What is read of the books: signs, taxes, departments, item documents, pages, allocations, credit and prints."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from reconciler.providers.accountsiq.codec_documents import Arithmetic
from reconciler.providers.accountsiq.codec_masters import account_from
from reconciler.providers.accountsiq.directory import Directory
from reconciler.providers.accountsiq.entries import entry_from
from reconciler.providers.accountsiq.envelope import NS, Row
from reconciler.providers.accountsiq.provider import merged
from reconciler.providers.accountsiq.wire import id_of
from reconciler.providers.errors import Rejected
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Absent, Found, Inconclusive, Probe, Query
from tests.unit.accountsiq_provider.service import (
    CUSTOMER,
    Service,
    Told,
    answered,
    calling,
    failed,
    provider,
    text,
)

DEPARTMENTS = {
    "GetAnalysisDimensionSetup": (
        "<Result><D><Code>1</Code><Description>Region</Description><DimensionCodes><C><Code>NORTH</Code></C>"
        "<C><Code>SOUTH</Code></C></DimensionCodes></D><D><Code>2</Code><Description>Unit</Description>"
        "<DimensionCodes><C><Code>SALES</Code></C></DimensionCodes></D></Result>"
    ),
    "GetDepartmentList": (
        "<Result><Department><DepartmentID>NS</DepartmentID><Description>North sales</Description>"
        "<AnalysisCode1>NORTH</AnalysisCode1><AnalysisCode2>SALES</AnalysisCode2><IsActive>true</IsActive></Department>"
        "<Department><DepartmentID>OLD</DepartmentID><AnalysisCode1>SOUTH</AnalysisCode1><IsActive>false</IsActive>"
        "</Department></Result>"
    ),
}


def row(inner: str) -> Row:
    return Row(fromstring(f"<x xmlns='{NS}'>{inner}</x>"))


def summary(id_: str = "100", kind: str = "SI", sign: int = 1, left: str = "110", more: str = "") -> str:
    """A transaction of 100 and 10 tax; `sign` of its control line, 0 for amounts without a sign."""
    control, others = (110 * sign, -sign) if sign else (110, 1)
    details = "".join(
        f"<L><GLAccountCode>{account}</GLAccountCode><IsControlLine>{control_line}</IsControlLine>"
        f"<IsTaxLine>{tax}</IsTaxLine><Amount>{value}</Amount><TaxID>{code}</TaxID>"
        f"<DepartmentID>{'NS' if account == '4000' else ''}</DepartmentID><Description>{words}</Description></L>"
        for account, control_line, tax, value, code, words in (
            ("1100", "true", "false", control, "", "Delivered"),
            ("4000", "false", "false", 100 * others, "2", "Advice"),
            ("2200", "false", "true", 10 * others, "2", "Advice"),
        )
    )
    return (
        f"<T><AccountID>7</AccountID><AccountCode>ACME</AccountCode><TransactionType>{kind}</TransactionType>"
        f"<TransactionID>{id_}</TransactionID><IsBatchInvoiceOrNote>true</IsBatchInvoiceOrNote><InvoiceID>0</InvoiceID>"
        f"<InternalNumber>N-{id_}</InternalNumber><ExternalReference>R-{id_}~abcdefghij23456{id_[-1]}</ExternalReference>"
        f"<ControlAmount>{control}</ControlAmount><OutstandingAmount>{left}</OutstandingAmount>"
        f"<TransactionDate>2026-11-22T00:00:00</TransactionDate><LineDetails>{details}</LineDetails>"
        f"<CurrencyCode>EUR</CurrencyCode>{more}</T>"
    )


def result(*rows: str) -> str:
    return f"<Result>{''.join(rows)}</Result>"


@pytest.mark.parametrize("sign", [1, -1, 0])
def test_amounts_are_read_whatever_their_sign(sign: int) -> None:
    service = Service(GetTransactionsBy=[result(summary(sign=sign)), result()], **DEPARTMENTS)
    (observed,) = provider(service).observe(Query(("invoice",)))
    assert observed.computed == {"total": "110", "open": "110", "net": "100", "tax": "10"}
    assert observed.content() == {
        "customer": "ACME",
        "issue_date": "2026-11-22",
        "currency": "EUR",
        "memo": "Delivered",
        "lines": [
            {
                "account": "4000",
                "description": "Advice",
                "quantity": "1",
                "unit_price": "100",
                "taxes": ["RED"],
                "tax_amount": "10",
                "tracking": {"1": "NORTH", "2": "SALES"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("left", "more", "phase"),
    [
        ("110", "", "posted"),
        ("-40", "", "part_settled"),
        ("0", "", "settled"),
        ("110", "<IsReversed>true</IsReversed>", "void"),
    ],
)
def test_a_phase_is_told_by_what_is_open(left: str, more: str, phase: str) -> None:
    entry = entry_from(row(summary(left=left, more=more)[3:-4]), "EUR")
    assert entry is not None
    assert entry.phase == phase


def test_what_is_of_another_type_is_not_ours_to_know() -> None:
    assert entry_from(row(summary(kind="SD")[3:-4]), "EUR") is None


def test_pages_are_read_until_one_is_empty_and_nothing_counts_twice() -> None:
    pages: list[Told] = [result(summary("100"), summary("101")), result(summary("101"), summary("102")), result()]
    service = Service(GetTransactionsBy=pages)
    found = [one.remote_id for one in provider(service, verify_pages=False).observe(Query(("invoice",)))]
    assert found == ["100", "101", "102"]
    assert [text(asked, "query/Skip") for asked in service.asked["GetTransactionsBy"]] == ["0", "2", "4"]
    types = service.asked["GetTransactionsBy"][0].find(f".//{{{NS}}}TypesFilter")
    assert types is not None
    assert [one.text for one in types] == ["SI"]


def test_what_slipped_between_two_pages_is_found_by_reading_again() -> None:
    """102 moved to the first page when it had been read already."""
    first = [result(summary("100"), summary("101")), result(summary("103")), result()]
    again = [result(summary("100"), summary("101")), result(summary("102"), summary("103")), result()]
    service = Service(GetTransactionsBy=[*first, *again, *again])
    found = [one.remote_id for one in provider(service).observe(Query(("invoice",)))]
    assert found == ["100", "101", "103", "102"]
    assert service.order.count("GetTransactionsBy") == 9


def test_records_asked_for_by_id_need_no_empty_page() -> None:
    service = Service(GetTransactionsBy=result(summary("100")))
    assert len(list(provider(service).observe(Query(("invoice",), ids=("100",))))) == 1
    assert service.order.count("GetTransactionsBy") == 1


def link(other: str, given: str, type_: str = "SI", reference: str = "") -> str:
    return (
        f"<E><AllocatedToTransactionID>{other}</AllocatedToTransactionID>"
        f"<AllocatedToTransactionType>{type_}</AllocatedToTransactionType>"
        f"<AllocatedToExternalReference>{reference}</AllocatedToExternalReference>"
        f"<AllocationAmount>{given}</AllocationAmount><AllocationDate>2026-11-23T00:00:00</AllocationDate></E>"
    )


def allocations(id_: str, *links: str) -> str:
    return f"<A><TransactionID>{id_}</TransactionID><AllocationEntries>{''.join(links)}</AllocationEntries></A>"


def test_what_a_receipt_settles_is_asked_of_the_receipt() -> None:
    service = Service(
        GetTransactionsBy=[result(summary("200", "SR", -1, "-60")), result(summary("100"))],
        GetAllocationsByTransactionId=result(allocations("200", link("100", "-30"), link("100", "20"))),
    )
    (observed,) = provider(service).observe(Query(("payment",), ids=("200",)))
    (found,) = observed.allocations
    assert (found.target_kind, found.target_id, found.amount) == ("invoice", "100", Decimal(50))
    assert found.date == date(2026, 11, 23)
    assert observed.phase == "part_settled"


def test_many_sources_are_asked_for_by_one_list() -> None:
    ids = ("200", "201", "202", "203")
    service = Service(
        GetTransactionsBy=[result(*(summary(one, "SR", -1, "0") for one in ids)), result(summary("100"))],
        GetAllocationsForTransactionsCreatedBetween=[
            result(*(allocations(one, link("100", "110")) for one in ids)),
            result(),
        ],
    )
    found = list(provider(service).observe(Query(("payment",), ids=ids)))
    assert {one.allocations[0].amount for one in found} == {Decimal(110)}
    assert "GetAllocationsByTransactionId" not in service.order


def test_a_discount_is_its_own_sources_alone() -> None:
    ours, theirs = "R-200~abcdefghij234560", "somebody else's"
    service = Service(
        GetTransactionsBy=[result(summary("200", "SR", -1, "0")), result(summary("100"))],
        GetAllocationsByTransactionId=[
            result(allocations("200", link("100", "110"))),
            result(allocations("100", link("900", "2", "DS", ours), link("901", "7", "DS", theirs))),
        ],
    )
    (observed,) = provider(service, discounts=True).observe(Query(("payment",), ids=("200",)))
    assert observed.allocations[0].discount == Decimal(2)


def test_many_sources_tell_no_more_of_discounts_than_few() -> None:
    """A list of all links has the invoices' too: what is not carried is not read."""
    ids = ("200", "201", "202", "203")
    ours = "R-200~abcdefghij234560"
    links = [allocations(id_, link("100", "110")) for id_ in ids]
    service = Service(
        GetTransactionsBy=[result(*(summary(id_, "SR", -1, "0") for id_ in ids)), result(summary("100"))],
        GetAllocationsForTransactionsCreatedBetween=[
            result(*links, allocations("100", link("900", "2", "DS", ours))),
            result(),
        ],
    )
    found = list(provider(service).observe(Query(("payment",), ids=ids)))
    assert {one.allocations[0].discount for one in found} == {Decimal(0)}


# ---- look-ups ----


def probe(number: int) -> Probe:
    content = {"customer": "ACME", "issue_date": date(2026, 11, number), "lines": []}
    return Probe(f"k{number}", Create("invoice", content), "d", f"R-10{number}~ABCDEFGHIJ23456{number}")


def test_few_are_looked_up_by_reference_whatever_its_case() -> None:
    service = Service(GetTransactionsByExternalReference=[result(summary("102")), result()])
    first, second = provider(service).lookup([probe(2), probe(3)])
    assert isinstance(first, Found)
    assert isinstance(second, Absent)


def test_many_are_looked_up_on_their_customers_days() -> None:
    service = Service(GetTransactionsBy=[result(summary("103"), summary("109")), result()])
    found = provider(service).lookup([probe(number) for number in range(2, 8)])
    assert [type(one) for one in found] == [Absent, Found, Absent, Absent, Absent, Absent]
    asked = service.asked["GetTransactionsBy"][0]
    assert (text(asked, "query/FromDate"), text(asked, "query/ToDate")) == (
        "2026-11-02T00:00:00",
        "2026-11-07T23:59:59",
    )
    assert text(asked, "query/AccountIDsFilter/int") == "7"


def test_many_of_a_customer_without_an_account_are_looked_for_among_all() -> None:
    service = Service(
        GetCustomer=f"<Result>{CUSTOMER.replace('<AccountID>7</AccountID>', '')}</Result>",
        GetTransactionsBy=[result(summary("103")), result()],
    )
    provider(service).lookup([probe(number) for number in range(2, 8)])
    assert text(service.asked["GetTransactionsBy"][0], "query/AccountIDsFilter/int") is None


def test_two_of_one_reference_are_for_a_person() -> None:
    twice = result(summary("102"), summary("102").replace("<TransactionID>102", "<TransactionID>112"))
    (found,) = provider(Service(GetTransactionsByExternalReference=twice)).lookup([probe(2)])
    assert isinstance(found, Inconclusive)


# ---- masters, credit, prints ----


@pytest.mark.parametrize(
    ("category", "kind", "expected"),
    [
        ("Trade debtors", "Balance sheet", "accounts_receivable"),
        ("Bank accounts", "Balance sheet", "bank"),
        ("Trade creditors", "", "liability"),
        ("Sales", "Profit and loss", "income"),
        ("Overheads", "", "expense"),
        ("", "Fixed assets", "fixed_asset"),
        ("", "", "other"),
    ],
)
def test_an_accounts_type_is_told_by_its_category(category: str, kind: str, expected: str) -> None:
    made = f"<Code>1</Code><GLCategory>{category}</GLCategory><AccountType>{kind}</AccountType>"
    assert account_from(row(made)).content()["type"] == expected


@pytest.mark.parametrize(
    ("rates", "unit", "expected"),
    [
        (("0.2", "0.1"), "auto", {"20", "10"}),
        (("20", "0.5"), "auto", {"20", "0.5"}),
        (("0.5", "1"), "percent", {"0.5", "1"}),
        (("0.2", "1"), "fraction", {"20", "100"}),
    ],
)
def test_tax_rates_are_percent_in_the_end(rates: tuple[str, ...], unit: str, expected: set[str]) -> None:
    made = result(*(f"<Tax><Code>T{one}</Code><Rate>{one}</Rate></Tax>" for one in rates))
    found = provider(Service(GetTaxCodeList=made), tax_rate_unit=unit).observe(Query(("tax_rate",)))
    assert {one.content()["rate"] for one in found} == expected


def test_a_department_is_a_set_and_a_dimension_a_category() -> None:
    found = list(provider(Service(**DEPARTMENTS)).observe(Query(("tracking_category", "tracking_set"))))
    assert [(one.kind, one.remote_id, one.phase) for one in found] == [
        ("tracking_category", "1", "active"),
        ("tracking_category", "2", "active"),
        ("tracking_set", "NS", "active"),
        ("tracking_set", "OLD", "archived"),
    ]
    assert found[0].content()["values"] == ["NORTH", "SOUTH"]
    assert found[2].content()["tracking"] == {"1": "NORTH", "2": "SALES"}


def test_a_code_in_a_place_without_a_dimension_still_tells_departments_apart() -> None:
    service = Service(
        GetAnalysisDimensionSetup=result(
            "<D><Code>1</Code><Description>Dept</Description></D>",
            "<D><Code>3</Code><Description>Area</Description></D>",
        ),
        GetDepartmentList=result(
            "<D><DepartmentID>X</DepartmentID><AnalysisCode1>A</AnalysisCode1><AnalysisCode3>N</AnalysisCode3>"
            "<AnalysisCode5>Q</AnalysisCode5><IsActive>true</IsActive></D>"
        ),
    )
    (observed,) = provider(service).observe(Query(("tracking_set",)))
    assert observed.content()["tracking"] == {"1": "A", "3": "N", "5": "Q"}
    with pytest.raises(Rejected, match="no active department"):
        Directory(calling(service), "EUR").department({"1": "A", "3": "N"})


@pytest.mark.parametrize("rate", ["150", "0.85", "1.0873", "0.0066", "83.125", "1234.5", "0.00006123"])
@pytest.mark.parametrize("places", [0, 17])
def test_a_rate_that_counts_the_other_way_round_is_read_as_it_was_declared(rate: str, places: int) -> None:
    arithmetic = Arithmetic(inverse=True)
    sent = arithmetic.rate_to(Decimal(rate))
    kept = round(sent, places) if places else sent
    assert arithmetic.rate_from(kept) == Decimal(rate)
    assert Arithmetic().rate_from(Decimal(rate)) == Arithmetic().rate_to(Decimal(rate)) == Decimal(rate)


def test_an_id_out_of_all_proportion_is_none() -> None:
    assert id_of(row(f"<TransactionID>{'9' * 5000}</TransactionID>"), "TransactionID") is None
    assert id_of(row("<TransactionID>12</TransactionID>"), "TransactionID") == "12"


def test_periods_that_follow_each_other_are_one_span() -> None:
    spans = [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 1, 1), date(2026, 1, 31)),
        (date(2026, 4, 1), date(2026, 4, 30)),
    ]
    assert merged(spans) == ((date(2026, 1, 1), date(2026, 2, 28)), (date(2026, 4, 1), date(2026, 4, 30)))


def test_a_closed_sales_ledger_is_no_open_period() -> None:
    periods = result(
        "<P><StartDate>2026-01-01T00:00:00</StartDate><EndDate>2026-01-31T00:00:00</EndDate>"
        "<SalesLedgerClosed>true</SalesLedgerClosed></P>",
        "<P><StartDate>2026-02-01T00:00:00</StartDate><EndDate>2026-02-28T00:00:00</EndDate></P>",
    )
    company = provider(Service(GetPeriodList=periods)).company()
    assert company.open_periods == ((date(2026, 2, 1), date(2026, 2, 28)),)


def _standing(service: Service, **more: Any) -> Any:
    return provider(service, **more).credit_standings(["ACME"])["ACME"]


def _credit(due: str, limit: str = "1000") -> Service:
    rows = "".join(
        f"<S><Type>{kind}</Type><OutstandingAmount>{left}</OutstandingAmount>{due}</S>"
        for kind, left in (("SI", "300"), ("SN", "-20"))
    )
    statement = f"<C><CustomerState><CustomerCode>ACME</CustomerCode></CustomerState><TransactionList>{rows}"
    return Service(
        GetAccountBalanceInformation=result(
            f"<B><AccountCode>ACME</AccountCode><Balance>280</Balance><CreditLimit>{limit}</CreditLimit></B>"
        ),
        GetCustomersStatement=result(f"{statement}</TransactionList></C>"),
        GetCustomer=f"<Result>{CUSTOMER.replace('<Hold>0', '<Hold>1')}</Result>",
    )


def test_a_credit_standing_says_balance_limit_hold_and_what_is_overdue() -> None:
    found = _standing(_credit("<DueDate>2026-11-01T00:00:00</DueDate>"))
    assert (found.currency, found.balance, found.limit, found.overdue) == ("EUR", 280, 1000, 300)
    assert found.on_hold


def test_without_due_dates_nothing_is_told_of_overdue_and_a_limit_of_nothing_is_none() -> None:
    assert _standing(_credit("")).overdue is None
    assert _standing(_credit("", "0")).limit is None
    assert _standing(_credit("", "0"), credit_limit_zero="zero").limit == 0


def test_a_print_is_decoded_and_one_that_is_not_there_is_told() -> None:
    service = Service(
        GetInvoicePDFByTransactionID=[
            "<Result>JVBERi0x\nLjQ=</Result>",
            failed("GetInvoicePDFByTransactionID", "NOT_FOUND"),
        ]
    )
    books = provider(service)
    assert books.document("invoice", "100").content == b"%PDF-1.4"
    for kind in ("invoice", "payment"):
        with pytest.raises(Rejected):
            books.document(kind, "100")


def test_a_summary_that_cannot_be_had_is_an_error_not_an_empty_book() -> None:
    service = Service(GetTransactionsBy=answered("GetTransactionsBy", "", status="Failure", code="READ_ONLY"))
    with pytest.raises(Rejected, match="READ_ONLY"):
        list(provider(service).observe(Query(("invoice",))))

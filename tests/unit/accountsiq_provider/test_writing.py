"""What is written beside documents: customers that go back whole, departments, allocations, files; normalising."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.providers.accountsiq.codec_documents import same_currency
from reconciler.providers.accountsiq.directory import Customer
from reconciler.providers.accountsiq.envelope import NS, Row
from reconciler.providers.accountsiq.normalising import Normaliser
from reconciler.providers.accountsiq.provider import AccountsIQProvider
from reconciler.providers.accountsiq.records import CUSTOMER as ORDER
from reconciler.providers.accountsiq.records import Record
from reconciler.providers.errors import Indeterminate, Rejected, Stale
from reconciler.providers.http.failures import NoAnswer
from reconciler.providers.operations import Allocate, Attach, Create, Unallocate, Update
from reconciler.providers.protocol import Done, Normalized
from tests.unit.accountsiq_provider.service import (
    CUSTOMER,
    Service,
    Stages,
    answered,
    calling,
    failed,
    names,
    provider,
    request,
    settings,
    text,
)
from tests.unit.accountsiq_provider.test_reading import DEPARTMENTS, allocations, link, result, summary

NEWER = CUSTOMER.replace("<IsActive>", "<Newer>kept</Newer><IsActive>") + "<NewerStill>9</NewerStill>"


# ---- records that go back whole ----


def test_a_field_goes_into_its_place_and_what_is_unknown_stays() -> None:
    record = Record("customer", Row(fromstring(f"<x xmlns='{NS}'>{NEWER}</x>")), ORDER)
    record.put("Email", "a@b.example")
    record.put("Name", "Acme Ltd")
    record.put("EDICentralID", "E")
    order = names(record.element)
    assert order.index("CurrencyCode") < order.index("Email") < order.index("IsActive")
    assert order.index("CurrencyCode") < order.index("Newer") < order.index("IsActive")
    assert order[-2:] == ["EDICentralID", "NewerStill"]
    assert text(record.element, "Newer") == "kept"


def test_an_updated_customer_goes_back_whole_with_its_row_version() -> None:
    service = Service(GetCustomer=f"<Result>{NEWER}</Result>", UpdateCustomer="<Result>true</Result>")
    done = provider(service).execute(
        request(Update("customer", "ACME", {"name": "Acme"}, {"name": "Acme Ltd"})), Stages()
    )
    assert done == Done("ACME")
    sent = service.asked["UpdateCustomer"][0]
    assert text(sent, "customer/Name") == "Acme Ltd"
    assert text(sent, "customer/RowVersionNumber") == "A1"
    assert text(sent, "customer/NewerStill") == "9"
    assert text(sent, "create") == "false"


def test_a_customer_that_moved_is_not_written_over() -> None:
    service = Service(UpdateCustomer="<Result>true</Result>")
    with pytest.raises(Stale, match="Name"):
        provider(service).execute(request(Update("customer", "ACME", {"name": "Old"}, {"name": "New"})), Stages())
    assert "UpdateCustomer" not in service.order


def updated(fields: str, before: dict[str, Any], after: dict[str, Any]) -> Element:
    service = Service(GetCustomer=f"<Result>{CUSTOMER}{fields}</Result>", UpdateCustomer="")
    provider(service).execute(request(Update("customer", "ACME", before, after)), Stages())
    return service.asked["UpdateCustomer"][0][1]


def test_a_phone_counts_wherever_it_stands() -> None:
    mobile = "<MobilePhone>222</MobilePhone>"
    sent = updated(mobile, {"phones": ["222"]}, {"phones": ["111", "222"]})
    assert (text(sent, "Phone"), text(sent, "MobilePhone")) == ("111", "222")
    sent = updated(mobile, {"phones": ["222"]}, {"phones": ["111"]})
    assert (text(sent, "Phone"), text(sent, "MobilePhone")) == ("111", None)


def test_a_country_in_words_is_left_alone_until_one_is_declared() -> None:
    there = "<Address1>Quay 1</Address1><Country>Ireland</Country>"
    before = {"addresses": [{"type": "billing", "line1": "Quay 1"}]}
    sent = updated(there, before, {"addresses": [{"type": "billing", "line1": "Quay 2"}]})
    assert (text(sent, "Address1"), text(sent, "Country")) == ("Quay 2", "Ireland")
    sent = updated(there, before, {"addresses": [{"type": "billing", "line1": "Quay 1", "country": "IE"}]})
    assert text(sent, "Country") == "IE"


def test_a_text_that_looks_like_the_same_number_has_moved() -> None:
    with pytest.raises(Stale, match="VATRegistrationNumber"):
        updated("<VATRegistrationNumber>0123</VATRegistrationNumber>", {"tax_number": "123"}, {"tax_number": "9"})


def test_an_outdated_row_version_is_stale() -> None:
    service = Service(UpdateCustomer=failed("UpdateCustomer", "OUTDATED_RECORD", status="Conflicted"))
    with pytest.raises(Stale):
        provider(service).execute(request(Update("customer", "ACME", {"hold": False}, {"hold": True})), Stages())


def test_a_new_customer_is_the_entitys_defaults_filled_in() -> None:
    shell = "<CreditTermID>3</CreditTermID><AccountReferralID>x</AccountReferralID><Newer>1</Newer>"
    service = Service(
        GetNewCustomerFromDefaults=f"<Result>{shell}</Result>", UpdateCustomer="<Result>true</Result>"
    )
    books = provider(service)
    content = {"code": "ACME", "name": "Acme", "credit_limit": Decimal("5.50"), "phones": ["1"]}
    for code in ("ACME", "BETA"):
        assert books.execute(request(Create("customer", {**content, "code": code})), Stages()) == Done(code)
    sent = service.asked["UpdateCustomer"][0]
    assert names(sent[1]) == ["Code", "Name", "CreditTermID", "Phone", "CreditLimit", "Newer"]
    assert text(sent, "create") == "true"
    assert service.order.count("GetNewCustomerFromDefaults") == 1


# ---- BI codes ----


def test_a_line_names_the_one_active_department_with_its_codes() -> None:
    service = Service(**DEPARTMENTS)
    directory = provider(service)._opened().directory
    assert directory.department({"2": "SALES", "1": "NORTH"}) == "NS"
    assert directory.department({}) is None
    for codes in ({"1": "SOUTH"}, {"1": "NORTH"}):
        with pytest.raises(Rejected, match="no active department"):
            directory.department(codes)


def test_a_department_is_made_with_its_codes_in_the_dimensions_order() -> None:
    service = Service(CreateDepartment="", UpdateDepartment="", **DEPARTMENTS)
    content = {"code": "SS", "tracking": {"2": "SALES"}, "status": "archived"}
    with pytest.raises(Stale):  # the list that a test wrote does not show the new one
        provider(service).execute(request(Create("tracking_set", content)), Stages())
    assert names(service.asked["CreateDepartment"][0]) == ["token", "id", "description", "analysisCode2"]


def test_codes_are_added_to_a_dimension_and_none_is_taken_away() -> None:
    service = Service(AddAnalysisCode="", **DEPARTMENTS)
    books = provider(service)
    values = {"values": ["NORTH", "SOUTH", "WEST"]}
    books.execute(request(Update("tracking_category", "1", {"values": ["NORTH", "SOUTH"]}, values)), Stages())
    (sent,) = service.asked["AddAnalysisCode"]
    assert (text(sent, "groupID"), text(sent, "analysisCode/Code")) == ("1", "WEST")
    with pytest.raises(Rejected, match="takes no code out"):
        books.execute(request(Update("tracking_category", "1", {"values": []}, {"values": ["NORTH"]})), Stages())


# ---- allocations ----


def ledger(*told: str, left: str = "-60", **more: Any) -> Service:
    """A receipt 200 of 110 that settles what `told` says of invoices 100 and 101."""
    return Service(
        GetTransactionsBy=[result(summary("200", "SR", -1, left)), result(summary("100"), summary("101"))],
        GetAllocationsByTransactionId=result(allocations("200", *told)),
        AllocateTransactions="",
        UnallocateTransactions="<Result><R><Status>Success</Status></R></Result>",
        **more,
    )


def test_an_allocation_adds_what_is_missing() -> None:
    service = ledger(link("100", "50"))
    provider(service).execute(
        request(Allocate("payment", "200", "invoice", "100", Decimal(70), Decimal(50))), Stages()
    )
    (sent,) = service.asked["AllocateTransactions"]
    assert [text(sent, name) for name in ("transactionID_1", "transactionID_2", "allocationAmount")] == [
        "100",
        "200",
        "20",
    ]


@pytest.mark.parametrize(("wanted", "before", "outcome"), [(50, 0, None), (70, 40, Stale)])
def test_what_is_done_is_left_and_what_moved_is_stale(
    wanted: int, before: int, outcome: type[Exception] | None
) -> None:
    service = ledger(link("100", "50"))
    asked = request(Allocate("payment", "200", "invoice", "100", Decimal(wanted), Decimal(before)))
    if outcome is None:
        assert provider(service).execute(asked, Stages()) == Done("200")
    else:
        with pytest.raises(outcome):
            provider(service).execute(asked, Stages())
    assert "AllocateTransactions" not in service.order


def test_taking_one_of_two_off_does_it_on_the_side_that_has_no_other() -> None:
    """The receipt settles two invoices, the invoice is settled by this receipt alone."""
    service = ledger(link("100", "50"), link("101", "10"))
    service.told["GetTransactionsBy"].append(result(summary("100", left="60")))
    provider(service).execute(request(Unallocate("payment", "200", "invoice", "100", Decimal(50))), Stages())
    (sent,) = service.asked["UnallocateTransactions"]
    assert text(sent, "transactionIDs/int") == "100"
    assert "AllocateTransactions" not in service.order


def test_where_both_have_others_the_rest_is_recorded_and_put_back() -> None:
    service, stages = ledger(link("100", "50"), link("101", "10")), Stages()
    service.told["GetTransactionsBy"].append(result(summary("100", left="5")))
    operation = Unallocate("payment", "200", "invoice", "100", Decimal(50), Decimal(30))
    provider(service).execute(request(operation), stages)
    assert text(service.asked["UnallocateTransactions"][0], "transactionIDs/int") == "200"
    assert stages.recorded == [("puts_back", {"101": "10 2026-11-23", "100": "30 2026-11-23"})]
    put_back = [
        (text(one, "transactionID_1"), text(one, "allocationAmount"))
        for one in service.asked["AllocateTransactions"]
    ]
    assert put_back == [("101", "10"), ("100", "30")]


def test_a_request_that_was_cut_after_taking_off_puts_back_what_it_recorded() -> None:
    first, stages = ledger(link("100", "50"), link("101", "10")), Stages()
    first.told["GetTransactionsBy"].append(result(summary("100", left="5")))
    first.tell(AllocateTransactions=NoAnswer("cut"))
    operation = Unallocate("payment", "200", "invoice", "100", Decimal(50), Decimal(30))
    with pytest.raises(Indeterminate):
        provider(first).execute(request(operation), stages)
    later = ledger(link("101", "10"), left="-100")
    provider(later).execute(request(operation, stages=tuple(stages.recorded)), Stages())
    (sent,) = later.asked["AllocateTransactions"]
    assert (text(sent, "transactionID_1"), text(sent, "allocationAmount")) == ("100", "30")
    assert "UnallocateTransactions" not in later.order


def test_what_is_refused_after_taking_off_is_no_refusal_of_the_whole() -> None:
    service = ledger(link("100", "50"), link("101", "10"))
    service.told["GetTransactionsBy"].append(result(summary("100", left="5")))
    service.tell(AllocateTransactions=failed("AllocateTransactions", "TRANSACTION_IS_NOT_ALLOCATABLE"))
    with pytest.raises(Indeterminate, match="10 of 101 is not put back"):
        provider(service).execute(request(Unallocate("payment", "200", "invoice", "100", Decimal(50))), Stages())


def test_what_is_put_back_on_a_day_that_is_closed_by_now_gets_todays() -> None:
    service = ledger(link("100", "50"), link("101", "10"))
    service.told["GetTransactionsBy"].append(result(summary("100", left="5")))
    closed = failed("AllocateTransactions", "DATE_IS_OUT_OF_RANGE")
    service.tell(AllocateTransactions=[closed, answered("AllocateTransactions", "")])
    provider(service).execute(request(Unallocate("payment", "200", "invoice", "100", Decimal(50))), Stages())
    days = [text(one, "allocationDate") for one in service.asked["AllocateTransactions"]]
    assert days == ["2026-11-23T00:00:00", "2026-11-22T00:00:00"]


@pytest.mark.parametrize(("left", "side"), [("60", "100"), ("5", None)])
def test_what_a_receipt_settles_besides_invoices_is_left_settled(left: str, side: str | None) -> None:
    """A journal is not ours to know, so it could not be put back: the invoice's side is taken off, or nothing."""
    service = ledger(link("100", "50"), link("900", "10", "SD"))
    receipt, invoice = result(summary("200", "SR", -1, "-50")), result(summary("100"))
    service.tell(GetTransactionsBy=[receipt, invoice, result(), result(summary("100", left=left))])
    asked = request(Unallocate("payment", "200", "invoice", "100", Decimal(50)))
    if side is None:
        with pytest.raises(Rejected, match="could not be put back"):
            provider(service).execute(asked, Stages())
    else:
        provider(service).execute(asked, Stages())
    assert [text(one, "transactionIDs/int") for one in service.asked["UnallocateTransactions"]] == [side] * bool(
        side
    )


def test_an_allocation_without_a_date_is_of_the_entitys_day() -> None:
    service, zone = ledger(link("100", "50")), "Europe/Dublin"
    clock = ManualClock(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    books = AccountsIQProvider(settings(time_zone=zone), calling(service, clock, time_zone=zone), Path())
    books.execute(request(Allocate("payment", "200", "invoice", "100", Decimal(70), Decimal(50))), Stages())
    assert text(service.asked["AllocateTransactions"][0], "allocationDate") == "2026-07-01T00:00:00"


def test_a_refused_row_of_unallocating_is_a_refusal() -> None:
    service = ledger(link("100", "50"))
    bad = "<Result><R><Status>Failure</Status><ErrorCode>TRANSACTION_IS_NOT_EDITABLE</ErrorCode></R></Result>"
    service.tell(UnallocateTransactions=bad)
    with pytest.raises(Rejected):
        provider(service).execute(request(Unallocate("payment", "200", "invoice", "100", Decimal(50))), Stages())


# ---- files ----


NOTHING_ATTACHED = {"AttachDocument": "", "GetAttachedDocumentList": "<Result/>"}


def test_a_file_is_attached_to_the_transaction_once(tmp_path: Path) -> None:
    (tmp_path / "offer.pdf").write_bytes(b"%PDF")
    planned = Attach("invoice", "100", "offer.pdf", "offer.pdf", sha256(b"%PDF").hexdigest())
    service = Service(**NOTHING_ATTACHED)
    provider(service, tmp_path).execute(request(planned), Stages())
    (sent,) = service.asked["AttachDocument"]
    header = sent.find(f".//{{{NS}}}Header")
    assert header is not None
    assert names(header) == ["MasterType", "MasterID", "Filename", "DocumentID"]
    assert text(sent, "document/Content/Content") == "JVBERg=="
    there = Service(GetAttachedDocumentList="<Result><D><Filename>offer.pdf</Filename></D></Result>")
    provider(there, tmp_path).execute(request(planned), Stages())


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        ("offer.docx", "offer.pdf", "no CSV, Excel or PDF"),
        ("gone.pdf", "gone.pdf", "cannot be read"),
        ("out.pdf", "../out.pdf", "outside of the project"),
        ("offer.pdf", "offer.pdf", "not the one that was planned"),
    ],
)
def test_what_cannot_be_attached_is_refused(tmp_path: Path, name: str, path: str, words: str) -> None:
    (tmp_path / "offer.pdf").write_bytes(b"%PDF of another")
    planned = Attach("invoice", "100", name, path, sha256(b"%PDF").hexdigest())
    service = Service(**NOTHING_ATTACHED)
    with pytest.raises(Rejected, match=words):
        provider(service, tmp_path).execute(request(planned), Stages())
    assert "AttachDocument" not in service.order


def _with_file(path: str) -> Create:
    content = {"customer": "ACME", "received_on": date(2026, 1, 1), "amount": Decimal(1), "bank_account": "1200"}
    return Create("payment", {**content, "attachments": [{"name": "offer.pdf", "path": path}]})


POST = "PostPayAndAllocateSalesInvoices"
POSTED = (
    "<Result><R><Status>Success</Status><Result><ReceiptTransactionID>5</ReceiptTransactionID>"
    "<ClientUniqueReference>k1</ClientUniqueReference></Result></R></Result>"
)


def test_a_new_documents_files_follow_it_in_a_batch_too(tmp_path: Path) -> None:
    (tmp_path / "offer.pdf").write_bytes(b"%PDF")
    service = Service(**{POST: POSTED}, **NOTHING_ATTACHED)
    requests = [request(_with_file("offer.pdf")), request(_with_file("gone.pdf"), "P-2~bbcdefghij234567", "k2")]
    outcomes = provider(service, tmp_path, attachments=True).execute_batch(requests, Stages())
    assert outcomes["k1"] == Done("5")
    assert isinstance(outcomes["k2"], Rejected), "its file is not there: it is not posted"
    assert len(service.asked[POST][0][1]) == 1
    assert text(service.asked["AttachDocument"][0], "document/Header/MasterID") == "5"


def test_a_document_whose_file_was_refused_is_there(tmp_path: Path) -> None:
    (tmp_path / "offer.pdf").write_bytes(b"%PDF")
    refused = failed("AttachDocument", "DOCUMENT_NAME_IS_INVALID")
    told: dict[str, Any] = {POST: POSTED, **NOTHING_ATTACHED, "AttachDocument": refused}
    service = Service(**told)
    with pytest.raises(Indeterminate, match="it is posted, but a file is not attached"):
        provider(service, tmp_path).execute(request(_with_file("offer.pdf")), Stages())


def test_files_are_added_to_what_is_posted_and_none_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(b"%PDF")
    one, two = ({"name": f"{letter}.pdf", "path": f"{letter}.pdf"} for letter in "ab")
    service = Service(
        AttachDocument="", GetAttachedDocumentList="<Result><D><Filename>b.pdf</Filename></D></Result>"
    )
    books = provider(service, tmp_path)
    books.execute(request(Update("payment", "5", {"attachments": None}, {"attachments": [two]})), Stages())
    assert "AttachDocument" not in service.order
    with pytest.raises(Rejected, match="takes no file away"):
        books.execute(request(Update("payment", "5", {"attachments": [one]}, {"attachments": [two]})), Stages())
    with pytest.raises(Rejected, match="nothing else"):
        books.execute(request(Update("payment", "5", {"memo": "a"}, {"memo": "b"})), Stages())


# ---- normalising ----


def normalised(kind: str, content: dict[str, Any], codes: dict[str, str] | None = None, **more: Any) -> Normalized:
    return Normaliser(settings(**more), "EUR", lambda: codes or {}, lambda: {"ZERO", "Zero rate"})(kind, content)


def line(**more: Any) -> dict[str, Any]:
    return {"account": "4000", "quantity": Decimal(3), "unit_price": Decimal("33.335"), "taxes": ["STD"], **more}


def test_a_batch_line_becomes_its_net_amount_and_the_plan_says_so() -> None:
    found = normalised("invoice", {"lines": [line(discount={"amount": Decimal("0.01")})]})
    assert found.content["lines"] == [
        {"account": "4000", "quantity": 1, "unit_price": Decimal("100.00"), "taxes": ["STD"]}
    ]
    assert "3 x 33.335 less discount" in found.adjustments[0].declared
    again = normalised("invoice", found.content)
    assert (again.content, again.adjustments) == (found.content, ())


def test_an_item_line_keeps_its_quantity_and_its_percentage() -> None:
    wanted = line(item="BOLT", discount={"percent": Decimal(10)})
    assert normalised("invoice", {"lines": [wanted]}).content["lines"] == [wanted]
    assert normalised("invoice", {"lines": [line(item="BOLT", discount={"amount": Decimal(1)})]}).refused
    assert normalised("invoice", {"lines": [line(item="BOLT"), line()]}).refused
    assert normalised("invoice", {"lines": [line(item="BOLT")]}, item_invoices=False).refused


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("invoice", {"lines": [line(unit_price=Decimal(-1))]}, "no negative line"),
        ("invoice", {"lines": [line(taxes=["A", "B"])]}, "one tax code"),
        ("invoice", {"lines": [line()], "prices": "inclusive"}, "lines are net"),
        ("invoice", {"lines": [line()], "state": "draft"}, "posted at once"),
        ("invoice", {"lines": [line()], "attachments": [{"name": "a.png", "path": "a"}]}, "no CSV"),
        ("invoice", {"lines": [line()], "memo": "a\x01b"}, r"U\+0001"),
        ("customer", {"code": "X" * 51, "name": "Acme"}, "keeps 50"),
        ("customer", {"code": "X", "name": "A" * 51}, "keeps 50"),
        ("customer", {"code": "X", "phones": ["1", "2", "3"]}, "keeps two"),
        ("tracking_set", {"code": "A|B", "tracking": {"Region": "N"}}, "vertical bar"),
        (
            "payment",
            {"allocations": [{"invoice": "I", "amount": Decimal(1), "discount": Decimal(1)}]},
            "discounts: true",
        ),
        ("payment", {"allocations": [{"credit_note": "C", "amount": Decimal(1)}]}, "netting"),
        ("payment", {"remainder": "advance"}, "remainder"),
    ],
)
def test_what_accountsiq_cannot_keep_is_refused_in_words(kind: str, content: dict[str, Any], words: str) -> None:
    import re

    assert any(re.search(words, said) for said in normalised(kind, content).refused)


def test_codes_are_in_upper_case_but_for_those_that_are_there() -> None:
    tracked = {"Region": "north", "Unit": "new"}
    found = normalised(
        "invoice",
        {"lines": [line(quantity=Decimal(1), unit_price=Decimal(1), tracking=tracked)]},
        {"north": "North"},
    )
    assert found.content["lines"][0]["tracking"] == {"Region": "North", "Unit": "NEW"}
    assert normalised("customer", {"code": "acme", "name": "Acme"}).content["code"] == "ACME"


def test_a_line_without_taxes_gets_the_code_that_is_named_for_it() -> None:
    plain = {"quantity": Decimal(1), "unit_price": Decimal(1)}
    assert (
        normalised("invoice", {"lines": [line(**plain, taxes=["Zero rate"])]}, untaxed="ZERO").content["lines"][0][
            "taxes"
        ]
        == []
    )
    assert "no tax code" in normalised("invoice", {"lines": [line(**plain, taxes=[])]}).warnings[0]
    assert not normalised("invoice", {"lines": [line(**plain, taxes=[])]}, untaxed="ZERO").warnings


def test_long_words_are_cut_and_the_plan_says_so() -> None:
    found = normalised("payment", {"memo": "x" * 600, "received_on": date(2026, 1, 1)})
    assert len(found.content["memo"]) == 500
    assert "500" in found.adjustments[0].why


def test_an_answer_that_says_nothing_of_a_saved_receipt_is_in_doubt() -> None:
    operation = "SaveSalesReceiptGetBackTransactionID"
    service = Service(**{operation: answered(operation, "")})
    content = {"customer": "ACME", "received_on": date(2026, 1, 1), "amount": Decimal(1), "bank_account": "1200"}
    with pytest.raises(Indeterminate, match="gives no transactionID"):
        provider(service, duplicate_check=False).execute(request(Create("payment", content)), Stages())


def test_a_customer_s_currency_that_was_changed_since_the_plan_is_not_written_over() -> None:
    acme = Customer("ACME", "7", "EUR")
    assert same_currency({"currency": "EUR"}, acme) == same_currency({}, acme) == "EUR"
    with pytest.raises(Rejected, match="is kept in EUR: a document in USD has no place"):
        same_currency({"currency": "USD"}, acme)

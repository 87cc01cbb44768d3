"""Documents: many in a request with an outcome each, item documents in two steps, one of each in the end."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from reconciler.providers.errors import AlreadyExists, Indeterminate, Rejected, Unavailable
from reconciler.providers.http.failures import NoAnswer
from reconciler.providers.operations import Create
from reconciler.providers.protocol import Done, Found, Probe
from tests.unit.accountsiq_provider.service import (
    CUSTOMER,
    Service,
    Stages,
    answered,
    failed,
    names,
    provider,
    request,
    text,
)

DAY = date(2026, 11, 22)
POST = "PostPayAndAllocateSalesInvoices"
CREDITS = "CreateBatchSalesCreditNoteBulkGetBackTransactionIDs"
LINE = {"account": "4000", "quantity": Decimal(1), "unit_price": Decimal("10.00"), "taxes": ["STD"]}
ITEM_LINE = {"item": "BOLT", "quantity": Decimal(2), "unit_price": Decimal("5.00"), "taxes": ["STD"]}


def invoice(**more: Any) -> Create:
    return Create("invoice", {"customer": "ACME", "issue_date": DAY, "lines": [LINE], **more})


def credit_note() -> Create:
    return Create("credit_note", {"customer": "ACME", "issue_date": DAY, "lines": [LINE]})


def payment(**more: Any) -> Create:
    content = {"customer": "ACME", "received_on": DAY, "amount": Decimal("12.00"), "bank_account": "1200", **more}
    return Create("payment", content)


def row(
    key: str, name: str = "InvoiceTransactionID", id_: str = "100", status: str = "Success", code: str = "SUCCESS"
) -> str:
    made = f"<Result><{name}>{id_}</{name}><ClientUniqueReference>{key}</ClientUniqueReference></Result>"
    return f"<R><Status>{status}</Status><ErrorCode>{code}</ErrorCode>{made if id_ else ''}</R>"


def test_a_batch_invoice_goes_guarded_with_our_tax_and_our_reference() -> None:
    service = Service(**{POST: f"<Result>{row('k1')}</Result>"})
    lines = [
        {**LINE, "unit_price": Decimal("33.33")},
        {"account": "4010", "quantity": Decimal(1), "unit_price": Decimal(5)},
    ]
    made = provider(service).execute(request(invoice(lines=lines, due_date=date(2026, 12, 1))), Stages())
    assert made == Done("100")
    query = service.asked[POST][0][1][0]
    assert names(query)[:3] == [
        "PerformExternalReferenceDuplicateCheckOnInvoice",
        "PerformExternalReferenceDuplicateCheckOnReceipt",
        "BatchInvoice",
    ]
    assert text(query, "PerformExternalReferenceDuplicateCheckOnInvoice") == "true"
    assert text(query, "ClientUniqueReference") == "k1"
    sent = query[2]
    assert names(sent) == [
        "CustomerCode",
        "InvoiceDate",
        "ExternalReference",
        "Description",
        "Lines",
        "ExchangeRate",
        "DueDate",
    ]
    assert text(sent, "ExternalReference") == "INV-1~abcdefghij234567"
    first, second = sent[4]
    assert names(first) == ["GLAccountCode", "TaxCode", "Description", "NetAmount", "TaxRate", "TaxAmount"]
    assert (text(first, "NetAmount"), text(first, "TaxRate"), text(first, "TaxAmount")) == ("33.33", "0.2", "6.67")
    assert (text(second, "TaxRate"), text(second, "TaxAmount")) == ("0", "0")


def test_many_go_in_one_request_and_each_has_its_own_outcome() -> None:
    rows = row("k3", "ReceiptTransactionID", "300") + row("k1") + row("", id_="", status="Failure", code="X")
    service = Service(**{POST: answered(POST, f"<Result>{rows}</Result>", status="Failure", code="X")})
    requests = [
        request(invoice(), key="k1"),
        request(invoice(), "INV-2~bbcdefghij234567", "k2"),
        request(payment(), "PMT-1~cbcdefghij234567", "k3"),
    ]
    outcomes = provider(service).execute_batch(requests, Stages())
    assert outcomes["k1"] == Done("100")
    assert outcomes["k3"] == Done("300")
    assert isinstance(outcomes["k2"], Indeterminate), "the row that names no document is not the one in its place"
    assert service.order.count(POST) == 1


def test_a_row_without_a_key_is_told_by_its_place() -> None:
    refused = row("", id_="", status="Failure", code="INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS")
    service = Service(**{POST: answered(POST, f"<Result>{refused}{row('k2')}</Result>", status="Failure")})
    requests = [request(invoice(), key="k1"), request(invoice(), "INV-2~bbcdefghij234567", "k2")]
    outcomes = provider(service).execute_batch(requests, Stages())
    assert isinstance(outcomes["k1"], AlreadyExists)
    assert outcomes["k2"] == Done("100")


def test_what_the_answer_does_not_mention_may_have_landed() -> None:
    service = Service(**{POST: f"<Result>{row('k1')}</Result>"})
    requests = [request(invoice(), key="k1"), request(invoice(), "INV-2~bbcdefghij234567", "k2")]
    outcomes = provider(service).execute_batch(requests, Stages())
    assert outcomes["k1"] == Done("100")
    assert isinstance(outcomes["k2"], Indeterminate)


def test_a_lost_answer_is_every_members_and_an_impossible_member_goes_alone() -> None:
    service = Service(**{POST: NoAnswer("cut")})
    elsewhere = request(invoice(currency="USD"), "INV-3~dbcdefghij234567", "k3")
    outcomes = provider(service).execute_batch([request(invoice(), key="k1"), elsewhere], Stages())
    assert isinstance(outcomes["k1"], Indeterminate)
    refused = outcomes["k3"]
    assert isinstance(refused, Rejected)
    assert "kept in EUR" in refused.message


def test_a_credit_note_has_its_exchange_rate_first_and_ids_by_place() -> None:
    bad = "<R><Status>Failure</Status><ErrorCode>X</ErrorCode></R>"
    good = "<R><Status>Success</Status></R>"
    out = "<transactionIDs><int>-1</int><int>200</int></transactionIDs>"
    service = Service(**{CREDITS: answered(CREDITS, f"<Result>{bad}{good}</Result>", out=out, status="Failure")})
    requests = [request(credit_note(), key="k1"), request(credit_note(), "CN-2~bbcdefghij234567", "k2")]
    outcomes = provider(service).execute_batch(requests, Stages())
    assert isinstance(outcomes["k1"], Rejected)
    assert outcomes["k2"] == Done("200")
    sent = service.asked[CREDITS][0][1][0]
    assert names(sent) == [
        "ExchangeRate",
        "CustomerCode",
        "CreditNoteDate",
        "ExternalReference",
        "Description",
        "Lines",
    ]


def batch_of_credits(answer: Any) -> Any:
    asked = [request(credit_note(), key="k1"), request(credit_note(), "CN-2~bbcdefghij234567", "k2")]
    return provider(Service(**{CREDITS: answer})).execute_batch(asked, Stages())


DONE_ROW = "<R><Status>Success</Status><ErrorCode>SUCCESS</ErrorCode></R>"


def test_what_was_made_before_the_session_ended_is_made() -> None:
    """A bulk is not atomic: an answer that says `HasExpired` and names what it made is not "nothing was done"."""
    over = "<R><Status>Failure</Status><ErrorCode>READ_ONLY</ErrorCode><HasExpired>true</HasExpired></R>"
    outcomes = batch_of_credits(
        answered(
            CREDITS,
            f"<HasExpired>true</HasExpired><Result>{DONE_ROW}{over}</Result>",
            status="Failure",
            out="<transactionIDs><int>5</int><int>-1</int></transactionIDs>",
        )
    )
    assert outcomes["k1"] == Done("5")
    assert isinstance(outcomes["k2"], Unavailable)


def test_a_bulk_that_is_refused_as_a_whole_may_have_begun() -> None:
    outcomes = batch_of_credits(failed(CREDITS, "DATE_IS_OUT_OF_RANGE"))
    assert {type(one) for one in outcomes.values()} == {Indeterminate}
    alone = provider(Service(**{CREDITS: failed(CREDITS, "DATE_IS_OUT_OF_RANGE")}))
    assert isinstance(alone.execute_batch([request(credit_note())], Stages())["k1"], Rejected)


def test_a_refusal_that_names_a_transaction_settles_nothing() -> None:
    bad = DONE_ROW.replace("Success", "Failure").replace("SUCCESS", "READ_ONLY")
    outcomes = batch_of_credits(
        answered(
            CREDITS,
            f"<Result>{DONE_ROW}{bad}</Result>",
            out="<transactionIDs><int>5</int><int>6</int></transactionIDs>",
        )
    )
    assert outcomes["k1"] == Done("5")
    assert isinstance(outcomes["k2"], Indeterminate)
    service = of_items(**{FINISH: failed(FINISH, "READ_ONLY", out="<transactionID>400</transactionID>")})
    with pytest.raises(Indeterminate, match="yet it names"):
        provider(service).execute(request(invoice(lines=[ITEM_LINE])), Stages())


def test_ids_without_a_place_for_failures_belong_to_the_successes() -> None:
    bad = "<R><Status>Failure</Status><ErrorCode>X</ErrorCode></R>"
    good = "<R><Status>Success</Status></R>"
    out = "<transactionIDs><int>200</int></transactionIDs>"
    service = Service(**{CREDITS: answered(CREDITS, f"<Result>{bad}{good}</Result>", out=out)})
    requests = [request(credit_note(), key="k1"), request(credit_note(), "CN-2~bbcdefghij234567", "k2")]
    outcomes = provider(service).execute_batch(requests, Stages())
    assert outcomes["k2"] == Done("200")


def test_without_the_duplicate_check_the_plain_operations_are_used() -> None:
    bulk = "CreateBatchSalesInvoiceBulkGetBackTransactionIDs"
    single = "SaveSalesReceiptGetBackTransactionID"
    good = "<Result><R><Status>Success</Status></R></Result>"
    service = Service(
        **{
            bulk: answered(bulk, good, out="<transactionIDs><int>5</int></transactionIDs>"),
            single: answered(single, "", out="<transactionID>6</transactionID>"),
        }
    )
    requests = [request(invoice(), key="k1"), request(payment(), "PMT-1~cbcdefghij234567", "k2")]
    outcomes = provider(service, duplicate_check=False).execute_batch(requests, Stages())
    assert outcomes == {"k1": Done("5"), "k2": Done("6")}
    receipt = service.asked[single][0][1]
    assert text(receipt, "CheckReference") == "PMT-1~cbcdefghij234567"
    assert (text(receipt, "ExchangeRate"), text(receipt, "BankExchangeRate")) == ("1", "1")


@pytest.mark.parametrize(("unit", "sent"), [("base_per_unit", "1.25"), ("units_per_base", "0.8")])
def test_a_foreign_customers_rate_counts_as_the_setting_says(unit: str, sent: str) -> None:
    abroad = CUSTOMER.replace("EUR", "USD")
    service = Service(GetCustomer=f"<Result>{abroad}</Result>", **{POST: f"<Result>{row('k1')}</Result>"})
    books = provider(service, exchange_rates=unit)
    books.execute(request(invoice(currency="USD", exchange_rate=Decimal("1.25"))), Stages())
    assert text(service.asked[POST][0][1][0], "BatchInvoice/ExchangeRate") == sent
    with pytest.raises(Rejected, match="exchange_rate"):
        books.execute(request(invoice(currency="USD")), Stages())


# ---- item documents ----

SAVE, FINISH = "SaveInvoiceGetBackInvoiceID", "PostInvoiceGetBackTransactionID"
SHELL = (
    "<Result><InvoiceID>0</InvoiceID><CurrencyCode>EUR</CurrencyCode><Newer>kept</Newer>"
    "<AccountCode>ACME</AccountCode></Result>"
)
STOCK = "<StockItemID>BOLT</StockItemID><DefaultSalesGLAccountCode>4000</DefaultSalesGLAccountCode>"
SAVED = (
    "<InvoiceID>31</InvoiceID><CurrencyCode>EUR</CurrencyCode><InvoiceNumber>I-31</InvoiceNumber>"
    "<ExternalReference>INV-1~abcdefghij234567</ExternalReference><InvoiceDate>2026-11-22T00:00:00</InvoiceDate>"
    "<Status>Processed</Status><Lines><InvoiceLine><StockItemID>BOLT</StockItemID><InvoicedQuantity>2</InvoicedQuantity>"
    "<StockItemPrice>5</StockItemPrice><TaxCode>STD</TaxCode><TaxAmount>2</TaxAmount></InvoiceLine></Lines>"
    "<GrossAmount>12</GrossAmount><AccountCode>ACME</AccountCode>"
)


def of_items(**told: Any) -> Service:
    return Service(
        **{
            "GetNewSalesInvoice": SHELL,
            "GetStockItem": f"<Result>{STOCK}</Result>",
            "GetInvoice": f"<Result>{SAVED}</Result>",
            "GetInvoicesByExternalReference": "<Result/>",
            "GetTransactionsByExternalReference": "<Result/>",
            SAVE: answered(SAVE, "", out="<invoiceID>31</invoiceID>"),
            FINISH: answered(FINISH, "", out="<transactionID>400</transactionID>"),
            **told,
        }
    )


def test_an_item_invoice_is_saved_then_posted_and_both_are_recorded() -> None:
    service, stages = of_items(), Stages()
    made = provider(service).execute(request(invoice(lines=[ITEM_LINE])), stages)
    assert made == Done("I31")
    assert [name for name, _ in stages.recorded] == ["saving", "saved", "posted"]
    assert stages.recorded[-1][1] == {"id": "31", "transaction": "400"}
    sent = service.asked[SAVE][0][1]
    assert names(sent).index("ExternalReference") < names(sent).index("InvoiceDate") < names(sent).index("Lines")
    assert text(sent, "Newer") == "kept"
    assert text(sent, "Lines/InvoiceLine/ActualPrice") == "5"
    assert text(service.asked[FINISH][0], "invoiceID") == "31"


@pytest.mark.parametrize("lost", [SAVE, FINISH, "saved"])
def test_a_cut_between_saving_and_posting_leaves_one_document(lost: str) -> None:
    """Whatever was lost, what is saved under our reference is posted; nothing is saved a second time."""

    def stop(stage: str) -> None:
        if stage == lost:
            raise KeyboardInterrupt

    service = of_items(**({lost: NoAnswer("cut")} if lost != "saved" else {}))
    stages = Stages(stop)
    asked = request(invoice(lines=[ITEM_LINE]))
    with pytest.raises((Indeterminate, KeyboardInterrupt)):
        provider(service).execute(asked, stages)
    later: dict[str, Any] = {
        "GetInvoicesByExternalReference": f"<Result><Invoice>{SAVED}</Invoice></Result>",
        SAVE: Rejected("never again"),
        FINISH: answered(FINISH, "", out="<transactionID>400</transactionID>"),
    }
    service.tell(**later)
    again = request(invoice(lines=[ITEM_LINE]), stages=tuple(stages.recorded))
    assert provider(service).execute(again, Stages()) == Done("I31")


def test_a_saved_document_is_found_as_a_draft() -> None:
    service = of_items(GetInvoicesByExternalReference=f"<Result><Invoice>{SAVED}</Invoice></Result>")
    probe = Probe("k1", invoice(lines=[ITEM_LINE]), "d", "INV-1~abcdefghij234567")
    (found,) = provider(service).lookup([probe])
    assert isinstance(found, Found)
    assert (found.observed.phase, found.observed.remote_id) == ("draft", "I31")
    assert found.observed.content()["lines"][0]["item"] == "BOLT"


def test_two_saved_documents_of_one_reference_are_for_a_person() -> None:
    both = f"<Result><Invoice>{SAVED}</Invoice><Invoice>{SAVED.replace('31', '32')}</Invoice></Result>"
    with pytest.raises(Rejected, match="several saved documents"):
        provider(of_items(GetInvoicesByExternalReference=both)).execute(
            request(invoice(lines=[ITEM_LINE])), Stages()
        )


@pytest.mark.parametrize(
    ("was", "made", "words"),
    [
        ("<GrossAmount>12<", "<GrossAmount>12.01<", "total 12.01, not 12"),
        (">ACME<", ">OTHER<", "customer OTHER, not ACME"),
        ("<InvoiceDate>2026-11-22", "<InvoiceDate>2026-10-22", "date 2026-10-22, not 2026-11-22"),
    ],
)
def test_what_is_saved_otherwise_than_planned_is_not_posted(was: str, made: str, words: str) -> None:
    service = of_items(GetInvoice=f"<Result>{SAVED.replace(was, made)}</Result>")
    with pytest.raises(Rejected, match=words):
        provider(service).execute(request(invoice(lines=[ITEM_LINE])), Stages())
    assert FINISH not in service.order


def test_what_was_posted_since_it_was_saved_is_looked_up() -> None:
    service = of_items(GetInvoice=f"<Result>{SAVED.replace('Processed', 'Posted')}</Result>")
    with pytest.raises(AlreadyExists):
        provider(service).execute(request(invoice(lines=[ITEM_LINE]), stages=(("saved", {"id": "31"}),)), Stages())
    assert FINISH not in service.order


def test_what_is_posted_under_our_reference_is_not_made_again() -> None:
    there = SAVED.replace("Processed", "Posted")
    service = of_items(GetInvoicesByExternalReference=f"<Result><Invoice>{there}</Invoice></Result>")
    with pytest.raises(AlreadyExists):
        provider(service).execute(request(invoice(lines=[ITEM_LINE])), Stages())
    assert SAVE not in service.order


def test_a_create_goes_on_with_what_an_earlier_one_saved() -> None:
    """A refused post leaves a saved document; the next attempt, without its stages, posts that."""
    service = of_items(GetInvoicesByExternalReference=f"<Result><Invoice>{SAVED}</Invoice></Result>")
    books = provider(service)
    assert books.capabilities().kind("invoice").resumes
    assert books.execute(request(invoice(lines=[ITEM_LINE]), key="k2"), Stages()) == Done("I31")
    assert SAVE not in service.order


def test_a_refusal_to_post_is_one() -> None:
    service = of_items(**{FINISH: failed(FINISH, "DATE_IS_OUT_OF_RANGE", out="<transactionID>-1</transactionID>")})
    with pytest.raises(Rejected, match="DATE_IS_OUT_OF_RANGE"):
        provider(service).execute(request(invoice(lines=[ITEM_LINE])), Stages())

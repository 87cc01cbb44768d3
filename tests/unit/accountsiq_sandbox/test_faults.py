"""The kit's faults on one path for everything: told apart by operation, reads never harmed as writes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import httpx
import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.ledger.commands import ClosePeriod
from reconciler.sandboxes.serving import start
from tests.unit.accountsiq_sandbox.client import Caller

CREATE = "CreateBatchSalesInvoiceGetBackTransactionID"


def test_a_lost_response_of_one_operation_and_a_late_landing(caller: Caller) -> None:
    caller.customer()
    caller.running.switches.set({"lose_response": f"1@{CREATE}"})
    caller.do("GetBankList")
    with pytest.raises(httpx.RemoteProtocolError):
        caller.invoice("INV-1")
    assert len(caller.found("INV-1")) == 1
    caller.running.switches.set({"late_landing": f"1@{CREATE}", "late_landing_ms": "1500000"})
    body = caller.envelope(CREATE, {"token": caller.token, "inv": caller.batch("INV-2")})
    assert caller.raw(body, CREATE).status_code == 504
    assert caller.found("INV-2") == []
    caller.clock.advance(1500)  # past the token's end: it was taken when the token was good
    caller.login()
    assert len(caller.found("INV-2")) == 1
    caller.running.switches.set({"error_5xx_after_commit": "1"})
    body = caller.envelope(CREATE, {"token": caller.token, "inv": caller.batch("INV-3")})
    assert caller.raw(body, CREATE).status_code == 503
    assert len(caller.found("INV-3")) == 1
    caller.running.switches.set({"rate_limit": "1", "expire_token": "at:1"})
    assert caller.raw(body, CREATE).headers["retry-after"] == "1"
    assert caller.ask("GetBankList")["GetBankListResult"]["HasExpired"] == "true"
    caller.do("GetBankList")


def test_a_closed_period_takes_nothing_and_the_list_says_so(caller: Caller) -> None:
    caller.customer()
    caller.running.books.ledger.one(ClosePeriod(date(2026, 10, 31)))
    inv = caller.batch("INV-1", InvoiceDate="2026-10-31T00:00:00")
    assert caller.refused(CREATE, inv=inv) == "DATE_IS_OUT_OF_RANGE"
    periods = {one["PeriodName"]: one["SalesLedgerClosed"] for one in caller.do("GetPeriodList")}
    assert (periods["Oct 2026"], periods["Nov 2026"]) == ("true", "false")


@pytest.mark.parametrize("caller", [{"duplicate_references": "refuse"}], indirect=True)
def test_a_plain_create_may_mind_repetitions(caller: Caller) -> None:
    caller.customer()
    caller.customer("OTHER")
    caller.invoice("INV-1")
    code = caller.refused(CREATE, inv=caller.batch("INV-1"))
    assert code == "INVOICE_EXTERNAL_REFERENCE_ALREADY_EXISTS"
    caller.invoice("INV-1", code="OTHER")


@pytest.mark.parametrize(
    "caller", [{"exchange_rates": "EUR=1.25", "rate_direction": "units_per_base"}], indirect=True
)
def test_a_foreign_customers_documents_are_in_its_currency(caller: Caller) -> None:
    caller.customer("EURO", CurrencyCode="EUR")
    assert caller.do("GetCurrencyExchangeRate", currencyCode="EUR") == "0.8000"
    caller.invoice("INV-1", code="EURO", ExchangeRate="0.8")
    [found] = caller.found("INV-1")
    assert (found["CurrencyCode"], found["ControlAmount"], found["ControlBCAmount"]) == (
        "EUR",
        "120.0000",
        "150.0000",
    )


@pytest.mark.parametrize("caller", [{"amount_signs": "absolute", "tax_rate_unit": "fraction"}], indirect=True)
def test_shapes_the_documents_leave_open(caller: Caller) -> None:
    caller.customer()
    caller.receipt("PMT-1", "50")
    assert caller.found("PMT-1")[0]["OutstandingAmount"] == "50.0000"
    assert caller.do("GetTaxCodeList")[0]["Rate"] == "0.2000"


def test_stale_reads_show_the_books_as_they_were(caller: Caller) -> None:
    caller.customer()
    caller.invoice("INV-1")
    caller.running.switches.set({"stale_reads_ms": "60000"})
    caller.clock.advance(30)
    assert caller.found("INV-1") == []
    caller.clock.advance(31)
    assert len(caller.found("INV-1")) == 1


def test_a_restarted_sandbox_keeps_books_tokens_and_allocations(tmp_path: Path) -> None:
    clock, store = ManualClock(), tmp_path / "books.sqlite"
    with start("accountsiq", store=store, clock=clock) as running, Caller(running, clock).http as http:
        caller = Caller(running, clock)
        caller.http = http
        token = caller.login()
        caller.customer()
        invoice, receipt = caller.invoice("INV-1"), caller.receipt("PMT-1", "50")
        caller.allocate(invoice, receipt, "50")
    with start("accountsiq", store=store, clock=clock) as running, Caller(running, clock).http as http:
        caller = Caller(running, clock)
        caller.http, caller.token = http, token
        [shown] = caller.do("GetAllocationsByTransactionId", transactionId=invoice)
        assert shown["AllocationEntries"][0]["AllocatedToTransactionID"] == str(receipt)


def test_a_bulk_write_may_die_half_way_and_a_status_may_be_vague(caller: Caller) -> None:
    caller.customer()
    caller.running.switches.set({"bulk_interrupted": "1", "vague_status": f"1@{CREATE}"})
    rows = [{"BatchSalesInvoice": caller.batch(f"I-{place}")} for place in range(4)]
    name = "CreateBatchSalesInvoiceBulkGetBackTransactionIDs"
    body = caller.envelope(name, {"token": caller.token, "invoices": rows})
    assert caller.fault(body, name) == "Server was unable to process request."
    assert [len(caller.found(f"I-{place}")) for place in range(4)] == [1, 1, 0, 0]
    answer = caller.ask(CREATE, inv=caller.batch("I-9"))
    assert (answer[f"{CREATE}Result"]["Status"], answer["transactionID"]) == ("Unknown", "-1")
    assert len(caller.found("I-9")) == 1

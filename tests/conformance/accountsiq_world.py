"""AccountsIQ's sandbox as a world, and a colleague who works in the same books by a client of his own.

The sandbox is written from AccountsIQ's documents and shares no code with the provider. Every request the provider
sends is kept, for the contract with the vendor's samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import httpx

from reconciler.kernel.clock import Clock, ManualClock, SystemClock
from reconciler.sandboxes.ledger.commands import ClosePeriod
from reconciler.sandboxes.serving import Running, start
from reconciler.testing.world import Hooks, Request, Tax, Vocabulary, World

NS = "http://www.visorsoftware.com/visor/accountsiq/dashboard/Integration/"
PATH = "/system/dashboard/integration/integration_1_1.asmx"
PARTNER, USER, SECRET = "ACCOUNTSIQ_WORLD_PARTNER", "ACCOUNTSIQ_WORLD_USER", "ACCOUNTSIQ_WORLD_SECRET"
TODAY = date.today()
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="operating",
    currency="USD",
    taxes=(Tax("REDUCED", Decimal(10)), Tax("STANDARD", Decimal(20))),
    foreign_bank="euros",
    category="Department",
    terms="Net 30",
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)
"""No currency but the books' own: a document's is its customer's here, and the cases' customer has none of its
own. `test_accountsiq_documents` bills one that has."""
SEED: Mapping[str, Any] = {
    "accounts": {"1210": {"name": "Euros", "code": "1210", "type": "bank", "currency": "EUR"}},
    "bank_accounts": {"euros": {"name": "euros", "account": "1210", "currency": "EUR"}},
    "tracking_categories": {
        "Department": {"values": ["Sales", "Support"]},
        "Region": {"values": ["North", "South"]},
    },
    "tax_rates": {
        name: {"name": f"{name.capitalize()} rate", "rate": rate, "account": "2200"}
        for name, rate in (("REDUCED", "10"), ("STANDARD", "20"), ("ZERO", "0"))
    },
    "payment_terms": {"Net 30": {"days": 30}},
    "items": {"BOLT": {"name": "Bolt", "unit_price": "2.50", "income_account": "4000"}},
}
_OPERATION = re.compile(rb"Body>\s*<(?:\w+:)?(\w+)")
_READS = re.compile(rb"Get|Login|Token")


@dataclass(slots=True)
class Colleague:
    """Somebody with keys of his own. Ids are AccountsIQ's."""

    running: Running
    client: httpx.Client
    count: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            close_period=self.close_period,
            add_tracking_value=self.add_tracking_value,
        )

    def post_invoice(self, customer: str, amount: Decimal) -> str:
        self.count += 1
        line = (
            "<BatchSalesInvoiceLine><GLAccountCode>4000</GLAccountCode><TaxCode>ZERO</TaxCode>"
            f"<Description>By hand</Description><NetAmount>{amount}</NetAmount><TaxRate>0</TaxRate>"
            "<TaxAmount>0</TaxAmount></BatchSalesInvoiceLine>"
        )
        reference = f"HAND-{self.running.url[-5:]}-{self.count}"
        return self.made(
            "CreateBatchSalesInvoiceGetBackTransactionID",
            f"<inv><CustomerCode>{escape(customer)}</CustomerCode><InvoiceDate>{TODAY}T00:00:00</InvoiceDate>"
            f"<ExternalReference>{reference}</ExternalReference><Description>{reference}</Description>"
            f"<Lines>{line}</Lines><ExchangeRate>1</ExchangeRate></inv>",
        )

    def post_payment(self, customer: str, amount: Decimal, invoice: str | None) -> str:
        self.count += 1
        receipt = self.made(
            "SaveSalesReceiptGetBackTransactionID",
            f"<salesReceipt><CustomerCode>{escape(customer)}</CustomerCode>"
            f"<CheckReference>BY-HAND-{self.count}</CheckReference><PaymentAmount>{amount}</PaymentAmount>"
            f"<BankAccountCode>1200</BankAccountCode><PaymentDate>{TODAY}T00:00:00</PaymentDate>"
            "<ExchangeRate>1</ExchangeRate><BankExchangeRate>1</BankExchangeRate><Description>by hand</Description>"
            "</salesReceipt>",
        )
        if invoice:
            self.call(
                "AllocateTransactions",
                f"<transactionID_1>{invoice}</transactionID_1><transactionID_2>{receipt}</transactionID_2>"
                f"<allocationReference>by hand</allocationReference><allocationAmount>{amount}</allocationAmount>"
                f"<allocationDate>{TODAY}T00:00:00</allocationDate>",
            )
        return receipt

    def edit_customer(self, customer: str, name: str) -> None:
        self.set_field(customer, "Name", name)

    def customer(self, customer: str) -> str:
        """A customer's record as it is."""
        answer = self.call("GetCustomer", f"<customerCode>{escape(customer)}</customerCode>")
        return answer.partition("<Result>")[2].partition("</Result>")[0]

    def set_field(self, customer: str, name: str, value: str) -> None:
        made = f"<{name}>{escape(value)}</{name}>"
        changed, count = re.subn(f"<{name}>.*?</{name}>", lambda _: made, self.customer(customer))
        assert count == 1, f"a customer has no {name}"
        self.call("UpdateCustomer", f"<customer>{changed}</customer><create>false</create>")

    def add_tracking_value(self, value: str) -> None:
        code = f"<Code>{value.upper()}</Code><Description>{value.upper()}</Description>"
        self.call(
            "AddAnalysisCode",
            f"<groupID>1</groupID><analysisCode>{code}</analysisCode><create>true</create>",
        )

    def close_period(self, day: date) -> None:
        """The month of a day and all before: done in the application, the API only tells of it."""
        last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        self.running.books.ledger.one(ClosePeriod(through=last))

    # ---- his client ----

    def made(self, operation: str, arguments: str) -> str:
        found = re.search("<transactionID>([0-9]+)</transactionID>", self.call(operation, arguments))
        assert found is not None
        return found.group(1)

    def call(self, operation: str, arguments: str) -> str:
        who = self.running.connection
        keys = f"<partnerKey>{who['partner_key']}</partnerKey><userKey>{who['user_key']}</userKey>"
        login = self.exchange("Login", f"<companyID>{who['company']}</companyID>{keys}")
        found = re.search("<LoginResult>(.+?)</LoginResult>", login)
        assert found is not None, login
        answer = self.exchange(operation, f"<token>{found.group(1)}</token>{arguments}")
        assert "<Status>Success</Status>" in answer or "<Status>Created</Status>" in answer, answer
        return answer

    def exchange(self, operation: str, arguments: str) -> str:
        body = f'<{operation} xmlns="{NS}">{arguments}</{operation}>'
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        soap = 'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
        answer = self.client.post(
            PATH,
            content=f"<soap:Envelope {soap} {xsi}><soap:Body>{body}</soap:Body></soap:Envelope>".encode(),
            headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{NS}{operation}"'},
        )
        assert answer.status_code == 200, answer.text
        return answer.text


@dataclass(slots=True)
class AccountsIQWorld:
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    colleague: Colleague
    hooks: Hooks
    clock: Clock
    settings: Mapping[str, Any]
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str | None:
        return self.running.url

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        own = self.running.connection
        second = self.settings.get("api") == "2.0"
        keys = {"partner_key": "${env:" + PARTNER + "}", "user_key": "${env:" + USER + "}"}
        first = {"company": own["company"], **keys}
        later = {
            "entity": own["entity"],
            "client_id": own["client_id"],
            "client_secret": "${env:" + SECRET + "}",
        }
        return {
            "provider": "accountsiq",
            "endpoint": endpoint or self.running.url,
            **(later if second else first),
            "untaxed": "ZERO",
            **self.settings,
        }

    def environment(self) -> Mapping[str, str]:
        own = self.running.connection
        return {
            PARTNER: str(own["partner_key"]),
            USER: str(own["user_key"]),
            SECRET: str(own["client_secret"]),
        }

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1, "settle_seconds": 1}

    def is_write(self, request: Request) -> bool:
        found = _OPERATION.search(request.body)
        return found is not None and not _READS.match(found.group(1))


@contextmanager
def sandbox(
    folder: Path,
    *,
    switches: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[World]:
    """A sandbox in this process that takes nothing out of order, on a clock that moves when it is slept on."""
    clock = clock or ManualClock()
    habits = {"strict": "1", **(switches or {})}
    with (
        start("accountsiq", switches=habits, seed=SEED, clock=clock) as running,
        httpx.Client(base_url=running.url) as client,
    ):
        colleague = Colleague(running, client)
        yield AccountsIQWorld(running, colleague, colleague.hooks(), clock, settings or {})


@contextmanager
def in_real_time(folder: Path) -> Iterator[World]:
    """The same on the machine's clock."""
    with sandbox(folder, clock=SystemClock()) as world:
        yield world


@contextmanager
def of_api_2(folder: Path) -> Iterator[World]:
    """API 2.0 of the samples' age, by the plain operations, with the other answers to what documents leave open."""
    switches = {
        "amount_signs": "absolute",
        "duplicate_references": "refuse",
        "one_token": "1",
        "page_size": "40",
        "rate_direction": "units_per_base",
        "reference_case": "sensitive",
        "refresh_minutes": "1",
        "server_offset": "600",
        "tax_rate_unit": "fraction",
        "token_minutes": "2",
        "token_shape": "flat",
        "wsdl": "2024",
    }
    settings = {
        "api": "2.0",
        "duplicate_check": False,
        "due_dates": False,
        "exchange_rates": "units_per_base",
        "resend_after_settle": True,
    }
    with sandbox(folder, switches=switches, settings=settings) as world:
        yield world

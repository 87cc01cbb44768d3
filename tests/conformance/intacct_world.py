"""Intacct's sandbox as a world, and a colleague who works in the same books with calls of their own.

The sandbox is written from the vendor's documents and shares no code with the provider. Every request the provider
sends is kept, for the contract with the vendor's schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

import httpx

from reconciler.kernel.clock import Clock, ManualClock, SystemClock
from reconciler.sandboxes.ledger.commands import ClosePeriod
from reconciler.sandboxes.serving import Running, start
from reconciler.testing.world import Foreign, Hooks, Request, Vocabulary, World

PATH = "/ia/xml/xmlgw.phtml"
SENDER_PASSWORD, PASSWORD = "INTACCT_WORLD_SENDER_PASSWORD", "INTACCT_WORLD_PASSWORD"
WRITES = (b"<create", b"<update", b"<delete", b"<reverse_")
TODAY = date.today()
WORDS = Vocabulary(
    income="4000",
    other_income="4010",
    bank="operating",
    currency="USD",
    foreign=Foreign("EUR", Decimal("1.10")),
    odd_currencies=(Foreign("JPY", Decimal("0.0067")),),
    foreign_bank="euros",
    terms="Net 30",
    today=TODAY,
    closable=TODAY - timedelta(days=90),
)
SEED: Mapping[str, Any] = {
    "accounts": {"1210": {"name": "Euros", "code": "1210", "type": "bank", "currency": "EUR"}},
    "bank_accounts": {"euros": {"name": "euros", "account": "1210", "currency": "EUR"}},
    "payment_terms": {"Net 30": {"days": 30}},
}


@dataclass(slots=True)
class Colleague:
    """Somebody with a client of their own: requests written as texts."""

    running: Running
    client: httpx.Client
    count: int = field(default=0)
    session: str = field(default="", repr=False)
    asked: int = field(default=0)

    def hooks(self) -> Hooks:
        return Hooks(
            post_invoice=self.post_invoice,
            post_payment=self.post_payment,
            edit_customer=self.edit_customer,
            close_period=self.close_period,
        )

    def post_invoice(self, customer: str, amount: Decimal) -> str:
        self.count += 1
        day = f"<year>{TODAY.year}</year><month>{TODAY.month}</month><day>{TODAY.day}</day>"
        line = f"<glaccountno>4000</glaccountno><amount>{amount}</amount><memo>By hand</memo>"
        made = self.ask(
            f"<create_invoice><customerid>{escape(customer)}</customerid><datecreated>{day}</datecreated>"
            f"<datedue>{day}</datedue><invoiceno>HAND-{self.count}</invoiceno>"
            f"<invoiceitems><lineitem>{line}</lineitem></invoiceitems></create_invoice>"
        )
        return made.findtext("key") or ""

    def post_payment(self, customer: str, amount: Decimal, invoice: str | None) -> str:
        day = f"{TODAY:%m/%d/%Y}"
        common = (
            f"<FINANCIALENTITY>operating</FINANCIALENTITY><PAYMENTMETHOD>Cash</PAYMENTMETHOD>"
            f"<CUSTOMERID>{escape(customer)}</CUSTOMERID><RECEIPTDATE>{day}</RECEIPTDATE>"
            f"<PAYMENTDATE>{day}</PAYMENTDATE><CURRENCY>USD</CURRENCY>"
        )
        if invoice:
            detail = f"<RECORDKEY>{invoice}</RECORDKEY><TRX_PAYMENTAMOUNT>{amount}</TRX_PAYMENTAMOUNT>"
            made = self.ask(
                f"<create><ARPYMT>{common}<ARPYMTDETAILS><ARPYMTDETAIL>{detail}</ARPYMTDETAIL></ARPYMTDETAILS>"
                "</ARPYMT></create>"
            )
            return f"ARPYMT-{made.findtext('.//RECORDNO')}"
        item = f"<ACCOUNTNO>2300</ACCOUNTNO><TRX_AMOUNT>{amount}</TRX_AMOUNT>"
        made = self.ask(
            f"<create><ARADVANCE>{common}<ARADVANCEITEMS><ARADVANCEITEM>{item}</ARADVANCEITEM></ARADVANCEITEMS>"
            "</ARADVANCE></create>"
        )
        return f"ARADVANCE-{made.findtext('.//RECORDNO')}"

    def edit_customer(self, customer: str, name: str) -> None:
        self.ask(
            f"<update><CUSTOMER><CUSTOMERID>{escape(customer)}</CUSTOMERID><NAME>{escape(name)}</NAME></CUSTOMER>"
            "</update>"
        )

    def close_period(self, through: date) -> None:
        assert self.running.books.ledger.one(ClosePeriod(through))

    def ask(self, call: str) -> Element:
        """The result of one call. Raises AssertionError where it is refused."""
        presents = self.running.connection
        if not self.session:
            login = (
                f"<login><userid>{presents['user']}</userid><companyid>{presents['company']}</companyid>"
                f"<password>{presents['password']}</password></login>"
            )
            self.session = self._asked("<getAPISession/>", login).findtext(".//sessionid") or ""
        return self._asked(call, f"<sessionid>{self.session}</sessionid>")

    def _asked(self, call: str, who: str) -> Element:
        presents = self.running.connection
        self.asked += 1
        body = (
            f"<request><control><senderid>{presents['sender_id']}</senderid>"
            f"<password>{presents['sender_password']}</password><controlid>by-hand</controlid>"
            f"<uniqueid>true</uniqueid><dtdversion>3.0</dtdversion></control><operation><authentication>{who}"
            f'</authentication><content><function controlid="by-hand-{self.asked}">{call}</function></content>'
            "</operation></request>"
        )
        answer = self.client.post(PATH, content=body, headers={"content-type": "application/xml"})
        result = fromstring(answer.content).find("operation/result")
        assert result is not None, answer.text
        assert result.findtext("status") == "success", answer.text
        return result


@dataclass(slots=True)
class IntacctWorld:
    """A running sandbox. `clock`: its own, and the one a project on it should have."""

    running: Running
    hooks: Hooks
    clock: Clock
    settings: Mapping[str, Any]
    colleague: Colleague
    words: Vocabulary = WORDS

    @property
    def endpoint(self) -> str | None:
        return self.running.url

    def connection(self, endpoint: str | None) -> Mapping[str, Any]:
        presents = self.running.connection
        return {
            "provider": "intacct",
            "endpoint": f"{endpoint or self.endpoint}{PATH}",
            "sender_id": str(presents["sender_id"]),
            "sender_password": "${env:" + SENDER_PASSWORD + "}",
            "company": str(presents["company"]),
            "user": str(presents["user"]),
            "password": "${env:" + PASSWORD + "}",
            "advance_account": "2300",
            **self.settings,
        }

    def environment(self) -> Mapping[str, str]:
        presents = self.running.connection
        return {SENDER_PASSWORD: str(presents["sender_password"]), PASSWORD: str(presents["password"])}

    def under_faults(self) -> Mapping[str, Any]:
        return {"timeout_seconds": 1, "settle_seconds": 1}

    def is_write(self, request: Request) -> bool:
        return any(word in request.body for word in WRITES)


@contextmanager
def sandbox(
    folder: Path,
    *,
    switches: Mapping[str, str] | None = None,
    clock: Clock | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: Mapping[str, Any] | None = None,
) -> Iterator[World]:
    """A sandbox in this process, on a clock that moves when it is slept on."""
    clock = clock or ManualClock()
    books = {**SEED, **(seed or {})}
    with (
        start("intacct", switches=dict(switches or {}), seed=books, clock=clock) as running,
        httpx.Client(base_url=running.url) as client,
    ):
        colleague = Colleague(running, client)
        yield IntacctWorld(running, colleague.hooks(), clock, settings or {}, colleague)


@contextmanager
def in_real_time(folder: Path) -> Iterator[World]:
    """The same on the machine's clock."""
    with sandbox(folder, clock=SystemClock()) as world:
        yield world


@contextmanager
def of_advances(folder: Path) -> Iterator[World]:
    """Every payment is an advance, so that allocations can be taken off; posted words may be changed."""
    settings = {"payments": "advances", "amend_posted": ["memo", "due_date", "po_number"]}
    with sandbox(folder, settings=settings) as world:
        yield world

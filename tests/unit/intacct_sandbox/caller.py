"""What the tests call the gateway with: requests put together as text, as no client would, and answers read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx

from reconciler.kernel.clock import ManualClock
from reconciler.sandboxes.intacct.sandbox import IntacctSandbox
from reconciler.sandboxes.serving import Running, start

PATH = "/ia/xml/xmlgw.phtml"
SEED: dict[str, Any] = {
    "tax_rates": {"STANDARD": {"name": "Standard rate", "rate": "20"}, "ZERO": {"name": "Zero", "rate": "0"}},
    "payment_terms": {"Net 30": {"days": 30}},
    "tracking_categories": {"Department": {"values": ["Sales", "Support"]}, "Region": {"values": ["North"]}},
    "items": {"WIDGET": {"name": "Widget", "unit_price": "10", "income_account": "4000"}},
}
LOGIN = (
    "<login><userid>xml_gateway</userid><companyid>sandbox-company</companyid>"
    "<password>sandbox-user-password</password>{more}</login>"
)


def day(tag: str, text: str) -> str:
    """A date of the legacy functions."""
    year, month, of_month = text.split("-")
    return f"<{tag}><year>{year}</year><month>{month}</month><day>{of_month}</day></{tag}>"


@dataclass
class Outcome:
    """One result: its status, key, errors' numbers and texts, and the element itself."""

    element: Element

    @property
    def status(self) -> str:
        return self.element.findtext("status") or ""

    @property
    def key(self) -> str:
        return self.element.findtext("key") or ""

    @property
    def errors(self) -> list[tuple[str, str]]:
        found = self.element.iterfind("errormessage/error")
        return [(error.findtext("errorno") or "", error.findtext("description2") or "") for error in found]

    @property
    def data(self) -> Element:
        found = self.element.find("data")
        assert found is not None
        return found

    @property
    def rows(self) -> list[dict[str, str]]:
        return [{child.tag: child.text or "" for child in row} for row in self.data]

    @property
    def recordno(self) -> str:
        return self.rows[0]["RECORDNO"]


@dataclass
class Caller:
    """Someone with the right credentials, and what they need to say less."""

    running: Running
    clock: ManualClock
    client: httpx.Client
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def body(
        self,
        *functions: str,
        session: str = "",
        unique: bool = False,
        transaction: bool = False,
        sender: str = "sandbox-sender-password",
        login: str = "",
        control: str = "",
        login_more: str = "",
    ) -> bytes:
        made = [
            function
            if function.startswith("<function")
            else f'<function controlid="f{next(self.numbers)}">{function}</function>'
            for function in functions
        ]
        who = f"<sessionid>{session}</sessionid>" if session else login or LOGIN.format(more=login_more)
        return (
            '<?xml version="1.0" encoding="UTF-8"?><request><control><senderid>sandbox-sender</senderid>'
            f"<password>{sender}</password><controlid>c</controlid><uniqueid>{str(unique).lower()}</uniqueid>"
            f"<dtdversion>3.0</dtdversion>{control}</control>"
            f'<operation transaction="{str(transaction).lower()}"><authentication>{who}</authentication>'
            f"<content>{''.join(made)}</content></operation></request>"
        ).encode()

    def send(self, body: bytes, path: str = PATH, content_type: str = "application/xml") -> httpx.Response:
        return self.client.post(self.running.url + path, content=body, headers={"content-type": content_type})

    def ask(self, *functions: str, **how: Any) -> list[Outcome]:
        answer = self.send(self.body(*functions, **how))
        assert answer.status_code == 200, answer.text
        return [Outcome(found) for found in fromstring(answer.content).iterfind("operation/result")]

    def one(self, function: str, **how: Any) -> Outcome:
        [found] = self.ask(function, **how)
        return found

    def done(self, function: str, **how: Any) -> Outcome:
        found = self.one(function, **how)
        assert found.status == "success", found.errors
        return found

    # ---- what most tests begin with ----

    def customer(self, code: str = "C1", more: str = "") -> str:
        return self.done(
            f"<create><CUSTOMER><CUSTOMERID>{code}</CUSTOMERID><NAME>Acme {code}</NAME><DISPLAYCONTACT>"
            f"<PRINTAS>Acme</PRINTAS></DISPLAYCONTACT>{more}</CUSTOMER></create>"
        ).recordno

    def invoice(self, number: str = "I-1", amount: str = "100", customer: str = "C1", **more: str) -> str:
        return self.done(invoice(number, amount, customer, **more)).key

    def credit(self, number: str = "A-1", amount: str = "-30") -> str:
        return self.done(adjustment(number, amount)).key

    def advance(self, amount: str = "50", account: str = "2300", day: str = "11/02/2026") -> str:
        return self.done(advance(amount, account, day)).recordno

    def values(self, name: str, *fields: str, where: str = "", more: str = "") -> list[tuple[str, ...]]:
        """A query's rows as tuples, by RECORDNO."""
        order = "<orderby><order><field>RECORDNO</field><ascending/></order></orderby>"
        chosen = "".join(f"<field>{field}</field>" for field in fields)
        filters = f"<filter>{where}</filter>"
        found = self.done(
            f"<query><object>{name}</object><select>{chosen}</select>{filters}{order}{more}"
            "<pagesize>2000</pagesize></query>"
        )
        return [tuple(row[field] for field in fields) for row in found.rows]


def invoice(
    number: str,
    amount: str = "100",
    customer: str = "C1",
    issued: str = "2026-11-01",
    header: str = "",
    line: str = "",
    money: str = "",
    lines: str = "",
) -> str:
    items = lines or f"<lineitem><glaccountno>4000</glaccountno><amount>{amount}</amount>{line}</lineitem>"
    return (
        f"<create_invoice><customerid>{customer}</customerid>{day('datecreated', issued)}"
        f"{day('datedue', '2026-12-01')}<invoiceno>{number}</invoiceno>{header}{money}"
        f"<invoiceitems>{items}</invoiceitems></create_invoice>"
    )


def adjustment(number: str, amount: str) -> str:
    return (
        f"<create_aradjustment><customerid>C1</customerid>{day('datecreated', '2026-11-01')}"
        f"<adjustmentno>{number}</adjustmentno><aradjustmentitems><lineitem><glaccountno>4000</glaccountno>"
        f"<amount>{amount}</amount></lineitem></aradjustmentitems></create_aradjustment>"
    )


def advance(amount: str, account: str = "2300", received: str = "11/02/2026") -> str:
    return (
        "<create><ARADVANCE><CUSTOMERID>C1</CUSTOMERID><PAYMENTMETHOD>Cash</PAYMENTMETHOD>"
        f"<PAYMENTDATE>{received}</PAYMENTDATE><RECEIPTDATE>{received}</RECEIPTDATE>"
        "<FINANCIALENTITY>operating</FINANCIALENTITY><ARADVANCEITEMS><ARADVANCEITEM>"
        f"<ACCOUNTNO>{account}</ACCOUNTNO><TRX_AMOUNT>{amount}</TRX_AMOUNT></ARADVANCEITEM></ARADVANCEITEMS>"
        "</ARADVANCE></create>"
    )


def payment(*details: str, customer: str = "C1", number: str = "P-1", header: str = "") -> str:
    made = "".join(f"<ARPYMTDETAIL>{detail}</ARPYMTDETAIL>" for detail in details)
    return (
        "<create><ARPYMT><FINANCIALENTITY>operating</FINANCIALENTITY><PAYMENTMETHOD>EFT</PAYMENTMETHOD>"
        f"<CUSTOMERID>{customer}</CUSTOMERID><DOCNUMBER>{number}</DOCNUMBER><RECEIPTDATE>11/03/2026</RECEIPTDATE>"
        f"<PAYMENTDATE>11/03/2026</PAYMENTDATE>{header}<ARPYMTDETAILS>{made}</ARPYMTDETAILS></ARPYMT></create>"
    )


def pays(invoice: str, amount: str) -> str:
    return f"<RECORDKEY>{invoice}</RECORDKEY><TRX_PAYMENTAMOUNT>{amount}</TRX_PAYMENTAMOUNT>"


@contextmanager
def gateway(store: Path | None = None, **switches: str) -> Iterator[Caller]:
    """A running gateway with a clock that stands still."""
    clock = ManualClock()
    serving = start(IntacctSandbox(), store=store, switches=switches, seed=SEED, clock=clock)
    with serving as running, httpx.Client(verify=False) as client:
        yield Caller(running, clock, client)

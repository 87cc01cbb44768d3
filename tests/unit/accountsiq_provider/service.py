"""A service that answers as it is told, each operation with what a test wrote, and keeps what it was asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from xml.etree.ElementTree import Element, fromstring

from reconciler.kernel.clock import ManualClock
from reconciler.providers.accountsiq.calls import AccountsIQ
from reconciler.providers.accountsiq.envelope import NS, SOAP
from reconciler.providers.accountsiq.provider import AccountsIQProvider
from reconciler.providers.accountsiq.session import Credentials
from reconciler.providers.accountsiq.settings import AccountsIQSettings
from reconciler.providers.http import Answer, HttpConnection
from reconciler.providers.operations import Operation
from reconciler.providers.protocol import ExecuteRequest

Told = str | Answer | Exception
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
COMPANY = "<Result><CompanyName>Books</CompanyName><BaseCurrencyCode>EUR</BaseCurrencyCode></Result>"
TAXES = (
    "<Result><Tax><ID>1</ID><Code>STD</Code><Rate>0.2</Rate></Tax>"
    "<Tax><ID>2</ID><Code>RED</Code><Rate>0.1</Rate></Tax></Result>"
)
CUSTOMER = (
    "<AccountID>7</AccountID><Code>ACME</Code><Name>Acme</Name><CurrencyCode>EUR</CurrencyCode>"
    "<IsActive>true</IsActive><Hold>0</Hold><CreditLimit>1000</CreditLimit><RowVersionNumber>A1</RowVersionNumber>"
)
USUAL: Mapping[str, str] = {
    "GetCompanyInformation": COMPANY,
    "GetPeriodList": "<Result/>",
    "GetTaxCodeList": TAXES,
    "GetCustomer": f"<Result>{CUSTOMER}</Result>",
    "GetBankList": "<Result><Bank><Code>1200</Code><CurrencyCode>EUR</CurrencyCode></Bank></Result>",
    "GetAnalysisDimensionSetup": "<Result/>",
    "GetDepartmentList": "<Result/>",
}


def answered(
    operation: str, inner: str, *, out: str = "", status: str = "Success", code: str = "SUCCESS"
) -> Answer:
    """An answer: a status, what stands in the result after it, and what stands beside the result."""
    if "<HasExpired>" not in inner:
        inner = f"<HasExpired>false</HasExpired>{inner}"
    result = f"<Status>{status}</Status><ErrorCode>{code}</ErrorCode>{inner}"
    return enveloped(
        f"<{operation}Response xmlns='{NS}'><{operation}Result>{result}</{operation}Result>{out}"
        f"</{operation}Response>"
    )


def failed(operation: str, code: str, *, status: str = "Failure", out: str = "") -> Answer:
    return answered(operation, "<ErrorMessage>because</ErrorMessage>", out=out, status=status, code=code)


def enveloped(body: str, status: int = 200) -> Answer:
    text = f"<soap:Envelope xmlns:soap='{SOAP}' {XSI}><soap:Body>{body}</soap:Body></soap:Envelope>"
    return Answer(status, {"content-type": "text/xml; charset=utf-8"}, text.encode(), "1")


class Service:
    """Stands where the HTTP connection would. What is told of an operation is used up in order; the last stays."""

    def __init__(self, **told: Told | list[Told]) -> None:
        self.told: dict[str, list[Told]] = {name: [text] for name, text in USUAL.items()}
        self.tell(**told)
        self.asked: dict[str, list[Element]] = defaultdict(list)
        self.headers: list[Element | None] = []
        self.order: list[str] = []
        self.calls = 0
        self.logins = 0

    def tell(self, **told: Told | list[Told]) -> None:
        self.told |= {name: list(given) if isinstance(given, list) else [given] for name, given in told.items()}

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str], body: bytes, read: bool, label: str
    ) -> Answer:
        root = fromstring(body)
        content = root.find(f"{{{SOAP}}}Body")
        assert content is not None
        operation = content[0].tag.removeprefix(f"{{{NS}}}")
        assert headers["SOAPAction"] == f'"{NS}{operation}"'
        assert label == operation
        header = root.find(f"{{{SOAP}}}Header")
        self.calls += 1
        self.order.append(operation)
        self.asked[operation].append(content[0])
        self.headers.append(None if header is None else header[0])
        if operation == "Login" and "Login" not in self.told:
            self.logins += 1
            return enveloped(
                f"<LoginResponse xmlns='{NS}'><LoginResult>token-{self.logins}</LoginResult></LoginResponse>"
            )
        queue = self.told[operation]
        told = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, Answer) else answered(operation, told)

    def close(self) -> None:
        return None


class Stages:
    """A journal that remembers; `at` may stop the run when a stage is recorded."""

    def __init__(self, stop: Callable[[str], None] = lambda stage: None) -> None:
        self.recorded: list[tuple[str, Mapping[str, str]]] = []
        self.stop = stop

    def record(self, key: str, stage: str, data: Mapping[str, str]) -> None:
        self.recorded.append((stage, dict(data)))
        self.stop(stage)


def settings(**more: Any) -> AccountsIQSettings:
    return AccountsIQSettings.model_validate({"endpoint": "sandbox", **more})


def calling(service: Service, clock: ManualClock | None = None, **more: Any) -> AccountsIQ:
    chosen = settings(**more)
    who = Credentials(chosen.api, "ENTITY", "first", "second")
    return AccountsIQ(cast(HttpConnection, service), chosen, who, "", clock or ManualClock())


def provider(service: Service, root: Path | None = None, **more: Any) -> AccountsIQProvider:
    return AccountsIQProvider(settings(**more), calling(service, **more), root or Path())


def request(
    operation: Operation, reference: str = "INV-1~abcdefghij234567", key: str = "k1", **more: Any
) -> ExecuteRequest:
    return ExecuteRequest(key=key, operation=operation, document_id="d", reference=reference, **more)


def names(element: Element) -> list[str]:
    """The names of an element's children."""
    return [child.tag.removeprefix(f"{{{NS}}}") for child in element]


def text(element: Element, path: str) -> str | None:
    """The text below `A/B`."""
    found = element.find("/".join(f"{{{NS}}}{part}" for part in path.split("/")))
    return None if found is None else found.text

"""A gateway by hand: requests are kept as elements, answers are given in order, shaped as Intacct's are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

from reconciler.kernel.clock import ManualClock
from reconciler.providers.http import Answer, HttpFailure
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.envelope import Login, Sender
from reconciler.providers.intacct.sessions import Place, Sessions
from reconciler.providers.intacct.settings import IntacctSettings

HOME = "https://api.intacct.com/ia/xml/xmlgw.phtml"
SESSION = "<data><api><sessionid>S{}..</sessionid><endpoint>{}</endpoint><locationid></locationid></api></data>"
Reply = str | Answer | HttpFailure | Callable[[Element], str]


def answered(body: str, status: int = 200, kind: str = "text/xml; charset=UTF-8") -> Answer:
    return Answer(status, {"content-type": kind}, body.encode(), "r1")


def control(status: str = "success") -> str:
    return f"<control><status>{status}</status><senderid>S</senderid><controlid>c</controlid></control>"


def response(*results: str, timeout: str = "2026-11-23T00:00:00+00:00") -> str:
    """All went well as far as the results."""
    return (
        f"<response>{control()}<operation><authentication><status>success</status><userid>u</userid>"
        f"<companyid>ACME</companyid><locationid></locationid><sessiontimeout>{timeout}</sessiontimeout>"
        f"</authentication>{''.join(results)}</operation></response>"
    )


def result(control_id: str, inner: str = "", *, function: str = "create", status: str = "success") -> str:
    return (
        f"<result><status>{status}</status><function>{function}</function><controlid>{control_id}</controlid>"
        f"{inner}</result>"
    )


def errors(*texts: tuple[str, str]) -> str:
    made = "".join(
        f"<error><errorno>{number}</errorno><description></description><description2>{text}</description2>"
        "<correction></correction></error>"
        for number, text in texts
    )
    return f"<errormessage>{made}</errormessage>"


def refused(*texts: tuple[str, str]) -> str:
    """Refused at the level of control."""
    return f"<response>{control('failure')}{errors(*texts)}</response>"


def signed_out(text: str = "Invalid session q....") -> str:
    return (
        f"<response>{control()}<operation><authentication><status>failure</status><userid/><companyid/>"
        f"</authentication>{errors(('XL03000006', text))}</operation></response>"
    )


def ids(request: Element) -> list[str]:
    return [one.get("controlid", "") for one in request.iter("function")]


def all_done(request: Element) -> str:
    """Each function is done, and named a key of its own."""
    return response(*(result(id_, f"<key>{at}</key>") for at, id_ in enumerate(ids(request), 1)))


@dataclass
class Wire:
    """Stands for an `HttpConnection`. A session is opened without being told how."""

    name: str = "home"
    endpoint: str = HOME
    replies: list[Reply] = field(default_factory=list)
    asked: list[Element] = field(default_factory=list)
    reads: list[bool] = field(default_factory=list)
    timeout: str = "2026-11-23T00:00:00+00:00"
    opened: int = 0
    calls: int = 0

    def send(self, method: str, path: str, *, body: bytes, read: bool, label: str) -> Answer:
        request = fromstring(body)
        self.calls += 1
        if request.find(".//getAPISession") is not None:
            self.opened += 1
            data = SESSION.format(self.opened, self.endpoint)
            return answered(response(result("session", data, function="getAPISession"), timeout=self.timeout))
        self.asked.append(request)
        self.reads.append(read)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            reply = reply(request)
        return reply if isinstance(reply, Answer) else answered(reply)

    def same_origin(self, url: str) -> str:
        return "/" + url.rpartition("/")[2]

    def close(self) -> None: ...


@dataclass
class Bench:
    """A gateway over wires by hand; `others`: by address, where a session may lead."""

    settings: IntacctSettings = field(default_factory=lambda: IntacctSettings(endpoint="sandbox"))
    home: Wire = field(default_factory=Wire)
    others: dict[str, Wire] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=ManualClock)
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        sender, login = Sender("S", "sender-secret"), Login("u", "ACME", "user-secret")
        plain = Gateway.at(HOME, self.settings, sender, login, self.clock, Path())
        plain.close()
        home = Place(self.home, "/xmlgw.phtml")  # type: ignore[arg-type]
        sessions = Sessions(
            home,
            HOME,
            login,
            self.clock,
            plain.sessions.ask,
            lambda address: Place(self.others[address], "/xmlgw.phtml"),  # type: ignore[arg-type]
        )
        self.gateway = Gateway(self.settings, sender, self.clock, Path(), sessions, not self.settings.query)

    @property
    def asked(self) -> list[Element]:
        return self.home.asked

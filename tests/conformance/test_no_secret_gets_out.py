"""Credentials of Intacct and AccountsIQ in no output, log, state or plan file, whatever goes wrong at which level.

A server echoes every secret that it was ever sent in every answer it gives: when a session is opened, and later.
"""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import quote

import pytest

from reconciler.cli.main import main
from reconciler.kernel.canonical import canonical_json
from reconciler.kernel.clock import SystemClock
from reconciler.kernel.secrets import forget_secrets
from reconciler.sandboxes.serving import start
from reconciler.sandboxes.serving.registry import load_sandbox
from tests.conformance import accountsiq_world, intacct_world
from tests.unit.http.hostile import CLOSE, CUT, Answer, Hostile, Seen, hostile, reply

MARK = "Zq7"
FIRST, SECOND = f"1st<&>\"{MARK}'sender ü", f"2nd<&>\"{MARK}'person ü"
SESSION = f"{MARK}-session-of-a-while"
SECRETS = (FIRST, SECOND, SESSION)
MANIFEST = """\
customers:
  acme: {name: Acme, currency: USD}
invoices:
  INV-1:
    customer: acme
    issue_date: 2026-11-10
    due_date: 2026-12-10
    lines: [{description: Services, account: "4000", quantity: 1, unit_price: 10.00}]
"""


# ---- a server that echoes ----------------------------------------------------------------------------


def escaped(said: tuple[str, ...]) -> str:
    return " ".join(html.escape(secret, quote=False) for secret in said)


def broken(said: tuple[str, ...]) -> dict[str, Answer]:
    """Answers of no vendor's, by the level at which they fail; `said`: what the server was told, and says again."""
    words, plain = escaped(said), " ".join(said)
    page = f"<!DOCTYPE html><html><body><h1>{words}</h1></body></html>"
    bomb = f'<!DOCTYPE r [<!ENTITY x "{MARK}">]><r>{words}&x;</r>'
    return {
        "a page": reply(502, page.encode(), content_type="text/html"),
        "a page for an answer": reply(200, page.encode(), content_type="text/html"),
        "words": reply(500, plain.encode(), content_type="text/plain"),
        "refused": reply(403, plain.encode(), content_type="text/plain"),
        "too many": reply(429, plain.encode(), content_type="text/plain"),
        "cut off": reply(200, f"<response><a>{words}".encode(), content_type="text/xml"),
        "a DTD": reply(200, bomb.encode(), content_type="text/xml"),
        "latin": reply(200, f'<?xml version="1.0" encoding="{MARK}"?><a>{words}</a>'.encode()),
        "json": reply(200, canonical_json({"error": plain}).encode(), content_type="application/json"),
        "elsewhere": reply(302, b"", location=f"http://127.0.0.1:9/?said={quote(plain)}"),
        "cut": [CUT],
        "half": [f"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n<r>{words}".encode(), CLOSE],
        "other XML": reply(200, f"<a><b>{words}</b></a>".encode(), content_type="text/xml"),
    }


def xml(text: str) -> bytes:
    return reply(200, text.encode(), content_type="text/xml")


def intacct(said: tuple[str, ...]) -> dict[str, Answer]:
    """Intacct's own failures: of the control block, of authentication, of a function."""
    echo = escaped(said)
    error = f"<errormessage><error><errorno>{echo}</errorno><description>{echo}</description><description2>{echo}"
    error += f"</description2><correction>{echo}</correction></error></errormessage>"
    control = f"<control><status>{{}}</status><senderid>s</senderid><controlid>{echo}</controlid></control>"
    who = "<authentication><status>{}</status><userid>u</userid><companyid>c</companyid></authentication>"
    good = control.format("success")
    return {
        "control": xml(f"<response>{control.format('failure')}{error}</response>"),
        "authentication": xml(f"<response>{good}<operation>{who.format('failure')}{error}</operation></response>"),
        "function": xml(
            f"<response>{good}<operation>{who.format('success')}<result><status>failure</status>"
            f"<function>{echo}</function><controlid>{echo}</controlid>{error}</result></operation></response>"
        ),
    }


def intacct_session(server: Hostile, request: Seen) -> Answer | None:
    if b"getAPISession" not in request.body:
        return None
    control_id = re.search(rb'<function controlid="([^"]*)"', request.body)
    assert control_id is not None
    return xml(
        "<response><control><status>success</status><senderid>s</senderid><controlid>c</controlid></control><operation>"
        "<authentication><status>success</status><userid>u</userid><companyid>c</companyid></authentication><result>"
        f"<status>success</status><function>getAPISession</function><controlid>{control_id.group(1).decode()}</controlid>"
        f"<data><api><sessionid>{SESSION}</sessionid><endpoint>{server.url}{intacct_world.PATH}</endpoint>"
        "<locationid/></api></data></result></operation></response>"
    )


SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'


def accountsiq(said: tuple[str, ...]) -> dict[str, Answer]:
    """AccountsIQ's own failures: a fault, and a status of each operation that comes first."""
    echo = escaped(said)
    failure = f"<Status>Failure</Status><ErrorCode>{echo}</ErrorCode><ErrorMessage>{echo}</ErrorMessage>"
    fault = f"<faultcode>s:Server</faultcode><faultstring>{echo}</faultstring><detail>{echo}</detail>"
    made = {"fault": reply(500, SOAP.format(f"<s:Fault>{fault}</s:Fault>").encode(), content_type="text/xml")}
    for name in ("GetCompanyInformation", "Login", "TokenGet"):
        result = f"<{name}Result>{failure}<HasExpired>false</HasExpired></{name}Result>"
        made[name] = xml(SOAP.format(f'<{name}Response xmlns="{accountsiq_world.NS}">{result}</{name}Response>'))
    return made


def accountsiq_session(server: Hostile, request: Seen) -> Answer | None:
    if b"Login" in request.body:
        inner = f"<LoginResult>{SESSION}</LoginResult>"
        return xml(SOAP.format(f'<LoginResponse xmlns="{accountsiq_world.NS}">{inner}</LoginResponse>'))
    if b"TokenGet" in request.body or b"TokenRefresh" in request.body:
        name = "TokenGet" if b"TokenGet" in request.body else "TokenRefresh"
        tokens = f"<AccessToken>{SESSION}</AccessToken><RefreshToken>{SESSION}</RefreshToken>"
        inner = f"<{name}Result><Status>Success</Status><Result>{tokens}</Result></{name}Result>"
        return xml(SOAP.format(f'<{name}Response xmlns="{accountsiq_world.NS}">{inner}</{name}Response>'))
    return None


@dataclass(frozen=True, slots=True)
class Vendor:
    """`session` answers what opens a session; `failures` are answers of its own, by name."""

    connection: Callable[[str], dict[str, str]]
    session: Callable[[Hostile, Seen], Answer | None]
    failures: Callable[[tuple[str, ...]], dict[str, Answer]]


def _intacct(url: str) -> dict[str, str]:
    named = {"sender_id": "s", "company": "c", "user": "u", "endpoint": f"{url}{intacct_world.PATH}"}
    return {"provider": "intacct", **named, "sender_password": "${env:FIRST}", "password": "${env:SECOND}"}


def _accountsiq(url: str) -> dict[str, str]:
    keys = {"partner_key": "${env:FIRST}", "user_key": "${env:SECOND}"}
    return {"provider": "accountsiq", "endpoint": url, "company": "c", **keys}


def _accountsiq_2(url: str) -> dict[str, str]:
    keys = {"client_id": "${env:FIRST}", "client_secret": "${env:SECOND}"}
    return {"provider": "accountsiq", "endpoint": url, "api": "2.0", "entity": "c", **keys}


VENDORS = {
    "intacct": Vendor(_intacct, intacct_session, intacct),
    "accountsiq": Vendor(_accountsiq, accountsiq_session, accountsiq),
    "accountsiq 2.0": Vendor(_accountsiq_2, accountsiq_session, accountsiq),
}


# ---- what is written ---------------------------------------------------------------------------------


def traces(secret: str) -> Iterator[bytes]:
    """What betrays a secret: its marked middle as it is, and whole in what hides the mark."""
    data = secret.encode()
    yield MARK.encode()
    yield data.hex().encode()
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + data)
        yield packed[4:-4]


@dataclass(slots=True)
class Project:
    """A folder, and all that commands in it have said."""

    folder: Path
    capfd: pytest.CaptureFixture[str]
    said: list[str] = field(default_factory=list)

    def connect(self, connection: dict[str, Any]) -> None:
        (self.folder / "manifests").mkdir(parents=True, exist_ok=True)
        text = canonical_json(
            {"project": {"id": "0b6f3c1e9d2a", "name": "x"}, "connections": {"books": connection}}
        )
        (self.folder / "reconciler.yaml").write_text(text + "\n")
        (self.folder / "manifests" / "all.yaml").write_text(MANIFEST)

    def run(self, *arguments: str) -> int:
        code = main(["--chdir", str(self.folder), "--log-http", "requests.log", *arguments])
        out, err = self.capfd.readouterr()
        self.said.append(f"{arguments}: {code}\n{out}\n{err}")
        return code

    def leaks(self) -> list[str]:
        places = {f"output {at}": text.encode() for at, text in enumerate(self.said)}
        places |= {str(path): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        assert len(places) > len(self.said) + 2
        return [
            f"{place}: {body[max(0, body.find(trace) - 60) : body.find(trace) + 60]!r}"
            for place, body in places.items()
            for secret in SECRETS
            for trace in traces(secret)
            if trace in body
        ]


@pytest.fixture
def project(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    forget_secrets()
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)
    monkeypatch.setenv("FIRST", FIRST)
    monkeypatch.setenv("SECOND", SECOND)
    yield Project(tmp_path / "project", capfd)
    forget_secrets()


COMMANDS = (("connection", "check", "books"), ("plan", "-o", "some.plan"), ("apply", "--auto-approve", "--json"))


@pytest.mark.parametrize("opened", [False, True], ids=["opening", "in a session"])
@pytest.mark.parametrize("name", VENDORS)
def test_whatever_the_server_answers(project: Project, name: str, opened: bool) -> None:
    vendor = VENDORS[name]
    said = SECRETS if opened else SECRETS[:2]
    answers = {**broken(said), **vendor.failures(said)}
    current: list[Answer] = []

    def behave(request: Seen) -> Answer:
        session = vendor.session(server, request) if opened else None
        return current[-1] if session is None else session

    with hostile(behave) as server:
        project.connect(vendor.connection(server.url))
        for level, answer in answers.items():
            current.append(answer)
            for at, command in enumerate(COMMANDS):
                if at and level in ("cut", "half", "latin"):
                    continue
                assert project.run(*command), f"{level}: {command} went well"
        sent = b"".join(request.body for request in server.requests)
    assert (SESSION.encode() in sent) is opened
    assert MARK.encode() in sent
    assert project.leaks() == []


# ---- where it goes well ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Real:
    """A sandbox with marked credentials, and what a connection to it needs beside them."""

    switches: dict[str, str]
    seed: Any
    more: dict[str, Any]


REAL = {
    "intacct": Real(
        {"sender_id": "s", "company": "c", "user": "u", "sender_password": FIRST, "password": SECOND},
        intacct_world.SEED,
        {"advance_account": "2300"},
    ),
    "accountsiq": Real(
        {"company": "c", "partner_key": FIRST, "user_key": SECOND}, accountsiq_world.SEED, {"untaxed": "ZERO"}
    ),
}
TROUBLE = (
    {"expire_sessions": "1", "expire_token": "1"},
    {"html_error": "1"},
    {"half_response": "1"},
    {"lose_response": "1"},
    {"error_5xx_after_commit": "1"},
)


@pytest.mark.parametrize("name", REAL)
def test_from_the_first_plan_to_books_that_are_as_declared(project: Project, name: str) -> None:
    real = REAL[name]
    known = {switch.name for switch in load_sandbox(name).switches}
    with start(name, switches=real.switches, seed=real.seed) as running:
        more = {"settle_seconds": 0, "timeout_seconds": 2, "resend_after_settle": True, **real.more}
        project.connect({**VENDORS[name].connection(running.url), **more})
        assert project.run("plan", "-o", "some.plan") == 0
        with mock.patch.dict(os.environ, {"SECOND": f"not {SECOND}"}):
            assert project.run("plan") != 0
        for trouble in TROUBLE:
            running.switches.set({key: value for key, value in trouble.items() if key in known})
            project.run("apply", "--auto-approve")
            running.switches.set({key: "" for key in trouble if key in known})
        for _ in range(3):
            if project.run("apply", "--auto-approve", "--json") == 0:
                break
        assert project.run("plan", "--detailed-exitcode") == 0
        for command in (("show", "some.plan"), ("state", "list"), ("history",), ("connection", "check", "books")):
            project.run(*command)
    assert project.leaks() == []

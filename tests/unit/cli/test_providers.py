"""`reconciler providers` and `reconciler connection check`: what can be known before the first plan."""

from __future__ import annotations

import json
import threading
from typing import get_type_hints

import pytest
from pydantic import SecretStr

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.secrets import forget_secrets
from reconciler.project import ConnectionSection
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.http import HttpConnection, HttpSettings, answer_error, classed, json_body
from reconciler.providers.ledger.capabilities import ledger_capabilities
from reconciler.providers.protocol import Company
from reconciler.providers.registry import provider_names
from reconciler.sandboxes.ledger.engine import Ledger
from reconciler.sandboxes.ledger.server import LedgerServer
from tests.unit.cli.conftest import edit
from tests.unit.http.hostile import hostile, reply

BOOKS = "provider: ledger, path: state/books.sqlite"


def test_every_provider_has_its_line(run):
    ran = run("providers")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == provider_names()
    assert all(len(line.split()) > 3 for line in lines if not line.startswith(" "))
    assert "embedded double-entry ledger" in ran.out


def test_a_provider_that_cannot_be_loaded_is_listed_with_its_problem(run, monkeypatch):
    from reconciler.workflows import describing

    def load(name: str):
        raise ImportError("No module named 'zeep'")

    monkeypatch.setattr(describing, "load_provider", load)
    assert "cannot be loaded: No module named 'zeep'" in run("providers").out


@pytest.mark.parametrize("name", ["ledger", "ledger-test"])
def test_a_provider_tells_its_settings_and_what_it_can_do(run, name):
    ran = run("providers", name)
    assert ran.code == 0
    for words in (
        "Settings of a connection",
        "token: secret, only as ${env:NAME}",
        "What it can do",
        "class A",
        "Limits",
        "print: `documents get` gets it as the ERP prints it",
        "tells what customers owe and may owe",
    ):
        assert words in " ".join(ran.out.split())


def test_the_same_for_machines(run):
    listed = json.loads(run("providers", "--json").out)
    assert {item["name"] for item in listed["providers"]} == set(provider_names())
    document = json.loads(run("providers", "ledger", "--json").out)
    settings = {setting["name"]: setting for setting in document["settings"]}
    assert settings["token"]["secret"] is True
    assert settings["path"] == {
        "name": "path",
        "type": "text",
        "description": "file of the books, relative to the project; made if missing",
        "required": False,
        "default": None,
        "secret": False,
        "environment": False,
    }
    invoice = document["capabilities"]["kinds"]["invoice"]
    assert invoice["verbs"]["create"] == {"support": "full", "class": "A", "settle_seconds": 0, "note": ""}
    assert "due_date" in invoice["amendable"]["posted"]
    assert (document["capabilities"]["credit_control"], invoice["printed"]) == (True, True)


def test_settings_that_every_connection_has_stand_under_a_heading_of_their_own(run):
    text = " ".join(run("providers", "intacct").out.split())
    own, common = text.split("Settings of every connection, in reconciler.yaml")
    assert "sender_id: " in own
    assert "resend_after_settle: true or false, default false" in common
    assert "provider: text, required" in common
    assert " rounding: half_up or half_even, default half_up" in own
    assert " rounding: half_up" not in common.split("What it can do")[0]


@pytest.mark.parametrize("name", provider_names())
def test_every_key_of_a_connection_is_listed_once(run, name):
    document = json.loads(run("providers", name, "--json").out)
    own = [setting["name"] for setting in document["settings"]]
    common = [setting["name"] for setting in document["common_settings"]]
    assert set(get_type_hints(ConnectionSection)) <= {*own, *common}
    assert not set(own) & set(common)
    assert all(setting["description"] for setting in document["common_settings"])


def test_an_unknown_provider_is_told_with_those_there_are(run):
    ran = run("providers", "ledgr")
    assert ran.code == 1
    assert "there is no provider 'ledgr'" in ran.err
    assert "ledger" in ran.err


def test_no_provider_is_connected_to(run, project):
    (project / "reconciler.yaml").unlink()
    assert run("providers", "ledger").code == 0
    assert not (project / "state").exists()


def test_a_connection_that_works_names_the_company(run):
    ran = run("connection", "check")
    assert ran.code == 0
    assert ran.out.splitlines()[0].startswith("ok      books (ledger), 1 call")
    for words in ("company         Company", "base currency   USD", "time zone       UTC", "nothing is closed"):
        assert words in ran.out
    document = json.loads(run("connection", "check", "books", "--json").out)
    (found,) = document["connections"]
    assert (found["ok"], found["calls"], found["company"]["base_currency"]) == (True, 1, "USD")


def test_an_unknown_connection_is_told(run):
    ran = run("connection", "check", "boks")
    assert ran.code == 1
    assert "there is no connection 'boks'" in ran.err
    assert "books" in ran.err


def test_a_missing_variable_is_told_with_its_place(run, project, monkeypatch):
    monkeypatch.delenv("LEDGER_TOKEN", raising=False)
    edit(
        project,
        BOOKS,
        "provider: ledger, endpoint: 'http://127.0.0.1:9', token: '${env:LEDGER_TOKEN}'",
        "reconciler.yaml",
    )
    ran = run("connection", "check")
    assert ran.code == 1
    assert "failed  books (ledger)\n" in ran.out
    assert "connection books: token needs the environment variable LEDGER_TOKEN, which is not set" in ran.out
    assert "reconciler.yaml:3" in ran.out
    assert "export LEDGER_TOKEN=" in ran.out
    monkeypatch.setenv("LEDGER_TOKEN", "")
    assert "LEDGER_TOKEN, which is empty" in run("connection", "check").out


def test_a_secret_in_the_file_is_refused_and_not_repeated(run, project):
    edit(project, BOOKS, "provider: ledger, endpoint: 'http://127.0.0.1:9', token: hunter22", "reconciler.yaml")
    ran = run("connection", "check")
    assert ran.code == 1
    assert "token is a secret and should be written as ${env:NAME}" in ran.out
    assert "token: ${env:BOOKS_TOKEN}" in " ".join(ran.out.split())
    document = json.loads(run("connection", "check", "--json").out)
    (problem,) = document["connections"][0]["problem"]["diagnostics"]
    assert problem["code"] == "secret-in-file"
    assert "hunter22" not in json.dumps(document)


@pytest.fixture
def ledger_server(tmp_path):
    ledger = Ledger(tmp_path / "served.sqlite", clock=SystemClock())
    server = LedgerServer(ledger, token="hunter22")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
    ledger.close()


@pytest.fixture(autouse=True)
def no_secrets():
    yield
    forget_secrets()


def test_credentials_are_tried(run, project, ledger_server, monkeypatch):
    settings = f"provider: ledger, endpoint: '{ledger_server.url}', token: '${{env:LEDGER_TOKEN}}'"
    edit(project, BOOKS, settings, "reconciler.yaml")
    monkeypatch.setenv("LEDGER_TOKEN", "hunter22")
    assert run("connection", "check").code == 0
    monkeypatch.setenv("LEDGER_TOKEN", "wrong-token")
    ran = run("connection", "check")
    assert ran.code == 1
    assert "a bearer token is needed" in ran.out
    assert "wrong-token" not in ran.out + ran.err


class ErpSettings(HttpSettings):
    endpoint: str
    token: SecretStr


class Erp:
    """A provider that knows only how to log in."""

    def __init__(self, http: HttpConnection) -> None:
        self.http = http

    def company(self) -> Company:
        with classed(writes=False):
            answer = self.http.send("GET", "/company", query={"for": "reconciler"}, read=True)
            if not answer.ok:
                raise answer_error(answer, writes=False)
            found = json_body(answer)
        return Company(found["id"], found["name"], "EUR", "Europe/Berlin")

    def calls(self) -> int:
        return self.http.calls

    def close(self) -> None:
        self.http.close()


class ErpFactory:
    settings = ErpSettings

    def describe(self) -> Capabilities:
        return ledger_capabilities("erp")

    def open(self, settings: ErpSettings, root, clock) -> Erp:
        token = settings.token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        return Erp(HttpConnection(settings.endpoint, settings, headers=headers, clock=clock, root=root))


@pytest.fixture
def erp(project, monkeypatch):
    """Point the project at a server of the given behaviour."""
    monkeypatch.setattr("reconciler.providers.registry.load_provider", lambda name: ErpFactory())
    monkeypatch.setenv("ERP_TOKEN", "hunter22")

    def at(url: str) -> None:
        edit(project, BOOKS, f"provider: erp, endpoint: '{url}', token: '${{env:ERP_TOKEN}}'", "reconciler.yaml")

    return at


def test_a_network_provider_is_checked_and_its_requests_logged(run, project, erp):
    with hostile(reply(body=b'{"id": "7", "name": "Acme GmbH"}')) as server:
        erp(server.url)
        ran = run("--log-http", "http.log", "connection", "check")
    assert ran.code == 0
    assert "company         Acme GmbH (id 7)" in ran.out
    (line,) = map(json.loads, (project / "http.log").read_text().splitlines())
    assert (line["connection"], line["method"], line["path"], line["status"], line["outcome"]) == (
        "books",
        "GET",
        "/company?for=…",
        200,
        "answered",
    )
    assert (project / "http.log").stat().st_mode & 0o777 == 0o600


def test_the_log_may_be_asked_for_by_the_environment(run, project, erp, monkeypatch):
    monkeypatch.setenv("RECONCILER_LOG_HTTP", "http.log")
    with hostile(reply(body=b'{"id": "7", "name": "Acme GmbH"}')) as server:
        erp(server.url)
        assert run("connection", "check").code == 0
    assert len((project / "http.log").read_text().splitlines()) == 1


def test_the_log_may_go_to_standard_error(run, project, erp):
    with hostile(reply(body=b'{"id": "7", "name": "Acme GmbH"}')) as server:
        erp(server.url)
        ran = run("--log-http", "-", "connection", "check")
    assert ran.code == 0
    (line,) = map(json.loads, ran.err.splitlines())
    assert line["status"] == 200
    assert not (project / "-").exists()


def test_refused_credentials_name_the_variables_not_the_secret(run, erp):
    with hostile(reply(401, b"<h1>Unauthorized: hunter22</h1>", content_type="text/html")) as server:
        erp(server.url)
        ran = run("connection", "check")
    assert ran.code == 1
    said = " ".join(ran.out.split())
    assert "the credentials are refused" in said
    assert "Unauthorized: ***" in said
    assert "token from ERP_TOKEN" in said
    assert "hunter22" not in ran.out + ran.err


def test_a_page_that_is_no_json_is_told(run, erp):
    with hostile(reply(200, b"<html><h1>Welcome</h1></html>", content_type="text/html")) as server:
        erp(server.url)
        ran = run("connection", "check")
    assert ran.code == 1
    assert "the answer is no JSON (text/html), status 200: Welcome (request" in " ".join(ran.out.split())


def test_no_traceback_shows_a_secret(run, erp, monkeypatch):
    monkeypatch.setenv("RECONCILER_DEBUG", "1")

    def explode(self):
        raise ZeroDivisionError(f"with {self.http._headers}")

    monkeypatch.setattr(Erp, "company", explode)
    with hostile(reply()) as server:
        erp(server.url)
        ran = run("connection", "check")
    assert ran.code == 1
    assert "ZeroDivisionError" in ran.err
    assert "Bearer ***" in ran.err
    assert "hunter22" not in ran.err


@pytest.mark.parametrize(
    "setting",
    [
        "proxy: 'http://me:hunter22@proxy.example:3128'",
        "token: hunter22",
        "token: 'x${env:ERP_TOKEN}hunter22'",
        "tokn: hunter22",
        "api_key: hunter22",
    ],
)
def test_a_password_where_it_does_not_belong_is_not_repeated(run, project, erp, setting):
    erp("http://127.0.0.1:9")
    if setting.startswith("tok"):
        edit(project, "token: '${env:ERP_TOKEN}'", setting, "reconciler.yaml")
    else:
        edit(project, "token: '${env:ERP_TOKEN}'", f"token: '${{env:ERP_TOKEN}}', {setting}", "reconciler.yaml")
    for arguments in (("connection", "check"), ("connection", "check", "--json"), ("plan",)):
        ran = run(*arguments)
        assert ran.code == 1
        assert "hunter22" not in ran.out + ran.err

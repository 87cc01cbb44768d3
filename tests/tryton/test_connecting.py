"""`connection check` and the request log against a real Tryton."""

from __future__ import annotations

import json

import pytest

from reconciler.cli.main import main
from reconciler.kernel.secrets import forget_secrets

PROJECT = """\
project: {{id: 0b6f3c1e9d2a, name: acme-receivables}}
connections:
  erp:
    provider: tryton
    endpoint: {url}
    database: {database}
    user: {user}
    password: ${{env:TRYTON_PASSWORD}}
"""


@pytest.fixture
def project(tryton_of_module, tmp_path, monkeypatch):
    server = tryton_of_module
    text = PROJECT.format(url=server.url, database=server.database, user=server.user)
    (tmp_path / "reconciler.yaml").write_text(text)
    monkeypatch.setenv("TRYTON_PASSWORD", server.password)
    yield tmp_path
    forget_secrets()


def test_the_company_is_named_and_every_call_logged(project, capfd):
    assert main(["--chdir", str(project), "--log-http", "http.log", "connection", "check", "--json"]) == 0
    (found,) = json.loads(capfd.readouterr().out)["connections"]
    assert found["ok"]
    assert (found["company"]["name"], found["company"]["base_currency"]) == ("Example Company Inc", "USD")
    lines = [json.loads(line) for line in (project / "http.log").read_text().splitlines()]
    assert len(lines) == found["calls"]
    assert {(line["connection"], line["outcome"], line["status"]) for line in lines} == {("erp", "answered", 200)}
    assert lines[0]["call"] == "common.db.login"


def test_a_wrong_password_is_told_and_not_shown(project, capfd, monkeypatch):
    monkeypatch.setenv("TRYTON_PASSWORD", "hunter22-wrong")
    assert main(["--chdir", str(project), "--log-http", "http.log", "connection", "check"]) == 1
    printed = capfd.readouterr()
    assert "wrong user or password" in printed.out
    assert "hunter22" not in printed.out + printed.err + (project / "http.log").read_text()


def test_a_server_that_is_gone_is_told(project, capfd):
    text = (project / "reconciler.yaml").read_text()
    endpoint = next(line for line in text.splitlines() if "endpoint:" in line)
    (project / "reconciler.yaml").write_text(text.replace(endpoint, "    endpoint: http://127.0.0.1:9"))
    assert main(["--chdir", str(project), "connection", "check"]) == 1
    assert "Connection refused" in capfd.readouterr().out

"""`reconciler sandbox`: a simulated ERP served from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx
import pytest

from reconciler.cli.main import main


def test_it_is_served_until_it_is_stopped(tmp_path):
    arguments = [
        "sandbox",
        "serve",
        "codat",
        "--data",
        "c.sqlite",
        "--log",
        "log.jsonl",
        "--switch",
        "latency_ms=1",
    ]
    command = [sys.executable, "-m", "reconciler", *arguments]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        url = served.stdout.readline().strip()
        assert httpx.get(f"{url}/companies").status_code == 401
        assert httpx.get(f"{url}/__sandbox__/switches").json()["switches"]["latency_ms"] == "1"
        served.send_signal(signal.SIGINT)
        _, said = served.communicate(timeout=20)
    assert served.returncode == 0
    assert "api_key: sandbox-codat-key" in said
    assert (tmp_path / "c.sqlite").exists()
    assert json.loads((tmp_path / "log.jsonl").read_text())["status"] == 401


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "there is no sandbox 'nothing'"),
        (["codat", "--switch", "latncy_ms=1"], "Did you mean 'latency_ms'?"),
        (["codat", "--switch", "latency_ms"], "it should be NAME=VALUE"),
        (["codat", "--seed", "gone.yaml"], "--seed: "),
        (["codat", "--data", "text.sqlite"], "is not a ledger"),
    ],
)
def test_what_cannot_be_served_is_refused(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.sqlite").write_text("no books, but long enough to be looked at as a file of SQLite" * 20)
    assert main(["sandbox", "serve", *arguments]) == 1
    assert words in " ".join(capsys.readouterr().err.split())


def test_serving_leaves_the_signals_as_they_were(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    main(["sandbox", "serve", "codat", "--seed", "gone.yaml"])
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_switches_are_listed(capsys):
    assert main(["sandbox", "switches", "codat"]) == 0
    text = capsys.readouterr().out
    assert "push_ms" in text
    assert "lose_response" in text
    assert main(["sandbox", "switches", "codat", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["switches"]
    assert {"name", "type", "default", "choices", "help"} == set(rows[0])


@pytest.mark.parametrize(
    ("sandbox", "switch", "values"),
    [
        ("intacct", "repeated_control_id", ["refuse", "first_result"]),
        ("intacct", "rate_limit_how", ["status", "body"]),
        ("intacct", "late_answer", ["cut", "500", "502", "503", "504"]),
        ("accountsiq", "amount_signs", ["signed", "absolute"]),
    ],
)
def test_a_switch_of_few_values_names_them_and_takes_no_others(capsys, sandbox, switch, values):
    assert main(["sandbox", "switches", sandbox]) == 0
    (line,) = (text for text in capsys.readouterr().out.splitlines() if text.startswith(f"{switch} "))
    assert line.endswith(f"(one of {', '.join(values)}; by default {_default(line)})")
    assert main(["sandbox", "switches", sandbox, "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["switches"]}
    assert rows[switch]["choices"] == values
    assert _default(line) == rows[switch]["default"]
    assert main(["sandbox", "serve", sandbox, "--switch", f"{switch}=perhaps"]) == 1
    assert f"'perhaps' is none of {', '.join(values)}" in " ".join(capsys.readouterr().err.split())


def _default(line: str) -> str:
    return line.rpartition("by default ")[2].rstrip(")")

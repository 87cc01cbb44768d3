"""`reconciler sandbox serve tryton`, from the shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from reconciler.cli.main import main
from reconciler.sandboxes.tryton import packages
from reconciler.sandboxes.tryton.rpc import TrytonRpc


def test_it_prints_where_it_is_and_how_to_use_it_and_stops_on_ctrl_c(tmp_path):
    server = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "--chdir", str(tmp_path), "sandbox", "serve", "tryton", "--data", "t"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    with TrytonRpc(url, "books") as rpc:
        rpc.login("admin", "admin")
        assert rpc.read("company.company", [], "party.name")[0]["party."]["name"] == "Example Company Inc"
    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert f"endpoint: {url}" in said
    assert "password: ${env:TRYTON_PASSWORD}" in said
    assert (tmp_path / "t" / "books.sqlite").exists()


def test_without_the_extra_it_says_what_to_install(monkeypatch, capsys):
    def missing(name: str) -> str:
        raise packages.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", missing)
    assert main(["sandbox", "serve", "tryton"]) == 1
    assert "in your clone, pip install '.[tryton-server]'" in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--seed", "a.yaml"], ["--switch", "a=b"], ["--log", "a.log"]])
def test_what_only_simulations_have_is_refused(option, capsys):
    assert main(["sandbox", "serve", "tryton", *option]) == 1
    assert "tryton is no simulation" in capsys.readouterr().err

"""The server: it outlives its clients, kills them when told to, and lets nobody in without the token."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.providers.errors import Rejected, Unavailable
from reconciler.providers.ledger.client import LedgerClient
from reconciler.sandboxes.ledger.commands import CreateRecord
from reconciler.sandboxes.ledger.process import start_server
from reconciler.sandboxes.ledger.records import Record, Selection
from reconciler.sandboxes.ledger.refusal import BooksUnusable

CLIENT = """
import sys
from reconciler.providers.ledger.client import LedgerClient
from reconciler.sandboxes.ledger.commands import CreateRecord
client = LedgerClient(sys.argv[1], sys.argv[2])
for n in range(int(sys.argv[3])):
    client.run([CreateRecord("customer", {"name": f"c{n}", "code": f"{sys.argv[4]}{n}"}, f"{sys.argv[4]}{n}")])
    print(n, flush=True)
"""


def run_client(url: str, token: str, count: int, mark: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", CLIENT, url, token, str(count), mark]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)


def customers(client: LedgerClient) -> list[Record]:
    return list(client.records(Selection(("customer",))))


def test_the_client_dies_between_commit_and_answer_and_the_commit_stays(tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--allow-faults", "--kill-at", "3", "--log", str(log))
    with start_server(tmp_path / "b.sqlite", *options) as server:
        dead = run_client(server.url, server.token, 5, "a")
        assert dead.returncode == -9
        assert dead.stdout.split() == ["0", "1"]
        client = LedgerClient(server.url, server.token)
        assert [record.code for record in customers(client)] == ["a0", "a1", "a2"]
        assert client.faults() == {"writes": 3, "kills": 1}
        assert run_client(server.url, server.token, 2, "b").returncode == 0
        client.close()
    events = [(line["n"], line["event"]) for line in map(json.loads, log.read_text().splitlines())]
    assert events[:6] == [
        (1, "committed"),
        (1, "answered"),
        (2, "committed"),
        (2, "answered"),
        (3, "committed"),
        (3, "killed"),
    ]


def test_clients_are_killed_at_random_from_a_seed(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite", "--allow-faults") as server:
        client = LedgerClient(server.url, server.token)
        client.faults(kill_per_mille=500, seed=7)
        killed = sum(run_client(server.url, server.token, 3, mark).returncode == -9 for mark in "abcdef")
        counts = client.faults(kill_per_mille=0)
        assert killed == counts["kills"] > 0
        assert len(customers(client)) == counts["writes"]
        client.close()


def test_switches_need_to_be_allowed(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite") as server:
        client = LedgerClient(server.url, server.token)
        with pytest.raises(Rejected, match="allow-faults"):
            client.faults(kill_at=[1])
        client.close()


def test_a_pause_between_commit_and_answer_shows_the_commit_to_others(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite", "--allow-faults") as server:
        client = LedgerClient(server.url, server.token)
        client.faults(delay_ms=3000)
        arguments = [sys.executable, "-c", CLIENT, server.url, server.token, "1", "a"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            while not customers(client):
                pass
            assert process.poll() is None
            process.kill()
        assert len(customers(client)) == 1
        client.close()


def test_without_the_token_nothing_is_told(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite") as server:
        for token in ("", "wrong", server.token + "x"):
            client = LedgerClient(server.url, token)
            with pytest.raises(Rejected, match="bearer token"):
                client.books()
            with pytest.raises(Rejected, match="bearer token"):
                customers(client)
            client.close()


def test_odd_calls_are_answered_with_an_error(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite", token="") as server:
        address = urlsplit(server.url).netloc
        for path, body, status in (
            ("/nothing", "{}", 404),
            ("/run", "not json", 400),
            ("/run", '{"commands":[{"verb":"dance"}]}', 400),
            ("/run", '{"commands":[1.5]}', 400),
            ("/records", "{}", 400),
        ):
            connection = http.client.HTTPConnection(address, timeout=30)
            connection.request("POST", path, body)
            response = connection.getresponse()
            assert response.status == status
            assert "error" in json.loads(response.read())
            connection.close()


def test_many_records_are_streamed_whole(tmp_path: Path) -> None:
    with start_server(tmp_path / "b.sqlite") as server:
        client = LedgerClient(server.url, server.token)
        names = [f"c{n}" for n in range(1001)]
        client.run([CreateRecord("customer", {"name": name, "code": name}) for name in names])
        assert [record.name for record in customers(client)] == names
        half = iter(client.records(Selection(("customer",))))
        next(half)
        half.close()  # type: ignore[attr-defined]
        assert len(customers(client)) == 1001
        client.close()
        with pytest.raises(Unavailable, match="closed"):
            client.books()


def test_a_file_that_is_no_ledger_is_not_served(tmp_path: Path) -> None:
    path = tmp_path / "b.sqlite"
    path.write_bytes(b"something else entirely " * 100)
    with pytest.raises(BooksUnusable):
        start_server(path)

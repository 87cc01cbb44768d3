"""The server itself: it has books to work with, begins again, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal

import httpx
import pytest

from reconciler.sandboxes.tryton import ServerFailed, TrytonMissing, TrytonServer, packages, process
from reconciler.sandboxes.tryton.books import BANK, EURO_RATES, RECEIVABLE, TAXES, TERMS
from reconciler.sandboxes.tryton.rpc import RpcError, RpcStatus, TrytonRpc


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone_soon(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_the_books_are_ready_for_receivables(tryton):
    with tryton.rpc() as rpc:
        assert [row["code"] for row in rpc.read("currency.currency", [], "code")] == ["USD", "EUR"]
        (company,) = rpc.read("company.company", [], "party.name", "currency.code")
        assert company["party."]["name"] == "Example Company Inc"
        assert company["currency."]["code"] == "USD"
        rates = rpc.read("currency.currency.rate", [["currency.code", "=", "EUR"]], "date", "rate")
        assert {row["date"]: row["rate"] for row in rates} == EURO_RATES
        assert {row["name"]: row["rate"] for row in rpc.read("account.tax", [], "name", "rate")} == TAXES
        assert {row["name"] for row in rpc.read("account.invoice.payment_term", [], "name")} >= set(TERMS)
        years = [row["name"] for row in rpc.read("account.fiscalyear", [], "name")]
        assert years[:4] == ["2024", "2025", "2026", "2027"]
        assert len(rpc.search("account.period", [])) == 12 * len(years)
        assert len(rpc.search("account.account", [["code", "in", [BANK, RECEIVABLE]], ["closed", "!=", True]])) == 2
        assert len(rpc.search("account.invoice.payment.method", [])) == 1
        assert len(rpc.search("account.move.reconcile.write_off", [])) == 1


def test_a_post_is_atomic_and_gets_a_number(tryton):
    with tryton.rpc() as rpc:
        (invoice,) = invoices(rpc, "PO-1")
        rpc.model("account.invoice", "post", [invoice])
        (row,) = rpc.read("account.invoice", [["id", "=", invoice]], "number", "state", "total_amount")
    assert (row["number"], row["state"], row["total_amount"]) == ("INV/2026/00001", "posted", Decimal("33.00"))


def test_it_begins_again_with_fresh_books(tryton):
    with tryton.rpc() as rpc:
        rpc.create("party.party", {"name": "Acme", "code": "acme"})
    url = tryton.url
    tryton.reset()
    with tryton.rpc() as rpc:
        assert rpc.search("party.party", [["code", "=", "acme"]]) == []
    assert tryton.url == url


def test_it_begins_again_from_what_was_saved(tryton, tmp_path):
    with tryton.rpc() as rpc:
        rpc.create("party.party", {"name": "Acme", "code": "acme"})
    tryton.save(tmp_path / "with-acme.sqlite")
    tryton.reset()
    tryton.reset(tmp_path / "with-acme.sqlite")
    with tryton.rpc() as rpc:
        assert len(rpc.search("party.party", [["code", "=", "acme"]])) == 1


def test_what_was_committed_survives_a_kill(tryton):
    with tryton.rpc() as rpc:
        rpc.create("party.party", {"name": "Acme", "code": "acme"})
    tryton.kill()
    with pytest.raises(httpx.TransportError):
        tryton.rpc()
    tryton.restart()
    with tryton.rpc() as rpc:
        assert len(rpc.search("party.party", [["code", "=", "acme"]])) == 1


def test_an_idle_session_must_log_in_again(tmp_path):
    with TrytonServer.start(tmp_path, session_seconds=1) as server, server.rpc() as rpc:
        (invoice,) = invoices(rpc, "PO-1")
        time.sleep(1.5)
        with pytest.raises(RpcStatus) as caught:
            rpc.model("account.invoice", "post", [invoice])
        assert caught.value.status == 401
        rpc.login(server.user, server.password)
        rpc.model("account.invoice", "post", [invoice])


def test_a_refusal_is_told_in_the_words_of_tryton(tryton):
    with tryton.rpc() as rpc:
        rpc.create("party.party", {"name": "Acme", "code": "acme"})
        with pytest.raises(RpcError) as caught:
            rpc.create("party.party", {"name": "Acme again", "code": "acme"})
    assert caught.value.kind == "UserError"
    assert caught.value.message == "The code on party must be unique."


def test_it_ends_with_a_process_that_was_killed(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from reconciler.sandboxes.tryton import TrytonServer; "
        "server = TrytonServer.start(Path(sys.argv[1])); print(server.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    keeper = int(parent.stdout.readline())
    (child,) = children(keeper)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone_soon(child)
    assert gone_soon(keeper)


def test_a_taken_port_is_told(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServerFailed, match=f"port {port} is taken by another program"):
            TrytonServer.start(tmp_path, port=port)


def test_a_port_taken_in_the_meantime_is_replaced(tmp_path, monkeypatch):
    free = process._free_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        offered = iter([other.getsockname()[1]])
        monkeypatch.setattr(process, "_free_port", lambda: next(offered, None) or free())
        with TrytonServer.start(tmp_path) as server:
            assert server.url != f"http://127.0.0.1:{other.getsockname()[1]}"


def test_a_server_that_does_not_start_shows_its_log(tmp_path):
    (tmp_path / "books.sqlite").write_text("this is no database, and long enough to be looked at as one")
    with pytest.raises(ServerFailed, match="file is not a database"):
        TrytonServer.start(tmp_path)


def test_without_the_extra_the_error_says_what_to_install(tmp_path, monkeypatch):
    def missing(name: str) -> str:
        raise packages.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", missing)
    with pytest.raises(TrytonMissing, match=r"pip install '\.\[tryton-server\]'"):
        TrytonServer.start(tmp_path, cache=tmp_path / "cache")


def test_modules_of_two_series_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "version", lambda name: "8.0.1" if name == "trytond-account" else "8.2.0")
    with pytest.raises(TrytonMissing, match=r"trytond-account 8\.0\.1"):
        TrytonServer.start(tmp_path, cache=tmp_path / "cache")


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def invoices(rpc: TrytonRpc, *references: str) -> list[int]:
    """Drafts of 30.00 and 10 % tax to a new customer."""
    (party,) = rpc.create("party.party", {"name": "Acme", "addresses": [["create", [{"city": "Vienna"}]]]})
    (address,) = rpc.search("party.address", [["party", "=", party]])
    (journal,) = rpc.search("account.journal", [["code", "=", "REV"]])
    (receivable,) = rpc.search("account.account", [["code", "=", RECEIVABLE]])
    (revenue,) = rpc.search("account.account", [["code", "=", "4.1.2"]])
    (tax,) = rpc.search("account.tax", [["name", "=", "Sales tax 10%"]])
    (dollar,) = rpc.search("currency.currency", [["code", "=", "USD"]])
    shared = {"company": rpc.context["company"], "currency": dollar}
    line = {
        **shared,
        "type": "line",
        "invoice_type": "out",
        "description": "Consulting",
        "quantity": 3,
        "unit_price": Decimal("10.00"),
        "account": revenue,
        "taxes": [["add", [tax]]],
    }
    invoice = {
        **shared,
        "type": "out",
        "party": party,
        "invoice_address": address,
        "account": receivable,
        "journal": journal,
        "invoice_date": date(2026, 11, 2),
        "lines": [["create", [line]]],
    }
    return rpc.create("account.invoice", *({**invoice, "reference": reference} for reference in references))

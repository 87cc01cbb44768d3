"""trytond on PostgreSQL runs transactions side by side: where two want one numbering series, it answers 503.

It rolls the transaction back, tries again five times by itself, and then says so: nothing has happened. That is
what the provider takes a 503 of Tryton's for, and here it is seen.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from reconciler.kernel.errors import ExitCode
from reconciler.sandboxes.tryton import TrytonMissing
from reconciler.sandboxes.tryton.books import BANK_JOURNAL, RECEIVABLE, SERVICES
from reconciler.sandboxes.tryton.packages import installed_versions
from reconciler.sandboxes.tryton.rpc import RpcStatus, TrytonRpc
from tests.postgres.server import PostgresServer
from tests.tryton import killing, on_postgres
from tests.tryton.on_postgres import TrytonOnPostgres

pytestmark = [
    pytest.mark.slow,  # setting the books up takes a minute and a half where no dump of them is kept yet
    pytest.mark.timeout(900),  # the same, on a busy machine
]

THREADS = 4
INVOICES, PAYMENTS = 8, 4
BUSY = 503
TEMPLATE = "books_as_set_up"
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def books_on_postgres(postgres_server: PostgresServer) -> PostgresServer:
    """A server with the prepared books as a template database."""
    try:
        installed_versions()
    except TrytonMissing as error:
        pytest.skip(str(error))
    if why := on_postgres.missing():
        pytest.skip(why)
    on_postgres.restore(postgres_server, TEMPLATE)
    return postgres_server


@pytest.fixture
def tryton_on_postgres(books_on_postgres: PostgresServer, tmp_path: Path) -> Iterator[TrytonOnPostgres]:
    name = f"books_{next(_NUMBERS)}"
    books_on_postgres.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    (tmp_path / "tryton").mkdir()
    server = on_postgres.serve(books_on_postgres, name, tmp_path / "tryton")
    yield server
    server.process.stop()
    books_on_postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


# ---- as Tryton itself sees it ---------------------------------------------------------------------------


def test_posting_in_several_threads_meets_503_and_what_met_it_did_not_happen(tryton_on_postgres):
    with tryton_on_postgres.rpc() as rpc:
        drafts = iter(draft_invoices(rpc, THREADS * 4))
    busy: Counter[int] = Counter()
    said: dict[int, bool] = {}
    together = threading.Barrier(THREADS)

    def post_some(mine: list[int]) -> None:
        with tryton_on_postgres.rpc() as rpc:
            for invoice in mine:
                together.wait(timeout=60)
                try:
                    rpc.model("account.invoice", "post", [invoice])
                except RpcStatus as error:
                    busy[error.status] += 1
                    said[invoice] = False
                else:
                    said[invoice] = True

    threads = [threading.Thread(target=post_some, args=([next(drafts) for _ in range(4)],)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
    assert len(said) == THREADS * 4
    assert set(busy) == {BUSY}, busy
    with tryton_on_postgres.rpc() as rpc:
        rows = rpc.read("account.invoice", [], "state", "number")
    assert {row["id"]: row["state"] == "posted" for row in rows} == said
    numbers = sorted(row["number"] for row in rows if row["number"])
    assert numbers == [f"INV/2026/{number:05}" for number in range(1, len(numbers) + 1)]


# ---- through our command line ---------------------------------------------------------------------------


def test_an_apply_beside_others_who_post_forgets_nothing_and_does_nothing_twice(tryton_on_postgres, tmp_path):
    folder = tmp_path / "project"
    write_project(folder, tryton_on_postgres)
    with others_posting(tryton_on_postgres):
        codes = []
        for _ in range(3):
            code, text = killing.run(folder, "--log-http", "http.log", "apply", "--auto-approve")
            codes.append(code)
            if code == ExitCode.OK:
                break
    assert codes[-1] == ExitCode.OK, text
    assert busy_answers(folder) > 0, "nobody was in the way"
    assert_all_there_once(folder, tryton_on_postgres)


def test_an_apply_that_meets_only_503_ends_and_the_next_finishes_it(tryton_on_postgres, tmp_path):
    folder = tmp_path / "project"
    write_project(folder, tryton_on_postgres, invoices=2, payments=1)
    with numbers_taken(tryton_on_postgres):
        code, text = killing.run(folder, "--log-http", "http.log", "apply", "--auto-approve")
        assert code != ExitCode.OK, text
        assert busy_answers(folder) > 0
        with tryton_on_postgres.rpc() as rpc:
            assert {row["state"] for row in rpc.read("account.invoice", [], "state")} <= {"draft"}
    code, text = killing.run(folder, "apply", "--auto-approve")
    assert code == ExitCode.OK, text
    assert_all_there_once(folder, tryton_on_postgres, invoices=2, payments=1)


def assert_all_there_once(
    folder: Path, server: TrytonOnPostgres, *, invoices: int = INVOICES, payments: int = PAYMENTS
) -> None:
    code, text = killing.run(folder, "plan", "--detailed-exitcode")
    assert code == ExitCode.OK, text
    with server.rpc() as rpc:
        lines = rpc.read(
            "account.invoice.line", [["description", "like", "Ours %"]], "description", "invoice.state"
        )
        receipts = rpc.read(
            "account.move.line",
            [["account.code", "=", RECEIVABLE], ["move.journal.code", "=", BANK_JOURNAL]],
            "credit",
            "move.state",
        )
    assert Counter(row["description"] for row in lines) == Counter(map(words, range(invoices)))
    assert {row["invoice."]["state"] for row in lines} == {"posted"}
    assert Counter(row["credit"] for row in receipts) == Counter(map(amount, range(payments)))
    assert {row["move."]["state"] for row in receipts} == {"posted"}


def write_project(
    folder: Path, server: TrytonOnPostgres, *, invoices: int = INVOICES, payments: int = PAYMENTS
) -> None:
    """Twelve documents or fewer. Payments may be sent while an invoice is; both take a number of the moves'."""
    (folder / "manifests").mkdir(parents=True)
    (folder / "reconciler.yaml").write_text(
        f"""project: {{id: 7c1e0f5a2b93, name: beside-others}}
connections:
  books:
    provider: tryton
    endpoint: {server.url}
    database: {server.database}
    user: {server.user}
    password: ${{env:{killing.PASSWORD}}}
    connections: 2
"""
    )
    lines = ["customers:", "  acme: {name: Acme Corporation}", "invoices:"]
    for number in range(invoices):
        line = f'description: {words(number)}, account: "{SERVICES}", quantity: 1, unit_price: 100.00'
        lines += [
            f"  INV-{number}:",
            "    customer: acme",
            f"    issue_date: 2026-10-{number + 1:02}",
            "    due_date: 2026-12-31",
            f"    lines: [{{{line}}}]",
        ]
    lines.append("payments:")
    for number in range(payments):
        lines += [
            f"  PMT-{number}:",
            "    customer: acme",
            "    received_on: 2026-10-20",
            f"    amount: {amount(number)}",
            "    bank_account: Bank",
        ]
    (folder / "manifests" / "twelve.yaml").write_text("\n".join(lines) + "\n")


def words(number: int) -> str:
    return f"Ours {number:03}"


def amount(number: int) -> Decimal:
    return Decimal("50.00") + number


def busy_answers(folder: Path) -> int:
    """How often our own requests met a 503, by the log of requests."""
    entries = [json.loads(line) for line in (folder / "http.log").read_text().splitlines()]
    return sum(entry.get("status") == BUSY for entry in entries)


# ---- who is in the way ----------------------------------------------------------------------------------


@contextmanager
def others_posting(server: TrytonOnPostgres) -> Iterator[None]:
    """Two people who enter and post general moves over the API, one after the other, until we are done."""
    done = threading.Event()
    others: list[int] = []

    def keep_posting() -> None:
        with server.rpc() as rpc:
            while not done.is_set():
                try:
                    for move in draft_moves(rpc, 5):
                        rpc.model("account.move", "post", [move])
                except RpcStatus as error:
                    others.append(error.status)

    threads = [threading.Thread(target=keep_posting) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(timeout=60)
    assert set(others) <= {BUSY}


@contextmanager
def numbers_taken(server: TrytonOnPostgres) -> Iterator[None]:
    """Somebody's transaction holds every numbering series: whoever needs a number gets 503."""
    import pg8000.native

    postgres = server.postgres
    with pg8000.native.Connection(
        postgres.user,
        host=postgres.host,
        port=postgres.port,
        database=server.database,
        password=postgres.password,
        ssl_context=False,
    ) as connection:
        connection.run("BEGIN")
        connection.run("SELECT 1 FROM ir_sequence_strict FOR UPDATE")
        yield
        connection.run("ROLLBACK")


def draft_moves(rpc: TrytonRpc, number: int) -> list[int]:
    company, day = rpc.context["company"], date(2026, 10, 15)
    (journal,) = rpc.search("account.journal", [["type", "=", "general"]], order=[["id", "ASC"]])[:1]
    (period,) = rpc.search("account.period", [["start_date", "<=", day], ["end_date", ">=", day]])
    (account,) = rpc.search("account.account", [["code", "=", "1.1.1"]])
    shared = {"company": company, "journal": journal, "period": period, "date": day}
    one, none = Decimal(1), Decimal(0)
    lines = [
        {"account": account, "debit": one, "credit": none},
        {"account": account, "debit": none, "credit": one},
    ]
    return rpc.create("account.move", *({**shared, "lines": [["create", lines]]} for _ in range(number)))


def draft_invoices(rpc: TrytonRpc, number: int) -> list[int]:
    company = rpc.context["company"]
    (receivable,) = rpc.search("account.account", [["code", "=", RECEIVABLE]])
    (revenue,) = rpc.search("account.account", [["code", "=", SERVICES]])
    (journal,) = rpc.search("account.journal", [["code", "=", "REV"]])
    (dollar,) = rpc.search("currency.currency", [["code", "=", "USD"]])
    (party,) = rpc.create("party.party", {"name": "Somebody", "addresses": [["create", [{"city": "Vienna"}]]]})
    (address,) = rpc.search("party.address", [["party", "=", party]])
    shared = {"company": company, "currency": dollar}
    line = {
        **shared,
        "type": "line",
        "invoice_type": "out",
        "description": "Theirs",
        "quantity": 1,
        "unit_price": Decimal(100),
        "account": revenue,
    }
    header = {
        **shared,
        "type": "out",
        "party": party,
        "invoice_address": address,
        "account": receivable,
        "journal": journal,
        "invoice_date": date(2026, 10, 1),
        "payment_term_date": date(2026, 12, 31),
        "lines": [["create", [line]]],
    }
    return rpc.create("account.invoice", *(header for _ in range(number)))

"""What only PostgreSQL brings: lost connections, commits nobody answered for, clocks that differ, its errors."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import StateError, StateLocked
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.postgres import PostgresBackend
from reconciler.state.postgres_location import PostgresLocation, read_location
from reconciler.state.postgres_opening import open_postgres
from reconciler.state.postgres_wire import Lost, Refused, Wire
from reconciler.state.protocol import Store
from reconciler.state.store import SqlStore
from reconciler.testing import state_rows as sample
from tests.postgres.fixtures import Database
from tests.postgres.server import PASSWORD, PostgresServer

PROJECT = "project-1"


class Skewed(SystemClock):
    """A machine whose wall clock is wrong."""

    def __init__(self, seconds: float) -> None:
        self.skew = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self.skew


@pytest.fixture
def location(postgres: Database) -> PostgresLocation:
    return read_location(postgres.url, "reconciler_0b6f3c1e9d2a")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "one" / "acme.postgres"


@pytest.fixture
def store(location: PostgresLocation, folder: Path) -> Iterator[Store]:
    found = open_postgres(location, PROJECT, SystemClock(), folder)
    yield found.store
    found.store.close()


def cut(postgres: Database) -> None:
    """As an operator or a failing network does: every connection ends now."""
    postgres.server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{postgres.name}' AND application_name = 'reconciler'"
    )


def runs(location: PostgresLocation, folder: Path) -> list[str]:
    other = open_postgres(location, PROJECT, SystemClock(), folder.parent.parent / "witness" / "w").store
    try:
        assert verify_history(other) == []
        return [row.id for row in other.runs()]
    finally:
        other.close()


class TestLostConnections:
    def test_one_lost_between_transactions_is_replaced(self, store: Store, postgres: Database) -> None:
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        cut(postgres)
        store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
        cut(postgres)
        assert [row.id for row in store.runs()] == ["run-1"]

    def test_one_lost_within_a_transaction_writes_nothing_and_says_so(
        self, location: PostgresLocation, store: Store, postgres: Database, folder: Path
    ) -> None:
        backend = PostgresBackend(location)
        with pytest.raises(StateError) as caught, backend.transaction(write=True):  # noqa: PT012
            backend.run("UPDATE meta SET epoch = 99")
            cut(postgres)
            backend.run("UPDATE meta SET epoch = 100")
        assert "was lost" in caught.value.what
        assert "Nothing of it was written" in caught.value.why
        assert store.meta().epoch == 1
        with backend.transaction(write=False):
            assert list(backend.query("SELECT epoch FROM meta")) == [(1,)]
        backend.close()

    def test_a_server_that_is_down_is_said_to_be(self, tmp_path: Path) -> None:
        with PostgresServer.start() as server:
            location = read_location(server.url(), "reconciler_x")
            backend = PostgresBackend(location, reconnect_seconds=0.3)
            server.halt()
            with pytest.raises(StateError) as caught, backend.transaction(write=False):
                pass
            assert "cannot be reached" in caught.value.what
            assert "Connection refused" in caught.value.why
            server.resume()
            with backend.transaction(write=False):
                assert list(backend.query("SELECT 1")) == [(1,)]
            backend.close()


class TestALostCommit:
    """The connection dies at the commit: before it reached the server, or after, with its answer on the way."""

    @pytest.fixture
    def dies(self, monkeypatch: pytest.MonkeyPatch, postgres: Database) -> Any:
        """Makes the next COMMIT of a write fail; `landed` decides whether the server saw it."""
        original = Wire.simple
        plan: dict[str, Any] = {}

        def simple(self: Wire, statements: str) -> Any:
            if statements == "COMMIT" and plan.get("landed") is not None:
                landed = plan.pop("landed")
                if landed:
                    original(self, statements)
                cut(postgres)
                time.sleep(0.05)
                if plan.get("down"):
                    plan["down"]()
                return original(self, statements)
            return original(self, statements)

        monkeypatch.setattr(Wire, "simple", simple)
        return plan

    def test_one_that_landed_is_found_and_goes_on(
        self, dies: Any, store: Store, location: PostgresLocation, folder: Path
    ) -> None:
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        dies["landed"] = True
        store.commit([model.PutRun(sample.run(1)), model.AppendHistory({"n": 1})], fence=lease.fence)
        store.commit([model.PutRun(sample.run(2))], fence=lease.fence)
        assert runs(location, folder) == ["run-1", "run-2"]

    def test_one_that_did_not_land_is_an_error_and_wrote_nothing(
        self, dies: Any, store: Store, location: PostgresLocation, folder: Path
    ) -> None:
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        dies["landed"] = False
        with pytest.raises(StateError) as caught:
            store.commit([model.PutRun(sample.run(1)), model.AppendHistory({"n": 1})], fence=lease.fence)
        assert "Nothing of it was written" in caught.value.why
        assert runs(location, folder) == []
        store.commit([model.PutRun(sample.run(2))], fence=lease.fence)
        assert runs(location, folder) == ["run-2"]

    def test_one_nobody_can_tell_of_is_an_unknown_outcome(
        self, dies: Any, location: PostgresLocation, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = PostgresBackend(location, reconnect_seconds=0.1)
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        blind = SqlStore(backend, SystemClock())

        def down() -> None:
            def refuse(*_: Any, **__: Any) -> Any:
                raise StateError("the server is away")

            monkeypatch.setattr(backend, "_connect", refuse)

        dies.update(landed=True, down=down)
        with pytest.raises(StateError) as caught:
            blind.commit([model.PutRun(sample.run(1))], fence=lease.fence)
        assert caught.value.why == "Whether that was written could not be found out."
        assert [row.id for row in store.runs()] == ["run-1"]  # and whoever looks, sees
        blind.close()

    def test_a_rollback_to_another_past_is_not_taken_for_an_answer(
        self, dies: Any, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        dies["landed"] = True
        identities = iter(["a standby that took over"])
        monkeypatch.setattr(Wire, "_identity", lambda self: next(identities))
        with pytest.raises(StateError) as caught:
            store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
        assert "could not be found out" in caught.value.why
        monkeypatch.undo()


def test_a_server_that_crashed_or_was_started_anew_is_another_for_this(tmp_path: Path) -> None:
    """What it had not flushed is lost, and its number may be someone else's: no answer is better than that."""
    with PostgresServer.start() as server:
        location = read_location(server.url(), "reconciler_x")

        def identity() -> str:
            wire = Wire(location, read_seconds=20)
            wire.close()
            return wire.identity

        first = identity()
        assert identity() == first != ""
        victim = PostgresBackend(location)
        with victim.transaction(write=False):
            ((process,),) = victim.query("SELECT pg_backend_pid()")
        os.kill(process, signal.SIGKILL)  # as a machine short of memory does: the server recovers from its log
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(Lost, Refused):
                if identity() != first:
                    break
            time.sleep(0.05)
        second = identity()
        assert second != first
        victim.close()
        server.restart()
        assert identity() not in (first, second)


class TestClocks:
    def test_leases_are_judged_by_the_databases_time(self, location: PostgresLocation, tmp_path: Path) -> None:
        """Two machines whose clocks are two hours apart: neither takes over from the other early, nor too late."""
        fast = open_postgres(location, PROJECT, Skewed(3600), tmp_path / "a").store
        slow = open_postgres(location, PROJECT, Skewed(-3600), tmp_path / "b").store
        for first, second in ((fast, slow), (slow, fast)):
            lease = first.acquire(holder="first", command="apply", term_seconds=1)
            with pytest.raises(StateLocked):
                second.acquire(holder="second", command="apply", term_seconds=1)
            lease.renew()
            with pytest.raises(StateLocked):
                second.acquire(holder="second", command="apply", term_seconds=1)
            time.sleep(1.05)
            taken = second.acquire(holder="second", command="apply", term_seconds=1)
            assert taken.fence > lease.fence
            taken.release()
        fast.close()
        slow.close()

    def test_a_run_goes_by_the_databases_time(self, location: PostgresLocation, tmp_path: Path) -> None:
        found = open_postgres(location, PROJECT, Skewed(-3600), tmp_path / "a")
        found.store.close()
        assert abs((found.clock.now() - SystemClock().now()).total_seconds()) < 5


class TestOneWriter:
    def test_writers_take_turns_and_none_deadlocks(self, location: PostgresLocation, store: Store) -> None:
        """Many connections that write the same rows in different orders."""
        problems: list[BaseException] = []

        def work(number: int) -> None:
            try:
                backend = PostgresBackend(location)
                orders = ("UPDATE meta SET epoch = epoch + 1", "UPDATE run_lock SET fence = fence + 1")
                for turn in range(10):
                    with backend.transaction(write=True):
                        for statement in orders if (turn + number) % 2 else reversed(orders):
                            backend.run(statement)
                backend.close()
            except BaseException as problem:
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert store.meta().epoch == 61

    def test_a_writer_that_never_ends_is_reported(self, location: PostgresLocation, store: Store) -> None:
        other, patient = PostgresBackend(location), PostgresBackend(location, busy_seconds=1)
        with other.transaction(write=True), pytest.raises(StateError) as caught, patient.transaction(write=True):
            pass
        assert caught.value.what.endswith("is busy")
        with patient.transaction(write=True):
            patient.run("UPDATE meta SET epoch = 7")
        assert store.meta().epoch == 7
        other.close()
        patient.close()

    def test_a_reader_sees_one_snapshot(self, location: PostgresLocation, store: Store) -> None:
        reader, writer = PostgresBackend(location), PostgresBackend(location)
        with reader.transaction(write=False):
            before = list(reader.query("SELECT epoch FROM meta"))
            with writer.transaction(write=True):
                writer.run("UPDATE meta SET epoch = 50")
            assert list(reader.query("SELECT epoch FROM meta")) == before
        assert store.meta().epoch == 50
        reader.close()
        writer.close()

    def test_a_reader_cannot_write(self, location: PostgresLocation, store: Store) -> None:
        backend = PostgresBackend(location)
        with pytest.raises(StateError, match="read-only"), backend.transaction(write=False):
            backend.run("UPDATE meta SET epoch = 50")
        backend.close()

    def test_an_interrupt_within_a_statement_rolls_back(
        self, location: PostgresLocation, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backend = PostgresBackend(location)
        with pytest.raises(KeyboardInterrupt), backend.transaction(write=True):  # noqa: PT012
            backend.run("UPDATE meta SET epoch = 50")

            def interrupted(*_: Any) -> None:
                raise KeyboardInterrupt

            monkeypatch.setattr(backend._wire._driver, "handle_messages", interrupted)  # type: ignore[union-attr]
            backend.run("UPDATE meta SET epoch = 51")
        monkeypatch.undo()
        assert store.meta().epoch == 1
        with backend.transaction(write=True):
            backend.run("UPDATE meta SET epoch = 52")
        assert store.meta().epoch == 52
        backend.close()


class TestSecretsAndRights:
    def test_a_wrong_password_is_refused_without_a_word_of_it(self, postgres: Database) -> None:
        location = read_location(postgres.url.replace(PASSWORD, "wrong-9911"), "reconciler_x")
        with pytest.raises(StateError) as caught:
            PostgresBackend(location)
        said = str(caught.value)
        assert "refuses this user or password" in said
        assert "wrong-9911" not in said
        assert "postgres:" not in said.replace("postgresql:", "")

    def test_a_missing_database_is_named(self, postgres: Database) -> None:
        location = read_location(postgres.server.url("nowhere"), "reconciler_x")
        with pytest.raises(StateError, match="there is no such database") as caught:
            PostgresBackend(location)
        assert PASSWORD not in repr(location) + str(caught.value)

    def test_a_user_without_rights_is_told_what_it_lacks(self, postgres: Database, tmp_path: Path) -> None:
        postgres.server.sql("DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN PASSWORD 'clerk-pw-11'")
        url = postgres.url.replace(f"postgres:{PASSWORD}", "clerk:clerk-pw-11")
        try:
            location = read_location(url, "reconciler_x")
            with pytest.raises(StateError, match="lacks a right") as caught:
                open_postgres(location, PROJECT, SystemClock(), tmp_path / "a")
            assert "GRANT CREATE ON DATABASE" in caught.value.hint
            postgres.server.sql("CREATE SCHEMA reconciler_x AUTHORIZATION clerk", database=postgres.name)
            wire = Wire(location, read_seconds=20)
            assert wire.identity != ""  # a lost commit can be asked after without any right more
            wire.close()
            found = open_postgres(location, PROJECT, SystemClock(), tmp_path / "a")
            lease = found.store.acquire(holder="t", command="apply", term_seconds=60)
            found.store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
            found.store.close()
        finally:
            postgres.server.sql("DROP SCHEMA IF EXISTS reconciler_x CASCADE", database=postgres.name)
            postgres.server.sql("DROP ROLE clerk")

    def test_a_server_without_tls_is_refused_where_it_is_wanted(self, postgres: Database) -> None:
        location = read_location(postgres.server.url(postgres.name, query="sslmode=require"), "reconciler_x")
        with pytest.raises(StateError, match="cannot be reached"):
            PostgresBackend(location)

    def test_commits_are_durable_whatever_the_server_s_default(self, location: PostgresLocation) -> None:
        """The test server's default is synchronous_commit=off."""
        backend = PostgresBackend(location)
        with backend.transaction(write=True):
            assert list(backend.query("SELECT current_setting('synchronous_commit')")) == [("on",)]
        backend.close()

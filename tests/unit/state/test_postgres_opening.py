"""A PostgreSQL state shared by folders: made once, judged by what each folder saw, migrated with a copy kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import FenceLost, StateError, StateTooNew
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.judging import Opened
from reconciler.state.postgres import PostgresBackend
from reconciler.state.postgres_location import PostgresLocation, read_location
from reconciler.state.postgres_opening import open_postgres
from reconciler.state.schema import MIGRATIONS, SCHEMA_VERSION
from reconciler.testing import state_rows as sample
from tests.postgres.fixtures import Database

PROJECT = "project-1"
SCHEMA = "reconciler_0b6f3c1e9d2a"


@pytest.fixture
def location(postgres: Database) -> PostgresLocation:
    return read_location(postgres.url, SCHEMA)


def visit(location: PostgresLocation, folder: Path, *numbers: int) -> tuple[model.Meta, tuple[str, ...]]:
    """From one folder: open, add to the history, close; what the state then says of itself, and the notices."""
    found = open_postgres(location, PROJECT, SystemClock(), folder / "acme.postgres")
    try:
        lease = found.store.acquire(holder="tester", command="apply", term_seconds=60)
        for number in numbers:
            found.store.commit([model.AppendHistory({"n": number})], fence=lease.fence)
        lease.release()
        assert verify_history(found.store) == []
        return found.store.meta(), found.notices
    finally:
        found.store.close()


def test_the_first_folder_makes_it_and_the_second_finds_it(location: PostgresLocation, tmp_path: Path) -> None:
    first, notices = visit(location, tmp_path / "a")
    assert (first.epoch, first.epoch_reason) == (1, "new")
    assert notices[0].startswith(f"A new state was made at {location.place}. It remembers")
    assert visit(location, tmp_path / "b") == (first, ())
    assert "pg-secret" not in notices[0]


def test_folders_take_turns_and_nobody_doubts(location: PostgresLocation, tmp_path: Path) -> None:
    for turn in range(4):
        meta, notices = visit(location, tmp_path / "ab"[turn % 2], turn)
        assert meta.epoch == 1
        assert notices == () or turn == 0


def test_folders_that_come_at_once_make_it_once(location: PostgresLocation, tmp_path: Path) -> None:
    opened: list[Opened] = []
    problems: list[BaseException] = []

    def come(number: int) -> None:
        try:
            opened.append(open_postgres(location, PROJECT, SystemClock(), tmp_path / str(number) / "s"))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len({found.store.meta().lineage for found in opened}) == 1
    assert sum(bool(found.notices) for found in opened) == 1
    for found in opened:
        found.store.close()


def test_a_backup_restored_is_noticed_by_the_folder_that_saw_more(
    location: PostgresLocation, postgres: Database, tmp_path: Path
) -> None:
    visit(location, tmp_path / "a", 1)
    backend = PostgresBackend(location)
    copy = backend.backup("old").removeprefix("schema ")
    backend.close()
    holder = open_postgres(location, PROJECT, SystemClock(), tmp_path / "c" / "s")
    visit(location, tmp_path / "b", 2)
    postgres.server.sql(
        f"DROP SCHEMA {SCHEMA} CASCADE", f"ALTER SCHEMA {copy} RENAME TO {SCHEMA}", database=postgres.name
    )
    assert visit(location, tmp_path / "a") == (
        visit(location, tmp_path / "a")[0],
        (),
    )  # it saw no more than is there
    lease = holder.store.acquire(holder="tester", command="apply", term_seconds=60)
    meta, notices = visit_without_lock(location, tmp_path / "b")
    assert (meta.epoch, meta.epoch_reason, meta.unconfirmed) == (2, "restored", True)
    assert "older than when last seen" in notices[0]
    with pytest.raises(FenceLost):
        holder.store.commit([], fence=lease.fence)
    assert visit(location, tmp_path / "a")[1] == ()
    holder.store.close()


def visit_without_lock(location: PostgresLocation, folder: Path) -> tuple[model.Meta, tuple[str, ...]]:
    found = open_postgres(location, PROJECT, SystemClock(), folder / "acme.postgres")
    try:
        return found.store.meta(), found.notices
    finally:
        found.store.close()


def test_a_lost_state_begins_a_higher_epoch(location: PostgresLocation, postgres: Database, tmp_path: Path) -> None:
    visit(location, tmp_path / "a", 1, 2)
    postgres.server.sql(f"DROP SCHEMA {SCHEMA} CASCADE", database=postgres.name)
    meta, notices = visit(location, tmp_path / "a")
    assert (meta.epoch, meta.epoch_reason) == (2, "lost")
    assert "is gone (its history had 3 entries" in notices[0]


def test_projects_share_a_database_and_nothing_else(location: PostgresLocation, tmp_path: Path) -> None:
    visit(location, tmp_path / "a", 1)
    elsewhere = replace(location, schema="reconciler_another")
    meta, _ = visit(elsewhere, tmp_path / "b")
    assert meta.serial == 1
    with pytest.raises(StateError, match="belongs to another project"):
        open_postgres(location, "project-2", SystemClock(), tmp_path / "c" / "s")


def test_an_older_layout_is_migrated_and_a_copy_kept(
    location: PostgresLocation, postgres: Database, tmp_path: Path
) -> None:
    found = open_postgres(location, PROJECT, SystemClock(), tmp_path / "a" / "s")
    lease = found.store.acquire(holder="tester", command="apply", term_seconds=60)
    found.store.commit([model.PutRun(sample.run(1)), model.PutGroup(sample.group(1))], fence=lease.fence)
    lease.release()
    found.store.close()
    postgres.server.sql(
        f"SET search_path TO {SCHEMA}",
        "ALTER TABLE correction_groups DROP COLUMN proof",
        "ALTER TABLE runs DROP COLUMN git_commit",
        "DROP INDEX intents_by_status",
        "UPDATE schema_version SET version = 1",
        database=postgres.name,
    )
    again = open_postgres(location, PROJECT, SystemClock(), tmp_path / "a" / "s")
    kept = f"{SCHEMA}_v1_backup"
    assert again.notices == (
        f"The state was migrated from schema 1 to {SCHEMA_VERSION}; before that it was copied to schema {kept}.",
    )
    assert again.store.runs() == [sample.run(1)]
    assert again.store.groups() == [sample.group(1)]
    again.store.close()
    assert postgres.server.sql(f"SELECT version FROM {kept}.schema_version", database=postgres.name) == [(1,)]
    assert postgres.server.sql(f"SELECT id FROM {kept}.runs", database=postgres.name) == [("run-1",)]
    assert len(MIGRATIONS) == SCHEMA_VERSION


def test_a_newer_layout_is_refused(location: PostgresLocation, postgres: Database, tmp_path: Path) -> None:
    visit(location, tmp_path / "a")
    postgres.server.sql(f"UPDATE {SCHEMA}.schema_version SET version = 99", database=postgres.name)
    with pytest.raises(StateTooNew):
        visit(location, tmp_path / "a")


def test_a_schema_of_something_else_is_refused(
    location: PostgresLocation, postgres: Database, tmp_path: Path
) -> None:
    postgres.server.sql(f"CREATE SCHEMA {SCHEMA}", f"CREATE TABLE {SCHEMA}.shop (id int)", database=postgres.name)
    with pytest.raises(StateError, match="database of something else") as caught:
        visit(location, tmp_path / "a")
    assert "state: schema:" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:hush-1@h/d", "does not begin with postgresql://"),
        ("postgresql://h/d", "it names no user"),
        ("postgresql://u:hush-1@/d", "it names no host"),
        ("postgresql://u:hush-1@h:port/d", "cannot be read as a URL"),
        ("postgresql://u:hush-1@h/d?sslmode=prefer", "sslmode is not one of"),
        ("postgresql://u:hush-1@h/d?options=x", "'options'"),
        ("hush-1", "does not begin"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_without_showing_it(url: str, why: str) -> None:
    with pytest.raises(StateError) as caught:
        read_location(url, SCHEMA)
    assert why.lower() in caught.value.why.lower()
    assert "hush-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "query", "mode"),
    [
        ("db.acme.example", "", "verify-full"),
        ("10.0.0.7:6432", "", "verify-full"),
        ("localhost", "", "disable"),
        ("127.0.0.2", "", "disable"),
        ("[::1]", "", "disable"),
        ("db.acme.example", "?sslmode=require", "require"),
        ("localhost", "?sslmode=verify-ca", "verify-ca"),
        ("", "?host=/run/postgresql", "disable"),
    ],
)
def test_a_server_is_verified_unless_it_is_this_machine_or_told_otherwise(host: str, query: str, mode: str) -> None:
    assert read_location(f"postgresql://u:p-7731@{host}/books{query}", SCHEMA).ssl_mode == mode


@pytest.mark.parametrize("schema", ["Books", "pg_books", 'x"; DROP', "", "a" * 49, "1st"])
def test_a_schema_is_a_plain_name(schema: str) -> None:
    with pytest.raises(StateError, match="is not a name for a schema"):
        read_location("postgresql://u:p-7731@h/d", schema)

"""Raising the layout of an older state: nothing is lost, a backup is kept, newer layouts are refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import StateError, StateLocked, StateTooNew
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.opening import open_store
from reconciler.state.schema import MIGRATIONS, SCHEMA_VERSION, TABLES
from reconciler.testing import state_rows as sample
from reconciler.workflows.stating import export_document

PROJECT = "project-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "acme.sqlite"


def old_state(place: Path, clock: ManualClock, version: int = 1, *, locked: bool = False) -> dict[str, object]:
    """A state in the layout of `version`, with rows in it; what it exports, by the current version."""
    found = open_store(place.with_name("current.sqlite"), PROJECT, clock)
    store = found.store
    lease = store.acquire(holder="old run", command="apply", term_seconds=60)
    writes: list[model.Write] = [
        model.PutBinding(sample.binding(1)),
        model.PutDocument(sample.document(1, body='{"a":"1"}', computed='{"open":"1"}')),
        model.PutAllocation(sample.allocation(1, 2)),
        model.OpenIntent(sample.intent(1)),
        model.RecordStage("key-1", "created", {"id": "7"}),
        model.CloseIntent("key-1", model.IntentStatus.REJECTED, raise_attempt=True),
        model.PutGroup(sample.group(1)),
        model.PutRun(sample.run(1)),
        model.AppendHistory({"event": "run"}),
    ]
    store.commit(writes, fence=lease.fence)
    if not locked:
        lease.release()
    exported = export_document(store)
    with closing(sqlite3.connect(place)) as old, closing(sqlite3.connect(place.with_name("current.sqlite"))) as new:
        for migration in MIGRATIONS[:version]:
            for statement in migration:
                old.execute(statement)
        for table in sorted(TABLES - {"schema_version"}):
            columns = [row[1] for row in old.execute(f"PRAGMA table_info({table})")]
            rows = new.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
            old.execute(f"DELETE FROM {table}")
            old.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
        old.commit()
    store.close()
    for leftover in place.parent.glob("current.sqlite*"):
        leftover.unlink()
    return exported


def layout(place: Path) -> list[tuple[str, str]]:
    """Columns of every table and every index, as SQLite understands them."""
    with closing(sqlite3.connect(place)) as connection:
        found = []
        for table in sorted(TABLES):
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            found.append((table, repr([column[1:] for column in columns])))
            indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
            found.append((table, repr(sorted(index[1:] for index in indexes))))
        return found


def test_an_old_state_is_migrated_and_nothing_is_lost(place: Path, clock: ManualClock) -> None:
    exported = old_state(place, clock)
    found = open_store(place, PROJECT, clock)
    assert found.notices == (
        f"The state was migrated from schema 1 to {SCHEMA_VERSION}; "
        f"before that it was copied to {place}.v1.backup.",
    )
    assert export_document(found.store) == exported
    assert verify_history(found.store) == []
    found.store.close()
    again = open_store(place, PROJECT, clock)
    assert again.notices == ()
    again.store.close()


def test_the_backup_is_the_state_as_it_was(place: Path, clock: ManualClock, tmp_path: Path) -> None:
    exported = old_state(place, clock)
    open_store(place, PROJECT, clock).store.close()
    backup = tmp_path / "acme.sqlite.v1.backup"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("*.backup*")) == [backup.name]
    with closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    moved = tmp_path / "elsewhere.sqlite"
    backup.rename(moved)
    found = open_store(moved, PROJECT, clock)
    assert export_document(found.store) == exported
    found.store.close()


def test_an_interrupted_migration_is_done_again(
    place: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = old_state(place, clock)
    broken = (MIGRATIONS[0], (*MIGRATIONS[1], "INSERT INTO no_such_table VALUES (1)"))
    with monkeypatch.context() as patch:
        patch.setattr("reconciler.state.migrating.MIGRATIONS", broken)
        with pytest.raises(StateError):
            open_store(place, PROJECT, clock)
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
    found = open_store(place, PROJECT, clock)
    assert export_document(found.store) == exported
    found.store.close()


def test_a_migrated_state_and_a_new_one_are_laid_out_alike(place: Path, clock: ManualClock) -> None:
    old_state(place, clock)
    open_store(place, PROJECT, clock).store.close()
    fresh = place.with_name("fresh.sqlite")
    open_store(fresh, PROJECT, clock).store.close()
    assert layout(place) == layout(fresh)


def test_a_state_in_use_by_an_older_version_is_left_alone(place: Path, clock: ManualClock) -> None:
    old_state(place, clock, locked=True)
    with pytest.raises(StateLocked, match="the state is locked by old run"):
        open_store(place, PROJECT, clock)
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
    clock.advance(61)
    found = open_store(place, PROJECT, clock)
    assert len(found.notices) == 1
    found.store.close()


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99])
def test_a_newer_state_is_refused_untouched(place: Path, clock: ManualClock, version: int) -> None:
    open_store(place, PROJECT, clock).store.close()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE schema_version SET version = ?", (version,))
        connection.commit()
    with pytest.raises(StateTooNew) as caught:
        open_store(place, PROJECT, clock)
    assert (
        caught.value.why == f"Its schema is version {version}; this version knows schemas up to {SCHEMA_VERSION}."
    )
    assert "Upgrade reconciler" in caught.value.hint
    assert not list(place.parent.glob("*.backup"))


def test_each_migration_raises_the_version_by_one() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for number, migration in enumerate(MIGRATIONS, start=1):
            for statement in migration:
                connection.execute(statement)
            assert connection.execute("SELECT version FROM schema_version").fetchall() == [(number,)]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == TABLES


def test_every_old_layout_is_migrated(place: Path, clock: ManualClock) -> None:
    for version in range(1, SCHEMA_VERSION):
        path = place.with_name(f"v{version}.sqlite")
        exported = old_state(path, clock, version)
        found = open_store(path, PROJECT, clock)
        assert export_document(found.store) == exported
        found.store.close()

"""What only SQLite brings: its errors in our words, its transactions, its cost."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import ReconcilerError, StateError
from reconciler.state import model
from reconciler.state.opening import open_store
from reconciler.state.sqlite import SqliteBackend
from reconciler.state.store import SqlStore
from reconciler.testing import state_rows as sample

PROJECT = "project-1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "acme.sqlite"
    open_store(place, PROJECT, ManualClock()).store.close()
    return place


@pytest.fixture
def backend(place: Path) -> Iterator[SqliteBackend]:
    backend = SqliteBackend(place, busy_seconds=0.2)
    yield backend
    backend.close()


@pytest.fixture
def store(backend: SqliteBackend) -> SqlStore:
    return SqlStore(backend, ManualClock())


def test_a_writer_that_never_ends_is_reported(store: SqlStore, place: Path) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    with closing(sqlite3.connect(place, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError) as caught:
            store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
        assert caught.value.what == f"the state {place} is busy"
        assert store.runs() == []  # readers are not held up
        other.execute("ROLLBACK")
    store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
    assert [row.id for row in store.runs()] == ["run-1"]


def test_a_full_disk_loses_nothing_and_can_be_recovered_from(
    store: SqlStore, backend: SqliteBackend, place: Path
) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    with backend.transaction(write=True):
        pages = next(iter(backend.query("PRAGMA page_count")))[0]
        list(backend.query(f"PRAGMA max_page_count = {pages}"))
    large = model.PutDocument(sample.document(1, body='"' + "x" * 100_000 + '"'))
    with pytest.raises(StateError) as caught:
        store.commit([model.PutRun(sample.run(1)), large], fence=lease.fence)
    assert caught.value.what == f"the state {place} cannot be written"
    assert "disk is full" in caught.value.hint
    assert store.runs() == []
    with backend.transaction(write=True):
        list(backend.query("PRAGMA max_page_count = 1000000"))
    store.commit([model.PutRun(sample.run(1)), large], fence=lease.fence)
    assert set(store.view().documents) == {"doc-1"}


def test_a_state_that_cannot_be_written_says_so(store: SqlStore, backend: SqliteBackend) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    with backend.transaction(write=False):
        list(backend.query("PRAGMA query_only = ON"))
    with pytest.raises(StateError, match="cannot be written"):
        store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
    assert store.runs() == []


def test_a_state_of_another_user_is_refused_before_it_is_opened(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StateError) as caught:
        open_store(place, PROJECT, ManualClock())
    assert str(caught.value) == (
        f"the state {place} cannot be used: this user may not read and write it, or not enter its folder"
    )


def test_a_path_with_a_null_byte(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be used: its name has a null byte"):
        open_store(tmp_path / "a\0b.sqlite", PROJECT, ManualClock())


def test_an_interrupt_rolls_back(store: SqlStore, backend: SqliteBackend) -> None:
    def delete_and_be_interrupted() -> None:
        with backend.transaction(write=True):
            backend.run("DELETE FROM history")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete_and_be_interrupted()
    assert len(list(store.history())) == 1
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    store.commit([model.PutRun(sample.run(1))], fence=lease.fence)


def test_a_programming_error_is_no_state_error(store: SqlStore) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    with pytest.raises(Exception) as caught:
        store.commit(["not a write"], fence=lease.fence)  # type: ignore[list-item]
    assert not isinstance(caught.value, ReconcilerError)
    store.commit([model.PutRun(sample.run(1))], fence=lease.fence)


def test_a_commit_is_durable_before_it_returns(place: Path) -> None:
    with closing(sqlite3.connect(place)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    backend = SqliteBackend(place)
    with backend.transaction(write=False):
        assert list(backend.query("PRAGMA synchronous")) == [(2,)]
    backend.close()


def test_a_reader_sees_one_moment_while_others_write(place: Path) -> None:
    """`view` is several queries; no commit of another connection may come between them."""
    clock = ManualClock()
    writer, reader = open_store(place, PROJECT, clock).store, open_store(place, PROJECT, clock).store
    lease = writer.acquire(holder="tester", command="apply", term_seconds=60)
    done = threading.Event()

    def write() -> None:
        for number in range(150):
            writes: list[model.Write] = [
                model.PutBinding(sample.binding(number)),
                model.PutDocument(sample.document(number)),
                model.PutAllocation(sample.allocation(number, 0)),
                model.AppendHistory({"n": number}),
            ]
            writer.commit(writes, fence=lease.fence)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    looks = 0
    while not done.is_set() or looks == 0:
        view = reader.view()
        looks += 1
        assert len(view.bindings) == len(view.documents) == len(view.allocations) == view.meta.serial - 1
    thread.join()
    writer.close()
    reader.close()
    assert looks > 1


def test_a_backup_never_overwrites_half(store: SqlStore, backend: SqliteBackend, tmp_path: Path) -> None:
    (tmp_path / "acme.sqlite.v9.backup.new").write_text("left by an interrupted backup")
    kept = backend.backup("v9.backup")
    assert Path(kept) == tmp_path / "acme.sqlite.v9.backup"
    assert not (tmp_path / "acme.sqlite.v9.backup.new").exists()
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM history").fetchone() == (1,)
    again = backend.backup("v9.backup")
    assert again == kept


@pytest.mark.slow
def test_large_states_are_read_in_seconds(tmp_path: Path) -> None:
    """100,000 bindings and documents; generous, because the machine may be busy."""
    store = open_store(tmp_path / "large.sqlite", PROJECT, ManualClock()).store
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    declared = '{"memo":"' + "x" * 400 + '"}'
    for start in range(0, 100_000, 5_000):
        numbers = range(start, start + 5_000)
        store.commit([model.PutBinding(sample.binding(n, declared=declared)) for n in numbers], fence=lease.fence)
        documents = [model.PutDocument(sample.document(n, body=declared)) for n in numbers]
        store.commit(documents, fence=lease.fence)
    began = time.perf_counter()
    view = store.view()
    spent = time.perf_counter() - began
    assert len(view.bindings) == len(view.documents) == 100_000
    assert spent < 8
    assert len({id(row.kind) for row in view.documents.values()}) == 1
    store.close()

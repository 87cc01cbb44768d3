"""Moving a state between SQLite and PostgreSQL: everything arrives, the old place is closed, nothing is lost."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kernel.clock import SystemClock
from reconciler.kernel.errors import InvalidInput, StateError, StateLocked
from reconciler.project import Project, StateConfig, load_project, postgres_state
from reconciler.state import model
from reconciler.state.contents import differences
from reconciler.state.history import verify_history
from reconciler.state.places import open_at
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample
from reconciler.testing.state_model import write_lists
from reconciler.workflows.migrating_state import Migrated, migrate_state
from reconciler.workflows.stating import export
from tests.postgres.server import PostgresServer

VARIABLE = "TEST_STATE_URL"
CLOCK = SystemClock()
_SCHEMAS = (f"moved_{number}" for number in itertools.count())


def project_in(folder: Path) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reconciler.yaml").write_text(
        "project: {id: 0b6f3c1e9d2a, name: acme}\nconnections: {books: {provider: ledger, path: books.sqlite}}\n"
    )
    return load_project(folder)


def sqlite(project: Project, name: str) -> StateConfig:
    return StateConfig("sqlite", project.root / "state" / name)


def in_postgres(project: Project) -> StateConfig:
    return postgres_state(project.root, project.name, project.id, VARIABLE, next(_SCHEMAS))


def fill(store: Store, *commits: Sequence[model.Write]) -> None:
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    for writes in commits:
        with suppress(StateError):  # what a state refuses, it refuses
            store.commit(writes, fence=lease.fence)
    lease.release()


def move(project: Project, origin: StateConfig, to: StateConfig) -> Migrated:
    store = open_at(project, origin, CLOCK).store
    try:
        return migrate_state(project, store, to, CLOCK)
    finally:
        store.close()


@pytest.fixture
def url(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, postgres_server.url())


@pytest.mark.usefixtures("url")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commits=st.lists(write_lists(), max_size=6))
def test_any_state_arrives_whole_and_comes_back(commits: list[list[model.Write]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(Path(folder) / "acme")
        places = [sqlite(project, "one.sqlite"), in_postgres(project), sqlite(project, "two.sqlite")]
        store = open_at(project, places[0], CLOCK).store
        fill(store, *commits)
        text, contents, fence = export(store), store.contents(), _fence(store)
        store.close()
        for origin, to in itertools.pairwise(places):
            move(project, origin, to)
            there = open_at(project, to, CLOCK).store
            assert verify_history(there) == []
            assert differences(contents, there.contents()) == []
            assert export(there) == text
            assert _fence(there) > fence  # no lease of before is worth anything
            contents, text, fence = there.contents(), export(there), _fence(there)
            there.close()
            with pytest.raises(StateError, match="was moved to"):
                open_at(project, origin, CLOCK)


def _fence(store: Store) -> int:
    lease = store.acquire(holder="tester", command="look", term_seconds=60)
    lease.release()
    return lease.fence


@pytest.mark.usefixtures("url")
class TestMoving:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        project = project_in(tmp_path / "acme")
        store = open_at(project, project.state, CLOCK).store
        fill(store, [model.PutBinding(sample.binding(1)), model.PutDocument(sample.document(1, body='{"a":"1"}'))])
        store.close()
        return project

    def test_the_old_place_is_intact_but_closed(self, project: Project) -> None:
        to = in_postgres(project)
        done = move(project, project.state, to)
        assert done.rows["bindings"] == done.rows["documents"] == done.rows["document_bodies"] == 1
        assert done.destination.startswith("postgresql://127.0.0.1:")
        with pytest.raises(StateError) as caught:
            open_at(project, project.state, CLOCK)
        assert done.destination in caught.value.what
        assert "pg-secret" not in str(caught.value)
        assert caught.value.hint == "Name the new place under `state:` in reconciler.yaml."

    def test_a_place_with_a_state_is_refused(self, project: Project) -> None:
        to = in_postgres(project)
        there = open_at(project, to, CLOCK).store
        fill(there, [model.PutRun(sample.run(1))])
        before = export(there)
        with pytest.raises(StateError, match="is not empty"):
            move(project, project.state, to)
        assert export(there) == before
        there.close()
        open_at(project, project.state, CLOCK).store.close()  # and the old one is still in use

    def test_a_new_and_unused_state_there_is_no_obstacle(self, project: Project) -> None:
        to = in_postgres(project)
        open_at(project, to, CLOCK).store.close()
        assert move(project, project.state, to).rows["bindings"] == 1

    def test_the_same_state_by_another_name_is_not_closed(self, project: Project) -> None:
        same = sqlite(project, f"../state/{project.state.path.name}")
        with pytest.raises(InvalidInput, match="already there"):
            move(project, project.state, same)
        open_at(project, project.state, CLOCK).store.close()

    def test_a_dry_run_makes_nothing(self, project: Project, postgres_server: PostgresServer) -> None:
        to = in_postgres(project)
        store = open_at(project, project.state, CLOCK).store
        before = export(store)
        done = migrate_state(project, store, to, CLOCK, dry_run=True)
        assert done.rows["bindings"] == 1
        assert export(store) == before
        store.close()
        assert postgres_server.sql(f"SELECT 1 FROM pg_namespace WHERE nspname = '{to.schema}'") == []

    def test_interrupted_before_the_mark_the_same_command_finishes(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to = in_postgres(project)
        store = open_at(project, project.state, CLOCK).store

        def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(store, "commit", dies)
            with pytest.raises(KeyboardInterrupt):
                migrate_state(project, store, to, CLOCK)
        store.close()
        assert move(project, project.state, to).finished
        with pytest.raises(StateError, match="was moved to"):
            open_at(project, project.state, CLOCK)

    def test_it_waits_for_no_run(self, project: Project) -> None:
        store = open_at(project, project.state, CLOCK).store
        lease = store.acquire(holder="another machine", command="apply", term_seconds=60)
        with pytest.raises(StateLocked):
            move(project, project.state, in_postgres(project))
        lease.release()
        store.close()

    def test_a_state_whose_history_does_not_hold_is_not_moved(self, project: Project) -> None:
        import sqlite3

        with sqlite3.connect(project.state.path) as database:
            database.execute("UPDATE history SET entry = '{}'")
        database.close()
        with pytest.raises(StateError, match="does not hold"):
            move(project, project.state, in_postgres(project))

    def test_an_export_of_one_goes_into_the_other(self, project: Project) -> None:
        from reconciler.workflows.portable import read_portable
        from reconciler.workflows.tending import restore

        one = open_at(project, project.state, CLOCK).store
        two = open_at(project, in_postgres(project), CLOCK).store
        done = restore(two, CLOCK, read_portable(export(one)), project.id)
        assert (done.bindings, done.documents) == (1, 1)
        assert two.view().documents == one.view().documents
        assert verify_history(two) == []
        one.close()
        two.close()

"""Making, finding and judging a state: epochs, the marker, modes, other projects."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import FenceLost, StateError
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.opening import Opened, open_store
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample

PROJECT = "project-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state" / "acme.sqlite"


def marker_of(place: Path) -> Path:
    return place.with_name(place.name + ".head")


def opened(place: Path, clock: ManualClock, project: str = PROJECT) -> Opened:
    return open_store(place, project, clock)


def note(store: Store, *numbers: int) -> None:
    """A run that adds entries to the history."""
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    for number in numbers:
        entry = model.AppendHistory({"n": number})
        store.commit([entry, model.PutBinding(sample.binding(number))], fence=lease.fence)
    lease.release()


def visit(place: Path, clock: ManualClock, *numbers: int) -> tuple[model.Meta, tuple[str, ...]]:
    """Open, note, close: what the state then says of itself, and the notices."""
    found = opened(place, clock)
    try:
        note(found.store, *numbers)
        assert verify_history(found.store) == []
        return found.store.meta(), found.notices
    finally:
        found.store.close()


def copy_state(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


class TestNew:
    def test_a_first_state_is_epoch_1_and_says_so(self, place: Path, clock: ManualClock) -> None:
        meta, notices = visit(place, clock)
        assert (meta.project, meta.epoch, meta.epoch_reason, meta.unconfirmed) == (PROJECT, 1, "new", True)
        assert len(notices) == 1
        assert notices[0] == (
            f"A new state was made at {place}. It remembers which records in the books are this project's; what an "
            "earlier state of it made, if there was one, is recognised by its tag and bound again."
        )

    def test_the_next_opening_says_nothing_and_keeps_the_epoch(self, place: Path, clock: ManualClock) -> None:
        first, _ = visit(place, clock)
        assert visit(place, clock) == (first, ())

    def test_files_are_private(self, place: Path, clock: ManualClock) -> None:
        previous = os.umask(0)
        try:
            found = opened(place, clock)
            note(found.store, 1)
            names = {path.name: path.stat().st_mode & 0o777 for path in place.parent.iterdir()}
            found.store.close()
        finally:
            os.umask(previous)
        assert names == {
            "acme.sqlite": 0o600,
            "acme.sqlite-wal": 0o600,
            "acme.sqlite-shm": 0o600,
            "acme.sqlite.head": 0o600,
        }
        assert place.parent.stat().st_mode & 0o777 == 0o700

    def test_a_folder_that_exists_keeps_its_mode(self, tmp_path: Path, clock: ManualClock) -> None:
        tmp_path.chmod(0o755)
        visit(tmp_path / "acme.sqlite", clock)
        assert tmp_path.stat().st_mode & 0o777 == 0o755

    def test_a_state_others_can_read_is_made_private(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock)
        place.chmod(0o644)
        visit(place, clock)
        assert place.stat().st_mode & 0o777 == 0o600

    def test_an_interrupted_making_leaves_no_trace(self, place: Path, clock: ManualClock) -> None:
        place.parent.mkdir()
        place.with_name("acme.sqlite.new").write_bytes(b"half a database")
        place.with_name("acme.sqlite.new-journal").write_bytes(b"rest")
        meta, notices = visit(place, clock)
        assert (meta.epoch, len(notices)) == (1, 1)
        assert sorted(path.name for path in place.parent.iterdir()) == ["acme.sqlite", "acme.sqlite.head"]

    def test_what_a_deleted_state_left_beside_it_is_not_replayed(self, place: Path, clock: ManualClock) -> None:
        found = opened(place, clock)
        note(found.store, 1)
        wal = place.with_name("acme.sqlite-wal").read_bytes()
        found.store.close()
        place.unlink()
        place.with_name("acme.sqlite-wal").write_bytes(wal)
        found = opened(place, clock)
        assert found.store.view().bindings == {}
        assert found.store.meta().epoch == 2
        found.store.close()

    def test_lineages_differ(self, tmp_path: Path, clock: ManualClock) -> None:
        lineages = {visit(tmp_path / f"{number}.sqlite", clock)[0].lineage for number in range(5)}
        assert len(lineages) == 5

    def test_a_link_to_a_state_is_followed(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        meta, _ = visit(place, clock, 1)
        link = tmp_path / "link.sqlite"
        link.symlink_to(place)
        assert visit(link, clock) == (meta, ())
        assert not marker_of(link).exists()

    @pytest.mark.parametrize(
        "name", ["a b.sqlite", "50%.sqlite", "a?b#c.sqlite", "é発.sqlite", "'q\".sqlite", "[x]*"]
    )
    def test_any_file_name_will_do(self, tmp_path: Path, clock: ManualClock, name: str) -> None:
        meta, _ = visit(tmp_path / name, clock, 1)
        assert visit(tmp_path / name, clock) == (meta, ())
        assert (tmp_path / name).exists()


class TestMarker:
    def test_it_names_the_head(self, place: Path, clock: ManualClock) -> None:
        meta, _ = visit(place, clock, 1, 2)
        assert parse_canonical(marker_of(place).read_text()) == {
            "epoch": 1,
            "fence": 1,
            "head": meta.head,
            "lineage": meta.lineage,
            "project": PROJECT,
            "serial": meta.serial,
        }
        assert meta.serial == 3

    def test_it_is_written_while_working_but_not_for_every_commit(self, place: Path, clock: ManualClock) -> None:
        found = opened(place, clock)
        seen = []
        for number in range(4):
            note(found.store, number)
            seen.append(json.loads(marker_of(place).read_text())["serial"])
            clock.advance(0.2)
        found.store.close()
        assert seen == [1, 1, 4, 4]
        assert json.loads(marker_of(place).read_text())["serial"] == 5

    def test_closing_an_old_connection_does_not_set_it_back(self, place: Path, clock: ManualClock) -> None:
        early, late = opened(place, clock), opened(place, clock)
        note(early.store, 1)
        note(late.store, 2, 3)
        late.store.close()
        early.store.close()
        assert json.loads(marker_of(place).read_text())["serial"] == 4

    @pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"\xff", b'{"serial": 1.5}', b"[" * 5000, b"null"])
    def test_one_that_is_missing_or_junk_is_made_again(self, place: Path, clock: ManualClock, junk: bytes) -> None:
        meta, _ = visit(place, clock, 1)
        good = marker_of(place).read_bytes()
        marker_of(place).unlink()
        assert visit(place, clock) == (meta, ())
        marker_of(place).write_bytes(junk)
        assert visit(place, clock) == (meta, ())
        assert json.loads(marker_of(place).read_bytes())["head"] == json.loads(good)["head"]

    def test_one_of_wrong_types_is_junk(self, place: Path, clock: ManualClock) -> None:
        meta, _ = visit(place, clock, 1)
        data = json.loads(marker_of(place).read_text())
        marker_of(place).write_text(json.dumps({**data, "epoch": "9", "lineage": "another"}))
        assert visit(place, clock) == (meta, ())

    def test_one_that_lags_is_brought_forward(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock, 1)
        old = marker_of(place).read_bytes()
        meta, _ = visit(place, clock, 2)
        marker_of(place).write_bytes(old)
        assert visit(place, clock) == (meta, ())
        assert json.loads(marker_of(place).read_bytes())["head"] == meta.head

    def test_failing_to_write_it_is_no_error(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock, 1)
        marker_of(place).unlink()
        marker_of(place).mkdir()
        meta, notices = visit(place, clock, 2)
        assert (meta.serial, notices) == (3, ())

    def test_what_killed_processes_left_is_removed(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock)
        marker_of(place).with_name("acme.sqlite.head.123.new").write_text("{")
        visit(place, clock)
        assert sorted(path.name for path in place.parent.iterdir()) == ["acme.sqlite", "acme.sqlite.head"]


class TestLost:
    def test_a_deleted_state_begins_the_next_epoch(self, place: Path, clock: ManualClock) -> None:
        first, _ = visit(place, clock, 1, 2)
        place.unlink()
        meta, notices = visit(place, clock)
        assert (meta.epoch, meta.epoch_reason, meta.unconfirmed, meta.serial) == (2, "lost", True, 1)
        assert meta.lineage != first.lineage
        assert len(notices) == 1
        assert notices[0].startswith(
            f"The state {place} is gone (its history had 3 entries when last seen); "
            "a new one was made: epoch 2 begins. Records in the ERP that carry this project's tag are bound again;"
        )
        assert visit(place, clock) == (meta, ())

    def test_each_loss_counts(self, place: Path, clock: ManualClock) -> None:
        epochs = []
        for _ in range(3):
            epochs.append(visit(place, clock)[0].epoch)
            place.unlink()
        assert epochs == [1, 2, 3]

    def test_a_whole_lost_folder_is_a_new_state(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock)
        shutil.rmtree(place.parent)
        meta, notices = visit(place, clock)
        assert (meta.epoch, meta.epoch_reason) == (1, "new")
        assert notices[0].startswith("A new state was made")

    def test_another_state_of_the_project_begins_an_epoch(
        self, place: Path, tmp_path: Path, clock: ManualClock
    ) -> None:
        visit(place, clock, 1)
        other, _ = visit(tmp_path / "other.sqlite", clock, 7)
        copy_state(tmp_path / "other.sqlite", place)
        meta, notices = visit(place, clock)
        assert (meta.lineage, meta.epoch, meta.epoch_reason) == (other.lineage, 2, "lost")
        assert notices[0].startswith(f"The state {place} is another one than was last seen here; epoch 2 begins.")
        assert visit(place, clock) == (meta, ())

    def test_another_projects_marker_is_not_heeded(self, place: Path, clock: ManualClock) -> None:
        visit(place, clock)
        place.unlink()
        found = open_store(place, "project-2", clock)
        assert (found.store.meta().epoch, found.store.meta().epoch_reason) == (1, "new")
        found.store.close()


class TestRestored:
    def test_an_older_state_begins_an_epoch(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        old, _ = visit(place, clock, 1)
        copy_state(place, tmp_path / "backup")
        new, _ = visit(place, clock, 2, 3)
        copy_state(tmp_path / "backup", place)
        meta, notices = visit(place, clock)
        assert (meta.lineage, meta.epoch, meta.epoch_reason) == (old.lineage, 2, "restored")
        assert (meta.unconfirmed, meta.serial) == (True, old.serial + 1)
        assert notices[0].startswith(
            f"The state {place} is older than when last seen (its history has 2 entries and misses entry 4): "
            "it was restored from a backup; epoch 2 begins."
        )
        assert visit(place, clock) == (meta, ())
        found = opened(place, clock)
        assert found.store.has_head(old.head)
        assert not found.store.has_head(new.head)
        assert set(found.store.view().bindings) == {sample.address(1)}
        found.store.close()

    def test_the_epoch_is_on_record(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        visit(place, clock)
        copy_state(place, tmp_path / "backup")
        visit(place, clock, 1)
        copy_state(tmp_path / "backup", place)
        found = opened(place, clock)
        entries = [parse_canonical(row.entry) for row in found.store.history()]
        assert [(entry["event"], entry["epoch"], entry["reason"]) for entry in entries] == [
            ("epoch", 1, "new"),
            ("epoch", 2, "restored"),
        ]
        found.store.close()

    def test_epochs_begun_since_the_backup_are_not_used_again(
        self, place: Path, tmp_path: Path, clock: ManualClock
    ) -> None:
        visit(place, clock)
        copy_state(place, tmp_path / "backup")
        epochs = []
        for _ in range(3):
            visit(place, clock, 1)
            copy_state(tmp_path / "backup", place)
            epochs.append(visit(place, clock)[0].epoch)
        assert epochs == [2, 3, 4]

    def test_a_lease_of_the_lost_past_does_not_write(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        """Its fence may be one that the restored state would give out again."""
        visit(place, clock)
        copy_state(place, tmp_path / "backup")
        for number in range(4):
            visit(place, clock, number)
        zombie_fence = json.loads(marker_of(place).read_text())["fence"]
        copy_state(tmp_path / "backup", place)
        found = opened(place, clock)
        lease = found.store.acquire(holder="new", command="apply", term_seconds=60)
        assert lease.fence > zombie_fence
        found.store.close()

    def test_a_lock_in_the_backup_is_void(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        found = opened(place, clock)
        lease = found.store.acquire(holder="old", command="apply", term_seconds=600)
        found.store.commit([model.AppendHistory({"n": 1})], fence=lease.fence)
        with sqlite3.connect(place) as connection, sqlite3.connect(tmp_path / "backup") as target:
            connection.backup(target)
        connection.close()
        target.close()
        found.store.commit([model.AppendHistory({"n": 2})], fence=lease.fence)
        lease.release()
        found.store.close()
        for name in ("-wal", "-shm"):
            place.with_name(place.name + name).unlink(missing_ok=True)
        copy_state(tmp_path / "backup", place)
        found = opened(place, clock)
        assert found.store.meta().epoch_reason == "restored"
        assert found.store.lock_info() is None
        with pytest.raises(FenceLost):
            found.store.commit([], fence=lease.fence)
        found.store.close()

    def test_a_backup_of_now_is_as_good_as_the_state(self, place: Path, tmp_path: Path, clock: ManualClock) -> None:
        meta, _ = visit(place, clock, 1)
        copy_state(place, tmp_path / "backup")
        place.unlink()
        copy_state(tmp_path / "backup", place)
        assert visit(place, clock) == (meta, ())


class TestInUse:
    @pytest.mark.parametrize("how", ["deleted", "replaced"])
    def test_a_state_taken_away_takes_no_writes(
        self, place: Path, tmp_path: Path, clock: ManualClock, how: str
    ) -> None:
        visit(tmp_path / "other.sqlite", clock)
        found = opened(place, clock)
        lease = found.store.acquire(holder="tester", command="apply", term_seconds=60)
        place.unlink()
        if how == "replaced":
            copy_state(tmp_path / "other.sqlite", place)
        with pytest.raises(StateError, match="was removed or replaced while it was in use"):
            found.store.commit([model.PutRun(sample.run(1))], fence=lease.fence)
        with pytest.raises(StateError, match="was removed or replaced"):
            lease.renew()
        lease.release()
        found.store.close()

    def test_another_project_is_refused(self, place: Path, clock: ManualClock) -> None:
        meta, _ = visit(place, clock, 1)
        before = marker_of(place).read_bytes()
        with pytest.raises(StateError) as caught:
            open_store(place, "project-2", clock)
        assert caught.value.what == f"the state {place} belongs to another project"
        assert caught.value.why == "Its project id is project-1; this project's is project-2."
        assert marker_of(place).read_bytes() == before
        assert visit(place, clock) == (meta, ())

    def test_opening_twice_in_one_process_keeps_both_usable(self, place: Path, clock: ManualClock) -> None:
        one, two = opened(place, clock), opened(place, clock)
        assert two.notices == ()
        note(one.store, 1)
        note(two.store, 2)
        two.store.close()
        note(one.store, 3)
        assert set(one.store.view().bindings) == {sample.address(number) for number in (1, 2, 3)}
        one.store.close()
        assert not place.with_name("acme.sqlite-wal").exists()

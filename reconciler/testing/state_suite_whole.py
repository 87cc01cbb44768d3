"""State suite: a state as a whole, read, put in place of another, and copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import FenceLost, StateError
from reconciler.state import model
from reconciler.state.contents import Contents, differences
from reconciler.state.history import verify_history
from reconciler.state.protocol import Lease, Store
from reconciler.testing import state_rows as sample
from reconciler.testing.state_suite_base import StateCases, commit
from reconciler.testing.state_suite_commits import PRESENT, REFUSED, VARIANTS


def filled(store: Store) -> Contents:
    """Everything a store can hold, and what it then holds."""
    lease = store.acquire(holder="filler", command="apply", term_seconds=60)
    commit(store, lease, *PRESENT, *VARIANTS)
    lease.release()
    return store.contents()


class WholeCases(StateCases):
    @pytest.fixture
    def target(self, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
        """Another state, in which nothing ever happened."""
        (tmp_path / "target").mkdir()
        with self.opened(tmp_path / "target", clock) as target:
            yield target

    def test_a_new_state_is_new_until_something_is_written(self, store: Store, lease: Lease) -> None:
        assert store.contents().is_new
        commit(store, lease, model.PutRun(sample.run(1)))
        assert not store.contents().is_new

    def test_contents_are_everything(self, store: Store) -> None:
        before = store.contents()
        after = filled(store)
        assert {table for table, rows in after.tables.items() if not rows} <= {"document_bodies", "allocations"}
        assert {problem.split(":")[0] for problem in differences(before, after)} >= {
            "table meta",
            "table bindings",
            "table intents",
            "table stages",
            "table history",
        }
        assert after.digests() == store.contents().digests()
        assert after.digests() != before.digests()

    def test_a_copy_is_equal_and_holds(self, store: Store, target: Store) -> None:
        contents = filled(store)
        target.replace(contents, [], fence=None, fence_floor=7)
        assert differences(contents, target.contents()) == []
        assert target.view() == store.view()
        assert verify_history(target) == []
        assert target.acquire(holder="next", command="apply", term_seconds=60).fence > 7

    def test_without_the_lock_only_a_new_state_is_replaced(self, store: Store, target: Store) -> None:
        contents, there = filled(store), filled(target)
        with pytest.raises(StateError, match="is not empty"):
            target.replace(contents, [], fence=None)
        assert differences(there, target.contents()) == []

    def test_under_the_lock_any_state_is_replaced_and_the_lock_stays(self, store: Store, target: Store) -> None:
        contents = filled(store)
        filled(target)
        lease = target.acquire(holder="tester", command="import", term_seconds=60)
        target.replace(contents, [model.AppendHistory({"event": "imported"})], fence=lease.fence)
        assert target.meta().serial == contents.meta("serial") + 1
        assert target.meta().lineage == store.meta().lineage
        assert target.lock_info() == lease.info
        commit(target, lease)
        with pytest.raises(FenceLost):
            target.replace(contents, [], fence=lease.fence + 1)

    def test_a_refused_write_leaves_what_was_there(self, store: Store, target: Store) -> None:
        contents, there = filled(store), filled(target)
        lease = target.acquire(holder="tester", command="import", term_seconds=60)
        with pytest.raises(StateError):
            target.replace(contents, [REFUSED[0]], fence=lease.fence)
        assert differences(there, target.contents()) == []

    def test_a_copy_kept_is_named_after_its_label(self, store: Store) -> None:
        filled(store)
        first = store.keep_copy("v1.backup")
        assert "v1" in first
        assert store.keep_copy("v1.backup") == first  # in place of the one before

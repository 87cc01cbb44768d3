"""State suite: a commit is all or nothing, in order, seen whole by everyone, and safe from threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import FenceLost, StateError
from reconciler.state import model
from reconciler.state.protocol import Lease, Store
from reconciler.testing import state_rows as sample
from reconciler.testing.state_suite_base import StateCases, commit
from reconciler.workflows.stating import export

PRESENT: tuple[model.Write, ...] = (
    model.PutBinding(sample.binding(1)),
    model.PutDocument(sample.document(1, body='{"a":"1"}')),
    model.PutAllocation(sample.allocation(1, 2)),
    model.OpenIntent(sample.intent(1)),
    model.PutGroup(sample.group(1)),
    model.PutRun(sample.run(1)),
)
VARIANTS: tuple[model.Write, ...] = (
    model.PutBinding(sample.binding(2)),
    model.PutBinding(sample.binding(1, declared="{}")),
    model.MoveBinding(sample.address(1), sample.address(3)),
    model.DropBinding(sample.address(1)),
    model.PutDocument(sample.document(2)),
    model.PutDocument(sample.document(1, phase="settled", body='{"a":"2"}')),
    model.PutAllocation(sample.allocation(1, 2, "7")),
    model.PutAllocation(sample.allocation(1, 2, "0")),
    model.OpenIntent(sample.intent(2)),
    model.OpenIntent(sample.intent(1, run_id="run-2")),
    model.CloseIntent("key-1", model.IntentStatus.REJECTED, raise_attempt=True),
    model.RecordStage("key-1", "created", {"id": "7"}),
    model.PutGroup(sample.group(1, next_member=1)),
    model.PutRun(sample.run(1, status="complete")),
    model.AppendHistory({"event": "run"}),
    model.NewEpoch("restored"),
    model.ConfirmEpoch(),
)
REFUSED: tuple[model.Write, ...] = (
    model.MoveBinding(sample.address(8), sample.address(9)),
    model.CloseIntent("no such key", model.IntentStatus.DONE),
    model.PutAllocation(sample.allocation(1, 2, "x")),
    model.AppendHistory({"amount": 1.5}),
    model.AppendHistory({"what": object()}),
    model.PutDocument(sample.document(5, remote_id="\ud800")),
    model.PutBinding(sample.binding(5, generation=2**70)),
    model.PutRun(sample.run(5, command=None)),
)


def _name(write: model.Write) -> str:
    return type(write).__name__


class CommitCases(StateCases):
    def test_the_variants_are_all_of_them(self) -> None:
        assert {type(write) for write in VARIANTS} == set(model.Write.__args__)

    @pytest.mark.parametrize("write", VARIANTS, ids=_name)
    def test_a_variant_changes_the_state(self, store: Store, lease: Lease, write: model.Write) -> None:
        commit(store, lease, *PRESENT)
        before = export(store)
        commit(store, lease, write)
        assert export(store) != before

    @pytest.mark.parametrize("write", VARIANTS, ids=_name)
    def test_a_variant_is_undone_when_a_later_write_is_refused(
        self, store: Store, lease: Lease, write: model.Write
    ) -> None:
        commit(store, lease, *PRESENT)
        before = export(store)
        with pytest.raises(StateError, match="it is not bound"):
            commit(store, lease, write, REFUSED[0])
        assert export(store) == before

    @pytest.mark.parametrize("write", REFUSED, ids=_name)
    def test_what_is_refused_leaves_nothing(self, store: Store, lease: Lease, write: model.Write) -> None:
        commit(store, lease, *PRESENT)
        before = export(store)
        with pytest.raises(StateError) as caught:
            commit(store, lease, *VARIANTS[:1], write, *VARIANTS[4:5])
        assert not isinstance(caught.value, FenceLost)
        assert export(store) == before
        commit(store, lease, VARIANTS[0])  # and the store works on

    def test_an_empty_commit_changes_nothing_but_checks_the_fence(self, store: Store, lease: Lease) -> None:
        before = export(store)
        commit(store, lease)
        assert export(store) == before
        with pytest.raises(FenceLost):
            store.commit([], fence=lease.fence + 1)

    def test_writes_happen_in_order(self, store: Store, lease: Lease) -> None:
        place = sample.address(1)
        puts: Sequence[model.Write] = [model.PutBinding(sample.binding(1)), model.DropBinding(place)]
        commit(store, lease, *puts)
        assert store.view().bindings == {}
        commit(store, lease, *reversed(puts))
        assert list(store.view().bindings) == [place]

    def test_another_connection_sees_a_commit_at_once_and_whole(
        self, store: Store, other: Store, lease: Lease
    ) -> None:
        commit(store, lease, *PRESENT, model.AppendHistory({"event": "run"}))
        assert export(other) == export(store)
        with pytest.raises(StateError):
            commit(store, lease, model.PutBinding(sample.binding(2)), REFUSED[0])
        assert set(other.view().bindings) == {sample.address(1)}

    def test_what_was_committed_is_there_after_reopening(self, tmp_path: Path, clock: ManualClock) -> None:
        with self.opened(tmp_path, clock) as store:
            lease = store.acquire(holder="tester", command="apply", term_seconds=60)
            commit(store, lease, *PRESENT, *VARIANTS)
            expected = export(store)
        with self.opened(tmp_path, clock) as store:
            assert export(store) == expected

    def test_two_states_have_nothing_in_common(self, tmp_path: Path, clock: ManualClock) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        with self.opened(tmp_path / "a", clock) as one, self.opened(tmp_path / "b", clock) as two:
            lease = one.acquire(holder="tester", command="apply", term_seconds=60)
            commit(one, lease, *PRESENT)
            assert two.view().bindings == {}
            assert two.lock_info() is None
            assert one.meta().lineage != two.meta().lineage

    def test_threads_may_share_a_store(self, store: Store, lease: Lease) -> None:
        problems: list[BaseException] = []

        def work(thread: int) -> None:
            try:
                for number in range(20):
                    writes: list[model.Write] = [
                        model.PutDocument(sample.document(thread * 100 + number)),
                        model.PutAllocation(sample.allocation(thread, number, str(number + 1))),
                        model.AppendHistory({"thread": thread, "number": number}),
                    ]
                    commit(store, lease, *writes)
                    view = store.view()
                    assert len(view.documents) == len(view.allocations)
                    lease.renew()
            except BaseException as problem:
                problems.append(problem)

        start = store.meta().serial
        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        assert len(store.view().documents) == 120
        assert store.meta().serial == start + 120

    def test_a_closed_store_says_so(self, tmp_path: Path, clock: ManualClock) -> None:
        with self.opened(tmp_path, clock) as store:
            lease = store.acquire(holder="tester", command="apply", term_seconds=60)
            store.close()
            uses: list[Any] = [store.view, store.meta, lease.renew, lambda: commit(store, lease)]
            for use in uses:
                with pytest.raises(StateError, match="closed"):
                    use()
            lease.release()
            store.close()

"""State suite: the hash chain, its head, and epochs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.errors import FenceLost
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.protocol import Lease, Store
from reconciler.testing.state_suite_base import StateCases, commit


class HistoryCases(StateCases):
    def test_the_first_epoch_is_on_record_and_unconfirmed(self, store: Store) -> None:
        meta = store.meta()
        assert (meta.project, meta.epoch, meta.epoch_reason, meta.unconfirmed) == ("project-1", 1, "new", True)
        assert len(meta.lineage) == 32
        assert [row.serial for row in store.history()] == [1]
        assert (meta.serial, meta.head) == (1, next(iter(store.history())).hash)

    def test_entries_are_chained(self, store: Store, lease: Lease) -> None:
        start = store.meta()
        entries: list[dict[str, Any]] = [{"event": "run", "n": 1}, {"é": ["x", None, {"b": True, "a": "1.5"}]}, {}]
        commit(store, lease, model.AppendHistory(entries[0]))
        commit(store, lease, model.AppendHistory(entries[1]), model.AppendHistory(entries[2]))
        head = start.head
        for serial, (row, entry) in enumerate(
            zip(list(store.history())[1:], entries, strict=True), start.serial + 1
        ):
            head = digest_text(head + canonical_json(entry))
            assert row == model.HistoryRow(serial, canonical_json(entry), head)
        assert store.meta() == replace(start, serial=start.serial + 3, head=head)
        assert verify_history(store) == []

    def test_entries_apart_in_one_commit_are_chained_in_order(self, store: Store, lease: Lease) -> None:
        first, last = model.AppendHistory({"n": 1}), model.AppendHistory({"n": 2})
        commit(store, lease, first, model.ConfirmEpoch(), last)
        assert [row.entry for row in store.history()][1:] == ['{"n":1}', '{"n":2}']
        assert verify_history(store) == []

    def test_a_long_history_comes_whole_while_it_grows(self, store: Store, lease: Lease) -> None:
        commit(store, lease, *(model.AppendHistory({"n": number}) for number in range(1500)))
        found = []
        for row in store.history():
            found.append(row.serial)
            if row.serial == 700:
                commit(store, lease, model.AppendHistory({"n": "late"}))
        assert found == list(range(1, 1503))
        assert verify_history(store) == []

    def test_known_heads(self, store: Store, lease: Lease) -> None:
        heads = [store.meta().head]
        for number in range(3):
            commit(store, lease, model.AppendHistory({"n": number}))
            heads.append(store.meta().head)
        assert len(set(heads)) == 4
        assert all(store.has_head(head) for head in heads)
        assert store.has_head("")
        assert not store.has_head(digest_text("another"))

    def test_a_new_epoch(self, store: Store, lease: Lease) -> None:
        before = store.meta()
        commit(store, lease, model.ConfirmEpoch())
        assert store.meta() == replace(before, unconfirmed=False)
        commit(store, lease, model.NewEpoch("restored"))
        assert store.meta() == replace(before, epoch=2, epoch_reason="restored", unconfirmed=True)
        commit(store, lease, model.NewEpoch("lost", unconfirmed=False, at_least=9))
        assert store.meta() == replace(before, epoch=9, epoch_reason="lost", unconfirmed=False)
        commit(store, lease, model.NewEpoch("lost", at_least=4))
        assert store.meta().epoch == 10

    def test_a_refused_commit_adds_no_entry(self, store: Store, lease: Lease) -> None:
        before = store.meta()
        with pytest.raises(FenceLost):
            store.commit([model.AppendHistory({"n": 1})], fence=lease.fence + 1)
        assert store.meta() == before
        assert len(list(store.history())) == 1

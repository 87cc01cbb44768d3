"""Tending the state by hand: rename, forget, export and put back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import InvalidInput, StateError, StateLocked
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample
from reconciler.workflows import stating, tending
from reconciler.workflows.portable import read_portable
from tests.unit.workflows.test_stating import fill

PROJECT = "project-1"
FREE = Address("books", "invoice", "INV-99")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    store = open_store(tmp_path / "acme.sqlite", PROJECT, clock).store
    fill(store)
    yield store
    store.close()


def settled(store: Store) -> None:
    """Nothing is under way any more."""
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    done = model.GroupStatus.DONE
    writes: list[model.Write] = [
        model.CloseIntent("key-1", model.IntentStatus.DONE),
        model.PutGroup(sample.group(1, status=done)),
    ]
    store.commit(writes, fence=lease.fence)
    lease.release()


def last_entry(store: Store) -> dict[str, object]:
    found: dict[str, object] = parse_canonical(list(store.history())[-1].entry)
    return found


class TestMove:
    def test_it_renames_and_is_on_record(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        done = tending.move(store, clock, sample.address(1), FREE)
        assert done == tending.Moved(sample.address(1), FREE, 4)
        view = store.view()
        assert view.bindings[FREE].document_id == "doc-1"
        assert sample.address(1) not in view.bindings
        entry = last_entry(store)
        assert (entry["event"], entry["from"], entry["to"]) == ("state_mv", "books:invoice.INV-1", str(FREE))
        assert "@" in str(entry["by"])
        assert store.lock_info() is None
        assert verify_history(store) == []

    def test_a_dry_run_writes_nothing(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        before = stating.export(store)
        assert tending.move(store, clock, sample.address(1), FREE, dry_run=True).documents == 4
        assert stating.export(store) == before

    def test_it_is_refused_while_an_outcome_is_unknown(self, store: Store, clock: ManualClock) -> None:
        with pytest.raises(StateError, match="whose outcome is unknown") as caught:
            tending.move(store, clock, sample.address(1), FREE)
        assert caught.value.hint == "Settle it first: reconciler recover"

    def test_it_is_refused_while_a_correction_is_open(self, store: Store, clock: ManualClock) -> None:
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        store.commit([model.CloseIntent("key-1", model.IntentStatus.DONE)], fence=lease.fence)
        lease.release()
        with pytest.raises(StateError, match="has a correction under way") as caught:
            tending.move(store, clock, sample.address(1), FREE)
        assert "--abandon group-1" in caught.value.hint

    def test_only_to_a_free_address_of_the_same_kind(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        with pytest.raises(StateError, match="already bound"):
            tending.move(store, clock, sample.address(1), sample.address(2))
        with pytest.raises(InvalidInput, match="cannot become"):
            tending.move(store, clock, sample.address(1), Address("books", "payment", "PMT-1"))
        with pytest.raises(StateError) as caught:
            tending.move(store, clock, Address("books", "invoice", "INV-11"), FREE)
        assert "Did you mean" in caught.value.hint

    def test_it_takes_the_lock(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        store.acquire(holder="another", command="apply", term_seconds=60)
        with pytest.raises(StateLocked):
            tending.move(store, clock, sample.address(1), FREE)


class TestForget:
    def test_it_forgets_all_or_none(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        customer = Address("books", "customer", "acme")
        with pytest.raises(StateError, match="is not in the state"):
            tending.forget(store, clock, [customer, FREE])
        assert customer in store.view().bindings
        done = tending.forget(store, clock, [customer, sample.address(1), customer])
        assert [item.address for item in done] == [customer, sample.address(1)]
        assert done[0].remote_ids == ("remote-3",)
        assert list(store.view().bindings) == [sample.address(2)]
        assert last_entry(store)["event"] == "state_rm"
        assert verify_history(store) == []

    def test_it_is_refused_while_another_s_request_speaks_of_it(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        lease = store.acquire(holder="tester", command="apply", term_seconds=60)
        row = sample.intent(7, step='{"target":"doc-3"}')
        store.commit([model.OpenIntent(row)], fence=lease.fence)
        lease.release()
        with pytest.raises(StateError, match=r"INV-7 has a request whose outcome is unknown"):
            tending.forget(store, clock, [Address("books", "customer", "acme")])

    def test_a_dry_run_writes_nothing(self, store: Store, clock: ManualClock) -> None:
        settled(store)
        before = stating.export(store)
        assert len(tending.forget(store, clock, [sample.address(1)], dry_run=True)[0].remote_ids) == 4
        assert stating.export(store) == before


class TestExportAndImport:
    @pytest.fixture
    def empty(self, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
        store = open_store(tmp_path / "new" / "acme.sqlite", PROJECT, clock).store
        yield store
        store.close()

    def test_what_was_exported_is_put_back_whole(self, store: Store, empty: Store, clock: ManualClock) -> None:
        portable = read_portable(stating.export(store))
        done = tending.restore(empty, clock, portable, PROJECT)
        assert (done.bindings, done.documents, done.copy) == (3, 5, "")
        one, two = stating.export_document(store), stating.export_document(empty)
        assert two["history"][: len(one["history"])] == one["history"]
        assert verify_history(empty) == []
        for volatile in ("meta", "history", "digest"):
            del one[volatile], two[volatile]
        assert one == two
        meta = empty.meta()
        assert (meta.lineage, meta.epoch, meta.epoch_reason) == (store.meta().lineage, 2, "restored")
        assert meta.unconfirmed
        assert last_entry(empty)["digest"] == portable.digest

    def test_a_state_in_use_is_only_replaced_when_told_and_a_copy_is_kept(
        self, store: Store, empty: Store, clock: ManualClock
    ) -> None:
        settled(store)
        portable = read_portable(stating.export(empty))
        with pytest.raises(StateError, match="is not empty"):
            tending.restore(store, clock, portable, PROJECT)
        before = stating.export(store)
        assert tending.restore(store, clock, portable, PROJECT, replace=True, dry_run=True).copy == ""
        assert stating.export(store) == before
        done = tending.restore(store, clock, portable, PROJECT, replace=True)
        assert store.view().bindings == {}
        kept = open_store(Path(done.copy), PROJECT, clock).store
        assert stating.export(kept) == before
        kept.close()

    def test_requests_under_way_are_not_forgotten(self, store: Store, empty: Store, clock: ManualClock) -> None:
        portable = read_portable(stating.export(empty))
        with pytest.raises(StateError, match="1 requests whose outcome is unknown"):
            tending.restore(store, clock, portable, PROJECT, replace=True)

    def test_another_project_s_is_refused(self, store: Store, empty: Store, clock: ManualClock) -> None:
        with pytest.raises(StateError, match="belongs to another project"):
            tending.restore(empty, clock, read_portable(stating.export(store)), "project-2")

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda text: text[:-2], "It is not JSON"),
            (lambda text: text.replace("INV-1", "INV-7"), "Its digest does not match"),
            (lambda text: "[]", "It is not an exported state"),
            (lambda text: text.replace('"format":1', '"format":2'), "Its format is 2"),
        ],
    )
    def test_a_file_that_was_changed_is_refused(self, store: Store, change: object, why: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            read_portable(change(stating.export(store)))  # type: ignore[operator]
        assert caught.value.why.startswith(why)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            (lambda data: data["history"].pop(), "Its history does not lead to its head"),
            (lambda data: data["history"][0].update(hash="0" * 64), "Its history does not hold at entry 1"),
            (lambda data: data["bindings"][0].update(generation="1"), "A row is not what a state has"),
            (lambda data: data["documents"][0].pop("kind"), "A row is not what a state has"),
        ],
    )
    def test_a_file_sealed_anew_is_still_checked(self, store: Store, change: object, why: str) -> None:
        from reconciler.workflows.portable import sealed

        data = stating.export_document(store)
        del data["digest"]
        change(data)  # type: ignore[operator]
        with pytest.raises(InvalidInput) as caught:
            read_portable(canonical_json(sealed(data)))
        assert caught.value.why.startswith(why)

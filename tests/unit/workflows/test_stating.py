"""Looking into the state through the workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.kernel.address import Address
from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import StateError
from reconciler.state import model
from reconciler.state.model import AllocationRow
from reconciler.state.opening import open_store
from reconciler.state.protocol import Store
from reconciler.testing import state_rows as sample
from reconciler.workflows import stating


def fill(store: Store, order: int = 1) -> None:
    """The same rows, written in one order or the other."""
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    customer = Address("books", "customer", "acme")
    writes: list[model.Write] = [
        model.PutBinding(sample.binding(1)),
        model.PutBinding(sample.binding(2, document_id="nowhere")),
        model.PutBinding(sample.binding(3, address=customer, first_address=customer, document_id="doc-3")),
        model.PutDocument(sample.document(3, address=customer, kind="customer", number=None, phase="active")),
        model.PutDocument(sample.document(1, "credit.10", role="credit")),
        model.PutDocument(sample.document(1, "credit.2", role="credit")),
        model.PutDocument(sample.document(1, "reissue.2", role="reissue", generation=2)),
        model.PutDocument(sample.document(1, body='{"memo":"x"}', computed='{"open":"1"}')),
        model.PutAllocation(sample.allocation(9, 1, "5")),
        model.PutAllocation(sample.allocation(1, 8, "6")),
        model.PutAllocation(sample.allocation(8, 9, "7")),
    ]
    store.commit(writes[::order], fence=lease.fence)
    requests: list[model.Write] = [
        model.OpenIntent(sample.intent(1)),
        model.OpenIntent(sample.intent(2)),
        model.RecordStage("key-1", "created", {"id": "7"}),
        model.CloseIntent("key-2", model.IntentStatus.REJECTED, "not JSON", raise_attempt=True),
        model.PutGroup(sample.group(1)),
        model.PutGroup(sample.group(2, status=model.GroupStatus.DONE)),
        model.PutRun(sample.run(1, commit="abc")),
        model.AppendHistory({"event": "run", "run": "run-1"}),
    ]
    store.commit(requests, fence=lease.fence)
    lease.release()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "acme.sqlite", "project-1", ManualClock()).store
    fill(store)
    yield store
    store.close()


def test_list_is_in_address_order_with_the_current_document(store: Store) -> None:
    found = stating.list_bindings(store)
    assert [(str(row.address), row.remote_id, row.number, row.phase, row.documents) for row in found] == [
        ("books:customer.acme", "remote-3", None, "active", 1),
        ("books:invoice.INV-1", "remote-1", "INV-1", "posted", 4),
        ("books:invoice.INV-2", "", None, "", 0),
    ]


def test_list_can_be_narrowed(store: Store) -> None:
    assert [row.address.name for row in stating.list_bindings(store, kind="customer")] == ["acme"]
    assert len(stating.list_bindings(store, connection="books")) == 3
    assert stating.list_bindings(store, connection="other") == []


def test_show_tells_all_of_one_address(store: Store) -> None:
    found = stating.show(store, sample.address(1))
    assert found.binding == sample.binding(1)
    assert [row.label for row in found.documents] == ["", "credit.2", "credit.10", "reissue.2"]
    assert (found.documents[0].body, found.documents[0].computed) == ('{"memo":"x"}', '{"open":"1"}')
    assert found.allocations == (AllocationRow("doc-1", "doc-8", "6"), AllocationRow("doc-9", "doc-1", "5"))
    assert [row.key for row in found.unsettled] == ["key-1"]
    assert [row.id for row in found.groups] == ["group-1"]


def test_show_of_what_is_not_there_suggests(store: Store) -> None:
    with pytest.raises(StateError) as caught:
        stating.show(store, Address("books", "customer", "acne"))
    assert str(caught.value) == "books:customer.acne is not in the state\nDid you mean 'books:customer.acme'?"


def test_export_is_whole(store: Store) -> None:
    data = json.loads(stating.export(store))
    assert data["format"] == 1
    assert {key: len(rows) for key, rows in data.items() if isinstance(rows, list)} == {
        "bindings": 3,
        "documents": 5,
        "allocations": 3,
        "attempts": 1,
        "intents": 2,
        "groups": 2,
        "runs": 1,
        "history": 2,
    }
    assert data["bindings"][1]["declared"] == {"memo": "1"}
    assert data["documents"][0]["body"] == {"memo": "x"}
    assert data["intents"][0]["stages"] == [{"stage": "created", "data": {"id": "7"}}]
    assert data["intents"][1]["outcome"] == "not JSON"
    assert data["attempts"] == [{"document_id": "doc-2", "operation_key": "create", "attempt": 2}]
    assert data["history"][1]["entry"] == {"event": "run", "run": "run-1"}


def test_export_does_not_depend_on_the_order_of_writing(store: Store, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other.sqlite", "project-1", ManualClock()).store
    fill(other, order=-1)
    one, two = stating.export_document(store), stating.export_document(other)
    other.close()
    for volatile in ("meta", "history", "digest"):
        del one[volatile], two[volatile]
    assert json.dumps(one) == json.dumps(two)


def test_export_says_nothing_of_the_lock(store: Store) -> None:
    before = stating.export(store)
    store.acquire(holder="secret-host", command="apply --x", term_seconds=60)
    assert stating.export(store) == before


def test_history_and_its_verification(store: Store) -> None:
    entries = stating.history_entries(store)
    assert [(row.serial, row.entry["event"]) for row in entries] == [(1, "epoch"), (2, "run")]
    found = stating.verify(store)
    assert (found.entries, found.head, found.problems) == (2, entries[-1].hash, ())


def test_force_unlock_returns_what_it_removed(store: Store) -> None:
    assert stating.lock_info(store) is None
    lease = store.acquire(holder="tester", command="apply", term_seconds=60)
    assert stating.lock_info(store) == lease.info
    with pytest.raises(StateError, match="the lock's id is not wrong"):
        stating.force_unlock(store, "wrong", by="ops")
    assert stating.force_unlock(store, lease.info.id, by="ops") == lease.info
    assert stating.lock_info(store) is None
    assert stating.history_entries(store)[-1].entry["by"] == "ops"
    with pytest.raises(StateError, match="the state is not locked"):
        stating.force_unlock(store, lease.info.id, by="ops")

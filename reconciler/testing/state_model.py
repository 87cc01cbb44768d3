"""The state as plain dictionaries: what every write should do, said a second time and as simply as possible.

`StateMachine` drives a store and this model with the same random commits and compares them after each.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.errors import FenceLost, StateError
from reconciler.state import model
from reconciler.state.history import verify_history
from reconciler.state.protocol import Lease, Store
from reconciler.testing import state_rows as sample


class Refused(Exception):
    """The model would not do this."""


@dataclass
class ModelState:
    """Everything a store keeps."""

    meta: model.Meta
    bindings: dict[Address, model.BindingRow] = field(default_factory=dict)
    documents: dict[str, model.DocumentRow] = field(default_factory=dict)
    allocations: dict[tuple[str, str], str] = field(default_factory=dict)
    attempts: dict[tuple[str, str], int] = field(default_factory=dict)
    intents: dict[str, model.IntentRow] = field(default_factory=dict)
    stages: dict[str, list[tuple[str, dict[str, str]]]] = field(default_factory=dict)
    groups: dict[str, model.GroupRow] = field(default_factory=dict)
    runs: dict[str, model.RunRow] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)

    def committed(self, writes: Sequence[model.Write]) -> ModelState:
        """The state after a commit. Raises Refused."""
        after = copy.deepcopy(self)
        for write in writes:
            after._write(write)
        return after

    def _write(self, write: model.Write) -> None:
        match write:
            case model.PutBinding(row):
                old = self.bindings.get(row.address)
                self.bindings[row.address] = replace(row, revision=old.revision + 1 if old else 1)
            case model.MoveBinding(origin, destination):
                self._move(origin, destination)
            case model.DropBinding(address):
                self._drop(address)
            case model.PutDocument(row):
                known = self.documents.get(row.document_id)
                body = row.body or (known.body if known else "")
                computed = row.computed or (known.computed if known else "")
                self.documents[row.document_id] = replace(row, body=body, computed=computed)
            case model.PutAllocation(allocation):
                pair = (allocation.source_document, allocation.target_document)
                self.allocations[pair] = allocation.amount
                if allocation.amount == "0":
                    del self.allocations[pair]
            case model.PutGroup(group):
                self.groups[group.id] = group
            case model.PutRun(run):
                self.runs[run.id] = run
            case _:
                self._write_of_requests(write)

    def _write_of_requests(self, write: model.Write) -> None:
        match write:
            case model.OpenIntent(row):
                self.intents[row.key] = row
            case model.CloseIntent(key, status, outcome, closed_at, raise_attempt):
                if key not in self.intents:
                    raise Refused
                row = self.intents[key]
                self.intents[key] = replace(row, status=status, outcome=outcome, closed_at=closed_at)
                if raise_attempt:
                    place = (row.document_id, row.operation_key)
                    self.attempts[place] = max(self.attempts.get(place, 1), row.attempt + 1)
            case model.RecordStage(key, stage, data):
                if key not in self.intents:
                    raise Refused
                self.stages.setdefault(key, []).append((stage, dict(data)))
            case model.AppendHistory(entry):
                text = canonical_json(dict(entry))
                self.entries.append(text)
                head = digest_text(self.meta.head + text)
                self.meta = replace(self.meta, serial=self.meta.serial + 1, head=head)
            case model.NewEpoch(reason, unconfirmed, at_least):
                epoch = max(self.meta.epoch + 1, at_least)
                self.meta = replace(self.meta, epoch=epoch, epoch_reason=reason, unconfirmed=unconfirmed)
            case model.ConfirmEpoch():
                self.meta = replace(self.meta, unconfirmed=False)
            case _:
                raise AssertionError(write)

    def _move(self, origin: Address, destination: Address) -> None:
        if origin not in self.bindings or destination in self.bindings:
            raise Refused
        row = self.bindings.pop(origin)
        self.bindings[destination] = replace(row, address=destination, revision=row.revision + 1)
        for key, document in self.documents.items():
            if document.address == origin:
                self.documents[key] = replace(document, address=destination)
        for name, group in self.groups.items():
            if group.address == origin and group.status is model.GroupStatus.OPEN:
                self.groups[name] = replace(group, address=destination)

    def _drop(self, address: Address) -> None:
        self.bindings.pop(address, None)
        gone = {key for key, document in self.documents.items() if document.address == address}
        self.documents = {key: row for key, row in self.documents.items() if key not in gone}
        self.allocations = {pair: amount for pair, amount in self.allocations.items() if not gone & set(pair)}


NUMBERS = st.integers(0, 4)
TEXTS = st.sampled_from(["", "{}", '{"a":"1"}', '{"memo":"é\' % ?"}'])
AMOUNTS = st.sampled_from(["0", "1", "10.5", "-3", "0.01"])
STATUSES = st.sampled_from(list(model.IntentStatus))
ADDRESSES = NUMBERS.map(sample.address)


@st.composite
def write_lists(draw: st.DrawFn) -> list[model.Write]:
    """A commit: a few writes over few rows, so that they meet; some are refused."""
    return draw(st.lists(st.one_of(_STRUCTURE, _REQUESTS), max_size=8))


_STRUCTURE: st.SearchStrategy[model.Write] = st.one_of(
    st.builds(
        lambda n, at, text: model.PutBinding(sample.binding(n, address=at, declared=text)),
        NUMBERS,
        ADDRESSES,
        TEXTS,
    ),
    st.builds(model.MoveBinding, ADDRESSES, ADDRESSES),
    st.builds(model.DropBinding, ADDRESSES),
    st.builds(
        lambda n, at, body, computed: model.PutDocument(
            sample.document(n, address=at, body=body, computed=computed, number=body or None)
        ),
        *(NUMBERS, ADDRESSES, TEXTS, TEXTS),
    ),
    st.builds(lambda s, t, a: model.PutAllocation(sample.allocation(s, t, a)), NUMBERS, NUMBERS, AMOUNTS),
    st.builds(
        lambda n, at, status: model.PutGroup(sample.group(n, address=at, status=status)),
        *(NUMBERS, ADDRESSES, st.sampled_from(list(model.GroupStatus))),
    ),
)
_REQUESTS: st.SearchStrategy[model.Write] = st.one_of(
    st.builds(lambda n, a: model.OpenIntent(sample.intent(n, attempt=a)), NUMBERS, st.integers(1, 3)),
    st.builds(
        lambda n, status, rise: model.CloseIntent(f"key-{n}", status, "{}", "then", rise),
        *(NUMBERS, STATUSES, st.booleans()),
    ),
    st.builds(lambda n, text: model.RecordStage(f"key-{n}", "stage", {"text": text}), NUMBERS, TEXTS),
    st.builds(lambda n, text: model.PutRun(sample.run(n, status=text)), NUMBERS, TEXTS),
    st.builds(lambda text: model.AppendHistory({"text": text}), TEXTS),
    st.builds(model.NewEpoch, TEXTS, st.booleans(), st.integers(0, 5)),
    st.just(model.ConfirmEpoch()),
)


class StateMachine(RuleBasedStateMachine):
    """Random commits to a store and to the model. A backend's test subclasses it and says how to open one."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()

    def open(self) -> AbstractContextManager[Store]:
        """A store of one state, the same at each call within one example."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.store = self.stack.enter_context(self.open())
        self.lease: Lease = self.store.acquire(holder="machine", command="apply", term_seconds=600)
        self.expected = ModelState(self.store.meta(), entries=[row.entry for row in self.store.history()])

    @rule(writes=write_lists())
    def commit(self, writes: list[model.Write]) -> None:
        try:
            after = self.expected.committed(writes)
        except Refused:
            try:
                self.store.commit(writes, fence=self.lease.fence)
            except FenceLost:
                raise
            except StateError:
                return
            raise AssertionError(f"should have been refused: {writes}") from None
        self.store.commit(writes, fence=self.lease.fence)
        self.expected = after

    @rule(writes=write_lists())
    def commit_with_a_stale_fence(self, writes: list[model.Write]) -> None:
        try:
            self.store.commit(writes, fence=self.lease.fence - 1)
        except FenceLost:
            return
        raise AssertionError("a stale fence wrote")

    @rule()
    def change_hands(self) -> None:
        self.lease.release()
        self.lease = self.store.acquire(holder="machine", command="apply", term_seconds=600)

    @rule()
    def reopen(self) -> None:
        self.lease.release()
        self.stack.close()
        self.store = self.stack.enter_context(self.open())
        self.lease = self.store.acquire(holder="machine", command="apply", term_seconds=600)

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "expected"):
            for what, found, wanted in compare(self.store, self.expected):
                assert found == wanted, what

    def teardown(self) -> None:
        self.stack.close()


def compare(store: Store, expected: ModelState) -> Iterator[tuple[str, object, object]]:
    """(what, found, wanted) of everything a store can tell."""
    view = store.view()
    unsettled = {key: row for key, row in expected.intents.items() if not row.status.settled}
    yield "meta", view.meta, expected.meta
    yield "bindings", view.bindings, expected.bindings
    bare = {key: replace(row, body="", computed="") for key, row in expected.documents.items()}
    yield "documents", view.documents, bare
    yield "bodies", store.document_bodies(expected.documents), expected.documents
    yield "allocations", view.allocations, expected.allocations
    yield "attempts", view.attempts, expected.attempts
    yield "intents", list(store.intents()), list(expected.intents.values())
    yield "unsettled", view.unsettled, tuple(unsettled.values())
    for key in expected.intents:
        yield f"stages of {key}", list(store.stages(key)), expected.stages.get(key, [])
    open_groups = tuple(row for row in expected.groups.values() if row.status is model.GroupStatus.OPEN)
    yield "groups", list(store.groups()), list(expected.groups.values())
    yield "open groups", view.groups, open_groups
    yield "runs", list(store.runs()), list(expected.runs.values())
    yield "history", [row.entry for row in store.history()], expected.entries
    yield "the chain's problems", verify_history(store), []

"""State suite: what each write does, read back through every door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.kernel.address import Address
from reconciler.kernel.errors import StateError
from reconciler.state import model
from reconciler.state.model import GroupStatus, IntentStatus
from reconciler.state.protocol import Lease, Store
from reconciler.testing import state_rows as sample
from reconciler.testing.state_suite_base import StateCases, commit


class BindingCases(StateCases):
    def test_a_new_state_is_empty(self, store: Store) -> None:
        view = store.view()
        assert [*view.bindings, *view.documents, *view.allocations, *view.attempts] == []
        assert (view.unsettled, view.groups) == ((), ())
        assert view.meta == store.meta()

    def test_a_first_binding_has_revision_1_whatever_the_row_says(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutBinding(sample.binding(1, revision=99)))
        assert store.view().bindings == {sample.address(1): sample.binding(1)}

    def test_each_write_raises_the_revision_by_one(self, store: Store, lease: Lease) -> None:
        for expected in (1, 2, 3):
            commit(store, lease, model.PutBinding(sample.binding(1, generation=expected)))
            row = store.view().bindings[sample.address(1)]
            assert (row.revision, row.generation) == (expected, expected)

    def test_one_commit_may_write_a_binding_twice(self, store: Store, lease: Lease) -> None:
        writes = [model.PutBinding(sample.binding(1)), model.PutBinding(sample.binding(1, declared="{}"))]
        commit(store, lease, *writes)
        assert store.view().bindings[sample.address(1)] == sample.binding(1, declared="{}", revision=2)

    @pytest.mark.parametrize("name", ["Ärger & Söhne", "a/b:c%d", "発票-7", "x" * 120, "a.b_c-d", "it's"])
    def test_any_name_survives(self, store: Store, lease: Lease, name: str) -> None:
        place = Address("books", "customer", name)
        commit(store, lease, model.PutBinding(sample.binding(1, address=place, first_address=place)))
        assert list(store.view().bindings) == [place]

    def test_a_move_takes_documents_and_open_groups_along(self, store: Store, lease: Lease) -> None:
        there = Address("books", "invoice", "new name")
        commit(
            store,
            lease,
            model.PutBinding(sample.binding(1)),
            model.PutDocument(sample.document(1)),
            model.PutDocument(sample.document(1, "credit.1")),
            model.PutDocument(sample.document(2)),
            model.PutGroup(sample.group(1)),
            model.PutGroup(sample.group(7, address=sample.address(1), status=GroupStatus.DONE)),
        )
        commit(store, lease, model.MoveBinding(sample.address(1), there))
        view = store.view()
        assert view.bindings == {there: sample.binding(1, address=there, revision=2)}
        assert {key: row.address for key, row in view.documents.items()} == {
            "doc-1": there,
            "doc-1-credit.1": there,
            "doc-2": sample.address(2),
        }
        assert {row.id: row.address for row in store.groups()} == {"group-1": there, "group-7": sample.address(1)}

    def test_a_move_onto_a_bound_address_is_refused(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutBinding(sample.binding(1)), model.PutBinding(sample.binding(2)))
        before = store.view()
        with pytest.raises(StateError, match=r"books:invoice\.INV-2: that address is already bound"):
            commit(store, lease, model.MoveBinding(sample.address(1), sample.address(2)))
        assert store.view() == before

    def test_a_move_onto_itself_is_refused(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutBinding(sample.binding(1)))
        with pytest.raises(StateError, match="already bound"):
            commit(store, lease, model.MoveBinding(sample.address(1), sample.address(1)))

    def test_a_move_of_nothing_is_refused(self, store: Store, lease: Lease) -> None:
        with pytest.raises(StateError, match="it is not bound"):
            commit(store, lease, model.MoveBinding(sample.address(1), sample.address(2)))

    def test_moves_can_swap_two_addresses_by_way_of_a_third(self, store: Store, lease: Lease) -> None:
        one, two, spare = sample.address(1), sample.address(2), sample.address(3)
        commit(store, lease, model.PutBinding(sample.binding(1)), model.PutBinding(sample.binding(2)))
        moves = [model.MoveBinding(one, spare), model.MoveBinding(two, one), model.MoveBinding(spare, two)]
        commit(store, lease, *moves)
        found = store.view().bindings
        assert {place: row.document_id for place, row in found.items()} == {one: "doc-2", two: "doc-1"}

    def test_a_drop_takes_documents_and_their_allocations_along(self, store: Store, lease: Lease) -> None:
        puts = [model.PutBinding(sample.binding(number)) for number in (1, 2, 3)]
        documents = [model.PutDocument(sample.document(number, body="{}")) for number in (1, 2, 3)]
        pairs = [(1, 2), (2, 3), (3, 2), (3, 1)]
        commit(store, lease, *puts, *documents)
        commit(store, lease, *(model.PutAllocation(sample.allocation(*pair)) for pair in pairs))
        commit(store, lease, model.DropBinding(sample.address(1)))
        view = store.view()
        assert set(view.bindings) == {sample.address(2), sample.address(3)}
        assert set(view.documents) == {"doc-2", "doc-3"}
        assert set(view.allocations) == {("doc-2", "doc-3"), ("doc-3", "doc-2")}
        assert store.document_bodies(["doc-1"]) == {}

    def test_a_dropped_address_begins_again_at_revision_1(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutBinding(sample.binding(1)), model.PutBinding(sample.binding(1)))
        commit(store, lease, model.DropBinding(sample.address(1)), model.PutBinding(sample.binding(1)))
        assert store.view().bindings[sample.address(1)].revision == 1

    def test_a_dropped_documents_body_does_not_come_back(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1, body='{"old":"1"}')))
        commit(store, lease, model.DropBinding(sample.address(1)), model.PutDocument(sample.document(1)))
        assert store.document_bodies(["doc-1"])["doc-1"].body == ""

    def test_a_drop_keeps_attempts_and_intents(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutBinding(sample.binding(1)), model.OpenIntent(sample.intent(1)))
        commit(store, lease, model.CloseIntent("key-1", IntentStatus.REJECTED, raise_attempt=True))
        commit(store, lease, model.DropBinding(sample.address(1)))
        assert store.attempt("doc-1", "create") == 2
        assert store.intent("key-1") is not None

    def test_dropping_what_is_not_bound_is_no_error(self, store: Store, lease: Lease) -> None:
        before = store.view()
        commit(store, lease, model.DropBinding(sample.address(1)))
        assert store.view() == before


class DocumentCases(StateCases):
    def test_a_view_has_documents_without_bodies(self, store: Store, lease: Lease) -> None:
        row = sample.document(1, body='{"memo":"x"}', computed='{"open":"1"}')
        commit(store, lease, model.PutDocument(row))
        assert store.view().documents == {"doc-1": sample.document(1)}
        assert store.document_bodies(["doc-1"]) == {"doc-1": row}

    def test_bodies_of_unknown_documents_are_left_out(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1)))
        assert store.document_bodies(["nope", "doc-1", "doc-1"]) == {"doc-1": sample.document(1)}
        assert store.document_bodies([]) == {}

    def test_bodies_of_many_documents(self, store: Store, lease: Lease) -> None:
        documents = [sample.document(number, body=f'{{"n":"{number}"}}') for number in range(1203)]
        commit(store, lease, *(model.PutDocument(row) for row in documents))
        assert store.document_bodies(row.document_id for row in documents) == {
            row.document_id: row for row in documents
        }

    def test_replacing_a_document(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1, body='{"a":"1"}', computed='{"open":"2"}')))
        newer = sample.document(1, phase="settled", revision="8", body='{"a":"2"}', computed='{"open":"0"}')
        commit(store, lease, model.PutDocument(newer))
        assert store.document_bodies(["doc-1"]) == {"doc-1": newer}

    def test_a_document_put_without_body_keeps_its_body(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1, body='{"a":"1"}', computed='{"open":"2"}')))
        seen = store.view().documents["doc-1"]
        commit(store, lease, model.PutDocument(replace(seen, phase="settled")))
        found = store.document_bodies(["doc-1"])["doc-1"]
        assert (found.phase, found.body, found.computed) == ("settled", '{"a":"1"}', '{"open":"2"}')

    def test_a_document_put_with_new_balances_keeps_its_body(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1, body='{"a":"1"}')))
        commit(store, lease, model.PutDocument(sample.document(1, computed='{"open":"2"}')))
        found = store.document_bodies(["doc-1"])["doc-1"]
        assert (found.body, found.computed) == ('{"a":"1"}', '{"open":"2"}')

    def test_a_document_may_have_no_number(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutDocument(sample.document(1, number=None)))
        assert store.view().documents["doc-1"].number is None
        commit(store, lease, model.PutDocument(sample.document(1, number="")))
        assert store.view().documents["doc-1"].number == ""

    def test_text_is_kept_as_it_is(self, store: Store, lease: Lease) -> None:
        text = '{"memo":"–  é é 発\u2028 \\" \'; DROP TABLE bindings; -- %s ? \ufeff😀"}'
        commit(store, lease, model.PutDocument(sample.document(1, remote_id="% ? '", body=text)))
        found = store.document_bodies(["doc-1"])["doc-1"]
        assert (found.remote_id, found.body) == ("% ? '", text)

    def test_a_long_body(self, store: Store, lease: Lease) -> None:
        text = '{"memo":"' + "é" * 2_000_000 + '"}'
        commit(store, lease, model.PutDocument(sample.document(1, body=text)))
        assert store.document_bodies(["doc-1"])["doc-1"].body == text

    def test_an_allocation_is_absolute(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutAllocation(sample.allocation(1, 2, "10.5")))
        commit(store, lease, model.PutAllocation(sample.allocation(1, 2, "3")))
        commit(store, lease, model.PutAllocation(sample.allocation(2, 1, "0.01")))
        assert store.view().allocations == {("doc-1", "doc-2"): "3", ("doc-2", "doc-1"): "0.01"}

    def test_an_allocation_of_zero_is_none(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.PutAllocation(sample.allocation(1, 2)))
        zero = model.PutAllocation(sample.allocation(1, 2, "0"))
        commit(store, lease, zero, model.PutAllocation(sample.allocation(3, 4, "0")))
        assert store.view().allocations == {}
        again = [model.PutAllocation(sample.allocation(1, 2, amount)) for amount in ("1", "0", "2")]
        commit(store, lease, *again)
        assert store.view().allocations == {("doc-1", "doc-2"): "2"}

    @pytest.mark.parametrize("amount", ["", "0.00", "1.50", "1e2", "NaN", "1,5", "٣", "-0"])
    def test_an_allocation_that_is_no_canonical_amount_is_refused(
        self, store: Store, lease: Lease, amount: str
    ) -> None:
        with pytest.raises(StateError, match="is not an amount"):
            commit(store, lease, model.PutAllocation(sample.allocation(1, 2, amount)))


class IntentCases(StateCases):
    def test_an_intent_is_kept_whole(self, store: Store, lease: Lease) -> None:
        row = sample.intent(1, attempt=3, group="group-1", deduplication="C")
        commit(store, lease, model.OpenIntent(row))
        assert store.intent("key-1") == row
        assert store.intents() == [row]
        assert store.view().unsettled == (row,)
        assert store.intent("key-2") is None

    def test_intents_come_oldest_first_and_by_plan(self, store: Store, lease: Lease) -> None:
        for number, plan in ((5, "a"), (2, "b"), (9, "a"), (1, "a")):
            commit(store, lease, model.OpenIntent(sample.intent(number, plan_digest=plan)))
        assert [row.key for row in store.intents()] == ["key-5", "key-2", "key-9", "key-1"]
        assert [row.key for row in store.intents(plan_digest="a")] == ["key-5", "key-9", "key-1"]
        assert store.intents(plan_digest="c") == []

    @pytest.mark.parametrize("status", list(IntentStatus))
    def test_closing_sets_status_and_outcome(self, store: Store, lease: Lease, status: IntentStatus) -> None:
        commit(store, lease, model.OpenIntent(sample.intent(1)))
        commit(store, lease, model.CloseIntent("key-1", status, '{"message":"m"}', sample.INSTANT))
        expected = sample.intent(1, status=status, outcome='{"message":"m"}', closed_at=sample.INSTANT)
        assert store.intent("key-1") == expected
        assert store.view().unsettled == (() if status.settled else (expected,))
        assert store.attempt("doc-1", "create") == 1

    def test_closing_what_is_not_there_is_refused(self, store: Store, lease: Lease) -> None:
        with pytest.raises(StateError, match="there is no intent key-1 to close"):
            commit(store, lease, model.CloseIntent("key-1", IntentStatus.DONE))

    def test_the_attempt_rises_with_the_closing(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.OpenIntent(sample.intent(1)))
        commit(store, lease, model.CloseIntent("key-1", IntentStatus.REJECTED, raise_attempt=True))
        assert store.attempt("doc-1", "create") == 2
        assert (store.attempt("doc-1", "post"), store.attempt("doc-2", "create")) == (1, 1)
        assert store.view().attempts == {("doc-1", "create"): 2}

    def test_the_attempt_rises_once_per_attempt(self, store: Store, lease: Lease) -> None:
        """Recording the same end twice, as a recovery may, does not skip an attempt; an older end lowers none."""
        end = model.CloseIntent("key-1", IntentStatus.ABSENT, raise_attempt=True)
        commit(store, lease, model.OpenIntent(sample.intent(1)), end, end)
        assert store.attempt("doc-1", "create") == 2
        commit(store, lease, model.OpenIntent(sample.intent(2, document_id="doc-1", attempt=2)))
        commit(store, lease, model.CloseIntent("key-2", IntentStatus.REJECTED, raise_attempt=True), end)
        assert store.attempt("doc-1", "create") == 3

    def test_a_resend_opens_the_same_row_again(self, store: Store, lease: Lease) -> None:
        commit(store, lease, *(model.OpenIntent(sample.intent(number)) for number in (1, 2)))
        commit(store, lease, model.RecordStage("key-1", "created", {"id": "7"}))
        commit(store, lease, model.CloseIntent("key-1", IntentStatus.UNKNOWN, '{"message":"lost"}', "then"))
        again = sample.intent(1, run_id="run-2", not_after="2026-11-23T00:00:00.000000Z")
        commit(store, lease, model.OpenIntent(again))
        assert store.intent("key-1") == again
        assert [row.key for row in store.intents()] == ["key-1", "key-2"]
        assert store.stages("key-1") == [("created", {"id": "7"})]

    def test_stages_come_in_order(self, store: Store, lease: Lease) -> None:
        commit(store, lease, model.OpenIntent(sample.intent(1)), model.OpenIntent(sample.intent(2)))
        stages = [("z", {"id": "7", "é": "発 % ?"}), ("a", {}), ("z", {"id": "8"})]
        commit(store, lease, *(model.RecordStage("key-1", name, data) for name, data in stages[:2]))
        commit(store, lease, model.RecordStage("key-2", "q", {}), model.RecordStage("key-1", *stages[2]))
        assert store.stages("key-1") == stages
        assert store.stages("key-2") == [("q", {})]
        assert store.stages("key-3") == []

    def test_a_stage_of_no_intent_is_refused(self, store: Store, lease: Lease) -> None:
        with pytest.raises(StateError, match="there is no intent key-1 to record a stage of"):
            commit(store, lease, model.RecordStage("key-1", "created", {}))

    def test_an_intent_may_be_opened_staged_and_closed_in_one_commit(self, store: Store, lease: Lease) -> None:
        opened, staged = model.OpenIntent(sample.intent(1)), model.RecordStage("key-1", "sent", {})
        commit(store, lease, opened, staged, model.CloseIntent("key-1", IntentStatus.DONE))
        found = store.intent("key-1")
        assert found is not None
        assert found.status is IntentStatus.DONE
        assert store.stages("key-1") == [("sent", {})]


class GroupAndRunCases(StateCases):
    def test_groups_and_which_are_open(self, store: Store, lease: Lease) -> None:
        rows = [sample.group(number, next_member=number, proof='[{"a":"1"}]') for number in (3, 1, 2)]
        commit(store, lease, *(model.PutGroup(row) for row in rows))
        done = replace(rows[0], status=GroupStatus.DONE, next_member=9)
        left = replace(rows[1], status=GroupStatus.ABANDONED)
        commit(store, lease, model.PutGroup(done), model.PutGroup(left))
        assert store.groups() == [done, left, rows[2]]
        assert store.view().groups == (rows[2],)

    def test_runs_come_oldest_first_and_by_plan(self, store: Store, lease: Lease) -> None:
        rows = [sample.run(number, plan_digest=plan) for number, plan in ((3, "a"), (1, "b"), (2, "a"))]
        for row in rows:
            commit(store, lease, model.PutRun(row))
        done = replace(rows[0], status="complete", finished_at=sample.INSTANT, commit="abc123", fence=12)
        commit(store, lease, model.PutRun(done))
        assert store.runs() == [done, rows[1], rows[2]]
        assert store.runs(plan_digest="a") == [done, rows[2]]
        assert store.runs(plan_digest="z") == []


class WriteCases(BindingCases, DocumentCases, IntentCases, GroupAndRunCases):
    """Every write."""

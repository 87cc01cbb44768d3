"""What planning makes of lines' tracking where each combination of values is a record of the ERP's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.kernel.address import Address
from reconciler.plan.inputs import PlanInputs
from reconciler.plan.making import make_plan
from reconciler.plan.model import Action, Plan, Reason, Step
from reconciler.plan.set_words import set_label
from reconciler.plan_file import read_plan, write_plan
from reconciler.providers.capabilities import DeduplicationClass, Verb, VerbSupport
from reconciler.providers.operations import Create, Update, with_holes_filled
from reconciler.providers.protocol import Normalized, Observed
from reconciler.resources.resource import Resource
from reconciler.state.model import IntentRow
from tests.unit.plan.books import Books, actions, at, capabilities, customer, invoice, resource, verbs

NORTH = {"region": "North", "branch": "A1"}
LINE = {"description": "work", "account": "4000", "quantity": "1", "unit_price": "100.00"}


class SetBooks(Books):
    """Books that keep sets, with two categories and a customer."""

    def __init__(self, **more: Any) -> None:
        super().__init__(capabilities(sets=True), **more)
        mine = self.caps.kinds["tracking_set"]
        kept = replace(mine, amendable={phase: mine.fields - {"code"} for phase in ("active", "archived")})
        self.caps = replace(self.caps, kinds={**self.caps.kinds, "tracking_set": kept})
        self.category("CAT-1", "region", "North", "South")
        self.category("CAT-2", "branch", "A1", "B2")
        self.with_acme()

    def category(self, remote_id: str, name: str, *values: str) -> Observed:
        return self.live("tracking_category", remote_id, {"name": name, "values": list(values)}, name=name)

    def set(self, remote_id: str, status: str = "active", code: str = "", **tracking: str) -> Observed:
        """A live set; `tracking` by category names."""
        ids = {"region": "CAT-1", "branch": "CAT-2"}
        content = {
            "code": code or remote_id,
            "name": f"Set {remote_id}",
            "status": status,
            "tracking": {ids[key]: value for key, value in tracking.items()},
        }
        return self.live(
            "tracking_set", remote_id, content, phase=status, code=code or remote_id, name=f"Set {remote_id}"
        )


def tracked(*tracking: dict[str, str] | None, name: str = "INV-1", **fields: Any) -> Resource:
    """An invoice with a line for each tracking."""
    lines = [LINE if one is None else {**LINE, "tracking": one} for one in tracking]
    return invoice(name, lines=lines, **fields)


def a_set(at_name: str = "NORTH-A1", tracking: dict[str, str] | None = None, **fields: Any) -> Resource:
    return resource(f"tracking_set.{at_name}", tracking=NORTH if tracking is None else tracking, **fields)


def step(plan: Plan, name: str):
    return next(one for one in plan.steps if one.id == f"books:{name}")


def blocked(plan: Plan, name: str):
    found = [change for change in plan.blocked if change.label_of("books") == name]
    assert len(found) == 1, actions(plan)
    return found[0]


# ---- documents ----


def test_a_live_set_is_used_whoever_made_it() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    plan = books.plan(customer(), tracked(NORTH))
    assert actions(plan) == ["create invoice.INV-1"]
    assert step(plan, "invoice.INV-1#create").depends_on == ()
    operation = step(plan, "invoice.INV-1#create").operation
    assert isinstance(operation, Create)
    assert operation.content["lines"][0]["tracking"] == {"CAT-1": "North", "CAT-2": "A1"}


def test_a_set_of_fewer_or_more_values_is_another_set() -> None:
    books = SetBooks()
    books.set("DEP1", region="North")
    assert verbs(books.plan(customer(), tracked(NORTH))) == ["tracking_set.A1-North#create", "invoice.INV-1#create"]
    books.set("DEP2", region="North", branch="A1")
    assert verbs(books.plan(customer(), tracked({"branch": "A1"})))[0] == "tracking_set.A1#create"
    assert verbs(books.plan(customer(), tracked(NORTH, {"region": "North"}, None))) == ["invoice.INV-1#create"]


def test_a_line_without_tracking_needs_no_set_and_a_header_tracks_every_line() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    books.set("DEP2", region="South", branch="A1")
    plan = books.plan(customer(), tracked(None, {"region": "South"}, tracking=NORTH), tracked(None, name="INV-2"))
    operation = step(plan, "invoice.INV-1#create").operation
    assert isinstance(operation, Create)
    assert "tracking" not in operation.content
    assert [line["tracking"] for line in operation.content["lines"]] == [
        {"CAT-1": "North", "CAT-2": "A1"},
        {"CAT-1": "South", "CAT-2": "A1"},
    ]
    assert plan.complete


def test_tracking_on_a_header_is_no_change_to_lines_that_have_it() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    declared = tracked(None, None, tracking=NORTH)
    line = {"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": "100.00"}
    line = {**line, "tracking": {"CAT-1": "North", "CAT-2": "A1"}}
    content = {"customer": "C1", "issue_date": "2026-11-10", "currency": "USD", "lines": [line, line]}
    books.bind(declared, "I-1", content, total="200.00", net="200.00", tax="0", open="200.00")
    books.live("invoice", "I-1", {**content, "memo": "theirs"}, number="INV-1", total="200.00", open="200.00")
    plan = books.plan(customer(), declared)
    assert not plan.has_changes
    moved = books.plan(customer(), tracked(None, {"region": "South"}, tracking=NORTH))
    assert [field.path for field in blocked(moved, "invoice.INV-1").fields] == ["lines[1].tracking.region"]


def test_two_live_sets_of_one_combination_are_an_error_that_names_both() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    books.set("DEP2", region="North", branch="A1")
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert change.detail == (
        "branch A1, region North is what several tracking sets of the ERP have: DEP1 (Set DEP1), DEP2 (Set DEP2)"
    )
    assert change.reason is Reason.REFERENCE_UNRESOLVED
    books.set("DEP2", status="archived", region="North", branch="A1")
    assert books.plan(customer(), tracked(NORTH)).complete


def test_an_archived_set_is_not_used() -> None:
    books = SetBooks()
    books.set("DEP1", status="archived", region="North", branch="A1")
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert "DEP1 (Set DEP1) has, which is archived" in change.detail


def test_an_item_s_tracking_has_to_be_a_set_s_too() -> None:
    books = SetBooks()
    item = resource("item.SUP", name="Support", tracking=NORTH)
    assert step(books.plan(item), "item.SUP#create").depends_on == ("books:tracking_set.A1-North#create",)
    plan = books.plan(item, a_set())
    assert step(plan, "item.SUP#create").depends_on == ("books:tracking_set.NORTH-A1#create",)
    assert blocked(books.plan(resource("item.SUP", name="S", tracking={"branch": "none"})), "item.SUP")


# ---- declared sets ----


def test_a_declared_set_is_made_before_the_lines_that_mean_it() -> None:
    plan = SetBooks().plan(customer(), tracked(NORTH), tracked(None, name="INV-2"), a_set())
    assert verbs(plan) == ["tracking_set.NORTH-A1#create", "invoice.INV-1#create", "invoice.INV-2#create"]
    made = step(plan, "tracking_set.NORTH-A1#create")
    assert made.operation == Create(
        "tracking_set", {"code": "NORTH-A1", "tracking": {"CAT-1": "North", "CAT-2": "A1"}}
    )
    assert made.number is None
    assert step(plan, "invoice.INV-1#create").depends_on == (made.id,)
    assert step(plan, "invoice.INV-2#create").depends_on == ()


def test_a_declared_set_waits_for_its_categories() -> None:
    books = SetBooks()
    new = resource("tracking_category.project", values=["P1"])
    plan = books.plan(customer(), new, a_set("P", {"project": "P1"}), tracked({"project": "P1"}))
    made = step(plan, "tracking_set.P#create")
    assert made.depends_on == ("books:tracking_category.project#create",)
    assert [hole.place for hole in made.holes] == [
        ("content", "tracking", f"(known after apply) {made.holes[0].place[-1].split()[-1]}")
    ]
    document = step(plan, "invoice.INV-1#create")
    assert document.depends_on == ("books:tracking_category.project#create", made.id)


def test_a_declared_set_waits_for_the_value_its_category_is_given() -> None:
    books = SetBooks()
    declared = resource("tracking_category.region", values=["North", "South"])
    books.bind(declared, "CAT-1", {"name": "region", "values": ["North", "South"]}, name="region")
    wider = resource("tracking_category.region", values=["North", "South", "West"])
    west = a_set("WEST", {"region": "West"})
    plan = books.plan(wider, west)
    assert verbs(plan) == ["tracking_category.region#update", "tracking_set.WEST#create"]
    assert step(plan, "tracking_set.WEST#create").depends_on == ("books:tracking_category.region#update",)
    change = blocked(books.plan(declared, west), "tracking_set.WEST")
    assert change.detail == "tracking.region: 'West' is no value of that category"
    assert change.hint.startswith("Its values are: North, South.")


def test_a_value_that_only_the_live_category_could_have_is_looked_for_there() -> None:
    books = SetBooks()
    assert books.plan(a_set("S", {"region": "South"})).complete
    assert not books.plan(a_set("W", {"region": "West"})).complete


@pytest.mark.parametrize("caps", [True, False])
def test_the_kind_is_unsupported_where_it_is_not_listed(caps: bool) -> None:
    books = SetBooks()
    books.caps = capabilities(sets=caps)
    plan = books.plan(customer(), a_set(), tracked(NORTH))
    assert plan.complete is caps
    if not caps:
        assert blocked(plan, "tracking_set.NORTH-A1").reason is Reason.UNSUPPORTED
        assert step(plan, "invoice.INV-1#create").depends_on == ()


def test_where_sets_are_not_kept_nothing_is_asked_and_headers_stay_headers() -> None:
    books = SetBooks()
    books.caps = capabilities()
    plan = books.plan(customer(), tracked(None, {"region": "South"}, tracking=NORTH))
    operation = step(plan, "invoice.INV-1#create").operation
    assert isinstance(operation, Create)
    assert operation.content["tracking"] == {"CAT-1": "North", "CAT-2": "A1"}
    assert [line.get("tracking") for line in operation.content["lines"]] == [None, {"CAT-1": "South"}]


def test_a_document_waits_for_no_set_that_is_blocked() -> None:
    books = SetBooks()
    set_caps = replace(
        books.caps.kinds["tracking_set"], verbs={**books.caps.kinds["tracking_set"].verbs, Verb.CREATE: _NONE}
    )
    books.caps = replace(books.caps, kinds={**books.caps.kinds, "tracking_set": set_caps})
    plan = books.plan(customer(), a_set(), tracked(NORTH))
    assert blocked(plan, "tracking_set.NORTH-A1").reason is Reason.UNSUPPORTED
    change = blocked(plan, "invoice.INV-1")
    assert change.reason is Reason.REFERENCE_BLOCKED
    assert change.detail == (
        "branch A1, region North is what tracking_set.NORTH-A1 is declared to have, which is blocked"
    )


_NONE = VerbSupport(support="unsupported")  # type: ignore[arg-type]


def test_a_set_declared_archived_is_made_and_not_used() -> None:
    plan = SetBooks().plan(customer(), a_set(status="archived"), tracked(NORTH))
    assert verbs(plan) == ["tracking_set.NORTH-A1#create"]
    assert "declared archived" in blocked(plan, "invoice.INV-1").detail


def test_a_target_takes_the_set_of_its_lines_along() -> None:
    books = SetBooks()
    other = a_set("SOUTH", {"region": "South"})
    plan = books.plan(customer(), tracked(NORTH), a_set(), other, targets=["invoice.INV-1"])
    assert verbs(plan) == ["tracking_set.NORTH-A1#create", "invoice.INV-1#create"]
    assert plan.complete


# ---- matching ----


def test_a_live_set_of_just_this_tracking_is_not_made_again() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    plan = books.plan(customer(), a_set(), tracked(NORTH))
    change = blocked(plan, "tracking_set.NORTH-A1")
    assert change.reason is Reason.EXISTS_UNMANAGED
    assert change.detail == "the ERP has just this tracking already: DEP1 (Set DEP1)"
    assert "`adopt: [{address: tracking_set.NORTH-A1, id: DEP1}]`" in change.hint
    assert verbs(plan) == ["invoice.INV-1#create"]


def test_a_live_set_of_just_this_tracking_is_adopted_on_consent() -> None:
    books = SetBooks()
    books.set("DEP1", region="North", branch="A1")
    plan = books.plan(a_set(), adopt=["tracking_set.NORTH-A1"])
    assert actions(plan) == ["adopt tracking_set.NORTH-A1"]
    assert [item.remote_id for item in plan.bookkeeping] == ["DEP1"]


def test_a_code_that_is_taken_is_not_made_again() -> None:
    books = SetBooks()
    books.set("DEP1", code="NORTH-A1", region="South")
    change = blocked(books.plan(a_set()), "tracking_set.NORTH-A1")
    assert change.reason is Reason.EXISTS_UNMANAGED
    adopted = books.plan(a_set(), adopt=["tracking_set.NORTH-A1"])
    assert blocked(adopted, "tracking_set.NORTH-A1").reason is Reason.IMMUTABLE_FIELD


def test_one_live_set_of_just_this_code_and_tracking_is_adopted_without_its_id() -> None:
    books = SetBooks()
    books.set("DEP1", code="NORTH-A1", region="North", branch="A1")
    assert "is already in the ERP" in blocked(books.plan(a_set()), "tracking_set.NORTH-A1").detail
    assert actions(books.plan(a_set(), adopt=["tracking_set.NORTH-A1"])) == ["adopt tracking_set.NORTH-A1"]


def test_code_and_tracking_that_two_live_sets_have_are_told_apart() -> None:
    books = SetBooks()
    books.set("DEP1", code="NORTH-A1", region="South")
    books.set("DEP2", region="North", branch="A1")
    change = blocked(books.plan(a_set()), "tracking_set.NORTH-A1")
    assert change.detail == (
        "NORTH-A1 (Set DEP1) has its code, the ERP has just this tracking already: DEP2 (Set DEP2)"
    )


def test_a_set_managed_under_another_name_is_renamed_not_made_again() -> None:
    books = SetBooks()
    old = a_set("OLD")
    content = {"code": "OLD", "status": "active", "tracking": {"CAT-1": "North", "CAT-2": "A1"}}
    books.bind(old, "DEP1", content)
    change = blocked(books.plan(a_set("NEW")), "tracking_set.NEW")
    assert change.reason is Reason.CONTENT_CONFLICT
    assert "`moved: [{from: tracking_set.OLD, to: tracking_set.NEW}]`" in change.hint
    renamed = books.plan(a_set("NEW"), moved=[("tracking_set.OLD", "tracking_set.NEW")])
    assert actions(renamed) == ["move tracking_set.NEW"]


def test_one_combination_declared_twice_under_two_names_of_a_category_is_blocked_twice() -> None:
    books = SetBooks()
    books.live("tracking_category", "CAT-3", {"name": "Kind", "values": ["X"]}, name="Kind", code="kd")
    plan = books.plan(customer(), a_set("ONE", {"Kind": "X"}), a_set("TWO", {"kd": "X"}), tracked({"kd": "X"}))
    assert blocked(plan, "tracking_set.ONE").detail == "tracking_set.TWO has just this tracking too"
    assert blocked(plan, "tracking_set.TWO").detail == "tracking_set.ONE has just this tracking too"
    assert blocked(plan, "invoice.INV-1").reason is Reason.REFERENCE_BLOCKED
    assert not plan.steps


# ---- bound sets ----


def bound(books: SetBooks, status: str = "active", **fields: Any) -> Resource:
    declared = a_set(status=status, **fields)
    content = {"code": "NORTH-A1", "status": status, "tracking": {"CAT-1": "North", "CAT-2": "A1"}, **fields}
    books.bind(declared, "DEP1", content, phase=status)
    return declared


def test_what_a_set_combines_never_changes() -> None:
    books = SetBooks()
    bound(books)
    change = blocked(books.plan(a_set(tracking={"region": "South"})), "tracking_set.NORTH-A1")
    assert change.reason is Reason.IMMUTABLE_FIELD
    assert change.detail.startswith("tracking ")


def test_lines_of_what_a_set_is_newly_declared_to_have_are_blocked_with_it() -> None:
    books = SetBooks()
    bound(books)
    plan = books.plan(customer(), a_set(tracking={"region": "South"}), tracked({"region": "South"}))
    assert blocked(plan, "invoice.INV-1").reason is Reason.REFERENCE_BLOCKED


def test_a_set_s_name_is_changed_and_the_plan_rests_on_the_set_it_uses() -> None:
    books = SetBooks()
    bound(books)
    plan = books.plan(customer(), a_set(name="Northern", status="active"), tracked(NORTH))
    update = step(plan, "tracking_set.NORTH-A1#update").operation
    assert isinstance(update, Update)
    assert update.after == {"name": "Northern"}
    assert step(plan, "invoice.INV-1#create").depends_on == ()
    row = next(row for row in plan.footprint if row.address == at("tracking_set.NORTH-A1"))
    assert row.remote_id == "DEP1"


def test_a_set_that_only_lines_use_is_in_the_footprint_too() -> None:
    books = SetBooks()
    declared = bound(books)
    plan = books.plan(customer(), declared, tracked(NORTH))
    assert [row.remote_id for row in plan.footprint] == ["", "DEP1"]


def test_a_set_made_active_again_is_used_after_that() -> None:
    books = SetBooks()
    bound(books, "archived")
    plan = books.plan(customer(), a_set(status="active"), tracked(NORTH))
    assert verbs(plan) == ["tracking_set.NORTH-A1#update", "invoice.INV-1#create"]
    assert step(plan, "invoice.INV-1#create").depends_on == ("books:tracking_set.NORTH-A1#update",)


def test_a_set_that_this_plan_archives_is_not_used() -> None:
    books = SetBooks()
    bound(books)
    plan = books.plan(customer(), a_set(status="archived"), tracked(NORTH))
    assert verbs(plan) == ["tracking_set.NORTH-A1#update"]
    assert "archived" in blocked(plan, "invoice.INV-1").detail


def test_a_set_that_vanished_blocks_the_lines_that_mean_it() -> None:
    books = SetBooks()
    declared = bound(books)
    del books.rows["tracking_set"]["DEP1"]
    plan = books.plan(customer(), declared, tracked(NORTH))
    assert blocked(plan, "tracking_set.NORTH-A1").reason is Reason.VANISHED
    assert blocked(plan, "invoice.INV-1").reason is Reason.REFERENCE_BLOCKED


# ---- corrections and drafts ----


def posted(books: SetBooks, tracking: dict[str, str], name: str = "INV-1", phase: str = "posted") -> Resource:
    ids = {"region": "CAT-1", "branch": "CAT-2"}
    line = {"description": "work", "account": "acc-4000", "quantity": "1", "unit_price": "100.00"}
    line = {**line, "tracking": {ids[key]: value for key, value in tracking.items()}}
    declared = tracked(tracking, name=name, **({"state": "draft"} if phase == "draft" else {}))
    content = {"customer": "C1", "issue_date": "2026-11-10", "currency": "USD", "lines": [line]}
    opened = {"total": "100.00", "net": "100.00", "tax": "0", "open": "100.00"}
    books.bind(declared, f"I-{name}", content, phase=phase, **opened)
    return declared


ALLOW = "credit_and_reissue:invoice.INV-1"


def test_a_reissue_waits_for_the_set_of_its_lines_and_its_credit_does_not() -> None:
    books = SetBooks()
    books.set("DEP2", region="South")
    posted(books, {"region": "South"})
    plan = books.plan(customer(), a_set(), tracked(NORTH), allow=ALLOW)
    needs = {one.id.removeprefix("books:"): one.depends_on for one in plan.steps}
    assert "books:tracking_set.NORTH-A1#create" in needs["invoice.INV-1/reissue.2#create"]
    assert "books:tracking_set.NORTH-A1#create" not in needs["invoice.INV-1/credit.1#create"]


@pytest.mark.parametrize("wrong", ["before", "after"])
def test_a_correction_that_cannot_be_tracked_is_blocked_whole(wrong: str) -> None:
    books = SetBooks()
    books.set("DEP2", "archived" if wrong == "before" else "active", region="South")
    posted(books, {"region": "South"})
    new = NORTH if wrong == "before" else {"region": "West"}
    plan = books.plan(customer(), tracked(new), allow=ALLOW)
    assert blocked(plan, "invoice.INV-1").reason is Reason.REFERENCE_UNRESOLVED
    assert not plan.groups
    assert not plan.steps


def test_crediting_what_is_removed_needs_the_set_of_its_lines() -> None:
    books = SetBooks()
    books.set("DEP2", "archived", region="South")
    posted(books, {"region": "South"})
    gone = [("invoice.INV-1", "credit")]
    assert not books.plan(customer(), removed=gone).complete
    books.set("DEP2", region="South")
    assert verbs(books.plan(customer(), removed=gone))[0] == "invoice.INV-1/credit.1#create"


def test_a_draft_s_new_tracking_waits_for_its_set() -> None:
    books = SetBooks()
    books.set("DEP2", region="South")
    posted(books, {"region": "South"}, phase="draft")
    changed = tracked(NORTH, state="draft")
    plan = books.plan(customer(), a_set(), changed)
    assert step(plan, "invoice.INV-1#update").depends_on == ("books:tracking_set.NORTH-A1#create",)
    strange = tracked({"region": "West"}, state="draft")
    assert blocked(books.plan(customer(), strange), "invoice.INV-1").reason is Reason.REFERENCE_UNRESOLVED


def test_a_change_that_leaves_the_lines_alone_asks_for_no_set() -> None:
    books = SetBooks()
    posted(books, {"region": "South"})
    plan = books.plan(customer(), tracked({"region": "South"}, memo="new"))
    assert verbs(plan) == ["invoice.INV-1#update"]
    assert [change.action for change in plan.changes] == [Action.UPDATE]


# ---- implied sets ----


def test_a_combination_that_is_nobody_s_is_a_step_of_its_own() -> None:
    books = SetBooks()
    plan = books.plan(customer(), tracked(NORTH, name="INV-2"), tracked(NORTH, None, NORTH))
    assert actions(plan) == ["create tracking_set.A1-North", "create invoice.INV-1", "create invoice.INV-2"]
    made = step(plan, "tracking_set.A1-North#create")
    assert made.operation == Create(
        "tracking_set", {"code": "A1-North", "tracking": {"CAT-1": "North", "CAT-2": "A1"}}
    )
    assert made.depends_on == ()
    assert (
        step(plan, "invoice.INV-1#create").depends_on == step(plan, "invoice.INV-2#create").depends_on == (made.id,)
    )
    change = plan.changes[0]
    assert change.reason is Reason.IMPLIED
    assert change.detail == "implied by the lines of invoice.INV-1 and 1 more"
    assert change.after == {"code": "A1-North", "tracking": {"region": "North", "branch": "A1"}}
    assert change.steps == (made.id,)
    assert next(row for row in plan.footprint if row.address == made.address).binding_revision == 0


def test_a_plan_with_an_implied_set_survives_a_file(tmp_path: Path) -> None:
    plan = SetBooks().plan(customer(), tracked(NORTH))
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_nothing_is_implied_by_lines_that_are_not_written() -> None:
    books = SetBooks()
    plan = books.plan(customer(), tracked(NORTH, expect_total="1.00"))
    assert blocked(plan, "invoice.INV-1").reason is Reason.TOTAL_MISMATCH
    assert not plan.steps
    plan = books.plan(customer(), tracked(NORTH), invoice("INV-2"), targets=["invoice.INV-2"])
    assert verbs(plan) == ["invoice.INV-2#create"]


def test_an_implied_set_waits_for_its_category_and_its_value() -> None:
    books = SetBooks()
    declared = resource("tracking_category.region", values=["North", "South"])
    books.bind(declared, "CAT-1", {"name": "region", "values": ["North", "South"]}, name="region")
    wider = resource("tracking_category.region", values=["North", "South", "West"])
    new = resource("tracking_category.project", values=["P1"])
    plan = books.plan(wider, new, customer(), tracked({"region": "West", "project": "P1"}))
    made = next(one for one in plan.steps if one.address.kind == "tracking_set")
    assert made.depends_on == (
        "books:tracking_category.project#create",
        "books:tracking_category.region#update",
    )
    assert len(made.holes) == 1
    assert isinstance(made.operation, Create)
    assert with_holes_filled(made.operation, {made.holes[0].place: "CAT-9"}).content["tracking"] == {
        "CAT-1": "West",
        "CAT-9": "P1",
    }


@pytest.mark.parametrize(
    ("tracking", "words", "hint"),
    [
        (
            {"region": "West"},
            "tracking.region: 'West' is no value of that category",
            "Its values are: North, South.",
        ),
        ({"long": "v" * 121}, "and its values make no name", 'tracking_sets: {"…": {tracking: {long: vvv'),
        (
            {"cost: centre": "yes, {x}"},
            "and the code 'yes, {x}' is another one's",
            '{"…": {tracking: {"cost: centre": "yes, {x}"}}}',
        ),
    ],
)
def test_what_cannot_be_implied_is_blocked_with_what_to_do(tracking: dict[str, str], words: str, hint: str) -> None:
    books = SetBooks()
    books.category("CAT-3", "cost: centre", "yes, {x}", "ä")
    books.category("CAT-4", "long", "v" * 121)
    books.set("DEP9", code="YES, {X}", region="South")
    change = blocked(books.plan(customer(), tracked(tracking)), "invoice.INV-1")
    assert words in change.detail
    assert hint in change.hint
    assert change.reason is Reason.REFERENCE_UNRESOLVED


def test_one_name_is_not_implied_twice() -> None:
    books = SetBooks()
    books.category("CAT-3", "first", "a", "a-b")
    books.category("CAT-4", "second", "b-c", "c")
    one, two = {"first": "a", "second": "b-c"}, {"first": "a-b", "second": "c"}
    plan = books.plan(customer(), tracked(one), tracked(two, name="INV-2"))
    assert verbs(plan) == ["tracking_set.a-b-c#create", "invoice.INV-1#create"]
    assert "the code 'a-b-c' is another one's" in blocked(plan, "invoice.INV-2").detail


def test_a_declared_sets_name_and_code_are_its_own() -> None:
    books = SetBooks()
    named = resource("tracking_set.A1", tracking={"region": "South"}, code="S")
    assert (
        "name of another one"
        in blocked(books.plan(customer(), named, tracked({"branch": "A1"})), "invoice.INV-1").detail
    )
    coded = resource("tracking_set.S", tracking={"region": "South"}, code="a1")
    assert (
        "'A1' is another one's"
        in blocked(books.plan(customer(), coded, tracked({"branch": "A1"})), "invoice.INV-1").detail
    )


def test_sets_are_not_implied_where_the_erp_makes_none() -> None:
    books = SetBooks()
    mine = books.caps.kinds["tracking_set"]
    books.caps = replace(books.caps, kinds={**books.caps.kinds, "tracking_set": replace(mine, verbs={})})
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert change.hint == "Make it in the ERP, or track the lines by other values."


def implied(books: SetBooks) -> None:
    """The set that lines implied, made."""
    plan = books.plan(customer(), tracked(NORTH))
    made = plan.steps[0]
    content = {"code": "A1-North", "tracking": {"CAT-1": "North", "CAT-2": "A1"}}
    books.bind(a_set("A1-North"), "DEP1", content)
    binding = books.bindings[made.address]
    assert made.effect.declared is not None
    books.bindings[made.address] = replace(
        binding, declared=made.effect.declared, declared_digest=made.effect.declared_digest
    )


def test_an_implied_set_is_not_missed_in_the_manifests() -> None:
    books = SetBooks()
    implied(books)
    plan = books.plan(customer(), tracked(NORTH))
    assert actions(plan) == ["create invoice.INV-1"]
    assert not plan.gone
    assert [row.remote_id for row in plan.footprint] == ["", "DEP1"]
    assert not books.plan(customer()).gone
    books.bind(a_set("GONE", {"region": "South"}), "DEP2", {"code": "GONE", "tracking": {"CAT-1": "South"}})
    assert books.plan(customer()).gone == (at("tracking_set.GONE"),)


def test_an_implied_set_may_be_declared_later() -> None:
    books = SetBooks()
    implied(books)
    assert not books.plan(customer(), a_set("A1-North")).has_changes
    named = books.plan(customer(), a_set("A1-North", name="Northern"))
    assert verbs(named) == ["tracking_set.A1-North#update"]
    other = books.plan(customer(), a_set("NORTH"))
    assert (
        "`moved: [{from: tracking_set.A1-North, to: tracking_set.NORTH}]`"
        in blocked(other, "tracking_set.NORTH").hint
    )


def test_an_implied_set_that_is_gone_or_changed_is_let_go_first() -> None:
    books = SetBooks()
    implied(books)
    del books.rows["tracking_set"]["DEP1"]
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert change.detail == (
        "tracking_set.A1-North was made for branch A1, region North, and is no longer in the ERP"
    )
    assert "`removed: [{address: tracking_set.A1-North, action: forget}]`" in change.hint
    books.set("DEP1", region="South")
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert change.detail.endswith("and combines something else now")
    assert books.plan(customer(), tracked({"region": "South"})).complete


def test_an_implied_set_whose_outcome_is_unknown_is_waited_for() -> None:
    books = SetBooks()
    plan = books.plan(customer(), tracked(NORTH))
    books.unsettled = (an_intent(plan.steps[0]),)
    change = blocked(books.plan(customer(), tracked(NORTH)), "invoice.INV-1")
    assert change.reason is Reason.REFERENCE_BLOCKED
    assert change.hint == "Run: reconciler recover"


def test_an_implied_set_is_told_as_the_erp_will_store_it() -> None:
    books = SetBooks()
    kept = inputs_of(books, tracked(NORTH), code="NORTH-A1")
    made = make_plan(kept).steps[0]
    assert isinstance(made.operation, Create)
    assert made.operation.content["code"] == "NORTH-A1"
    assert made.address == at("tracking_set.A1-North")
    refused = make_plan(inputs_of(books, tracked(NORTH), refused=("a code is at most 4 characters",)))
    assert (
        "keeps none with the code 'A1-North': a code is at most 4 characters"
        in blocked(refused, "invoice.INV-1").detail
    )
    assert (
        blocked(refused, "invoice.INV-1").hint
        == 'Declare it: tracking_sets: {"…": {tracking: {branch: A1, region: North}}}'
    )
    other = make_plan(inputs_of(books, tracked(NORTH), region="NORTH"))
    assert "would keep its values otherwise" in blocked(other, "invoice.INV-1").detail


def inputs_of(
    books: SetBooks, document: Resource, *, code: str = "", region: str = "", refused: tuple[str, ...] = ()
) -> PlanInputs:
    """Inputs whose ERP stores an undeclared set with another code, or another value, or not at all."""

    def normalize(connection: str, kind: str, content: Any) -> Normalized:
        assert (connection, kind) == ("books", "tracking_set")
        assert content["tracking"] == NORTH
        tracking = {**NORTH, **({"region": region} if region else {})}
        return Normalized({"code": code or content["code"], "tracking": tracking}, refused=refused)

    return replace(books.inputs([customer(), document]), normalize=normalize)


def an_intent(made: Step, *, may_be_resent: bool = False) -> IntentRow:
    known = {"address": made.address, "document_id": made.document_id}
    return SimpleNamespace(**known, may_be_resent=may_be_resent)  # type: ignore[return-value]


# ---- beside the way ----


def test_a_target_of_unknown_tracking_is_blocked() -> None:
    plan = SetBooks().plan(customer(), tracked({"planet": "Mars"}), targets=["invoice.INV-1"])
    assert "planet" in blocked(plan, "invoice.INV-1").detail


def test_a_target_takes_no_set_along_where_none_are_kept() -> None:
    books = SetBooks()
    books.caps = capabilities()
    plan = books.plan(customer(), tracked(NORTH), a_set(), targets=["invoice.INV-1"])
    assert verbs(plan) == ["invoice.INV-1#create"]
    assert plan.complete


@pytest.mark.parametrize(
    ("unconfirmed", "klass", "complete"),
    [
        (True, DeduplicationClass.D, False),
        (True, DeduplicationClass.C, True),
        (False, DeduplicationClass.D, True),
    ],
)
def test_no_set_is_implied_where_an_earlier_one_could_not_be_recognised(
    unconfirmed: bool, klass: DeduplicationClass, complete: bool
) -> None:
    books = SetBooks()
    books.unconfirmed = unconfirmed
    mine = books.caps.kinds["tracking_set"]
    support = {Verb.CREATE: VerbSupport(deduplication=klass)}
    books.caps = replace(books.caps, kinds={**books.caps.kinds, "tracking_set": replace(mine, verbs=support)})
    plan = books.plan(customer(), tracked(NORTH))
    assert plan.complete is complete
    if not complete:
        assert blocked(plan, "invoice.INV-1").hint.startswith("Declare it: tracking_sets: {")


def test_only_an_unknown_outcome_of_its_own_keeps_a_set_waiting() -> None:
    books = SetBooks()
    made = books.plan(customer(), tracked(NORTH)).steps[0]
    books.unsettled = (an_intent(made, may_be_resent=True),)
    assert books.plan(customer(), tracked(NORTH)).steps[0] == made
    books.unsettled = (an_intent(replace(made, address=at("tracking_set.other"))),)
    assert books.plan(customer(), tracked(NORTH)).complete


def test_codes_are_those_of_sets_on_the_same_connection() -> None:
    books = SetBooks()
    acme = resource("customer.beta", name="Beta", code="A1-North", currency="USD")
    inputs = books.inputs([acme, tracked(NORTH, customer="beta")])
    south = tracked({"region": "South"}, customer="beta")
    own = (acme, south, tracked(NORTH, name="INV-2", customer="beta"), a_set("A1-North", {"region": "South"}))
    theirs = [replace(one, address=Address("other", one.address.kind, one.address.name)) for one in own]
    declaration = replace(inputs.declaration, resources=(*inputs.declaration.resources, *theirs))
    both = {**inputs.snapshot, "other": inputs.snapshot["books"]}
    plan = make_plan(replace(inputs, declaration=declaration, snapshot=both))
    made = [str(one.address) for one in plan.steps if one.address.kind == "tracking_set"]
    assert made == ["books:tracking_set.A1-North", "other:tracking_set.A1-North"]
    assert [str(one.address) for one in plan.blocked] == ["other:invoice.INV-2"]
    alone = replace(
        declaration, resources=tuple(one for one in declaration.resources if one.address != theirs[3].address)
    )
    both_imply = make_plan(replace(inputs, declaration=alone, snapshot=both))
    assert both_imply.complete
    assert sum(one.address.kind == "tracking_set" for one in both_imply.steps) == 3


@pytest.mark.parametrize(
    ("code", "name", "label"),
    [("D1", "Sales", "D1 (Sales)"), ("D1", None, "D1"), ("D1", "D1", "D1"), (None, "Sales", "id-1 (Sales)")],
)
def test_a_set_is_named_by_its_code_and_what_it_is_called(code: str | None, name: str | None, label: str) -> None:
    assert set_label(Observed("tracking_set", "id-1", "{}", "", "active", code, name)) == label

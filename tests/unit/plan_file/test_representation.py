"""The plan's JSON: inverse functions, Terraform's shape, single Terraform verbs, money as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.plan.encoding import Misfit
from reconciler.plan.model import Action, FieldChange, Reason
from reconciler.plan.representation import from_document, terraform_verb, to_document
from tests.unit.plan_file.strategies import plans
from tests.unit.sample_plans import change, correction_plan, drift_plan, make_plan, mixed_plan

ALLOWED = {"no-op", "create", "update", "delete"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans)
def test_from_document_inverts_to_document(plan):
    document = to_document(plan)
    text = canonical_json(document)
    again = from_document(parse_canonical(text))
    assert again == plan
    assert canonical_json(to_document(again)) == text


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans)
def test_only_single_terraform_verbs_and_one_entry_per_document(plan):
    entries = to_document(plan)["resource_changes"]
    for entry in entries:
        assert len(entry["change"]["actions"]) == 1
        assert set(entry["change"]["actions"]) <= ALLOWED
    addresses = [entry["address"] for entry in entries]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == {item.label_of(plan.default_connection) for item in plan.changes}


def entry_of(plan, address):
    return next(entry for entry in to_document(plan)["resource_changes"] if entry["address"] == address)


def test_every_action_has_a_terraform_verb():
    assert {terraform_verb(action) for action in Action} == ALLOWED
    assert {action for action in Action if terraform_verb(action) == "delete"} == {
        Action.REVERSE,
        Action.VOID,
        Action.DISCARD,
    }


def test_create_entry_has_terraforms_shape():
    entry = entry_of(mixed_plan(), "invoice.INV-7452")
    assert entry["mode"] == "managed"
    assert entry["type"] == "invoice"
    assert entry["name"] == "INV-7452"
    assert entry["provider_name"] == "reconciler/ledger"
    assert entry["change"]["actions"] == ["create"]
    assert entry["change"]["before"] is None
    assert entry["change"]["after"]["lines"][0]["unit_price"] == "2373.45"
    assert entry["change"]["after_unknown"] == {"id": True}
    assert entry["change"]["before_sensitive"] is False
    assert entry["reconciler"]["action"] == "create"
    assert entry["reconciler"]["receivable"] == {"USD": "2373.45"}


def test_documents_of_a_correction_have_entries_and_addresses_of_their_own():
    plan = correction_plan()
    labels = [entry["address"] for entry in to_document(plan)["resource_changes"]]
    assert labels == [
        "invoice.INV-7452",
        "invoice.INV-7452/credit.1",
        "invoice.INV-7452/reissue.2",
        "payment.PMT-2001",
    ]
    reissue = entry_of(plan, "invoice.INV-7452/reissue.2")
    assert reissue["change"]["actions"] == ["create"]
    assert reissue["reconciler"]["group_id"] == "g1"
    assert reissue["reconciler"]["remedy"] == "credit_and_reissue"


def test_adoption_is_an_import_without_change():
    adopted = change("invoice.A", Action.ADOPT, Reason.ADOPTION_DECLARED, after={"memo": "x"}, remote_id="77")
    entry = entry_of(make_plan(adopted), "invoice.A")
    assert entry["change"]["actions"] == ["no-op"]
    assert entry["change"]["importing"] == {"id": "77"}
    assert entry["change"]["before"] == entry["change"]["after"] == {"memo": "x"}


def test_a_move_carries_its_previous_address():
    moved = change(
        "customer.new",
        Action.MOVE,
        Reason.RENAMED,
        fields=(FieldChange("address", "customer.old", "customer.new"),),
    )
    entry = entry_of(make_plan(moved), "customer.new")
    assert entry["previous_address"] == "customer.old"
    assert entry["change"]["actions"] == ["no-op"]


def test_blocked_is_a_no_op_and_makes_the_plan_incomplete():
    document = to_document(mixed_plan())
    entry = entry_of(mixed_plan(), "invoice.INV-7000")
    assert entry["change"]["actions"] == ["no-op"]
    assert entry["change"]["before"] == entry["change"]["after"]
    assert entry["reconciler"]["reason"] == "posted_immutable"
    assert [offer["remedy"] for offer in entry["reconciler"]["remedies"]] == ["credit", "credit_and_reissue"]
    assert document["complete"] is False
    assert document["applyable"] is True
    assert document["errored"] is False


def test_several_changes_of_one_document_share_an_entry():
    plan = make_plan(
        change("payment.P", Action.UPDATE, Reason.CHANGED, before={"memo": "a"}, after={"memo": "b"}),
        change(
            "payment.P",
            Action.ALLOCATE,
            Reason.ALLOCATION_ADDED,
            before={"memo": "a"},
            after={"memo": "b", "n": "1"},
        ),
    )
    (entry,) = to_document(plan)["resource_changes"]
    assert entry["change"]["before"] == {"memo": "a"}
    assert entry["change"]["after"] == {"memo": "b", "n": "1"}
    assert [also["action"] for also in entry["reconciler"]["also"]] == ["allocate"]
    assert from_document(to_document(plan)) == plan


def test_drift_has_a_section_of_its_own():
    (entry, gone) = to_document(drift_plan())["resource_drift"]
    assert entry["change"]["actions"] == ["update"]
    assert entry["change"]["before"] == {"email": "ap@acme.example"}
    assert entry["change"]["after"] == {"email": "billing@acme.example"}
    assert gone["change"]["actions"] == ["delete"]
    assert gone["change"]["after"] is None


def test_amounts_are_text_without_exponent():
    plan = make_plan(change("payment.P", Action.CREATE, Reason.DECLARED, after={"amount": Decimal("1E+3")}))
    assert entry_of(plan, "payment.P")["change"]["after"] == {"amount": "1000"}


def test_floats_are_refused():
    with pytest.raises(TypeError):
        to_document(make_plan(change("payment.P", Action.CREATE, Reason.DECLARED, after={"amount": 1.5})))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.update(surprise=1), "reconciler.plan: has the unknown key 'surprise'"),
        (lambda p: p.pop("head"), "reconciler.plan: lacks head"),
        (lambda p: p.update(epoch="1"), "reconciler.plan.epoch: should be a whole number"),
        (
            lambda p: p["changes"][0].update(action="explode"),
            "reconciler.plan.changes[0].action: 'explode' is no action",
        ),
        (
            lambda p: p["changes"][0].update(address="nonsense"),
            "reconciler.plan.changes[0].address: should be an address",
        ),
        (
            lambda p: p["steps"][0]["operation"].update(verb="explode"),
            "reconciler.plan.steps[0].operation: should be an operation",
        ),
        (lambda p: p["steps"][0].update(depends_on="s1"), "reconciler.plan.steps[0].depends_on: should be a list"),
        (lambda p: p["changes"][0].update(receivable={"USD": "1e3"}), "receivable.USD: should be a decimal number"),
    ],
)
def test_what_does_not_fit_is_named(spoil, message):
    document = parse_canonical(canonical_json(to_document(mixed_plan())))
    spoil(document["reconciler"]["plan"])
    with pytest.raises(Misfit) as caught:
        from_document(document)
    assert message in str(caught.value)

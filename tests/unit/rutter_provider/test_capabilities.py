"""What a connection can do follows from its platform and its settings."""

from __future__ import annotations

import pytest

from reconciler.providers.capabilities import AllocateAt, DeduplicationClass, Numbering, Remedy, Verb
from reconciler.providers.rutter.capabilities import rutter_capabilities
from reconciler.providers.rutter.platforms import PLATFORMS, platform_named
from reconciler.providers.rutter.settings import RutterSettings


def settings(**more: object) -> RutterSettings:
    return RutterSettings.model_validate({"endpoint": "sandbox", **more})


def test_quickbooks_numbers_invoices_as_we_say_and_credit_memos_itself() -> None:
    found = rutter_capabilities(settings(), platform_named("quickbooks"))
    assert found.kind("invoice").numbering is Numbering.OURS_ACCEPTED
    assert found.kind("credit_note").numbering is Numbering.ASSIGNED
    assert not found.kind("invoice").can(Verb.POST)
    assert "reference" in found.kind("payment").fields


def test_intacct_assigns_numbers_and_voids_nothing() -> None:
    found = rutter_capabilities(settings(), PLATFORMS["SAGE_INTACCT"])
    assert found.kind("invoice").numbering is Numbering.ASSIGNED
    assert Remedy.VOID not in found.kind("invoice").remedies
    assert "reference" not in found.kind("payment").fields


def test_a_platform_that_is_not_known_takes_the_least() -> None:
    found = platform_named("ODOO")
    assert not any((found.invoice_numbers, found.references, found.drafts, found.voids))


def test_numbers_that_the_platform_keeps_unique_make_it_class_b() -> None:
    found = rutter_capabilities(settings(unique_numbers=True), PLATFORMS["NETSUITE"])
    assert found.kind("invoice").verb(Verb.CREATE).deduplication is DeduplicationClass.B
    assert found.kind("payment").verb(Verb.CREATE).deduplication is DeduplicationClass.C


def test_a_payments_links_are_not_rewritten_from_a_stale_cache() -> None:
    found = rutter_capabilities(settings(sync=False), PLATFORMS["QUICKBOOKS"]).kind("payment")
    assert not found.can(Verb.ALLOCATE)
    assert found.allocate == {AllocateAt.AT_CREATE}
    assert "sync" in found.verb(Verb.ALLOCATE).note


def test_every_refusal_says_what_to_do() -> None:
    found = rutter_capabilities(settings(), platform_named("ODOO"))
    for kind in found.kinds.values():
        for verb in (Verb.CREATE, Verb.VOID, Verb.REVERSE, Verb.POST):
            assert kind.can(verb) or verb not in kind.verbs or kind.verbs[verb].note


def test_credentials_are_needed_anywhere_but_in_the_sandbox() -> None:
    with pytest.raises(ValueError, match="needs client_id, client_secret, access_token"):
        RutterSettings()

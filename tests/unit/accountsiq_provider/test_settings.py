"""A connection's settings: what each API needs, and where it is; what a connection says it can do."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from reconciler.providers.accountsiq.capabilities import accountsiq_capabilities
from reconciler.providers.accountsiq.provider import AccountsIQProviderFactory
from reconciler.providers.accountsiq.settings import AccountsIQSettings
from reconciler.providers.capabilities import DeduplicationClass, Verb
from reconciler.providers.http.places import Endpoint
from tests.unit.accountsiq_provider.service import settings

KEYS = {"company": "C", "partner_key": "p", "user_key": "u"}
CLIENT = {"entity": "E", "client_id": "c", "client_secret": "s"}


@pytest.mark.parametrize(
    ("endpoint", "api", "expected"),
    [
        ("https://eu1.example/", "1.1", "https://eu1.example/system/dashboard/integration/integration_1_1.asmx"),
        ("https://eu1.example", "2.0", "https://eu1.example/system/dashboard/integration/integration_2_0.asmx"),
        ("https://old.example/a/b.asmx", "1.1", "https://old.example/a/b.asmx"),
    ],
)
def test_the_apis_one_address_follows_from_the_region_or_is_given(endpoint: str, api: str, expected: str) -> None:
    made = AccountsIQSettings.model_validate({"endpoint": endpoint, "api": api, **KEYS, **CLIENT})
    server, path = made.place(made.endpoint)
    assert Endpoint(server).url(path) == expected


@pytest.mark.parametrize(
    ("api", "given", "missing"),
    [("1.1", CLIENT, "company, partner_key, user_key"), ("2.0", KEYS, "entity, client_id")],
)
def test_each_api_says_what_it_needs(api: str, given: dict[str, str], missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        AccountsIQSettings.model_validate({"endpoint": "https://eu1.example", "api": api, **given})


def test_no_secret_is_shown() -> None:
    made = AccountsIQSettings.model_validate(
        {"endpoint": "https://eu1.example", **KEYS, "partner_key": "hidden-key"}
    )
    assert "hidden-key" not in repr(made)


def test_what_keeps_a_document_single_follows_from_the_duplicate_check() -> None:
    guarded, plain = (accountsiq_capabilities(settings(duplicate_check=flag)) for flag in (True, False))
    for kind in ("invoice", "payment"):
        assert guarded.kind(kind).verb(Verb.CREATE).deduplication is DeduplicationClass.B
        assert plain.kind(kind).verb(Verb.CREATE).deduplication is DeduplicationClass.C
    assert guarded.kind("credit_note").verb(Verb.CREATE).deduplication is DeduplicationClass.C
    assert guarded.may_batch(guarded.kind("credit_note").verb(Verb.CREATE))


def test_what_cannot_be_done_says_what_to_do_instead() -> None:
    found = AccountsIQProviderFactory().describe()
    for kind, capabilities in found.kinds.items():
        for verb, support in capabilities.verbs.items():
            assert support.note, f"{verb} of {kind} is not explained"
    assert found.credit_control
    assert found.kind("invoice").printed
    assert "due_date" not in accountsiq_capabilities(settings(due_dates=False)).kind("invoice").fields

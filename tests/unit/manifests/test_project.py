"""`reconciler.yaml`: what it holds, its defaults, and where secrets may come from."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from reconciler.kernel.clock import ManualClock
from reconciler.kernel.errors import InvalidInput, ReconcilerError
from reconciler.kernel.money import Rounding
from reconciler.project import load_project, open_provider
from tests.unit.manifests.projects import ONE, TWO, write

FULL = """
    project: {id: 0b6f3c1e9d2a, name: acme-receivables}
    state: {path: elsewhere/acme.sqlite}
    connections:
      books:
        provider: ledger
        path: state/books.sqlite
        tax_rounding: document
        rounding: half_even
        resend_after_settle: true
      more: {provider: other, default: true, nested: {a: [1, two]}}
    policies: {max_new_receivables: {USD: 250000.00, JPY: 0}, credit_limit: refuse}
    variables: {period: 2026-11}
"""


def test_a_project_as_written(tmp_path):
    project = load_project(write(tmp_path, {}, FULL))
    assert (project.id, project.name, project.root) == ("0b6f3c1e9d2a", "acme-receivables", tmp_path)
    assert project.state.path == tmp_path / "elsewhere" / "acme.sqlite"
    books, more = project.connections["books"], project.connections["more"]
    assert books.settings == {"path": "state/books.sqlite"}
    assert (books.tax_rounding_per_line, books.rounding, books.resend_after_settle) == (
        False,
        Rounding.HALF_EVEN,
        True,
    )
    assert more.settings == {"nested": {"a": ["1", "two"]}}
    assert (more.tax_rounding_per_line, more.rounding, more.resend_after_settle) == (None, None, False)
    assert project.default_connection == "more"
    assert project.policies.max_new_receivables == {"USD": Decimal("250000.00"), "JPY": 0}
    assert project.policies.credit_limit == "refuse"
    assert project.variables == {"period": "2026-11"}


def test_what_is_left_out_has_its_default(tmp_path):
    project = load_project(write(tmp_path, {}))
    assert project.state.backend == "sqlite"
    assert project.state.path == tmp_path / "state" / "tests.sqlite"
    assert project.default_connection == "books"
    assert project.policies.max_new_receivables == {}
    assert project.policies.credit_limit == "warn"


def test_with_several_connections_the_default_is_the_one_that_says_so(tmp_path):
    assert load_project(write(tmp_path, {}, TWO)).default_connection == "books"
    assert load_project(write(tmp_path, {}, TWO.replace(", default: true", ""))).default_connection is None


def test_a_relative_folder_is_made_absolute(tmp_path, monkeypatch):
    write(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    assert load_project(Path(".")).root == tmp_path


def test_a_folder_that_is_no_project_is_told_how_to_become_one(tmp_path):
    with pytest.raises(InvalidInput, match=r"there is no reconciler\.yaml") as refused:
        load_project(tmp_path)
    assert "reconciler init" in refused.value.hint


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str
    token: SecretStr | None = None
    retries: int = 3


class Factory:
    settings = Settings

    def open(self, settings: Settings, root: Path, clock: Any) -> Any:
        return SimpleNamespace(settings=settings, root=root)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens a connection with the given settings."""
    monkeypatch.setattr("reconciler.providers.registry.load_provider", lambda name: Factory())

    def open_with(settings: str) -> Any:
        books = "books: {provider: ledger, path: state/books.sqlite}"
        project = write(tmp_path, {}, ONE.replace(books, f"erp: {{provider: fake, {settings}}}"))
        return open_provider(load_project(project), "erp", ManualClock())

    return open_with


def refusal(opened: Any, settings: str) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        opened(settings)
    (diagnostic,) = refused.value.diagnostics
    return str(diagnostic.source), diagnostic.what


def test_a_provider_is_opened_with_typed_settings(opened, tmp_path):
    provider = opened("url: 'http://x', retries: 5")
    assert (provider.settings.url, provider.settings.retries, provider.root) == ("http://x", 5, tmp_path)


def test_a_secret_comes_from_the_environment(opened, monkeypatch):
    monkeypatch.setenv("ERP_TOKEN", "canary")
    provider = opened("url: u, token: '${env:ERP_TOKEN}'")
    assert provider.settings.token.get_secret_value() == "canary"
    assert "canary" not in repr(provider.settings)


def test_a_missing_variable_is_named(opened, monkeypatch):
    monkeypatch.delenv("ERP_TOKEN", raising=False)
    place, what = refusal(opened, "url: u, token: '${env:ERP_TOKEN}'")
    assert place == "reconciler.yaml:4:40"
    assert what == "connection erp: token needs the environment variable ERP_TOKEN, which is not set"


def test_a_secret_in_the_file_is_refused_without_being_shown(opened):
    _, what = refusal(opened, "url: u, token: hunter2")
    assert what == "connection erp: token is a secret and should be written as ${env:NAME}"


def test_what_is_no_secret_does_not_come_from_the_environment(opened):
    _, what = refusal(opened, "url: '${env:URL}'")
    assert what == "connection erp: url is no secret, and only secrets are taken from the environment"


def test_wrong_settings_are_named_with_their_place(opened, monkeypatch):
    monkeypatch.setenv("ERP_TOKEN", "canary")
    place, what = refusal(opened, "url: u, retires: 5")
    assert (place, what) == ("reconciler.yaml:4:33", "connection erp: a fake connection has no field 'retires'")
    with pytest.raises(InvalidInput) as refused:
        opened("retries: many, token: '${env:ERP_TOKEN}'")
    assert [item.what for item in refused.value.diagnostics] == [
        "connection erp: url is missing",
        "connection erp: retries should be a whole number, not 'many'",
    ]
    assert "canary" not in repr(refused.value.diagnostics)


def test_an_unknown_provider_is_named_with_those_there_are(tmp_path):
    project = load_project(write(tmp_path, {}, ONE.replace("provider: ledger", "provider: legder")))
    with pytest.raises(ReconcilerError, match="no provider 'legder'") as refused:
        open_provider(project, "books", ManualClock())
    assert "'ledger'" in refused.value.hint

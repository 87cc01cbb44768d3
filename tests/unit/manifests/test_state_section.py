"""`state:` in reconciler.yaml: a SQLite file, or PostgreSQL with its URL in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kernel.errors import InvalidInput
from reconciler.project import StateConfig, load_project, secret_of

REST = "project: {id: 0b6f3c1e9d2a, name: acme}\nconnections: {books: {provider: ledger, path: books.sqlite}}\n"


def state_of(folder: Path, section: str) -> StateConfig:
    (folder / "reconciler.yaml").write_text(f"state: {section}\n{REST}")
    return load_project(folder).state


def test_postgres_by_the_name_of_a_variable(tmp_path: Path) -> None:
    found = state_of(tmp_path, "{backend: postgres, url: '${env:STATE_URL}'}")
    marker = tmp_path / "state" / "acme.postgres"
    assert found == StateConfig("postgres", marker, "STATE_URL", "reconciler_0b6f3c1e9d2a")


def test_a_schema_of_its_own_choice(tmp_path: Path) -> None:
    found = state_of(tmp_path, "{backend: postgres, url: '${env:STATE_URL}', schema: receivables}")
    assert found.schema == "receivables"


@pytest.mark.parametrize(
    ("section", "what"),
    [
        ("{backend: postgres, url: 'postgresql://u:hush@h/d'}", "state: url is a secret"),
        ("{backend: postgres}", "state: url is a secret"),
        (
            "{backend: postgres, url: '${env:U}', path: a.sqlite}",
            "state: path means nothing to the backend postgres",
        ),
        ("{backend: sqlite, url: '${env:U}'}", "state: url means nothing to the backend sqlite"),
        ("{schema: x}", "state: schema means nothing to the backend sqlite"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, section: str, what: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        state_of(tmp_path, section)
    (found,) = caught.value.diagnostics
    assert found.what.startswith(what)
    assert "hush" not in found.what + found.why + found.hint


def test_the_url_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = state_of(tmp_path, "{backend: postgres, url: '${env:STATE_URL}'}")
    monkeypatch.delenv("STATE_URL", raising=False)
    with pytest.raises(InvalidInput, match="needs the environment variable STATE_URL"):
        secret_of(found)
    monkeypatch.setenv("STATE_URL", "postgresql://u:p-8812@h/d")
    assert secret_of(found) == "postgresql://u:p-8812@h/d"

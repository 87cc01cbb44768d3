"""A new project is valid as it stands, has an id of its own, and overwrites nothing."""

from __future__ import annotations

import re

import pytest

from reconciler.kernel.errors import InvalidInput
from reconciler.project import load_project
from reconciler.workflows.initialising import init
from reconciler.workflows.validating import validate
from tests.unit.manifests.projects import write


def test_a_new_project_loads_and_declares_nothing_yet(tmp_path):
    made = init(tmp_path / "new", "acme-receivables")
    assert made.files == ("reconciler.yaml", "manifests/example.yaml", ".gitignore")
    project = load_project(tmp_path / "new")
    assert (project.id, project.name) == (made.id, "acme-receivables")
    assert re.fullmatch("[0-9a-f]{12}", made.id)
    assert project.connections["books"].settings == {"path": "state/books.sqlite"}
    assert project.state.path == tmp_path / "new" / "state" / "acme-receivables.sqlite"
    validated = validate(project)
    assert validated.counts == {}
    assert [item.code for item in validated.warnings] == ["nothing-declared"]
    assert "/state/" in (tmp_path / "new" / ".gitignore").read_text()


def test_the_example_manifest_is_valid_once_uncommented(tmp_path):
    init(tmp_path, "acme")
    example = tmp_path / "manifests" / "example.yaml"
    lines = example.read_text().splitlines()[1:]
    example.write_text("\n".join(line.removeprefix("# ") for line in lines))
    assert validate(load_project(tmp_path)).counts == {"customer": 1, "invoice": 1}


def test_two_projects_have_two_ids(tmp_path):
    assert init(tmp_path / "a", "x").id != init(tmp_path / "b", "x").id


def test_a_project_is_not_overwritten(tmp_path):
    write(tmp_path, {})
    before = (tmp_path / "reconciler.yaml").read_text()
    with pytest.raises(InvalidInput, match=r"there is a reconciler\.yaml"):
        init(tmp_path, "x")
    assert (tmp_path / "reconciler.yaml").read_text() == before


def test_what_is_there_is_kept(tmp_path):
    (tmp_path / "manifests").mkdir()
    (tmp_path / ".gitignore").write_text("mine\n")
    assert init(tmp_path, "x").files == ("reconciler.yaml",)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("name", ["", "a b", "../x", "-x", ".x", "a/b", "x" * 64, "a\n"])
def test_a_name_that_will_not_do(tmp_path, name):
    with pytest.raises(InvalidInput, match="will not do"):
        init(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_validating_counts_by_kind(tmp_path):
    text = "customers: {b: {name: B}, a: {name: A}}\naccounts: {'1': {name: X, type: income}}\n"
    assert validate(load_project(write(tmp_path, {"manifests/a.yaml": text}))).counts == {
        "account": 1,
        "customer": 2,
    }

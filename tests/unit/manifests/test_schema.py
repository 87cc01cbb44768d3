"""The JSON Schema accepts what is valid and refuses what is plainly not, as an editor would see it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from ruamel.yaml import YAML

from reconciler.resources.kinds import KINDS
from reconciler.workflows.schema import manifest_schema, project_schema
from tests.unit.manifests.case_files import FOLDER, read_case

EXAMPLES = Path(__file__).parents[3] / "examples"
MANIFEST = Draft202012Validator(manifest_schema(), format_checker=FormatChecker())
PROJECT = Draft202012Validator(project_schema())


def as_an_editor_reads(text: str) -> object:
    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value.isoformat() if isinstance(value, date) else value

    return plain(YAML(typ="safe", pure=True).load(text))


def complaints(validator: Draft202012Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(as_an_editor_reads(text))]


def test_the_schemas_are_schemas():
    Draft202012Validator.check_schema(manifest_schema())
    Draft202012Validator.check_schema(project_schema())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/manifests/**/*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_valid(path):
    assert complaints(MANIFEST, path.read_text()) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/reconciler.yaml")), ids=lambda path: path.parent.name)
def test_the_examples_projects_are_valid(path):
    assert complaints(PROJECT, path.read_text()) == []


SEEN_BY_SCHEMA = """
    unknown-field unknown-nested-field unknown-section singular-section missing-fields wrong-types literals
    section-is-a-list resource-is-text null-in-a-required-field empty-text too-long lifecycle negative-and-zero
    lists-that-are-none a-list-at-the-top
"""


@pytest.mark.parametrize("name", SEEN_BY_SCHEMA.split())
def test_what_a_schema_can_see_is_refused_by_it_too(name):
    ((_, _, _, text),) = read_case(FOLDER / f"{name}.case").files
    assert complaints(MANIFEST, text)


@pytest.mark.parametrize("name", ["project-fields", "project-connections", "project-policies"])
def test_a_bad_project_file_is_refused_by_its_schema(name):
    ((_, _, _, text),) = read_case(FOLDER / f"{name}.case").files
    assert complaints(PROJECT, text)


def test_every_kind_and_field_is_described():
    schema = manifest_schema()
    assert schema["additionalProperties"] is False
    for name, kind in KINDS.items():
        content = schema["$defs"][name]
        assert schema["properties"][kind.plural]["additionalProperties"] == {"$ref": f"#/$defs/{name}"}
        assert set(content["properties"]) == {*kind.content_type.__annotations__, "connection", "lifecycle"}
        assert content["additionalProperties"] is False
        assert content["description"] == " ".join(kind.content_type.__doc__.split()) or content["description"]

"""JSON Schema (draft 2020-12) of manifests and of `reconciler.yaml`, for editors.

Editors see YAML's own types where we see text, so a number may stand where a text is meant.
What needs more than one field (arithmetic, references) is for `validate`.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from reconciler.manifests.file_reading import REFUSE
from reconciler.manifests.sections import ENTRY_TYPES
from reconciler.project import ProjectFile
from reconciler.providers.capabilities import Remedy
from reconciler.resources.kinds import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REMEDY = {"enum": [remedy.value for remedy in Remedy]}
_CONNECTION = {"type": "string", "description": "The connection this belongs to; needed where there are several."}
_LIFECYCLE = {
    "type": "object",
    "description": "What may be done when something posted is changed here.",
    "properties": {
        "on_change": {
            "description": "The remedies that are permitted; refuse permits none.",
            "anyOf": [{"const": REFUSE}, _REMEDY, {"type": "array", "items": _REMEDY}],
        }
    },
    "required": ["on_change"],
    "additionalProperties": False,
}
_NAMES = {"minLength": 1, "maxLength": 120}


def manifest_schema() -> dict[str, Any]:
    """The schema of one manifest file."""
    adapters: list[tuple[str, Any, TypeAdapter[Any]]] = [
        (name, "validation", kind.adapter) for name, kind in KINDS.items()
    ]
    adapters += [(name, "validation", TypeAdapter(entry)) for name, entry in ENTRY_TYPES.items()]
    schemas, definitions = TypeAdapter.json_schemas(adapters)
    found: dict[str, Any] = dict(definitions.get("$defs", {}))
    properties: dict[str, Any] = {"connection": _CONNECTION}
    for name, kind in KINDS.items():
        content = _resolved(schemas[name, "validation"], found)
        content["properties"] = {**content["properties"], "connection": _CONNECTION, "lifecycle": _LIFECYCLE}
        found[name] = content
        properties[kind.plural] = {
            "description": content.get("description", ""),
            "type": ["object", "null"],
            "propertyNames": _NAMES,
            "additionalProperties": {"$ref": f"#/$defs/{name}"},
        }
    for name in ENTRY_TYPES:
        found[name] = _resolved(schemas[name, "validation"], found)
        properties[name] = {"type": ["array", "null"], "items": {"$ref": f"#/$defs/{name}"}}
    return {
        "$schema": DIALECT,
        "title": "reconciler manifest",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
        "$defs": {name: _for_editors(schema) for name, schema in sorted(found.items())},
    }


def project_schema() -> dict[str, Any]:
    """The schema of `reconciler.yaml`."""
    schema: dict[str, Any] = _for_editors(TypeAdapter(ProjectFile).json_schema())
    return {"$schema": DIALECT, "title": "reconciler project", **schema}


def _resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A copy of the schema, taken out of the definitions when it is only a reference to one."""
    reference = schema.get("$ref")
    if reference is None:
        return dict(schema)
    return dict(definitions.pop(str(reference).rsplit("/", 1)[-1]))


def _for_editors(node: Any) -> Any:
    """Without generated titles; and with numbers allowed where text is: `postal_code: 10012` is text to us."""
    if isinstance(node, list):
        return [_for_editors(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _for_editors(value) for key, value in node.items() if key != "title" or not isinstance(value, str)}
    if kept.get("type") == "string" and not {"enum", "const", "format", "pattern"} & kept.keys():
        kept["type"] = ["string", "number"]
    return kept

"""Checks messages against the vendor's own OpenAPI documents, where they are beside the repository."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parents[3].parent / "shared" / "specs" / "codat"
FILES = (
    "read-models-2026-06.ar.openapi.json",
    "accounting-2023-04-26.ar.openapi.json",
    "platform-2026-06.openapi.yaml",
)
JSON = "application~1json"
ABSENT = "the vendor's OpenAPI documents are not beside this repository (../shared/specs/codat)"


def available() -> bool:
    return all((FOLDER / name).is_file() for name in FILES)


PUSHED = ("accounts", "bankAccounts", "creditNotes", "customers", "invoices", "items", "payments")


def pushed_examples(name: str) -> list[tuple[str, Any]]:
    """The examples of bodies that are pushed: the path's data type, and the body."""
    found = []
    for path, item in _read(name)["paths"].items():
        segment = path.partition("/push/")[2].split("/")[0]
        for method in ("post", "put"):
            content = item.get(method, {}).get("requestBody", {}).get("content", {}).get("application/json", {})
            examples = [example["value"] for example in (content.get("examples") or {}).values()]
            found += [(segment, example) for example in examples if segment in PUSHED]
    return found


@lru_cache(maxsize=8)
def document(name: str) -> dict[str, Any]:
    """One OpenAPI document, `nullable` said in JSON Schema's way, its slips mended."""
    made: dict[str, Any] = _nullable(_read(name))
    if methods := made.get("components", {}).get("schemas", {}).get("PaymentMethods"):
        # The document says that a page of payment methods holds bills.
        methods["allOf"][0]["properties"]["results"]["items"]["$ref"] = "#/components/schemas/PaymentMethod"
    return made


def _read(name: str) -> dict[str, Any]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    if name.endswith(".json"):
        parsed: dict[str, Any] = json.loads(text)
        return parsed
    import yaml

    return yaml.load(text, Loader=yaml.CSafeLoader)


def _nullable(value: Any, names: bool = False) -> Any:
    """`names`: the keys are names of properties, not words of a schema."""
    if isinstance(value, list):
        return [_nullable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if names:
        return {key: _nullable(item) for key, item in value.items()}
    words = {key: item for key, item in value.items() if key not in ("example", "examples", "nullable")}
    made = {key: _nullable(item, names=key in ("properties", "definitions")) for key, item in words.items()}
    if isinstance(made.get("type"), dict) and "enum" in made["type"]:
        return made["type"]  # the document wraps a type in another
    if value.get("nullable") is not True:
        return made
    # In place, so that pointers into what is nullable stay as they are.
    if "$ref" in made:
        return {"anyOf": [{"$ref": made["$ref"]}, {"type": "null"}]}
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


@lru_cache(maxsize=64)
def _validator(name: str, pointer: str) -> Draft202012Validator:
    """A validator of what a pointer names, with every reference from there on drawn together."""
    keys: dict[str, str] = {}
    drawn: dict[str, Any] = {}

    def draw(reference: str) -> str:
        if reference not in keys:
            keys[reference] = key = str(len(keys))
            drawn[key] = rewrite(_resolve(name, {"$ref": reference}))
        return f"#/$defs/{keys[reference]}"

    def rewrite(value: Any) -> Any:
        if isinstance(value, list):
            return [rewrite(item) for item in value]
        if not isinstance(value, dict):
            return value
        if isinstance(value.get("$ref"), str):
            return {"$ref": draw(value["$ref"])}
        return {key: rewrite(item) for key, item in value.items() if key != "definitions"}

    return Draft202012Validator({"$ref": draw(f"#{pointer}"), "$defs": drawn})


def _escaped(text: str) -> str:
    return text.replace("~", "~0").replace("/", "~1")


def _operation(name: str, method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    best = None
    for template, item in document(name)["paths"].items():
        pattern = re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(template))
        if (
            method in item
            and re.fullmatch(pattern, path)
            and (best is None or template.count("{") < best[0].count("{"))
        ):
            best = (template, item[method])
    return best


def problems_of(response: httpx.Response) -> list[str]:
    """What the vendor's schema says against a response; keys it does not declare count too."""
    if response.status_code >= 400:
        return _against(FILES[0], "/components/schemas/ErrorMessage", response.json())
    method, path = response.request.method.lower(), response.request.url.path
    for name in FILES:
        found = _operation(name, method, path)
        if found is None:
            continue
        template, operation = found
        declared = operation["responses"].get(str(response.status_code))
        if declared is None:
            return [f"{method} {template}: status {response.status_code} is not declared"]
        if "application/json" not in declared.get("content", {}):
            return []
        pointer = "/".join(
            [
                "",
                "paths",
                _escaped(template),
                method,
                "responses",
                str(response.status_code),
                "content",
                JSON,
                "schema",
            ]
        )
        return _against(name, pointer, response.json())
    return [f"no document declares {method} {path}"]


def request_problems(request: httpx.Request) -> list[str]:
    """What the vendor's schema says against a request's JSON body."""
    method, path = request.method.lower(), request.url.path
    for name in FILES:
        found = _operation(name, method, path)
        if found is None or "application/json" not in found[1].get("requestBody", {}).get("content", {}):
            continue
        pointer = "/".join(
            [
                "",
                "paths",
                _escaped(found[0]),
                method,
                "requestBody",
                "content",
                _escaped("application/json"),
                "schema",
            ]
        )
        return _against(name, pointer, json.loads(request.content))
    return []


def _against(name: str, pointer: str, value: Any) -> list[str]:
    errors = sorted(_validator(name, pointer).iter_errors(value), key=lambda error: list(error.absolute_path))
    found = [f"{'.'.join(str(step) for step in error.absolute_path)}: {error.message[:200]}" for error in errors]
    return found + _undeclared(name, {"$ref": f"#{pointer}"}, value, "")


def _resolve(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        value: Any = document(name)
        for step in schema["$ref"].removeprefix("#/").split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            value = value[int(step)] if isinstance(value, list) else value[step]
        schema = value
    return schema


def _branches(name: str, schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema and all it is made of."""
    schema = _resolve(name, schema)
    found = [schema]
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            found += _branches(name, part)
    return found


def _undeclared(name: str, schema: dict[str, Any], value: Any, place: str) -> list[str]:
    branches = _branches(name, schema)
    if isinstance(value, list):
        items = [branch["items"] for branch in branches if "items" in branch]
        return [
            problem
            for index, item in enumerate(value)
            for problem in (_undeclared(name, items[0], item, f"{place}.{index}") if items else [])
        ]
    properties: dict[str, Any] = {}
    for branch in branches:
        properties.update(branch.get("properties", {}))
    if not isinstance(value, dict) or not properties:
        return []
    if any(branch.get("additionalProperties") not in (None, False) for branch in branches):
        return []
    found = [f"{place}.{key} is not declared" for key in value if key not in properties]
    for key, item in value.items():
        if key in properties:
            found += _undeclared(name, properties[key], item, f"{place}.{key}")
    return found

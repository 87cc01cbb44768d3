"""Every case of `tests/cases/bad_plan` is refused with exactly its message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.canonical import canonical_json, digest_text
from reconciler.kernel.errors import ExitCode, PlanRefused
from reconciler.plan_file import plan_document, plan_text, read_plan
from tests.unit.sample_plans import mixed_plan

CASES = sorted((Path(__file__).parents[2] / "cases" / "bad_plan").glob("*.json"))


def holder(document: Any, path: str) -> tuple[Any, Any]:
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        document = document[part]
    return document, last


def spoilt(case: dict[str, Any]) -> str:
    if "raw" in case:
        return case["raw"]
    if "nested" in case:
        return '{"a":' + "[" * case["nested"] + "}\n"
    document = plan_document(mixed_plan())
    for path, value in case.get("set", ()):
        parent, last = holder(document, path)
        parent[last] = value
    for path in case.get("remove", ()):
        parent, last = holder(document, path)
        del parent[last]
    if case.get("reseal") == "yes":
        document["reconciler"]["digest"] = ""
        document["reconciler"]["digest"] = digest_text(canonical_json(document))
    text = canonical_json(document) + "\n"
    if "replace" in case:
        assert case["replace"][0] in text
        text = text.replace(*case["replace"], 1)
    if case.get("reseal") == "text":
        mark = '"reconciler":{"digest":"'
        start = text.index(mark) + len(mark)
        bare = text[:start] + text[start + 64 :]
        text = text[:start] + digest_text(bare[:-1]) + text[start + 64 :]
    return text[: len(text) - case.get("cut", 0)]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_bad_plan_is_refused_with_its_message(path, tmp_path):
    case = json.loads(path.read_text())
    file = tmp_path / "a.plan"
    file.write_text(spoilt(case))
    with pytest.raises(PlanRefused) as caught:
        read_plan(file)
    assert str(caught.value).replace(str(file), "FILE").split("\n") == case["expect"]
    assert caught.value.exit_code is ExitCode.PLAN_REFUSED


def test_there_are_cases_and_the_unspoilt_plan_is_accepted(tmp_path):
    assert len(CASES) >= 12
    file = tmp_path / "a.plan"
    file.write_text(plan_text(mixed_plan()) + "\n")
    assert read_plan(file) == mixed_plan()

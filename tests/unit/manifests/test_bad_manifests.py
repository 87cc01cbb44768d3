"""Every case of `tests/cases/bad_manifest` is refused with exactly its messages."""

from __future__ import annotations

import os

import pytest

from tests.unit.manifests.case_files import FOLDER, read_case

CASES = sorted(FOLDER.glob("*.case"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_bad_manifest_is_refused_with_its_messages(path, tmp_path):
    case = read_case(path)
    case.lay_out(tmp_path)
    actual = case.run(tmp_path)
    if os.environ.get("ACCEPT"):
        case.accept(actual)
    else:
        assert actual == case.expected


def test_there_are_cases():
    assert len(CASES) >= 80

"""Variables: where their values come from, and which goes before which."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.variables import VAR, VAR_FILE, Given, with_variables
from reconciler.project import Project, load_project
from tests.unit.manifests.projects import write

PROJECT = """
    project: {id: 0b6f3c1e9d2a, name: tests}
    connections:
      books: {provider: ledger, path: state/books.sqlite}
    variables: {month: "2026-11", customers: null}
"""


def project(root: Path, **files: str) -> Project:
    return load_project(write(root, {f"{name}.yaml": text for name, text in files.items()}, PROJECT))


def test_later_goes_before_earlier(tmp_path):
    found = project(tmp_path, one="month: 2026-02\n", two="month: 012\ncustomers: [{code: NO, price: 1.10}]\n")
    environment = {"RECONCILER_VAR_month": "2026-01", "RECONCILER_VAR_else": "x"}
    assert with_variables(found, [], {}).variables == {"month": "2026-11", "customers": None}
    assert with_variables(found, [], environment).variables["month"] == "2026-01"
    given = [Given(VAR_FILE, "one.yaml"), Given(VAR, "month=2026-03=x")]
    assert with_variables(found, given, environment).variables["month"] == "2026-03=x"
    assert with_variables(found, given[::-1], environment).variables["month"] == "2026-02"
    assert with_variables(found, [Given(VAR_FILE, "two.yaml")], environment).variables == {
        "month": "012",
        "customers": [{"code": "NO", "price": "1.10"}],
    }


@pytest.mark.parametrize(
    ("given", "what", "hint"),
    [
        (Given(VAR, "mont=1"), "there is no variable 'mont'", "Did you mean 'month'?"),
        (Given(VAR, "zzz=1"), "there is no variable 'zzz'", "There are: customers, month."),
        (Given(VAR, "month"), "--var 'month' sets no value", "Write it as --var month=2026-11"),
        (Given(VAR_FILE, "none.yaml"), "there is no variables file none.yaml", ""),
        (Given(VAR_FILE, "bad.yaml"), "the variables file bad.yaml cannot be used", ""),
        (Given(VAR_FILE, "strange.yaml"), "there is no variable 'months'", "Did you mean 'month'?"),
        (Given(VAR_FILE, "manifests"), "--var-file manifests: this is not a regular file", ""),
    ],
)
def test_what_cannot_be_set_is_said(given, what, hint, tmp_path):
    found = project(tmp_path, bad="month: [\n", strange="months: x\n")
    (tmp_path / "manifests").mkdir()
    with pytest.raises(InvalidInput) as caught:
        with_variables(found, [given], {})
    assert (caught.value.what, caught.value.hint) == (what, hint)

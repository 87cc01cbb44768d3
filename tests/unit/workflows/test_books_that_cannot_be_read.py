"""Books that do not answer are told as such, whatever was asked of them first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.kernel.errors import ReconcilerError
from reconciler.observe import company_of
from reconciler.project import load_project
from reconciler.providers.errors import Unavailable


class Silent:
    def company(self) -> Any:
        raise Unavailable("nobody answers")


def test_a_company_that_cannot_be_read_is_an_error_for_people(tmp_path: Path):
    (tmp_path / "reconciler.yaml").write_text(
        "project: {id: 0b6f3c1e9d2a, name: silent}\nconnections:\n  books: {provider: ledger, path: books.sqlite}\n"
    )
    silent: Any = Silent()
    with pytest.raises(ReconcilerError, match="'books' could not be read") as caught:
        company_of(load_project(tmp_path), "books", silent)
    assert caught.value.why == "nobody answers"

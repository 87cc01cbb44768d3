"""Small projects in a folder, for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.loading import Loaded, load_declaration
from reconciler.project import load_project

ONE = """
    project: {id: 0b6f3c1e9d2a, name: tests}
    connections:
      books: {provider: ledger, path: state/books.sqlite}
"""
TWO = """
    project: {id: 0b6f3c1e9d2a, name: tests}
    connections:
      books: {provider: ledger, path: a.sqlite, default: true}
      more: {provider: ledger, path: b.sqlite}
"""


def write(root: Path, files: dict[str, str], project: str = ONE) -> Path:
    (root / "reconciler.yaml").write_text(dedent(project))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return root


def load(root: Path, files: dict[str, str], project: str = ONE) -> Loaded:
    return load_declaration(load_project(write(root, files, project)))


def complaints(root: Path, files: dict[str, str], project: str = ONE) -> list[str]:
    """The codes and places of what is wrong, in order; empty when nothing is."""
    try:
        load(root, files, project)
    except InvalidInput as error:
        return [f"{item.code} {item.source}" for item in error.diagnostics]
    return []

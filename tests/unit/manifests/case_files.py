"""Reads and lays out a case of `tests/cases/bad_manifest`; README.md there says what a case may hold."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from reconciler.kernel.diagnostics import Diagnostic
from reconciler.kernel.errors import InvalidInput
from reconciler.manifests.loading import load_declaration
from reconciler.project import load_project

FOLDER = Path(__file__).parents[2] / "cases" / "bad_manifest"
PROJECT = """\
project: {id: 0b6f3c1e9d2a, name: cases}
connections:
  books: {provider: ledger, path: state/books.sqlite, tax_rounding: line, rounding: half_up}
"""
_HEADER = re.compile(r"^=== (\S+)(?: (\w+))?(?: (.+))?$", re.MULTILINE)
_EXPECTED = "expected"


@dataclass(frozen=True)
class Case:
    path: Path
    files: list[tuple[str, str, str, str]]
    """(file, directive, its argument, text)"""
    expected: str

    def lay_out(self, root: Path) -> None:
        (root / "reconciler.yaml").write_text(PROJECT)
        for name, directive, argument, text in self.files:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if directive == "":
                path.write_text(text, encoding="utf-8")
            elif directive == "escaped":
                path.write_bytes(text.rstrip("\n").encode("latin-1").decode("unicode_escape").encode("latin-1"))
            elif directive == "repeat":
                path.write_text("\n".join([text.rstrip("\n")] * int(argument)) + "\n")
            elif directive == "repeat_inline":
                path.write_text(text.rstrip("\n") * int(argument))
            elif directive == "symlink":
                path.symlink_to(argument)
            elif directive == "fifo":
                os.mkfifo(path)
            elif directive == "missing":
                path.unlink()
            else:
                raise AssertionError(f"{self.path.name}: no directive {directive!r}")

    def run(self, root: Path) -> str:
        """What loading the project says, in the form of the expected text."""
        try:
            load_declaration(load_project(root))
        except InvalidInput as error:
            lines = "".join(_text(item) for item in error.diagnostics)
            return lines or f"{str(error).replace(str(root), 'ROOT')}\n"
        return "nothing was refused\n"

    def accept(self, actual: str) -> None:
        text = self.path.read_text(encoding="utf-8")
        head = text[: text.index("=== expected")]
        self.path.write_text(f"{head}=== expected\n{actual}", encoding="utf-8")


def read_case(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    files, expected = [], ""
    headers = list(_HEADER.finditer(text))
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        body = text[header.end() + 1 : following.start() if following else len(text)]
        name, directive, argument = header.group(1), header.group(2) or "", header.group(3) or ""
        if name == _EXPECTED:
            expected = body
        else:
            files.append((name, directive, argument, body))
    return Case(path, files, expected)


def _text(item: Diagnostic) -> str:
    address = f" {item.address.label('books')}" if item.address else ""
    lines = [f"{item.source} {item.severity} [{item.code}]{address}: {item.what}"]
    lines += [f"  why: {item.why}"] if item.why else []
    lines += [f"  hint: {item.hint}"] if item.hint else []
    lines += [f"  see: {item.related}"] if item.related else []
    return "\n".join(lines) + "\n"

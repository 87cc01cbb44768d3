"""Make a project: its id, its `reconciler.yaml`, a first manifest. It overwrites nothing."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from reconciler.kernel.errors import InvalidInput
from reconciler.project import PROJECT_FILE, is_project_name

_PROJECT = """\
# What this project is, where its state lives, and the books it writes to.

# The id marks every document we make in the ERP, so that it is recognised for ever. Never change it.
project: {{id: {id}, name: {name}}}

# What was applied is remembered here. Keep it on a persistent disk, and never commit it.
state: {{backend: sqlite, path: state/{name}.sqlite}}

connections:
  # The embedded double-entry ledger: one file, made at the first apply.
  books: {{provider: ledger, path: state/books.sqlite}}

# One apply may not raise what customers owe by more than this, per currency.
# policies: {{max_new_receivables: {{USD: 250000.00}}, credit_limit: refuse}}
"""

_MANIFEST = """\
# Everything in manifests/**/*.yaml is one declaration. Take the '#' away, then: reconciler plan

# customers:
#   acme:
#     name: Acme Corporation
#     email: ap@acme.example
#     currency: USD

# invoices:
#   INV-1001:                     # the name; also the invoice's number, unless `number:` says otherwise
#     customer: acme
#     issue_date: 2026-11-10
#     due_date: 2026-12-10
#     lines:
#       - {description: November services, account: "4010", quantity: 1, unit_price: 2373.45}
"""

_IGNORE = """\
# State and books are kept on a persistent disk, not in Git.
/state/
"""


@dataclass(frozen=True, slots=True)
class Initialised:
    """A new project: its id, and the files that were written, relative to its folder."""

    id: str
    name: str
    files: tuple[str, ...]


def init(root: Path, name: str) -> Initialised:
    """Write a new project into `root`. Raises InvalidInput when there is one, or the name will not do."""
    if not is_project_name(name):
        raise InvalidInput(
            f"{name[:80]!r} will not do as a project's name",
            hint="Use letters, digits, '-', '_' and '.', such as acme-receivables.",
        )
    if os.path.lexists(root / PROJECT_FILE):
        raise InvalidInput(
            f"there is a {PROJECT_FILE} in {root} already",
            why="its project id marks documents in the ERP, and must not be lost",
        )
    identity = secrets.token_hex(6)
    root.mkdir(parents=True, exist_ok=True)
    written = [_write(root, PROJECT_FILE, _PROJECT.format(id=identity, name=name))]
    manifests = root / "manifests"
    if not manifests.exists():
        manifests.mkdir()
        written.append(_write(root, "manifests/example.yaml", _MANIFEST))
    if not os.path.lexists(root / ".gitignore"):
        written.append(_write(root, ".gitignore", _IGNORE))
    return Initialised(identity, name, tuple(written))


def _write(root: Path, relative: str, text: str) -> str:
    with open(root / relative, "x", encoding="utf-8") as handle:
        handle.write(text)
    return relative

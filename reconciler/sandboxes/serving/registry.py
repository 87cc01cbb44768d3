"""Sandboxes by name: the house's own, and those of the entry point group `reconciler.sandboxes`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import ReconcilerError
from reconciler.sandboxes.serving.vendor import Sandbox

GROUP = "reconciler.sandboxes"
MODULES = {
    "accountsiq": "reconciler.sandboxes.accountsiq",
    "alloy": "reconciler.sandboxes.alloy",
    "codat": "reconciler.sandboxes.codat",
    "intacct": "reconciler.sandboxes.intacct",
    "rutter": "reconciler.sandboxes.rutter",
}
"""Packages whose attribute `SANDBOX` is the sandbox."""


def sandbox_names() -> list[str]:
    return sorted({*MODULES, *(entry.name for entry in entry_points(group=GROUP))})


def load_sandbox(name: str) -> Sandbox:
    """The sandbox of this name. Raises ReconcilerError when there is none."""
    if name in MODULES:
        ours: Sandbox = import_module(MODULES[name]).SANDBOX
        return ours
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            other: Sandbox = entry.load()
            return other
    known = sandbox_names()
    raise ReconcilerError(
        f"there is no sandbox {name!r}", why=f"there are: {', '.join(known)}", hint=nearest(name, known)
    )

"""`reconciler init`."""

from __future__ import annotations

import re

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.kernel.plain import printable
from reconciler.workflows.initialising import init


@click.command("init")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def command(invocation: Invocation, name: str | None) -> None:
    """Make a project in this folder (or that of --chdir), called NAME: by default the folder's name.

    Its id is minted here and marks every document we make in the ERP: commit reconciler.yaml, keep it for
    ever. Nothing that exists is overwritten.

    \b
    Examples:
      reconciler init
      reconciler --chdir receivables init acme-receivables
    """
    made = init(invocation.root, name or _name_for(invocation))
    if invocation.json:
        invocation.print_json({"id": made.id, "name": made.name, "files": list(made.files)})
        return
    lines = [f"Made the project {made.name} (id {made.id}):", *(f"  {printable(file)}" for file in made.files)]
    lines += ["", "Next: declare something in manifests/, then: reconciler plan"]
    invocation.print("\n".join(lines) + "\n")


def _name_for(invocation: Invocation) -> str:
    """A name made of the folder's."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", invocation.root.name).strip("-.")[:63]
    return plain or "receivables"

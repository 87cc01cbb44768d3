"""`reconciler validate`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, variable_options
from reconciler.cli.sessions import project_for, say_warnings
from reconciler.render.counting import counted
from reconciler.render.errors import diagnostic_document
from reconciler.resources.kinds import KINDS
from reconciler.workflows.validating import validate


@click.command("validate")
@variable_options
@json_option
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Check reconciler.yaml and every manifest: schema, references, arithmetic. Looks into no books.

    Every error of a run comes together, each with file, line, column and what to do.

    \b
    Examples:
      reconciler validate
      reconciler validate --json
      reconciler validate --var month=2026-11
    """
    found = validate(project_for(invocation))
    if invocation.json:
        warnings = [diagnostic_document(item) for item in found.warnings]
        invocation.print_json({"valid": True, "resources": found.counts, "diagnostics": warnings})
        return
    say_warnings(invocation, found.warnings)
    kinds = ", ".join(counted(count, kind, KINDS[kind].plural) for kind, count in found.counts.items())
    invocation.print(f"The manifests are valid: {kinds.replace('_', ' ') or 'nothing is declared yet'}.\n")

"""`reconciler verify`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, variable_options
from reconciler.cli.sessions import declaration_of, session_for
from reconciler.kernel.errors import ExitCode
from reconciler.render.verification import verification_document, verification_text
from reconciler.workflows.planning import PlanRequest, plan


@click.command("verify")
@variable_options
@json_option
@click.pass_obj
def command(invocation: Invocation) -> int:
    """Read back everything reconciler wrote and compare it with what was recorded. Writes nothing.

    Exit code 1 when a record moved, vanished or was voided since; 0 when all is as it was left. (`apply` does
    this for what it has just written.)

    \b
    Example:
      reconciler verify --json
    """
    with session_for(invocation) as session:
        found = plan(session, declaration_of(invocation, session), PlanRequest(refresh="all", refresh_only=True))
        known = len(session.store.view().documents)
    if invocation.json:
        invocation.print_json(verification_document(found, known))
    else:
        invocation.print(verification_text(found, known, invocation.style()))
    return int(ExitCode.ERROR if found.drift else ExitCode.OK)

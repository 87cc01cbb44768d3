"""`reconciler history [verify]`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.cli.sessions import session_for
from reconciler.kernel.errors import ExitCode
from reconciler.render.state_json import history_document, verification_document
from reconciler.render.state_text import history_text, verification_text
from reconciler.workflows import stating


@click.command("history")
@click.argument("action", required=False, type=click.Choice(["verify"]))
@json_option
@click.pass_obj
def command(invocation: Invocation, action: str | None) -> int:
    """List every run and step ever recorded, oldest first; or `verify` that no entry was altered.

    Each entry carries the hash of the one before it. `verify` recomputes the chain and exits with 1 when it
    does not hold.

    \b
    Examples:
      reconciler history
      reconciler history verify
    """
    with session_for(invocation) as session:
        if action == "verify":
            found = stating.verify(session.store)
            if invocation.json:
                invocation.print_json(verification_document(found))
            else:
                invocation.print(verification_text(found, invocation.style()))
            return int(ExitCode.ERROR if found.problems else ExitCode.OK)
        entries = stating.history_entries(session.store)
    if invocation.json:
        invocation.print_json(history_document(entries))
    else:
        invocation.print(history_text(entries, invocation.style()))
    return int(ExitCode.OK)

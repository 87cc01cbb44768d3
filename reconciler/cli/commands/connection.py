"""`reconciler connection check [NAME]...`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.kernel.errors import ExitCode
from reconciler.project import load_project
from reconciler.render.connection_checks import checks_document, connection_text
from reconciler.render.diagnostics_text import lines_under
from reconciler.workflows.checking_connections import check_connections


@click.group("connection")
def command() -> None:
    """Look after the connections in reconciler.yaml.

    \b
    Example:
      reconciler connection check
    """


@command.command("check")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@json_option
@click.pass_obj
def check_command(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Try each connection, or those named: connect, log in, and print the company that answers. Writes nothing.

    Do this after filling in a connection, and look at the company: a plan for the right manifests and the wrong
    books is a wrong plan. Exit code 1 when a connection fails, with the reason.

    Secrets are settings written as ${env:NAME}. To see each request: --log-http FILE before the command.

    \b
    Examples:
      reconciler connection check
      reconciler connection check books --json
      reconciler --log-http http.log connection check books
    """
    project = load_project(invocation.root)
    checks = []
    for checked in check_connections(project, names, invocation.clock):
        checks.append(checked)
        if not invocation.json:
            line_of = lines_under(invocation.root)
            invocation.print(connection_text(checked, invocation.style(), line_of=line_of))
    if invocation.json:
        invocation.print_json(checks_document(checks))
    return int(ExitCode.OK if all(checked.ok for checked in checks) else ExitCode.ERROR)

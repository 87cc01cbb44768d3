"""`reconciler state list|show|export`; what changes the state is in `state_changes`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.commands.state_changes import import_command, migrate_command, mv_command, rm_command
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, read_address
from reconciler.cli.sessions import session_for
from reconciler.cli.writing import write_private
from reconciler.kernel.errors import InvalidInput
from reconciler.render.state_json import address_document, bindings_document
from reconciler.render.state_text import address_text, bindings_text
from reconciler.workflows import stating


@click.group("state")
def command() -> None:
    """Look into what reconciler remembers, or tend it: which document of the books belongs to which address.

    \b
    Examples:
      reconciler state list --kind invoice
      reconciler state show invoice.INV-7452
      reconciler state export state.json
      reconciler state mv invoice.INV-7452 invoice.INV-7452-A
      reconciler state migrate --to postgres:RECONCILER_STATE_URL
    """


for change in (mv_command, rm_command, import_command, migrate_command):
    command.add_command(change)


@command.command("list")
@click.option("--kind", metavar="KIND", help="Only this kind, e.g. invoice.")
@click.option("--connection", metavar="NAME", help="Only this connection.")
@json_option
@click.pass_obj
def list_command(invocation: Invocation, kind: str | None, connection: str | None) -> None:
    """List every address that is bound, with its number, phase and ERP id.

    \b
    Example:
      reconciler state list --kind invoice --json
    """
    with session_for(invocation) as session:
        rows = stating.list_bindings(session.store, connection=connection, kind=kind)
    if invocation.json:
        invocation.print_json(bindings_document(rows))
    else:
        invocation.print(bindings_text(rows, invocation.connection, invocation.style()))


@command.command("show")
@click.argument("address")
@json_option
@click.pass_obj
def show_command(invocation: Invocation, address: str) -> None:
    """Show one ADDRESS: its chain of documents, allocations, and what is under way.

    \b
    Example:
      reconciler state show invoice.INV-7452
    """
    with session_for(invocation) as session:
        found = stating.show(session.store, read_address(address, invocation.connection))
    if invocation.json:
        invocation.print_json(address_document(found))
    else:
        invocation.print(address_text(found, invocation.connection, invocation.style()))


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The same as FILE.")
@click.pass_obj
def export_command(invocation: Invocation, file: Path | None, out: Path | None) -> None:
    """Export the whole state as canonical JSON, with its digest, to FILE (mode 0600) or stdout.

    Equal states give equal files, whatever the backend; `state import` puts one back. It holds no secrets, but
    what customers owe.

    \b
    Example:
      reconciler state export state.json
    """
    if file is not None and out is not None:
        raise InvalidInput("FILE and --out name two files", hint="Give one of them.")
    out = file or out
    with session_for(invocation) as session:
        text = stating.export(session.store) + "\n"
    if out is None:
        invocation.print(text)
    else:
        write_private(text, invocation.root / out)

"""`reconciler state mv|rm|import|migrate`: what changes the state and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, read_address
from reconciler.cli.sessions import session_for
from reconciler.kernel.errors import InvalidInput
from reconciler.project import Project, StateConfig, postgres_state
from reconciler.render import tending_json, tending_text
from reconciler.workflows import tending
from reconciler.workflows.migrating_state import migrate_state
from reconciler.workflows.portable import read_portable

dry_run_option = click.option("--dry-run", is_flag=True, help="Check and say what would be done; write nothing.")


@click.command("mv")
@click.argument("origin", metavar="FROM")
@click.argument("destination", metavar="TO")
@dry_run_option
@json_option
@click.pass_obj
def mv_command(invocation: Invocation, origin: str, destination: str, dry_run: bool) -> None:
    """Rename an address: what FROM is bound to is bound to TO. The books are not touched.

    The reviewed way is `moved:` in the manifests. This one is for when that is too late or in the way.

    \b
    Example:
      reconciler state mv invoice.INV-7452 invoice.INV-7452-A
    """
    with session_for(invocation) as session:
        connection = invocation.connection
        addresses = read_address(origin, connection), read_address(destination, connection)
        done = tending.move(session.store, session.clock, *addresses, dry_run=dry_run)
    if invocation.json:
        invocation.print_json(tending_json.moved_document(done, dry_run=dry_run))
    else:
        invocation.print(tending_text.moved_text(done, connection, invocation.style(), dry_run=dry_run))


@click.command("rm")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@dry_run_option
@json_option
@click.pass_obj
def rm_command(invocation: Invocation, addresses: tuple[str, ...], dry_run: bool) -> None:
    """Forget addresses: reconciler no longer knows what they name. The books are not touched.

    The reviewed way is `removed:` with `action: forget` in the manifests.

    \b
    Example:
      reconciler state rm invoice.INV-7452 payment.PMT-2001 --dry-run
    """
    with session_for(invocation) as session:
        wanted = [read_address(address, invocation.connection) for address in addresses]
        done = tending.forget(session.store, session.clock, wanted, dry_run=dry_run)
    if invocation.json:
        invocation.print_json(tending_json.forgotten_document(done, dry_run=dry_run))
    else:
        style = invocation.style()
        invocation.print(tending_text.forgotten_text(done, invocation.connection, style, dry_run=dry_run))


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in place of a state that is not empty; a copy is kept.")
@dry_run_option
@json_option
@click.pass_obj
def import_command(invocation: Invocation, file: Path, replace: bool, dry_run: bool) -> None:
    """Put back a state that `state export` wrote to FILE. A new epoch begins.

    The file is refused when a byte of it was changed, or when it is another project's. To bind one document of
    the books to an address, declare it under `adopt:`; to read whole books into manifests: reconciler import.

    \b
    Example:
      reconciler state export state.json
      reconciler state import state.json --dry-run
    """
    path = invocation.root / file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path}", why=getattr(error, "strerror", "") or "it is not text") from None
    portable = read_portable(text.removesuffix("\n"))
    with session_for(invocation) as session:
        identity = session.project.id
        done = tending.restore(session.store, session.clock, portable, identity, replace=replace, dry_run=dry_run)
    if invocation.json:
        invocation.print_json(tending_json.restored_document(done, dry_run=dry_run))
    else:
        invocation.print(tending_text.restored_text(done, invocation.style(), dry_run=dry_run))


@click.command("migrate")
@click.option("--to", "target", required=True, metavar="sqlite:PATH|postgres:VARIABLE", help="Where it shall be.")
@click.option("--schema", default="", metavar="NAME", help="PostgreSQL: this schema, not the project's own.")
@dry_run_option
@json_option
@click.pass_obj
def migrate_command(invocation: Invocation, target: str, schema: str, dry_run: bool) -> None:
    """Move the state to another backend, compared row by row. The old one refuses to be used again.

    VARIABLE is the environment variable with the database's URL. The target must hold no state. Interrupted, the
    same command finishes.

    \b
    Examples:
      reconciler state migrate --to postgres:RECONCILER_STATE_URL
      reconciler state migrate --to sqlite:state/acme.sqlite
    """
    with session_for(invocation) as session:
        to, setting = _target(session.project, target, schema)
        done = migrate_state(session.project, session.store, to, session.clock, dry_run=dry_run)
    if invocation.json:
        invocation.print_json(tending_json.migrated_document(done, setting, dry_run=dry_run))
    else:
        invocation.print(tending_text.migrated_text(done, setting, invocation.style(), dry_run=dry_run))


def _target(project: Project, text: str, schema: str) -> tuple[StateConfig, str]:
    """The place `--to` names, and the line of reconciler.yaml that says so. Raises InvalidInput."""
    backend, _, rest = text.partition(":")
    if backend == "sqlite" and rest and not schema:
        return StateConfig("sqlite", project.root / rest), f"state: {{backend: sqlite, path: {rest}}}"
    if backend == "postgres" and rest.isidentifier():
        more = f", schema: {schema}" if schema else ""
        setting = f'state: {{backend: postgres, url: "${{env:{rest}}}"{more}}}'
        return postgres_state(project.root, project.name, project.id, rest, schema), setting
    raise InvalidInput(
        "--to is neither sqlite:PATH nor postgres:VARIABLE",
        hint="VARIABLE is the name of the environment variable that holds the database's URL, never the URL.",
    )

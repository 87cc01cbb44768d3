"""`reconciler import`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, variable_options
from reconciler.cli.runs import surroundings
from reconciler.cli.sessions import session_for
from reconciler.render.import_json import import_document
from reconciler.render.import_text import import_text
from reconciler.workflows.importing import ImportRequest, import_books


@click.command("import")
@click.option(
    "--kinds",
    multiple=True,
    metavar="KIND,…",
    help="Import these kinds, such as customers,invoices; or all. Default: customers, invoices, credit notes, "
    "payments. What they refer to comes with them.",
)
@click.option("--since", default="", metavar="DATE", help="Only documents dated on or after DATE.")
@click.option("--open-only", is_flag=True, help="Only what is still to be settled or applied, and drafts.")
@click.option("--out", default="manifests", show_default=True, metavar="DIR", help="A folder of manifests.")
@click.option("--connection", default="", metavar="NAME", help="Whose books; needed where none is the default.")
@variable_options
@json_option
@click.pass_obj
def command(
    invocation: Invocation, kinds: tuple[str, ...], since: str, open_only: bool, out: str, connection: str
) -> int:
    """Declare what is in the books, and bind it, so that a plan has nothing to do.

    Manifests are written by kind and month, references by name. What is declared or bound already is left as it
    is, and an edited file is never written to; run again, it imports what is new. Nothing is written to the books.

    With --kinds, --since or --open-only, what the chosen documents refer to comes with them, and so does what
    settles them. At the end open items are tied to the control accounts, over all of the books.

    \b
    Exit codes: 0 imported, and it ties out (or the ERP cannot tell); 1 an error,
    or open items and control accounts differ: what was imported stays.

    \b
    Examples:
      reconciler import
      reconciler import --open-only --out manifests/opening
      reconciler import --since 2026-01-01 --kinds invoices,payments
      reconciler import --json
    """
    request = ImportRequest(kinds, since, open_only, out, connection)
    with session_for(invocation) as session, surroundings(invocation, "import") as around:
        report = import_books(session, request, around)
    if invocation.json:
        invocation.print_json(import_document(report))
    else:
        invocation.print(import_text(report, invocation.style()))
    return int(report.exit_code)

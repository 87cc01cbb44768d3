"""`reconciler ledger accounts|trial-balance|journal|aging|documents|serve`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.kernel.errors import InvalidInput
from reconciler.project import load_project
from reconciler.render import ledger_text
from reconciler.render.style import Style
from reconciler.workflows.ledger_reports import LedgerBooks, LedgerReader, open_ledger

Renderer = Callable[[LedgerBooks, Sequence[Any], Style], str]
KINDS = ("invoice", "credit_note", "payment")
_DAY = click.DateTime(["%Y-%m-%d"])
connection_option = click.option("--connection", metavar="NAME", help="Which ledger, where there are several.")


@click.group("ledger")
def command() -> None:
    """Reports of the embedded double-entry ledger; nothing here writes to it.

    \b
    Examples:
      reconciler ledger accounts
      reconciler ledger trial-balance
      reconciler ledger journal --document INV-7452
      reconciler ledger aging --as-of 2026-12-31
      reconciler ledger documents --kind invoice --open --json
    """


@contextmanager
def _reader(invocation: Invocation, connection: str | None) -> Iterator[LedgerReader]:
    project = load_project(invocation.root)
    invocation.connection = project.default_connection
    with open_ledger(project, invocation.clock, connection) as reader:
        yield reader


def _show(invocation: Invocation, books: LedgerBooks, name: str, rows: Sequence[Any], renderer: Renderer) -> None:
    if invocation.json:
        invocation.print_json(ledger_text.report_document(books, name, rows))
    else:
        invocation.print(renderer(books, rows, invocation.style()))


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@command.command("accounts")
@connection_option
@json_option
@click.pass_obj
def accounts(invocation: Invocation, connection: str | None) -> None:
    """The chart of accounts: every code a manifest may use, with its balance in base currency.

    \b
    Example:
      reconciler ledger accounts
    """
    with _reader(invocation, connection) as reader:
        books, rows = reader.books(), reader.accounts()
    _show(invocation, books, "accounts", rows, ledger_text.accounts_text)


@command.command("trial-balance")
@click.option("--as-of", type=_DAY, metavar="DATE", help="Through this day.")
@connection_option
@json_option
@click.pass_obj
def trial_balance(invocation: Invocation, as_of: datetime | None, connection: str | None) -> None:
    """Every account with postings, debits and credits, in base currency.

    \b
    Example:
      reconciler ledger trial-balance --as-of 2026-11-30
    """
    with _reader(invocation, connection) as reader:
        books, rows = reader.books(), reader.trial_balance(_day(as_of))
    _show(invocation, books, "trial_balance", rows, ledger_text.trial_balance_text)


@command.command("journal")
@click.option("--since", type=_DAY, metavar="DATE", help="From this day.")
@click.option("--until", type=_DAY, metavar="DATE", help="Through this day.")
@click.option("--document", metavar="NUMBER", help="Only what this document posted.")
@connection_option
@json_option
@click.pass_obj
def journal(
    invocation: Invocation,
    since: datetime | None,
    until: datetime | None,
    document: str | None,
    connection: str | None,
) -> None:
    """Every journal line, in the order in which it was posted.

    \b
    Example:
      reconciler ledger journal --document INV-7452
    """
    with _reader(invocation, connection) as reader:
        books, rows = reader.books(), reader.journal(_day(since), _day(until), document)
    _show(invocation, books, "journal", rows, ledger_text.journal_text)


@command.command("aging")
@click.option("--as-of", type=_DAY, metavar="DATE", help="As of this day; today by default.")
@connection_option
@json_option
@click.pass_obj
def aging(invocation: Invocation, as_of: datetime | None, connection: str | None) -> None:
    """What every customer owes, by how long it is overdue.

    \b
    Example:
      reconciler ledger aging --as-of 2026-12-31 --json
    """
    with _reader(invocation, connection) as reader:
        books, rows = reader.books(), reader.aging(_day(as_of))
    _show(invocation, books, "aging", rows, ledger_text.aging_text)


@command.command("documents")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind. Repeatable.")
@click.option("--customer", metavar="CUSTOMER", help="Only this customer's.")
@click.option("--open", "open_only", is_flag=True, help="Only what has an open balance.")
@connection_option
@json_option
@click.pass_obj
def documents(
    invocation: Invocation, kinds: tuple[str, ...], customer: str | None, open_only: bool, connection: str | None
) -> None:
    """Every invoice, credit note and payment, with total and open balance.

    \b
    Example:
      reconciler ledger documents --kind invoice --open
    """
    with _reader(invocation, connection) as reader:
        books, rows = reader.books(), reader.documents(kinds, customer, open_only=open_only)
    _show(invocation, books, "documents", rows, ledger_text.documents_text)


@command.command("serve")
@click.option("--path", type=click.Path(path_type=Path), help="The file of books; by default the connection's.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default: any free port.")
@connection_option
@click.pass_obj
def serve(invocation: Invocation, path: Path | None, port: int, connection: str | None) -> None:
    """Serve the books over HTTP on 127.0.0.1, as a process that outlives its clients. Prints its URL.

    Clients must present the token in RECONCILER_LEDGER_TOKEN.

    \b
    Example:
      RECONCILER_LEDGER_TOKEN=… reconciler ledger serve --port 8123
    """
    file = invocation.root / (path or _path_of(invocation, connection))
    arguments = ["-m", "reconciler.sandboxes.ledger", "serve", "--path", str(file), "--port", str(port)]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606


def _path_of(invocation: Invocation, connection: str | None) -> str:
    project = load_project(invocation.root)
    name = connection or project.default_connection
    config = project.connections.get(name or "")
    path = config.settings.get("path") if config else None
    if not isinstance(path, str):
        raise InvalidInput("no connection names a file of books to serve", hint="Give --path FILE.")
    return path

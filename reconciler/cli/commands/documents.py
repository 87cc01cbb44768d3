"""`reconciler documents get ADDRESS`."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import click

from reconciler.cli.invocation import Invocation, ReaderGone
from reconciler.cli.options import json_option, read_address
from reconciler.cli.sessions import session_for
from reconciler.cli.writing import write_new
from reconciler.kernel.errors import InvalidInput
from reconciler.kernel.plain import printable
from reconciler.workflows.printing import Printed, printed

_STDOUT = "-"


@click.group("documents")
def command() -> None:
    """Documents as the ERP prints them.

    \b
    Examples:
      reconciler documents get invoice.INV-7452
      reconciler documents get invoice.INV-7452/credit.1 --out credit.pdf
    """


@command.command("get")
@click.argument("address")
@click.option("-o", "--out", metavar="FILE|-", help="Where to: a file, a folder, or - for stdout.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@json_option
@click.pass_obj
def get_command(invocation: Invocation, address: str, out: str | None, force: bool) -> None:
    """Get the document of ADDRESS as the ERP prints it, as a rule a PDF.

    It is saved under its number (INV-7452.pdf) in this folder, or as --out says; mode 0600, whole or not at all,
    and never over a file that is there. A correction is named as plans and `state show` name it:
    invoice.INV-7452/credit.1.

    \b
    Examples:
      reconciler documents get invoice.INV-7452
      reconciler documents get invoice.INV-7452/credit.1 --out credit.pdf
      reconciler documents get invoice.INV-7452 --out - | lpr
    """
    if out == _STDOUT and invocation.json:
        raise InvalidInput("--out - and --json both want stdout", hint="Give one of them.")
    root, _, label = address.partition("/")
    with session_for(invocation) as session:
        found = printed(session, read_address(root, invocation.connection), label)
    if out == _STDOUT:
        _to_stdout(found.file.content)
        return
    path = _path(invocation, out, found)
    write_new(found.file.content, path, force=force)
    if invocation.json:
        invocation.print_json(_described(found, path))
    else:
        size = len(found.file.content)
        invocation.print(
            f"Saved {printable(str(path))} ({printable(found.file.media_type, 80)}, {size:,} bytes).\n"
        )


def _path(invocation: Invocation, out: str | None, found: Printed) -> Path:
    path = invocation.root / (out or ".")
    return path / found.name if path.is_dir() else path


def _to_stdout(content: bytes) -> None:
    if sys.stdout is None:
        raise ReaderGone
    if sys.stdout.isatty():
        raise InvalidInput(
            "a print is no text for a terminal", hint="Give --out FILE, or send it on: --out - | lpr"
        )
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def _described(found: Printed, path: Path) -> dict[str, object]:
    row = found.document
    return {
        "address": str(row.address),
        "label": row.label,
        "kind": row.kind,
        "number": row.number,
        "remote_id": row.remote_id,
        "file": str(path),
        "name": found.file.name,
        "media_type": found.file.media_type,
        "bytes": len(found.file.content),
        "sha256": hashlib.sha256(found.file.content).hexdigest(),
    }

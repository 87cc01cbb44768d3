"""`reconciler fmt`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.cli.sessions import say_warnings
from reconciler.kernel.errors import ExitCode
from reconciler.render.formatting_text import differences_text, files_text, formatting_document, summary_text
from reconciler.workflows.formatting import format_files


@click.command("fmt")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not laid out so, and list it.")
@click.option("--diff", is_flag=True, help="Show the differences; with --check, without writing them.")
@json_option
@click.pass_obj
def command(invocation: Invocation, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Lay manifests out in the one canonical way: every file under manifests/, or each PATH (a file or a folder).

    Indentation, blank lines, spaces and line ends (LF) change; comments, quotes, the order of keys and what the
    file says do not: a file that would say anything else is left alone, and named. Templates are left alone.

    \b
    Examples:
      reconciler fmt
      reconciler fmt --check              # in CI: lists what is not laid out so
      reconciler fmt --check --diff manifests/november.yaml
    """
    found = format_files(invocation.root, paths, write=not check)
    if invocation.json:
        invocation.print_json(formatting_document(found))
    else:
        invocation.print(differences_text(found, invocation.style()) if diff else files_text(found))
        say_warnings(invocation, tuple(found.problems))
        invocation.say(summary_text(found, check=check))
    return int(ExitCode.ERROR if found.problems or (check and found.changed) else ExitCode.OK)

"""`reconciler show FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.plan_file import plan_document, read_plan
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.plan_text import plan_chunks


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.option("--markdown", is_flag=True, help="Print it as Markdown, made for a comment on a pull request.")
@click.option("--verbose", is_flag=True, help="Show every change, also of a very large plan.")
@click.pass_obj
def command(invocation: Invocation, file: Path, markdown: bool, verbose: bool) -> None:
    """Show the plan saved in FILE, without touching project, state or books.

    With --json: Terraform's plan representation, with our verbs, reasons, groups and steps in the object
    `reconciler`. An altered file is refused with exit code 5.

    \b
    Examples:
      reconciler show november.plan
      reconciler show november.plan --json | tf-summarize
      reconciler show --markdown november.plan > comment.md
    """
    plan = read_plan(invocation.root / file)
    if invocation.json:
        invocation.print_json(plan_document(plan))
    elif markdown:
        invocation.print(plan_markdown(plan))
    else:
        for chunk in plan_chunks(plan, invocation.style(), verbose=verbose):
            invocation.print(chunk)

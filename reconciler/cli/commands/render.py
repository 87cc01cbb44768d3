"""`reconciler render`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option, variable_options
from reconciler.cli.sessions import project_for
from reconciler.render.rendered_text import rendered_document, rendered_text
from reconciler.workflows.rendering import render


@click.command("render")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@variable_options
@json_option
@click.pass_obj
def command(invocation: Invocation, files: tuple[str, ...]) -> None:
    """Show the YAML that the templates become: all of them, or each FILE (its path, from the project's folder).

    A template is a file under manifests/ that ends in .yaml.j2 (Jinja2). Variables are declared in reconciler.yaml,
    under variables, with a value or null; they are set, the later before the earlier, by RECONCILER_VAR_name in
    the environment, then by --var and --var-file in the order given. Every value is text: the filter `decimal`
    makes exact numbers of it, `yaml` quotes it as one scalar.

    With --json: each file's text, and for each of its lines the template's line behind it.

    \b
    Examples:
      reconciler render
      reconciler render manifests/subscriptions.yaml.j2 --var month=2026-11
      reconciler render --var-file customers.yaml --json
    """
    found = render(project_for(invocation), [Path(file).as_posix() for file in files])
    if invocation.json:
        invocation.print_json(rendered_document(found))
    else:
        invocation.print(rendered_text(found))

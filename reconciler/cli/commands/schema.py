"""`reconciler schema`."""

from __future__ import annotations

import json

import click

from reconciler.cli.invocation import Invocation
from reconciler.workflows.schema import manifest_schema, project_schema


@click.command("schema")
@click.option("--project", is_flag=True, help="The schema of reconciler.yaml instead.")
@click.pass_obj
def command(invocation: Invocation, project: bool) -> None:
    """Print the JSON Schema of manifests, so that an editor completes and checks them as you type.

    \b
    Examples:
      reconciler schema > .vscode/reconciler-manifest.json
      reconciler schema --project
    """
    schema = project_schema() if project else manifest_schema()
    invocation.print(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")

"""`reconciler providers [NAME]`."""

from __future__ import annotations

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.render.provider_json import provider_document, providers_document
from reconciler.render.provider_text import provider_text, providers_text
from reconciler.workflows.describing import describe_provider, list_providers


@click.command("providers")
@click.argument("name", required=False)
@json_option
@click.pass_obj
def command(invocation: Invocation, name: str | None) -> None:
    """List the systems reconciler can work with, or describe one: the settings of its connections, what it can do
    with each kind, and its limits. Nothing is connected to.

    A kind's class says what keeps a repeated request from being booked twice. It is A or B where the ERP itself
    refuses a second one, C where we look first, D where nobody can know and you are asked.

    \b
    Examples:
      reconciler providers
      reconciler providers ledger
      reconciler providers ledger --json
    """
    if name is None:
        listed = list_providers()
        if invocation.json:
            invocation.print_json(providers_document(listed))
        else:
            invocation.print(providers_text(listed, invocation.style()))
        return
    described = describe_provider(name)
    if invocation.json:
        invocation.print_json(provider_document(described))
    else:
        invocation.print(provider_text(described, invocation.style()))

"""`reconciler version`."""

from __future__ import annotations

import platform

import click

from reconciler import __version__
from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option


@click.command("version")
@json_option
@click.pass_obj
def command(invocation: Invocation) -> None:
    """Print the version of reconciler and of Python.

    \b
    Example:
      reconciler version --json
    """
    if invocation.json:
        invocation.print_json({"version": __version__, "python": platform.python_version()})
    else:
        invocation.print(f"reconciler {__version__} (Python {platform.python_version()})\n")

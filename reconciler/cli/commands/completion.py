"""`reconciler completion SHELL`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from reconciler.cli.invocation import Invocation


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    Examples:
      reconciler completion bash > ~/.local/share/bash-completion/completions/reconciler
      reconciler completion zsh  > ~/.zfunc/_reconciler
      reconciler completion fish > ~/.config/fish/completions/reconciler.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    completer = kind(ctx.find_root().command, {}, "reconciler", "_RECONCILER_COMPLETE")
    invocation = ctx.find_object(Invocation)
    assert invocation is not None
    invocation.print(completer.source_template % completer.source_vars() + "\n")

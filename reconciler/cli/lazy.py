"""A click group that imports a command only when that command is run."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from reconciler.cli.help import help_text
from reconciler.cli.table import COMMANDS


class LazyGroup(click.Group):
    """Knows its commands from `cli.table`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(f"reconciler.cli.commands.{entry.module}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from reconciler.kernel.diagnostics import nearest

            hint = nearest(args[0], COMMANDS)
            ctx.fail(f"There is no command {args[0]!r}. {hint or 'See reconciler --help.'}")
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return help_text()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(name, help=e.help) for name, e in COMMANDS.items() if name.startswith(incomplete)]
        options: list[Any] = [] if found else super(click.Group, self).shell_complete(ctx, incomplete)
        return [*found, *options]

"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.invocation import Invocation
from reconciler.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.kernel.address import Address

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _set_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Invocation).json = True


json_option = click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_set_json,
    help="Print JSON for machines (errors too).",
)


def planning_options(function: Decorated) -> Decorated:
    """What `plan` and `apply` plan with."""
    for option in (
        click.option("--verbose", is_flag=True, help="Show every change, also of a very large plan."),
        click.option("--reason", default="", metavar="TEXT", help="Why; recorded with every --allow."),
        click.option(
            "--allow",
            "allows",
            multiple=True,
            metavar="REMEDY:ADDR",
            help="Consent, for this plan, to correct ADDR by REMEDY. Repeatable; needs --reason.",
        ),
        click.option(
            "--target",
            "targets",
            multiple=True,
            metavar="ADDR",
            help="Plan only ADDR and what it needs. Repeatable.",
        ),
        click.option(
            "--refresh",
            type=click.Choice(["all", "planned", "never"]),
            default="all",
            show_default=True,
            help="Which live values to read first: all, those of what may change, or none.",
        ),
    ):
        function = option(function)
    return function


class _InOrder(click.Option):
    """An option whose values are kept, with those of its like, in the order in which they were given."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        super().add_to_parser(parser, ctx)
        for name in self.opts:
            known = parser._long_opt[name]
            process = known.process

            def keep(value: Any, state: Any, name: str = name, process: Any = process) -> None:
                ctx.ensure_object(Invocation).given.append((name, str(value)))
                process(value, state)

            known.process = keep


def variable_options(function: Decorated) -> Decorated:
    """`--var` and `--var-file`, for whatever reads manifests; they end up in `Invocation.given`."""
    for name, metavar, text in (
        ("--var-file", "FILE", "Set variables from a YAML file. Repeatable; the last one given wins."),
        ("--var", "NAME=VALUE", "Set a variable of the templates. Repeatable."),
    ):
        option = click.option(name, cls=_InOrder, multiple=True, expose_value=False, metavar=metavar, help=text)
        function = option(function)
    return function


def read_address(text: str, connection: str | None) -> Address:
    """Raises InvalidInput."""
    from reconciler.kernel.address import Address
    from reconciler.resources.kinds import KINDS

    try:
        address = Address.parse(text, connection)
    except ValueError as error:
        raise InvalidInput(str(error), hint="An address is kind.name, e.g. invoice.INV-7452.") from None
    if address.kind not in KINDS:
        from reconciler.kernel.diagnostics import nearest

        raise InvalidInput(f"there is no kind {address.kind!r}", hint=nearest(address.kind, KINDS))
    return address

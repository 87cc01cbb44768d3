"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.invocation import Invocation
from reconciler.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.kernel.address import Address
    from reconciler.providers.capabilities import Remedy

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


def read_allows(texts: tuple[str, ...], reason: str, connection: str | None) -> tuple[tuple[Remedy, Address], ...]:
    """`credit:invoice.INV-1` → (remedy, address). Raises InvalidInput."""
    from reconciler.kernel.diagnostics import nearest
    from reconciler.providers.capabilities import Remedy

    if texts and not reason.strip():
        raise InvalidInput("--allow needs --reason", hint='Say why: --reason "price agreed on 12 November"')
    if reason and not texts:
        raise InvalidInput(
            "--reason says why something is allowed, and nothing is", hint="Add --allow REMEDY:ADDR."
        )
    found = []
    for text in texts:
        word, _, rest = text.partition(":")
        if word not in list(Remedy):
            known = ", ".join(Remedy)
            hint = nearest(word, list(Remedy)) or f"The remedies are: {known}."
            raise InvalidInput(f"--allow {text[:120]}: {word[:60]!r} is no remedy", hint=hint)
        found.append((Remedy(word), read_address(rest, connection)))
    return tuple(found)

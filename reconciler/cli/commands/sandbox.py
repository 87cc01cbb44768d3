"""`reconciler sandbox serve NAME` and `reconciler sandbox switches NAME`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.kernel.errors import InvalidInput
from reconciler.kernel.interrupts import interrupts_handled
from reconciler.workflows.sandboxing import TRYTON, Serving, switches_of
from reconciler.workflows.sandboxing import serve as run

_PATH = click.Path(path_type=Path, dir_okay=False)
_PLACE = click.Path(path_type=Path)


@click.group("sandbox")
def command() -> None:
    """Serve simulated ERPs, or a real Tryton, on this machine, to try things without an account.

    \b
    Examples:
      reconciler sandbox serve tryton
      reconciler sandbox switches codat
      reconciler sandbox serve codat --data state/codat.sqlite
    """


@command.command("serve")
@click.argument("name", metavar="NAME")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0, the default: any free port.")
@click.option("--data", type=_PLACE, metavar="FILE", help="Keep its books in FILE (tryton: a folder).")
@click.option("--seed", type=_PATH, metavar="FILE", help="Opening data for new books, written like a manifest.")
@click.option("--switch", "switches", multiple=True, metavar="NAME=VALUE", help="Turn a bad habit on. Repeatable.")
@click.option("--log", type=_PATH, metavar="FILE", help="Append a line of JSON to FILE for each request.")
@click.pass_obj
def serve(
    invocation: Invocation,
    name: str,
    port: int,
    data: Path | None,
    seed: Path | None,
    switches: tuple[str, ...],
    log: Path | None,
) -> int:
    """Serve the sandbox NAME on 127.0.0.1 until stopped, and print its URL.

    Names: accountsiq, alloy, codat, intacct, rutter; tryton, a real one.

    It answers as the vendor's documents say, over books of its own: double entry, and as strict as an ERP. What
    goes wrong with real APIs goes wrong here when you say so: see `reconciler sandbox switches NAME`.

    \b
    Examples:
      reconciler sandbox serve codat --port 8100 --data state/codat.sqlite
      reconciler sandbox serve codat --switch lose_response=every:5 --switch push_ms=2000
    """
    root = invocation.root
    stop = threading.Event()

    def say(url: str, about: str) -> None:
        invocation.print(f"{url}\n")
        invocation.say(about)

    def wait() -> None:
        stop.wait()

    if name == TRYTON:
        invocation.say("Starting Tryton; the first time takes half a minute.\n")
    wanted = Serving(
        name,
        port=port,
        data=root / data if data else None,
        seed=root / seed if seed else None,
        log=root / log if log else None,
        switches=_switches(switches),
    )
    with interrupts_handled(lambda *_: stop.set()):
        run(wanted, say, wait)
    return 0


def _switches(given: tuple[str, ...]) -> dict[str, str]:
    for text in given:
        if "=" not in text:
            raise InvalidInput(f"--switch {text}: it should be NAME=VALUE")
    return dict(text.partition("=")[::2] for text in given)


@command.command("switches")
@click.argument("name", metavar="NAME")
@json_option
@click.pass_obj
def switches_command(invocation: Invocation, name: str) -> None:
    """List what can be made to go wrong in the sandbox NAME, and its other settings.

    A trigger says which requests it hits: 2 (the next two), every:3, at:1,4, chance:50 (of a thousand); with
    @TEXT only requests whose method and path contain TEXT. A running sandbox takes new values by
    POST /__sandbox__/switches.

    \b
    Example:
      reconciler sandbox switches codat
    """
    switches = switches_of(name)
    if invocation.json:
        rows = [
            {"name": s.name, "type": s.type, "default": s.default, "choices": list(s.choices), "help": s.help}
            for s in switches
        ]
        invocation.print_json({"sandbox": name, "switches": rows})
        return
    wide = max(len(switch.name) for switch in switches)
    for switch in switches:
        values = _values(switch.choices, switch.default)
        invocation.print(f"{switch.name.ljust(wide)}  {switch.type.ljust(7)}  {switch.help}{values}\n")


def _values(choices: Sequence[str], default: str) -> str:
    """What a switch may be set to, where that is a list, and what it is otherwise."""
    told = [f"one of {', '.join(choices)}"] if choices else []
    if choices or default not in ("", "0"):
        told.append(f"by default {default}")
    return f" ({'; '.join(told)})" if told else ""

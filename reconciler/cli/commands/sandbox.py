"""`reconciler sandbox serve NAME` and `reconciler sandbox switches NAME`."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.options import json_option
from reconciler.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.sandboxes.serving import Running

_PATH = click.Path(path_type=Path, dir_okay=False)
_PLACE = click.Path(path_type=Path)
_TRYTON = "tryton"


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
    """Serve the sandbox NAME (alloy, codat, rutter; tryton, a real one) on 127.0.0.1 until stopped. Prints its URL.

    It answers as the vendor's documents say, over books of its own: double entry, and as strict as an ERP. What
    goes wrong with real APIs goes wrong here when you say so: see `reconciler sandbox switches NAME`.

    \b
    Examples:
      reconciler sandbox serve codat --port 8100 --data state/codat.sqlite
      reconciler sandbox serve codat --switch lose_response=every:5 --switch push_ms=2000
    """
    root = invocation.root
    if name == _TRYTON:
        if seed or switches or log:
            raise InvalidInput("tryton is no simulation: it has no --seed, --switch or --log")
        return _play_tryton(invocation, root / data if data else None, port)
    if data and (root / data).is_dir():
        raise InvalidInput(f"--data {data} is a folder, not a file")
    running = _start(
        name,
        port=port,
        store=root / data if data else None,
        seed=root / seed if seed else None,
        switches=_switches(switches),
        log=root / log if log else None,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running:
        invocation.print(f"{running.url}\n")
        for key, value in running.connection.items():
            invocation.say(f"  {key}: {value}\n")
        stop.wait()
    return 0


def _play_tryton(invocation: Invocation, folder: Path | None, port: int) -> int:
    from reconciler.sandboxes.tryton import ServerFailed, TrytonMissing, TrytonServer
    from reconciler.sandboxes.tryton.playing import introduction, play

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def say(server: TrytonServer) -> None:
        invocation.print(f"{server.url}\n")
        invocation.say(introduction(server, kept=folder))

    def wait() -> None:
        stop.wait()

    invocation.say("Starting Tryton; the first time takes half a minute.\n")
    try:
        play(folder, port=port, say=say, wait=wait)
    except TrytonMissing as error:
        raise InvalidInput(str(error), why="The sandbox `tryton` is a real Tryton server.") from None
    except ServerFailed as error:
        raise InvalidInput(str(error)) from None
    return 0


def _switches(given: tuple[str, ...]) -> dict[str, str]:
    for text in given:
        if "=" not in text:
            raise InvalidInput(f"--switch {text}: it should be NAME=VALUE")
    return dict(text.partition("=")[::2] for text in given)


def _start(
    name: str, *, port: int, store: Path | None, seed: Path | None, switches: dict[str, str], log: Path | None
) -> Running:
    from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable
    from reconciler.sandboxes.serving import start
    from reconciler.sandboxes.serving.opening import BadOpening
    from reconciler.sandboxes.serving.switches import BadSwitch

    try:
        return start(name, store=store, switches=switches, seed=seed, port=port, log=log)
    except BadSwitch as error:
        raise InvalidInput(f"--switch: {error}", hint=f"See `reconciler sandbox switches {name}`.") from None
    except BadOpening as error:
        raise InvalidInput(f"--seed: {error}") from None
    except (BooksBusy, BooksUnusable) as error:
        raise InvalidInput(f"--data: {error}") from None


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
    from reconciler.sandboxes.serving.registry import load_sandbox
    from reconciler.sandboxes.serving.switches import SWITCHES

    switches = (*load_sandbox(name).switches, *SWITCHES)
    if invocation.json:
        rows = [{"name": s.name, "type": s.type, "default": s.default, "help": s.help} for s in switches]
        invocation.print_json({"sandbox": name, "switches": rows})
        return
    wide = max(len(switch.name) for switch in switches)
    for switch in switches:
        default = f" (by default {switch.default})" if switch.default not in ("", "0") else ""
        invocation.print(f"{switch.name.ljust(wide)}  {switch.type.ljust(7)}  {switch.help}{default}\n")

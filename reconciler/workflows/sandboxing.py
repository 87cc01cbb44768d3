"""Serving a sandbox, a simulated ERP or a real Tryton, on this machine; and what can be made to go wrong in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.kernel.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.sandboxes.serving.switches import Switch

TRYTON = "tryton"

Said = Callable[[str, str], None]
"""Given the address it is served at, and what to know about it."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What to serve, and how; paths are absolute. `data`: where its books are kept, a folder for Tryton's."""

    name: str
    port: int = 0
    data: Path | None = None
    seed: Path | None = None
    log: Path | None = None
    switches: Mapping[str, str] = field(default_factory=dict)


def serve(wanted: Serving, say: Said, wait: Callable[[], None]) -> None:
    """Serve until `wait` returns. Raises InvalidInput for what cannot be used, ReconcilerError otherwise."""
    if wanted.name == TRYTON:
        _serve_tryton(wanted, say, wait)
    else:
        _serve_simulated(wanted, say, wait)


def switches_of(name: str) -> tuple[Switch, ...]:
    """Every switch of a simulated ERP, its own first. Raises ReconcilerError when there is no such sandbox."""
    from reconciler.sandboxes.serving.registry import load_sandbox
    from reconciler.sandboxes.serving.switches import SWITCHES

    return (*load_sandbox(name).switches, *SWITCHES)


def _serve_tryton(wanted: Serving, say: Said, wait: Callable[[], None]) -> None:
    from reconciler.sandboxes.tryton import ServerFailed, TrytonMissing, TrytonServer
    from reconciler.sandboxes.tryton.playing import introduction, play

    if wanted.seed or wanted.switches or wanted.log:
        raise InvalidInput("tryton is no simulation: it has no --seed, --switch or --log")

    def introduce(server: TrytonServer) -> None:
        say(server.url, introduction(server, kept=wanted.data))

    try:
        play(wanted.data, port=wanted.port, say=introduce, wait=wait)
    except TrytonMissing as error:
        raise InvalidInput(str(error), why="The sandbox `tryton` is a real Tryton server.") from None
    except ServerFailed as error:
        raise InvalidInput(str(error)) from None


def _serve_simulated(wanted: Serving, say: Said, wait: Callable[[], None]) -> None:
    from reconciler.sandboxes.ledger.refusal import BooksBusy, BooksUnusable
    from reconciler.sandboxes.serving import start
    from reconciler.sandboxes.serving.opening import BadOpening
    from reconciler.sandboxes.serving.switches import BadSwitch

    if wanted.data and wanted.data.is_dir():
        raise InvalidInput(f"--data {wanted.data} is a folder, not a file")
    try:
        running = start(
            wanted.name,
            store=wanted.data,
            switches=wanted.switches,
            seed=wanted.seed,
            port=wanted.port,
            log=wanted.log,
        )
    except BadSwitch as error:
        raise InvalidInput(f"--switch: {error}", hint=f"See `reconciler sandbox switches {wanted.name}`.") from None
    except BadOpening as error:
        raise InvalidInput(f"--seed: {error}") from None
    except (BooksBusy, BooksUnusable) as error:
        raise InvalidInput(f"--data: {error}") from None
    with running:
        say(running.url, "".join(f"  {key}: {value}\n" for key, value in running.connection.items()))
        wait()

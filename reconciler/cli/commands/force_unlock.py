"""`reconciler force-unlock ID`."""

from __future__ import annotations

import getpass
import socket

import click

from reconciler.cli.invocation import Invocation
from reconciler.cli.sessions import session_for
from reconciler.kernel.plain import printable
from reconciler.workflows import stating


@click.command("force-unlock")
@click.argument("lock_id", metavar="ID")
@click.pass_obj
def command(invocation: Invocation, lock_id: str) -> None:
    """Remove the lock whose ID a refused command printed. Only for a run that is certainly dead.

    A lock ends by itself when its holder stops renewing it; waiting a minute is safer. It is written to the
    history who forced it.

    \b
    Example:
      reconciler force-unlock 4f1c2a9e
    """
    with session_for(invocation) as session:
        held = stating.force_unlock(session.store, lock_id, by=f"{getpass.getuser()}@{socket.gethostname()}")
    invocation.print(
        f"Removed the lock {printable(held.id)} of {printable(held.holder)} ({printable(held.command)}).\n"
    )

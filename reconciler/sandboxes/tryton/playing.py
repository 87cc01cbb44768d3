"""A Tryton to play with, in the foreground: what `reconciler sandbox serve tryton` runs and says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from reconciler.sandboxes.tryton.packages import SERIES
from reconciler.sandboxes.tryton.server import TrytonServer

PASSWORD_VARIABLE = "TRYTON_PASSWORD"  # noqa: S105  the name of a variable


def play(folder: Path | None, *, port: int, say: Callable[[TrytonServer], None], wait: Callable[[], None]) -> None:
    """Serve until `wait` returns; without a folder the books are gone afterwards.

    Raises TrytonMissing when the extra is not installed, ServerFailed when it does not start.
    """
    with ExitStack() as stack:
        home = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reconciler-tryton-")))
        server = stack.enter_context(TrytonServer.start(home, port=port))
        say(server)
        wait()


def introduction(server: TrytonServer, *, kept: Path | None) -> str:
    """How to point a connection at it, and how to look into it."""
    place = server.url.removeprefix("http://")
    keeping = f"Its books are in {kept}." if kept else "Its books are gone when it stops; --data FOLDER keeps them."
    return f"""Tryton {SERIES} with a company in US dollars. {keeping}

In reconciler.yaml:

  connections:
    books:
      provider: tryton
      endpoint: {server.url}
      database: {server.database}
      user: {server.user}
      password: ${{env:{PASSWORD_VARIABLE}}}
      resend_after_settle: true

and in the shell:

  export {PASSWORD_VARIABLE}={server.password}

To look at what was posted, in Tryton's own client (pip install tryton=={SERIES}.*): host {place},
database {server.database}, user {server.user}, password {server.password}.
Ctrl-C stops it. Its log: {server.log}
"""

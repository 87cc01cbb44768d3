"""Starting a ledger server as a process that outlives this one, and stopping it."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.sandboxes.ledger.refusal import BooksUnusable
from reconciler.sandboxes.ledger.wire import TOKEN_VARIABLE


@dataclass(slots=True)
class ServerProcess:
    """A running server. Stops at the end of a `with`."""

    url: str
    token: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """End it and wait; safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_server(path: Path, *options: str, token: str | None = None) -> ServerProcess:
    """Serve `path` in a new session with the given options (`serve --help`). Raises BooksUnusable."""
    token = secrets.token_urlsafe(24) if token is None else token
    arguments: Sequence[str] = ("serve", "--path", str(path), *options)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.sandboxes.ledger", *arguments],
        env={**os.environ, TOKEN_VARIABLE: token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    server = ServerProcess(url, token, process)
    if not url:
        server.stop()
        raise BooksUnusable(f"the ledger server for {path} did not start")
    return server

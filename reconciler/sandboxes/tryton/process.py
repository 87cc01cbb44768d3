"""One trytond process on 127.0.0.1: its configuration, its start, its log, its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from reconciler.sandboxes.tryton.packages import program

HOST = "127.0.0.1"
PATIENCE_SECONDS = 120
NEVER_SECONDS = 10 * 365 * 86_400
"""Tryton 8.2 on SQLite looks after its caches through the one connection it has and leaves that in autocommit:
the write that follows such a look (every 300 s by default) is not atomic. A single process needs no look."""
_TAKEN = "Address already in use"
_KEEPER = str(Path(__file__).with_name("keeper.py"))


class ServerFailed(Exception):
    """trytond did not start, or ended by itself; the message has the end of its log."""


class _PortTaken(Exception):
    pass


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`uri` is `sqlite://` (files in `folder`) or `postgresql://…`; a session idle for too long logs in again."""

    folder: Path
    uri: str = "sqlite://"
    session_seconds: int = 86_400
    verbose: bool = False

    def write(self, port: int) -> Path:
        """The configuration file. Nobody is made to wait for wrong passwords: tests get them wrong on purpose."""
        lines = (
            "[web]",
            f"listen = {HOST}:{port}",
            "[database]",
            f"uri = {self.uri}",
            f"path = {self.folder}",
            "[session]",
            f"timeout = {self.session_seconds}",
            "max_attempt = 1000000",
            "[report]",
            "convert = none",
            "[cache]",
            f"clean_timeout = {NEVER_SECONDS}",
        )
        path = self.folder / "trytond.conf"
        path.write_text("\n".join(lines) + "\n")
        return path


class ServerProcess:
    """A running trytond; made by `start_server`."""

    def __init__(self, child: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._child = child
        self.port = port
        self.log = log

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.poll() is None

    def stop(self) -> None:
        """End it kindly, and surely. What it has committed stays."""
        self._close_input()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(10)
        self.kill()

    def kill(self) -> None:
        """As a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._close_input()

    def _close_input(self) -> None:
        """What its keeper waits for."""
        if self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()


def start_server(settings: ServerSettings, database: str, *, port: int = 0) -> ServerProcess:
    """Start trytond for a database that exists, and wait until it answers. Raises ServerFailed or TrytonMissing.

    With port 0 a free one is found; should somebody else take it in the meantime, another is tried.
    """
    for attempt in range(8):
        chosen = port or _free_port()
        try:
            return _start_on(settings, database, chosen)
        except _PortTaken:
            if port or attempt == 7:
                raise ServerFailed(f"port {chosen} is taken by another program") from None
    raise AssertionError("unreachable")


def _start_on(settings: ServerSettings, database: str, port: int) -> ServerProcess:
    configuration = settings.write(port)
    log = settings.folder / "trytond.log"
    command = [program("trytond"), "-c", str(configuration), "-d", database]
    if settings.verbose:
        command.append("-v")
    began = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", _KEEPER, sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment(),
        )
    server = ServerProcess(child, port, log)
    try:
        _wait_until_it_answers(server, database, began)
    except BaseException:
        server.kill()
        raise
    return server


def _wait_until_it_answers(server: ServerProcess, database: str, began: int) -> None:
    """Ready is: our child lives, and answers a log-in to the very database by asking for the password."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    question = {"id": 1, "method": "common.db.login", "params": ["admin", {}, "en"]}
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as http:
        while time.monotonic() < deadline:
            if not server.running:
                written = _since(server.log, began)
                if _TAKEN in written:
                    raise _PortTaken
                raise ServerFailed(f"trytond ended while starting; {server.log} ends with:\n{_tail(written)}")
            with suppress(httpx.TransportError):
                answer = http.post(f"/{database}/rpc/", json=question)
                if "LoginException" in answer.text and server.running:
                    return
                written = _tail(_since(server.log, began))
                raise ServerFailed(f"trytond answers a log-in with {answer.status_code}; its log:\n{written}")
            time.sleep(0.03)
    raise ServerFailed(
        f"trytond did not answer in {PATIENCE_SECONDS} s; its log:\n{_tail(_since(server.log, began))}"
    )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without what would reconfigure trytond behind our back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRYTOND_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore", **(extra or {})}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _since(log: Path, began: int) -> str:
    return log.read_bytes()[began:].decode(errors="replace") if log.exists() else ""


def _tail(text: str, lines: int = 20) -> str:
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"

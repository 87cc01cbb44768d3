"""Starting and stopping a sandbox: in a thread of this process, in the foreground, or as a process of its own.

Real sockets on 127.0.0.1 always. uvicorn is imported when something starts, not before.
"""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from reconciler.kernel.clock import Clock, SystemClock
from reconciler.kernel.errors import ReconcilerError
from reconciler.sandboxes.serving.books import Books
from reconciler.sandboxes.serving.carrying import Application
from reconciler.sandboxes.serving.door import Door
from reconciler.sandboxes.serving.log import RequestLog
from reconciler.sandboxes.serving.opening import open_books, read_opening
from reconciler.sandboxes.serving.registry import load_sandbox
from reconciler.sandboxes.serving.switches import SWITCHES, Switches
from reconciler.sandboxes.serving.vendor import Sandbox

if TYPE_CHECKING:
    import uvicorn

READY_SECONDS = 30


def application(
    sandbox: Sandbox | str,
    store: Path | None = None,
    switches: Mapping[str, str] | None = None,
    seed: Path | Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    log: Path | None = None,
) -> Door:
    """The ASGI application of a sandbox; close it when done. Raises BadSwitch, BadOpening, BooksUnusable.

    `store`: the file of its books, made when it does not exist; None: in memory. `seed`: opening data for new
    books, a file or what one says.
    """
    clock = clock or SystemClock()
    found = load_sandbox(sandbox) if isinstance(sandbox, str) else sandbox
    set_to = Switches.of((*SWITCHES, *found.switches), switches)
    opening = read_opening(seed) if isinstance(seed, Path) else seed
    books = Books(store, clock, found.settings(set_to))
    try:
        open_books(books, opening)
        return Door(Application(found, books, set_to, clock), RequestLog(log))
    except BaseException:
        books.close()
        raise


class Running:
    """A sandbox in a thread of this process. `stop` it, or use it as a context."""

    def __init__(self, door: Door, port: int = 0) -> None:
        self.door = door
        self._listening = _listen(port)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._server = _server(door)
        self._thread = threading.Thread(target=self._serve, name="sandbox-server", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        if not self._server.started:
            raise ReconcilerError("the sandbox's server did not start")

    def _serve(self) -> None:
        self._server.run(sockets=[self._listening])

    @property
    def application(self) -> Application:
        return self.door.application

    @property
    def switches(self) -> Switches:
        return self.application.switches

    @property
    def books(self) -> Books:
        """The books themselves, for a colleague's own work and for tests. Call `settle` before looking."""
        return self.application.books

    @property
    def log(self) -> RequestLog:
        return self.door.log

    @property
    def connection(self) -> dict[str, str]:
        """What a connection presents: credentials and ids."""
        return dict(self.application.sandbox.connection(self.switches))

    def settle(self) -> int:
        """Carry out what has fallen due; how much."""
        return self.application.settle()

    def stop(self) -> None:
        """End the server and close the books; what is not yet due stays in the file. Twice does no harm."""
        if not self._thread.is_alive():
            return
        self._server.should_exit = True
        self._thread.join(READY_SECONDS)
        self._listening.close()
        self.door.close()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    sandbox: Sandbox | str,
    *,
    store: Path | None = None,
    switches: Mapping[str, str] | None = None,
    seed: Path | Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    port: int = 0,
    log: Path | None = None,
) -> Running:
    """Serve a sandbox from a thread of this process, on a free port by default. See `application`."""
    _check_installed()
    door = application(sandbox, store, switches, seed, clock, log)
    try:
        return Running(door, port)
    except BaseException:
        door.close()
        raise


class RunningProcess:
    """A sandbox in a process of its own. `stop` it, or use it as a context."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def stop(self) -> None:
        """End it orderly."""
        self.process.terminate()
        self._wait()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self._wait()

    def _wait(self) -> None:
        self.process.wait(READY_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> RunningProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()


def start_process(name: str, *arguments: str) -> RunningProcess:
    """`python -m reconciler.sandboxes.serving NAME …`, ready to be asked."""
    _check_installed()
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.sandboxes.serving", name, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    if not url:
        process.wait(READY_SECONDS)
        process.stdout.close()
        raise ReconcilerError(f"the sandbox {name} did not start")
    return RunningProcess(process, url)


def _check_installed() -> None:
    if importlib.util.find_spec("uvicorn") is None:
        raise ReconcilerError("a sandbox needs a web server", hint="In your clone: pip install '.[sandbox]'")


def _listen(port: int) -> socket.socket:
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise ReconcilerError(f"port {port} cannot be served on: {error.strerror}") from None
    return listening


def _server(door: Door) -> uvicorn.Server:
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Cuttable(H11Protocol):
        """Gives the application the connection, so that it can be cut."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.app_state = {**self.app_state, "transport": transport}

    config = uvicorn.Config(
        door,
        http=Cuttable,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)

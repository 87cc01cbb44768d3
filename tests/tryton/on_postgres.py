"""The real trytond on the real PostgreSQL: what SQLite cannot show, as its 503 when transactions collide.

trytond needs psycopg for it, which only its own process imports. The books are set up once for a version of
everything and kept as a dump beside the other prepared databases; each test begins with a copy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reconciler.sandboxes.tryton import books
from reconciler.sandboxes.tryton.packages import installed_versions
from reconciler.sandboxes.tryton.preparing import PASSWORD, USER, cache_folder, initialise, locked, set_up
from reconciler.sandboxes.tryton.process import ServerProcess, ServerSettings, start_server
from reconciler.sandboxes.tryton.rpc import TrytonRpc
from tests.postgres.server import PostgresServer, programs

DRIVER = "psycopg"
_SOURCES = ("books.py", "preparing.py", "rpc.py")


@dataclass(frozen=True, slots=True)
class TrytonOnPostgres:
    """A running trytond, and the PostgreSQL database it keeps its books in."""

    postgres: PostgresServer
    database: str
    process: ServerProcess
    user: str = USER
    password: str = PASSWORD

    @property
    def url(self) -> str:
        return self.process.url

    def rpc(self) -> TrytonRpc:
        """A logged-in session that shares no code with our provider."""
        rpc = TrytonRpc(self.url, self.database)
        rpc.login(self.user, self.password)
        return rpc


def missing() -> str:
    """Why there can be no such server here; empty when there can."""
    if importlib.util.find_spec(DRIVER) is None:
        return f"trytond cannot speak to PostgreSQL here: install {DRIVER}[binary,pool]"
    folder = programs()
    if folder is None or not (folder / "pg_restore").is_file():
        return "PostgreSQL's pg_dump and pg_restore are not here"
    return ""


def settings(postgres: PostgresServer, folder: Path) -> ServerSettings:
    login = f"{postgres.user}:{postgres.password}@{postgres.host}:{postgres.port}"
    return ServerSettings(folder, uri=f"postgresql://{login}/")


def serve(postgres: PostgresServer, database: str, folder: Path) -> TrytonOnPostgres:
    return TrytonOnPostgres(postgres, database, start_server(settings(postgres, folder), database))


def restore(postgres: PostgresServer, database: str) -> None:
    """Make a database with fresh books; a dump of them is made first where there is none yet."""
    dump = _prepared(postgres)
    postgres.sql(f"CREATE DATABASE {database}")
    _run(postgres, "pg_restore", "--jobs=2", "--no-owner", f"--dbname={database}", str(dump))


def _prepared(postgres: PostgresServer) -> Path:
    file = cache_folder() / f"postgres-{_fingerprint(postgres)}.dump"
    if file.exists():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            with tempfile.TemporaryDirectory(prefix="making-", dir=file.parent) as work:
                _make(postgres, Path(work), file)
    return file


def _make(postgres: PostgresServer, work: Path, file: Path) -> None:
    name = "being_set_up"
    postgres.sql(f"CREATE DATABASE {name}")
    try:
        initialise(settings(postgres, work), name)
        set_up(settings(postgres, work), name)
        _run(postgres, "pg_dump", "--format=custom", f"--file={work / 'dump'}", name)
        (work / "dump").replace(file)
    finally:
        postgres.sql(f"DROP DATABASE {name} WITH (FORCE)")


def _fingerprint(postgres: PostgresServer) -> str:
    """Changes with any version, with the code that sets up the books, and with the years they cover."""
    ((release,),) = postgres.sql("SHOW server_version")
    parts = [str(release), str(books.last_year())]
    parts += [f"{name}={number}" for name, number in sorted(installed_versions().items())]
    digest = hashlib.sha256("\n".join(parts).encode())
    for source in _SOURCES:
        digest.update(Path(books.__file__).with_name(source).read_bytes())
    return digest.hexdigest()[:16]


def _run(postgres: PostgresServer, program: str, *arguments: str) -> None:
    folder = programs()
    assert folder is not None
    address = [f"--host={postgres.host}", f"--port={postgres.port}", f"--username={postgres.user}"]
    subprocess.run(
        [str(folder / program), *address, *arguments],
        check=True,
        env={**os.environ, "PGPASSWORD": postgres.password},
    )

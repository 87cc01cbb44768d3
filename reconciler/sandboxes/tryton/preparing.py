"""The database to begin with: initialised and set up once per version, kept in a cache, copied for each use.

Making it takes some 20 seconds; a copy some milliseconds. The copy is made by SQLite's backup: Tryton's files
are in WAL mode, where copying the file alone loses the latest rows.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from reconciler.sandboxes.tryton.books import first_day, last_year, set_up_books
from reconciler.sandboxes.tryton.packages import MODULES, installed_versions, program
from reconciler.sandboxes.tryton.process import ServerFailed, ServerSettings, environment, start_server
from reconciler.sandboxes.tryton.rpc import TrytonRpc

CACHE_VARIABLE = "RECONCILER_TRYTON_CACHE"
WORKING_NAME = "new"
USER, PASSWORD = "admin", "admin"
_INITIALISERS, _MAKERS = ("preparing.py",), ("books.py", "preparing.py", "rpc.py")


def cache_folder() -> Path:
    """RECONCILER_TRYTON_CACHE, else `reconciler/tryton` in XDG_CACHE_HOME or ~/.cache."""
    if chosen := os.environ.get(CACHE_VARIABLE):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "reconciler" / "tryton"


def prepared_database(cache: Path | None = None) -> Path:
    """The cached file, made first if need be by whichever process gets the lock; the others wait for it.

    Raises TrytonMissing, or ServerFailed.
    """
    years = f"{first_day():%Y}-{last_year()}"
    return _cached(cache or cache_folder(), f"books-{_fingerprint(_MAKERS, years)}", _make_books)


def _initialised_database(folder: Path) -> Path:
    """Kept apart, because it takes most of the time and does not change with the set-up."""
    return _cached(folder, f"initialised-{_fingerprint(_INITIALISERS)}", _make_initialised)


def _fingerprint(sources: tuple[str, ...], *more: str) -> str:
    """Changes with any version and with the code that makes the database."""
    digest = hashlib.sha256("\n".join(more).encode())
    for name, number in sorted(installed_versions().items()):
        digest.update(f"{name}={number}\n".encode())
    for source in sources:
        digest.update(Path(__file__).with_name(source).read_bytes())
    return digest.hexdigest()[:16]


def _cached(folder: Path, name: str, make: Callable[[Path, Path], None]) -> Path:
    file = folder / f"{name}.sqlite"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / f"{name}.lock"):
        if not file.exists():
            with tempfile.TemporaryDirectory(prefix="making-", dir=folder) as work:
                made = Path(work) / f"{WORKING_NAME}.sqlite"
                make(folder, made)
                copy_database(made, Path(work) / "done")
                (Path(work) / "done").replace(file)
    return file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file for all processes of this machine."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a SQLite database, even of one in use."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def initialise(settings: ServerSettings, database: str) -> None:
    """Make Tryton's tables and activate the modules; the database exists and is empty. Raises ServerFailed."""
    secret = settings.folder / "password"
    secret.write_text(f"{PASSWORD}\n")
    command = [
        *(sys.executable, program("trytond-admin"), "-c", str(settings.write(port=8000)), "-d", database),
        *("--email", "admin@company.example", "-u", *MODULES, "--activate-dependencies"),
    ]
    run = subprocess.run(
        command, env=environment({"TRYTONPASSFILE": str(secret)}), capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise ServerFailed(f"trytond-admin failed:\n{run.stdout[-1000:]}{run.stderr[-3000:]}")


def _make_initialised(_: Path, file: Path) -> None:
    file.touch()
    initialise(ServerSettings(file.parent), file.stem)


def _make_books(folder: Path, file: Path) -> None:
    copy_database(_initialised_database(folder), file)
    set_up(ServerSettings(file.parent), file.stem)


def set_up(settings: ServerSettings, database: str) -> None:
    """Give an initialised database its company and books, over RPC."""
    server = start_server(settings, database)
    try:
        with TrytonRpc(server.url, database) as rpc:
            rpc.login(USER, PASSWORD)
            set_up_books(rpc, USER, PASSWORD)
    finally:
        server.stop()

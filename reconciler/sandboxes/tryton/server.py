"""`TrytonServer`: a real Tryton with books ready for accounts receivable, for tests and to play with."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from reconciler.sandboxes.tryton.preparing import PASSWORD, USER, copy_database, prepared_database
from reconciler.sandboxes.tryton.process import ServerProcess, ServerSettings, start_server
from reconciler.sandboxes.tryton.rpc import TrytonRpc


class TrytonServer:
    """A running trytond whose files are in one folder: `DATABASE.sqlite`, `trytond.conf`, `trytond.log`.

    Not for several threads. It ends with the process that started it, however that ends.
    """

    def __init__(
        self, settings: ServerSettings, database: str, process: ServerProcess, *, cache: Path | None = None
    ) -> None:
        self._settings = settings
        self._cache = cache
        self._file = settings.folder / f"{database}.sqlite"
        self._process = process
        self.database = database
        self.user = USER
        self.password = PASSWORD

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        database: str = "books",
        cache: Path | None = None,
        port: int = 0,
        session_seconds: int = 86_400,
    ) -> Self:
        """Serve `folder/DATABASE.sqlite`, which becomes a copy of the prepared books where it does not exist.

        Raises TrytonMissing when the extra is not installed, ServerFailed with its log's end when it fails.
        """
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{database}.sqlite"
        if not file.exists():
            copy_database(prepared_database(cache), file)
        settings = ServerSettings(folder, session_seconds=session_seconds)
        return cls(settings, database, start_server(settings, database, port=port), cache=cache)

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, the same after a restart."""
        return self._process.url

    @property
    def log(self) -> Path:
        return self._process.log

    @property
    def pid(self) -> int:
        """Of the process that keeps trytond; its only child is trytond."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.running

    def stop(self) -> None:
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would; what was committed stays in the file."""
        self._process.kill()

    def restart(self) -> None:
        """Stop it if it runs, and serve the same database on the same port."""
        self.stop()
        self._process = start_server(self._settings, self.database, port=self._process.port)

    def save(self, file: Path) -> None:
        """A consistent copy of the database, to begin from again; also while the server runs."""
        copy_database(self._file, file)

    def reset(self, source: Path | None = None) -> None:
        """Begin again from `source`, or from the prepared books, on the same port.

        The server is started anew: it keeps caches by record ids, which another database uses for other records.
        """
        self.kill()
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        copy_database(source or prepared_database(self._cache), self._file)
        self.restart()

    def rpc(self) -> TrytonRpc:
        """A logged-in session that shares no code with our provider."""
        rpc = TrytonRpc(self.url, self.database)
        rpc.login(self.user, self.password)
        return rpc

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

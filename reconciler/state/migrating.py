"""Brings a state's layout to this version's, with a backup first; refuses newer and damaged layouts."""

from __future__ import annotations

from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import StateError, StateTooNew
from reconciler.state import statements
from reconciler.state.backend import Backend
from reconciler.state.locking import locked, read_lock
from reconciler.state.schema import MIGRATIONS, SCHEMA_VERSION, TABLES
from reconciler.state.transacting import damaged, only_row, transact


def lay_out(backend: Backend) -> None:
    """All tables, in an empty database. Inside a transaction that writes."""
    _run(backend, 0)


def migrate(backend: Backend, clock: Clock) -> list[str]:
    """Raise the schema to SCHEMA_VERSION where needed; what to tell the user.

    Raises StateTooNew, StateLocked (never under a run of the older version) and StateError.
    """
    with transact(backend):
        version = _version(backend)
    if version == SCHEMA_VERSION:
        return []
    if version > SCHEMA_VERSION:
        raise StateTooNew(
            f"the state {backend.place} was written by a newer version of reconciler",
            why=f"Its schema is version {version}; this version knows schemas up to {SCHEMA_VERSION}.",
            hint="Upgrade reconciler; or restore the backup that was made before the state was migrated.",
        )
    kept = backend.backup(f"v{version}.backup")
    with transact(backend, write=True):
        version = _version(backend)
        held, _ = read_lock(backend)
        if held is not None and held.expires_at > instant_text(backend.now(clock)):
            raise locked(held)
        _run(backend, version)
    return [
        f"The state was migrated from schema {version} to {SCHEMA_VERSION}; before that it was copied to {kept}."
    ]


def check_layout(backend: Backend) -> None:
    """Raises StateError when tables are missing."""
    with transact(backend):
        missing = sorted(TABLES - backend.tables())
    if missing:
        raise damaged(backend.place, f"It has no table {' and no table '.join(missing)}.")


def _run(backend: Backend, version: int) -> None:
    for migration in MIGRATIONS[version:]:
        for statement in migration:
            backend.run(statement)


def _version(backend: Backend) -> int:
    if "schema_version" not in backend.tables():
        where = "schema" if backend.place.startswith("postgresql:") else "path"
        raise StateError(
            f"the state {backend.place} cannot be used: it is a database of something else",
            why="It has no schema version.",
            hint=f"Is `state: {where}:` in reconciler.yaml right?",
        )
    (version,) = only_row(backend, "schema_version", statements.VERSION)
    if type(version) is not int or version < 1:
        raise damaged(backend.place, f"Its schema version is {version!r}.")
    return version

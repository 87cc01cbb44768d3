"""Opens the state that a project's `reconciler.yaml` names, wherever it is."""

from __future__ import annotations

from reconciler.kernel.clock import Clock
from reconciler.kernel.plain import printable
from reconciler.project import Project, StateConfig, secret_of
from reconciler.state.judging import Opened


def open_state(project: Project, clock: Clock) -> Opened:
    """Raises StateError, StateTooNew, StateLocked, or InvalidInput when the environment lacks the URL."""
    return open_at(project, project.state, clock)


def open_at(project: Project, config: StateConfig, clock: Clock) -> Opened:
    """The same, at a place other than the project's own."""
    if config.backend == "sqlite":
        from reconciler.state.opening import open_store

        return open_store(config.path, project.id, clock)
    from reconciler.state.postgres_location import read_location
    from reconciler.state.postgres_opening import open_postgres

    location = read_location(secret_of(config), config.schema)
    return open_postgres(location, project.id, clock, config.path)


def look_at(config: StateConfig) -> tuple[bool, str]:
    """Whether anything is at a place, and how it is called; nothing is made. Raises StateError or InvalidInput."""
    if config.backend == "sqlite":
        return config.path.exists(), printable(str(config.path))
    from reconciler.state.postgres import PostgresBackend
    from reconciler.state.postgres_location import read_location

    location = read_location(secret_of(config), config.schema)
    backend = PostgresBackend(location)
    try:
        with backend.transaction(write=False):
            return bool(backend.tables()), location.place
    finally:
        backend.close()

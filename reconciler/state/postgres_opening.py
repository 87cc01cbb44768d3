"""Finds, makes, migrates and checks a project's PostgreSQL state, shared by any number of folders and machines.

Each folder keeps a marker of its own, of what it last saw: a database restored from a backup is noticed by
whoever saw more. A fresh clone has seen nothing; the plan it carries has.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from reconciler.kernel.clock import AnchoredClock, Clock
from reconciler.state.judging import Opened, epoch_writes, first_epoch, judge
from reconciler.state.marker import Marker, Seen
from reconciler.state.migrating import check_layout, migrate
from reconciler.state.postgres import PostgresBackend, Timekeeper
from reconciler.state.postgres_location import PostgresLocation
from reconciler.state.store import SqlStore
from reconciler.state.transacting import transact


def open_postgres(
    location: PostgresLocation,
    project_id: str,
    clock: Clock,
    marker_path: Path,
    *,
    timekeeper: Timekeeper | None = None,
) -> Opened:
    """The state at `location`, made when there is none. Raises StateError, StateTooNew or StateLocked.

    The marker is `marker_path` with `.head` after it. Its runs go by the database's time.
    """
    marker = Marker(marker_path, clock)
    with suppress(OSError):
        marker_path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    marker.tidy()
    seen = marker.read()
    if seen is not None and seen.project != project_id:
        seen = None
    backend = PostgresBackend(location, timekeeper=timekeeper)
    try:
        with transact(backend):
            shared = AnchoredClock(clock, backend.now(clock))
            there = backend.tables()
        notices = [] if there else _create(backend, project_id, shared, seen)
        created = bool(notices)
        notices += migrate(backend, shared)
        check_layout(backend)
        store = SqlStore(backend, shared, marker)
        notices += judge(store, backend.place, project_id, None if created else seen, shared)
    except BaseException:
        backend.close()
        raise
    return Opened(store, tuple(notices), shared)


def _create(backend: PostgresBackend, project_id: str, clock: Clock, seen: Seen | None) -> list[str]:
    """Make a state, whole or not at all; what to tell the user, nothing when somebody else was quicker."""
    backend.make_schema()
    epoch, reason, notice = first_epoch(backend.place, seen)
    lineage = secrets.token_hex(16)
    made = SqlStore(backend, clock).initialise(lineage, project_id, epoch_writes(epoch, reason, lineage, clock))
    return [notice] if made else []

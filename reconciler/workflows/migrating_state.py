"""Moving a whole state to another backend: copied, compared row by row, then the old place is closed for good.

The copy is complete and verified before the old place is marked; interrupted in between, the same command
finishes. What is left behind is intact but for its last history entry, which says where the state went: opened
again, it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.kernel.canonical import digest
from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import InvalidInput, StateError
from reconciler.project import Project, StateConfig
from reconciler.state.contents import Contents, differences
from reconciler.state.history import verify_history
from reconciler.state.judging import MOVED
from reconciler.state.model import AppendHistory
from reconciler.state.places import look_at, open_at
from reconciler.state.protocol import Store
from reconciler.workflows.stating import export
from reconciler.workflows.tending import locked


@dataclass(frozen=True, slots=True)
class Migrated:
    """From where to where; rows per table; the digest both sides have. `finished`: only the mark was left."""

    origin: str
    destination: str
    rows: Mapping[str, int]
    digest: str
    finished: bool = False


def migrate_state(
    project: Project, store: Store, to: StateConfig, clock: Clock, *, dry_run: bool = False
) -> Migrated:
    """Copy the state to `to`, which must hold none. Raises StateError, StateLocked or InvalidInput."""
    there, place = look_at(to)
    with locked(store, "state migrate") as lease:
        if problems := verify_history(store):
            raise StateError("the state's history does not hold: it is not moved", why=problems[0])
        contents = store.contents()
        sealed = digest(contents.digests())
        if dry_run and not there:
            return Migrated(store.place, place, contents.counts(), sealed)
        target = open_at(project, to, clock).store
        try:
            if target.lock_info() == lease.info:
                raise InvalidInput("the state is already there", hint="--to names the place it has now.")
            finished = _is_already_there(contents, target)
            if not dry_run:
                if not finished:
                    target.replace(contents, [], fence=None, fence_floor=lease.fence)
                _check(store, contents, target)
                facts = {
                    "at": instant_text(clock.now()),
                    "by": lease.info.holder.partition(" (")[0],
                    "to": target.place,
                }
                entry = AppendHistory({"event": MOVED, **facts, "digest": sealed})
                store.commit([entry], fence=lease.fence)
            return Migrated(store.place, target.place, contents.counts(), sealed, finished)
        finally:
            target.close()


def _is_already_there(contents: Contents, target: Store) -> bool:
    """Whether an interrupted run copied everything. Raises StateError when something else is there."""
    there = target.contents()
    if there.is_new:
        return False
    if not differences(contents, there):
        return True
    raise StateError(
        f"the state {target.place} is not empty",
        why=f"Its history has {there.meta('serial')} entries; a state is only moved to where there is none.",
        hint="Name another place; or remove what is there, if it is certainly not needed.",
    )


def _check(store: Store, contents: Contents, target: Store) -> None:
    """Raises StateError unless the copy equals the original, row by row and as both export."""
    problems = differences(contents, target.contents()) or verify_history(target)
    if not problems and export(store) != export(target):
        problems = ["they export differently"]
    if problems:
        raise StateError(
            f"the copy in {target.place} is not what it was copied from",
            why=problems[0],
            hint="Nothing was changed in the state that is in use. Remove the copy, and try again.",
        )

"""Finds, makes, migrates and checks a project's SQLite state, and begins an epoch when its past is in doubt.

An epoch begins when a state is new, lost (the marker remembers one that is not here) or older than the
marker: each says so in a notice. Nothing here reads a binding or knows what is posted.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.marker import Marker, Seen
from reconciler.state.migrating import check_layout, create_layout, migrate
from reconciler.state.model import AppendHistory, Meta, NewEpoch, Write
from reconciler.state.protocol import Store
from reconciler.state.sqlite import SIDE_FILES, SqliteBackend, create_private, sync_folder
from reconciler.state.store import SqlStore

_CARE = (
    "Records in the ERP that carry this project's tag are bound again; creates that nothing in the ERP would "
    "recognise (class D) wait for `reconciler recover --confirm-absent`."
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open state, and what the user must be told about it. Whoever opens it closes the store."""

    store: Store
    notices: tuple[str, ...]


def open_store(path: Path, project_id: str, clock: Clock) -> Opened:
    """The state at `path`, made when there is none. Raises StateError, StateTooNew or StateLocked."""
    place = _located(path)
    with _alone(place.parent):
        marker = Marker(place, clock)
        marker.tidy()
        _tidy(place)
        seen = marker.read()
        if seen is not None and seen.project != project_id:
            seen = None
        created = not _check_file(place)
        notices = [_create(place, project_id, clock, seen)] if created else []
        backend = SqliteBackend(place)
        try:
            notices += migrate(backend, clock)
            check_layout(backend)
            store = SqlStore(backend, clock, marker)
            meta = store.meta()
            if meta.project != project_id:
                raise _foreign(place, meta, project_id)
            if seen is not None and not created:
                notices += _doubts(store, meta, seen, place, clock)
            store.announce_head()
        except BaseException:
            backend.close()
            raise
    return Opened(store, tuple(notices))


# ---- the file ---------------------------------------------------------------------------------------------


def _located(path: Path) -> Path:
    """The file itself, links followed; its folder is made when missing, for this user alone."""
    if "\0" in str(path):
        raise _unusable(path, "its name has a null byte")
    try:
        folder = path.parent
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        return path.resolve(strict=True) if os.path.lexists(path) else folder.resolve(strict=True) / path.name
    except FileNotFoundError as error:
        raise _unusable(path, "it is a link to a file that does not exist") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise _unusable(path, _reason(error)) from error


def _check_file(place: Path) -> bool:
    """Whether there is a database at `place`. Raises StateError for anything else that is there."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(place, _reason(error)) from error
    # The file is not opened here: closing it would drop the locks of this process's other connections to it.
    if stat.S_ISDIR(status.st_mode):
        raise _unusable(place, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise _unusable(place, "it is not a regular file")
    if not os.access(place, os.R_OK | os.W_OK):
        raise _unusable(place, _reason(PermissionError()))
    if not status.st_size:
        raise _unusable(place, "it is empty", hint=_RESTORE)
    if status.st_size < 512:
        raise _unusable(place, "it is too short to be a state", hint=_RESTORE)
    return True


_RESTORE = "Restore it from a backup, or move it away: what was posted is then bound again by its tag."


def _unusable(path: Path, why: str, hint: str = "") -> StateError:
    return StateError(f"the state {printable(str(path))} cannot be used: {why}", hint=hint)


def _reason(error: Exception) -> str:
    words: dict[type[Exception], str] = {
        PermissionError: "this user may not read and write it, or not enter its folder",
        NotADirectoryError: "a part of its path is a file, not a folder",
        FileExistsError: "a part of its path is a file, not a folder",
    }
    known = words.get(type(error))
    if known is None and isinstance(error, OSError) and error.strerror:
        known = error.strerror[0].lower() + error.strerror[1:]
    if known is None and isinstance(error, RuntimeError):
        known = "too many levels of symbolic links"
    return known or printable(str(error), 200)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes, migrates or judges a state; where folders cannot be locked, without that."""
    descriptor = -1
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


# ---- making one -------------------------------------------------------------------------------------------


def _create(place: Path, project_id: str, clock: Clock, seen: Seen | None) -> str:
    """Make a state that is there whole or not at all, in its first epoch; what to tell the user."""
    if seen is None:
        epoch, reason = 1, "new"
        notice = f"A new state was made at {printable(str(place))}: epoch 1 begins. {_CARE}"
    else:
        epoch, reason = seen.epoch + 1, "lost"
        notice = (
            f"The state {printable(str(place))} is gone (its history had {seen.serial} entries when last seen); "
            f"a new one was made: epoch {epoch} begins. {_CARE}"
        )
    lineage = secrets.token_hex(16)
    unfinished = _unfinished(place)
    try:
        for name in SIDE_FILES:
            place.with_name(place.name + name).unlink(missing_ok=True)
        create_private(unfinished)
        backend = SqliteBackend(unfinished, journal="delete")
        try:
            create_layout(backend)
            writes = _epoch_writes(epoch, reason, lineage, clock)
            SqlStore(backend, clock).initialise(lineage, project_id, writes)
        finally:
            backend.close()
        _put_in_place(unfinished, place)
    except OSError as error:
        raise _unusable(place, _reason(error)) from error
    return notice


def _unfinished(place: Path) -> Path:
    return place.with_name(f"{place.name}.new")


def _tidy(place: Path) -> None:
    """Remove what an interrupted making left."""
    unfinished = _unfinished(place)
    with suppress(OSError):
        for name in ("", *SIDE_FILES):
            unfinished.with_name(unfinished.name + name).unlink(missing_ok=True)


def _put_in_place(unfinished: Path, place: Path) -> None:
    """Give the file its name, never in place of another's."""
    try:
        os.link(unfinished, place)
    except FileExistsError:
        unfinished.unlink()
    except OSError:  # a file system without hard links: `_alone` has to do
        os.rename(unfinished, place)
    else:
        unfinished.unlink()
    sync_folder(place.parent)


# ---- judging one ------------------------------------------------------------------------------------------


def _doubts(store: SqlStore, meta: Meta, seen: Seen, place: Path, clock: Clock) -> list[str]:
    """Begin an epoch when the marker remembers what this state does not; what to tell the user."""
    if seen.lineage == meta.lineage and store.has_head(seen.head):
        return []
    epoch = max(meta.epoch, seen.epoch) + 1
    if seen.lineage != meta.lineage:
        reason = "lost"
        what = f"The state {printable(str(place))} is another one than was last seen here"
    else:
        reason = "restored"
        what = (
            f"The state {printable(str(place))} is older than when last seen (its history has {meta.serial} "
            f"entries and misses entry {seen.serial}): it was restored from a backup"
        )
    store.begin_epoch(_epoch_writes(epoch, reason, meta.lineage, clock), fence_floor=seen.fence)
    return [f"{what}; epoch {epoch} begins. {_CARE}"]


def _epoch_writes(epoch: int, reason: str, lineage: str, clock: Clock) -> list[Write]:
    entry = {
        "at": instant_text(clock.now()),
        "epoch": epoch,
        "event": "epoch",
        "lineage": lineage,
        "reason": reason,
    }
    return [NewEpoch(reason, unconfirmed=True, at_least=epoch), AppendHistory(entry)]


def _foreign(place: Path, meta: Meta, project_id: str) -> StateError:
    return StateError(
        f"the state {printable(str(place))} belongs to another project",
        why=f"Its project id is {printable(meta.project, 60)}; this project's is {printable(project_id, 60)}.",
        hint="Is `state: path:` in reconciler.yaml right? Each project needs a state of its own.",
    )

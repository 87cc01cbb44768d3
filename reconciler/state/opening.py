"""Finds, makes, migrates and checks a project's SQLite state. Whether its past can be trusted is `judging`'s.

Nothing here reads a binding or knows what is posted.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.kernel.clock import Clock
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.judging import Opened, epoch_writes, first_epoch, judge
from reconciler.state.marker import Marker, Seen
from reconciler.state.migrating import check_layout, migrate
from reconciler.state.sqlite import SIDE_FILES, SqliteBackend, create_private, sync_folder
from reconciler.state.store import SqlStore


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
            notices += judge(store, backend.place, project_id, None if created else seen, clock)
        except BaseException:
            backend.close()
            raise
    return Opened(store, tuple(notices), clock)


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
    epoch, reason, notice = first_epoch(printable(str(place)), seen)
    lineage = secrets.token_hex(16)
    unfinished = _unfinished(place)
    try:
        for name in SIDE_FILES:
            place.with_name(place.name + name).unlink(missing_ok=True)
        create_private(unfinished)
        backend = SqliteBackend(unfinished, journal="delete")
        try:
            writes = epoch_writes(epoch, reason, lineage, clock)
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

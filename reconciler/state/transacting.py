"""A transaction whose failures are all StateError: what the database says, what was read and cannot be,
what was offered and cannot be stored. Used by everything in this package that touches a backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.backend import Backend, Row
from reconciler.state.shapes import MalformedRow


@contextmanager
def transact(backend: Backend, *, write: bool = False) -> Iterator[None]:
    """One transaction of `backend`; rolled back when anything is raised inside."""
    try:
        with backend.transaction(write=write):
            yield
    except MalformedRow as error:
        raise damaged(backend.place, str(error)) from error
    except (ValueError, TypeError, OverflowError) as error:
        if not write:
            raise
        why = f"{type(error).__name__}: {printable(str(error), 200)}"
        raise StateError("a value cannot be stored in the state", why=why) from error


def only_row(backend: Backend, table: str, statement: str) -> Row:
    """The row of a table that always has exactly one."""
    found = list(backend.query(statement))
    if len(found) != 1:
        raise MalformedRow(table, f"it has {len(found)} rows instead of one")
    return found[0]


def damaged(place: str, why: str) -> StateError:
    """What to say of a state that cannot be read."""
    return StateError(
        f"the state {place} is damaged",
        why=why,
        hint="Restore it from a backup, or move it away: what was posted is then bound again by its tag.",
    )

"""Judges a state that was found or made: whose it is, and whether its past is the one last seen from here.

An epoch begins when a state is new, lost (the marker remembers one that is not here) or older than the
marker: each says so in a notice. A state that was moved elsewhere is refused. For every backend; reads no binding.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.clock import Clock, instant_text
from reconciler.kernel.errors import StateError
from reconciler.kernel.plain import printable
from reconciler.state.marker import Seen
from reconciler.state.model import AppendHistory, Meta, NewEpoch, Write
from reconciler.state.protocol import Store
from reconciler.state.store import SqlStore

_NEW = (
    "It remembers which records in the books are this project's; what an earlier state of it made, if there was "
    "one, is recognised by its tag and bound again."
)
MOVED = "moved"
"""The event of the last entry a state gets: it goes on elsewhere."""

_CARE = (
    "Records in the ERP that carry this project's tag are bound again; creates that nothing in the ERP would "
    "recognise (class D) wait for `reconciler recover --confirm-absent`."
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An open state, and what the user must be told about it. Whoever opens it closes the store.

    `clock`: the time its runs go by; where machines share a state, one for them all.
    """

    store: Store
    notices: tuple[str, ...]
    clock: Clock


def first_epoch(place: str, seen: Seen | None) -> tuple[int, str, str]:
    """The epoch a state made now begins in, why, and what to tell the user."""
    if seen is None:
        return 1, "new", f"A new state was made at {place}. {_NEW}"
    epoch = seen.epoch + 1
    notice = (
        f"The state {place} is gone (its history had {seen.serial} entries when last seen); "
        f"a new one was made: epoch {epoch} begins. {_CARE}"
    )
    return epoch, "lost", notice


def judge(store: SqlStore, place: str, project_id: str, seen: Seen | None, clock: Clock) -> list[str]:
    """Refuse what is not this project's or has moved away; begin an epoch when the marker remembers what the
    state does not. What to tell the user."""
    meta = store.meta()
    if meta.project != project_id:
        raise _foreign(place, meta, project_id)
    refuse_moved(store, meta, place)
    notices = _doubts(store, meta, seen, place, clock) if seen is not None else []
    store.announce_head()
    return notices


def refuse_moved(store: SqlStore, meta: Meta, place: str) -> None:
    """Raises StateError when the state's last word is that it goes on elsewhere."""
    try:
        entry = parse_canonical(store.last_entry(meta.serial))
    except (ValueError, RecursionError):
        return  # a damaged history is for `history verify` to tell
    if isinstance(entry, dict) and entry.get("event") == MOVED:
        raise StateError(
            f"the state {place} was moved to {printable(str(entry.get('to')), 200)} at {entry.get('at')}",
            why="What is here is the copy that was left behind; runs since then are not in it.",
            hint="Name the new place under `state:` in reconciler.yaml.",
        )


def _doubts(store: SqlStore, meta: Meta, seen: Seen, place: str, clock: Clock) -> list[str]:
    """Begin an epoch when the marker remembers what this state does not; what to tell the user."""
    if seen.lineage == meta.lineage and store.has_head(seen.head):
        return []
    epoch = max(meta.epoch, seen.epoch) + 1
    if seen.lineage != meta.lineage:
        reason = "lost"
        what = f"The state {place} is another one than was last seen here"
    else:
        reason = "restored"
        what = (
            f"The state {place} is older than when last seen (its history has {meta.serial} "
            f"entries and misses entry {seen.serial}): it was restored from a backup"
        )
    store.begin_epoch(epoch_writes(epoch, reason, meta.lineage, clock), fence_floor=seen.fence)
    return [f"{what}; epoch {epoch} begins. {_CARE}"]


def epoch_writes(epoch: int, reason: str, lineage: str, clock: Clock) -> list[Write]:
    entry = {
        "at": instant_text(clock.now()),
        "epoch": epoch,
        "event": "epoch",
        "lineage": lineage,
        "reason": reason,
    }
    return [NewEpoch(reason, unconfirmed=True, at_least=epoch), AppendHistory(entry)]


def _foreign(place: str, meta: Meta, project_id: str) -> StateError:
    where = "schema" if place.startswith("postgresql:") else "path"
    return StateError(
        f"the state {place} belongs to another project",
        why=f"Its project id is {printable(meta.project, 60)}; this project's is {printable(project_id, 60)}.",
        hint=f"Is `state: {where}:` in reconciler.yaml right? Each project needs a state of its own.",
    )

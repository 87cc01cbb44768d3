"""The protocol every backend implements and `reconciler.testing` checks. Nothing only SQLite can do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.state.contents import Contents
from reconciler.state.model import (
    DocumentRow,
    GroupRow,
    HistoryRow,
    IntentRow,
    Meta,
    RunRow,
    StateView,
    Write,
)


@dataclass(frozen=True, slots=True)
class LockInfo:
    """Who holds the lock. `id` is what `force-unlock` asks for; instants are ISO texts in UTC."""

    id: str
    holder: str
    command: str
    acquired_at: str
    expires_at: str
    fence: int


class Lease(Protocol):
    """A held lock: a fencing number that no later holder shares, renewed while working."""

    @property
    def fence(self) -> int: ...

    @property
    def info(self) -> LockInfo: ...

    def remaining(self) -> float:
        """Seconds left, by the monotonic clock."""
        ...

    def renew(self) -> None:
        """Extend to the full term. Raises FenceLost when another run has taken over."""
        ...

    def release(self) -> None:
        """Give it back; never raises for a lock already lost."""
        ...


class Store(Protocol):
    """One project's state. Thread-safe. All methods raise StateError (or a subclass) when it cannot be used."""

    def meta(self) -> Meta: ...

    def view(self) -> StateView: ...

    def document_bodies(self, document_ids: Iterable[str]) -> Mapping[str, DocumentRow]:
        """Documents with `body` and `computed` loaded; unknown ids are left out."""
        ...

    def intent(self, key: str) -> IntentRow | None: ...

    def intents(self, *, plan_digest: str | None = None) -> Sequence[IntentRow]:
        """All intents, or those of one plan, oldest first."""
        ...

    def stages(self, key: str) -> Sequence[tuple[str, Mapping[str, str]]]: ...

    def attempt(self, document_id: str, operation_key: str) -> int:
        """The attempt a next request counts as; 1 at first."""
        ...

    def groups(self) -> Sequence[GroupRow]:
        """All groups, oldest first; `view` has those that are open."""
        ...

    def runs(self, *, plan_digest: str | None = None) -> Sequence[RunRow]: ...

    def history(self) -> Iterable[HistoryRow]: ...

    def has_head(self, head: str) -> bool:
        """Whether `head` is the hash of an entry of this history ('' is of every history)."""
        ...

    def commit(self, writes: Sequence[Write], *, fence: int) -> None:
        """Apply all writes, durably, or none. Raises FenceLost when `fence` is not the current lock's."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        ...

    def contents(self) -> Contents:
        """Every row of one snapshot: what a copy must have."""
        ...

    def replace(
        self, contents: Contents, writes: Sequence[Write], *, fence: int | None, fence_floor: int = 0
    ) -> None:
        """Put `contents` in place of everything, then carry out `writes`, durably, or neither.

        Under the lock whose fence is given, which stays held; without one, only where nothing ever happened, and
        every lease is void, later fences above `fence_floor`. Raises StateError or FenceLost.
        """
        ...

    def keep_copy(self, label: str) -> str:
        """Keep a consistent copy under a name that ends in `label`; returns where it is."""
        ...

    def acquire(self, *, holder: str, command: str, term_seconds: float) -> Lease:
        """Take the lock, or take over an expired one. Raises StateLocked, naming the holder."""
        ...

    def lock_info(self) -> LockInfo | None: ...

    def force_unlock(self, lock_id: str, *, by: str) -> None:
        """Remove the lock whose id is given and write it to the history. Raises StateError for another id."""
        ...

    def close(self) -> None: ...

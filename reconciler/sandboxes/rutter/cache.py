"""What Rutter has of the accounting software: models as they were when last synced or written through it.

Kept in the file; a copy in memory is read again when another process has changed it. Objects that a sync no
longer finds leave an event.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler.sandboxes.rutter.objects import TYPES
from reconciler.sandboxes.rutter.words import instant_of, new_id
from reconciler.sandboxes.serving.books import Books

Model = dict[str, Any]
EVENTS, STAMP = "rutter-events", "rutter-cache"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cached object. `own`: its key in the books; `place`: the order in which it was first seen.

    `before`: when it was synced before that, and as what.
    """

    own: str
    place: int
    synced: str
    model: Model
    before: tuple[str, Model] | None = None

    def shown(self) -> Model:
        """The object as answers have it."""
        return {**self.model, "last_synced_at": self.synced}

    def earlier(self, limit: str) -> Entry | None:
        """The state before, if it was there by `limit`."""
        if self.before is None or self.before[0] > limit:
            return None
        return Entry(self.own, self.place, *self.before)


def _bucket(path: str) -> str:
    return f"rutter-{path}"


class Cache:
    """The cache of one set of books. Use it alone with the books."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._stamp: Any = None
        self._entries: dict[str, dict[str, Entry]] = {}

    def entries(self, path: str) -> dict[str, Entry]:
        """Every cached object of a type by Rutter's id, in the order in which they were first seen."""
        stamp = self._books.shelf.get(STAMP, "stamp")
        if stamp != self._stamp:
            self._entries.clear()
            self._stamp = stamp
        if path not in self._entries:
            kept = self._books.shelf.all(_bucket(path))
            self._entries[path] = {
                key: Entry(
                    one["own"],
                    one["place"],
                    one["synced"],
                    one["model"],
                    tuple(one["before"]) if one["before"] else None,
                )
                for key, one in kept.items()
            }
        return self._entries[path]

    def get(self, path: str, identity: str) -> Entry | None:
        return self.entries(path).get(identity)

    def seen(self, path: str, stale_ms: int, since: str | None) -> list[Entry]:
        """What reads see: the objects as they were so long ago, as far as one state back is known.

        `since`: what was there at the end of the first sync is seen in any case.
        """
        entries = list(self.entries(path).values())
        if not stale_ms:
            return entries
        limit = max(instant_of(self._books.clock.now() - timedelta(milliseconds=stale_ms)), since or "")
        then = (entry if entry.synced <= limit else entry.earlier(limit) for entry in entries)
        return [entry for entry in then if entry is not None]

    def put(self, path: str, own: str, model: Model) -> Entry:
        """Write one object through."""
        return self._keep(path, {own: model})[0]

    def drop(self, path: str, identities: Iterable[str]) -> None:
        """Forget objects that are gone, and say so by events."""
        entries = self.entries(path)
        for identity in identities:
            entry = entries.pop(identity)
            self._books.shelf.drop(_bucket(path), identity)
            event = {
                "resource": TYPES[path].event_name,
                "type": "object_deleted",
                "data": {"id": identity, "platform_id": entry.model["platform_id"]},
                "last_synced_at": instant_of(self._books.clock.now()),
            }
            self._books.shelf.put(EVENTS, new_id(), event)
        self._moved()

    def sync(self, path: str, live: dict[str, Model]) -> None:
        """Make the cache of a type what the books say; `live` is by own key."""
        entries = self.entries(path)
        known = {entry.own: entry for entry in entries.values()}
        changed = {own: model for own, model in live.items() if own not in known or known[own].model != model}
        if changed:
            self._keep(path, changed)
        if gone := [identity for identity, entry in entries.items() if entry.own not in live]:
            self.drop(path, gone)

    def events(self) -> list[tuple[str, Model]]:
        """Id and content of every event, oldest first."""
        return list(self._books.shelf.all(EVENTS).items())

    def _keep(self, path: str, models: dict[str, Model]) -> list[Entry]:
        entries = self.entries(path)
        synced = instant_of(self._books.clock.now())
        values, made = {}, []
        for own, model in models.items():
            before = entries.get(model["id"])
            place = before.place if before else self._books.shelf.next("rutter-places")
            previous = (before.synced, before.model) if before else None
            entry = Entry(own, place, synced, model, previous)
            entries[model["id"]] = entry
            values[model["id"]] = {
                "own": own,
                "place": place,
                "synced": synced,
                "model": model,
                "before": previous,
            }
            made.append(entry)
        self._books.shelf.put_all(_bucket(path), values)
        self._moved()
        return made

    def _moved(self) -> None:
        self._stamp = new_id()
        self._books.shelf.put(STAMP, "stamp", self._stamp)

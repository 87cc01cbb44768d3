"""One connection as the engine uses it: looking things up and reading them back, in bounded batches.

Errors of a look-up are part of its answer: it is inconclusive, and says why. It sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.errors import ProviderError
from reconciler.providers.protocol import (
    Absent,
    Found,
    Inconclusive,
    Lookup,
    Observed,
    Probe,
    Provider,
    Query,
)

Live = tuple[str, str]
"""(kind, remote id)."""


@dataclass(frozen=True, slots=True)
class Books:
    """A connection: its provider, what it can do, and whether class C may be sent again after its window."""

    name: str
    provider: Provider
    capabilities: Capabilities
    resend_after_settle: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look-up said, and how fresh that is at least."""

    lookup: Lookup
    as_of: datetime

    @property
    def observed(self) -> Observed | None:
        return self.lookup.observed if isinstance(self.lookup, Found) else None


def open_books(
    providers: Mapping[str, Provider], resend_after_settle: frozenset[str] = frozenset()
) -> dict[str, Books]:
    return {
        name: Books(name, provider, provider.capabilities(), name in resend_after_settle)
        for name, provider in providers.items()
    }


def look_up(books: Books, probes: Sequence[Probe], clock: Clock, *, at_once: int = 100) -> list[Sighting]:
    """One sighting per probe, in order. Never raises a ProviderError."""
    found: list[Sighting] = []
    for start in range(0, len(probes), at_once):
        found.extend(_look_up(books, probes[start : start + at_once], clock))
    return found


def _look_up(books: Books, probes: Sequence[Probe], clock: Clock) -> list[Sighting]:
    asked_at = clock.now()
    try:
        answers = list(books.provider.lookup(probes))
    except ProviderError as error:
        answers = [Inconclusive(f"the look-up failed: {error.message}")] * len(probes)
    except Exception as error:
        answers = [Inconclusive(f"the look-up failed: {type(error).__name__}")] * len(probes)
    if len(answers) != len(probes):
        answers = [Inconclusive("the look-up did not answer for every record")] * len(probes)
    return [Sighting(answer, _fresh(answer, asked_at)) for answer in answers]


def _fresh(answer: Lookup, asked_at: datetime) -> datetime:
    stated = None if isinstance(answer, Inconclusive) else answer.as_of
    return asked_at if stated is None else min(stated, asked_at)


def read(books: Books, wanted: Iterable[Live]) -> dict[Live, Observed]:
    """Live records by kind and id, in as few calls as pages allow; what is not there is left out.

    Raises ProviderError.
    """
    by_kind: dict[str, list[str]] = {}
    for kind, remote_id in dict.fromkeys(wanted):
        by_kind.setdefault(kind, []).append(remote_id)
    size = max(1, books.capabilities.page_size)
    found: dict[Live, Observed] = {}
    for kind, ids in by_kind.items():
        for start in range(0, len(ids), size):
            chunk = tuple(ids[start : start + size])
            for row in books.provider.observe(Query((kind,), ids=chunk)):
                found[row.kind, row.remote_id] = row
    return found


def read_if_possible(books: Books, wanted: Iterable[Live]) -> dict[Live, Observed]:
    """As `read`, but what cannot be read is simply left out."""
    try:
        return read(books, wanted)
    except Exception:  # whatever a provider raises here, the write it follows is already settled
        return {}


def absent(sighting: Sighting) -> bool:
    return isinstance(sighting.lookup, Absent)

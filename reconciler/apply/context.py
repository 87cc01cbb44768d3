"""What every part of one run shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.apply.books import Books
from reconciler.apply.journal import Journal
from reconciler.apply.leasing import LeaseKeeper
from reconciler.apply.pacing import Pace
from reconciler.apply.report import Events, NoEvents
from reconciler.apply.sending import Sender
from reconciler.apply.settings import ApplySettings
from reconciler.apply.stopping import StopSignal
from reconciler.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class Run:
    """One apply or recovery under a held lease."""

    journal: Journal
    keeper: LeaseKeeper
    books: Mapping[str, Books]
    clock: Clock
    events: Events = field(default_factory=NoEvents)
    settings: ApplySettings = field(default_factory=ApplySettings)
    stop: StopSignal = field(default_factory=StopSignal)

    def senders(self) -> dict[str, Sender]:
        """A way out per connection, each with its own pace."""
        return {name: self.sender(name) for name in self.books}

    def sender(self, connection: str) -> Sender:
        books = self.books[connection]
        pace = Pace(books.capabilities.requests_per_second, self.clock)
        return Sender(books, self.journal, self.keeper, pace, self.clock, self.events, self.settings)

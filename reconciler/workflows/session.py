"""A session: one project with its state open and its connections opened when first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.kernel.clock import Clock
from reconciler.project import Project, load_project, open_provider
from reconciler.providers.protocol import Provider
from reconciler.state.places import open_state
from reconciler.state.protocol import Store


@dataclass(slots=True)
class Session:
    """What every workflow that touches state or an ERP works with. `notices` must reach the user."""

    project: Project
    store: Store
    clock: Clock
    notices: tuple[str, ...] = ()
    _opened: dict[str, Provider] = field(default_factory=dict)

    def provider(self, name: str) -> Provider:
        """The connection's provider, connected at first use. Raises ReconcilerError."""
        if name not in self._opened:
            self._opened[name] = open_provider(self.project, name, self.clock)
        return self._opened[name]

    def providers(self) -> dict[str, Provider]:
        """Every connection of the project, connected."""
        return {name: self.provider(name) for name in self.project.connections}

    def calls(self) -> dict[str, int]:
        """API calls made so far, per connection in use."""
        return {name: provider.calls() for name, provider in sorted(self._opened.items())}

    def close(self) -> None:
        for provider in self._opened.values():
            provider.close()
        self.store.close()


@contextmanager
def open_session(root: Path, clock: Clock) -> Iterator[Session]:
    """Load the project in `root` and open its state; everything is closed at the end."""
    project = load_project(root)
    opened = open_state(project, clock)
    session = Session(project, opened.store, opened.clock, opened.notices)
    try:
        yield session
    finally:
        session.close()

"""Providers by name: entry points of the group `reconciler.providers`, loaded when asked for."""

from __future__ import annotations

from importlib.metadata import entry_points

from reconciler.kernel.diagnostics import nearest
from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.protocol import ProviderFactory

GROUP = "reconciler.providers"


def provider_names() -> list[str]:
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load_provider(name: str) -> ProviderFactory:
    """The factory registered under `name`. Raises ReconcilerError when there is none."""
    for entry in entry_points(group=GROUP):
        if entry.name == name:
            factory: ProviderFactory = entry.load()()
            return factory
    known = provider_names()
    raise ReconcilerError(
        f"there is no provider {name!r}",
        why=f"installed providers: {', '.join(known) or 'none'}",
        hint=nearest(name, known),
    )

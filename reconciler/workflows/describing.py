"""What the installed providers are, can do and want to be told: from their own data, without a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.kernel.errors import ReconcilerError
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.registry import load_provider, provider_names
from reconciler.providers.settings import Setting, settings_of


@dataclass(frozen=True, slots=True)
class Described:
    """A provider: what it can do with default settings, and every setting its connections have."""

    name: str
    capabilities: Capabilities
    settings: Sequence[Setting]


@dataclass(frozen=True, slots=True)
class Listed:
    """A provider in the list; `problem` says why it cannot be used here, when it cannot."""

    name: str
    summary: str
    problem: str = ""


def list_providers() -> list[Listed]:
    """Every installed provider, by name. One that cannot be loaded is listed with its problem."""
    return [_listed(name) for name in provider_names()]


def describe_provider(name: str) -> Described:
    """Raises ReconcilerError when there is no such provider."""
    factory = load_provider(name)
    return Described(name, factory.describe(), settings_of(factory.settings))


def _listed(name: str) -> Listed:
    try:
        return Listed(name, load_provider(name).describe().summary)
    except ImportError as error:
        return Listed(name, "", f"cannot be loaded: {error}")
    except ReconcilerError as error:
        return Listed(name, "", error.what)

"""What the installed providers are, can do and want to be told: from their own data, without a connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Required, get_args, get_origin

from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints

from reconciler.kernel.errors import ReconcilerError
from reconciler.project import ConnectionSection
from reconciler.providers.capabilities import Capabilities
from reconciler.providers.registry import load_provider, provider_names
from reconciler.providers.settings import Setting, setting_of, settings_of


@dataclass(frozen=True, slots=True)
class Described:
    """A provider: what it can do with default settings, and every setting its connections have.

    `common_settings`: those of every connection, less what the provider declares itself.
    """

    name: str
    capabilities: Capabilities
    settings: Sequence[Setting]
    common_settings: Sequence[Setting]


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
    settings = settings_of(factory.settings)
    own = {setting.name for setting in settings}
    common = [setting for setting in common_settings() if setting.name not in own]
    return Described(name, factory.describe(), settings, common)


def common_settings() -> list[Setting]:
    """What `reconciler.yaml` takes of a connection to any system, in the order it declares them."""
    found = []
    for name, declared in get_type_hints(ConnectionSection, include_extras=True).items():
        origin: object = get_origin(declared)
        required = origin is Required
        info = FieldInfo.from_annotation(get_args(declared)[0] if required else declared)
        if not required:
            info.default = False if info.annotation is bool else None
        found.append(setting_of(name, info))
    return found


def _listed(name: str) -> Listed:
    try:
        return Listed(name, load_provider(name).describe().summary)
    except ImportError as error:
        return Listed(name, "", f"cannot be loaded: {error}")
    except ReconcilerError as error:
        return Listed(name, "", error.what)

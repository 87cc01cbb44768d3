"""A connection's settings as data: what may be written, what is secret, what the environment may give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """Marks a setting that is no secret but may be given as `${env:NAME}`, because machines differ in it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `default` is None where there is none to show; `secret` ones come from the environment alone."""

    name: str
    type: str
    description: str
    required: bool
    default: str | None
    secret: bool
    environment: bool
    """May be written as `${env:NAME}`."""


def is_secret(info: FieldInfo) -> bool:
    """The setting's value is a SecretStr."""
    return _mentions(info.annotation, SecretStr)


def may_come_from_environment(info: FieldInfo) -> bool:
    """`${env:NAME}` is replaced in this setting."""
    return is_secret(info) or any(isinstance(item, FromEnvironment) for item in info.metadata)


def settings_of(model: type[BaseModel]) -> list[Setting]:
    """Every setting of a connection, in the order of the model: its own first, then those it inherits."""
    fields = model.model_fields
    own = [name for name in fields if name in model.__annotations__]
    return [setting_of(name, fields[name]) for name in [*own, *(name for name in fields if name not in own)]]


def setting_of(name: str, info: FieldInfo) -> Setting:
    """One setting, of how its field is declared."""
    return Setting(
        name,
        _type_words(info),
        info.description or "",
        info.is_required(),
        _default_words(info),
        is_secret(info),
        may_come_from_environment(info),
    )


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(item, wanted) for item in get_args(annotation))


def _default_words(info: FieldInfo) -> str | None:
    default = info.get_default()
    if default is None or default is PydanticUndefined or default in ((), [], {}, ""):
        return None
    return str(default).lower() if isinstance(default, bool) else str(default)


_WORDS = {"str": "text", "int": "whole number", "Decimal": "number", "bool": "true or false", "SecretStr": "secret"}


def _type_words(info: FieldInfo) -> str:
    return " or ".join(dict.fromkeys(_words(info.annotation)))


def _words(annotation: Any) -> list[str]:
    from enum import Enum
    from typing import Literal, get_origin

    origin = get_origin(annotation)
    if origin is Literal:
        return [str(value) for value in get_args(annotation)]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(value.value) for value in annotation]
    if origin in (list, tuple, set, frozenset):
        inner = [words for item in get_args(annotation) if item is not Ellipsis for words in _words(item)]
        return [f"list of {' or '.join(dict.fromkeys(inner)) or 'text'}"]
    if origin is dict:
        return ["mapping"]
    members = [item for item in get_args(annotation) if item is not type(None)]
    if members and not isinstance(annotation, type):
        if not hasattr(annotation, "__metadata__"):
            return [words for item in members for words in _words(item)]
        return _words(members[0])
    name = getattr(annotation, "__name__", str(annotation))
    return [_WORDS.get(name, name)]

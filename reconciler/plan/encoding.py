"""Frozen dataclasses to JSON-like values and back, strictly; what a plan file stores a plan with.

A field that has its default is left out; addresses are text, amounts decimal text. Decoding refuses unknown
keys, missing fields and values of another type, and says where. It knows types, not what a plan means.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from reconciler.kernel.address import Address
from reconciler.kernel.money import decimal_text, parse_decimal
from reconciler.providers.operations import Operation, operation_from_json, operation_to_json

Decoder = Callable[[Any], Any]
Encoder = Callable[[Any], Any]
_SCALARS = frozenset({str, int, bool, type(None)})
_OPERATIONS = frozenset(get_args(Operation))
_MISSING = object()


class Misfit(ValueError):
    """A value that is not of the type its place asks for. `place` grows as the error travels outwards."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def inside(self, part: str) -> Misfit:
        return Misfit(
            self.message, f"{part}{'' if self.place.startswith('[') or not self.place else '.'}{self.place}"
        )

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


# ---- encoding ---------------------------------------------------------------------------------------------


def encode(value: Any) -> Any:
    """The JSON-like form of a value made of dataclasses, mappings, sequences and scalars. Raises TypeError."""
    kind: type = type(value)
    return value if kind in _SCALARS else _encoder(kind)(value)


@lru_cache(maxsize=128)
def _encoder(kind: type) -> Encoder:
    if kind is Decimal:
        return decimal_text
    if kind is Address:
        return str
    if kind in _OPERATIONS:
        return lambda value: _encoded_mapping(operation_to_json(value))
    if issubclass(kind, Mapping):
        return _encoded_mapping
    if kind in (tuple, list):
        return lambda value: [item if type(item) in _SCALARS else encode(item) for item in value]
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, date):
        return lambda value: value.isoformat()
    if is_dataclass(kind):
        return _dataclass_encoder(kind)
    raise TypeError(f"{kind.__name__} has no place in a plan")


def _encoded_mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item if type(item) in _SCALARS else encode(item) for key, item in value.items()}


def _dataclass_encoder(kind: type) -> Encoder:
    slots = _slots(kind)

    def encoded(value: Any) -> dict[str, Any]:
        result = {}
        for name, default in slots:
            item = getattr(value, name)
            if item != default:
                result[name] = item if type(item) in _SCALARS else encode(item)
        return result

    return encoded


@lru_cache(maxsize=64)
def _slots(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((item.name, _default(item)) for item in fields(kind))


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else _MISSING


# ---- decoding ---------------------------------------------------------------------------------------------


def decode(kind: type, value: Any) -> Any:
    """The inverse of `encode` for a dataclass. Raises Misfit."""
    return _decoder(kind)(value)


@lru_cache(maxsize=256)
def _decoder(hint: Any) -> Decoder:
    """A function that checks and converts one value of the type `hint`."""
    if hint is Any:
        return lambda value: value
    if hint is Address:
        return _address
    if hint is Decimal:
        return _decimal
    if hint == Operation:
        return _operation
    if hint in _SCALARS:
        return _scalar(hint)
    origin = get_origin(hint)
    if origin is None:
        return _enum(hint) if issubclass(hint, Enum) else _dataclass(hint)
    return _generic(origin, get_args(hint))


def _generic(origin: Any, arguments: tuple[Any, ...]) -> Decoder:
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is Mapping:
        return _mapping(_decoder(arguments[1]))
    raise TypeError(f"no decoder for {origin}")


def _scalar(kind: type) -> Decoder:
    words = {str: "text", int: "a whole number", bool: "true or false", type(None): "null"}

    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise Misfit(f"should be {words[kind]}")
        return value

    return check


def _one_of(choices: tuple[Any, ...]) -> Decoder:
    def check(value: Any) -> Any:
        if value not in choices:
            raise Misfit(f"should be one of {', '.join(map(str, choices))}")
        return value

    return check


def _enum(kind: type[Enum]) -> Decoder:
    def check(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            raise Misfit(f"{str(value)[:40]!r} is no {kind.__name__.lower()} this version knows") from None

    return check


def _address(value: Any) -> Address:
    try:
        return _parsed_address(value)
    except (ValueError, AttributeError, TypeError):
        raise Misfit("should be an address such as books:invoice.INV-7452") from None


@lru_cache(maxsize=1 << 18)
def _parsed_address(text: str) -> Address:
    """Each address occurs in a change, its steps and its footprint: parsed, and kept, once."""
    return Address.parse(text)


def _decimal(value: Any) -> Decimal:
    try:
        return parse_decimal(value)
    except (ValueError, TypeError):
        raise Misfit("should be a decimal number written as text") from None


def _operation(value: Any) -> Any:
    try:
        return operation_from_json(value)
    except ValueError as error:
        first = str(error).splitlines()[0] if str(error) else "unreadable"
        raise Misfit(f"should be an operation: {first[:200]}") from None


def _optional(arguments: tuple[Any, ...]) -> Decoder:
    choices = [_decoder(argument) for argument in arguments if argument is not type(None)]
    nullable = type(None) in arguments

    def check(value: Any) -> Any:
        if value is None and nullable:
            return None
        for choice in choices[:-1]:
            try:
                return choice(value)
            except Misfit:
                continue
        return choices[-1](value)

    return check


def _tuple(arguments: tuple[Any, ...]) -> Decoder:
    open_ended = arguments[-1] is Ellipsis
    members = [_decoder(argument) for argument in arguments if argument is not Ellipsis]

    def check(value: Any) -> Any:
        if type(value) is not list:
            raise Misfit("should be a list")
        if not open_ended and len(value) != len(members):
            raise Misfit(f"should have {len(members)} items")
        result: list[Any] = []
        try:
            for item in value:
                result.append(members[0 if open_ended else len(result)](item))
        except Misfit as misfit:
            raise misfit.inside(f"[{len(result)}]") from None
        return tuple(result)

    return check


def _mapping(member: Decoder) -> Decoder:
    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit("should be a mapping")
        result = {}
        for key, item in value.items():
            try:
                result[key] = member(item)
            except Misfit as misfit:
                raise misfit.inside(key) from None
        return result

    return check


def _dataclass(kind: type) -> Decoder:
    hints = get_type_hints(kind, vars(sys.modules[kind.__module__]))
    members = {item.name: _decoder(hints[item.name]) for item in fields(kind)}
    required = frozenset(item.name for item in fields(kind) if _default(item) is _MISSING)

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise Misfit(f"should be a mapping: a {kind.__name__.lower()}")
        if missing := required - value.keys():
            raise Misfit(f"lacks {', '.join(sorted(missing))}")
        result = {}
        for key, item in value.items():
            member = members.get(key)
            if member is None:
                raise Misfit(f"has the unknown key {key[:40]!r}")
            try:
                result[key] = member(item)
            except Misfit as misfit:
                raise misfit.inside(key) from None
        return kind(**result)

    return check

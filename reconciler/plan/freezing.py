"""Steps as canonical JSON and back: what a correction's frozen members and an intent keep of a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from reconciler.kernel.address import Address
from reconciler.kernel.canonical import canonical_json, parse_canonical
from reconciler.plan.model import Effect, Movement, Role, Step
from reconciler.providers.operations import (
    Hole,
    operation_from_json,
    operation_to_json,
)


def freeze_step(step: Step) -> dict[str, Any]:
    """A JSON-like mapping with typed scalars, ready for `canonical_json`; `thaw_step` inverts it."""
    frozen: dict[str, Any] = {}
    for field in fields(Step):
        value = getattr(step, field.name)
        if field.name == "address":
            value = str(value)
        elif field.name == "operation":
            value = operation_to_json(value)
        elif field.name == "holes":
            value = [[list(hole.place), hole.step, hole.field] for hole in value]
        elif field.name == "effect":
            value = {part.name: getattr(value, part.name) for part in fields(Effect)}
        frozen[field.name] = value
    return frozen


@lru_cache(maxsize=1)
def _effect_adapter() -> TypeAdapter[Effect]:
    return TypeAdapter(Effect)


def thaw_operation(data: Mapping[str, Any]) -> Any:
    """An operation with its contents typed by kind. Raises ValueError."""
    return operation_from_json(dict(data))


def thaw_step(data: Mapping[str, Any]) -> Step:
    """The step a mapping froze. Raises ValueError, KeyError or TypeError for anything else."""
    values = dict(data)
    values["address"] = Address.parse(values["address"])
    values["operation"] = thaw_operation(values["operation"])
    values["role"] = Role(values["role"])
    values["holes"] = tuple(Hole(tuple(place), step, field) for place, step, field in values["holes"])
    values["depends_on"] = tuple(values["depends_on"])
    effect = dict(values["effect"])
    effect["allocations"] = [(target, Decimal(amount)) for target, amount in effect["allocations"]]
    values["effect"] = _effect_adapter().validate_python(effect)
    return Step(**values)


def freeze_members(steps: Iterable[Step]) -> str:
    """A correction's steps as canonical JSON: `GroupRow.members`."""
    return canonical_json([freeze_step(step) for step in steps])


def thaw_members(text: str) -> list[Step]:
    """The inverse of `freeze_members`. Raises ValueError, KeyError or TypeError."""
    return [thaw_step(data) for data in parse_canonical(text)]


def freeze_proof(proof: Iterable[Movement]) -> str:
    """A correction's proof as canonical JSON: `GroupRow.proof`."""
    return canonical_json([[row.dimension, row.key, row.period, row.currency, row.amount] for row in proof])


def thaw_proof(text: str) -> tuple[Movement, ...]:
    """The inverse of `freeze_proof`. Raises ValueError or TypeError."""
    rows = parse_canonical(text)
    return tuple(Movement(row[0], row[1], row[2], row[3], Decimal(row[4])) for row in rows)

"""pydantic's errors in plain words, with the place they are about. It validates nothing itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, NotRequired, Required, Union, get_args, get_origin

from pydantic_core import ErrorDetails
from typing_extensions import get_type_hints, is_typeddict

from reconciler.kernel.diagnostics import nearest
from reconciler.source.careful import Place


class Explained(NamedTuple):
    """An error: where in the value, and what to say. `at_key`: it is the key that is wrong."""

    place: Place
    code: str
    what: str
    why: str = ""
    hint: str = ""
    at_key: bool = False


def path_text(place: Place) -> str:
    """`('lines', 1, 'unit_price')` → `lines[1].unit_price`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def explain(errors: Sequence[ErrorDetails], content_type: Any, thing: str) -> Iterator[Explained]:
    """Each error in words. `thing` is what is being validated, such as `invoice`."""
    seen: set[tuple[Place, str]] = set()
    for error in errors:
        loc = tuple(error["loc"])
        key_of_mapping = len(loc) > 1 and loc[-1] == "[key]"
        place: Place = loc[:-1] if key_of_mapping else loc
        explained = _explain_one(error, place, content_type, thing, key_of_mapping)
        if (explained.place, explained.what) not in seen:
            seen.add((explained.place, explained.what))
            yield explained


def _explain_one(error: ErrorDetails, place: Place, content_type: Any, thing: str, is_key: bool) -> Explained:
    parent = path_text(place[:-1]) or thing
    name = str(place[-1]) if place else ""
    if error["type"] == "extra_forbidden":
        fields = fields_at(content_type, place[:-1])
        hint = nearest(name, fields) or f"Its fields are: {', '.join(fields)}."
        owner = f"{_article(thing)} {thing}" if parent == thing else parent
        return Explained(place, "unknown-field", f"{owner} has no field {name[:80]!r}", hint=hint, at_key=True)
    if error["type"] == "missing":
        return Explained(
            place, "missing-field", f"{path_text(place)} is missing", why=f"{_owner(place, thing)} needs it"
        )
    path = path_text(place) or thing
    value = error["input"]
    if value is None and not is_key:
        return Explained(
            place,
            "null-value",
            f"{path} cannot be null",
            why="null clears a field, and this one cannot be empty",
            hint="Give it a value, or leave the field out.",
        )
    message, hint = _message(error, value)
    colon = ":" if message.startswith("the ") else ""
    return Explained(place, "wrong-value", f"{path}{colon} {message}", hint=hint, at_key=is_key)


def _article(noun: str) -> str:
    return "an" if noun[:1] in "aeiou" else "a"


def _owner(place: Place, thing: str) -> str:
    parent = place[:-1]
    if not parent:
        return f"every {thing}"
    names = [part for part in parent if isinstance(part, str)]
    inner = names[-1] if names else thing
    return f"every {_one_of(inner)}" if isinstance(parent[-1], int) else inner


def _one_of(plural: str) -> str:
    """`lines` → `line`, `addresses` → `address`."""
    return plural[:-2] if plural.endswith("sses") else plural.removesuffix("s")


def _message(error: ErrorDetails, value: Any) -> tuple[str, str]:
    kind = error["type"]
    context: Mapping[str, Any] = error.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        return _with_value(str(context.get("error", "is not right")), value), ""
    if kind in ("list_type", "tuple_type"):
        return _with_value("should be a list", value), "Begin each item on a line of its own with '- '."
    if kind in ("dict_type", "model_type", "dataclass_type"):
        return _with_value("should be a mapping of fields", value), ""
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", ""))
        words = re.findall(r"'([^']*)'", expected)
        return _with_value(f"should be one of {', '.join(words)}", value), nearest(str(value)[:80], words)
    if kind in ("string_type", "path_type"):
        return _with_value("should be text", value), ""
    if kind in ("bool_parsing", "bool_type"):
        return _with_value("should be true or false", value), ""
    if kind.startswith("int_"):
        return _with_value("should be a whole number", value), ""
    if kind == "string_too_short":
        return "is empty", "Give it a value, or leave the field out."
    return _limit(kind, context, value), ""


def _limit(kind: str, context: Mapping[str, Any], value: Any) -> str:
    if kind == "string_too_long":
        return f"is longer than {context.get('max_length')} characters"
    if kind == "string_pattern_mismatch":
        if context.get("pattern") == "^[A-Z]{2}$":
            return _with_value("should be a two-letter country code such as US", value)
        return _with_value(f"should match {context.get('pattern')}", value)
    if kind == "greater_than":
        return _with_value(f"should be more than {context.get('gt')}", value)
    if kind == "greater_than_equal":
        return _with_value(f"should not be less than {context.get('ge')}", value)
    if kind == "less_than_equal":
        return _with_value(f"should not be more than {context.get('le')}", value)
    return _with_value(f"is not right ({kind})", value)


def _with_value(message: str, value: Any) -> str:
    if "should" not in message:
        return message
    if isinstance(value, Mapping):
        return f"{message}, not a mapping"
    if isinstance(value, (list, tuple)):
        return f"{message}, not a list"
    text = str(value)
    return f"{message}, not {text[:60]!r}{'…' if len(text) > 60 else ''}"


def fields_at(content_type: Any, place: Place) -> list[str]:
    """The fields of the mapping at `place` within a typed content, sorted."""
    current = _bare(content_type)
    for part in place:
        if is_typeddict(current):
            current = _bare(_hints(current).get(str(part), Any))
        else:
            arguments = get_args(current)
            current = _bare(arguments[-1]) if arguments else Any
    if is_typeddict(current):
        return sorted(_hints(current))
    model_fields = getattr(current, "model_fields", None)
    return sorted(model_fields) if model_fields else []


@lru_cache(maxsize=128)
def _hints(typed_dict: Any) -> dict[str, Any]:
    return get_type_hints(typed_dict, include_extras=True)


def _bare(hint: Any) -> Any:
    """The type itself: without Required, Annotated and None."""
    while True:
        origin = get_origin(hint)
        if origin in (Required, NotRequired, Annotated):
            hint = get_args(hint)[0]
        elif origin in (Union, UnionType):
            hint = next((item for item in get_args(hint) if item is not type(None)), Any)
        else:
            return hint

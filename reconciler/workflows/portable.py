"""A state as a file that any backend can take in again: the text of `state export`, read and checked.

What is in it is what `stating.export_document` writes; a file that was edited, cut or is of a later version is
refused, and so is one whose history does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.canonical import canonical_json, digest, digest_text, parse_canonical
from reconciler.kernel.errors import InvalidInput
from reconciler.state import shapes
from reconciler.state.backend import Row
from reconciler.state.contents import TABLES, Contents
from reconciler.state.shapes import MalformedRow

EXPORT_FORMAT = 1
JSON_COLUMNS = frozenset({"declared", "body", "computed", "step", "outcome", "members", "proof", "entry"})
_RENAMED = {"request_key": "key", "group_id": "group", "git_commit": "commit"}


@dataclass(frozen=True, slots=True)
class Portable:
    """An exported state, and the digest it carries."""

    contents: Contents
    digest: str


def opened_json(text: str) -> Any:
    """A column that holds JSON as what it holds, where that is told back exactly by `closed_json`."""
    try:
        value = parse_canonical(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (dict, list)) and canonical_json(value) == text else text


def closed_json(value: Any) -> Any:
    return canonical_json(value) if isinstance(value, (dict, list)) else value


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the digest of everything else in it."""
    return {**document, "digest": digest(document)}


def read_portable(text: str) -> Portable:
    """Raises InvalidInput for anything that is not, to the letter, an exported state."""
    try:
        document = parse_canonical(text)
    except (ValueError, RecursionError):
        raise _unusable("it is not JSON as `reconciler state export` writes it") from None
    if not isinstance(document, dict) or "format" not in document:
        raise _unusable("it is not an exported state")
    if document["format"] != EXPORT_FORMAT:
        raise _unusable(f"its format is {document['format']!r}; this version reads format {EXPORT_FORMAT}")
    given = document.pop("digest", None)
    if given != digest(document):
        raise _unusable("its digest does not match: it was changed or is not whole")
    try:
        contents = Contents.of(_tables(document))
        for shape in TABLES:
            for row in contents.tables[shape.table]:
                shape.check(row)
    except (MalformedRow, KeyError, TypeError, AttributeError) as error:
        raise _unusable(f"a row is not what a state has ({type(error).__name__})") from error
    _check_chain(contents)
    return Portable(contents, given)


def _tables(document: Mapping[str, Any]) -> dict[str, list[Row]]:
    meta = {**document["meta"], "unconfirmed": int(document["meta"]["unconfirmed"])}
    intents, groups, runs = document["intents"], document["groups"], document["runs"]
    return {
        "meta": [(1, *_row(shapes.META.columns, meta))],
        "bindings": _rows(shapes.BINDING.columns, document["bindings"]),
        "documents": _rows(shapes.DOCUMENT.columns, document["documents"]),
        "document_bodies": [
            _row(shapes.BODY.columns, item) for item in document["documents"] if item["body"] or item["computed"]
        ],
        "allocations": _rows(shapes.ALLOCATION.columns, document["allocations"]),
        "attempts": _rows(shapes.ATTEMPT.columns, document["attempts"]),
        "intents": _ordered(shapes.INTENT.columns, intents),
        "stages": [
            (item["key"], place, stage["stage"], canonical_json(stage["data"]))
            for item in intents
            for place, stage in enumerate(item["stages"], 1)
        ],
        "correction_groups": _ordered(shapes.GROUP.columns, groups),
        "runs": _ordered(shapes.RUN.columns, runs),
        "history": _rows(shapes.HISTORY.columns, document["history"]),
    }


def _rows(columns: Sequence[str], items: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [_row(columns, item) for item in items]


def _ordered(columns: Sequence[str], items: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [(*_row(columns, item), place) for place, item in enumerate(items, 1)]


def _row(columns: Sequence[str], item: Mapping[str, Any]) -> Row:
    values = ((name, item[_RENAMED.get(name, name)]) for name in columns)
    return tuple(closed_json(value) if name in JSON_COLUMNS else value for name, value in values)


def _check_chain(contents: Contents) -> None:
    previous = ""
    for number, (serial, entry, link) in enumerate(contents.tables["history"], 1):
        if serial != number or link != digest_text(previous + entry):
            raise _unusable(f"its history does not hold at entry {number}")
        previous = link
    if contents.meta("head") != previous or contents.meta("serial") != len(contents.tables["history"]):
        raise _unusable("its history does not lead to its head")


def _unusable(why: str) -> InvalidInput:
    return InvalidInput("the exported state cannot be used", why=why[0].upper() + why[1:] + ".")

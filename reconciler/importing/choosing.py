"""Which records are imported: those asked for, whatever they refer to, and what settles them. Pure.

What settles a document that is managed, and is not managed itself, would show as drift in every plan. What refers
to something that cannot be declared is left out with it: never half a document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from reconciler.importing.describing import describe
from reconciler.importing.effective import Ended
from reconciler.importing.model import Entry, LeftOut, Place, Record, Selection, Standing, Why
from reconciler.importing.referring import Referrer, Undeclarable
from reconciler.importing.survey import Survey
from reconciler.kernel.money import ZERO
from reconciler.resources.kinds import KINDS, rank


@dataclass(slots=True)
class Choice:
    """Entries by place; what is left out; how many of each kind nobody asked for."""

    entries: dict[Place, Entry] = field(default_factory=dict)
    left_out: dict[Place, LeftOut] = field(default_factory=dict)
    not_asked_for: dict[str, int] = field(default_factory=dict)


def choose(survey: Survey, wanted: Selection, refused: Mapping[Place, LeftOut]) -> Choice:
    """The entries of an import. `refused`: records that turned out not to be declarable, with the reason."""
    left: dict[Place, LeftOut] = dict(refused)
    settled_by = _sources(survey)
    known: dict[Place, tuple[Entry, frozenset[Place]]] = {}
    while True:
        choice = _choose(survey, wanted, left, known, settled_by)
        if choice.left_out.keys() == left.keys():
            return choice
        left = choice.left_out


def _choose(
    survey: Survey,
    wanted: Selection,
    left: Mapping[Place, LeftOut],
    known: dict[Place, tuple[Entry, frozenset[Place]]],
    settled_by: Mapping[Place, set[Place]],
) -> Choice:
    choice = Choice(left_out=dict(left))
    kinds = frozenset(wanted.kinds)
    loose = {place: record for place, record in survey.records.items() if record.standing is not Standing.MANAGED}
    waiting = [place for place, record in loose.items() if asked_for(record, wanted)]
    waiting.reverse()
    while waiting:
        place = waiting.pop()
        if place in choice.entries or place in choice.left_out:
            continue
        record = survey.records[place]
        if place in known and not known[place][1] & choice.left_out.keys():
            entry, needed = known[place]
        else:
            referrer = Referrer(survey, kinds, set(choice.left_out))
            try:
                entry = describe(survey, record, referrer)
            except Undeclarable as problem:
                choice.left_out[place] = _left_out(record, Why.REFERS, str(problem))
                continue
            except Ended:
                text = "it was credited in full by a correction of this project"
                choice.left_out[place] = _left_out(record, Why.ENDED, text)
                continue
            except ValueError as problem:
                choice.left_out[place] = _left_out(record, Why.NOT_DECLARABLE, _first_words(problem))
                continue
            needed = frozenset(referrer.needed)
            known[place] = entry, needed
        choice.entries[place] = entry
        waiting.extend(sorted(needed | settled_by.get(place, set()), reverse=True))
    ordered = sorted(choice.entries, key=lambda place: (rank(place[0]), place[1]))
    choice.entries = {place: choice.entries[place] for place in ordered}
    for place in loose:
        kind = place[0]
        if (kind in DOCUMENTS or kind in kinds) and place not in choice.entries and place not in choice.left_out:
            choice.not_asked_for[kind] = choice.not_asked_for.get(kind, 0) + 1
    return choice


def _sources(survey: Survey) -> dict[Place, set[Place]]:
    """Per record: the records that settle it and are not managed."""
    found: dict[Place, set[Place]] = {}
    for place, record in survey.records.items():
        if record.standing is Standing.MANAGED:
            continue
        for item in record.row.allocations:
            target = survey.owners.get((item.target_kind, item.target_id))
            if target is not None:
                found.setdefault(target.place, set()).add(place)
    return found


DOCUMENTS = tuple(name for name, kind in KINDS.items() if kind.is_document)


def asked_for(record: Record, wanted: Selection) -> bool:
    """Whether the options select a record; what it is needed for is another matter."""
    row = record.row
    if row.kind not in wanted.kinds:
        return False
    if not KINDS[row.kind].is_document:
        return not (wanted.since or wanted.open_only) or row.kind not in _FOLLOWS_DOCUMENTS
    content = row.content()
    day = str(content.get("issue_date") or content.get("received_on") or "")
    if wanted.since is not None and day and date.fromisoformat(day) < wanted.since:
        return False
    return not wanted.open_only or row.phase == "draft" or row.amount("open") != ZERO


_FOLLOWS_DOCUMENTS = frozenset({"customer", "item"})
"""With `--since` or `--open-only`, those that the chosen documents are about."""


def _left_out(record: Record, why: Why, detail: str) -> LeftOut:
    row = record.row
    shown = row.number or record.name
    return LeftOut(row.kind, row.remote_id, shown, why, detail)


def _first_words(problem: ValueError) -> str:
    """What is wrong, without pydantic's frame."""
    errors = getattr(problem, "errors", None)
    if errors is None:
        return str(problem)
    found = errors(include_url=False)[0]
    place = ".".join(str(part) for part in found["loc"])
    message = str(found["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message

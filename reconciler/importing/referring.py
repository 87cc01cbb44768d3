"""How references are written: the name of what is declared, else a code or name that only one live record has.

What cannot be named so must be declared itself. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.importing.model import Place, Record, Standing
from reconciler.importing.survey import Survey
from reconciler.kernel.address import Address, check_name

MUST_BE_DECLARED = frozenset({"customer", "invoice", "credit_note"})
"""What the loader wants declared where anything refers to it."""


class Undeclarable(Exception):
    """Something refers to what cannot be declared: `place`, and how people know it."""

    def __init__(self, place: Place, shown: str) -> None:
        super().__init__(f"it refers to {place[0].replace('_', ' ')} {shown}, which is not imported")
        self.place = place


@dataclass(slots=True)
class Referrer:
    """Names for ids. `needed`: what a name that was given relies on being declared."""

    survey: Survey
    kinds: frozenset[str]
    """Kinds that are imported whole: their records are referred to by their own names."""
    refused: set[Place] = field(default_factory=set)
    """Records that turned out not to be declarable."""
    needed: set[Place] = field(default_factory=set)

    def name(self, kinds: tuple[str, ...], remote_id: str) -> str:
        """The name to write for a record of one of `kinds`. Raises Undeclarable."""
        for kind in kinds:
            record = self.survey.owners.get((kind, remote_id))
            if record is not None:
                return self._of(record, remote_id)
        for kind in kinds:
            row = self.survey.index.snapshot(self.survey.connection).row(kind, remote_id)
            if row is not None and kind not in MUST_BE_DECLARED and (text := self._unique(kind, remote_id)):
                return text
        place = kinds[0], remote_id
        left = self.survey.left_out.get(place)
        raise Undeclarable(place, left.shown if left else remote_id)

    def _of(self, record: Record, remote_id: str) -> str:
        kind = record.row.kind
        if record.standing is Standing.MANAGED:
            return record.name
        declared = kind in MUST_BE_DECLARED or record.standing is Standing.DECLARED
        whole = kind in self.kinds and record.place not in self.refused
        text = None if declared or whole else self._unique(kind, remote_id)
        if text is not None:
            return text
        if record.place in self.refused:
            raise Undeclarable(record.place, record.name)
        self.needed.add(record.place)
        return record.name

    def _unique(self, kind: str, remote_id: str) -> str | None:
        """A code or name that the planner would resolve to just this record."""
        index, connection = self.survey.index, self.survey.connection
        row = index.snapshot(connection).row(kind, remote_id)
        assert row is not None
        for text in (row.code, row.number, row.name):
            if not text or check_name(text) is not None or Address(connection, kind, text) in index.declared:
                continue
            if index.find(connection, kind, text) == (remote_id,):
                return text
        return None

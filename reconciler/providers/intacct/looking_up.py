"""Was it done? New documents are looked for by the mark in their description, masters by code, the rest by id.

A look-up of many is a few queries, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.kernel.identity import tag_in
from reconciler.providers.intacct.observed import DEAD
from reconciler.providers.intacct.observing import DOCUMENTS, Observer
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe, Query
from reconciler.resources.kinds import KINDS


@dataclass(slots=True)
class LookUps:
    """Look-ups of one connection. Thread-safe."""

    observer: Observer
    clock: Clock
    numbered: bool
    """We number documents: who else has our number is worth knowing before another gets it."""

    def look_up(self, probes: Sequence[Probe]) -> list[Lookup]:
        """One answer per probe, in order. Raises ProviderError."""
        groups: dict[tuple[str, bool], list[Probe]] = {}
        for probe in probes:
            new = isinstance(probe.operation, Create)
            groups.setdefault((subject(probe.operation)[0], new), []).append(probe)
        answers: dict[str, Lookup] = {}
        for (kind, new), mine in groups.items():
            now = self.clock.now()
            answers |= self._created(kind, mine, now) if new else self._changed(kind, mine, now)
        return [answers[probe.key] for probe in probes]

    def _changed(self, kind: str, probes: list[Probe], now: datetime) -> dict[str, Lookup]:
        ids = tuple(dict.fromkeys(subject(probe.operation)[1] or "" for probe in probes))
        found = {row.remote_id: row for row in self.observer.observe(Query((kind,), ids=ids))}
        return {
            probe.key: Found(row) if (row := found.get(subject(probe.operation)[1] or "")) else Absent(now)
            for probe in probes
        }

    def _created(self, kind: str, probes: list[Probe], now: datetime) -> dict[str, Lookup]:
        rows = list(self._candidates(kind, probes))
        return {probe.key: _told(probe, self._own(probe, rows), now) for probe in probes}

    def _candidates(self, kind: str, probes: list[Probe]) -> Sequence[Observed]:
        if kind in DOCUMENTS:
            documents = self.observer.documents
            references = [probe.reference for probe in probes]
            numbers = [probe.number for probe in probes if probe.number] if self.numbered else []
            match kind:
                case "invoice":
                    return list(documents.invoices(None, references, numbers))
                case "credit_note":
                    return list(documents.credit_notes(None, references, numbers))
                case _:
                    return list(documents.payments(None, references))
        codes = tuple(dict.fromkeys(_code(probe) for probe in probes))
        return list(self.observer.observe(Query((kind,), ids=codes)))

    def _own(self, probe: Probe, rows: Sequence[Observed]) -> list[Observed]:
        """Which of them is what the probe's create would have made; else the one that has its number."""
        kind = subject(probe.operation)[0]
        if kind not in DOCUMENTS:
            return [row for row in rows if row.remote_id == _code(probe)]
        mark = tag_in(probe.reference)
        ours = [row for row in rows if tag_in(row.reference) == mark]
        if ours or not (self.numbered and probe.number):
            return ours
        return [row for row in rows if row.number == probe.number and row.phase not in DEAD]


def _code(probe: Probe) -> str:
    assert isinstance(probe.operation, Create)
    content = probe.operation.content
    return str(content.get(KINDS[probe.operation.kind].code_field) or content.get("name") or "")


def _told(probe: Probe, found: list[Observed], now: datetime) -> Lookup:
    if len(found) > 1:
        names = ", ".join(row.remote_id for row in found[:5])
        return Inconclusive(f"several records are what {probe.reference} would be: {names}")
    return Found(found[0]) if found else Absent(now)

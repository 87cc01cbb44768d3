"""Was it done? New documents are looked up by the reference they carry, masters by code or name, the rest by id.

The first look at a new document uses what was listed in this phase, or asks by number or reference where the
platform filters. When the same request is asked about again, or the change of a record that is there, Rutter is
synced first. Nothing is called absent while a job that may have made it goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe
from reconciler.providers.rutter.codec_payments import stated_reference
from reconciler.providers.rutter.observing import DOCUMENTS, RESOURCES, Observer, mark_of
from reconciler.providers.rutter.platforms import Platform
from reconciler.providers.rutter.wire import Row, short_mark
from reconciler.resources.kinds import KINDS

_FEW = 4
"""So many new documents are asked for by a filter each; more are listed."""


@dataclass(slots=True)
class LookUps:
    """Look-ups of one connection. Thread-safe."""

    observer: Observer
    platform: Platform
    clock: Clock
    unfinished: Callable[[str], str]
    """The job of a request that goes on, as far as this process knows; '' where there is none."""
    _asked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look_up(self, probes: Sequence[Probe]) -> list[Lookup]:
        """One answer per probe, in order. Raises ProviderError."""
        with self._lock:
            again = {probe.key for probe in probes if probe.key in self._asked}
            self._asked |= {probe.key for probe in probes}
        groups: dict[tuple[str, bool, bool], list[Probe]] = {}
        for probe in probes:
            new = isinstance(probe.operation, Create)
            groups.setdefault((subject(probe.operation)[0], new, probe.key in again), []).append(probe)
        answers: dict[str, Lookup] = {}
        now = self.clock.now()
        for (kind, new, repeated), mine in groups.items():
            since = now if repeated or not new else None
            if new:
                answers |= self._created(kind, mine, since)
            else:
                answers |= self._changed(kind, mine, now)
        return [answers[probe.key] for probe in probes]

    # ---- records that are there ----

    def _changed(self, kind: str, probes: list[Probe], since: datetime) -> dict[str, Lookup]:
        resource, wrapper = RESOURCES[kind]
        as_of = self.observer.shelves.synced(self.observer.needs(kind), since)
        answers: dict[str, Lookup] = {}
        for id_ in sorted({subject(probe.operation)[1] or "" for probe in probes}):
            row = self.observer.shelves.one(resource, wrapper, id_)
            observed = self.observer.observed(kind, row) if row is not None else None
            for probe in probes:
                if subject(probe.operation)[1] == id_:
                    answers[probe.key] = self._told(probe, [observed] if observed is not None else [], as_of)
        return answers

    # ---- records that may have been made ----

    def _created(self, kind: str, probes: list[Probe], since: datetime | None) -> dict[str, Lookup]:
        resource = RESOURCES[kind][0]
        shelves = self.observer.shelves
        if len(probes) <= _FEW and not (since is None and shelves.holds(resource)):
            as_of = shelves.synced([resource], since, ours=since is not None)
            filtered = {probe.key: self._filtered(kind, probe) for probe in probes}
            if all(rows is not None for rows in filtered.values()):
                return {
                    probe.key: self._told(probe, self._own(probe, filtered[probe.key] or []), as_of)
                    for probe in probes
                }
        if since is not None:
            as_of = shelves.caught_up(resource, since)
        else:
            shelves.rows(resource)
            as_of = shelves.as_of(resource)
        rows = list(shelves.rows(resource).values())
        return {probe.key: self._told(probe, self._own(probe, rows), as_of) for probe in probes}

    def _filtered(self, kind: str, probe: Probe) -> list[Row] | None:
        """What the platform's filter finds; None where it cannot be asked so."""
        assert isinstance(probe.operation, Create)
        if not self.platform.filters:
            return None
        content, shelves = probe.operation.content, self.observer.shelves
        if kind == "invoice" and probe.number and self.platform.invoice_numbers:
            return shelves.filtered("invoices", "document_number", probe.number)
        if kind == "payment" and self.platform.references:
            return shelves.filtered("invoice_payments", "reference", stated_reference(content, probe.reference))
        return None

    def _own(self, probe: Probe, rows: list[Row]) -> list[Observed]:
        """Which of them is what the probe's create would have made."""
        assert isinstance(probe.operation, Create)
        kind, content = probe.operation.kind, probe.operation.content
        if kind in DOCUMENTS:
            mark = short_mark(probe.reference).lower()
            ours = [row for row in rows if mark_of(kind, row) == mark]
            return [found for row in ours if (found := self.observer.observed(kind, row))]
        code, name = content.get(KINDS[kind].code_field), content.get("name")
        candidates = [found for row in rows if (found := self.observer.observed(kind, row))]
        has_code = kind in ("account", "item") and code
        return [one for one in candidates if (one.code == code if has_code else one.name == (name or code))]

    def _told(self, probe: Probe, found: list[Observed], as_of: datetime) -> Lookup:
        if len(found) > 1:
            names = ", ".join(row.remote_id for row in found[:5])
            return Inconclusive(f"several records are what {probe.reference} would be: {names}")
        if found:
            return Found(found[0], as_of)
        job = self.unfinished(probe.key)
        if job:
            return Inconclusive(f"its job {job} goes on")
        return Absent(as_of)

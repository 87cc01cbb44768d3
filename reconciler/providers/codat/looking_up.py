"""Was it done? Documents are looked for by our reference in their note, masters by code or name, the rest by id.

The first look uses what was pulled in this phase; when the same request is asked about again, the cache is
refreshed. Nothing is called absent while a push that may have made it is unfinished, or has timed out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.providers.codat.observing import DOCUMENTS, TYPES, Observer
from reconciler.providers.codat.pushing import Pushes
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe, Query
from reconciler.resources.kinds import KINDS


@dataclass(slots=True)
class LookUps:
    """Look-ups of one connection. Thread-safe."""

    observer: Observer
    pushes: Pushes
    clock: Clock
    _asked: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look_up(self, probes: Sequence[Probe]) -> list[Lookup]:
        """One answer per probe, in order."""
        with self._lock:
            again = {probe.key for probe in probes if probe.key in self._asked}
            self._asked |= {probe.key for probe in probes}
        by_kind: dict[str, list[Probe]] = {}
        for probe in probes:
            by_kind.setdefault(subject(probe.operation)[0], []).append(probe)
        answers: dict[str, Lookup] = {}
        now = self.clock.now()
        for new in (True, False):
            some = {
                kind: mine
                for kind, asked in by_kind.items()
                if (mine := [probe for probe in asked if isinstance(probe.operation, Create) is new])
            }
            if some:
                forced = now if any(probe.key in again for mine in some.values() for probe in mine) else None
                if forced is not None:
                    self.pushes.wait_for_unfinished()
                as_of = self.observer.fresh(some, as_of=forced, ours=not new)
                for kind, mine in some.items():
                    answers |= self._of_kind(kind, mine, as_of)
        return [answers[probe.key] for probe in probes]

    def _of_kind(self, kind: str, probes: list[Probe], as_of: datetime) -> dict[str, Lookup]:
        created = [probe for probe in probes if isinstance(probe.operation, Create)]
        ids = {probe.key: subject(probe.operation)[1] or "" for probe in probes}
        if kind in DOCUMENTS:
            references = tuple(sorted({probe.reference for probe in created}))
            wanted = Query((kind,), ids=tuple(sorted(set(ids.values()) - {""})), references=references)
        else:
            wanted = Query((kind,))
        rows = list(self.observer.read(wanted))
        return {probe.key: self._answer(kind, probe, ids[probe.key], rows, as_of) for probe in probes}

    def _answer(self, kind: str, probe: Probe, id_: str, rows: list[Observed], as_of: datetime) -> Lookup:
        if id_:
            found = [row for row in rows if row.remote_id == id_]
        elif kind in DOCUMENTS:
            ours = probe.reference.lower()
            found = [row for row in rows if (row.reference or "").lower()[-17:] == ours[-17:]]
        else:
            code = _code(probe)
            found = [row for row in rows if code in (row.code, row.name)]
        if len(found) > 1:
            names = ", ".join(row.remote_id for row in found)
            return Inconclusive(
                f"several {kind}s carry {probe.reference if kind in DOCUMENTS else _code(probe)}: {names}"
            )
        if found:
            return Found(found[0], as_of)
        waiting = self._waiting(kind, probe)
        if waiting:
            return Inconclusive(f"a push that may be it is unfinished: {', '.join(sorted(waiting)[:3])}")
        return Absent(as_of)

    def _waiting(self, kind: str, probe: Probe) -> set[str]:
        """Unfinished pushes at the pull that may be the probe's: its own, and those that are nobody's we know.

        Codat times a push out only when it was asked to: where we ask for none, one of an unknown owner is others'.
        """
        unfinished = self.observer.datasets.unsettled(TYPES[kind])
        asks = self.observer.datasets.codat.settings.push_timeout_minutes is not None
        unknown = {handle for handle, pending in unfinished.items() if pending or asks}
        return {
            handle
            for handle in unfinished
            if (owner := self.pushes.owner(handle)) == probe.key or (owner is None and handle in unknown)
        }


def _code(probe: Probe) -> str:
    """A new master record's code, or its name where the kind has no code in Codat."""
    assert isinstance(probe.operation, Create)
    kind, content = probe.operation.kind, probe.operation.content
    if kind == "customer":
        return str(content.get("name"))
    return str(content.get(KINDS[kind].code_field) or content.get("name"))

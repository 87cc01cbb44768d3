"""Was it done? Invoices are looked for by number, masters by name, payments where the ERP behind can be asked.

What Alloy lists is found for certain, and read anew by its id; what it does not list is absent only as of the last
poll of its cache. Where the ERP behind can be asked (`native`), it is: what is not there either is absent now, and
what is there but not listed yet has no id at Alloy, so it cannot be told before the next poll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.providers.alloy.calls import Alloy, Listing
from reconciler.providers.alloy.native import Native
from reconciler.providers.alloy.observing import Observer
from reconciler.providers.alloy.wire import live
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe, Query

_NAMED = {
    "invoice": "invoiceNumber",
    "customer": "customerName",
    "item": "itemName",
    "account": "accountName",
}
"""Kind → the field that a listing is filtered by."""
_FEW = 10


@dataclass(frozen=True, slots=True)
class LookUps:
    """Look-ups of one connection. Thread-safe."""

    alloy: Alloy
    observer: Observer
    native: Native | None
    clock: Clock

    def look_up(self, probes: Sequence[Probe]) -> list[Lookup]:
        """One answer per probe, in order. Raises ProviderError."""
        answers: dict[str, Lookup] = {}
        by_kind: dict[str, list[Probe]] = {}
        for probe in probes:
            if isinstance(probe.operation, Create):
                by_kind.setdefault(probe.operation.kind, []).append(probe)
            else:
                answers[probe.key] = self._written(probe)
        for kind, mine in by_kind.items():
            answers |= self._payments(mine) if kind == "payment" else self._created(kind, mine)
        return [answers[probe.key] for probe in probes]

    def _written(self, probe: Probe) -> Lookup:
        """The record that an operation writes, by its id: of the moment."""
        kind, id_ = subject(probe.operation)
        now = self.clock.now()
        found = self._fresh(kind, [id_ or ""])
        return Found(found[0]) if found else Absent(now)

    def _fresh(self, kind: str, ids: Sequence[str]) -> list[Observed]:
        return list(self.observer.observe(Query((kind,), ids=tuple(ids)))) if ids else []

    # ---- what is found by a number or a name ----

    def _created(self, kind: str, probes: Sequence[Probe]) -> dict[str, Lookup]:
        if kind not in _NAMED:
            return {probe.key: Inconclusive(f"Alloy does not make a {kind}") for probe in probes}
        keys = {probe.key: _key(probe) for probe in probes}
        ids, as_of = self._listed(kind, set(keys.values()))
        missing = sorted({key for key in keys.values() if not ids.get(key)})
        asked_at = self.clock.now()
        there = self.native.find(kind, missing) if self.native is not None and missing else None
        answers: dict[str, Lookup] = {}
        for probe in probes:
            key = keys[probe.key]
            found = [row for row in self._fresh(kind, ids.get(key, [])) if row.phase != "void"]
            if len(found) > 1:  # a number or a name may repeat: ours carries our reference
                found = [row for row in found if row.reference == probe.reference] or found
            if len(found) > 1:
                names = ", ".join(row.remote_id for row in found)
                answers[probe.key] = Inconclusive(f"several {kind}s are called {key}: {names}")
            elif found:
                answers[probe.key] = Found(found[0])
            else:
                answers[probe.key] = self._missing(kind, key, there, as_of, asked_at)
        return answers

    def _listed(self, kind: str, keys: set[str]) -> tuple[dict[str, list[str]], datetime]:
        """Ids by what they are called, and as of when."""
        name = _NAMED[kind]
        listings: list[Listing]
        if len(keys) <= _FEW:
            listings = [self.alloy.listing(kind, {name: key}) for key in sorted(keys)]
        else:
            listings = [self.alloy.listing(kind)]
        found: dict[str, list[str]] = {}
        for listing in listings:
            for id_, row in listing.rows.items():
                if live(row):
                    found.setdefault(str(row.get(name)), []).append(id_)
        return found, min(listing.as_of for listing in listings)

    def _missing(
        self, kind: str, key: str, there: dict[str, list[str]] | None, as_of: datetime, asked_at: datetime
    ) -> Lookup:
        if there is None:
            return Absent(as_of)
        if there.get(key):
            return self._not_listed(kind, key, there[key])
        return Absent(asked_at)

    def _not_listed(self, kind: str, key: str, remote: Sequence[str]) -> Inconclusive:
        name = self.native.name if self.native is not None else "the ERP"
        return Inconclusive(
            f"{name} has the {kind} {key} ({', '.join(remote)}), and Alloy does not list it before its next poll"
        )

    # ---- payments ----

    def _payments(self, probes: Sequence[Probe]) -> dict[str, Lookup]:
        if self.native is None:
            reason = "Alloy's payments have no field that could be searched for ours: look in the ERP"
            return {probe.key: Inconclusive(reason) for probe in probes}
        asked_at = self.clock.now()
        there = self.native.find("payment", [probe.reference for probe in probes]) or {}
        remote = {one for ids in there.values() for one in ids}
        listed = self.observer.listed_as("payment", remote) if remote else {}
        rows = {row.remote_id: row for row in self._fresh("payment", sorted(listed.values()))}
        answers: dict[str, Lookup] = {}
        for probe in probes:
            own = there.get(probe.reference) or []
            found = [rows[listed[one]] for one in own if listed.get(one) in rows]
            if len(own) > 1:
                answers[probe.key] = Inconclusive(f"several payments carry {probe.reference}: {', '.join(own)}")
            elif found:
                answers[probe.key] = Found(found[0])
            elif own:
                answers[probe.key] = self._not_listed("payment", probe.reference, own)
            else:
                answers[probe.key] = Absent(asked_at)
        return answers


def _key(probe: Probe) -> str:
    """What a new record is called."""
    assert isinstance(probe.operation, Create)
    content = probe.operation.content
    if probe.operation.kind == "invoice":
        return str(probe.number or content.get("number"))
    return str(content.get("name"))

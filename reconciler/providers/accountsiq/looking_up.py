"""Was it done? New documents are looked up by the external reference they carry, masters by code, the rest by id.

Few are asked for one by one. For many, the transactions of their customers on their days are listed: what a create
would have made is among them. An item document may be saved and not posted: it is then in no ledger, and is asked
for by its reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from reconciler.kernel.clock import Clock
from reconciler.providers.accountsiq.entries import Entry
from reconciler.providers.accountsiq.envelope import node
from reconciler.providers.accountsiq.items import draft_from, is_of_items, saved_under
from reconciler.providers.accountsiq.observing import DOCUMENTS, Observer
from reconciler.providers.accountsiq.transactions import FEW, mark_of
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe, Query
from reconciler.resources.kinds import KINDS

_MOST_ACCOUNTS = 100


@dataclass(slots=True)
class LookUps:
    """Look-ups of one entity. Thread-safe."""

    observer: Observer
    clock: Clock

    def look_up(self, probes: Sequence[Probe]) -> list[Lookup]:
        """One answer per probe, in order. Raises ProviderError."""
        as_of = self.clock.now()
        answers: dict[str, Lookup] = {}
        new = [probe for probe in probes if isinstance(probe.operation, Create)]
        answers |= self._documents([probe for probe in new if subject(probe.operation)[0] in DOCUMENTS], as_of)
        answers |= self._masters([probe for probe in new if subject(probe.operation)[0] not in DOCUMENTS], as_of)
        answers |= self._changed([probe for probe in probes if not isinstance(probe.operation, Create)], as_of)
        return [answers[probe.key] for probe in probes]

    # ---- new documents ----

    def _documents(self, probes: Sequence[Probe], as_of: datetime) -> dict[str, Lookup]:
        if not probes:
            return {}
        entries = self._few(probes) if len(probes) <= FEW else self._many(probes)
        observed = list(self.observer.understood(entries))
        found: dict[str, Lookup] = {}
        for probe in probes:
            kind = subject(probe.operation)[0]
            mark = mark_of(probe.reference)
            mine = [one for one in observed if one.kind == kind and mark_of(one.reference) == mark]
            found[probe.key] = _told(probe, mine or self._saved(kind, probe), as_of)
        return found

    def _few(self, probes: Sequence[Probe]) -> list[Entry]:
        found: dict[str, Entry] = {}
        for kind in {subject(probe.operation)[0] for probe in probes}:
            references = [probe.reference for probe in probes if subject(probe.operation)[0] == kind]
            found |= {one.id: one for one in self.observer.transactions.by_references(references, (kind,))}
        return list(found.values())

    def _many(self, probes: Sequence[Probe]) -> list[Entry]:
        """Transactions on the days of the documents, of their customers where these are few enough to name."""
        contents = [_content(probe) for probe in probes]
        days = [day for content in contents if (day := _day(content)) is not None]
        codes = {str(content.get("customer")) for content in contents}
        known = self.observer.directory.customers(codes)
        ids = sorted({one.account_id for one in known.values() if one.account_id})
        accounts = ids if len(ids) == len(codes) <= _MOST_ACCOUNTS else ()
        marks = {mark_of(probe.reference) for probe in probes}
        kinds = sorted({subject(probe.operation)[0] for probe in probes})
        listed = self.observer.transactions.listed(kinds, first=min(days), last=max(days), accounts=accounts)
        return [entry for entry in listed if mark_of(entry.reference) in marks]

    def _saved(self, kind: str, probe: Probe) -> list[Observed]:
        """Item documents under the probe's reference that are saved and not posted."""
        observer = self.observer
        if kind == "payment" or not observer.accountsiq.settings.item_invoices or not is_of_items(_content(probe)):
            return []
        rows, _ = saved_under(observer.accountsiq, kind, probe.reference)
        return [draft_from(kind, row, observer.directory, observer.arithmetic) for row in rows]

    # ---- masters, and what is there ----

    def _masters(self, probes: Sequence[Probe], as_of: datetime) -> dict[str, Lookup]:
        found: dict[str, Lookup] = {}
        if any(subject(probe.operation)[0] == "tracking_set" for probe in probes):
            self.observer.directory.forget_sets()
        customers = [probe for probe in probes if subject(probe.operation)[0] == "customer"]
        listed = list(self.observer.observe(Query(("customer",)))) if len(customers) > FEW else None
        for probe in probes:
            kind, code = subject(probe.operation)[0], _code(probe)
            if kind == "customer":
                mine = self._customer(code) if listed is None else [one for one in listed if one.code == code]
            else:
                mine = [one for one in self.observer.observe(Query((kind,))) if code in (one.code, one.name)]
            found[probe.key] = _told(probe, mine, as_of)
        return found

    def _customer(self, code: str) -> list[Observed]:
        row = self.observer.accountsiq.find("GetCustomer", node("customerCode", code))
        return [] if row is None else [self.observer.customer(row)]

    def _changed(self, probes: Sequence[Probe], as_of: datetime) -> dict[str, Lookup]:
        wanted: dict[str, set[str]] = {}
        for probe in probes:
            kind, id_ = subject(probe.operation)
            wanted.setdefault(kind, set()).add(str(id_))
        if "tracking_set" in wanted or "tracking_category" in wanted:
            self.observer.directory.forget_sets()
        live = {
            (one.kind, one.remote_id): one
            for kind, ids in wanted.items()
            for one in self.observer.observe(Query((kind,), ids=tuple(sorted(ids))))
        }
        found: dict[str, Lookup] = {}
        for probe in probes:
            kind, id_ = subject(probe.operation)
            one = live.get((kind, str(id_)))
            found[probe.key] = Found(one, as_of) if one is not None else Absent(as_of)
        return found


def _told(probe: Probe, found: Sequence[Observed], as_of: datetime) -> Lookup:
    if len(found) > 1:
        names = ", ".join(row.remote_id for row in found[:5])
        return Inconclusive(f"several records are what {probe.reference or _code(probe)} would be: {names}")
    return Found(found[0], as_of) if found else Absent(as_of)


def _content(probe: Probe) -> dict[str, Any]:
    assert isinstance(probe.operation, Create)
    return probe.operation.content


def _code(probe: Probe) -> str:
    content = _content(probe)
    return str(content.get(KINDS[subject(probe.operation)[0]].code_field) or content.get("name"))


def _day(content: dict[str, Any]) -> date | None:
    found = content.get("issue_date") or content.get("received_on")
    return found if isinstance(found, date) else None

"""Whether books and state are right after crashes: each document once, none missing, the same as undisturbed.

It reads. What is right is what an undisturbed run leaves, read by names, since ids depend on the order of work.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.canonical import parse_canonical
from reconciler.kernel.identity import tag_in
from reconciler.state.history import verify_history
from reconciler.testing.killing import Site, called


@dataclass(frozen=True, slots=True)
class Picture:
    """The books by names: each record with what it says, and the trial balance."""

    records: tuple[str, ...]
    balances: tuple[str, ...]


def picture(site: Site) -> Picture:
    """What the books say, whatever order it was written in."""
    found = site.records()
    names = {record.id: f"{record.kind}:{called(record)}" for record in found}
    lines = []
    for record in found:
        allocations = sorted((names[a.target_id], a.amount, a.discount, a.write_off) for a in record.allocations)
        body = _named(parse_canonical(record.body), names)
        facts = (names[record.id], record.phase, body, sorted(record.computed.items()), allocations)
        lines.append(repr(facts))
    rows = [repr(row) for row in site.client.report("trial_balance", {})]
    return Picture(tuple(sorted(lines)), tuple(sorted(rows)))


def _named(value: Any, names: dict[str, str]) -> Any:
    """Content with names in place of ids, and dates of today's corrections left as they are."""
    if isinstance(value, dict):
        return {names.get(key, key): _named(item, names) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def violations(site: Site, wanted: Picture) -> list[str]:
    """Every way in which books or state are not what an undisturbed run leaves."""
    found = picture(site)
    problems = [f"twice or wrong in the books: {line}" for line in _more(found.records, wanted.records)]
    problems += [f"missing in the books: {line}" for line in _more(wanted.records, found.records)]
    if found.balances != wanted.balances:
        problems.append(f"the trial balance differs: {found.balances} instead of {wanted.balances}")
    problems += [f"the ledger's own check: {line}" for line in site.client.report("check", {})]
    tags = Counter(tag for record in site.records() if (tag := tag_in(record.reference)) is not None)
    problems += [f"{count} records carry the tag {tag}" for tag, count in tags.items() if count > 1]
    return problems + _state_problems(site)


def _more(these: tuple[str, ...], those: tuple[str, ...]) -> list[str]:
    return sorted((Counter(these) - Counter(those)).elements())


def _state_problems(site: Site) -> list[str]:
    """State and books name each other's records one to one, nothing is open, and the history holds."""
    live = {record.id: record for record in site.records()}
    with site.store() as store:
        view = store.view()
        problems = [f"history: {line}" for line in verify_history(store)]
    problems += [f"unsettled: {row.key} of {row.address}" for row in view.unsettled]
    problems += [f"group {row.id} is still open" for row in view.groups]
    bound = Counter(row.remote_id for row in view.documents.values())
    problems += [
        f"{count} documents of the state are the record {one}" for one, count in bound.items() if count > 1
    ]
    problems += [f"the state knows {one}, the books do not" for one in bound if one not in live]
    tagged = [record for record in live.values() if tag_in(record.reference) is not None]
    problems += [f"forgotten: {record.id} ({called(record)})" for record in tagged if record.id not in bound]
    for row in view.documents.values():
        record = live.get(row.remote_id)
        if record is not None and (record.number or None) != (row.number or None) and record.number:
            problems.append(f"{row.address} is numbered {record.number}, the state says {row.number}")
    return problems

"""Was it done? New documents are looked up by their reference, new masters by their code, the rest by id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.kernel.clock import Clock
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import Absent, Found, Inconclusive, Lookup, Observed, Probe, Query
from reconciler.providers.tryton.books import Books
from reconciler.resources.kinds import KINDS

_Key = tuple[str, str]


def look_up(books: Books, probes: Sequence[Probe], clock: Clock) -> list[Lookup]:
    """One answer per probe, in order; as of before the first read."""
    as_of = clock.now()
    references: dict[str, set[str]] = {}
    ids: dict[str, set[str]] = {}
    codes: dict[str, set[str]] = {}
    for probe in probes:
        kind, remote_id = subject(probe.operation)
        if remote_id is not None:
            ids.setdefault(kind, set()).add(remote_id)
        elif KINDS[kind].is_document:
            references.setdefault(kind, set()).add(probe.reference)
        else:
            codes.setdefault(kind, set()).add(_code(probe))
    by_id = {
        (kind, row.remote_id): row
        for kind, some in ids.items()
        for row in books.observer.observe(Query((kind,), ids=tuple(sorted(some))))
    }
    by_reference = _grouped(books, references, "reference")
    by_code = _grouped(books, codes, "code")
    return [_answer(probe, by_id, by_reference, by_code, as_of) for probe in probes]


def _code(probe: Probe) -> str:
    assert isinstance(probe.operation, Create)
    content = probe.operation.content
    return str(content.get(KINDS[probe.operation.kind].code_field) or content.get("name"))


def _grouped(books: Books, wanted: dict[str, set[str]], by: str) -> dict[_Key, list[Observed]]:
    """Live records of each kind by their reference, or by their code (or name where the kind has no code)."""
    found: dict[_Key, list[Observed]] = {}
    for kind, some in wanted.items():
        if by == "reference":
            rows = list(books.observer.observe(Query((kind,), references=tuple(sorted(some)))))
        elif kind == "customer":
            rows = books.observer.customers_by_code(some)
        else:
            rows = list(books.observer.observe(Query((kind,))))
        for row in rows:
            key = row.reference if by == "reference" else row.code or row.name
            if key is not None:
                found.setdefault((kind, key), []).append(row)
    return found


def _answer(
    probe: Probe,
    by_id: dict[_Key, Observed],
    by_reference: dict[_Key, list[Observed]],
    by_code: dict[_Key, list[Observed]],
    as_of: datetime,
) -> Lookup:
    kind, remote_id = subject(probe.operation)
    if remote_id is not None:
        one = by_id.get((kind, remote_id))
        found = [one] if one is not None else []
    elif KINDS[kind].is_document:
        found = by_reference.get((kind, probe.reference), [])
    else:
        found = by_code.get((kind, _code(probe)), [])
    if not found:
        return Absent(as_of)
    if len(found) > 1:
        names = ", ".join(observed.remote_id for observed in found)
        what = probe.reference if KINDS[kind].is_document else _code(probe)
        return Inconclusive(f"several records carry {what}: {names}")
    return Found(found[0])

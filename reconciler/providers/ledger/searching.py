"""Was it done? Creates are looked up by the reference they carry, everything else by reading its record.

And what the ledger's control accounts hold, its customers owe and may owe, its documents look like on paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.providers.errors import Rejected
from reconciler.providers.ledger.codec import error_from, observed_from
from reconciler.providers.operations import Create, subject
from reconciler.providers.protocol import (
    Absent,
    ControlBalance,
    CreditStanding,
    DocumentFile,
    Found,
    Inconclusive,
    Lookup,
    Observed,
    Probe,
)
from reconciler.sandboxes.ledger.port import LedgerPort
from reconciler.sandboxes.ledger.printing import print_document
from reconciler.sandboxes.ledger.records import Selection
from reconciler.sandboxes.ledger.refusal import Refusal


def probe_records(
    port: LedgerPort, probes: Sequence[Probe], as_of: datetime, *, stale: bool = False
) -> list[Lookup]:
    """One answer per probe, in order. `stale`: show the books as they were at `as_of`, and say so.

    Several records with one reference are inconclusive: which of them is meant cannot be told.
    """
    by_reference: dict[tuple[str, str], list[Observed]] = {}
    by_id: dict[tuple[str, str], Observed] = {}
    references: dict[str, list[str]] = {}
    ids: dict[str, list[str]] = {}
    for probe in probes:
        kind, remote_id = subject(probe.operation)
        if remote_id is None:
            references.setdefault(kind, []).append(probe.reference)
        else:
            ids.setdefault(kind, []).append(remote_id)
    for kind in dict.fromkeys((*references, *ids)):
        wanted = Selection((kind,), tuple(ids.get(kind, ())), tuple(references.get(kind, ())))
        for record in port.records(wanted, as_of=as_of if stale else None):
            observed = observed_from(record)
            by_id[kind, observed.remote_id] = observed
            if observed.reference is not None:
                by_reference.setdefault((kind, observed.reference), []).append(observed)
    return [_answer(probe, by_reference, by_id, as_of, stale) for probe in probes]


def _answer(
    probe: Probe,
    by_reference: dict[tuple[str, str], list[Observed]],
    by_id: dict[tuple[str, str], Observed],
    as_of: datetime,
    stale: bool,
) -> Lookup:
    kind, remote_id = subject(probe.operation)
    if isinstance(probe.operation, Create):
        found = by_reference.get((kind, probe.reference), [])
    else:
        record = by_id.get((kind, remote_id or ""))
        found = [record] if record is not None else []
    if not found:
        return Absent(as_of)
    if len(found) > 1:
        names = ", ".join(observed.remote_id for observed in found)
        return Inconclusive(f"several records carry the reference {probe.reference}: {names}")
    return Found(found[0], as_of if stale else None)


def balances_of(port: LedgerPort) -> list[ControlBalance]:
    """What each receivable control account holds, per currency it was ever posted to in."""
    ids = {record.code: record.id for record in port.records(Selection(("account",)))}
    return [
        ControlBalance(ids[row.account], row.account, row.currency, row.ledger)
        for row in port.report("tie_out", {})
    ]


def standings_of(port: LedgerPort, customers: Sequence[str]) -> dict[str, CreditStanding]:
    """What each of the customers owes and may owe, in its own currency."""
    try:
        rows = port.report("credit", {"customers": list(customers)})
    except Refusal as refusal:
        raise error_from(refusal) from refusal
    return {
        row.customer: CreditStanding(row.currency, row.balance, row.limit, row.overdue, row.hold) for row in rows
    }


def print_of(port: LedgerPort, kind: str, remote_id: str) -> DocumentFile:
    """A document on paper. Raises Rejected where there is none."""
    content = print_document(port, kind, remote_id)
    if content is None:
        raise Rejected(f"there is no {kind} {remote_id} in these books", code="not_found")
    return DocumentFile(f"{remote_id}.pdf", "application/pdf", content)

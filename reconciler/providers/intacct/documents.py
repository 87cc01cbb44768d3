"""Reading documents: their headers, their lines, and what payments apply to them, in as few requests as functions
allow. A negative invoice is read as the credit note that it is; a debit memo is no document of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from reconciler.kernel.identity import tag_in
from reconciler.providers.intacct.attaching import Files
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.codec_invoices import (
    ADJUSTMENT,
    INVOICE,
    LINE,
    credit_from,
    invoice_from,
    is_credit,
)
from reconciler.providers.intacct.codec_payments import (
    ADJUSTMENTS,
    ADVANCE,
    ADVANCES,
    CREDITS,
    DETAIL,
    INVOICES,
    PAYMENT,
    PAYMENTS,
    Applied,
    Source,
    allocations_of,
    applied_from,
    credit_id,
    credit_parts,
    money_parts,
    payment_from,
)
from reconciler.providers.intacct.directory import Directory
from reconciler.providers.intacct.observed import is_dead
from reconciler.providers.intacct.queries import Filter, Query, Where, any_of, selecting
from reconciler.providers.intacct.wire import Row
from reconciler.providers.protocol import Observed

Ids = Sequence[str] | None
"""Record numbers; None for all there are."""
_INVOICES, _INVOICE_LINES = Query(INVOICES, INVOICE), Query("ARINVOICEITEM", LINE)
_ADJUSTMENTS, _ADJUSTMENT_LINES = Query(ADJUSTMENTS, ADJUSTMENT), Query("ARADJUSTMENTITEM", LINE)
_NEGATIVE = replace(_INVOICES, filter=Where("TRX_TOTALENTERED", "lessthan", ("0",)))
_ADVANCES, _PAYMENTS = Query(ADVANCES, ADVANCE), Query(PAYMENTS, PAYMENT)
_DETAILS = Query("ARPYMTDETAIL", DETAIL)
_STATES = Query(PAYMENTS, ("RECORDNO", "STATE"))
_NO_CASH = ("rr", "ro")
"""Record types of what ARPYMT lists too: an advance, which is read as one, and an applied overpayment."""
_MOST_MARKS = 100
"""References looked for in one filter."""


@dataclass(slots=True)
class Documents:
    """Reads one connection's documents. Thread-safe: it keeps nothing. Everything raises ProviderError."""

    gateway: Gateway
    directory: Directory
    files: Files

    # ---- invoices and credit notes ----

    def invoices(self, ids: Ids, references: Sequence[str] = (), numbers: Sequence[str] = ()) -> Iterator[Observed]:
        rows, lines = self._headers(_INVOICES, _INVOICE_LINES, ids, references, numbers)
        rows = [row for row in rows if not is_credit(row)]
        files = self.files.named(rows)
        base = self.directory.base_currency
        for row in rows:
            key = row.get("RECORDNO", "")
            yield invoice_from(row, lines.get(key, []), self.directory.name_of, base, files.get(key, []))

    def credit_notes(
        self, ids: Ids, references: Sequence[str] = (), numbers: Sequence[str] = ()
    ) -> Iterator[Observed]:
        """Credit memos; and invoices that are negative, unless they are looked for as ours."""
        if ids is None and not references and not numbers:
            rows, entries, negative = self.gateway.queries(_ADJUSTMENTS, _ADJUSTMENT_LINES, _NEGATIVE)
            yield from self._credits(ADJUSTMENTS, rows, _by_document(entries))
            keys = [row.get("RECORDNO", "") for row in negative]
            lines = _flat(self.gateway.queries(*selecting(_INVOICE_LINES, "RECORDKEY", keys)))
            yield from self._credits(INVOICES, negative, _by_document(lines))
            return
        asked = [credit_parts(id_) for id_ in ids or ()]
        adjustments = [key for name, key in asked if name == ADJUSTMENTS]
        if adjustments or references or numbers:
            found = self._headers(_ADJUSTMENTS, _ADJUSTMENT_LINES, adjustments, references, numbers)
            yield from self._credits(ADJUSTMENTS, *found)
        if keys := [key for name, key in asked if name == INVOICES]:
            yield from self._credits(INVOICES, *self._headers(_INVOICES, _INVOICE_LINES, keys))

    def _credits(self, object_: str, rows: list[Row], lines: dict[str, list[Row]]) -> Iterator[Observed]:
        rows = [row for row in rows if is_credit(row)]
        keys = [row.get("RECORDNO", "") for row in rows]
        applied = self._applied(_flat(self.gateway.queries(*selecting(_DETAILS, CREDITS[object_][0], keys))))
        for row, key in zip(rows, keys, strict=True):
            settled = allocations_of((object_, key), applied)
            made = credit_from(
                row, lines.get(key, []), self.directory.name_of, self.directory.base_currency, settled
            )
            yield replace(made, remote_id=credit_id(object_, key))

    def _headers(
        self,
        headers: Query,
        lines: Query,
        ids: Ids,
        references: Sequence[str] = (),
        numbers: Sequence[str] = (),
    ) -> tuple[list[Row], dict[str, list[Row]]]:
        """Documents, and their lines by the document's record number."""
        if ids is None and not references and not numbers:
            rows, entries = self.gateway.queries(headers, lines)
            return rows, _by_document(entries)
        rows = self._marked(headers, references, numbers)
        keys = list(dict.fromkeys([*(row.get("RECORDNO", "") for row in rows), *(ids or ())]))
        named = selecting(headers, "RECORDNO", ids) if ids else []
        found = self.gateway.queries(*named, *selecting(lines, "RECORDKEY", keys))
        rows = _distinct([*rows, *_flat(found[: len(named)])])
        return rows, _by_document(_flat(found[len(named) :]))

    def _marked(self, headers: Query, references: Sequence[str], numbers: Sequence[str] = ()) -> list[Row]:
        """Documents that carry one of these references, or have one of these numbers."""
        wanted = [replace(headers, filter=mark) for mark in _marks(references)]
        wanted += selecting(headers, "RECORDID", numbers)
        return _distinct(_flat(self.gateway.queries(*wanted)))

    # ---- payments ----

    def payments(self, ids: Ids, references: Sequence[str] = ()) -> Iterator[Observed]:
        advances, payments, details = self._money(ids, references)
        applied = self._applied(details, payments if ids is None and not references else None)
        for object_, rows in ((ADVANCES, advances), (PAYMENTS, payments)):
            for row in rows:
                if object_ == PAYMENTS and row.get("RECORDTYPE", "").lower() in _NO_CASH:
                    continue
                observed = payment_from(object_, row, applied, self.directory.base_currency)
                if observed is not None:
                    yield observed

    def _money(self, ids: Ids, references: Sequence[str]) -> tuple[list[Row], list[Row], list[Row]]:
        """Advances, payments, and the details of what either applies."""
        if ids is None and not references:
            advances, payments, details = self.gateway.queries(_ADVANCES, _PAYMENTS, _DETAILS)
            return advances, payments, details
        marks = _marks(references)
        marked = self.gateway.queries(
            *(replace(one, filter=mark) for one in (_ADVANCES, _PAYMENTS) for mark in marks)
        )
        advances, payments = _flat(marked[: len(marks)]), _flat(marked[len(marks) :])
        parts = [money_parts(id_) for id_ in ids or ()]
        asked = {name: [key for object_, key in parts if object_ == name] for name in (ADVANCES, PAYMENTS)}
        keys = {
            ADVANCES: [*asked[ADVANCES], *(row["RECORDNO"] for row in advances)],
            PAYMENTS: [*asked[PAYMENTS], *(row["RECORDNO"] for row in payments)],
        }
        first = selecting(_ADVANCES, "RECORDNO", asked[ADVANCES])
        second = selecting(_PAYMENTS, "RECORDNO", asked[PAYMENTS])
        third = [
            *selecting(_DETAILS, "PAYMENTKEY", keys[PAYMENTS]),
            *(one for name in keys for one in selecting(_DETAILS, CREDITS[name][0], keys[name])),
        ]
        found = self.gateway.queries(*first, *second, *third)
        at, then = len(first), len(first) + len(second)
        return (
            _distinct([*advances, *_flat(found[:at])]),
            _distinct([*payments, *_flat(found[at:then])]),
            _distinct(_flat(found[then:])),
        )

    # ---- what is applied ----

    def _applied(self, details: list[Row], payments: list[Row] | None = None) -> list[Applied]:
        """What is applied; what payments that were reversed had applied is marked as undone."""
        if payments is None:
            keys = [row["PAYMENTKEY"] for row in details if row.get("PAYMENTKEY")]
            payments = _flat(self.gateway.queries(*selecting(_STATES, "RECORDNO", keys)))
        undone = frozenset(row.get("RECORDNO", "") for row in payments if is_dead(row.get("STATE")))
        return applied_from(details, undone)

    def applications(self, source: Source, target: str = "") -> list[Applied]:
        """What payments without cash apply of a source now, to one document or to any."""
        wanted = replace(_DETAILS, filter=Where(CREDITS[source[0]][0], "equalto", (source[1],)))
        found = [
            one for one in self._applied(self.gateway.query(wanted)) if one.source == source and not one.undone
        ]
        return [one for one in found if not target or one.target == target]

    def details_of(self, payments: Sequence[str]) -> list[Row]:
        """Every detail of these payments."""
        return _flat(self.gateway.queries(*selecting(_DETAILS, "PAYMENTKEY", payments)))


def _marks(references: Sequence[str]) -> list[Filter]:
    """Filters for descriptions that hold one of our marks; it is their end, unless somebody added to them."""
    made = []
    for reference in references:
        mark = f"~{tag_in(reference)}" if tag_in(reference) else reference
        made.append(Where("DESCRIPTION", "like", (f"%{mark}%",)))
    return [any_of(made[at : at + _MOST_MARKS]) for at in range(0, len(made), _MOST_MARKS)]


def _by_document(lines: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for line in lines:
        found.setdefault(line.get("RECORDKEY", ""), []).append(line)
    return found


def _flat(parts: Iterable[Iterable[Row]]) -> list[Row]:
    return [row for part in parts for row in part]


def _distinct(rows: Iterable[Row]) -> list[Row]:
    return list({row.get("RECORDNO"): row for row in rows}.values())

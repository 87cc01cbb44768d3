"""Reading the books: whole kinds, or the records that are asked for, as few requests as functions allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kernel.identity import tag_in
from reconciler.providers.intacct.attaching import Files
from reconciler.providers.intacct.calls import Gateway
from reconciler.providers.intacct.codec_customers import CONTACT, CUSTOMER, customer_from, referred
from reconciler.providers.intacct.codec_invoices import (
    ADJUSTMENT,
    INVOICE,
    LINE,
    credit_from,
    invoice_from,
    is_credit,
)
from reconciler.providers.intacct.codec_masters import (
    ACCOUNT,
    ITEM,
    TERM,
    account_from,
    bank_from,
    dimension_from,
    item_from,
    term_from,
)
from reconciler.providers.intacct.codec_masters import DIMENSIONS as CATEGORIES
from reconciler.providers.intacct.codec_payments import (
    ADVANCE,
    ADVANCES,
    DETAIL,
    PAYMENT,
    PAYMENTS,
    Applied,
    allocations_of,
    applied_from,
    money_parts,
    payment_from,
)
from reconciler.providers.intacct.directory import BANKS, Directory
from reconciler.providers.intacct.observed import is_dead
from reconciler.providers.intacct.queries import Filter, Query, Where, all_of, any_of, selecting
from reconciler.providers.intacct.wire import Row
from reconciler.providers.protocol import Observed
from reconciler.providers.protocol import Query as Asked
from reconciler.resources.kinds import KINDS

DOCUMENTS = ("invoice", "credit_note", "payment")
_MASTERS: Mapping[str, tuple[tuple[Query, ...], str]] = {
    "account": ((Query("GLACCOUNT", ACCOUNT),), "ACCOUNTNO"),
    "payment_term": ((Query("ARTERM", TERM),), "NAME"),
    "bank_account": (BANKS, "BANKACCOUNTID"),
    "item": ((Query("ITEM", ITEM, optional=True),), "ITEMID"),
}
"""A kind → the queries of all its records, and the field that is our id of them."""
_INVOICES, _INVOICE_LINES = Query("ARINVOICE", INVOICE), Query("ARINVOICEITEM", LINE)
_ADJUSTMENTS, _ADJUSTMENT_LINES = Query("ARADJUSTMENT", ADJUSTMENT), Query("ARADJUSTMENTITEM", LINE)
_ADVANCES, _PAYMENTS = Query(ADVANCES, ADVANCE), Query(PAYMENTS, PAYMENT)
_DETAILS = Query("ARPYMTDETAIL", DETAIL)
_STATES = Query(PAYMENTS, ("RECORDNO", "STATE"))
_CUSTOMERS, _CONTACTS = Query("CUSTOMER", CUSTOMER), Query("CONTACT", CONTACT)
_OPEN = ("draft", "posted", "part_settled")
_MOST_MARKS = 100
"""References looked for in one filter."""


@dataclass(slots=True)
class Observer:
    """Reads one connection's books. Thread-safe: it keeps nothing."""

    gateway: Gateway
    directory: Directory
    files: Files

    def observe(self, asked: Asked) -> Iterator[Observed]:
        """Every record of the kinds asked for, masters first."""
        for kind in KINDS:
            if kind not in asked.kinds or (asked.references and kind not in DOCUMENTS):
                continue
            for observed in self._kind(kind, asked):
                if not (asked.open_only and kind in DOCUMENTS and observed.phase not in _OPEN):
                    yield observed

    def _kind(self, kind: str, asked: Asked) -> Iterable[Observed]:
        ids = asked.ids or None
        if kind in _MASTERS:
            return self.masters(kind, ids)
        match kind:
            case "tracking_category":
                return self._dimensions(ids)
            case "customer":
                return self.customers(ids)
            case "invoice":
                return self.invoices(ids, asked.references)
            case "credit_note":
                return self.credit_notes(ids, asked.references)
            case "payment":
                return self.payments(ids, asked.references)
            case _:
                return ()

    # ---- masters ----

    def masters(self, kind: str, ids: Sequence[str] | None) -> Iterator[Observed]:
        queries, name = _MASTERS[kind]
        wanted = (
            list(queries) if ids is None else [part for query in queries for part in selecting(query, name, ids)]
        )
        for rows in self.gateway.queries(*wanted):
            for row in rows:
                if row.get(name):
                    yield self._master(kind, row)

    def _master(self, kind: str, row: Row) -> Observed:
        match kind:
            case "account":
                return account_from(row)
            case "bank_account":
                return bank_from(row, self.directory.base_currency)
            case "payment_term":
                return term_from(row)
            case _:
                return item_from(row)

    def _dimensions(self, ids: Sequence[str] | None) -> Iterator[Observed]:
        for category in CATEGORIES:
            values = self.directory.values(category)
            if values and (ids is None or category in ids):
                yield dimension_from(category, list(values.values()))

    def customer_rows(self, ids: Sequence[str] | None) -> tuple[list[Row], dict[str, Row]]:
        """Customers, and by name the contacts of their own that they refer to."""
        wanted = [_CUSTOMERS] if ids is None else selecting(_CUSTOMERS, "CUSTOMERID", ids)
        rows = [row for some in self.gateway.queries(*wanted) for row in some if row.get("CUSTOMERID")]
        names = [name for row in rows for name in referred(row).values()]
        contacts = self.gateway.queries(*selecting(_CONTACTS, "CONTACTNAME", names))
        return rows, {row.get("CONTACTNAME", ""): row for some in contacts for row in some}

    def customers(self, ids: Sequence[str] | None) -> Iterator[Observed]:
        rows, contacts = self.customer_rows(ids)
        for row in rows:
            yield customer_from(row, contacts)

    def contacts_there(self, names: Sequence[str]) -> dict[str, str]:
        """Which of these contacts there are: name → record number."""
        found = self.gateway.queries(*selecting(_CONTACTS, "CONTACTNAME", names))
        return {row.get("CONTACTNAME", ""): row.get("RECORDNO", "") for some in found for row in some}

    # ---- invoices and adjustments ----

    def invoices(
        self, ids: Sequence[str] | None, references: Sequence[str] = (), numbers: Sequence[str] = ()
    ) -> Iterator[Observed]:
        rows, lines, _ = self._headers(_INVOICES, _INVOICE_LINES, ids, references, numbers)
        files = self.files.named(rows)
        base = self.directory.base_currency
        for row in rows:
            key = row.get("RECORDNO", "")
            yield invoice_from(row, lines.get(key, []), self.directory.name_of, base, files.get(key, []))

    def credit_notes(
        self, ids: Sequence[str] | None, references: Sequence[str] = (), numbers: Sequence[str] = ()
    ) -> Iterator[Observed]:
        rows, lines, details = self._headers(
            _ADJUSTMENTS, _ADJUSTMENT_LINES, ids, references, numbers, details="ADJUSTMENTKEY"
        )
        applied = self._applied(details)
        base = self.directory.base_currency
        for row in rows:
            if is_credit(row):
                key = row.get("RECORDNO", "")
                settled = allocations_of(("ARADJUSTMENT", key), applied)
                yield credit_from(row, lines.get(key, []), self.directory.name_of, base, settled)

    def _headers(
        self,
        headers: Query,
        lines: Query,
        ids: Sequence[str] | None,
        references: Sequence[str],
        numbers: Sequence[str],
        *,
        details: str = "",
    ) -> tuple[list[Row], dict[str, list[Row]], list[Row]]:
        """Documents, their lines by the document's record number, and payment details that name them."""
        extra = [_DETAILS] if details else []
        if ids is None and not references and not numbers:
            asked = [headers, lines]
            if details:
                asked.append(_only(_DETAILS, details))
            rows, entries, *rest = self.gateway.queries(*asked)
            return rows, _by_document(entries), [row for some in rest for row in some]
        rows = self._marked(headers, references, numbers)
        keys = list(dict.fromkeys([*(row.get("RECORDNO", "") for row in rows), *(ids or ())]))
        named = selecting(headers, "RECORDNO", ids) if ids else []
        entries_ = selecting(lines, "RECORDKEY", keys)
        more = [part for query in extra for part in selecting(query, details, keys)]
        found = self.gateway.queries(*named, *entries_, *more)
        first, second = len(named), len(named) + len(entries_)
        rows = _distinct([*rows, *_flat(found[:first])])
        return rows, _by_document(_flat(found[first:second])), _flat(found[second:])

    def _marked(self, headers: Query, references: Sequence[str], numbers: Sequence[str] = ()) -> list[Row]:
        """Documents that carry one of these references, or have one of these numbers."""
        wanted = [
            Query(
                headers.object,
                headers.fields,
                any_of([_carries(mark) for mark in references[at : at + _MOST_MARKS]]),
            )
            for at in range(0, len(references), _MOST_MARKS)
        ]
        if numbers:
            wanted += selecting(headers, "RECORDID", numbers)
        return _distinct(_flat(self.gateway.queries(*wanted)))

    # ---- payments ----

    def payments(self, ids: Sequence[str] | None, references: Sequence[str] = ()) -> Iterator[Observed]:
        advances, payments, details = self._money(ids, references)
        applied = self._applied(details, payments if ids is None and not references else None)
        for object_, rows in ((ADVANCES, advances), (PAYMENTS, payments)):
            for row in rows:
                if object_ == PAYMENTS and row.get("RECORDTYPE", "").lower() in ("rr", "ro"):
                    continue  # an advance, which is read as one; an applied overpayment, which is no cash
                observed = payment_from(object_, row, applied, self.directory.base_currency)
                if observed is not None:
                    yield observed

    def _money(
        self, ids: Sequence[str] | None, references: Sequence[str]
    ) -> tuple[list[Row], list[Row], list[Row]]:
        if ids is None and not references:
            advances, payments, details = self.gateway.queries(_ADVANCES, _PAYMENTS, _DETAILS)
            return advances, payments, details
        advances, payments = [], []
        if references:
            marks = [
                any_of([_carries(mark) for mark in references[at : at + _MOST_MARKS]])
                for at in range(0, len(references), _MOST_MARKS)
            ]
            wanted = [Query(one.object, one.fields, mark) for one in (_ADVANCES, _PAYMENTS) for mark in marks]
            found = self.gateway.queries(*wanted)
            advances, payments = _flat(found[: len(marks)]), _flat(found[len(marks) :])
        parts = [money_parts(id_) for id_ in ids or ()]
        asked = {name: [key for object_, key in parts if object_ == name] for name in (ADVANCES, PAYMENTS)}
        first = selecting(_ADVANCES, "RECORDNO", asked[ADVANCES])
        second = selecting(_PAYMENTS, "RECORDNO", asked[PAYMENTS])
        third = [
            *selecting(_DETAILS, "ADVANCEKEY", [*asked[ADVANCES], *(row["RECORDNO"] for row in advances)]),
            *selecting(_DETAILS, "PAYMENTKEY", [*asked[PAYMENTS], *(row["RECORDNO"] for row in payments)]),
        ]
        found = self.gateway.queries(*first, *second, *third)
        at, then = len(first), len(first) + len(second)
        return (
            _distinct([*advances, *_flat(found[:at])]),
            _distinct([*payments, *_flat(found[at:then])]),
            _distinct(_flat(found[then:])),
        )

    def _applied(self, details: list[Row], payments: list[Row] | None = None) -> list[Applied]:
        """What is applied, without what payments that were reversed had applied."""
        if payments is None:
            keys = list(dict.fromkeys(row["PAYMENTKEY"] for row in details if row.get("PAYMENTKEY")))
            payments = _flat(self.gateway.queries(*selecting(_STATES, "RECORDNO", keys)))
        undone = frozenset(row.get("RECORDNO", "") for row in payments if is_dead(row.get("STATE")))
        return applied_from(details, undone)

    def applications(self, source: tuple[str, str], target: str) -> list[Applied]:
        """The live applications of a source to one document."""
        key = "ADVANCEKEY" if source[0] == ADVANCES else "ADJUSTMENTKEY"
        details = self.gateway.query(Query("ARPYMTDETAIL", DETAIL, Where(key, "equalto", (source[1],))))
        found = [one for one in self._applied(details) if one.source == source and not one.undone]
        return [one for one in found if not target or one.target == target]

    def details_of(self, payments: Sequence[str]) -> list[Row]:
        """Every detail of these payments."""
        return _flat(self.gateway.queries(*selecting(_DETAILS, "PAYMENTKEY", payments)))


def _carries(reference: str) -> Filter:
    """A description that ends in our mark: what stands before it is the user's."""
    mark = f"~{tag_in(reference)}" if tag_in(reference) else reference
    return Where("DESCRIPTION", "like", (f"%{mark}",))


def _only(query: Query, name: str) -> Query:
    """Records that have the field."""
    made = all_of(query.filter, Where(name, "isnotnull", ()))
    return Query(query.object, query.fields, made)


def _by_document(lines: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for line in lines:
        found.setdefault(line.get("RECORDKEY", ""), []).append(line)
    return found


def _flat(parts: Iterable[Iterable[Row]]) -> list[Row]:
    return [row for part in parts for row in part]


def _distinct(rows: Iterable[Row]) -> list[Row]:
    found: dict[Any, Row] = {}
    for row in rows:
        found[row.get("RECORDNO")] = row
    return list(found.values())

"""A record as the ledger shows it, its ids, and how rows become records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kernel.canonical import digest_text
from reconciler.sandboxes.ledger.minor import to_text
from reconciler.sandboxes.ledger.refusal import Refusal, RefusalCode

PREFIXES = {
    "account": "acc",
    "tax_rate": "tax",
    "tracking_category": "trk",
    "tracking_set": "set",
    "payment_term": "trm",
    "bank_account": "bnk",
    "item": "itm",
    "customer": "cus",
    "invoice": "inv",
    "credit_note": "crn",
    "payment": "pay",
}
DOCUMENTS = ("invoice", "credit_note", "payment")
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class RecordAllocation:
    """What a source settles of a target: decimal texts in their currency, the date as ISO text."""

    target_kind: str
    target_id: str
    amount: str
    date: str
    discount: str = "0"
    write_off: str = "0"
    write_off_account: str = ""
    write_off_reason: str = ""


_ALLOCATION = tuple(RecordAllocation.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Record:
    """One record, as of a reading. `body`: canonical JSON of its content. `computed`: decimal texts.

    `phase`: active, archived, draft, posted, part_settled, settled, void, reversed.
    """

    kind: str
    id: str
    body: str
    fingerprint: str
    phase: str
    revision: int
    code: str | None = None
    name: str | None = None
    number: str | None = None
    reference: str | None = None
    computed: Mapping[str, str] = field(default_factory=dict)
    allocations: tuple[RecordAllocation, ...] = ()

    def to_row(self) -> list[Any]:
        """A JSON-like list; `from_row` inverts it."""
        return [
            self.kind,
            self.id,
            self.body,
            self.fingerprint,
            self.phase,
            self.revision,
            self.code,
            self.name,
            self.number,
            self.reference,
            dict(self.computed),
            [[getattr(allocation, name) for name in _ALLOCATION] for allocation in self.allocations],
        ]

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Record:
        kind, id_text, body, mark, phase, revision, code, name, number, reference, computed = row[:11]
        made = tuple(RecordAllocation(*allocation) for allocation in row[11])
        return cls(kind, id_text, body, mark, phase, revision, code, name, number, reference, computed, made)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records to read. Empty `ids` and `references` mean all of `kinds`."""

    kinds: tuple[str, ...]
    ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    open_only: bool = False


def id_of(kind: str, seq: int) -> str:
    return f"{PREFIXES[kind]}-{seq}"


def seq_of(kind: str, text: str) -> int:
    """The row an id names. Refuses what is not an id of `kind`."""
    prefix, dash, digits = text.partition("-")
    if dash and _KINDS.get(prefix) == kind and digits.isascii() and digits.isdigit() and len(digits) < 19:
        return int(digits)
    raise Refusal(RefusalCode.UNKNOWN_REFERENCE, f"{text[:60]!r} is not the id of a {words(kind)} in these books")


def words(kind: str) -> str:
    return kind.replace("_", " ")


def fingerprint_of(body: str, state: str, number: str | None) -> str:
    """Digests what a record says and whether it is draft, posted, void…; not its balance."""
    return digest_text(f"{state}\n{number or ''}\n{body}")


_COLUMNS = (
    "r.kind, r.seq, r.body, r.fingerprint, r.state, r.revision, r.code, r.name, r.number, r.reference,"
    " r.currency, r.net, r.tax, r.total, r.open"
)
_ALLOCATIONS = """(SELECT json_group_array(json_array(a.target_kind, a.target, a.amount, a.date, a.discount,
 a.write_off, a.write_off_account, a.write_off_reason)) FROM allocations a WHERE a.source = r.seq)"""


def select_records(document_source: bool) -> str:
    """The statement's head; with allocations for kinds that settle others."""
    allocations = _ALLOCATIONS if document_source else "NULL"
    return f"SELECT {_COLUMNS}, {allocations} FROM records r"  # noqa: S608  (fixed texts)


def phase_of(state: str, total: int, left: int) -> str:
    if state != "posted":
        return state
    if left == 0:
        return "settled"
    return "posted" if left >= total else "part_settled"


def record_from(row: Sequence[Any]) -> Record:
    """A record from a row of `select_records`."""
    kind, seq, body, mark, state, revision, code, name, number, reference, currency = row[:11]
    if currency is None or kind not in DOCUMENTS:
        return Record(kind, id_of(kind, seq), body, mark, state, revision, code, name, number, reference)
    net, tax, total, left, allocations = row[11:16]
    computed = {"total": to_text(total, currency), "open": to_text(left, currency)}
    if kind != "payment":
        computed["net"] = to_text(net, currency)
        computed["tax"] = to_text(tax, currency)
    made: tuple[RecordAllocation, ...] = ()
    if allocations is not None and allocations != "[]":
        made = tuple(
            RecordAllocation(
                target_kind,
                id_of(target_kind, target),
                to_text(amount, currency),
                date,
                to_text(discount, currency),
                to_text(write_off, currency),
                id_of("account", account) if account else "",
                reason,
            )
            for target_kind, target, amount, date, discount, write_off, account, reason in json.loads(allocations)
        )
    phase = phase_of(state, total, left)
    return Record(
        kind, id_of(kind, seq), body, mark, phase, revision, code, name, number, reference, computed, made
    )


def read_one(db: sqlite3.Connection, seq: int) -> Record | None:
    row = db.execute(f"{select_records(True)} WHERE r.seq = ?", (seq,)).fetchone()
    return record_from(row) if row else None


def read_records(db: sqlite3.Connection, selection: Selection) -> Iterator[Record]:
    """The records selected, kind by kind in the order asked, oldest first; one at a time."""
    for kind in selection.kinds:
        if kind not in PREFIXES:
            continue
        head = select_records(kind in ("payment", "credit_note"))
        where = " AND (r.currency IS NULL OR r.state = 'draft' OR r.open <> 0)" if selection.open_only else ""
        if not selection.ids and not selection.references:
            for row in db.execute(f"{head} WHERE r.kind = ?{where} ORDER BY r.seq", (kind,)):
                yield record_from(row)
            continue
        seen: set[int] = set()
        for column, values in (("seq", _own(kind, selection.ids)), ("reference", list(selection.references))):
            for chunk in (values[i : i + 400] for i in range(0, len(values), 400)):
                marks = ",".join("?" * len(chunk))
                statement = f"{head} WHERE r.{column} IN ({marks}) AND r.kind = ?{where} ORDER BY r.seq"
                for row in db.execute(statement, (*chunk, kind)):
                    if row[1] not in seen:
                        seen.add(row[1])
                        yield record_from(row)


def _own(kind: str, ids: Sequence[str]) -> list[Any]:
    own: list[Any] = []
    for text in ids:
        prefix, dash, digits = text.partition("-")
        if dash and _KINDS.get(prefix) == kind and digits.isascii() and digits.isdigit() and len(digits) < 19:
            own.append(int(digits))
    return own
